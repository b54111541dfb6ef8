//! Vectors in memory.

use super::Vectors;
use crate::error::{FileError, ShapeMismatch};
use crate::table::Table;

/// The rows of a table, each with its word: what is left of an npy file and a list of words.
///
/// ```
/// use nanoembed::{table::Table, vectors::{TableVectors, Vectors}};
/// let rows = Table::new(&[1.0, 2.0, 3.0, 4.0], 2, 2)?;
/// let mut vectors = TableVectors::new(&["the", "of"], rows)?;
/// assert_eq!(vectors.next_row()?, Some(("the", [1.0, 2.0].as_slice())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TableVectors<'a, W> {
    words: &'a [W],
    table: Table<'a>,
    next: usize,
}

impl<'a, W: AsRef<str>> TableVectors<'a, W> {
    /// Row `i` of `table` belongs to word `i`.
    ///
    /// # Errors
    /// If there are not as many words as rows.
    pub fn new(words: &'a [W], table: Table<'a>) -> Result<Self, ShapeMismatch> {
        ShapeMismatch::check("number of words", table.rows(), words.len())?;
        Ok(Self { words, table, next: 0 })
    }
}

impl<W: AsRef<str>> Vectors for TableVectors<'_, W> {
    fn dim(&self) -> usize {
        self.table.dim()
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        let row = self.words.get(self.next).zip(self.table.row(self.next));
        self.next += usize::from(row.is_some());
        Ok(row.map(|(word, row)| (word.as_ref(), row)))
    }
}
