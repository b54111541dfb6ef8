//! An array of a file, and the numbers that it can be made of.

use crate::error::{FileError, ShapeMismatch};
use crate::table::{Bf16, F16, Table};
use std::vec::Vec;

/// Numbers and their extents, as they came from a file: row-major, rounded to the nearest `f32`.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The extents, outermost first.
    pub shape: Vec<usize>,
    /// The numbers, the last extent running fastest.
    pub values: Vec<f32>,
}

impl Array {
    /// The array as a table.
    ///
    /// # Errors
    /// If it has not two extents.
    pub fn table(&self) -> Result<Table<'_>, ShapeMismatch> {
        match *self.shape.as_slice() {
            [rows, dim] => Table::new(&self.values, rows, dim),
            _ => Err(ShapeMismatch { what: "number of extents", expected: 2, found: self.shape.len() }),
        }
    }
}

/// A file of several arrays, each under a key.
pub trait Arrays {
    /// The extents of the array of this key, without its numbers; `None` if there is none.
    ///
    /// # Errors
    /// If they cannot be read.
    fn shape(&mut self, key: &str) -> Result<Option<Vec<usize>>, FileError>;

    /// The array of this key; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is not of f16, bf16, f32 or f64.
    fn array(&mut self, key: &str) -> Result<Option<Array>, FileError>;
}

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    F16,
    Bf16,
    F32,
    F64,
}

impl Stored {
    /// Bytes of a number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Numbers from their bytes, in little-endian order unless it is `big_endian`; bytes behind the last whole number are left out.
    pub(super) fn decode(self, bytes: &[u8], big_endian: bool, values: &mut Vec<f32>) {
        fn numbers<const N: usize>(bytes: &[u8], big_endian: bool) -> impl Iterator<Item = [u8; N]> + '_ {
            bytes.as_chunks().0.iter().map(move |bytes: &[u8; N]| {
                let mut bytes = *bytes;
                if big_endian {
                    bytes.reverse();
                }
                bytes
            })
        }
        match self {
            Self::F16 => values.extend(numbers(bytes, big_endian).map(u16::from_le_bytes).map(F16::to_f32)),
            Self::Bf16 => values.extend(numbers(bytes, big_endian).map(u16::from_le_bytes).map(Bf16::to_f32)),
            Self::F32 => values.extend(numbers(bytes, big_endian).map(f32::from_le_bytes)),
            Self::F64 => values.extend(numbers(bytes, big_endian).map(f64::from_le_bytes).map(|x| x as f32)),
        }
    }
}
