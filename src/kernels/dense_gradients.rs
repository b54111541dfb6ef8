//! The gradients of a convolution where few gradients of its outputs are zero: products of matrices, with the
//! bits of the loops in `convolution_gradients`, which pass over zeros.
//!
//! The terms of a number in the gradient of the kernel come from one tap, in the order of the outputs. Those of
//! a number in the gradient of the input come in the order of the outputs too if the taps go from the last to
//! the first, as steps are a dilation apart. Of one tap, the steps under all windows are rows that lie a
//! stride apart.
//!
//! A zero is a term here. Times an infinity or NaN it is NaN; otherwise it is ±0, which changes no sum but
//! −0. No sum becomes −0 that did not start as −0. So where none of these occur, the bits are the same.

use super::add_product;
use super::gemm::{AsIs, Transposed};
use crate::simd::Lanes;
use crate::table::{Table, TableMut, Windows};

/// Whether the product of all gradients is faster than one gradient after the other, and has its bits:
/// `factors` are what they are multiplied by, `sums` what the products are added to.
///
/// Without vectors it would not be faster.
#[inline(always)]
pub(super) fn is_worthwhile<L: Lanes>(
    windows: Windows,
    d_y: Table<'_>,
    factors: Table<'_>,
    sums: Option<Table<'_>>,
) -> bool {
    // Without dilation the taps of one output would all add to one step, in another order.
    if L::ACCUMULATORS == 1 || windows.stride == 0 || windows.dilation == 0 {
        return false;
    }
    // Few registers make slow tiles.
    let most = if L::ACCUMULATORS == 2 { 2 } else { 3 };
    let zeros = |d_y: Table<'_>| {
        let zeros = count(d_y, |d| d == 0.0);
        (5 * zeros <= most * d_y.rows() * d_y.dim()).then_some(zeros)
    };
    // Behind a maximum nearly all are zero, which a part of them shows.
    let Some(zeros) = zeros(d_y.every(0, 8)).and_then(|_| zeros(d_y)) else { return false };
    let no_product_is_nan = || count(factors, |x| !x.is_finite()) == 0;
    let is_negative_zero = |sum: f32| sum.to_bits() == (-0.0_f32).to_bits();
    zeros == 0 || no_product_is_nan() && sums.is_none_or(|sums| count(sums, is_negative_zero) == 0)
}

/// How many numbers are so.
#[inline(always)]
fn count(table: Table<'_>, is_so: impl Fn(f32) -> bool) -> usize {
    let mut count = 0;
    for row in table.iter() {
        // A row has fewer numbers than 32 bits can count: the loop then has lanes as wide as the numbers.
        let mut of_row = 0_u32;
        for x in row {
            of_row = of_row.wrapping_add(u32::from(is_so(*x)));
        }
        count += of_row as usize;
    }
    count
}

/// Adds the gradient of the kernel, filter by filter.
#[inline(always)]
pub(super) fn add_to_kernel<L: Lanes>(
    lanes: L,
    windows: Windows,
    x: Table<'_>,
    valid: &[bool],
    d_y: Table<'_>,
    d_kernel: &mut TableMut<'_>,
) {
    let (filters, dim, stride) = (d_kernel.rows(), x.dim(), d_kernel.stride());
    let numbers = d_kernel.starting_at_row_mut(0);
    for tap in 0..windows.taps {
        windows.each_run(
            tap,
            d_y.rows(),
            valid,
            #[inline(always)]
            |outputs, first| {
                let to = numbers.get_mut(tap * dim..).unwrap_or_default();
                // The runs are within all three.
                if let Ok(mut to) = TableMut::with_stride(to, filters, dim, stride)
                    && let Some(steps) = windows.steps(x, first, outputs.len())
                {
                    let d_y = d_y.part(outputs.start, outputs.len());
                    add_product(lanes, Transposed(d_y), steps, &mut to);
                }
            },
        );
    }
}

/// Adds the gradient of the input to zeros; the kernel is filter by filter.
#[inline(always)]
pub(super) fn add_to_input<L: Lanes>(
    lanes: L,
    windows: Windows,
    valid: &[bool],
    kernel: Table<'_>,
    d_y: Table<'_>,
    d_x: &mut TableMut<'_>,
) {
    let (dim, stride) = (d_x.dim(), d_x.stride());
    let numbers = d_x.starting_at_row_mut(0);
    for tap in (0..windows.taps).rev() {
        let weights = kernel.starting_at(tap * dim);
        let Ok(weights) = Table::with_stride(weights, kernel.rows(), dim, kernel.stride()) else { continue };
        windows.each_run(
            tap,
            d_y.rows(),
            valid,
            #[inline(always)]
            |outputs, first| {
                let to = numbers.get_mut(first * stride..).unwrap_or_default();
                // The run is within both.
                if let Ok(mut to) =
                    TableMut::with_stride(to, outputs.len(), dim, windows.stride.saturating_mul(stride))
                {
                    add_product(lanes, AsIs(d_y.part(outputs.start, outputs.len())), weights, &mut to);
                }
            },
        );
    }
}
