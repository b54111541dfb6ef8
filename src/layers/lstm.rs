//! A recurrent layer with a memory: long short-term memory.

use super::plain::plain_fields;
use super::recurrence::{Direction, GoForwards, ReturnLast, Returned};
use super::steps::{announce, at, at_mut, rows, rows_mut};
use super::value::{first, first_mut};
use super::{Batch, BatchMut, Bytes, Context, Fingerprint, Layer, LayerSummary, Value};
use super::{glorot_uniform, orthogonal};
use crate::kernels::{axpy, gemm, gemm_nt, gemm_tn, lstm_gates, lstm_gates_backward, sum_of_squares};
use crate::optim::{Optimizer, Step};
use crate::table::{Numbers, Table, TableMut};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// Keras' `LSTM(UNITS, return_sequences=R, go_backwards=D)` (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers,
/// Schmidhuber and Cummins, 2000): for each step t with z = x\[t\] W + h U + b in four blocks,
///
/// ```text
/// i = σ(z0)   f = σ(z1)   g = tanh(z2)   o = σ(z3)        c ← f · c + i · g        h ← o · tanh(c)
/// ```
///
/// from h = c = 0. Its output is the last h, `[f32; UNITS]`; with [`ReturnSequences`](super::ReturnSequences) all of them.
///
/// # Shapes
/// x `[LEN, IN]`, W (`kernel`) `[IN, 4, UNITS]`, U (`recurrent_kernel`) `[UNITS, 4, UNITS]`, b (`bias`) `[4, UNITS]`,
/// y `[UNITS]` or `[LEN, UNITS]`. The four blocks are Keras' i, f, c, o, so W is its kernel of shape `(IN, 4 · UNITS)`, row by row.
///
/// Initial values: W Glorot uniform, U orthogonal, b zeros but ones for f (`unit_forget_bias`).
///
/// # Masks
/// A masked step changes neither h nor c: its output is the one before it, zeros if there is none. A sequence without a valid
/// step so gives zeros, and learns nothing. With `ReturnSequences` the mask goes on with the outputs.
/// With [`GoBackwards`](super::GoBackwards) the last step is read first, and the first output is its; the mask then is turned round
/// too, which Keras forgets.
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Reviews = sequential![Embedding<500, 5000, 32>, Lstm<500, 32, 100>, Dense<100, 1, Sigmoid>];
/// type Deep = sequential![
///     Embedding<20, 50, 8, u16, MaskZero>,
///     Lstm<20, 8, 16, ReturnSequences>,
///     Lstm<20, 16, 16, ReturnLast, GoBackwards>,
///     Dense<16, 3, Softmax>,
/// ];
/// assert_eq!(size_of::<Lstm<500, 32, 100>>(), 4 * 4 * (32 * 100 + 100 * 100 + 100));
/// let short = Lstm::<2, 1, 3>::zeroed();
/// assert_eq!(short.predict(&[[1.0], [2.0]])?, [0.0; 3]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// An extent of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Layer, Lstm};
/// let _ = Lstm::<0, 8, 16>::zeroed();
/// ```
///
/// # Cost
/// A training step keeps 6 · UNITS numbers for each step of each example: the gates, and the h and c before it. The products with
/// U run over all examples at once; a step that no example has is skipped.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Lstm<const LEN: usize, const IN: usize, const UNITS: usize, R = ReturnLast, D = GoForwards> {
    /// W.
    pub kernel: [[[f32; UNITS]; 4]; IN],
    /// U.
    pub recurrent_kernel: [[[f32; UNITS]; 4]; UNITS],
    /// b.
    pub bias: [[f32; UNITS]; 4],
    options: PhantomData<(R, D)>,
}

plain_fields!(impl[const LEN: usize, const IN: usize, const UNITS: usize, R, D] Lstm<LEN, IN, UNITS, R, D> {
    kernel: [[[f32; UNITS]; 4]; IN] as [IN, 4 * UNITS, 0, 0],
    recurrent_kernel: [[[f32; UNITS]; 4]; UNITS] as [UNITS, 4 * UNITS, 0, 0],
    bias: [[f32; UNITS]; 4] as [4 * UNITS, 0, 0, 0],
});

/// The gradient of an [`Lstm`], summed over examples, and of an example over its steps.
#[derive(Debug, FromZeros)]
pub struct LstmGradient<const IN: usize, const UNITS: usize> {
    kernel: [[[f32; UNITS]; 4]; IN],
    recurrent_kernel: [[[f32; UNITS]; 4]; UNITS],
    bias: [[f32; UNITS]; 4],
}

/// Optimizer state of an [`Lstm`].
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct LstmSlots<K, U, B> {
    kernel: K,
    recurrent_kernel: U,
    bias: B,
}

plain_fields!(impl[K: Bytes, U: Bytes, B: Bytes] LstmSlots<K, U, B> { kernel: K, recurrent_kernel: U, bias: B });

/// h and c of each example, or their gradients.
#[derive(FromZeros)]
struct State<const UNITS: usize, const BATCH: usize> {
    h: [[f32; UNITS]; BATCH],
    c: [[f32; UNITS]; BATCH],
}

/// Scratch of an [`Lstm`] in use: its state, and the gates of one step.
#[derive(FromZeros)]
pub struct LstmWorkspace<const UNITS: usize, const BATCH: usize> {
    state: State<UNITS, BATCH>,
    gates: [[[f32; UNITS]; 4]; BATCH],
}

/// What an [`Lstm`] keeps of each step for the backward pass. That pass writes the gradients of the gates over the gates, so
/// a forward pass serves one backward pass.
#[derive(FromZeros)]
pub struct LstmCache<const LEN: usize, const UNITS: usize, const BATCH: usize> {
    /// What σ and tanh gave.
    gates: [[[[f32; UNITS]; 4]; LEN]; BATCH],
    /// h before the step.
    h: [[[f32; UNITS]; LEN]; BATCH],
    /// c before the step.
    c: [[[f32; UNITS]; LEN]; BATCH],
    state: State<UNITS, BATCH>,
    d_before: [[f32; UNITS]; BATCH],
}

/// Steps whose share of a gradient is added at once, so that they stay in the second cache for all products with them.
const STEPS: usize = 64;

/// Whether a step is valid.
fn is_valid<const LEN: usize>(mask: &[bool; LEN], step: usize) -> bool {
    mask.get(step).is_some_and(|valid| *valid)
}

/// Takes the next steps off, at most [`STEPS`], that are all valid or all masked: which of the two, and how many.
fn next_run(masks: &mut &[bool]) -> Option<(bool, usize)> {
    let valid = *masks.first()?;
    let steps = masks.iter().take(STEPS).take_while(|other| **other == valid).count();
    masks.split_off(..steps)?;
    Some((valid, steps))
}

impl<const UNITS: usize, const BATCH: usize> State<UNITS, BATCH> {
    /// h and c of the first `n` examples, all zero.
    fn start(&mut self, n: usize) -> (&mut [[f32; UNITS]], &mut [[f32; UNITS]]) {
        let (h, c) = (first_mut(&mut self.h, n), first_mut(&mut self.c, n));
        h.fill([0.0; UNITS]);
        c.fill([0.0; UNITS]);
        (h, c)
    }
}

impl<const LEN: usize, const IN: usize, const UNITS: usize, R: Returned, D: Direction>
    Lstm<LEN, IN, UNITS, R, D>
{
    /// z = b + x\[step\] W + h U for all examples.
    fn logits(
        &self,
        x: &[[[f32; IN]; LEN]],
        step: usize,
        h: &[[f32; UNITS]],
        mut z: TableMut<'_>,
    ) -> Option<()> {
        for example in 0..z.rows() {
            for (z, b) in z.row_mut(example)?.iter_mut().zip(self.bias.as_numbers()) {
                *z = *b;
            }
        }
        gemm(at(x, step)?, rows(&self.kernel)?, &mut z).ok()?;
        gemm(rows(h)?, rows(&self.recurrent_kernel)?, &mut z).ok()
    }

    /// From the gradients of all logits, adds the gradient of the parameters and writes that of the inputs.
    ///
    /// In runs of steps that are all valid or all masked, example by example. Each product goes on from the sum that stands in the
    /// gradient, so where a run or a batch ends changes no bits.
    fn add_products(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        h: &[[[f32; UNITS]; LEN]],
        d_z: &[[[[f32; UNITS]; 4]; LEN]],
        mut gradient: Option<&mut LstmGradient<IN, UNITS>>,
        d_x: &mut [[[f32; IN]; LEN]],
    ) {
        let (mut h, mut d_z, mut d_x) = (h.as_flattened(), d_z.as_flattened(), d_x.as_flattened_mut());
        let (mut x, mut masks) = (x.values.as_flattened(), x.masks.as_flattened());
        while let Some((valid, steps)) = next_run(&mut masks) {
            let x = x.split_off(..steps).unwrap_or_default();
            let h = h.split_off(..steps).unwrap_or_default();
            let d_z = d_z.split_off(..steps).unwrap_or_default();
            // Nothing where nobody asks for it.
            let d_x = d_x.split_off_mut(..steps).unwrap_or_default();
            if !valid {
                d_x.fill([0.0; IN]);
                continue;
            }
            if let Some(gradient) = &mut gradient {
                let _ = gradient.add(x, h, d_z);
            }
            if !d_x.is_empty() {
                let factors = rows(d_z).zip(rows(&self.kernel));
                let _ = factors.map(|(d_z, w)| gemm_nt(d_z, w, &mut TableMut::from_rows(d_x)));
            }
        }
    }

    /// Writes the masks of the outputs.
    fn pass_on(masks: &[[bool; LEN]], y_masks: &mut [<R::Output<LEN, UNITS> as Value>::Mask]) {
        for (mask, y_mask) in masks.iter().zip(y_masks) {
            let mut mask = *mask;
            if D::BACKWARDS {
                mask.reverse();
            }
            *y_mask = R::mask::<LEN, UNITS>(mask);
        }
    }
}

impl<const LEN: usize, const IN: usize, const UNITS: usize, R: Returned, D: Direction> Layer
    for Lstm<LEN, IN, UNITS, R, D>
{
    type Input = [[f32; IN]; LEN];
    type Output = R::Output<LEN, UNITS>;
    type InputGradient = [[f32; IN]; LEN];
    type Workspace<const BATCH: usize> = LstmWorkspace<UNITS, BATCH>;
    type Cache<const BATCH: usize> = LstmCache<LEN, UNITS, BATCH>;
    type Gradient<const BATCH: usize> = LstmGradient<IN, UNITS>;
    type Slots<O: Optimizer> = LstmSlots<
        O::Slots<[[[f32; UNITS]; 4]; IN]>,
        O::Slots<[[[f32; UNITS]; 4]; UNITS]>,
        O::Slots<[[f32; UNITS]; 4]>,
    >;

    const FINGERPRINT: Fingerprint = {
        assert!(LEN > 0 && IN > 0 && UNITS > 0, "Lstm<LEN, IN, UNITS>: all must be at least 1");
        let direction = if D::BACKWARDS { "backwards" } else { "forwards" };
        Fingerprint::of("lstm").extent(LEN).extent(IN).extent(UNITS).name(R::NAME).name(direction)
    };

    fn init(&mut self, random: &mut impl Rng) {
        glorot_uniform(self.kernel.as_numbers_mut(), IN, 4 * UNITS, random);
        orthogonal(self.recurrent_kernel.as_numbers_mut(), 4 * UNITS, random);
        let zeros = [0.0; UNITS];
        self.bias = [zeros, [1.0; UNITS], zeros, zeros];
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        workspace: &mut LstmWorkspace<UNITS, BATCH>,
        y: BatchMut<'_, R::Output<LEN, UNITS>>,
    ) {
        let n = x.values.len();
        let (h, c) = workspace.state.start(n);
        let gates = first_mut(&mut workspace.gates, n);
        for number in 0..LEN {
            let step = D::step(number, LEN);
            if x.masks.iter().any(|mask| is_valid(mask, step)) {
                // The types fix the shapes.
                let _ = rows_mut(gates).and_then(|z| self.logits(x.values, step, h, z));
            }
            let state = h.iter_mut().zip(&mut *c).zip(&mut *gates);
            for ((((h, c), gates), mask), y) in state.zip(x.masks).zip(&mut *y.values) {
                if is_valid(mask, step) {
                    let _ = lstm_gates(gates.as_numbers_mut(), c, h);
                }
                if let Some(y) = R::row_mut(y, number) {
                    *y = *h;
                }
            }
        }
        Self::pass_on(x.masks, y.masks);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        cache: &mut LstmCache<LEN, UNITS, BATCH>,
        _: Context,
        y: BatchMut<'_, R::Output<LEN, UNITS>>,
    ) {
        let n = x.values.len();
        let (h, c) = cache.state.start(n);
        let (gates, h_before, c_before) =
            (first_mut(&mut cache.gates, n), first_mut(&mut cache.h, n), first_mut(&mut cache.c, n));
        for number in 0..LEN {
            let step = D::step(number, LEN);
            if x.masks.iter().any(|mask| is_valid(mask, step)) {
                // The types fix the shapes.
                let _ = at_mut(gates, step).and_then(|z| self.logits(x.values, step, h, z));
            }
            let after = D::step(number + 1, LEN);
            let state = h.iter_mut().zip(&mut *c);
            let kept = x.values.iter().zip(&mut *gates).zip(&mut *h_before).zip(&mut *c_before);
            for ((((h, c), kept), mask), y) in state.zip(kept).zip(x.masks).zip(&mut *y.values) {
                let (((x, gates), h_before), c_before) = kept;
                announce(x, after);
                announce(gates, after);
                announce(h_before, after);
                announce(c_before, after);
                let kept = gates.get_mut(step).zip(h_before.get_mut(step)).zip(c_before.get_mut(step));
                if let (true, Some(((gates, h_before), c_before))) = (is_valid(mask, step), kept) {
                    (*h_before, *c_before) = (*h, *c);
                    let _ = lstm_gates(gates.as_numbers_mut(), c, h);
                }
                if let Some(y) = R::row_mut(y, number) {
                    *y = *h;
                }
            }
        }
        Self::pass_on(x.masks, y.masks);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        cache: &mut LstmCache<LEN, UNITS, BATCH>,
        d_y: &[R::Output<LEN, UNITS>],
        gradient: Option<&mut LstmGradient<IN, UNITS>>,
        d_x: Option<&mut [[[f32; IN]; LEN]]>,
    ) {
        let n = x.values.len();
        let (d_h, d_c) = cache.state.start(n);
        let (gates, c_before) = (first_mut(&mut cache.gates, n), first(&cache.c, n));
        let d_before = first_mut(&mut cache.d_before, n);
        for number in (0..LEN).rev() {
            let step = D::step(number, LEN);
            let before = D::step(number.saturating_sub(1), LEN);
            let state = d_h.iter_mut().zip(&mut *d_c).zip(&mut *gates).zip(c_before);
            for (((((d_h, d_c), gates), c), mask), d_y) in state.zip(x.masks).zip(d_y) {
                if let Some(d_y) = R::row(d_y, number) {
                    let _ = axpy(1.0, d_y, d_h);
                }
                announce(gates, before);
                announce(c, before);
                let (Some(gates), Some(c)) = (gates.get_mut(step), c.get(step)) else { continue };
                if is_valid(mask, step) {
                    let _ = lstm_gates_backward(gates.as_numbers_mut(), c, d_h, d_c);
                }
            }
            if number == 0 || !x.masks.iter().any(|mask| is_valid(mask, step)) {
                continue;
            }
            let factors = at(gates, step).zip(rows(&self.recurrent_kernel));
            let _ = factors.map(|(d_z, u)| gemm_nt(d_z, u, &mut TableMut::from_rows(d_before)));
            for ((d_h, d_before), mask) in d_h.iter_mut().zip(&*d_before).zip(x.masks) {
                if is_valid(mask, step) {
                    *d_h = *d_before;
                }
            }
        }
        self.add_products(x, first(&cache.h, n), gates, gradient, d_x.unwrap_or_default());
    }

    // Every number has a gradient at every step: there is nothing to catch up with.
    fn catch_up<O: Optimizer>(&mut self, _: &[Self::Input], _: &O, _: u32, _: &mut Self::Slots<O>) {}

    fn flush<O: Optimizer>(&mut self, _: &O, _: u32, _: &mut Self::Slots<O>) {}

    fn sum_of_squares<const BATCH: usize>(gradient: &mut LstmGradient<IN, UNITS>, _: bool) -> f32 {
        sum_of_squares(gradient.kernel.as_numbers())
            + sum_of_squares(gradient.recurrent_kernel.as_numbers())
            + sum_of_squares(gradient.bias.as_numbers())
    }

    fn update<O: Optimizer, const BATCH: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut LstmGradient<IN, UNITS>,
        slots: &mut Self::Slots<O>,
    ) {
        let update = |weights: &mut [f32], gradient: &[f32], slots: &mut [f32]| {
            // Weights and gradients have the same shape by type.
            let _ = optimizer.update_block(step, weights, gradient, slots);
        };
        update(self.kernel.as_numbers_mut(), gradient.kernel.as_numbers(), slots.kernel.as_numbers_mut());
        update(
            self.recurrent_kernel.as_numbers_mut(),
            gradient.recurrent_kernel.as_numbers(),
            slots.recurrent_kernel.as_numbers_mut(),
        );
        update(self.bias.as_numbers_mut(), gradient.bias.as_numbers(), slots.bias.as_numbers_mut());
        gradient.zero();
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        visit(LayerSummary {
            name: "LSTM",
            shape: <R::Output<LEN, UNITS> as Value>::SHAPE,
            parameters: 4 * UNITS * (IN + UNITS + 1),
            bytes: Self::BYTES,
            trainable: true,
        });
    }
}

impl<const IN: usize, const UNITS: usize> LstmGradient<IN, UNITS> {
    /// Adds the share of some steps: their inputs, the h before them, the gradients of their logits.
    fn add(&mut self, x: &[[f32; IN]], h: &[[f32; UNITS]], d_z: &[[[f32; UNITS]; 4]]) -> Option<()> {
        // First, because it reads the gradients in order, which brings them into the caches.
        for d_z in d_z {
            axpy(1.0, d_z.as_numbers(), self.bias.as_numbers_mut()).ok()?;
        }
        let d_z = rows(d_z)?;
        gemm_tn(Table::from_rows(x), d_z, &mut rows_mut(&mut self.kernel)?).ok()?;
        gemm_tn(Table::from_rows(h), d_z, &mut rows_mut(&mut self.recurrent_kernel)?).ok()
    }
}
