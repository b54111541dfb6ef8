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

/// Which rows of a table were found among vectors, and how many vectors there were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    rows: Vec<bool>,
    count: usize,
    read: u64,
    again: u64,
    promised: Option<u64>,
}

impl Found {
    /// How many rows of the table were found.
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

    /// How many rows of vectors were read, of known words or not.
    pub fn rows_read(&self) -> u64 {
        self.read
    }

    /// How many rows of vectors were for a row that an earlier one had set already: a word that occurs twice, or
    /// several words with one row. The first counts.
    pub fn rows_again(&self) -> u64 {
        self.again
    }

    /// How many rows of vectors their header promised, at most the limit of [`Vectors::take`]; `None` where
    /// there is no header.
    ///
    /// Less in [`Self::rows_read`] means a wrong header, or a file that was cut off between two rows.
    pub fn rows_promised(&self) -> Option<u64> {
        self.promised
    }
}

/// See [`Vectors::fill`].
pub(super) fn fill(
    table: &mut TableMut<'_>,
    vectors: &mut impl Vectors,
    mut row_of: impl FnMut(&str) -> Option<usize>,
) -> Result<Found, FillError> {
    ShapeMismatch::check("dim", table.dim(), vectors.dim())?;
    let promised = vectors.rows_promised();
    let (mut found, mut numbers) = (vec![false; table.rows()], Vec::new());
    let (mut order, mut read, mut again) = (Vec::new(), 0, 0);
    loop {
        let (word, vector) = match vectors.next_row() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(FileError::Rows { .. }) if read > 0 => break,
            Err(error) => return Err(error.into()),
        };
        read += 1;
        let Some(row) = row_of(word) else { continue };
        let place = found.get_mut(row).ok_or(RowOutOfRange { row, rows: table.rows() })?;
        if core::mem::replace(place, true) {
            again += 1;
        } else {
            order.push(row);
            numbers.extend_from_slice(vector);
        }
    }
    for (row, vector) in order.iter().zip(numbers.chunks_exact(table.dim().max(1))) {
        for (to, x) in table.row_mut(*row).unwrap_or_default().iter_mut().zip(vector) {
            *to = *x;
        }
    }
    Ok(Found { rows: found, count: order.len(), read, again, promised })
}
