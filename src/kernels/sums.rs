//! The sums of some columns of one bag, each way to them a function of its own.
//!
//! Its loop over the ids has all registers. Inlined into a loop over bags it would read from the stack, for
//! each row, what it needs, and take up to half as long again. What it is given stands in memory that no bag
//! changes, but for blocks of wide rows: what is written for each bag and read at once would be waited for.

use super::{Columns, row_ahead};
use crate::simd::{LANES, Lanes, level_fn};
use crate::table::{Format, Index, Indices, Policy};
use core::ops::Range;

/// Groups of sixteen columns in one pass at every level that takes groups; twice as many where it has registers
/// for them.
pub(super) const PASS: usize = 4;

/// The columns of such a pass.
pub(super) const COLUMNS: usize = PASS * LANES;

/// Whether a level sums so many groups in one pass. The levels whose blocks are widest do: on x86-64 those that
/// load what follows a row in one instruction.
#[inline(always)]
pub(super) const fn takes_groups<L: Lanes>(groups: usize) -> bool {
    L::MAX_BLOCK == COLUMNS && groups <= L::ACCUMULATORS
}

/// A way to sum.
pub(super) trait Sums: Copy + Default {
    /// Groups of sixteen columns whose sums it keeps in registers, at most.
    const GROUPS: usize;

    /// Writes the sums of as many columns as `to` has, and says whether all rows could be read.
    fn sum<L: Lanes, F: Format, I: Index, P: Policy>(
        self,
        lanes: L,
        columns: &Columns<'_, F>,
        ids: &Ids<'_, I, P>,
        bag: Range<usize>,
        to: &mut [f32],
    ) -> bool;
}

level_fn! {
    /// The sums of as many columns as `to` has.
    pub(super) fn sum_columns[S: Sums, F: Format, I: Index, P: Policy](
        way: S,
        columns: &Columns<'_, F>,
        ids: &Ids<'_, I, P>,
        bag: Range<usize>,
        to: &mut [f32]
    ) -> bool = sum_in_way, inline(never)
}

#[inline(always)]
fn sum_in_way<L: Lanes, S: Sums, F: Format, I: Index, P: Policy>(
    lanes: L,
    way: S,
    columns: &Columns<'_, F>,
    ids: &Ids<'_, I, P>,
    bag: Range<usize>,
    to: &mut [f32],
) -> bool {
    takes_groups::<L>(S::GROUPS) && way.sum(lanes, columns, ids, bag, to)
}

/// The ids of all bags. A bag is a range of their positions.
#[derive(Clone, Copy)]
pub(super) struct Ids<'a, I, P> {
    pub(super) indices: Indices<'a, I, P>,
    pub(super) weights: Option<&'a [f32]>,
}

impl<I: Index, P: Policy> Ids<'_, I, P> {
    /// Takes the ids of a bag in turn: the row of each, if it contributes, its weight, and the row that is to
    /// be asked for meanwhile.
    #[inline(always)]
    pub(super) fn each<const PREFETCH: bool, const WEIGHTED: bool>(
        &self,
        bag: Range<usize>,
        mut take: impl FnMut(Option<usize>, Option<f32>, Option<usize>),
    ) {
        let Some(ids) = self.indices.slice(bag.clone()) else { return };
        let rows = (bag.start..).zip(ids.iter());
        if WEIGHTED {
            let weights = self.weights.and_then(|weights| weights.get(bag)).unwrap_or_default();
            for ((position, row), weight) in rows.zip(weights) {
                take(row, Some(*weight), row_ahead::<PREFETCH, _, _>(self.indices, position));
            }
        } else {
            for (position, row) in rows {
                take(row, None, row_ahead::<PREFETCH, _, _>(self.indices, position));
            }
        }
    }
}
