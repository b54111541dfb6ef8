//! Long short-term memory along sequences.
//!
//! All sequences of a batch take a step together, so that the products with the recurrent weights are those
//! of matrices. Rows of views `[n · len, ..]` are steps of sequences that follow each other.

use super::dense::fill_rows;
use crate::kernels::shaped::{axpy, gemm, gemm_nt, gemm_tn, lstm_gates, lstm_gates_backward};
use crate::simd::prefetch;
use crate::slices::copy;
use crate::table::{Table, TableMut};

/// The weights of a layer, and how it reads sequences.
#[derive(Clone, Copy)]
pub(crate) struct Lstm<'a> {
    /// W `[in, 4 · units]`.
    pub(crate) kernel: Table<'a>,
    /// U `[units, 4 · units]`.
    pub(crate) recurrent_kernel: Table<'a>,
    /// b `[4 · units]`.
    pub(crate) bias: &'a [f32],
    /// Steps of a sequence.
    pub(crate) len: usize,
    /// From the last step to the first.
    pub(crate) backwards: bool,
    /// Whether the outputs of all steps are given, `[n · len, units]` in the order in which they are read, or
    /// the last, `[n, units]`.
    pub(crate) sequences: bool,
}

/// h and c of each sequence, `[n, units]`, or their gradients.
pub(crate) struct State<'a> {
    pub(crate) h: TableMut<'a>,
    pub(crate) c: TableMut<'a>,
}

/// What is kept of each step, `[n · len, ..]`: what σ and tanh gave, and h and c before the step.
pub(crate) struct Kept<'a> {
    /// `[n · len, 4 · units]`; the backward pass writes the gradients of the logits over it.
    pub(crate) gates: TableMut<'a>,
    pub(crate) h: TableMut<'a>,
    pub(crate) c: TableMut<'a>,
}

/// The gradients of the weights, which are added to.
pub(crate) struct Gradients<'a> {
    pub(crate) kernel: TableMut<'a>,
    pub(crate) recurrent_kernel: TableMut<'a>,
    pub(crate) bias: &'a mut [f32],
}

/// Steps whose share of a gradient is added at once, so that they stay in the second cache for all products
/// with them.
const STEPS: usize = 64;

impl Lstm<'_> {
    /// Which step is the `number`-th that is read; its own inverse.
    fn step(&self, number: usize) -> usize {
        if self.backwards { self.len.saturating_sub(number).saturating_sub(1) } else { number }
    }

    /// The row of the outputs to which the `number`-th step of a sequence belongs, if its output is given.
    fn output(&self, sequence: usize, number: usize) -> Option<usize> {
        let is_last = number + 1 == self.len;
        if self.sequences { Some(sequence * self.len + number) } else { is_last.then_some(sequence) }
    }

    /// Whether any sequence has step `t`.
    fn is_any_valid(&self, masks: &[bool], t: usize) -> bool {
        masks.iter().skip(t).step_by(self.len.max(1)).any(|valid| *valid)
    }

    /// z = b + x\[t\] W + h U of all sequences.
    fn logits(&self, x: Table<'_>, t: usize, h: Table<'_>, z: &mut TableMut<'_>) {
        fill_rows(z, self.bias);
        gemm(x.every(t, self.len), self.kernel, z);
        gemm(h, self.recurrent_kernel, z);
    }

    /// The outputs of x `[n · len, in]`; `gates` `[n, 4 · units]` is scratch.
    pub(crate) fn infer(
        &self,
        x: Table<'_>,
        masks: &[bool],
        state: State<'_>,
        mut gates: TableMut<'_>,
        mut y: TableMut<'_>,
    ) {
        let State { mut h, mut c } = state;
        start(&mut h, &mut c);
        for number in 0..self.len {
            let t = self.step(number);
            if self.is_any_valid(masks, t) {
                self.logits(x, t, h.as_table(), &mut gates);
            }
            for sequence in 0..h.rows() {
                let (Some(h), Some(c)) = (h.row_mut(sequence), c.row_mut(sequence)) else { continue };
                if let Some(true) = masks.get(sequence * self.len + t)
                    && let Some(gates) = gates.row_mut(sequence)
                {
                    lstm_gates(gates, c, h);
                }
                if let Some(y) = self.output(sequence, number).and_then(|row| y.row_mut(row)) {
                    copy(h, y);
                }
            }
        }
    }

    /// The same, and keeps what the backward pass needs.
    pub(crate) fn forward(
        &self,
        x: Table<'_>,
        masks: &[bool],
        state: State<'_>,
        kept: Kept<'_>,
        mut y: TableMut<'_>,
    ) {
        let State { mut h, mut c } = state;
        let Kept { mut gates, h: mut h_before, c: mut c_before } = kept;
        start(&mut h, &mut c);
        for number in 0..self.len {
            let t = self.step(number);
            if self.is_any_valid(masks, t) {
                self.logits(x, t, h.as_table(), &mut gates.every_mut(t, self.len));
            }
            let after = self.step(number + 1);
            for sequence in 0..h.rows() {
                let first = sequence * self.len;
                announce(x, first + after);
                announce(gates.as_table(), first + after);
                announce(h_before.as_table(), first + after);
                announce(c_before.as_table(), first + after);
                let (Some(h), Some(c)) = (h.row_mut(sequence), c.row_mut(sequence)) else { continue };
                if let Some(true) = masks.get(first + t)
                    && let Some(gates) = gates.row_mut(first + t)
                    && let Some(h_before) = h_before.row_mut(first + t)
                    && let Some(c_before) = c_before.row_mut(first + t)
                {
                    copy(h, h_before);
                    copy(c, c_before);
                    lstm_gates(gates, c, h);
                }
                if let Some(y) = self.output(sequence, number).and_then(|row| y.row_mut(row)) {
                    copy(h, y);
                }
            }
        }
    }

    /// Adds the gradients of the weights and writes that of x, from that of y; `d_h` `[n, units]` is scratch.
    #[allow(clippy::too_many_arguments)] // Each has its own meaning, and one caller lends them.
    pub(crate) fn backward(
        &self,
        x: Table<'_>,
        masks: &[bool],
        state: State<'_>,
        kept: Kept<'_>,
        mut d_before: TableMut<'_>,
        d_y: Table<'_>,
        gradients: Option<Gradients<'_>>,
        d_x: Option<TableMut<'_>>,
    ) {
        let State { h: mut d_h, c: mut d_c } = state;
        let Kept { mut gates, h, c } = kept;
        start(&mut d_h, &mut d_c);
        for number in (0..self.len).rev() {
            let (t, before) = (self.step(number), self.step(number.saturating_sub(1)));
            for sequence in 0..d_h.rows() {
                let first = sequence * self.len;
                let (Some(d_h), Some(d_c)) = (d_h.row_mut(sequence), d_c.row_mut(sequence)) else { continue };
                if let Some(d_y) = self.output(sequence, number).and_then(|row| d_y.row(row)) {
                    axpy(1.0, d_y, d_h);
                }
                announce(gates.as_table(), first + before);
                announce(c.as_table(), first + before);
                if let Some(true) = masks.get(first + t)
                    && let Some(gates) = gates.row_mut(first + t)
                    && let Some(c) = c.as_table().row(first + t)
                {
                    lstm_gates_backward(gates, c, d_h, d_c);
                }
            }
            if number == 0 || !self.is_any_valid(masks, t) {
                continue;
            }
            gemm_nt(gates.as_table().every(t, self.len), self.recurrent_kernel, &mut d_before);
            for sequence in 0..d_h.rows() {
                if let Some(true) = masks.get(sequence * self.len + t)
                    && let Some(d_before) = d_before.as_table().row(sequence)
                    && let Some(d_h) = d_h.row_mut(sequence)
                {
                    copy(d_before, d_h);
                }
            }
        }
        self.add_products(x, masks, h.as_table(), gates.as_table(), gradients, d_x);
    }

    /// From the gradients of all logits, adds the gradients of the weights and writes that of x.
    ///
    /// In runs of steps that are all valid or all masked, sequence by sequence. Each product goes on from the
    /// sum that is in the gradient, so where a run or a batch ends changes no bits.
    fn add_products(
        &self,
        x: Table<'_>,
        masks: &[bool],
        h: Table<'_>,
        d_z: Table<'_>,
        mut gradients: Option<Gradients<'_>>,
        mut d_x: Option<TableMut<'_>>,
    ) {
        let (mut rest, mut first) = (masks, 0);
        while let Some((valid, steps)) = next_run(&mut rest) {
            let d_z = d_z.part(first, steps);
            let d_x = d_x.as_mut().map(|d_x| d_x.part_mut(first, steps));
            if let (true, Some(gradients)) = (valid, &mut gradients) {
                gradients.add(x.part(first, steps), h.part(first, steps), d_z);
            }
            if let Some(mut d_x) = d_x {
                if valid {
                    gemm_nt(d_z, self.kernel, &mut d_x);
                } else {
                    zero(&mut d_x);
                }
            }
            first += steps;
        }
    }
}

impl Gradients<'_> {
    /// Adds the share of some steps: their inputs, the h before them, the gradients of their logits.
    fn add(&mut self, x: Table<'_>, h: Table<'_>, d_z: Table<'_>) {
        // First, because it reads the gradients in order, which brings them into the caches.
        for step in 0..d_z.rows() {
            if let Some(d_z) = d_z.row(step) {
                axpy(1.0, d_z, self.bias);
            }
        }
        gemm_tn(x, d_z, &mut self.kernel);
        gemm_tn(h, d_z, &mut self.recurrent_kernel);
    }
}

/// Takes the next steps off, at most [`STEPS`], that are all valid or all masked: which of the two, and how
/// many.
fn next_run(masks: &mut &[bool]) -> Option<(bool, usize)> {
    let valid = *masks.first()?;
    let steps = masks.iter().take(STEPS).take_while(|other| **other == valid).count();
    masks.split_off(..steps)?;
    Some((valid, steps))
}

/// Before the first step h and c are zero.
fn start(h: &mut TableMut<'_>, c: &mut TableMut<'_>) {
    zero(h);
    zero(c);
}

fn zero(table: &mut TableMut<'_>) {
    for row in 0..table.rows() {
        if let Some(row) = table.row_mut(row) {
            row.fill(0.0);
        }
    }
}

/// Asks for a step to be brought near.
///
/// The steps that follow each other in time lie a whole sequence apart for each example, too many places for
/// the processor to see a pattern in.
#[inline(always)]
fn announce(steps: Table<'_>, row: usize) {
    prefetch(steps.starting_at(row * steps.stride()), 0, steps.dim());
}
