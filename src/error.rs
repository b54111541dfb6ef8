//! What can be wrong with an input: small `Copy` values that name the place.
//!
//! Every check happens before anything is written, so after an error tables, optimizer state and outputs are as they were.

use core::fmt;

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
        write!(f, "index {index} at position {position} is outside a table of {rows} rows")
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

/// More items than a fixed capacity holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityExceeded {
    /// What is full, as the documentation names it.
    pub what: &'static str,
    /// How many it holds.
    pub capacity: usize,
}

impl fmt::Display for CapacityExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, capacity } = self;
        write!(f, "{what}: more than its capacity of {capacity}")
    }
}

impl core::error::Error for IndexOutOfRange {}
impl core::error::Error for ShapeMismatch {}
impl core::error::Error for CapacityExceeded {}
