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
    // Plain loops over the rows: what is called through `array::map` may not be inlined, and then has not the level's
    // instructions.
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    let (mut chunks, mut rests) = ([&[][..]; R], [&[][..]; R]);
    for ((row, chunks), rest) in rows.iter().zip(&mut chunks).zip(&mut rests) {
        (*chunks, *rest) = row.get(..x.len())?.as_chunks::<LANES>();
    }
    let mut totals = [lanes.splat(0.0); R];
    for (i, x) in x_chunks.iter().enumerate() {
        let x = lanes.load(x);
        for (total, chunks) in totals.iter_mut().zip(chunks) {
            *total = lanes.add(*total, lanes.mul(lanes.load(chunks.get(i)?), x));
        }
    }
    if !x_rest.is_empty() {
        for (total, rest) in totals.iter_mut().zip(rests) {
            *total = lanes.add_product_part(*total, rest, x_rest);
        }
    }
    let mut sums = [0.0; R];
    for (sum, total) in sums.iter_mut().zip(totals) {
        *sum = lanes.sum(total);
    }
    Some(sums)
}
