//! Vectors into rows, by word.

use super::Vectors;
use crate::error::{FileError, RowOutOfRange, ShapeMismatch};
use crate::table::TableMut;
use core::fmt;
use std::vec;
use std::vec::Vec;

/// Why a table was not filled; it is then as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FillError {
    /// The vectors cannot be read.
    File(FileError),
    /// The vectors have another dim than the table.
    Shape(ShapeMismatch),
    /// A word was given a row that the table does not have.
    Row(RowOutOfRange),
}

impl From<FileError> for FillError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<ShapeMismatch> for FillError {
    fn from(error: ShapeMismatch) -> Self {
        Self::Shape(error)
    }
}

impl From<RowOutOfRange> for FillError {
    fn from(error: RowOutOfRange) -> Self {
        Self::Row(error)
    }
}

impl fmt::Display for FillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Shape(error) => error.fmt(f),
            Self::Row(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FillError {}

/// Which rows of a table were found among vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    rows: Vec<bool>,
    count: usize,
}

impl Found {
    /// How many rows were found.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether this row was found.
    pub fn contains(&self, row: usize) -> bool {
        self.rows.get(row).copied().unwrap_or(false)
    }

    /// The rows that were found, in ascending order.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.rows.len()).filter(|row| self.contains(*row))
    }
}

/// Sets the rows of words that are among `vectors`; all others stay as they are. Tells which were found.
///
/// `row_of` gives the row of a word: `|word| vocabulary.index_of(word)`, or the buckets of a hashing tokenizer. If several words
/// have one row, or a word occurs twice, the first counts: files of vectors start with the most frequent words.
///
/// Beside the table it takes the memory of the rows that are found.
///
/// # Errors
/// If the vectors cannot be read, have another dim, or a row is none of the table's. The table is then as it was.
pub fn fill(
    table: &mut TableMut<'_>,
    vectors: &mut impl Vectors,
    mut row_of: impl FnMut(&str) -> Option<usize>,
) -> Result<Found, FillError> {
    ShapeMismatch::check("dim", table.dim(), vectors.dim())?;
    let (mut found, mut numbers) = (vec![false; table.rows()], Vec::new());
    let mut order = Vec::new();
    while let Some((word, vector)) = vectors.next_row()? {
        let Some(row) = row_of(word) else { continue };
        let place = found.get_mut(row).ok_or(RowOutOfRange { row, rows: table.rows() })?;
        if !core::mem::replace(place, true) {
            order.push(row);
            numbers.extend_from_slice(vector);
        }
    }
    for (row, vector) in order.iter().zip(numbers.chunks_exact(table.dim().max(1))) {
        for (to, x) in table.row_mut(*row).unwrap_or_default().iter_mut().zip(vector) {
            *to = *x;
        }
    }
    Ok(Found { rows: found, count: order.len() })
}
