//! Sums over slices by sixteen virtual lanes.

use super::{LANES, Lanes};

/// Σᵢ xᵢ.
#[inline(always)]
pub(crate) fn sum<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks();
    let mut total = lanes.splat(0.0);
    for x in chunks {
        total = lanes.add(total, lanes.load(x));
    }
    if !rest.is_empty() {
        total = lanes.add(total, lanes.load_part(rest));
    }
    lanes.sum(total)
}

/// Σᵢ rowᵢ · xᵢ for each row: R dot products that read `x` once. `None` if a row is shorter than `x`.
#[inline(always)]
pub(crate) fn dots<L: Lanes, const R: usize>(lanes: L, rows: [&[f32]; R], x: &[f32]) -> Option<[f32; R]> {
    let [sums] = dot_tile(lanes, [x], rows, x.len())?;
    Some(sums)
}

/// The dot products of each x and each row over `length` elements. `None` if one of them is shorter.
#[inline(always)]
pub(crate) fn dot_tile<L: Lanes, const X: usize, const R: usize>(
    lanes: L,
    xs: [&[f32]; X],
    rows: [&[f32]; R],
    length: usize,
) -> Option<[[f32; R]; X]> {
    // Plain loops over the rows: what is called through `array::map` may not be inlined, and then has not the
    // level's instructions.
    let (xs, rows) = (by_sixteen(xs, length)?, by_sixteen(rows, length)?);
    let mut totals = [[lanes.splat(0.0); R]; X];
    for i in 0..length / LANES {
        let mut row = [lanes.splat(0.0); R];
        for (row, (chunks, _)) in row.iter_mut().zip(&rows) {
            *row = lanes.load(chunks.get(i)?);
        }
        for (totals, (chunks, _)) in totals.iter_mut().zip(&xs) {
            let x = lanes.load(chunks.get(i)?);
            for (total, row) in totals.iter_mut().zip(&row) {
                *total = lanes.add(*total, lanes.mul(*row, x));
            }
        }
    }
    if !length.is_multiple_of(LANES) {
        if L::ACCUMULATORS == 1 {
            for (totals, (_, x)) in totals.iter_mut().zip(&xs) {
                for (total, (_, row)) in totals.iter_mut().zip(&rows) {
                    *total = lanes.add_product_part(*total, row, x);
                }
            }
        } else {
            let mut parts = [lanes.splat(0.0); R];
            for (part, (_, row)) in parts.iter_mut().zip(&rows) {
                *part = lanes.load_part(row);
            }
            for (totals, (_, x)) in totals.iter_mut().zip(&xs) {
                let x = lanes.load_part(x);
                for (total, part) in totals.iter_mut().zip(&parts) {
                    *total = lanes.add(*total, lanes.mul(*part, x));
                }
            }
        }
    }
    let mut sums = [[0.0; R]; X];
    for (sums, totals) in sums.iter_mut().zip(&totals) {
        let ((four_sums, sums), (four_totals, totals)) = (sums.as_chunks_mut(), totals.as_chunks());
        // In a debug build even a loop without a turn would have a frame.
        if const { R >= 4 } {
            for (sums, totals) in four_sums.iter_mut().zip(four_totals) {
                *sums = lanes.sums(*totals);
            }
        }
        for (sum, total) in sums.iter_mut().zip(totals) {
            *sum = lanes.sum(*total);
        }
    }
    Some(sums)
}

/// The first elements of a row by sixteen, and the rest of them.
type BySixteen<'a> = (&'a [[f32; LANES]], &'a [f32]);

/// The first `length` elements of each row. `None` if a row is shorter.
#[inline(always)]
fn by_sixteen<const R: usize>(rows: [&[f32]; R], length: usize) -> Option<[BySixteen<'_>; R]> {
    let mut parts: [BySixteen<'_>; R] = [(&[], &[]); R];
    for (part, row) in parts.iter_mut().zip(&rows) {
        *part = row.get(..length)?.as_chunks();
    }
    Some(parts)
}
