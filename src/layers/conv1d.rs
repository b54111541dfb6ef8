//! A convolution along a sequence.

use super::flatten::{HonourMask, MaskUse};
use super::padding::{ConvPadding, PaddingKind, Valid};
use super::plain::plain_fields;
use super::steps::{rows, rows_mut};
use super::value::{Value, first, first_mut};
use super::{
    ActivationFunction, ActivationKind, Batch, BatchMut, Bytes, Context, Fingerprint, Identity, Layer,
    LayerSummary, glorot_uniform,
};
use crate::kernels::{
    Repeats, convolve, convolve_backward_input, convolve_backward_kernel, convolve_repeated, distinct_rows,
    sum_of_squares, transpose,
};
use crate::optim::{Optimizer, Step};
use crate::table::{Numbers, Table, TableMut, Windows};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// Keras' `Conv1D(FILTERS, KERNEL, strides=STRIDE, padding=P, dilation_rate=DILATION, activation=A)`:
/// y\[o\]\[f\] = A(b\[f\] + Σ x\[o · STRIDE + k · DILATION − before\]\[i\] · W\[k\]\[i\]\[f\] over k and i).
///
/// # Shapes
/// x `[LEN, IN]`, W (`kernel`) `[KERNEL, IN, FILTERS]`, b (`bias`) `[FILTERS]`, y `[OUT, FILTERS]`.
///
/// | `P` | OUT | before |
/// |---|---|---|
/// | [`Valid`] | ⌊(LEN − reach − 1) / STRIDE⌋ + 1 | 0 |
/// | [`Same`](super::Same) | ⌊(LEN − 1) / STRIDE⌋ + 1 | half of the padding, rounded down: of (OUT − 1) · STRIDE + reach + 1 − LEN, at least 0 |
/// | [`Causal`](super::Causal) | ⌊(LEN − 1) / STRIDE⌋ + 1 | reach |
///
/// with reach = DILATION · (KERNEL − 1). Initial values: W Glorot uniform with fans KERNEL · IN and KERNEL · FILTERS, b zeros.
///
/// ```
/// use nanoembed::layers::{Conv1D, Layer};
/// let mut differences = Conv1D::<4, 1, 1, 2, 3>::zeroed();
/// differences.kernel = [[[-1.0]], [[1.0]]];
/// assert_eq!(differences.predict(&[[1.0], [2.0], [5.0], [5.0]])?, [[1.0], [3.0], [0.0]]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// # Masks
/// | `M` | masked steps | valid output steps | padding of a sequence |
/// |---|---|---|---|
/// | [`HonourMask`] | count as zeros, get no gradient | those with a valid step under their window | changes what `Valid` gives |
/// | [`StrictMask`](super::StrictMask) | count as zeros, get no gradient | `Valid`: those with no masked step under their window; `Same`, `Causal`: those whose own step is valid, the one under the middle or under the end of the window | changes nothing |
/// | [`IgnoreMask`](super::IgnoreMask) | used like all others | all: Keras loses the mask | changes all |
///
/// With `HonourMask` a window over the end of the valid steps counts them and zeros for the rest. Masked steps *after* a sequence, or
/// *before* it, add such windows, so that a [`GlobalMaxPooling1D`](super::GlobalMaxPooling1D) behind gives something else for
/// `[1, 2, 3, 0, 0, 0]` than for `[0, 0, 1, 2, 3, 0]` or for `[1, 2, 3]` in a model of that length.
///
/// With `StrictMask` there are none: an output step that is not valid is zeros (before the activation) and learns nothing, one that is
/// has the same bits wherever its sequence lies. With a stride above 1 it must be moved by whole strides, or other windows are looked at.
/// Masked steps inside a sequence keep its parts apart. A sequence that is shorter than a window of `Valid` gives no valid step.
/// Layers behind that honour the mask then never see the padding:
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
/// type Words = sequential![
///     Embedding<6, 9, 4, u16, MaskZero>,
///     Conv1D<6, 4, 8, 2, 5, Relu, Valid, StrictMask>,
///     GlobalMaxPooling1D<5, 8>,
///     Dense<8, 1, Sigmoid>
/// ];
/// let model = Words::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
/// assert_eq!(model.predict(&[1, 2, 3, 0, 0, 0])?, model.predict(&[0, 0, 1, 2, 3, 0])?);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// # Cost
/// Training on a batch makes the products of steps that are the same, as those of an [`Embedding`](super::Embedding) are for each
/// repeated word, once: see [`convolve_repeated`]. The backward pass costs as much as there are
/// gradients that are not zero, behind a [`GlobalMaxPooling1D`](super::GlobalMaxPooling1D) one in OUT.
///
/// # Compile errors
/// An OUT that does not follow from the other sizes:
///
/// ```compile_fail
/// use nanoembed::layers::{Conv1D, Layer};
/// let _ = Conv1D::<10, 8, 16, 3, 9>::zeroed();
/// ```
///
/// A kernel longer than the sequence:
///
/// ```compile_fail
/// use nanoembed::layers::{Conv1D, Layer};
/// let _ = Conv1D::<4, 8, 16, 5, 0>::zeroed();
/// ```
///
/// A softmax over one filter, which would give 1 whatever it learns:
///
/// ```compile_fail,E0080
/// use nanoembed::layers::{Conv1D, Layer, Softmax};
/// let _ = Conv1D::<4, 8, 1, 2, 3, Softmax>::zeroed();
/// ```
///
/// A stride and a dilation both greater than 1, as in Keras:
///
/// ```compile_fail
/// use nanoembed::layers::{Causal, Conv1D, HonourMask, Layer, Relu};
/// let _ = Conv1D::<9, 8, 16, 3, 5, Relu, Causal, HonourMask, 2, 2>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Conv1D<
    const LEN: usize,
    const IN: usize,
    const FILTERS: usize,
    const KERNEL: usize,
    const OUT: usize,
    A = Identity,
    P = Valid,
    M = HonourMask,
    const STRIDE: usize = 1,
    const DILATION: usize = 1,
> {
    /// W.
    pub kernel: [[[f32; FILTERS]; IN]; KERNEL],
    /// b.
    pub bias: [f32; FILTERS],
    options: PhantomData<(A, P, M)>,
}

plain_fields!(impl[
    const LEN: usize, const IN: usize, const FILTERS: usize, const KERNEL: usize, const OUT: usize,
    A, P, M, const STRIDE: usize, const DILATION: usize
] Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, M, STRIDE, DILATION> {
    kernel: [[[f32; FILTERS]; IN]; KERNEL], bias: [f32; FILTERS],
});

/// What a [`Conv1D`] layer computes with in training.
#[derive(Debug, FromZeros)]
pub struct Conv1DCache<
    const LEN: usize,
    const IN: usize,
    const FILTERS: usize,
    const KERNEL: usize,
    const BATCH: usize,
> {
    /// W, filter by filter.
    by_filter: [[[f32; IN]; KERNEL]; FILTERS],
    /// Which of the distinct steps each step is.
    numbers: [[u32; LEN]; BATCH],
    /// Where each distinct step stands first.
    firsts: [[u32; LEN]; BATCH],
    slots: [[u32; LEN]; BATCH],
    /// Of distinct steps and the kernel; on the way back the gradients of valid steps.
    products: [[[f32; FILTERS]; LEN]; BATCH],
}

/// The gradient of a [`Conv1D`] layer, summed over examples.
#[derive(Debug, FromZeros)]
pub struct Conv1DGradient<const IN: usize, const FILTERS: usize, const KERNEL: usize> {
    /// Where it is summed.
    by_filter: [[[f32; IN]; KERNEL]; FILTERS],
    /// The same in the order of the weights, for the optimizer.
    kernel: [[[f32; FILTERS]; IN]; KERNEL],
    bias: [f32; FILTERS],
}

/// Optimizer state of a [`Conv1D`] layer.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Conv1DSlots<K, B> {
    kernel: K,
    bias: B,
}

plain_fields!(impl[K: Bytes, B: Bytes] Conv1DSlots<K, B> { kernel: K, bias: B });

/// So many products a step, at least, make it worth to look for steps that are the same.
const WORTH: usize = 64;

impl<
    const LEN: usize,
    const IN: usize,
    const FILTERS: usize,
    const KERNEL: usize,
    const OUT: usize,
    A: ActivationFunction,
    P: ConvPadding,
    M: MaskUse,
    const STRIDE: usize,
    const DILATION: usize,
> Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, M, STRIDE, DILATION>
{
    const WINDOWS: Windows = P::KIND.windows(LEN, KERNEL, STRIDE, DILATION);

    /// The masks that count.
    #[inline(always)]
    fn counted<const BATCH: usize>(masks: &[[bool; LEN]]) -> &[[bool; LEN]] {
        if M::HONOURED { masks } else { first(const { &[[true; LEN]; BATCH] }, masks.len()) }
    }

    /// Fills the outputs with the bias and writes their masks.
    fn start(&self, masks: &[[bool; LEN]], y: &mut BatchMut<'_, [[f32; FILTERS]; OUT]>) {
        y.values.as_flattened_mut().fill(self.bias);
        for (mask, y_mask) in masks.iter().zip(y.masks.iter_mut()) {
            for (output, valid) in y_mask.iter_mut().enumerate() {
                *valid = Self::is_valid(output, mask);
            }
        }
    }

    /// Whether an output step is valid, of the mask of its sequence.
    #[inline(always)]
    fn is_valid(output: usize, mask: &[bool; LEN]) -> bool {
        let mut taps = 0..KERNEL;
        let is_there = |tap| Self::WINDOWS.valid_step(output, tap, mask).is_some();
        match (M::STRICT, P::KIND) {
            (false, _) => taps.any(is_there),
            (true, PaddingKind::Valid) => taps.all(is_there),
            (true, padding) => padding
                .own_step(output, DILATION * (KERNEL - 1), Self::WINDOWS)
                .and_then(|step| mask.get(step))
                .is_some_and(|valid| *valid),
        }
    }

    /// Where masks are strict: makes zeros of the outputs that are not valid.
    fn finish(y: BatchMut<'_, [[f32; FILTERS]; OUT]>) {
        if M::STRICT {
            for (y, mask) in y.values.iter_mut().zip(y.masks) {
                for (y, valid) in y.iter_mut().zip(mask) {
                    if !*valid {
                        *y = [0.0; FILTERS];
                    }
                }
            }
        }
    }

    /// The gradients of the outputs that are valid; in `scratch`, where masks are strict, with zeros for all others.
    #[inline(always)]
    fn learnt<'a>(
        mask: &[bool; LEN],
        d_y: &'a [[f32; FILTERS]; OUT],
        scratch: &'a mut [[f32; FILTERS]; LEN],
    ) -> &'a [[f32; FILTERS]] {
        if !M::STRICT {
            return d_y;
        }
        // There are never more outputs than steps.
        for ((output, d_y), to) in d_y.iter().enumerate().zip(scratch.iter_mut()) {
            *to = if Self::is_valid(output, mask) { *d_y } else { [0.0; FILTERS] };
        }
        first(scratch, OUT)
    }

    /// Adds the products to the outputs, each step's of its own.
    fn convolve(&self, x: &[[[f32; IN]; LEN]], masks: &[[bool; LEN]], y: &mut [[[f32; FILTERS]; OUT]]) {
        let kernel = Table::from_rows(self.kernel.as_flattened());
        for ((x, mask), y) in x.iter().zip(masks).zip(y) {
            // The types fix the shapes.
            let _ = convolve(Self::WINDOWS, Table::from_rows(x), mask, kernel, &mut TableMut::from_rows(y));
        }
    }

    /// Adds the products to the outputs, those of steps that are the same made once; `None`, and nothing added, if too few are the
    /// same.
    fn convolve_repeated<const BATCH: usize>(
        &self,
        x: &[[[f32; IN]; LEN]],
        masks: &[[bool; LEN]],
        cache: &mut Conv1DCache<LEN, IN, FILTERS, KERNEL, BATCH>,
        y: &mut [[[f32; FILTERS]; OUT]],
    ) -> Option<()> {
        let Conv1DCache { numbers, firsts, slots, products, .. } = cache;
        let (sequences, count) = (x.len(), x.len() * LEN);
        let steps = Table::from_rows(x.as_flattened());
        let numbers = first_mut(numbers.as_flattened_mut(), count);
        let firsts = first_mut(firsts.as_flattened_mut(), count / 2);
        let slots = first_mut(slots.as_flattened_mut(), count);
        let distinct = distinct_rows(steps, numbers, firsts, slots).ok()??;
        convolve_repeated(
            Self::WINDOWS,
            Repeats { sequences, steps, numbers, firsts: first(firsts, distinct) },
            masks.as_flattened(),
            Table::from_rows(self.kernel.as_flattened()),
            products.as_flattened_mut().as_flattened_mut(),
            &mut TableMut::from_rows(y.as_flattened_mut()),
        )
        .ok()
    }
}

impl<
    const LEN: usize,
    const IN: usize,
    const FILTERS: usize,
    const KERNEL: usize,
    const OUT: usize,
    A: ActivationFunction,
    P: ConvPadding,
    M: MaskUse,
    const STRIDE: usize,
    const DILATION: usize,
> Layer for Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, M, STRIDE, DILATION>
{
    type Input = [[f32; IN]; LEN];
    type Output = [[f32; FILTERS]; OUT];
    type InputGradient = [[f32; IN]; LEN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Conv1DCache<LEN, IN, FILTERS, KERNEL, BATCH>;
    type Gradient<const BATCH: usize> = Conv1DGradient<IN, FILTERS, KERNEL>;
    type Slots<O: Optimizer> =
        Conv1DSlots<O::Slots<[[[f32; FILTERS]; IN]; KERNEL]>, O::Slots<[f32; FILTERS]>>;

    const ACTIVATION: ActivationKind = A::KIND;
    const FINGERPRINT: Fingerprint = {
        assert!(IN > 0 && FILTERS > 0 && KERNEL > 0, "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: an extent is 0");
        A::KIND.assert_units(FILTERS);
        assert!(STRIDE > 0 && DILATION > 0, "Conv1D: STRIDE and DILATION must be at least 1");
        assert!(STRIDE == 1 || DILATION == 1, "Conv1D: STRIDE and DILATION cannot both be above 1");
        let reach = DILATION * (KERNEL - 1);
        let out = P::KIND.output_length(LEN, reach, STRIDE);
        assert!(out > 0, "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: the kernel is longer than the sequence");
        assert!(
            OUT == out,
            "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: OUT does not follow from the other sizes"
        );
        let shape = Fingerprint::of("conv1d").extent(LEN).extent(IN).extent(FILTERS).extent(KERNEL);
        let windows = shape.extent(STRIDE).extent(DILATION).name(P::KIND.name());
        windows.name(A::KIND.name()).name(M::NAME)
    };

    fn init(&mut self, random: &mut impl Rng) {
        glorot_uniform(self.kernel.as_numbers_mut(), KERNEL * IN, KERNEL * FILTERS, random);
        self.bias.zero();
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        (): &mut (),
        mut y: BatchMut<'_, [[f32; FILTERS]; OUT]>,
    ) {
        let masks = Self::counted::<BATCH>(x.masks);
        self.start(masks, &mut y);
        self.convolve(x.values, masks, y.values);
        Self::finish(y);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        cache: &mut Self::Cache<BATCH>,
        _: Context,
        mut y: BatchMut<'_, [[f32; FILTERS]; OUT]>,
    ) {
        let masks = Self::counted::<BATCH>(x.masks);
        self.start(masks, &mut y);
        let repeated = KERNEL * FILTERS >= WORTH
            && self.convolve_repeated::<BATCH>(x.values, masks, cache, y.values).is_some();
        if !repeated {
            self.convolve(x.values, masks, y.values);
        }
        Self::finish(y);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        cache: &mut Self::Cache<BATCH>,
        d_y: &[[[f32; FILTERS]; OUT]],
        gradient: Option<&mut Conv1DGradient<IN, FILTERS, KERNEL>>,
        d_x: Option<&mut [[[f32; IN]; LEN]]>,
    ) {
        let masks = Self::counted::<BATCH>(x.masks);
        // The types fix the shapes of all that follows.
        if let Some(Conv1DGradient { by_filter, bias, .. }) = gradient
            && let Some(mut d_kernel) = rows_mut(by_filter)
        {
            let scratch = cache.products.iter_mut();
            for (((x, mask), d_y), scratch) in x.values.iter().zip(masks).zip(d_y).zip(scratch) {
                let (x, d_y) = (Table::from_rows(x), Table::from_rows(Self::learnt(mask, d_y, scratch)));
                let _ = convolve_backward_kernel(Self::WINDOWS, x, mask, d_y, &mut d_kernel, bias);
            }
        }
        if let Some(d_x) = d_x
            && let Some(mut by_filter) = rows_mut(&mut cache.by_filter)
        {
            let _ = transpose(Table::from_rows(self.kernel.as_flattened()), &mut by_filter);
            let scratch = cache.products.iter_mut();
            for (((mask, d_y), d_x), scratch) in masks.iter().zip(d_y).zip(d_x).zip(scratch) {
                let d_y = Table::from_rows(Self::learnt(mask, d_y, scratch));
                let mut d_x = TableMut::from_rows(d_x);
                let _ = convolve_backward_input(Self::WINDOWS, mask, by_filter.as_table(), d_y, &mut d_x);
            }
        }
    }

    fn activate(y: &mut [[[f32; FILTERS]; OUT]]) {
        if matches!(A::KIND, ActivationKind::Softmax) {
            for step in y.as_flattened_mut() {
                A::activate(step);
            }
        } else {
            // Number by number: all at once.
            A::activate(y.as_flattened_mut().as_flattened_mut());
        }
    }

    fn activate_backward(y: &[[[f32; FILTERS]; OUT]], d_y: &mut [[[f32; FILTERS]; OUT]]) {
        let (y, d_y) = (y.as_flattened(), d_y.as_flattened_mut());
        if matches!(A::KIND, ActivationKind::Softmax) {
            for (y, d_y) in y.iter().zip(d_y) {
                A::activate_backward(y, d_y);
            }
        } else {
            A::activate_backward(y.as_flattened(), d_y.as_flattened_mut());
        }
    }

    // Every number has a gradient at every step: there is nothing to catch up with.
    fn catch_up<O: Optimizer>(&mut self, _: &[Self::Input], _: &O, _: u32, _: &mut Self::Slots<O>) {}

    fn flush<O: Optimizer>(&mut self, _: &O, _: u32, _: &mut Self::Slots<O>) {}

    fn sum_of_squares<const BATCH: usize>(
        gradient: &mut Conv1DGradient<IN, FILTERS, KERNEL>,
        _: bool,
    ) -> f32 {
        sum_of_squares(gradient.by_filter.as_numbers()) + sum_of_squares(&gradient.bias)
    }

    fn update<O: Optimizer, const BATCH: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut Conv1DGradient<IN, FILTERS, KERNEL>,
        slots: &mut Self::Slots<O>,
    ) {
        let Conv1DGradient { by_filter, kernel, bias } = gradient;
        // Weights and gradients have the same shape by type.
        if let Some(by_filter) = rows(by_filter) {
            let _ = transpose(by_filter, &mut TableMut::from_rows(kernel.as_flattened_mut()));
        }
        let weights = self.kernel.as_numbers_mut();
        let _ = optimizer.update_block(step, weights, kernel.as_numbers(), slots.kernel.as_numbers_mut());
        let _ = optimizer.update_block(step, &mut self.bias, bias, slots.bias.as_numbers_mut());
        by_filter.zero();
        bias.zero();
    }

    fn describe(visit: &mut dyn FnMut(LayerSummary)) {
        visit(LayerSummary {
            name: "Conv1D",
            shape: <[[f32; FILTERS]; OUT] as Value>::SHAPE,
            parameters: KERNEL * IN * FILTERS + FILTERS,
            bytes: Self::BYTES,
            trainable: true,
        });
    }
}
