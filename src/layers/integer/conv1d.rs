//! A convolution of integers along a sequence.

use super::activation::IntegerActivation;
use super::{Channel, MOST_PRODUCTS, bytes_of_codes, no_learning};
use crate::layers::conv1d::record;
use crate::layers::flatten::counted;
use crate::layers::options::{HonourMask, Valid};
use crate::layers::{Batch, BatchMut, ConvPadding, Identity, Layer, LayerKind, MaskUse, Outputs, Records};
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
        assert!(IN.saturating_mul(KERNEL) <= MOST_PRODUCTS, "Conv1D: KERNEL * IN must be at most 65,536");
        let extents = [LEN, IN, FILTERS, KERNEL, STRIDE, DILATION];
        Records::layer(record::<P, M>(LayerKind::IntegerConv1D, A::KIND, extents, OUT))
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
