//! Random bits for rounding: a hash of (seed, step, row, column), the same on every processor.

use super::mix;
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
    /// ([`TableMut::split_rows`](crate::table::TableMut::split_rows)), so that the bits do not depend on how a table is shared.
    pub first_row: usize,
}

impl Noise {
    /// The noise of one row.
    #[inline(always)]
    pub(crate) fn row(self, row: usize) -> RowNoise {
        let Self { seed, step, first_row } = self;
        let row = first_row.wrapping_add(row);
        let mut key = mix(seed as u32 ^ mix((seed >> 32) as u32));
        for word in [step, row as u32, (row as u64 >> 32) as u32] {
            key = mix(key.wrapping_add(0x9e37_79b9) ^ word);
        }
        RowNoise { key }
    }
}

/// The noise of one row: a hash of the column.
#[derive(Clone, Copy)]
pub(crate) struct RowNoise {
    key: u32,
}

impl Rounding for RowNoise {
    #[inline(always)]
    fn random(self, column: usize) -> Option<u32> {
        Some(mix(self.key.wrapping_add((column as u32).wrapping_mul(0x9e37_79b9))))
    }
}
