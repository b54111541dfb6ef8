//! The gradients of a convolution along a sequence, one gradient of its outputs after the other, or all at
//! once where few are zero.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at
//! [`convolve`](super::convolution::convolve).

use super::add_multiple;
use super::dense_gradients::{add_to_input, add_to_kernel, is_worthwhile};
use crate::error::ShapeMismatch;
use crate::simd::{LANES, Lanes, simd_fn};
use crate::table::{Table, TableMut, Windows};
use core::ops::Range;

simd_fn! {
    /// Adds the gradients of kernel and bias that one sequence gives. A gradient of zero in `d_y` contributes
    /// nothing, and costs next to nothing where most are zero.
    ///
    /// # Shapes
    /// `x` `[len, in]`, `valid` `[len]`, `d_y` `[out, filters]`, `d_kernel` `[filters, taps · in]`, `d_bias`
    /// `[filters]`.
    ///
    /// # Errors
    /// If the shapes do not fit; nothing has been written then.
    ///
    /// # Cost
    /// [`convolve`](super::convolution::convolve) tells how it is computed and what it costs.
    pub fn convolve_backward_kernel, convolve_backward_kernel_at(
        windows: Windows,
        x: Table<'_>,
        valid: &[bool],
        d_y: Table<'_>,
        d_kernel: &mut TableMut<'_>,
        d_bias: &mut [f32],
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of valid", x.rows(), valid.len())?;
            ShapeMismatch::check("rows of d_kernel", d_y.dim(), d_kernel.rows())?;
            ShapeMismatch::check("dim of d_kernel", windows.taps.saturating_mul(x.dim()), d_kernel.dim())?;
            ShapeMismatch::check("length of d_bias", d_y.dim(), d_bias.len())
        } = backward_kernel_loops;

    /// Writes the gradient of one sequence; that of a step that is not `valid` is zero. A gradient of zero in
    /// `d_y` contributes nothing, and costs next to nothing where most are zero.
    ///
    /// # Shapes
    /// `valid` `[len]`, `kernel` `[filters, taps · in]`, `d_y` `[out, filters]`, `d_x` `[len, in]`.
    ///
    /// # Errors
    /// If the shapes do not fit; nothing has been written then.
    ///
    /// # Cost
    /// [`convolve`](super::convolution::convolve) tells how it is computed and what it costs.
    pub fn convolve_backward_input, convolve_backward_input_at(
        windows: Windows, valid: &[bool], kernel: Table<'_>, d_y: Table<'_>, d_x: &mut TableMut<'_>
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of d_x", valid.len(), d_x.rows())?;
            ShapeMismatch::check("rows of the kernel", d_y.dim(), kernel.rows())?;
            ShapeMismatch::check("dim of the kernel", windows.taps.saturating_mul(d_x.dim()), kernel.dim())
        } = backward_input_loops;
}

/// Calls `work` for each gradient that is not zero and each run of taps whose steps are valid and side by
/// side: with the filter, the gradient, and the numbers of a row of weights and of the sequence that the run
/// covers.
#[inline(always)]
fn each_gradient<L: Lanes>(
    lanes: L,
    windows: Windows,
    valid: &[bool],
    (dim, stride): (usize, usize),
    d_y: Table<'_>,
    mut work: impl FnMut(usize, f32, Range<usize>, Range<usize>),
) {
    // Taps side by side read steps side by side if nothing lies between them.
    let dense = windows.dilation == 1 && stride == dim;
    for output in 0..d_y.rows() {
        let row = d_y.row(output).unwrap_or_default();
        let mut tap = 0;
        while tap < windows.taps {
            let Some(step) = windows.valid_step(output, tap, valid) else {
                tap += 1;
                continue;
            };
            let most = if dense { windows.taps - tap } else { 1 };
            let run = valid.iter().skip(step).take(most).take_while(|valid| **valid).count();
            let (weights, steps) = (tap * dim..(tap + run) * dim, step * stride..step * stride + run * dim);
            each_nonzero(
                lanes,
                row,
                #[inline(always)]
                |filter, d| work(filter, d, weights.clone(), steps.clone()),
            );
            tap += run;
        }
    }
}

/// Numbers that are looked at at once: a bit of a word for each.
const WORD: usize = 64;

/// Calls `work` with the place and value of each number that is not zero.
#[inline(always)]
fn each_nonzero<L: Lanes>(lanes: L, row: &[f32], mut work: impl FnMut(usize, f32)) {
    if L::ACCUMULATORS == 1 {
        // Without vectors bits are made one by one.
        row.iter().enumerate().filter(|(_, d)| **d != 0.0).for_each(|(place, d)| work(place, *d));
        return;
    }
    for (word, first) in row.chunks(WORD).zip((0..).step_by(WORD)) {
        // A branch for each number that is there, and none for those that are zero.
        let mut bits = nonzero(lanes, word);
        while bits != 0 {
            let place = bits.trailing_zeros() as usize;
            if let Some(d) = word.get(place) {
                work(first + place, *d);
            }
            bits &= bits - 1;
        }
    }
}

/// A bit for each of up to 64 numbers, from the lowest on: whether it is not zero.
#[inline(always)]
fn nonzero<L: Lanes>(lanes: L, numbers: &[f32]) -> u64 {
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let mut bits = 0;
    for (chunk, first) in chunks.iter().zip((0..).step_by(LANES)) {
        bits |= u64::from(lanes.nonzero(chunk)) << first;
    }
    let behind = chunks.len() * LANES;
    for (d, place) in rest.iter().zip(behind..) {
        bits |= u64::from(*d != 0.0) << place;
    }
    bits
}

#[inline(always)]
fn backward_kernel_loops<L: Lanes>(
    lanes: L,
    windows: Windows,
    x: Table<'_>,
    valid: &[bool],
    d_y: Table<'_>,
    d_kernel: &mut TableMut<'_>,
    d_bias: &mut [f32],
) {
    for output in 0..d_y.rows() {
        add_multiple(lanes, 1.0, d_y.row(output).unwrap_or_default(), d_bias);
    }
    if is_worthwhile::<L>(windows, d_y, x, Some(d_kernel.as_table())) {
        add_to_kernel(lanes, windows, x, valid, d_y, d_kernel);
        return;
    }
    let numbers = x.starting_at(0);
    each_gradient(
        lanes,
        windows,
        valid,
        (x.dim(), x.stride()),
        d_y,
        #[inline(always)]
        |filter, d, weights, steps| {
            let to = d_kernel.row_mut(filter).and_then(|row| row.get_mut(weights));
            add_multiple(lanes, d, numbers.get(steps).unwrap_or_default(), to.unwrap_or_default());
        },
    );
}

#[inline(always)]
fn backward_input_loops<L: Lanes>(
    lanes: L,
    windows: Windows,
    valid: &[bool],
    kernel: Table<'_>,
    d_y: Table<'_>,
    d_x: &mut TableMut<'_>,
) {
    for step in 0..d_x.rows() {
        d_x.row_mut(step).unwrap_or_default().fill(0.0);
    }
    if is_worthwhile::<L>(windows, d_y, kernel, None) {
        add_to_input(lanes, windows, valid, kernel, d_y, d_x);
        return;
    }
    let shape = (d_x.dim(), d_x.stride());
    let numbers = d_x.starting_at_row_mut(0);
    each_gradient(
        lanes,
        windows,
        valid,
        shape,
        d_y,
        #[inline(always)]
        |filter, d, weights, steps| {
            let weights = kernel.row(filter).and_then(|row| row.get(weights));
            let to = numbers.get_mut(steps).unwrap_or_default();
            add_multiple(lanes, d, weights.unwrap_or_default(), to);
        },
    );
}
