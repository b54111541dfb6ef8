//! A vocabulary whose capacity is a value.

use super::lexicon::{LexiconView, hash, list_in};
use super::{PipelineError, Token};
use crate::memory::padding;
use core::fmt;
use zerocopy::{FromBytes, IntoBytes};

/// Numbers of 32 bits before the first word: the limit, unknown words, documents, words.
const NUMBERS: usize = 4;

/// A [`Vocabulary`](super::Vocabulary), borrowed, whose `WORDS` and `BYTES` are values: the same words with
/// the same indices.
///
/// [`Vocabulary::view`](super::Vocabulary::view) gives one, and [`read`](Self::read) makes one of bytes.
///
/// ```
/// use nanoembed::text::{Vocabulary, VocabularyOptions, VocabularyView, WordCounts};
/// use nanoembed::{image, table::Aligned};
/// let mut counts = WordCounts::<9, 80>::new();
/// counts.fit(["cold", "food", "cold"])?;
/// let mut vocabulary = Vocabulary::<9, 80>::new();
/// vocabulary.adapt(&mut counts, VocabularyOptions::default())?;
///
/// let mut bytes = Aligned([0; image::size::<Vocabulary<9, 80>>()]);
/// image::write(&vocabulary, &mut bytes.0)?;
/// let view = VocabularyView::read(&bytes.0[128..], 9, 80)?;
/// assert_eq!((view.id("food"), view.word(1)), (Some(2), Some("cold")));
/// assert!(view == vocabulary.view());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VocabularyView<'a> {
    /// The fields of `Vocabulary`.
    pub(super) num_words: u32,
    pub(super) oov: u32,
    pub(super) documents: u32,
    pub(super) documents_with: &'a [u32],
    pub(super) words: LexiconView<'a>,
}

impl<'a> VocabularyView<'a> {
    /// The `Vocabulary<WORDS, BYTES>` that lies in `bytes`, which is what an image of it holds from byte 128
    /// on.
    ///
    /// # Errors
    /// If the length is not that of such a vocabulary, if the bytes start at no multiple of 4, or if they are
    /// damaged: each word has to be found under its own number, and what no word uses has to be 0.
    pub fn read(bytes: &'a [u8], words: usize, text: usize) -> Result<Self, PipelineError> {
        let field = "words of the vocabulary (WORDS)";
        let numbers = words.saturating_mul(4).saturating_add(NUMBERS);
        if words >= 1 << 31 {
            return Err(PipelineError::Field { field, allowed: "below 2^31", found: words as u64 });
        }
        let found = bytes.len();
        let expected = size(words, text);
        let length = PipelineError::Length { field: "bytes of the vocabulary", expected, found };
        if expected != found {
            return Err(length);
        }
        let (numbers, rest) =
            <[u32]>::ref_from_prefix_with_elems(bytes, numbers).map_err(|_| PipelineError::Misaligned)?;
        let view = Self::of(numbers, rest, words, text).ok_or(length)?;
        if rest.iter().skip(text).any(|&byte| byte != 0) {
            return Err(PipelineError::Damaged { word: view.words.len() });
        }
        view.check()?;
        Ok(view)
    }

    /// The vocabulary of these words, each of which comes once: the first has index 1. No word stands for unknown
    /// ones, and none is said to occur in a text. It lies in `memory`, of which [`memory`](Self::memory) tells the
    /// length.
    ///
    /// ```
    /// use nanoembed::text::VocabularyView;
    /// let words = ["cold", "food"];
    /// let mut memory = [0; VocabularyView::memory(2, 8)];
    /// let vocabulary = VocabularyView::of_words(words, &mut memory)?;
    /// assert_eq!((vocabulary.index_of("food"), vocabulary.word(1)), (Some(2), Some("cold")));
    /// # Ok::<(), nanoembed::text::PipelineError>(())
    /// ```
    ///
    /// # Errors
    /// If a word came before, the memory is too short, or there are more words or bytes of them than 31 bits count.
    pub fn of_words<'w, W: IntoIterator<Item = &'w str, IntoIter: Clone>>(
        words: W,
        memory: &'a mut [u32],
    ) -> Result<Self, PipelineError> {
        const MOST: usize = i32::MAX as usize;
        let words = words.into_iter();
        let (count, bytes) = words
            .clone()
            .fold((0, 0_usize), |(count, bytes), word| (count + 1, bytes.saturating_add(word.len())));
        for (field, found) in [("words of the vocabulary", count), ("bytes of its words", bytes)] {
            if found > MOST {
                return Err(PipelineError::Field { field, allowed: "below 2^31", found: found as u64 });
            }
        }
        let (expected, found) = (Self::memory(count, bytes), memory.len());
        let length = PipelineError::Length { field: "memory of the vocabulary", expected, found };
        let memory = memory.get_mut(..expected).ok_or(length)?;
        memory.fill(0);
        let (documents_with, rest) = memory.split_at_mut_checked(count).ok_or(length)?;
        let (slots, rest) = rest.split_at_mut_checked(2 * count).ok_or(length)?;
        let (ends, text) = rest.split_at_mut_checked(count).ok_or(length)?;
        let text = text.as_mut_bytes().get_mut(..bytes).ok_or(length)?;
        let mut end = 0;
        for (number, word) in words.enumerate() {
            let hash = hash(word);
            let before = LexiconView { words: number as u32, slots, ends, text };
            if before.find_by_hash(hash, word).is_some() {
                let (field, allowed) = ("number of a word", "that of one that did not come before");
                return Err(PipelineError::Field { field, allowed, found: number as u64 });
            }
            for (to, byte) in text.iter_mut().skip(end).zip(word.bytes()) {
                *to = byte;
            }
            end += word.len();
            if let Some(place) = ends.get_mut(number) {
                *place = end as u32;
            }
            list_in(slots, hash, number);
        }
        let words = LexiconView { words: count as u32, slots, ends, text };
        Ok(Self { num_words: 0, oov: 0, documents: 0, documents_with, words })
    }

    /// Numbers of 32 bits that [`of_words`](Self::of_words) takes for so many words of so many bytes together.
    pub const fn memory(words: usize, bytes: usize) -> usize {
        words.saturating_mul(4).saturating_add(bytes.div_ceil(4))
    }

    /// The fields, cut out of the numbers and the text.
    fn of(numbers: &'a [u32], rest: &'a [u8], words: usize, text: usize) -> Option<Self> {
        let (&[num_words, oov, documents], rest_of_numbers) = numbers.split_first_chunk()?;
        let (documents_with, rest_of_numbers) = rest_of_numbers.split_at_checked(words)?;
        let (&count, rest_of_numbers) = rest_of_numbers.split_first()?;
        let (slots, ends) = rest_of_numbers.split_at_checked(2 * words)?;
        let (text, _) = rest.split_at_checked(text)?;
        let words = LexiconView { words: count, slots, ends, text };
        Some(Self { num_words, oov, documents, documents_with, words })
    }

    /// An error, unless each word is found under its own number and nothing else is.
    ///
    /// Then each index is below [`rows`](Self::rows).
    pub(super) fn check(&self) -> Result<(), PipelineError> {
        let words = self.words;
        let unlisted = usize::from(self.oov > 1);
        let damaged = |word| Err(PipelineError::Damaged { word });
        if words.len() > words.ends.len() || self.oov > 0 && words.len() == 0 {
            return damaged(0);
        }
        let mut start = 0;
        for (word, &end) in words.ends.iter().take(words.len()).enumerate() {
            // The OOV token that occurs in the texts is found under the number that it has there.
            let own = if word == 0 { self.oov.saturating_sub(1) as usize } else { word };
            let own = (own < words.len()).then_some(own);
            let text = words.text.get(start..end as usize).map(core::str::from_utf8);
            let Some(Ok(text)) = text else { return damaged(word) };
            if words.find(text) != own {
                return damaged(word);
            }
            start = end as usize;
        }
        let listed = words.slots.iter().filter(|slot| **slot > 0).count();
        let rest_is_zero = words.ends.iter().skip(words.len()).all(|&end| end == 0)
            && words.text.iter().skip(start).all(|&byte| byte == 0);
        if listed + unlisted != words.len() || !rest_is_zero {
            return damaged(words.len());
        }
        Ok(())
    }

    /// The index of unknown words, if there is an OOV token.
    #[inline]
    fn oov(&self) -> Option<usize> {
        (self.oov > 0).then_some(self.oov as usize)
    }

    /// Whether words with this index are kept by `num_words`.
    #[inline]
    fn is_kept(&self, index: usize) -> bool {
        self.num_words == 0 || index < self.num_words as usize
    }

    /// The index of `token`: its own, or that of unknown words; `None` if there is no OOV token to stand for
    /// it.
    #[inline]
    pub fn id<T: Token>(&self, token: T) -> Option<usize> {
        self.index_of(token).or_else(|| self.oov())
    }

    /// The index that `token` has of its own; `None` for words that the vocabulary does not have.
    #[inline]
    pub fn index_of<T: Token>(&self, token: T) -> Option<usize> {
        self.kept(self.words.find(token))
    }

    /// [`id`](Self::id) of a token whose native hash this is.
    #[inline]
    pub(super) fn id_by_hash<T: Token>(&self, hash: u32, token: T) -> Option<usize> {
        self.kept(self.words.find_by_hash(hash, token)).or_else(|| self.oov())
    }

    /// The index of the word of this number, if `num_words` keeps it.
    #[inline]
    fn kept(&self, number: Option<usize>) -> Option<usize> {
        number.map(|number| number + 1).filter(|&index| self.is_kept(index))
    }

    /// The word of an index, or the OOV token where the index is nobody's.
    pub fn word(&self, index: usize) -> Option<&'a str> {
        let number = index.checked_sub(1).filter(|&number| number < self.words.len() && self.is_kept(index));
        Some(self.words.get(number.or(self.oov().map(|_| 0))?))
    }

    /// Rows of the table that the indices are for: they are below it.
    pub fn rows(&self) -> usize {
        self.highest().saturating_add(1)
    }

    /// No index is above this.
    pub(super) fn highest(&self) -> usize {
        self.words.words.max(self.oov) as usize
    }

    /// How many words and how many bytes of them there is room for: `WORDS` and `BYTES`.
    pub(super) fn capacity(&self) -> (usize, usize) {
        (self.words.ends.len(), self.words.text.len())
    }

    /// Shows the bytes of each field, in the order of an image.
    pub(super) fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.num_words.as_bytes());
        part(self.oov.as_bytes());
        part(self.documents.as_bytes());
        part(self.documents_with.as_bytes());
        part(self.words.words.as_bytes());
        part(self.words.slots.as_bytes());
        part(self.words.ends.as_bytes());
        part(self.words.text);
        part(padding(self.words.text.len()));
    }
}

/// The bytes of a vocabulary of `words` words and `text` bytes; `usize::MAX`, if they are too many to count.
pub(super) fn size(words: usize, text: usize) -> usize {
    let numbers = words.saturating_mul(4).saturating_add(NUMBERS).saturating_mul(4);
    numbers.saturating_add(text).saturating_add(padding(text).len())
}

impl fmt::Debug for VocabularyView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, bytes) = self.capacity();
        f.debug_struct("VocabularyView")
            .field("words", &self.words.len())
            .field("num_words", &self.num_words)
            .field("oov", &self.oov)
            .field("capacity", &(words, bytes))
            .finish_non_exhaustive()
    }
}
