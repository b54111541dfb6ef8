//! A convolution along a sequence, example by example.

use super::dense::fill_rows;
use crate::kernels::shaped::{
    convolve, convolve_backward_input, convolve_backward_kernel, distinct_rows, transpose,
};
use crate::kernels::{Repeats, convolve_repeated};
use crate::table::{Padding, Table, TableMut, Windows};

/// Where the windows of a convolution are, and which outputs are valid.
#[derive(Clone, Copy)]
pub(crate) struct Convolution {
    pub(crate) windows: Windows,
    pub(crate) padding: Padding,
    /// Whether an output is valid only if it is so whatever stands around the sequence.
    pub(crate) strict: bool,
}

/// Memory for the products of steps that are the same.
pub(crate) struct Scratch<'a> {
    /// Which of the distinct steps each step is, `[n · len]`.
    pub(crate) numbers: &'a mut [u32],
    /// Where each distinct step occurs first, `[n · len]`.
    pub(crate) firsts: &'a mut [u32],
    /// `[n · len]`.
    pub(crate) slots: &'a mut [u32],
    /// Of distinct steps and the kernel, `[n · len · filters]`.
    pub(crate) products: &'a mut [f32],
}

/// Whether a step has so many products that it is worth to look for steps that are the same.
pub(crate) const fn is_worth_looking(taps: usize, filters: usize) -> bool {
    taps.saturating_mul(filters) >= 64
}

impl Convolution {
    /// Whether an output step is valid, of the mask of its sequence.
    pub(crate) fn is_valid(self, output: usize, mask: &[bool]) -> bool {
        let Windows { taps, dilation, .. } = self.windows;
        let mut taps = 0..taps;
        let reach = dilation * taps.len().saturating_sub(1);
        let is_there = |tap| self.windows.valid_step(output, tap, mask).is_some();
        match (self.strict, self.padding) {
            (false, _) => taps.any(is_there),
            (true, Padding::Valid) => taps.all(is_there),
            (true, padding) => padding
                .own_step(output, reach, self.windows)
                .and_then(|step| mask.get(step))
                .is_some_and(|valid| *valid),
        }
    }

    /// Writes which outputs of one sequence are valid.
    pub(crate) fn mark_valid(self, mask: &[bool], y_mask: &mut [bool]) {
        for (output, valid) in y_mask.iter_mut().enumerate() {
            *valid = self.is_valid(output, mask);
        }
    }

    /// y `[out, filters]` = bias + the products of x `[len, in]` and the kernel `[taps · in, filters]`, of one
    /// sequence.
    #[inline]
    pub(crate) fn multiply(
        self,
        x: Table<'_>,
        mask: &[bool],
        kernel: Table<'_>,
        bias: &[f32],
        mut y: TableMut<'_>,
    ) {
        fill_rows(&mut y, bias);
        convolve(self.windows, x, mask, kernel, &mut y);
    }

    /// The same for all sequences, x `[sequences · len, in]` and y `[sequences · out, filters]`; the products of
    /// steps that are the same are made once. False, and nothing written, if too few are the same or `scratch`
    /// is too small for their products.
    #[allow(clippy::too_many_arguments)] // Each has its own meaning, and two callers lend them.
    pub(crate) fn multiply_repeated(
        self,
        sequences: usize,
        x: Table<'_>,
        masks: &[bool],
        kernel: Table<'_>,
        bias: &[f32],
        scratch: Scratch<'_>,
        mut y: TableMut<'_>,
    ) -> bool {
        let Scratch { numbers, firsts, slots, products } = scratch;
        let Some((firsts, _)) = firsts.split_at_mut_checked(x.rows() / 2) else { return false };
        let Some(distinct) = distinct_rows(x, numbers, firsts, slots) else { return false };
        let Some(firsts) = firsts.get(..distinct) else { return false };
        let repeats = Repeats { sequences, steps: x, valid: masks, numbers, firsts };
        // The one shape that is not known before: how much room the products take depends on how many steps
        // are distinct.
        convolve_repeated(self.windows, repeats, kernel, Some(bias), products, &mut y).is_ok()
    }

    /// Where masks are strict: makes zeros of the outputs, or of their gradients, that are not valid.
    pub(crate) fn clear_invalid(self, mask: &[bool], mut y: TableMut<'_>) {
        if self.strict {
            for output in 0..y.rows() {
                if !self.is_valid(output, mask)
                    && let Some(y) = y.row_mut(output)
                {
                    y.fill(0.0);
                }
            }
        }
    }

    /// Adds the gradients of the kernel, filter by filter `[filters, taps · in]`, and of the bias, of one
    /// sequence.
    #[inline]
    pub(crate) fn backward_parameters(
        self,
        x: Table<'_>,
        mask: &[bool],
        d_y: Table<'_>,
        d_kernel: &mut TableMut<'_>,
        d_bias: &mut [f32],
    ) {
        convolve_backward_kernel(self.windows, x, mask, d_y, d_kernel, d_bias);
    }

    /// Writes the gradient of x of one sequence; the kernel is filter by filter, `[filters, taps · in]`.
    #[inline]
    pub(crate) fn backward_input(
        self,
        mask: &[bool],
        by_filter: Table<'_>,
        d_y: Table<'_>,
        mut d_x: TableMut<'_>,
    ) {
        convolve_backward_input(self.windows, mask, by_filter, d_y, &mut d_x);
    }
}

/// The kernel `[taps · in, filters]`, filter by filter; or the other way round.
#[inline]
pub(crate) fn transposed(kernel: Table<'_>, mut to: TableMut<'_>) {
    transpose(kernel, &mut to);
}
