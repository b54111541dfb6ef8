//! What can be wrong with a pipeline.

use core::fmt;

/// Why settings or bytes are no [`Pipeline`](super::Pipeline), or a buffer is not one for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipelineError {
    /// A setting has a value that it may not have.
    Field {
        /// The setting, as the format of the bytes names it.
        field: &'static str,
        /// What it may be.
        allowed: &'static str,
        /// What it is.
        found: u64,
    },
    /// This build of the crate cannot compute what a setting asks for.
    Feature {
        /// The setting.
        field: &'static str,
        /// The feature of the crate to turn on.
        feature: &'static str,
    },
    /// The program does not name what a setting asks for: see [`TextKinds`](super::TextKinds).
    NotLinked {
        /// The setting.
        field: &'static str,
        /// The type that its list lacks.
        kind: &'static str,
    },
    /// A hash or a rule for lower-casing that is not the crate's own: no value names it.
    Own {
        /// Which of the two.
        field: &'static str,
    },
    /// Too few bytes or ids, or too many.
    Length {
        /// Of what.
        field: &'static str,
        /// The right number.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// A byte that no setting uses is not 0.
    NotZero {
        /// Its place, from the first byte.
        at: usize,
    },
    /// A string is not UTF-8.
    NotUtf8 {
        /// The setting.
        field: &'static str,
    },
    /// The vocabulary does not start at a multiple of 4.
    Misaligned,
    /// The vocabulary does not find one of its own words, or finds words that it does not have.
    Damaged {
        /// The number of the word, from 0; the number of words, if all are found.
        word: usize,
    },
}

impl fmt::Display for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { field, allowed, found } => {
                write!(f, "{field}: {found}, but it has to be {allowed}")
            }
            Self::Feature { field, feature } => {
                write!(f, "{field}: it needs the feature `{feature}`, which is off in this build")
            }
            Self::NotLinked { field, kind } => {
                write!(f, "{field}: `{kind}` is not among the kinds of text that the program names")
            }
            Self::Own { field } => {
                write!(f, "{field}: it is not one of the crate's own, so no value names it")
            }
            Self::Length { field, expected, found } => {
                write!(f, "{field}: expected {expected}, found {found}")
            }
            Self::NotZero { at } => write!(f, "byte {at} of the pipeline is not used and has to be 0"),
            Self::NotUtf8 { field } => write!(f, "{field}: it is not UTF-8"),
            Self::Misaligned => f.write_str(
                "the vocabulary starts at no multiple of 4: use include_image! or an Aligned buffer",
            ),
            Self::Damaged { word } => write!(f, "the vocabulary is damaged at word {word}: write it again"),
        }
    }
}

impl core::error::Error for PipelineError {}
