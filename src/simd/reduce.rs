//! Sums over slices by sixteen virtual lanes.

use super::{Along, LANES, Lanes};

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
    let [xs, x_rests] = by_sixteen(xs, length)?;
    let [rows, rests] = by_sixteen(rows, length)?;
    let mut totals = [[lanes.splat(0.0); R]; X];
    let mut xs = Along::<X, LANES>::new(xs);
    for rows in Along::<R, LANES>::new(rows) {
        let mut row = [lanes.splat(0.0); R];
        for (row, from) in row.iter_mut().zip(&rows) {
            *row = lanes.load(from);
        }
        for (totals, x) in totals.iter_mut().zip(&xs.next()?) {
            let x = lanes.load(x);
            for (total, row) in totals.iter_mut().zip(&row) {
                *total = lanes.add(*total, lanes.mul(*row, x));
            }
        }
    }
    if !length.is_multiple_of(LANES) {
        if L::ACCUMULATORS == 1 {
            for (totals, x) in totals.iter_mut().zip(&x_rests) {
                for (total, row) in totals.iter_mut().zip(&rests) {
                    *total = lanes.add_product_part(*total, row, x);
                }
            }
        } else {
            let mut parts = [lanes.splat(0.0); R];
            for (part, row) in parts.iter_mut().zip(&rests) {
                *part = lanes.load_part(row);
            }
            for (totals, x) in totals.iter_mut().zip(&x_rests) {
                let x = lanes.load_part(x);
                for (total, part) in totals.iter_mut().zip(&parts) {
                    *total = lanes.add(*total, lanes.mul(*part, x));
                }
            }
        }
    }
    let mut sums = [[0.0; R]; X];
    let ((four_sums, sums_left), (four_totals, totals)) =
        (sums.as_flattened_mut().as_chunks_mut(), totals.as_flattened().as_chunks());
    // In a debug build even a loop without a turn would have a frame.
    if const { R * X >= 4 } {
        for (sums, totals) in four_sums.iter_mut().zip(four_totals) {
            *sums = lanes.sums(*totals);
        }
    }
    for (sum, total) in sums_left.iter_mut().zip(totals) {
        *sum = lanes.sum(*total);
    }
    Some(sums)
}

/// The first `length` elements of each row: those by sixteen, and the rest. `None` if a row is shorter.
#[inline(always)]
fn by_sixteen<const R: usize>(rows: [&[f32]; R], length: usize) -> Option<[[&[f32]; R]; 2]> {
    let (mut wholes, mut rests) = ([&[][..]; R], [&[][..]; R]);
    for (row, (whole, rest)) in rows.iter().zip(wholes.iter_mut().zip(&mut rests)) {
        (*whole, *rest) = row.get(..length)?.split_at_checked(length - length % LANES)?;
    }
    Some([wholes, rests])
}
