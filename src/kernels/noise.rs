//! Random bits for rounding: a hash of (seed, step, row, column), the same on every processor.

use crate::random::Key;
use crate::table::Rounding;

/// What the random bits of a step depend on, beside row and column.
///
/// The same noise gives the same roundings: `step` must be another one in each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// Of the training.
    pub seed: u64,
    /// Number of the step.
    pub step: u32,
    /// The number in the whole table of the first row of this view: 0, but for a part that a thread works on
    /// ([`TableMut::split_rows`](crate::table::TableMut::split_rows)), so that the bits do not depend on how
    /// a table is shared.
    pub first_row: usize,
}

impl Noise {
    /// The noise of one row: a number for each column.
    #[inline(always)]
    pub(crate) fn row(self, row: usize) -> Key {
        let Self { seed, step, first_row } = self;
        let row = first_row.wrapping_add(row);
        Key::new(seed).with(step).with(row as u32).with((row as u64 >> 32) as u32)
    }
}

impl Rounding for Key {
    #[inline(always)]
    fn random(self, column: usize) -> Option<u32> {
        Some(self.at(column as u32))
    }
}
