//! A convolution of integers along a sequence.

use super::activation::IntegerActivation;
use super::{Channel, MOST_PRODUCTS, bytes_of_codes, no_learning};
use crate::layers::flatten::counted;
use crate::layers::options::{HonourMask, Valid};
use crate::layers::{
    Batch, BatchMut, ConvPadding, Identity, Layer, LayerKind, MaskUse, Outputs, Record, Records,
};
use crate::passes::convolution::Convolution;
use crate::passes::integers::convolve;
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// [`layers::Conv1D`](crate::layers::Conv1D) of integers: y\[o\]\[f\] = A(b\[f\] + Σ x\[o · STRIDE + k · DILATION −
/// before\]\[i\] · W\[f\]\[k\]\[i\] over k and i), scaled by the channel of filter f. OUT, before and what masks do
/// are as there.
///
/// # Shapes
/// x `[LEN, IN]` codes, W (`kernel`) `[FILTERS, KERNEL, IN]`, filter by filter, `channels` `[FILTERS]`,
/// y `[OUT, FILTERS]` codes.
///
/// ```
/// use nanoembed::layers::{Layer, integer::{Channel, Conv1D}};
/// let mut differences = Conv1D::<4, 1, 1, 2, 3>::zeroed();
/// differences.kernel = [[[-64], [64]]];
/// differences.channels = [Channel { bias: 0, multiplier: 1 << 30, shift: 36 }];
/// assert_eq!(differences.predict(&[[1], [2], [5], [5]])?, [[1], [3], [0]]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// # Cost
/// `OUT · FILTERS · KERNEL · IN` products of 8 bits; `FILTERS · (KERNEL · IN + 12)` bytes.
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
    /// b and the scale of each filter.
    pub channels: [Channel; FILTERS],
    /// W.
    pub kernel: [[[i8; IN]; KERNEL]; FILTERS],
    options: PhantomData<(A, P, M)>,
}

bytes_of_codes!(impl[
    const LEN: usize, const IN: usize, const FILTERS: usize, const KERNEL: usize, const OUT: usize,
    A, P, M, const STRIDE: usize, const DILATION: usize
] Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, M, STRIDE, DILATION> { channels, kernel });

impl<
    const LEN: usize,
    const IN: usize,
    const FILTERS: usize,
    const KERNEL: usize,
    const OUT: usize,
    A: IntegerActivation,
    P: ConvPadding,
    M: MaskUse,
    const STRIDE: usize,
    const DILATION: usize,
> Layer for Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, M, STRIDE, DILATION>
{
    type Input = [[i8; IN]; LEN];
    type Output = [[i8; FILTERS]; OUT];
    type InputGradient = [[i8; IN]; LEN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<Self::Output, BATCH>;

    const NAME: &'static str = "Conv1D of integers";
    const RECORDS: Records = {
        assert!(IN > 0 && FILTERS > 0 && KERNEL > 0, "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: an extent is 0");
        assert!(IN.saturating_mul(KERNEL) <= MOST_PRODUCTS, "Conv1D: KERNEL * IN must be at most 65,536");
        assert!(STRIDE > 0 && DILATION > 0, "Conv1D: STRIDE and DILATION must be at least 1");
        assert!(STRIDE == 1 || DILATION == 1, "Conv1D: STRIDE and DILATION cannot both be above 1");
        let out = P::KIND.output_length(LEN, DILATION * (KERNEL - 1), STRIDE);
        assert!(out > 0, "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: the kernel is longer than the sequence");
        assert!(
            OUT == out,
            "Conv1D<LEN, IN, FILTERS, KERNEL, OUT>: OUT does not follow from the other sizes"
        );
        let extents = [LEN, IN, FILTERS, KERNEL, STRIDE, DILATION];
        let record = Record::new(LayerKind::IntegerConv1D, &extents);
        Records::layer(record.options([P::KIND as u16, A::KIND as u16, M::NUMBER]))
    };

    fn infer<const BATCH: usize>(
        &self,
        x: Batch<'_, [[i8; IN]; LEN]>,
        (): &mut (),
        y: BatchMut<'_, [[i8; FILTERS]; OUT]>,
    ) {
        let pass = const {
            Convolution {
                windows: P::KIND.windows(LEN, KERNEL, STRIDE, DILATION),
                padding: P::KIND,
                strict: M::STRICT,
            }
        };
        let weights = (self.kernel.as_flattened().as_flattened(), &self.channels[..]);
        for (((x, mask), y), y_mask) in x.values.iter().zip(x.masks).zip(y.values).zip(y.masks) {
            let (x, y) = ((x.as_flattened(), IN), (y.as_flattened_mut(), &mut y_mask[..]));
            convolve(pass, x, counted::<LEN, M>(mask), weights, A::code, y);
        }
    }

    no_learning!((KERNEL * IN + 1) * FILTERS);
}
