//! Sums of the codes of rows of integers.

use super::Columns;
use super::sums::Ids;
use crate::error::ShapeMismatch;
use crate::simd::{LANES, Lanes};
use crate::table::{Bags, Format, Index, Policy, Scale};
use core::ops::Range;
use zerocopy::IntoBytes;

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

/// Registers of sixteen sums, for the widest block.
const REGISTERS: usize = 8;

/// The sums of `WIDTH` columns of one bag, each id counted once.
#[inline(always)]
pub(super) fn sum_codes<
    const WIDTH: usize,
    const PREFETCH: bool,
    L: Lanes,
    F: Format,
    I: Index,
    P: Policy,
>(
    lanes: L,
    columns: &Columns<'_, F>,
    ids: &Ids<'_, I, P>,
    bag: Range<usize>,
) -> [i32; WIDTH] {
    let mut sum = [0_i32; WIDTH];
    // What fills no register, or has none, is added as it is.
    if L::MAX_BLOCK < LANES || !WIDTH.is_multiple_of(LANES * F::NUMBERS) {
        ids.each::<PREFETCH, false>(
            bag,
            #[inline(always)]
            |row, _, ahead| {
                columns.prefetch(WIDTH, ahead);
                let Some(codes) = row.and_then(|row| columns.integers::<WIDTH>(row)) else { return };
                for (sum, code) in sum.iter_mut().zip(codes) {
                    *sum = sum.wrapping_add(i32::from(code));
                }
            },
        );
        return sum;
    }
    let mut start = bag.start;
    while start < bag.end {
        let end = if bag.end - start > NARROW { start + NARROW } else { bag.end };
        let mut narrow = [lanes.no_sums(); REGISTERS];
        ids.each::<PREFETCH, false>(
            start..end,
            #[inline(always)]
            |row, _, ahead| {
                columns.prefetch(WIDTH, ahead);
                if let Some(block) = row.and_then(|row| columns.elements(row, WIDTH / F::NUMBERS)) {
                    add_row::<L, F>(lanes, block.as_bytes(), &mut narrow);
                }
            },
        );
        if F::NUMBERS == 2 {
            for pair in narrow.as_chunks_mut().0 {
                *pair = lanes.interleave(*pair);
            }
        }
        for (sum, narrow) in sum.as_chunks_mut::<LANES>().0.iter_mut().zip(narrow) {
            let mut codes = [0; LANES];
            lanes.store_sums(narrow, &mut codes);
            for (sum, code) in sum.iter_mut().zip(codes) {
                *sum = sum.wrapping_add(i32::from(code));
            }
        }
        start = end;
    }
    sum
}

/// Adds the codes of a block of a row: of 8 bits in order, of 4 bits a register of those in the low bits of
/// sixteen bytes, then one of those in the high bits.
#[inline(always)]
fn add_row<L: Lanes, F: Format>(lanes: L, block: &[u8], sums: &mut [L::Sums; REGISTERS]) {
    let bytes = block.as_chunks::<LANES>().0;
    if F::NUMBERS == 2 {
        for (pair, bytes) in sums.as_chunks_mut().0.iter_mut().zip(bytes) {
            *pair = lanes.add_i4(*pair, bytes);
        }
    } else {
        for (sums, bytes) in sums.iter_mut().zip(bytes) {
            *sums = lanes.add_i8(*sums, bytes);
        }
    }
}
