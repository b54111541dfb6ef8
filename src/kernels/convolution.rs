//! A kernel moved along a sequence: Keras' `Conv1D`, which is a cross-correlation, and its gradients.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`convolve`].

use super::{Across, Left, Repeats, add_product, column_blocks};
use crate::error::ShapeMismatch;
use crate::simd::{LANES, Lanes, simd_fn};
use crate::table::{Table, TableMut, Windows};
use core::ops::Range;

simd_fn! {
    /// Adds to `y` the cross-correlation of a sequence and a kernel: y\[o\]\[f\] += Σ x\[o · stride + tap ·
    /// dilation − before\]\[i\] · kernel\[tap\]\[i\]\[f\] over taps and i.
    ///
    /// Steps that are padding or not `valid` contribute nothing.
    ///
    /// # Shapes
    /// `x` `[len, in]`, `valid` `[len]`, `kernel` `[taps · in, filters]`, `y` `[out, filters]`.
    ///
    /// ```
    /// use nanoembed::table::{Table, TableMut};
    /// use nanoembed::internals::{Windows, convolve};
    /// let x = [[1.0], [10.0], [100.0], [1000.0]];
    /// let kernel = [[1.0], [2.0]];
    /// let mut y = [[0.0]; 3];
    /// let windows = Windows { taps: 2, stride: 1, dilation: 1, before: 0 };
    /// let (x, kernel) = (Table::from_rows(&x), Table::from_rows(&kernel));
    /// convolve(windows, x, &[true; 4], kernel, &mut TableMut::from_rows(&mut y))?;
    /// assert_eq!(y, [[21.0], [210.0], [2100.0]]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If the shapes do not fit, or the stride is 0; `y` is then as it was.
    ///
    /// # How it is computed
    /// ```text
    /// convolve:                 for o, f:  for tap, if there is a valid step s under it:
    ///                               y[o][f] += Σ x[s][i] * w[tap][i][f]                       serial over i, from zero
    ///
    /// convolve_backward_kernel: for o, f:  d_bias[f] += d_y[o][f]
    ///                           for o, f, if d_y[o][f] ≠ 0:  for tap, if there is a valid step s under it:  for i:
    ///                               d_w[f][tap][i] += d_y[o][f] * x[s][i]
    ///
    /// convolve_backward_input:  for s, i:  d_x[s][i] = 0
    ///                           for o, f, if d_y[o][f] ≠ 0:  for tap, if there is a valid step s under it:  for i:
    ///                               d_x[s][i] += d_y[o][f] * w[f][tap][i]
    /// ```
    ///
    /// A step that the sequence does not have (padding) or that is masked is no term of any sum, and neither
    /// is a gradient of zero: whatever is multiplied by it, infinities and NaN too, counts for nothing. What
    /// the code does otherwise than these loops, and why:
    ///
    /// - Of one tap the steps under all windows are rows that lie a stride apart, whatever stride and
    ///   dilation, so the terms of a tap are a product of two matrices as they lie, and nothing is copied. A
    ///   run of windows that have a valid step under the tap is one product, in the tiles of `gemm`.
    /// - Each tap's sum starts from zero, apart from the others. So `convolve_repeated`, which is told which
    ///   steps are the same, makes the sums of every distinct step once and adds them up where they are due:
    ///   the same bits with a fraction of the multiplications, as many filters at a time as its scratch
    ///   memory holds.
    /// - Behind a maximum over all steps each filter has a gradient at one step or at few. The backward
    ///   passes make a bit for each of 64 filters, whether its gradient is zero, and go from one bit that is
    ///   set to the next; the cost is that of the gradients that are there.
    /// - For that, weights and their gradient lie filter by filter, `[filters, taps · in]`: the numbers that
    ///   one gradient goes to are neighbours. With a dilation of 1 they and the window are one run each.
    /// - Where at most three in five gradients are zero (two where registers are few), all are multiplied, as
    ///   products of matrices, tap after tap. A zero then is a term too; `dense_gradients` tells why the bits
    ///   are the same, and looks for the numbers with which they would not be. Where none is zero this takes
    ///   0.23 to 0.29 (AVX-512), 0.4 (AVX2) and 0.55 (SSE2) of the time of one gradient after the other, and
    ///   behind a rectifier 0.5, 0.78 and as long. Above that one after the other is faster.
    ///
    /// # Cost
    /// All is moved from and to the caches. Forward that is 4 taps · out · in · ⌈filters / 16⌉ bytes of x and
    /// taps · in · filters · out of the weights (a row of them serves four steps). With repeats it is the
    /// same of the distinct steps, and 4 taps · filters for each output step. Backward 8 bytes are read and 4
    /// written for each multiplication; in the products of all gradients a fraction of that, as in `gemm`.
    pub fn convolve, convolve_at(
        windows: Windows, x: Table<'_>, valid: &[bool], kernel: Table<'_>, y: &mut TableMut<'_>
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of valid", x.rows(), valid.len())?;
            ShapeMismatch::check("rows of the kernel", windows.taps.saturating_mul(x.dim()), kernel.rows())?;
            ShapeMismatch::check("dim of the kernel", y.dim(), kernel.dim())?;
            check_stride(windows)
        } = convolve_loops;

    /// The same for several sequences in which steps repeat: the same bits, with as many multiplications as
    /// there are distinct steps.
    ///
    /// If there is a `bias`, `y` starts from it, whatever stood there. `products` is scratch.
    ///
    /// # Shapes
    /// `x.steps` `[sequences · len, in]`, `x.valid` `[sequences · len]`, `kernel` `[taps · in, filters]`, `bias`
    /// `[filters]`, `y` `[sequences · out, filters]`.
    ///
    /// # Errors
    /// If the shapes do not fit, or `products` does not hold `taps` numbers for 16 filters (or all, if they
    /// are fewer) of each distinct step; `y` is then as it was.
    ///
    /// # Cost
    /// [`convolve`] tells how it is computed and what it costs.
    pub fn convolve_repeated, convolve_repeated_at(
        windows: Windows,
        x: Repeats<'_>,
        kernel: Table<'_>,
        bias: Option<&[f32]>,
        products: &mut [f32],
        y: &mut TableMut<'_>,
    ) -> Result<(), ShapeMismatch>
        where {
            let (steps, filters) = (x.steps, y.dim());
            ShapeMismatch::check("length of valid", steps.rows(), x.valid.len())?;
            ShapeMismatch::check("length of numbers", steps.rows(), x.numbers.len())?;
            ShapeMismatch::check("rows of the kernel", windows.taps.saturating_mul(steps.dim()), kernel.rows())?;
            ShapeMismatch::check("dim of the kernel", filters, kernel.dim())?;
            ShapeMismatch::check("length of bias", filters, bias.map_or(filters, <[f32]>::len))?;
            check_stride(windows)?;
            check_below("numbers", x.firsts.len(), x.numbers)?;
            check_below("first steps", steps.rows(), x.firsts)?;
            check_sequences(steps.rows(), x.sequences)?;
            check_sequences(y.rows(), x.sequences)?;
            check_room(x.firsts.len().saturating_mul(windows.taps), filters, products.len())
        } = convolve_repeated_loops;
}

/// Rows of x as the left factor of a product whose sums stand apart.
#[derive(Clone, Copy)]
struct Steps<'a>(Table<'a>);

impl Left for Steps<'_> {
    const APART: bool = true;

    #[inline(always)]
    fn columns<const R: usize>(&self, i: usize) -> Option<impl Iterator<Item = [f32; R]> + Clone> {
        Across::new(|q| self.0.row(i + q))
    }
}

/// The same, for rows that stand anywhere.
#[derive(Clone, Copy)]
struct Listed<'a> {
    x: Table<'a>,
    rows: &'a [u32],
}

impl Left for Listed<'_> {
    const APART: bool = true;

    #[inline(always)]
    fn columns<const R: usize>(&self, i: usize) -> Option<impl Iterator<Item = [f32; R]> + Clone> {
        Across::new(|q| self.x.row(*self.rows.get(i + q)? as usize))
    }
}

/// The weights of one tap, `[in, filters]`, from filter `first` on.
#[inline(always)]
fn weights_of(kernel: Table<'_>, dim: usize, tap: usize, filters: Range<usize>) -> Option<Table<'_>> {
    let from = kernel.starting_at(tap * dim * kernel.stride() + filters.start);
    Table::with_stride(from, dim, filters.len(), kernel.stride()).ok()
}

#[inline(always)]
fn convolve_loops<L: Lanes>(
    lanes: L,
    windows: Windows,
    x: Table<'_>,
    valid: &[bool],
    kernel: Table<'_>,
    y: &mut TableMut<'_>,
) {
    for tap in 0..windows.taps {
        let Some(weights) = weights_of(kernel, x.dim(), tap, 0..y.dim()) else { continue };
        let outputs = y.rows();
        windows.each_run(
            tap,
            outputs,
            valid,
            #[inline(always)]
            |outputs, first| {
                if let Some(steps) = windows.steps(x, first, outputs.len()) {
                    add_tap(lanes, steps, weights, y, outputs.start);
                }
            },
        );
    }
}

/// The terms of one tap for as many outputs, from `output` on, as there are steps.
#[inline(always)]
fn add_tap<L: Lanes>(lanes: L, steps: Table<'_>, weights: Table<'_>, y: &mut TableMut<'_>, output: usize) {
    let (filters, stride) = (y.dim(), y.stride());
    // There are as many outputs.
    if let Ok(mut to) = TableMut::with_stride(y.starting_at_row_mut(output), steps.rows(), filters, stride) {
        add_product(lanes, Steps(steps), weights, &mut to);
    }
}

#[inline(always)]
fn convolve_repeated_loops<L: Lanes>(
    lanes: L,
    windows: Windows,
    x: Repeats<'_>,
    kernel: Table<'_>,
    bias: Option<&[f32]>,
    products: &mut [f32],
    y: &mut TableMut<'_>,
) {
    let filters = y.dim();
    let Repeats { sequences, steps, valid, numbers, firsts } = x;
    let (len, out) = (in_each(steps.rows(), sequences), in_each(y.rows(), sequences));
    let width = width(firsts.len().saturating_mul(windows.taps), filters, products.len());
    let mut first = 0;
    while width > 0 && first < filters {
        let last = least(first + width, filters);
        let columns = windows.taps * (last - first);
        let made = products.get_mut(..firsts.len() * columns).unwrap_or_default();
        multiply(lanes, windows.taps, x, kernel, made, first..last);
        let Ok(made) = Table::new(made, firsts.len(), columns) else { return };
        let bias = bias.and_then(|bias| bias.get(first..last));
        for sequence in 0..sequences {
            let own = sequence * len..(sequence + 1) * len;
            let valid = valid.get(own.clone()).unwrap_or_default();
            let numbers = numbers.get(own).unwrap_or_default();
            for output in 0..out {
                let row = y.row_mut(sequence * out + output).and_then(|row| row.get_mut(first..last));
                add_products::<L>(windows, output, valid, numbers, made, bias, row.unwrap_or_default());
            }
        }
        first = last;
    }
}

/// Whether all places are below `bound`.
#[inline(always)]
fn check_below(what: &'static str, bound: usize, places: &[u32]) -> Result<(), ShapeMismatch> {
    match places.iter().find(|place| **place as usize >= bound) {
        Some(place) => Err(ShapeMismatch { what, expected: bound, found: *place as usize }),
        None => Ok(()),
    }
}

/// Whether the windows move.
#[inline(always)]
fn check_stride(windows: Windows) -> Result<(), ShapeMismatch> {
    match windows.stride {
        0 => Err(ShapeMismatch { what: "stride, at least", expected: 1, found: 0 }),
        _ => Ok(()),
    }
}

/// Whether all sequences have the same number of rows.
#[inline(always)]
fn check_sequences(rows: usize, sequences: usize) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of all sequences", in_each(rows, sequences) * sequences, rows)
}

/// Whether the scratch has room for sixteen filters, or for all.
#[inline(always)]
fn check_room(size: usize, filters: usize, room: usize) -> Result<(), ShapeMismatch> {
    let expected = size.saturating_mul(least(filters, LANES));
    if width(size, filters, room) < least(filters, LANES) {
        return Err(ShapeMismatch { what: "length of the products, at least", expected, found: room });
    }
    Ok(())
}

/// How many of so many rows each sequence has.
#[inline(always)]
fn in_each(rows: usize, sequences: usize) -> usize {
    rows.checked_div(sequences).unwrap_or(0)
}

#[inline(always)]
fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// How many filters to do at a time, if each takes `size` of the `room` numbers of scratch: all, or a
/// multiple of sixteen; 0 where there is no room for so many.
#[inline(always)]
fn width(size: usize, filters: usize, room: usize) -> usize {
    let fits = room.checked_div(size).unwrap_or(filters);
    if fits < filters { fits - fits % LANES } else { filters }
}

/// The products of distinct rows with some columns of the kernel: of a row one tap after the other.
#[inline(always)]
fn multiply<L: Lanes>(
    lanes: L,
    taps: usize,
    x: Repeats<'_>,
    kernel: Table<'_>,
    products: &mut [f32],
    filters: Range<usize>,
) {
    let (width, rows) = (filters.len(), x.firsts);
    products.fill(0.0);
    for tap in 0..taps {
        let to = products.get_mut(tap * width..).unwrap_or_default();
        if let Ok(mut to) = TableMut::with_stride(to, rows.len(), width, taps * width)
            && let Some(weights) = weights_of(kernel, x.steps.dim(), tap, filters.clone())
        {
            add_product(lanes, Listed { x: x.steps, rows }, weights, &mut to);
        }
    }
}

/// Adds what stands under one window, tap after tap.
#[inline(always)]
fn add_products<L: Lanes>(
    windows: Windows,
    output: usize,
    valid: &[bool],
    numbers: &[u32],
    products: Table<'_>,
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    let width = y.len();
    column_blocks!(L, as_chunks_mut(y), |block, column| {
        let mut total = bias.and_then(|bias| bias.get(column..)?.first_chunk()).map_or(*block, |bias| *bias);
        for tap in 0..windows.taps {
            let step = windows.valid_step(output, tap, valid);
            let Some(number) = step.and_then(|step| numbers.get(step)) else { continue };
            let Some(row) = products.row(*number as usize) else { continue };
            let Some(terms) = row.get(tap * width + column..).and_then(<[f32]>::first_chunk) else {
                continue;
            };
            add(terms, &mut total);
        }
        *block = total;
    });
}

#[inline(always)]
fn add<const WIDTH: usize>(terms: &[f32; WIDTH], total: &mut [f32; WIDTH]) {
    for (total, term) in total.iter_mut().zip(terms) {
        *total += term;
    }
}
