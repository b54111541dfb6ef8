//! From text to row numbers: words, lower-casing, hashes, n-grams, padding.
//!
//! ```text
//! "Never coming back!"
//!        │  Lowercase, Splitter       lower, filters become the split string, split, drop what is empty
//!        ▼
//!  never  coming  back
//!        │  WordHash                  UTF-8 bytes of the lower-cased word → a bucket of rows - 1, plus 1
//!        ▼
//!  [17, 3, 41]
//!        │  Padding, Truncating       to a fixed length
//!        ▼
//!  [17, 3, 41, 0]
//! ```
//!
//! The characters go from the text straight into the hash. Nothing is allocated and no word is stored, so a
//! text of any length takes a few dozen bytes of stack. The rules are those of Keras'
//! `text_to_word_sequence`, `hashing_trick` and `pad_sequences`, to the bit. [`HashingTokenizer`] is all
//! three in one, and you can use each part alone.
//!
//! | family | items |
//! |---|---|
//! | tokenizers | [`HashingTokenizer`] needs no fitting; [`WordCounts`] counts words, and [`Vocabulary`] gives each word a row |
//! | the way from text to ids as a value, in bytes | [`Pipeline`], of a [`HashKind`] or a [`VocabularyView`], and [`Lowering`]; [`TextKinds`], [`AnyText`] and [`Marks`] say what a program links |
//! | words and characters, by a rule for lower-casing | [`text_to_word_sequence`](Lowercase::text_to_word_sequence), [`standardized_words`](Lowercase::standardized_words), [`characters`](Lowercase::characters); by rules of your own: [`Splitter`] |
//! | lower-casing, each [`Lowercase`] | [`Ascii`], [`Unchanged`], `Unicode` (feature `unicode`) |
//! | groups of words and of characters | [`HashingTokenizer::word_ngrams`], [`Subwords`] |
//! | hashes of words | [`NativeHash`], [`FarmHash64`], [`Murmur3`], `Md5` and `SipHash` (features `md5` and `siphash`) |
//! | rows of a table of columns | [`Columns`], each a [`Column`] of categories or of numbers |
//! | features by hash | [`Hashing`], [`FeatureHasher`] |
//! | fixed lengths | [`pad`], [`pad_sequences`], [`Padding`], [`Truncating`] |
//!
//! Each of these gives the numbers of another system:
//!
//! | of | here |
//! |---|---|
//! | Keras' `Tokenizer`, fitted | [`WordCounts`] counts, [`Vocabulary`] holds words and their row numbers |
//! | Keras' `Tokenizer(char_level=True)` | the same on [`characters`](Lowercase::characters) |
//! | Keras' `TextVectorization` | the same on [`standardized_words`](Lowercase::standardized_words), with [`VocabularyOptions::text_vectorization`] |
//! | Keras' `Hashing` | [`Hashing`] by [`FarmHash64`] or, with a salt, `SipHash` (feature `siphash`) |
//! | scikit-learn's `FeatureHasher`, `HashingVectorizer` | [`FeatureHasher`] by [`Murmur3`] |
//! | fastText's subwords | [`Subwords`] |

#[cfg(not(target_os = "none"))]
mod blocks;
mod columns;
mod counts;
mod decimal;
mod error;
mod features;
mod hash;
mod hashing;
mod kinds;
mod lexicon;
mod lower;
mod ngrams;
mod pad;
mod pipeline;
mod subwords;
mod token;
mod tokenizer;
mod vectorization;
mod view;
mod vocabulary;
mod words;

pub use columns::{Column, Columns};
pub use counts::{Ties, WordCounts};
pub use error::PipelineError;
pub use features::FeatureHasher;
#[cfg(feature = "md5")]
pub use hash::Md5;
#[cfg(feature = "siphash")]
pub use hash::SipHash;
use hash::{AnyHash, scale, utf8};
pub use hash::{FarmHash64, HashKind, Murmur3, NativeHash, WordHash};
pub use hashing::Hashing;
pub use kinds::{AnyText, Marks, TextKinds};
#[cfg(feature = "unicode")]
pub use lower::Unicode;
pub use lower::{Ascii, Lowercase, Lowering, Unchanged};
use pad::arrange;
pub use pad::{Padding, Truncating, pad, pad_sequences};
pub use pipeline::Pipeline;
pub use subwords::Subwords;
pub use tokenizer::HashingTokenizer;
pub use view::VocabularyView;
pub use vocabulary::{MatrixMode, Vocabulary, VocabularyOptions};
pub use words::Splitter;

pub(crate) use inner::*;

/// Bounds, iterators and their items. It is no part of the interface: `internals` gives it out.
pub(crate) mod inner {
    pub use super::counts::WordCount;
    pub use super::hash::FastTextHash;
    pub use super::ngrams::WordNgrams;
    pub use super::pad::longest;
    pub use super::token::{Token, characters};
    pub use super::tokenizer::Ids;
    pub use super::vectorization::{StandardizedWord, StandardizedWords, standardized_words};
    pub use super::words::{KERAS_FILTERS, Word, WordChars, Words, text_to_word_sequence};
}

use crate::error::CapacityExceeded;
use core::fmt;

/// An error unless `Id` holds `highest` and with it all ids below it.
fn check_ids<Id: TryFrom<usize>>(highest: usize) -> Result<(), CapacityExceeded> {
    let holds = |id| Id::try_from(id).is_ok();
    if holds(highest) {
        return Ok(());
    }
    // Whole number types end before a power of two.
    let end = (0..usize::BITS).map(|bit| 1 << bit).find(|&id| !holds(id));
    let needed = highest.saturating_add(1);
    Err(CapacityExceeded { what: "rows named by the id type", capacity: end.unwrap_or(usize::MAX), needed })
}

/// Settings that no text can be read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSettings {
    /// The split string is empty; Python refuses it too.
    EmptySplit,
    /// Fewer than 2 rows (row 0 is padding, so no row would be left for words), or more than 2^32.
    Rows(usize),
    /// No bin or column, or more than 2^32 - 1.
    Bins(usize),
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptySplit => f.write_str("the split string is empty"),
            Self::Rows(rows) => write!(f, "a hashing tokenizer has 2 to 2^32 rows, not {rows}"),
            Self::Bins(bins) => write!(f, "words are hashed to 1 to 2^32 - 1 bins, not {bins}"),
        }
    }
}

impl core::error::Error for InvalidSettings {}
