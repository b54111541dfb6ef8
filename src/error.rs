//! What can be wrong with an input: small `Copy` values that name the place.
//!
//! Checks come before anything is written. So after an error, tables, optimizer state and outputs are as they
//! were.
//!
//! | what is wrong | error |
//! |---|---|
//! | an id that names no row | [`IndexOutOfRange`] |
//! | a row, chosen by name, that the table does not have | [`RowOutOfRange`] |
//! | lengths that do not agree | [`ShapeMismatch`] |
//! | offsets that make no bags | [`BagError`] |
//! | more items than there is room for | [`CapacityExceeded`] |
//! | a hyperparameter outside its range | [`OutOfRange`], with the [`Range`] |
//! | a label that is no class or no probability | [`LabelError`] |
//! | a value that is infinite or NaN, with its place in the model | [`NotFinite`] |
//! | a file that is damaged, cut off or of another kind | `FileError`, with the `FileKind` (feature `std`) |
//! | any of those that an input of a model can have | [`InputError`] |
//!
//! `?` turns each error of an input into an [`InputError`], and into a
//! [`TrainError`](crate::train::TrainError).

use core::fmt;

#[cfg(feature = "std")]
pub(crate) use inner::*;

/// What errors are told with. It is no part of the interface: `internals` gives it out.
#[cfg(feature = "std")]
pub(crate) mod inner {
    /// What a file is, by its first bytes: what [`FileError`](super::FileError) found where it expected
    /// something else.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum FileKind {
        /// Nothing.
        Empty,
        /// Text of no kind that is known here.
        Text,
        /// Text of two bytes a character, as PowerShell writes it.
        Utf16,
        /// A web page, such as a notice of the server that should have sent the file.
        Html,
        /// What Git keeps of a large file.
        GitLfs,
        /// Text vectors under a line with the number of rows and the dim: word2vec, fastText's `.vec`.
        TextWithHeader,
        /// Text vectors without a header: GloVe.
        TextWithoutHeader,
        /// word2vec's binary file.
        Word2Vec,
        /// fastText's `.bin`, a whole model.
        FastText,
        /// numpy's file of one array.
        Npy,
        /// A zip archive: npz, `.keras`, PyTorch's `.pt`.
        Zip,
        /// HDF5: Keras' `.h5`.
        Hdf5,
        /// Hugging Face's file of arrays.
        SafeTensors,
        /// Python's pickle: gensim, joblib, old files of PyTorch.
        Pickle,
        /// Compressed by gzip.
        Gzip,
        /// Compressed by bzip2.
        Bzip2,
        /// Compressed by xz.
        Xz,
        /// Compressed by zstd.
        Zstd,
    }
}

/// A row number that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexOutOfRange {
    /// Where it stands in the list of indices.
    pub position: usize,
    /// The index as given; numbers above `i64::MAX` are shown as `i64::MAX`.
    pub index: i64,
    /// The rows of the table: valid indices are `0..rows`.
    pub rows: usize,
}

impl fmt::Display for IndexOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, index, rows } = self;
        write!(f, "index {index} at position {position} is outside 0..{rows}, the rows of the table")
    }
}

/// Two extents that have to agree do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// Which extent, as the documentation names it: `"output length"`, `"rows"`.
    pub what: &'static str,
    /// What it has to be.
    pub expected: usize,
    /// What it is.
    pub found: usize,
}

impl ShapeMismatch {
    /// `Ok` if `found` is `expected`.
    ///
    /// # Errors
    /// The mismatch, if they differ.
    #[inline]
    pub fn check(what: &'static str, expected: usize, found: usize) -> Result<(), Self> {
        if expected == found { Ok(()) } else { Err(Self { what, expected, found }) }
    }
}

impl fmt::Display for ShapeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, expected, found } = self;
        write!(f, "{what}: expected {expected}, found {found}")
    }
}

/// A row that was chosen by name, for padding or for unknown ids, and that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowOutOfRange {
    /// The row.
    pub row: usize,
    /// The rows of the table: valid rows are `0..rows`.
    pub rows: usize,
}

impl RowOutOfRange {
    /// `Ok` if a table of `rows` rows has `row`.
    ///
    /// # Errors
    /// Both numbers, if it has not.
    #[inline]
    pub fn check(row: usize, rows: usize) -> Result<(), Self> {
        if row < rows { Ok(()) } else { Err(Self { row, rows }) }
    }
}

impl fmt::Display for RowOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, rows } = self;
        write!(f, "row {row} is outside 0..{rows}, the rows of the table")
    }
}

/// Offsets that do not divide a list of indices into bags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BagError {
    /// There are no offsets, but something for them to say.
    OffsetsMissing,
    /// The first bag does not start at 0.
    OffsetsStart {
        /// The first offset; numbers above `i64::MAX` are shown as `i64::MAX`.
        offset: i64,
    },
    /// A bag would end before it starts.
    OffsetsDecrease {
        /// The bag.
        bag: usize,
        /// Where it starts.
        start: usize,
        /// Where it would end; numbers above `i64::MAX` are shown as `i64::MAX`.
        end: i64,
    },
    /// An offset lies after the last index.
    OffsetsBeyond {
        /// Where it stands in the list of offsets.
        position: usize,
        /// The offset; numbers above `i64::MAX` are shown as `i64::MAX`.
        offset: i64,
        /// Number of indices.
        indices: usize,
    },
    /// The last of `bags + 1` offsets is not the number of indices.
    OffsetsEnd {
        /// The last offset.
        offset: usize,
        /// Number of indices.
        indices: usize,
    },
}

impl fmt::Display for BagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OffsetsMissing => f.write_str("no offsets: there must be one at least, 0"),
            Self::OffsetsStart { offset } => write!(f, "the first offset is {offset} instead of 0"),
            Self::OffsetsDecrease { bag, start, end } => {
                write!(f, "bag {bag} ends at {end}, before its start at {start}")
            }
            Self::OffsetsBeyond { position, offset, indices } => {
                write!(f, "offset {offset} at position {position} is after the last of {indices} indices")
            }
            Self::OffsetsEnd { offset, indices } => {
                write!(f, "the last offset is {offset} instead of the number of indices, {indices}")
            }
        }
    }
}

/// A number that a setting can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Range {
    /// At least 0.
    NonNegative,
    /// Above 0.
    Positive,
    /// In [0, 1).
    Fraction,
    /// In [0, 1].
    Probability,
    /// At least `beta_1`.
    NotBelowBeta1,
    /// 0, where `nesterov` is set.
    ZeroWithNesterov,
    /// Above the number before it.
    Rising,
    /// From 2 to the number of the model's outputs.
    Classes,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonNegative => "finite and at least 0",
            Self::Positive => "finite and above 0",
            Self::Fraction => "in [0, 1)",
            Self::Probability => "in [0, 1]",
            Self::NotBelowBeta1 => "at least beta_1",
            Self::ZeroWithNesterov => "0 where nesterov is set",
            Self::Rising => "above the one before it",
            Self::Classes => "at least 2 and at most the number of outputs",
        })
    }
}

/// A hyperparameter of an optimizer, or a number of a loss, that is outside its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutOfRange {
    /// Its name.
    pub what: &'static str,
    /// Its value.
    pub value: f32,
    /// The values that it can have.
    pub range: Range,
}

impl OutOfRange {
    /// `Ok` if `value` is valid and finite.
    pub(crate) fn ensure(what: &'static str, value: f32, range: Range, valid: bool) -> Result<(), Self> {
        if valid && value.is_finite() { Ok(()) } else { Err(Self { what, value, range }) }
    }

    /// `Ok` if `value` is finite and not negative.
    pub(crate) fn non_negative(what: &'static str, value: f32) -> Result<(), Self> {
        Self::ensure(what, value, Range::NonNegative, value >= 0.0)
    }

    /// `Ok` if `value` is finite and greater than 0.
    pub(crate) fn positive(what: &'static str, value: f32) -> Result<(), Self> {
        Self::ensure(what, value, Range::Positive, value > 0.0)
    }

    /// `Ok` if `value` is in [0, 1).
    pub(crate) fn fraction(what: &'static str, value: f32) -> Result<(), Self> {
        Self::ensure(what, value, Range::Fraction, (0.0..1.0).contains(&value))
    }

    /// `Ok` if `value` is in [0, 1].
    pub(crate) fn probability(what: &'static str, value: f32) -> Result<(), Self> {
        Self::ensure(what, value, Range::Probability, (0.0..=1.0).contains(&value))
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, value, range } = self;
        write!(f, "{what} is {value}, but must be {range}")
    }
}

impl core::error::Error for OutOfRange {}

/// More items than a fixed capacity holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityExceeded {
    /// What is full, as the documentation names it, with the const parameter that makes room for more.
    pub what: &'static str,
    /// How many it holds.
    pub capacity: usize,
    /// How many there are; at least so many where they come one by one and the rest was not read.
    pub needed: usize,
}

impl CapacityExceeded {
    /// `Ok` if `capacity` is room for `needed`.
    pub(crate) fn check(what: &'static str, capacity: usize, needed: usize) -> Result<(), Self> {
        if needed <= capacity { Ok(()) } else { Err(Self { what, capacity, needed }) }
    }
}

impl fmt::Display for CapacityExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, capacity, needed } = self;
        write!(f, "{what}: {needed}, more than the {capacity} that there is room for")
    }
}

/// What is wrong with a label.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LabelError {
    /// A class that does not exist.
    Class {
        /// The class.
        class: usize,
        /// How many there are: valid classes are `0..classes`.
        classes: usize,
    },
    /// A number that should be a probability and is not in [0, 1].
    Probability {
        /// Which output it is for.
        output: usize,
        /// The number.
        value: f32,
    },
    /// A number that is infinite or NaN.
    NotFinite {
        /// Which output it is for.
        output: usize,
        /// The number.
        value: f32,
    },
    /// A class that has no weight.
    ClassWeight {
        /// The class.
        class: usize,
        /// How many classes have one.
        weights: usize,
    },
    /// A weight of a sample that is negative, infinite or NaN.
    SampleWeight {
        /// The weight.
        weight: f32,
    },
    /// Numbers where the loss takes classes, or the other way round.
    Kind {
        /// Whether it takes classes.
        classes: bool,
    },
    /// Not a label, or not a weight, for each example.
    Length(ShapeMismatch),
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class { class, classes } => write!(f, "class {class} is outside 0..{classes}"),
            Self::Probability { output, value } => {
                write!(f, "{value}, for output {output}, is not in [0, 1]")
            }
            Self::NotFinite { output, value } => write!(f, "{value}, for output {output}, is not finite"),
            Self::ClassWeight { class, weights } => {
                write!(f, "class {class} has no weight: there are weights of classes 0..{weights}")
            }
            Self::SampleWeight { weight } => {
                write!(f, "the sample's weight is {weight}, but must be finite and at least 0")
            }
            Self::Kind { classes: true } => f.write_str("numbers, but the loss takes the number of a class"),
            Self::Kind { classes: false } => {
                f.write_str("the number of a class, but the loss takes a number for each output")
            }
            Self::Length(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for LabelError {}
impl core::error::Error for IndexOutOfRange {}
impl core::error::Error for RowOutOfRange {}
impl core::error::Error for BagError {}
impl core::error::Error for ShapeMismatch {}
impl core::error::Error for CapacityExceeded {}

#[cfg(feature = "std")]
impl fmt::Display for FileKind {
    /// What it is and, where there is one, the cure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty file",
            Self::Text => "text",
            Self::Utf16 => "text in UTF-16: save it as UTF-8",
            Self::Html => "a web page: download the file again",
            Self::GitLfs => "a pointer of Git LFS: get the file itself by `git lfs pull`",
            Self::TextWithHeader => "text vectors under a header: TextVectors::with_header reads them",
            Self::TextWithoutHeader => "text vectors without a header: TextVectors::new reads them",
            Self::Word2Vec => "word2vec's binary file: BinaryVectors reads it",
            Self::FastText => "fastText's .bin: FastText reads it, and its vectors are in the .vec file",
            Self::Npy => "an npy file: read_npy reads it",
            Self::Zip => "a zip archive: Npz reads it if it is numpy's, else unpack it",
            Self::Hdf5 => "an HDF5 file (.h5): save the arrays as npz or safetensors",
            Self::SafeTensors => "a safetensors file: SafeTensors reads it",
            Self::Pickle => "a Python pickle: save the arrays as npz or safetensors",
            Self::Gzip => "a gzip file: decompress it",
            Self::Bzip2 => "a bzip2 file: decompress it",
            Self::Xz => "an xz file: decompress it",
            Self::Zstd => "a zstd file: decompress it",
        })
    }
}

/// What can be wrong with a file of vectors or arrays.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read or written.
    Io(std::io::ErrorKind),
    /// A line of a text is not what it should be.
    Line {
        /// Its number, from 1.
        line: u64,
        /// What should stand there.
        expected: &'static str,
        /// What the file is, if it is of another kind.
        found: Option<FileKind>,
    },
    /// Bytes are not what they should be.
    Bytes {
        /// Where they start, from 0; in an archive, within its member.
        offset: u64,
        /// What should stand there.
        expected: &'static str,
        /// What the file is, if it is of another kind.
        found: Option<FileKind>,
    },
    /// The file ends after a whole row, but not after as many as its header promises.
    Rows {
        /// How many the header promises.
        promised: u64,
        /// How many there are.
        found: u64,
    },
    /// Something that may stand in such a file, but is not supported here.
    Unsupported(&'static str),
}

#[cfg(feature = "std")]
impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.kind())
    }
}

#[cfg(feature = "std")]
impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = match self {
            Self::Io(kind) => return kind.fmt(f),
            Self::Rows { promised, found } => {
                return write!(f, "the header promises {promised} rows, the file has {found}");
            }
            Self::Unsupported(what) => return write!(f, "{what}: not supported"),
            Self::Line { line, expected, found } => {
                write!(f, "line {line}: expected {expected}")?;
                found
            }
            Self::Bytes { offset, expected, found } => {
                write!(f, "byte {offset}: expected {expected}")?;
                found
            }
        };
        found.map_or(Ok(()), |kind| write!(f, "; the file is {kind}"))
    }
}

#[cfg(feature = "std")]
impl core::error::Error for FileError {}

/// Where the first number is that is infinite or NaN, for a loss that is not finite. Layers are numbered from
/// 0, as a [`Layer::summary`](crate::layers::Layer::summary) lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFinite {
    /// In the inputs.
    Input {
        /// The example, in the list that was given.
        example: usize,
    },
    /// In the parameters of a layer.
    Parameter {
        /// The layer.
        layer: usize,
        /// Its kind: `Dense`.
        kind: &'static str,
        /// The name of the parameters: `rows` of a table, `kernel`, `bias`.
        name: &'static str,
        /// The first index: the row of a table, the input of a kernel, the place in a bias.
        row: usize,
    },
    /// In what a layer gave of finite parameters and inputs.
    Output {
        /// The layer.
        layer: usize,
        /// Its kind: `Dense`.
        kind: &'static str,
    },
    /// In the loss alone: all before it is finite, so labels, outputs or weights are too large.
    Loss,
}

impl NotFinite {
    /// The same place in a model that has `layers` more layers in front.
    #[must_use]
    pub fn after(self, layers: usize) -> Self {
        match self {
            Self::Parameter { layer, kind, name, row } => {
                Self::Parameter { layer: layer + layers, kind, name, row }
            }
            Self::Output { layer, kind } => Self::Output { layer: layer + layers, kind },
            other => other,
        }
    }
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { example } => write!(f, "the input of example {example} is not finite"),
            Self::Parameter { layer, kind, name, row } => {
                write!(f, "{name}[{row}] of layer {layer}, {kind}, is not finite")
            }
            Self::Output { layer, kind } => {
                write!(
                    f,
                    "all parameters up to layer {layer}, {kind}, are finite, but too large for what it gives"
                )
            }
            Self::Loss => f.write_str("all parameters and outputs are finite, but too large for the loss"),
        }
    }
}

/// What can be wrong with the inputs of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputError {
    /// An id of an example that names no row.
    Id {
        /// Which example, from 0.
        example: usize,
        /// Which of several inputs, in the order in which [`pairs!`](crate::pairs) lists them, from 0; `None`
        /// where there is one.
        branch: Option<usize>,
        /// The id, and its position within this input of this example.
        error: IndexOutOfRange,
    },
    /// An id of a flat list that names no row.
    Index(IndexOutOfRange),
    /// A row that was chosen by name and that the table does not have.
    Row(RowOutOfRange),
    /// Offsets that do not divide a list into bags.
    Bags(BagError),
    /// Lists of which one has to be as long as the other.
    Shape(ShapeMismatch),
    /// One of several inputs that is too short or too long.
    Length {
        /// Which input, from 0.
        input: usize,
        /// Its length.
        error: ShapeMismatch,
    },
    /// An input that is of another kind than the model takes there.
    Kind {
        /// Which input, from 0.
        input: usize,
        /// What the model takes.
        takes: &'static str,
    },
    /// More than there is room for.
    Capacity(CapacityExceeded),
}

impl InputError {
    /// `Ok` if there are as many outputs as inputs and not more than `capacity`.
    pub(crate) fn check_batch(inputs: usize, capacity: usize, outputs: usize) -> Result<(), Self> {
        ShapeMismatch::check("number of examples", inputs, outputs)?;
        Ok(CapacityExceeded::check("examples of a batch (BATCH)", capacity, inputs)?)
    }

    /// The error of an example, whose number is `example`.
    pub(crate) fn of_example(example: usize, error: IndexOutOfRange) -> Self {
        Self::Id { example, branch: None, error }
    }

    /// The error of a list of examples of `length` ids each.
    pub(crate) fn of_examples(length: usize, error: IndexOutOfRange) -> Self {
        let example = error.position.checked_div(length).unwrap_or(0);
        let position = error.position - example * length;
        Self::of_example(example, IndexOutOfRange { position, ..error })
    }
}

impl From<IndexOutOfRange> for InputError {
    fn from(error: IndexOutOfRange) -> Self {
        Self::Index(error)
    }
}

impl From<RowOutOfRange> for InputError {
    fn from(error: RowOutOfRange) -> Self {
        Self::Row(error)
    }
}

impl From<BagError> for InputError {
    fn from(error: BagError) -> Self {
        Self::Bags(error)
    }
}

impl From<ShapeMismatch> for InputError {
    fn from(error: ShapeMismatch) -> Self {
        Self::Shape(error)
    }
}

impl From<CapacityExceeded> for InputError {
    fn from(error: CapacityExceeded) -> Self {
        Self::Capacity(error)
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id { example, branch: None, error } => write!(f, "example {example}: {error}"),
            Self::Id { example, branch: Some(branch), error } => {
                write!(f, "example {example}, branch {branch}: {error}")
            }
            Self::Index(error) => error.fmt(f),
            Self::Row(error) => error.fmt(f),
            Self::Bags(error) => error.fmt(f),
            Self::Shape(error) => error.fmt(f),
            Self::Length { input, error } => write!(f, "input {input}: {error}"),
            Self::Kind { input, takes } => write!(f, "input {input}: the model takes {takes} there"),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for InputError {}
