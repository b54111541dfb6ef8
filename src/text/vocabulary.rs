//! Words to row numbers and back, by frequency: Keras' `Tokenizer` and `TextVectorization`.
//!
//! ```text
//! index 0                            padding
//! index 1                            unknown words, if there is an OOV token
//! then                               words, the most frequent first; those whose index would be num_words or more are not kept
//! ```
//!
//! Keras keeps every word and looks at `num_words` when it reads a text. A word at or above it is treated
//! just as a word that was never seen, so here it is not stored, and a vocabulary for firmware is as small as
//! its model.

use super::lexicon::Lexicon;
use super::{Padding, Ties, Token, Truncating, VocabularyView, WordCounts, arrange, check_ids};
use crate::error::{CapacityExceeded, ShapeMismatch};
use crate::math;
use crate::memory::assert_fits_on_stack;
use core::num::NonZero;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How a [`Vocabulary`] is made from counts; the defaults are those of Keras' `Tokenizer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VocabularyOptions<'a> {
    /// Words have indices below this: at most `num_words - 1` of them. `None` keeps all.
    pub num_words: Option<NonZero<usize>>,
    /// What stands for unknown words, at index 1; without it they are left out.
    ///
    /// If it occurs in the texts, it has the index of that word, as in Keras, and index 1 is nobody's.
    pub oov_token: Option<&'a str>,
    /// The order of words that occur equally often.
    pub ties: Ties,
}

impl VocabularyOptions<'_> {
    /// The options of Keras' `TextVectorization(max_tokens)`: index 1 for `[UNK]`, words from 2, ties in
    /// descending order.
    pub const fn text_vectorization(max_tokens: Option<NonZero<usize>>) -> Self {
        VocabularyOptions { num_words: max_tokens, oov_token: Some("[UNK]"), ties: Ties::Descending }
    }
}

/// What a row of the matrix holds for a word that occurs in its text: the modes of Keras' `texts_to_matrix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixMode {
    /// 1.
    Binary,
    /// How many times it occurs.
    Count,
    /// How many times, divided by the length of the text in indices.
    Frequency,
    /// `(1 + ln count) * ln(1 + documents / (1 + documents with the word))`.
    TfIdf,
}

/// The most frequent words of a collection of texts, each with an index: the fitted part of Keras'
/// `Tokenizer`.
///
/// Up to `WORDS` words with `BYTES` bytes of UTF-8 together, the OOV token counted, in
/// `16 * WORDS + BYTES + 16` bytes of memory, filled up to a multiple of 4, and no other. It is plain bytes,
/// so [`image`](crate::image) stores it and firmware reads it where it lies in flash.
///
/// Texts are iterators over words, split and lower-cased as those that were counted.
///
/// ```
/// use nanoembed::text::{Ascii, Lowercase, Vocabulary, VocabularyOptions, WordCounts};
/// use core::num::NonZero;
/// let words = Ascii::text_to_word_sequence;
/// let mut counts = WordCounts::<100, 1000>::new();
/// for text in ["horrible service", "horrible food!", "cold food", "awesome services!"] {
///     counts.fit(words(text))?;
/// }
/// let mut vocabulary = Vocabulary::<9, 80>::new();
/// let options = VocabularyOptions { num_words: NonZero::new(5), oov_token: Some("<OOV>"), ..Default::default() };
/// vocabulary.adapt(&mut counts, options)?;
///
/// // <OOV> 1, horrible 2, food 3, service 4
/// assert!(vocabulary.ids(words("Horrible, horrible waitress")).eq([2, 2, 1]));
/// let ids: [u8; 4] = vocabulary.encode(words("cold food"))?;
/// assert_eq!(ids, [1, 3, 0, 0]);
/// assert_eq!(vocabulary.word(3), Some("food"));
/// assert_eq!((vocabulary.id("waitress"), vocabulary.index_of("waitress")), (Some(1), None));
/// # Ok::<(), nanoembed::error::CapacityExceeded>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Vocabulary<const WORDS: usize, const BYTES: usize> {
    /// 0 for no limit.
    num_words: u32,
    /// The index of unknown words; 0 for none.
    oov: u32,
    /// Texts that were counted.
    documents: u32,
    /// How many of them have each word.
    documents_with: [u32; WORDS],
    /// The word of index `i` is number `i - 1`. If there is an OOV token, it is number 0, but under its own
    /// index if it has another one.
    words: Lexicon<WORDS, BYTES>,
}

impl<const WORDS: usize, const BYTES: usize> Vocabulary<WORDS, BYTES> {
    /// The bytes of all fields.
    pub(crate) const SIZE: usize = 12 + 4 * WORDS + Lexicon::<WORDS, BYTES>::SIZE;

    /// No words: for a `static` of any size.
    pub const EMPTY: Self =
        Self { num_words: 0, oov: 0, documents: 0, documents_with: [0; WORDS], words: Lexicon::new() };

    /// No words.
    ///
    /// One of more than [256 KiB](crate::memory) does not compile: use `boxed`, or [`EMPTY`](Self::EMPTY) in
    /// a `static`.
    pub const fn new() -> Self {
        const {
            assert_fits_on_stack::<Self>("a vocabulary", "`boxed` (feature `alloc`), or `EMPTY` in a static");
        };
        Self::EMPTY
    }

    /// The same on the heap, without passing over the stack.
    #[cfg(feature = "alloc")]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        crate::memory::boxed()
    }

    /// Takes over the most frequent words of `counts`; what was there is dropped.
    ///
    /// Keras' `fit_on_texts` is [`WordCounts::fit`] for each text and then this.
    ///
    /// # Errors
    /// If the words that are to be kept, or their text, do not fit; the vocabulary is then as it was.
    pub fn adapt<const W: usize, const B: usize>(
        &mut self,
        counts: &mut WordCounts<W, B>,
        options: VocabularyOptions<'_>,
    ) -> Result<(), CapacityExceeded> {
        let VocabularyOptions { num_words, oov_token, ties } = options;
        let counted_oov = oov_token.and_then(|token| counts.find(token));
        counts.rank(ties);
        let first = 1 + usize::from(oov_token.is_some());
        let room = num_words.map_or(usize::MAX, |limit| limit.get().saturating_sub(first));
        let kept = || counts.ranking().take(room);

        let bytes = kept().map(|(_, word)| word.word.len()).sum::<usize>();
        let oov_bytes = oov_token.map_or(0, str::len);
        Lexicon::<WORDS, BYTES>::check(first - 1 + kept().count(), oov_bytes + bytes)?;

        self.words.truncate(0);
        self.documents_with = [0; WORDS];
        self.documents = counts.documents() as u32;
        self.num_words = num_words.and_then(|limit| u32::try_from(limit.get()).ok()).unwrap_or(0);
        self.oov = u32::from(oov_token.is_some());
        if let Some(token) = oov_token {
            self.words.push_unlisted(token)?;
            match counted_oov {
                None => self.words.list(token, 0),
                Some(counted) => {
                    let rank = counts.ranking().take_while(|(number, _)| *number != counted).count();
                    self.oov = (first + rank) as u32;
                }
            }
        }
        for ((_, word), index) in kept().zip(first..) {
            self.words.push(word.word)?;
            if let Some(documents) = self.documents_with.get_mut(index - 1) {
                *documents = word.documents;
            }
        }
        Ok(())
    }

    /// The same vocabulary, borrowed, with a capacity that is a value.
    #[inline]
    pub const fn view(&self) -> VocabularyView<'_> {
        let Self { num_words, oov, documents, documents_with, words } = self;
        VocabularyView {
            num_words: *num_words,
            oov: *oov,
            documents: *documents,
            documents_with,
            words: words.view(),
        }
    }

    /// The index of `token`: its own, or that of unknown words; `None` if there is no OOV token to stand for
    /// it.
    #[inline]
    pub fn id<T: Token>(&self, token: T) -> Option<usize> {
        self.view().id(token)
    }

    /// The index that `token` has of its own; `None` for words that the vocabulary does not have.
    #[inline]
    pub fn index_of<T: Token>(&self, token: T) -> Option<usize> {
        self.view().index_of(token)
    }

    /// The indices of the words of `text`, in order: Keras' `texts_to_sequences`.
    #[inline]
    pub fn ids<I: IntoIterator<Item: Token>>(&self, text: I) -> impl Iterator<Item = usize> {
        text.into_iter().filter_map(|token| self.id(token))
    }

    /// The indices, as [`ids`](Self::ids), in the type of a model's ids.
    ///
    /// # Errors
    /// If the type cannot hold every index.
    pub fn ids_as<Id: TryFrom<usize>>(
        &self,
        text: impl IntoIterator<Item: Token>,
    ) -> Result<impl Iterator<Item = Id>, CapacityExceeded> {
        check_ids::<Id>(self.view().highest())?;
        Ok(self.ids(text).filter_map(|id| Id::try_from(id).ok()))
    }

    /// The indices of `text` as an array of `LEN`: padded with 0 at the end, or the last ones of a longer
    /// text, as [`HashingTokenizer`](super::HashingTokenizer) does. For other ways there is
    /// [`pad`](super::pad).
    ///
    /// # Errors
    /// If the type cannot hold every index.
    pub fn encode<const LEN: usize, Id>(
        &self,
        text: impl IntoIterator<Item: Token, IntoIter: Clone>,
    ) -> Result<[Id; LEN], CapacityExceeded>
    where
        Id: Copy + Default + TryFrom<usize>,
    {
        let tokens = text.into_iter();
        let ids = self.ids_as(tokens.clone())?;
        let mut out = [Id::default(); LEN];
        arrange(ids, self.ids(tokens).count(), Padding::Post, Truncating::Pre, Id::default(), &mut out);
        Ok(out)
    }

    /// The word of an index, or the OOV token where the index is nobody's: Keras' `sequences_to_texts`,
    /// joined by spaces.
    pub fn word(&self, index: usize) -> Option<&str> {
        self.view().word(index)
    }

    /// Rows of the table that the indices are for: they are below it.
    pub fn rows(&self) -> usize {
        self.view().rows()
    }

    /// Columns of Keras' `texts_to_matrix`: `num_words` if there is a limit, the number of words plus 1
    /// otherwise.
    ///
    /// Without a limit and with an OOV token that occurs in the texts that is one less than
    /// [`rows`](Self::rows): Keras leaves out the rarest word.
    pub fn columns(&self) -> usize {
        match self.num_words {
            0 => self.words.len().saturating_add(1) - usize::from(self.oov > 1),
            limit => limit as usize,
        }
    }

    /// One row of Keras' `texts_to_matrix`: what `mode` says for each word of `text`, 0 for all others.
    ///
    /// Counts up to 2^24 are exact.
    ///
    /// # Shapes
    /// `row`: `[columns]`.
    ///
    /// # Errors
    /// If `row` has another length; nothing is written then.
    ///
    /// ```
    /// use nanoembed::text::{MatrixMode, Vocabulary, VocabularyOptions, WordCounts};
    /// let mut counts = WordCounts::<8, 64>::new();
    /// counts.fit(["a", "b", "a", "c"])?;
    /// let mut vocabulary = Vocabulary::<8, 64>::new();
    /// vocabulary.adapt(&mut counts, VocabularyOptions::default())?;
    /// let mut row = [9.0; 4];
    /// vocabulary.matrix_row(["b", "a", "b", "b"], MatrixMode::Frequency, &mut row)?;
    /// assert_eq!(row, [0.0, 0.25, 0.75, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn matrix_row(
        &self,
        text: impl IntoIterator<Item: Token>,
        mode: MatrixMode,
        row: &mut [f32],
    ) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("row length", self.columns(), row.len())?;
        row.fill(0.0);
        let mut length = 0.0;
        for id in self.ids(text) {
            length += 1.0;
            if let Some(count) = row.get_mut(id) {
                *count += 1.0;
            }
        }
        for (index, value) in row.iter_mut().enumerate().filter(|(_, value)| **value > 0.0) {
            *value = match mode {
                MatrixMode::Binary => 1.0,
                MatrixMode::Count => *value,
                MatrixMode::Frequency => *value / length,
                MatrixMode::TfIdf => (1.0 + math::ln(*value)) * self.idf(index),
            };
        }
        Ok(())
    }

    fn idf(&self, index: usize) -> f32 {
        let with = index.checked_sub(1).and_then(|number| self.documents_with.get(number));
        math::ln(1.0 + self.documents as f32 / (1.0 + with.map_or(0.0, |&with| with as f32)))
    }

    /// Shows the bytes of each field.
    pub(crate) fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        self.view().visit(part);
    }

    /// Lets the bytes of each field be written.
    pub(crate) fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.num_words.as_mut_bytes());
        part(self.oov.as_mut_bytes());
        part(self.documents.as_mut_bytes());
        part(self.documents_with.as_mut_bytes());
        self.words.visit_mut(part);
    }
}

impl<const WORDS: usize, const BYTES: usize> Default for Vocabulary<WORDS, BYTES> {
    fn default() -> Self {
        Self::new()
    }
}
