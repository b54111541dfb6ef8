//! Looking ahead: the rows of a big table are asked for before they are needed.
//!
//! The processor cannot guess the next row of a table that is read in the order of ids, and a row from memory takes as long as many rows
//! of work. The ids say which rows come: while one row is worked on, the one [`DISTANCE`] ids later is asked for, all of its
//! cache lines, whatever bag it belongs to. Distances of 8 to 32 rows serve equally well. For a table that lies in
//! the caches the requests would only take time from the work.

use crate::simd::PREFETCHES;
use crate::table::{Format, Index, Indices, Policy, Table};

/// Ids from the row worked on to the row asked for.
const DISTANCE: usize = 24;

/// Tables above this size, in bytes, are taken not to lie in the near caches: a common second level. On a Zen 4 core with bags of 20 rows
/// of 32 floats, asking ahead made a table of 12.8 MB, which the third level holds, up to twice as fast; one of 2.5 MB with rows of 64
/// stayed as it was.
const CACHED: usize = 1 << 20;

/// Whether to look ahead in this table.
#[inline(always)]
pub(crate) fn worth_prefetching<F: Format>(table: Table<'_, F>) -> bool {
    PREFETCHES && table.rows().saturating_mul(table.stride()).saturating_mul(size_of::<F::Element>()) > CACHED
}

/// Looks ahead, or does not. It is a type, because even a test of whether to look would show in the loops over cached rows.
pub(crate) trait Look: Copy {
    /// The row that will be needed soon after that of the id at `position`, if it is to be asked for.
    fn ahead<I: Index, P: Policy>(self, indices: Indices<'_, I, P>, position: usize) -> Option<usize>;
}

/// Asks for rows.
#[derive(Clone, Copy)]
pub(crate) struct Ahead;

/// Asks for nothing.
#[derive(Clone, Copy)]
pub(crate) struct Never;

impl Look for Ahead {
    #[inline(always)]
    fn ahead<I: Index, P: Policy>(self, indices: Indices<'_, I, P>, position: usize) -> Option<usize> {
        indices.row(position + DISTANCE)
    }
}

impl Look for Never {
    #[inline(always)]
    fn ahead<I: Index, P: Policy>(self, _: Indices<'_, I, P>, _: usize) -> Option<usize> {
        None
    }
}
