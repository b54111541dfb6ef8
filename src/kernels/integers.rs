//! Sums of the codes of rows of integers.

use super::Columns;
use crate::error::ShapeMismatch;
use crate::simd::{LANES, Lanes};
use crate::table::{BagView, Bags, Format, Index, Policy, Scale};

/// Ids of a bag, at most: 32 bits then hold the sum of their codes, of which each is at least -128.
pub(crate) const MOST_IDS: usize = (i32::MAX / 128) as usize;

/// Codes that 16 bits can add: 256 · -128 is the least of an i16.
const NARROW: usize = 256;

/// That 32 bits hold the sum of each bag, if the rows are integers.
#[inline(always)]
pub(super) fn check_sums<F: Format, I: Index, P: Policy, O: Index>(
    bags: &Bags<'_, I, P, O>,
) -> Result<(), ShapeMismatch> {
    if !F::Scale::IS_ONE || bags.weights().is_some() || bags.indices().len() <= MOST_IDS {
        return Ok(());
    }
    let longest = bags.iter().map(|bag| bag.len()).max().unwrap_or(0);
    if longest <= MOST_IDS {
        return Ok(());
    }
    Err(ShapeMismatch { what: "ids of a bag of integers, at most", expected: MOST_IDS, found: longest })
}

/// The sums of `WIDTH` columns of one bag, each id counted once.
#[inline(always)]
pub(super) fn sum_codes<const WIDTH: usize, L: Lanes, F: Format, I: Index, P: Policy>(
    columns: Columns<'_, F>,
    bag: &BagView<'_, I, P>,
    ahead: impl Fn(usize) -> Option<usize>,
) -> [i32; WIDTH] {
    let (ids, mut sum) = (bag.indices(), [0_i32; WIDTH]);
    // Without vectors a sum of 16 bits saves nothing.
    if L::MAX_BLOCK < LANES {
        for (position, row) in (bag.start()..).zip(ids.iter()) {
            columns.prefetch(WIDTH, ahead(position));
            if let Some(codes) = row.and_then(|row| columns.integers::<WIDTH>(row)) {
                for (sum, code) in sum.iter_mut().zip(codes) {
                    *sum = sum.wrapping_add(i32::from(code));
                }
            }
        }
        return sum;
    }
    let mut start = 0;
    while start < ids.len() {
        let end = if ids.len() - start > NARROW { start + NARROW } else { ids.len() };
        let Some(part) = ids.slice(start..end) else { break };
        let mut narrow = [0_i16; WIDTH];
        for (position, row) in (bag.start() + start..).zip(part.iter()) {
            columns.prefetch(WIDTH, ahead(position));
            let Some(row) = row else { continue };
            let Some(codes) = columns.integers::<WIDTH>(row) else { continue };
            for (sum, code) in narrow.iter_mut().zip(codes) {
                *sum = sum.wrapping_add(i16::from(code));
            }
        }
        for (sum, narrow) in sum.iter_mut().zip(narrow) {
            *sum = sum.wrapping_add(i32::from(narrow));
        }
        start = end;
    }
    sum
}
