//! Bags of short rows of `f32` in one pass over the ids: the sums of the first columns and of the last ones.
//! Those in the middle are summed twice. No more of a row is read than it has, and nothing is masked.

use super::Columns;
use super::sums::{Ids, Sums};
use crate::simd::Lanes;
use crate::table::{Format, Index, Policy};
use core::ops::Range;

/// Rows of `WIDTH` columns to twice as many; asked for ahead or not, with weights or without.
#[derive(Clone, Copy, Default)]
pub(super) struct Ends<const WIDTH: usize, const PREFETCH: bool, const WEIGHTED: bool>;

impl<const WIDTH: usize, const PREFETCH: bool, const WEIGHTED: bool> Sums
    for Ends<WIDTH, PREFETCH, WEIGHTED>
{
    const GROUPS: usize = 1;

    #[inline(always)]
    fn sum<L: Lanes, F: Format, I: Index, P: Policy>(
        self,
        _: L,
        columns: &Columns<'_, F>,
        ids: &Ids<'_, I, P>,
        bag: Range<usize>,
        to: &mut [f32],
    ) -> bool {
        let dim = to.len();
        let (mut first, mut last) = ([0.0; WIDTH], [0.0; WIDTH]);
        ids.each::<PREFETCH, WEIGHTED>(
            bag,
            #[inline(always)]
            |row, weight, ahead| {
                columns.prefetch_ends(ahead, 1, dim - 1);
                let Some(numbers) = row.and_then(|row| columns.elements(row, dim)) else { return };
                let numbers = F::as_floats(numbers).unwrap_or_default();
                if let (Some(x), Some(y)) = (numbers.first_chunk(), numbers.last_chunk()) {
                    add(&mut first, x, weight);
                    add(&mut last, y, weight);
                }
            },
        );
        if let Some(to) = to.first_chunk_mut() {
            *to = first;
        }
        if let Some(to) = to.last_chunk_mut() {
            *to = last;
        }
        // No more was read than rows have.
        true
    }
}

#[inline(always)]
fn add<const WIDTH: usize>(sums: &mut [f32; WIDTH], numbers: &[f32; WIDTH], weight: Option<f32>) {
    for (sum, x) in sums.iter_mut().zip(numbers) {
        *sum += match weight {
            None => *x,
            Some(weight) => weight * x,
        };
    }
}
