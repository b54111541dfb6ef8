//! A convolution along a sequence.

use super::flatten::{HonourMask, MaskUse};
use super::flow::{Flow, FlowParts};
use super::padding::{ConvPadding, Valid};
use super::parameters::Learns;
use super::{
    ActivationFunction, ActivationKind, Batch, BatchMut, Context, Identity, Layer, LayerKind, Record,
    Records, glorot_uniform, parameters,
};
use crate::kernels::sum_of_squares;
use crate::optim::{Optimizer, Step};
use crate::passes::convolution::{Convolution, Scratch, is_worth_looking, transposed};
use crate::slices::{first, first_mut};
use crate::table::{Numbers, Table, TableMut};
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
/// | [`Same`](super::options::Same) | ⌊(LEN − 1) / STRIDE⌋ + 1 | half of the padding, rounded down: of (OUT − 1) · STRIDE + reach + 1 − LEN, at least 0 |
/// | [`Causal`](super::options::Causal) | ⌊(LEN − 1) / STRIDE⌋ + 1 | reach |
///
/// with reach = DILATION · (KERNEL − 1). Initial values: W Glorot uniform with fans KERNEL · IN and KERNEL ·
/// FILTERS, b zeros.
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
/// | [`StrictMask`](super::options::StrictMask) | count as zeros, get no gradient | `Valid`: those with no masked step under their window; `Same`, `Causal`: those whose own step is valid, the one under the middle or under the end of the window | changes nothing |
/// | [`IgnoreMask`](super::options::IgnoreMask) | used like all others | all: Keras loses the mask | changes all |
///
/// With `HonourMask` a window over the end of the valid steps counts them and zeros for the rest. Masked
/// steps *after* a sequence, or *before* it, add such windows, so that a
/// [`GlobalMaxPooling1D`](super::GlobalMaxPooling1D) after it gives something else for `[1, 2, 3, 0, 0, 0]`
/// than for `[0, 0, 1, 2, 3, 0]` or for `[1, 2, 3]` in a model of that length.
///
/// With `StrictMask` there are none: an output step that is not valid is zeros (before the activation) and
/// learns nothing, one that is has the same bits wherever its sequence lies. With a stride above 1 it must be
/// moved by whole strides, or other windows are looked at. Masked steps inside a sequence keep its parts
/// apart. A sequence that is shorter than a window of `Valid` gives no valid step. Layers after it that
/// honour the mask then never see the padding:
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
/// use nanoembed::layers::options::{MaskZero, StrictMask, Valid};
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
/// Training on a batch makes the products of steps that are the same, as those of an
/// [`Embedding`](super::Embedding) are for each repeated word, once: see `convolve_repeated`. The backward
/// pass costs as much as there are gradients that are not zero, before a
/// [`GlobalMaxPooling1D`](super::GlobalMaxPooling1D) one in OUT.
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
/// use nanoembed::layers::{Conv1D, Layer, Relu};
/// use nanoembed::layers::options::{Causal, HonourMask};
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

parameters!(impl[
    const LEN: usize, const IN: usize, const FILTERS: usize, const KERNEL: usize, const OUT: usize,
    A, P, M, const STRIDE: usize, const DILATION: usize
] Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, M, STRIDE, DILATION> {
    kernel: [[[f32; FILTERS]; IN]; KERNEL] => ByFilter, bias: [f32; FILTERS],
});

/// The record of a convolution of this kind, whose sizes are right.
pub(super) const fn record<P: ConvPadding, M: MaskUse>(
    kind: LayerKind,
    activation: ActivationKind,
    extents: [usize; 6],
    out: usize,
) -> Record {
    let [len, inputs, filters, kernel, stride, dilation] = extents;
    assert!(inputs > 0 && filters > 0 && kernel > 0, "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: an extent is 0");
    activation.assert_units(filters);
    assert!(stride > 0 && dilation > 0, "Conv1D: STRIDE and DILATION must be at least 1");
    assert!(stride == 1 || dilation == 1, "Conv1D: STRIDE and DILATION cannot both be above 1");
    let follows = P::KIND.output_length(len, dilation * (kernel - 1), stride);
    assert!(follows > 0, "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: the kernel is longer than the sequence");
    assert!(
        out == follows,
        "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: OUT does not follow from the other sizes"
    );
    Record::new(kind, &extents).options([P::KIND as u16, activation as u16, M::NUMBER])
}

/// A kernel learns from a gradient that is summed filter by filter, where each filter's is in one piece.
#[derive(Debug)]
pub struct ByFilter;

/// The gradient of a kernel.
#[derive(Debug, FromZeros)]
pub struct KernelGradient<const IN: usize, const FILTERS: usize, const KERNEL: usize> {
    /// Where it is summed.
    by_filter: [[[f32; IN]; KERNEL]; FILTERS],
    /// The same in the order of the kernel, for the optimizer.
    kernel: [[[f32; FILTERS]; IN]; KERNEL],
}

impl<const IN: usize, const FILTERS: usize, const KERNEL: usize> Learns<[[[f32; FILTERS]; IN]; KERNEL]>
    for ByFilter
{
    type Gradient<const BATCH: usize> = KernelGradient<IN, FILTERS, KERNEL>;
    type Slots<O: Optimizer> = O::Slots<[[[f32; FILTERS]; IN]; KERNEL]>;

    fn sum_of_squares<const BATCH: usize>(
        gradient: &mut KernelGradient<IN, FILTERS, KERNEL>,
        _: bool,
        sum: f32,
    ) -> f32 {
        sum + sum_of_squares(gradient.by_filter.as_numbers())
    }

    fn step<O: Optimizer, const BATCH: usize>(
        kernel: &mut [[[f32; FILTERS]; IN]; KERNEL],
        optimizer: &O,
        step: Step<O::Rule>,
        gradient: &mut KernelGradient<IN, FILTERS, KERNEL>,
        slots: &mut Self::Slots<O>,
    ) {
        let in_order = TableMut::from_rows(gradient.kernel.as_flattened_mut());
        transposed(Table::from_blocks(&gradient.by_filter), in_order);
        let (kernel, slots) = (kernel.as_numbers_mut(), slots.as_numbers_mut());
        optimizer.step_block(step, kernel, gradient.kernel.as_numbers(), slots);
        gradient.by_filter.zero();
    }

    fn flush<O: Optimizer>(_: &mut [[[f32; FILTERS]; IN]; KERNEL], _: &O, _: u32, _: &mut Self::Slots<O>) {}
}

/// What a [`Conv1D`] layer computes with in training, beside its outputs.
#[derive(Debug, FromZeros)]
pub struct Conv1DScratch<
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
    /// Where each distinct step occurs first.
    firsts: [[u32; LEN]; BATCH],
    slots: [[u32; LEN]; BATCH],
    /// Of distinct steps and the kernel.
    products: [[[f32; FILTERS]; LEN]; BATCH],
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
> Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, M, STRIDE, DILATION>
{
    const PASS: Convolution = Convolution {
        windows: P::KIND.windows(LEN, KERNEL, STRIDE, DILATION),
        padding: P::KIND,
        strict: M::STRICT,
    };

    /// The masks that count.
    #[inline(always)]
    fn counted<const BATCH: usize>(masks: &[[bool; LEN]]) -> &[[bool; LEN]] {
        if M::HONOURED { masks } else { first(const { &[[true; LEN]; BATCH] }, masks.len()) }
    }

    /// Writes which outputs are valid.
    fn mark_valid(masks: &[[bool; LEN]], y_masks: &mut [[bool; OUT]]) {
        for (mask, y_mask) in masks.iter().zip(y_masks) {
            Self::PASS.mark_valid(mask, y_mask);
        }
    }

    /// Writes the outputs, each step's of its own.
    fn multiply(&self, x: &[[[f32; IN]; LEN]], masks: &[[bool; LEN]], y: &mut [[[f32; FILTERS]; OUT]]) {
        let kernel = Table::from_rows(self.kernel.as_flattened());
        for ((x, mask), y) in x.iter().zip(masks).zip(y) {
            Self::PASS.multiply(Table::from_rows(x), mask, kernel, &self.bias, TableMut::from_rows(y));
        }
    }

    /// Where masks are strict: makes zeros of outputs, or of their gradients, that are not valid.
    fn clear_invalid(masks: &[[bool; LEN]], y: &mut [[[f32; FILTERS]; OUT]]) {
        for (mask, y) in masks.iter().zip(y) {
            Self::PASS.clear_invalid(mask, TableMut::from_rows(y));
        }
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
    type Cache<const BATCH: usize> =
        Flow<Self::Output, BATCH, Conv1DScratch<LEN, IN, FILTERS, KERNEL, BATCH>>;

    const ACTIVATION: ActivationKind = A::KIND;
    const NAME: &'static str = "Conv1D";
    const RECORDS: Records = {
        let extents = [LEN, IN, FILTERS, KERNEL, STRIDE, DILATION];
        Records::layer(record::<P, M>(LayerKind::Conv1D, A::KIND, extents, OUT))
    };

    fn init(&mut self, random: &mut impl Rng) {
        glorot_uniform(self.kernel.as_numbers_mut(), KERNEL * IN, KERNEL * FILTERS, random);
        self.bias.zero();
    }

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [[f32; FILTERS]; OUT]>,
    ) {
        let masks = Self::counted::<BATCH>(x.masks);
        Self::mark_valid(masks, y.masks);
        self.multiply(x.values, masks, y.values);
        Self::clear_invalid(masks, y.values);
        Self::activate(y.values);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, [[f32; IN]; LEN]>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
    ) {
        let n = x.values.len();
        self.forward_logits::<BATCH>(x, cache, context);
        Self::activate(cache.start(n).0.values);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [[[f32; IN]; LEN]]>,
    ) {
        let FlowParts { y, d_y, .. } = cache.parts(x.values.len());
        let (y, d_y) = (y.as_flattened(), d_y.as_flattened_mut());
        if matches!(A::KIND, ActivationKind::Softmax) {
            for (y, d_y) in y.iter().zip(d_y) {
                A::activate_backward(y, d_y);
            }
        } else {
            A::activate_backward(y.as_flattened(), d_y.as_flattened_mut());
        }
        self.backward_logits::<BATCH>(x, cache, gradient, d_x);
    }

    fn forward_logits<const BATCH: usize>(
        &self,
        x: BatchMut<'_, [[f32; IN]; LEN]>,
        cache: &mut Self::Cache<BATCH>,
        _: Context,
    ) {
        let n = x.values.len();
        let (y, scratch) = cache.start(n);
        let masks = Self::counted::<BATCH>(x.masks);
        Self::mark_valid(masks, y.masks);
        let repeated = is_worth_looking(KERNEL, FILTERS)
            && Self::PASS.multiply_repeated(
                n,
                Table::from_rows(x.values.as_flattened()),
                masks.as_flattened(),
                Table::from_rows(self.kernel.as_flattened()),
                &self.bias,
                Scratch {
                    numbers: first_mut(scratch.numbers.as_flattened_mut(), n * LEN),
                    firsts: scratch.firsts.as_flattened_mut(),
                    slots: first_mut(scratch.slots.as_flattened_mut(), n * LEN),
                    products: scratch.products.as_flattened_mut().as_flattened_mut(),
                },
                TableMut::from_rows(y.values.as_flattened_mut()),
            );
        if !repeated {
            self.multiply(x.values, masks, y.values);
        }
        Self::clear_invalid(masks, y.values);
    }

    fn backward_logits<const BATCH: usize>(
        &self,
        x: Batch<'_, [[f32; IN]; LEN]>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut Self::Gradient<BATCH>>,
        d_x: Option<&mut [[[f32; IN]; LEN]]>,
    ) {
        let FlowParts { d_y, kept: Conv1DScratch { by_filter, .. }, .. } = cache.parts(x.values.len());
        let masks = Self::counted::<BATCH>(x.masks);
        Self::clear_invalid(masks, d_y);
        if let Some(gradient) = gradient {
            let mut d_kernel = TableMut::from_blocks(&mut gradient.kernel.by_filter);
            for ((x, mask), d_y) in x.values.iter().zip(masks).zip(&*d_y) {
                let (x, d_y) = (Table::from_rows(x), Table::from_rows(d_y));
                Self::PASS.backward_parameters(x, mask, d_y, &mut d_kernel, &mut gradient.bias);
            }
        }
        if let Some(d_x) = d_x {
            let kernel = Table::from_rows(self.kernel.as_flattened());
            transposed(kernel, TableMut::from_blocks(&mut *by_filter));
            let by_filter = Table::from_blocks(by_filter);
            for ((mask, d_y), d_x) in masks.iter().zip(&*d_y).zip(d_x) {
                Self::PASS.backward_input(mask, by_filter, Table::from_rows(d_y), TableMut::from_rows(d_x));
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
}
