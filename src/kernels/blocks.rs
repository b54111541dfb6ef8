//! The sums of one bag in blocks of columns: one pass over its ids for each block.

use super::integers::sum_codes;
use super::sums::Ids;
use super::{Columns, column_blocks};
use crate::simd::{LANES, Lanes};
use crate::table::{Format, Index, Policy, Scale, Table};
use core::ops::Range;

/// Columns of integers that are summed together where a block of half as many floats is: a sum takes 16 bits.
const WIDE: usize = 128;

/// The sums of one bag, in blocks of columns.
#[inline(always)]
pub(super) fn sum_in_blocks<
    const PREFETCH: bool,
    const CODES: bool,
    L: Lanes,
    F: Format,
    I: Index,
    P: Policy,
>(
    lanes: L,
    table: Table<'_, F>,
    ids: &Ids<'_, I, P>,
    bag: Range<usize>,
    to: &mut [f32],
) {
    let (mut narrower, mut wide_columns) = (to, 0);
    if CODES && WIDE <= 2 * L::MAX_BLOCK {
        let (blocks, after) = narrower.as_chunks_mut::<WIDE>();
        for block in blocks {
            let columns = Columns::new(table, wide_columns);
            *block = scaled_sum::<WIDE, PREFETCH, _, _, _, _>(lanes, &columns, ids, bag.clone());
            wide_columns += WIDE;
        }
        narrower = after;
    }
    column_blocks!(L, as_chunks_mut(narrower), |block, column| {
        let columns = Columns::new(table, wide_columns + column);
        *block = if CODES {
            scaled_sum::<_, PREFETCH, _, _, _, _>(lanes, &columns, ids, bag.clone())
        } else {
            sum_block::<_, PREFETCH, _, _, _, _>(lanes, &columns, ids, bag.clone())
        };
    });
}

/// The sums of `WIDTH` columns of one bag, of rows of integers without weights.
#[inline(always)]
fn scaled_sum<const WIDTH: usize, const PREFETCH: bool, L: Lanes, F: Format, I: Index, P: Policy>(
    lanes: L,
    columns: &Columns<'_, F>,
    ids: &Ids<'_, I, P>,
    bag: Range<usize>,
) -> [f32; WIDTH] {
    // Not `map`, which is not always inlined.
    let mut block = [0.0; WIDTH];
    for (x, sum) in block.iter_mut().zip(sum_codes::<WIDTH, PREFETCH, _, _, _, _>(lanes, columns, ids, bag)) {
        *x = columns.table_scale() * sum as f32;
    }
    block
}

/// The sums of `WIDTH` columns of one bag.
#[inline(always)]
fn sum_block<const WIDTH: usize, const PREFETCH: bool, L: Lanes, F: Format, I: Index, P: Policy>(
    lanes: L,
    columns: &Columns<'_, F>,
    ids: &Ids<'_, I, P>,
    bag: Range<usize>,
) -> [f32; WIDTH] {
    let (mut sum, bias_sum) = if ids.weights.is_some() {
        sum_rows::<WIDTH, PREFETCH, true, _, _, _, _>(lanes, columns, ids, bag)
    } else {
        sum_rows::<WIDTH, PREFETCH, false, _, _, _, _>(lanes, columns, ids, bag)
    };
    if F::SCALE_AND_BIAS > 0 {
        for sum in &mut sum {
            *sum += bias_sum;
        }
    } else if F::Scale::IS_ONE {
        for sum in &mut sum {
            *sum *= columns.table_scale();
        }
    }
    sum
}

/// The sums of `WIDTH` columns of one bag before what is the same for all rows, the scale of the table, or for
/// all columns, the biases, whose sum is returned beside.
#[inline(always)]
fn sum_rows<
    const WIDTH: usize,
    const PREFETCH: bool,
    const WEIGHTED: bool,
    L: Lanes,
    F: Format,
    I: Index,
    P: Policy,
>(
    lanes: L,
    columns: &Columns<'_, F>,
    ids: &Ids<'_, I, P>,
    bag: Range<usize>,
) -> ([f32; WIDTH], f32) {
    let (mut sum, mut bias_sum) = ([0.0; WIDTH], 0.0);
    ids.each::<PREFETCH, WEIGHTED>(
        bag,
        #[inline(always)]
        |row, weight, ahead| {
            columns.prefetch(WIDTH, ahead);
            let Some(row) = row else { return };
            if F::SCALE_AND_BIAS > 0 {
                let Some((mut scale, mut bias)) = columns.scale_and_bias(lanes, row) else { return };
                if let Some(weight) = weight {
                    (scale, bias) = (scale * weight, bias * weight);
                }
                let Some(x) = columns.numbers::<WIDTH, L>(lanes, row, scale) else { return };
                add(lanes, &x, &mut sum);
                bias_sum += bias;
            } else if let Some(mut x) = columns.numbers::<WIDTH, L>(lanes, row, 1.0) {
                if let Some(weight) = weight {
                    for x in &mut x {
                        *x *= weight;
                    }
                }
                for (sum, x) in sum.iter_mut().zip(x) {
                    *sum += x;
                }
            }
        },
    );
    (sum, bias_sum)
}

/// sum += x, in the lanes where they are filled: a plain loop behind the instructions that unpack codes is
/// not vectorised.
#[inline(always)]
fn add<const WIDTH: usize, L: Lanes>(lanes: L, x: &[f32; WIDTH], sum: &mut [f32; WIDTH]) {
    if WIDTH.is_multiple_of(LANES) {
        for (sum, x) in sum.as_chunks_mut().0.iter_mut().zip(x.as_chunks().0) {
            lanes.store(lanes.add(lanes.load(sum), lanes.load(x)), sum);
        }
    } else {
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum += x;
        }
    }
}
