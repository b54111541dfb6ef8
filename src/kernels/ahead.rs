//! Looking ahead: the rows of a big table are asked for before they are needed.
//!
//! The processor cannot guess the next row of a table that is read in the order of ids, and a row from memory takes as long as many rows
//! of work. The ids say which rows come: while one row is worked on, the one sixteen ids later is asked for, all of its
//! cache lines, whatever bag it belongs to. Distances of 8 to 32 rows serve equally well. For a table that lies in
//! the caches the requests would only take time from the work.

use crate::simd::prefetch;
use crate::table::{Index, Indices, Policy, Table};

/// Ids from the row worked on to the row asked for.
const DISTANCE: usize = 16;

/// Tables above this size, in bytes, are taken not to lie in the caches: a common share of the last level. Measured on a Zen 4 core with
/// rows of 64 floats: a table of 2.5 MB is pooled in 0.8 of the time if nothing is asked for, one of 26 MB in half the time or less if
/// rows are; gather gains as much.
const CACHED: usize = 1 << 24;

/// Behind every position: nothing is asked for.
const NEVER: usize = usize::MAX;

/// Asks for the rows of a table ahead of their use.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<'a, I, P> {
    table: Table<'a>,
    indices: Indices<'a, I, P>,
    distance: usize,
}

impl<'a, I: Index, P: Policy> Ahead<'a, I, P> {
    /// For a pass over `indices`.
    #[inline(always)]
    pub(crate) fn new(table: Table<'a>, indices: Indices<'a, I, P>) -> Self {
        let bytes = table.rows().saturating_mul(table.stride()).saturating_mul(size_of::<f32>());
        Self { table, indices, distance: if bytes > CACHED { DISTANCE } else { NEVER } }
    }

    /// The same in the first block of columns; nothing in the later ones, which find the rows there.
    #[inline(always)]
    pub(crate) fn only_first(mut self, column: usize) -> Self {
        if column > 0 {
            self.distance = NEVER;
        }
        self
    }

    /// Asks for the row that will be needed soon after that of the id at `position`.
    #[inline(always)]
    pub(crate) fn ask(&self, position: usize) {
        if let Some(row) = self.indices.row(position.saturating_add(self.distance))
            && let Some(row) = self.table.row(row)
        {
            prefetch(row);
        }
    }
}
