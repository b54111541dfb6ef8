//! Why bytes are not the image that was asked for.

use super::classes::ClassesError;
use super::format::{HEADER, Kind, Section, VERSION};
use core::fmt;

/// Why bytes are not the image that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// They do not start with the magic number, or are shorter than a header.
    NotAnImage,
    /// A version that this release does not read.
    Version {
        /// The version found.
        found: u16,
    },
    /// Something else, such as a checkpoint where a model is expected.
    Kind {
        /// The kind that was asked for.
        expected: Kind,
        /// The number of the kind found.
        found: u16,
    },
    /// Made for another type of model.
    Fingerprint {
        /// The fingerprint of the type that was asked for.
        expected: u64,
        /// The one found.
        found: u64,
    },
    /// Too few bytes or too many, or a buffer of the wrong length.
    Length {
        /// The right number of bytes.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// A byte has changed since the image was written.
    Checksum {
        /// What the header says.
        expected: u32,
        /// What the bytes give.
        found: u32,
    },
    /// The bytes do not start at a multiple of the model's alignment.
    Misaligned,
    /// A field of the header that must be zero is not, or the parameters are said to lie elsewhere than in
    /// the image.
    Header,
    /// A section is not as it should be.
    Section {
        /// The number of its kind.
        kind: u16,
        /// What is wrong.
        error: SectionError,
    },
    /// The names of the classes are not as they should be.
    Classes(ClassesError),
    /// Text becomes ids in another way than the program's.
    Pipeline,
    /// The pipeline that the image is to hold is for another number of rows than the model's table has.
    PipelineRows {
        /// Rows of the table.
        table: usize,
        /// Rows that the pipeline is for.
        pipeline: u64,
    },
    /// The pipeline that the image is to hold gives another number of ids than the model takes, where 0 is a
    /// bag of any number.
    PipelineLength {
        /// Those that the model takes.
        model: u32,
        /// Those that the pipeline gives.
        pipeline: u32,
    },
}

/// What is wrong with a section of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SectionError {
    /// This release does not know the kind, and the image says that who reads it must.
    Unknown,
    /// It does not stand after the section before it, or there are two of one kind.
    Order,
    /// It does not start at a multiple of 64.
    Misaligned,
    /// It ends after the image.
    OutOfRange,
    /// A byte that only fills up is not zero, in the list of sections or before the section.
    Padding,
    /// The image has none, and it is needed.
    Missing,
    /// It does not hold what its kind holds.
    Content,
}

impl fmt::Display for SectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "this release does not know it, and the image says that it must be understood",
            Self::Order => "it is doubled, or does not stand after the one before it",
            Self::Misaligned => "it does not start at a multiple of 64",
            Self::OutOfRange => "it ends after the image",
            Self::Padding => "bytes that only fill up are not zero",
            Self::Missing => "there is none: write the image with it (`Contents`)",
            Self::Content => "it does not hold what its kind holds",
        })
    }
}

/// The name of a kind.
fn name(kind: u16) -> &'static str {
    match kind {
        1 => "a model",
        2 => "a checkpoint",
        3 => "a vocabulary",
        _ => "unknown to this release",
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnImage => {
                write!(f, "not an image: it does not start with `NEMB` and a header of {HEADER} bytes")
            }
            Self::Version { found } => write!(f, "version {found} of the image format, expected {VERSION}"),
            Self::Kind { expected, found } => {
                write!(f, "an image of kind {found} ({}), expected {}", name(*found), name(*expected as u16))
            }
            Self::Fingerprint { expected, found } => {
                write!(
                    f,
                    "an image of another type of model: fingerprint {found:016x}, expected {expected:016x}; a shipped table is `Packed`, and `models::open` needs no type"
                )
            }
            Self::Length { expected, found } => {
                write!(f, "expected {expected} bytes, found {found}: the image or its buffer has another length")
            }
            Self::Checksum { expected, found } => write!(
                f,
                "checksum {found:08x}, expected {expected:08x}: a byte has changed, copy or write the image again"
            ),
            Self::Misaligned => f.write_str(
                "the image starts at no multiple of 4: use include_image!, copy it to an Aligned buffer or a `Vec<u32>`, or read it by read_into",
            ),
            Self::Header => {
                f.write_str("a field of the header is not what this version writes: write the image again")
            }
            Self::Section { kind, error } => write!(f, "section {}: {error}", Section::name(*kind)),
            Self::Classes(error) => error.fmt(f),
            Self::PipelineRows { table, pipeline } => write!(
                f,
                "the pipeline is for {pipeline} rows, and the model's table has {table}: make the tokenizer by `for_table`, or with {table} rows"
            ),
            Self::PipelineLength { model, pipeline } => write!(
                f,
                "the pipeline gives {pipeline} ids, and the model takes {model} (0: a bag of any number): set the length of the pipeline"
            ),
            Self::Pipeline => f.write_str(
                "the image was trained with another pipeline than the program's: give the tokenizer the settings that `Pipeline::read` of the image's section shows",
            ),
        }
    }
}

impl core::error::Error for ImageError {}

impl From<ClassesError> for ImageError {
    fn from(error: ClassesError) -> Self {
        Self::Classes(error)
    }
}
