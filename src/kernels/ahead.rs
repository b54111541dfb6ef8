//! Looking ahead: the rows of a big table are asked for before they are needed.
//!
//! The processor cannot guess the next row of a table that is read in the order of ids, and a row from memory
//! takes as long as many rows of work. The ids say which rows come: while one row is worked on, the one
//! [`DISTANCE`] ids later is asked for, all of its cache lines, whatever bag it belongs to. Distances of 8 to
//! 32 rows serve equally well. For a table that lies in the caches the requests would only take time from the
//! work. (Steps of an optimizer, which are work enough, test for it row by row.)

use super::Columns;
use crate::simd::PREFETCHES;
use crate::table::{Format, Index, Indices, Policy, Table};

/// Ids from the row worked on to the row asked for.
const DISTANCE: usize = 24;

/// Tables above this size, in bytes, are taken not to lie in the near caches: a common second level. On a Zen
/// 4 core with bags of 20 rows of 32 floats, asking ahead made a table of 12.8 MB, which the third level
/// holds, up to twice as fast; one of 2.5 MB with rows of 64 stayed as it was.
const CACHED: usize = 1 << 20;

/// Whether rows of this table are to be asked for.
#[inline(always)]
pub(crate) fn worth_prefetching<F: Format>(table: Table<'_, F>) -> bool {
    PREFETCHES && table.rows().saturating_mul(table.stride()).saturating_mul(size_of::<F::Element>()) > CACHED
}

/// The row that will be needed soon after that of the id at `position`, if rows are to be asked for.
///
/// Whether they are is a parameter of the loop's function, because even a test of it would show in the loops
/// over cached rows: each kernel calls its loop as `PREFETCH` or not, by [`worth_prefetching`].
#[inline(always)]
pub(crate) fn row_ahead<const PREFETCH: bool, I: Index, P: Policy>(
    indices: Indices<'_, I, P>,
    position: usize,
) -> Option<usize> {
    if PREFETCH { indices.row_to_ask_for(position + DISTANCE) } else { None }
}

/// Asks for the rows of these ids, if rows of the table are to be asked for: those of the next example, while
/// one is learnt from.
pub(crate) fn ask_for_rows<F: Format>(table: Table<'_, F>, ids: &[u32]) {
    if worth_prefetching(table) {
        let columns = Columns::new(table, 0);
        for id in ids {
            columns.prefetch(table.dim(), Some(*id as usize));
        }
    }
}
