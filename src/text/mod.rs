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
//! The characters go from the text straight into the hash: nothing is allocated and no word is ever stored, so a text of any
//! length is read with a few dozen bytes of stack. The rules are those of Keras' `text_to_word_sequence`, `hashing_trick` and
//! `pad_sequences`, to the bit: [`HashingTokenizer`] is all three in one, and each part can be had alone.

mod hash;
mod lower;
mod ngrams;
mod pad;
mod tokenizer;
mod words;

#[cfg(feature = "md5")]
pub use hash::Md5;
pub use hash::{NativeHash, WordHash};
use hash::{mix, scale};
#[cfg(feature = "unicode")]
pub use lower::Unicode;
pub use lower::{Ascii, Lowercase, Unchanged};
pub use ngrams::WordNgrams;
use pad::arrange;
pub use pad::{Padding, Truncating, longest, pad, pad_sequences};
pub use tokenizer::{HashingTokenizer, Ids};
pub use words::{KERAS_FILTERS, Splitter, Word, WordChars, Words, text_to_word_sequence};

use core::fmt;

/// Settings that no text can be read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSettings {
    /// The split string is empty; Python refuses it too.
    EmptySplit,
    /// Fewer than 2 rows (row 0 is padding, so no row would be left for words), or more than 2^32.
    Rows(usize),
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptySplit => f.write_str("the split string is empty"),
            Self::Rows(rows) => write!(f, "a hashing tokenizer has 2 to 2^32 rows, not {rows}"),
        }
    }
}

impl core::error::Error for InvalidSettings {}
