//! The first rows of vectors.

use super::Vectors;
use crate::error::FileError;

/// The first rows of other vectors: see [`Vectors::take`].
#[derive(Clone, Debug)]
pub struct Take<V> {
    vectors: V,
    rows: u64,
    left: u64,
}

impl<V> Take<V> {
    pub(super) fn new(vectors: V, rows: u64) -> Self {
        Self { vectors, rows, left: rows }
    }
}

impl<V: Vectors> Vectors for Take<V> {
    fn dim(&self) -> usize {
        self.vectors.dim()
    }

    fn rows_promised(&self) -> Option<u64> {
        self.vectors.rows_promised().map(|promised| promised.min(self.rows))
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.vectors.next_row()
    }
}
