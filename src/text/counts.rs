//! How often each word occurs in a collection of texts: what a vocabulary is made from.

use super::Token;
use super::lexicon::Lexicon;
use crate::error::CapacityExceeded;
use crate::memory::assert_fits_on_stack;
use zerocopy::FromZeros;

/// Counts the words of texts: Keras' `Tokenizer.fit_on_texts`.
///
/// Up to `WORDS` distinct words with `BYTES` bytes of UTF-8 together, in `28 * WORDS + BYTES + 8` bytes of
/// memory and no other. Any iterator over words is a text: words of a splitter,
/// [`characters`](super::Lowercase::characters) (`char_level=True`),
/// [`standardized_words`](super::Lowercase::standardized_words), strings that were split elsewhere.
///
/// ```
/// use nanoembed::text::{Ascii, Lowercase, WordCounts};
/// let mut counts = WordCounts::<100, 1000>::new();
/// for text in ["Horrible service", "Horrible food!", "cold food, cold service, cold waitress"] {
///     counts.fit(Ascii::text_to_word_sequence(text))?;
/// }
/// assert_eq!(counts.documents(), 3);
/// let cold = counts.iter().find(|word| word.word == "cold").unwrap();
/// assert_eq!((cold.occurrences, cold.documents), (3, 1));
/// # Ok::<(), nanoembed::error::CapacityExceeded>(())
/// ```
#[derive(Clone, Debug, FromZeros)]
pub struct WordCounts<const WORDS: usize, const BYTES: usize> {
    documents: u32,
    /// In order of first appearance.
    words: Lexicon<WORDS, BYTES>,
    counts: [Count; WORDS],
    /// The words' numbers in the order of their frequency, since they were last ranked.
    order: [u32; WORDS],
}

#[derive(Clone, Copy, Debug, FromZeros)]
struct Count {
    occurrences: u32,
    documents: u32,
    /// The number of the last text that has the word; the first text is 1.
    last_document: u32,
}

/// Which of two words that occur equally often has the lower index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// The one that appeared first: Keras' `Tokenizer`.
    #[default]
    FirstAppearance,
    /// The one that is greater by its bytes: Keras' `StringLookup` and `TextVectorization`.
    Descending,
}

/// A word and how often it occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordCount<'a> {
    /// The word.
    pub word: &'a str,
    /// How many times it occurs.
    pub occurrences: u32,
    /// In how many texts it occurs.
    pub documents: u32,
}

impl<const WORDS: usize, const BYTES: usize> WordCounts<WORDS, BYTES> {
    /// No texts yet: for a `static` of any size.
    pub const EMPTY: Self = Self {
        documents: 0,
        words: Lexicon::new(),
        counts: [Count { occurrences: 0, documents: 0, last_document: 0 }; WORDS],
        order: [0; WORDS],
    };

    /// No texts yet.
    ///
    /// One of more than [256 KiB](crate::memory) does not compile: use `boxed`, or [`EMPTY`](Self::EMPTY) in
    /// a `static`.
    pub const fn new() -> Self {
        const {
            assert_fits_on_stack::<Self>(
                "counts of words",
                "`boxed` (feature `alloc`), or `EMPTY` in a static",
            );
        };
        Self::EMPTY
    }

    /// The same on the heap, without passing over the stack.
    #[cfg(feature = "alloc")]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        crate::memory::boxed()
    }

    /// Counts the words of one more text. They are read twice.
    ///
    /// Counts end at 2^32 - 1.
    ///
    /// # Errors
    /// If the words or their text do not fit; the counts are then as they were.
    pub fn fit<I>(&mut self, text: I) -> Result<(), CapacityExceeded>
    where
        I: IntoIterator<Item: Token, IntoIter: Clone>,
    {
        let tokens = text.into_iter();
        let before = self.words.len();
        for token in tokens.clone() {
            if self.words.find(token).is_none()
                && let Err(error) = self.words.push(token)
            {
                self.words.truncate(before);
                return Err(error);
            }
        }
        self.documents = self.documents.saturating_add(1);
        for token in tokens {
            if let Some(count) = self.words.find(token).and_then(|word| self.counts.get_mut(word)) {
                count.occurrences = count.occurrences.saturating_add(1);
                if count.last_document != self.documents {
                    count.last_document = self.documents;
                    count.documents += 1;
                }
            }
        }
        Ok(())
    }

    /// Number of texts counted.
    pub fn documents(&self) -> usize {
        self.documents as usize
    }

    /// Number of distinct words.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The words in order of first appearance. Each item has the fields `word`, `occurrences` (in all
    /// documents) and `documents` (in how many it occurs).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = WordCount<'_>> {
        (0..self.len()).map(|word| self.word(word))
    }

    /// The `number`-th word by first appearance.
    fn word(&self, number: usize) -> WordCount<'_> {
        let (occurrences, documents) =
            self.counts.get(number).map_or((0, 0), |count| (count.occurrences, count.documents));
        WordCount { word: self.words.get(number), occurrences, documents }
    }

    /// The number of `token` by first appearance.
    pub(super) fn find<T: Token>(&self, token: T) -> Option<usize> {
        self.words.find(token)
    }

    /// Sorts for [`ranking`](Self::ranking).
    pub(super) fn rank(&mut self, ties: Ties) {
        let Self { words, counts, order, .. } = self;
        let order = order.get_mut(..words.len()).unwrap_or_default();
        for (number, place) in (0..).zip(order.iter_mut()) {
            *place = number;
        }
        let occurrences = |word: u32| counts.get(word as usize).map_or(0, |count| count.occurrences);
        let text = |word: u32| words.word(word as usize);
        sort(order, |a, b| {
            let tie = match ties {
                Ties::FirstAppearance => a < b,
                Ties::Descending => text(a) > text(b),
            };
            occurrences(a) > occurrences(b) || occurrences(a) == occurrences(b) && tie
        });
    }

    /// The words and their numbers by first appearance, the most frequent first, as they were last ranked.
    pub(super) fn ranking(&self) -> impl Iterator<Item = (usize, WordCount<'_>)> {
        self.order.iter().take(self.len()).map(|&number| (number as usize, self.word(number as usize)))
    }
}

impl<const WORDS: usize, const BYTES: usize> Default for WordCounts<WORDS, BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

/// Sorts so that what comes `before` stands before: by a heap, which needs no second list and whose steps
/// cannot fail.
fn sort(list: &mut [u32], before: impl Fn(u32, u32) -> bool) {
    for root in (0..list.len() / 2).rev() {
        sift_down(list, root, &before);
    }
    let mut heap = list;
    while let Some(last) = heap.len().checked_sub(1) {
        // The root comes last of all that is left.
        swap(heap, 0, last);
        heap = core::mem::take(&mut heap).get_mut(..last).unwrap_or_default();
        sift_down(heap, 0, &before);
    }
}

/// Moves `root` down until none of its children comes behind it.
fn sift_down(heap: &mut [u32], mut root: usize, before: &impl Fn(u32, u32) -> bool) {
    loop {
        let mut last = root;
        for child in [2 * root + 1, 2 * root + 2] {
            if let (Some(&a), Some(&b)) = (heap.get(last), heap.get(child))
                && before(a, b)
            {
                last = child;
            }
        }
        if last == root {
            return;
        }
        swap(heap, root, last);
        root = last;
    }
}

fn swap(list: &mut [u32], a: usize, b: usize) {
    if let Ok([a, b]) = list.get_disjoint_mut([a, b]) {
        core::mem::swap(a, b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn sorted_as_by_the_standard_library() {
        let mut seed = 1_u32;
        for length in (0..70).chain([1000]) {
            let mut random = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed >> 16
            };
            let numbers: Vec<u32> = (0..length).map(|_| random() % (length / 2 + 1)).collect();
            let mut found = numbers.clone();
            sort(&mut found, |a, b| a < b);
            let mut expected = numbers;
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }
}
