//! What can be wrong with settings, a corpus or memory.

use crate::error::{BagError, CapacityExceeded, IndexOutOfRange, OutOfRange, ShapeMismatch};
use core::fmt;

/// Why skip-gram cannot be trained so. Nothing has been written.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum SkipGramError {
    /// A setting that is 0 or too large.
    Setting {
        /// Its name.
        what: &'static str,
        /// Its value.
        found: usize,
        /// The greatest value that it can have.
        most: usize,
    },
    /// A rate that is outside its range.
    Rate(OutOfRange),
    /// The vocabulary has no words, or more than there are numbers for.
    Vocabulary {
        /// How many it has.
        words: usize,
    },
    /// An id of the corpus that the vocabulary does not have.
    Id(IndexOutOfRange),
    /// Offsets that cut the corpus into no sentences.
    Sentences(BagError),
    /// Lists of n-grams that are not one for each word.
    Subwords(ShapeMismatch),
    /// Rows for n-grams that are fewer than those of the corpus need, or of which it has no lists.
    SubwordRows {
        /// Those of the settings.
        rows: usize,
        /// What the corpus needs at least.
        needed: usize,
    },
    /// Shared negatives with n-grams.
    SharedWithSubwords,
    /// Memory that is too short.
    Memory(CapacityExceeded),
}

impl fmt::Display for SkipGramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { what, found, most } => {
                write!(f, "{what} is {found}, but must be from 1 to {most}")
            }
            Self::Rate(error) => error.fmt(f),
            Self::Vocabulary { words: 0 } => {
                f.write_str("the vocabulary has no words: lower the least count")
            }
            Self::Vocabulary { words } => {
                write!(
                    f,
                    "the vocabulary has {words} words, more than can be numbered: raise the least count"
                )
            }
            Self::Id(error) => write!(f, "{error}: give a count for each id"),
            Self::Sentences(error) => error.fmt(f),
            Self::Subwords(error) => error.fmt(f),
            Self::SubwordRows { rows, needed: 0 } => write!(
                f,
                "the settings have {rows} rows for n-grams, but the corpus has none: give it lists, or set \
                 subword_rows to 0"
            ),
            Self::SubwordRows { rows, needed } => write!(
                f,
                "the n-grams of the corpus need {needed} rows, the settings have {rows}: set subword_rows to \
                 at least {needed}"
            ),
            Self::SharedWithSubwords => {
                f.write_str("n-grams are not learnt with shared negatives: take skip-gram or bags")
            }
            Self::Memory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SkipGramError {}

impl From<OutOfRange> for SkipGramError {
    fn from(error: OutOfRange) -> Self {
        Self::Rate(error)
    }
}

impl From<IndexOutOfRange> for SkipGramError {
    fn from(error: IndexOutOfRange) -> Self {
        Self::Id(error)
    }
}

impl From<BagError> for SkipGramError {
    fn from(error: BagError) -> Self {
        Self::Sentences(error)
    }
}

impl From<ShapeMismatch> for SkipGramError {
    fn from(error: ShapeMismatch) -> Self {
        Self::Subwords(error)
    }
}

impl From<CapacityExceeded> for SkipGramError {
    fn from(error: CapacityExceeded) -> Self {
        Self::Memory(error)
    }
}
