//! Vectors of some words.

use super::Vectors;
use crate::error::FileError;
use std::string::String;
use std::vec::Vec;

/// The rows of words that are wanted: see [`Vectors::only`].
#[derive(Clone, Debug)]
pub struct Only<V, P> {
    vectors: V,
    wanted: P,
    word: String,
    row: Vec<f32>,
}

impl<V, P> Only<V, P> {
    pub(super) fn new(vectors: V, wanted: P) -> Self {
        Self { vectors, wanted, word: String::new(), row: Vec::new() }
    }
}

impl<V: Vectors, P: FnMut(&str) -> bool> Vectors for Only<V, P> {
    fn dim(&self) -> usize {
        self.vectors.dim()
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        while let Some((word, row)) = self.vectors.next_row()? {
            if (self.wanted)(word) {
                self.word.clear();
                self.word.push_str(word);
                self.row.clear();
                self.row.extend_from_slice(row);
                return Ok(Some((&self.word, &self.row)));
            }
        }
        Ok(None)
    }
}
