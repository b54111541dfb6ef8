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

/// Σᵢ rowᵢ · xᵢ for each row: R dot products that read `x` once. As many elements count as the shortest slice has.
#[inline(always)]
pub(crate) fn dots<L: Lanes, const R: usize>(lanes: L, rows: [&[f32]; R], x: &[f32]) -> [f32; R] {
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    let rows = rows.map(<[f32]>::as_chunks::<LANES>);
    let mut totals = [lanes.splat(0.0); R];
    for (i, x) in x_chunks.iter().enumerate() {
        let x = lanes.load(x);
        for (total, (chunks, _)) in totals.iter_mut().zip(&rows) {
            if let Some(row) = chunks.get(i) {
                *total = lanes.add(*total, lanes.mul(lanes.load(row), x));
            }
        }
    }
    if !x_rest.is_empty() {
        for (total, (_, rest)) in totals.iter_mut().zip(&rows) {
            *total = lanes.add_product_part(*total, rest, x_rest);
        }
    }
    totals.map(|total| lanes.sum(total))
}
