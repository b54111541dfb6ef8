//! A recurrent layer with a memory: long short-term memory.

use super::flow::{Flow, FlowParts};
use super::recurrence::{Direction, GoForwards, ReturnLast, Returned};
use super::{
    Batch, BatchMut, Context, Layer, LayerKind, Record, Records, Value, glorot_uniform, orthogonal,
    parameters,
};
use crate::passes::lstm;
use crate::slices::first_mut;
use crate::table::{Numbers, Table, TableMut};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// Keras' `LSTM(UNITS, return_sequences=R, go_backwards=D)` (Hochreiter and Schmidhuber, 1997; with the
/// forget gate of Gers, Schmidhuber and Cummins, 2000): for each step t with z = x\[t\] W + h U + b in four
/// blocks,
///
/// ```text
/// i = σ(z0)   f = σ(z1)   g = tanh(z2)   o = σ(z3)        c ← f · c + i · g        h ← o · tanh(c)
/// ```
///
/// from h = c = 0. Its output is the last h, `[f32; UNITS]`; with
/// [`ReturnSequences`](super::options::ReturnSequences) all of them.
///
/// # Shapes
/// x `[LEN, IN]`, W (`kernel`) `[IN, 4, UNITS]`, U (`recurrent_kernel`) `[UNITS, 4, UNITS]`, b (`bias`)
/// `[4, UNITS]`, y `[UNITS]` or `[LEN, UNITS]`. The four blocks are Keras' i, f, c, o, so W is its kernel of
/// shape `(IN, 4 · UNITS)`, row by row.
///
/// Initial values: W Glorot uniform, U orthogonal, b zeros but ones for f (`unit_forget_bias`).
///
/// # Masks
/// A masked step changes neither h nor c: its output is the one before it, zeros if there is none. A sequence
/// without a valid step so gives zeros, and learns nothing. With `ReturnSequences` the mask goes on with the
/// outputs. With [`GoBackwards`](super::options::GoBackwards) the last step is read first, and the first
/// output is its; the mask then is turned round too, which Keras forgets.
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// use nanoembed::layers::options::{GoBackwards, MaskZero, ReturnLast, ReturnSequences};
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
/// A training step keeps 6 · UNITS numbers for each step of each example: the gates, and the h and c before
/// it. The products with U run over all examples at once; a step that no example has is skipped.
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

parameters!(impl[const LEN: usize, const IN: usize, const UNITS: usize, R, D] Lstm<LEN, IN, UNITS, R, D> {
    kernel: [[[f32; UNITS]; 4]; IN] as [IN, 4 * UNITS, 0, 0],
    recurrent_kernel: [[[f32; UNITS]; 4]; UNITS] as [UNITS, 4 * UNITS, 0, 0],
    bias: [[f32; UNITS]; 4] as [4 * UNITS, 0, 0, 0],
});

/// h and c of each example, or their gradients.
#[derive(FromZeros)]
pub struct State<const UNITS: usize, const BATCH: usize> {
    h: [[f32; UNITS]; BATCH],
    c: [[f32; UNITS]; BATCH],
}

/// Scratch of an [`Lstm`] in use: its state, and the gates of one step.
#[derive(FromZeros)]
pub struct LstmWorkspace<const UNITS: usize, const BATCH: usize> {
    state: State<UNITS, BATCH>,
    gates: [[[f32; UNITS]; 4]; BATCH],
}

/// What an [`Lstm`] keeps of each step for the backward pass, beside its outputs. That pass writes the
/// gradients of the gates over the gates, so a forward pass serves one backward pass.
// Rows that are whole cache lines start at the start of one: else each load of 64 bytes reads two lines, and
// a step takes a tenth longer.
#[derive(FromZeros)]
#[repr(C)]
#[cfg_attr(not(target_os = "none"), repr(align(64)))]
pub struct LstmSteps<const LEN: usize, const UNITS: usize, const BATCH: usize> {
    gates: [[[[f32; UNITS]; 4]; LEN]; BATCH],
    h: [[[f32; UNITS]; LEN]; BATCH],
    c: [[[f32; UNITS]; LEN]; BATCH],
    state: State<UNITS, BATCH>,
    d_before: [[f32; UNITS]; BATCH],
}

impl<const UNITS: usize, const BATCH: usize> State<UNITS, BATCH> {
    /// h and c of the first `n` examples.
    fn of(&mut self, n: usize) -> lstm::State<'_> {
        let (h, c) = (first_mut(&mut self.h, n), first_mut(&mut self.c, n));
        lstm::State { h: TableMut::from_rows(h), c: TableMut::from_rows(c) }
    }
}

impl<const LEN: usize, const UNITS: usize, const BATCH: usize> LstmSteps<LEN, UNITS, BATCH> {
    /// What is kept of the first `n` examples, their state, and scratch.
    fn of(&mut self, n: usize) -> (lstm::Kept<'_>, lstm::State<'_>, TableMut<'_>) {
        let Self { gates, h, c, state, d_before } = self;
        let kept = lstm::Kept {
            gates: TableMut::from_blocks(first_mut(gates, n).as_flattened_mut()),
            h: TableMut::from_rows(first_mut(h, n).as_flattened_mut()),
            c: TableMut::from_rows(first_mut(c, n).as_flattened_mut()),
        };
        (kept, state.of(n), TableMut::from_rows(first_mut(d_before, n)))
    }
}

impl<const LEN: usize, const IN: usize, const UNITS: usize, R: Returned, D: Direction>
    Lstm<LEN, IN, UNITS, R, D>
{
    /// The weights, and how they read.
    fn pass(&self) -> lstm::Lstm<'_> {
        lstm::Lstm {
            kernel: Table::from_blocks(&self.kernel),
            recurrent_kernel: Table::from_blocks(&self.recurrent_kernel),
            bias: self.bias.as_numbers(),
            len: LEN,
            backwards: D::BACKWARDS,
            sequences: R::SEQUENCES,
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
    type Cache<const BATCH: usize> = Flow<Self::Output, BATCH, LstmSteps<LEN, UNITS, BATCH>>;

    const NAME: &'static str = "LSTM";
    const RECORDS: Records = {
        assert!(LEN > 0 && IN > 0 && UNITS > 0, "Lstm<LEN, IN, UNITS>: all must be at least 1");
        let record = Record::new(LayerKind::Lstm, &[LEN, IN, UNITS]);
        Records::layer(record.options([R::SEQUENCES as u16, D::BACKWARDS as u16, 0]))
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
        let gates = TableMut::from_blocks(first_mut(&mut workspace.gates, n));
        let (values, masks) = (Table::from_rows(x.values.as_flattened()), x.masks.as_flattened());
        self.pass().infer(values, masks, workspace.state.of(n), gates, R::rows_mut(y.values));
        Self::pass_on(x.masks, y.masks);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, [[f32; IN]; LEN]>,
        cache: &mut Self::Cache<BATCH>,
        _: Context,
    ) {
        let n = x.values.len();
        let (y, steps) = cache.start(n);
        let (kept, state, _) = steps.of(n);
        let (values, masks) = (Table::from_rows(x.values.as_flattened()), x.masks.as_flattened());
        self.pass().forward(values, masks, state, kept, R::rows_mut(y.values));
        Self::pass_on(x.masks, y.masks);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [[[f32; IN]; LEN]]>,
    ) {
        let n = x.values.len();
        let FlowParts { d_y, kept: steps, .. } = cache.parts(n);
        let (kept, state, d_before) = steps.of(n);
        let gradients = gradient.map(|gradient| lstm::Gradients {
            kernel: TableMut::from_blocks(&mut gradient.kernel),
            recurrent_kernel: TableMut::from_blocks(&mut gradient.recurrent_kernel),
            bias: gradient.bias.as_numbers_mut(),
        });
        let d_x = d_x.map(|d_x| TableMut::from_rows(d_x.as_flattened_mut()));
        let (values, masks) = (Table::from_rows(x.values.as_flattened()), x.masks.as_flattened());
        self.pass().backward(values, masks, state, kept, d_before, R::rows(d_y), gradients, d_x);
    }
}
