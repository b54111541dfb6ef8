//! The product of two vectors, by itself and as a prediction of ratings.

use super::flow::Flow;
use super::{Batch, BatchMut, Layer, LayerKind, Pair, Record, Records, parameters};
use crate::kernels::shaped::dot;
use crate::passes::product::{biased_dot, biased_dot_backward, dot_backward};
use rand_core::Rng;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Keras' `Dot(axes=1)`: y = Σⱼ aⱼ bⱼ, the sum by sixteen lanes.
///
/// # Shapes
/// x [`Pair`] of a `[N]` and b `[N]`, as [`Branches`](super::Branches) give them; y `[1]`.
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Likes = sequential![Branches<EmbeddingBag<1, 600, 16>, EmbeddingBag<1, 9000, 16>>, Dot<16>];
/// let x = Pair { first: [1.0, 2.0], second: [3.0, 4.0] };
/// assert_eq!(Dot::<2>::zeroed().predict(&x)?, [11.0]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// A length of 0 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Dot, Layer};
/// let _ = Dot::<0>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Dot<const N: usize>;

parameters!(impl[const N: usize] Dot<N> {});

impl<const N: usize> Layer for Dot<N> {
    type Input = Pair<[f32; N], [f32; N]>;
    type Output = [f32; 1];
    type InputGradient = Pair<[f32; N], [f32; N]>;
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<[f32; 1], BATCH>;

    const NAME: &'static str = "Dot";
    const RECORDS: Records = {
        assert!(N > 0, "Dot<N>: N must be at least 1");
        Records::joining(Record::new(LayerKind::Dot, &[N]), 2)
    };
    const STALLS_AT_ZERO: bool = true;

    fn infer<const BATCH: usize>(&self, x: Batch<'_, Self::Input>, (): &mut (), y: BatchMut<'_, [f32; 1]>) {
        for (x, y) in x.values.iter().zip(y.values) {
            *y = [dot(&x.first, &x.second)];
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [Self::InputGradient]>,
    ) {
        let d_y = cache.parts(x.values.len()).d_y;
        for ((d_x, x), [d]) in d_x.into_iter().flatten().zip(x.values).zip(d_y) {
            dot_backward(*d, &x.first, &x.second, &mut d_x.first, &mut d_x.second);
        }
    }
}

/// The rating of biased matrix factorisation (Koren, Bell and Volinsky, 2009): of a user's row a and an
/// item's row b, each of which ends with its bias,
///
/// ```text
/// y = Σⱼ aⱼ bⱼ + bias of a + bias of b + mean           j over all numbers but the last
/// ```
///
/// # Shapes
/// x [`Pair`] of a `[N]` and b `[N]`, as [`Branches`](super::Branches) give them; `mean` `[1]`; y `[1]`.
///
/// Initial value: mean 0. Where weights decay it is [`Frozen`](super::Frozen) at the mean of the ratings,
/// which decay would pull to 0:
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Row<const ROWS: usize, const DIM: usize> = sequential![Embedding<1, ROWS, DIM>, Flatten<1, DIM, DIM>];
/// type Ratings = sequential![Branches<Row<943, 17>, Row<1682, 17>>, Frozen<BiasedDot<17>>];
/// let mut ratings = Ratings::zeroed();
/// ratings.second.0.mean = [3.5];
/// assert_eq!(ratings.predict(&Pair { first: [1], second: [2] })?, [3.5]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// Rows without a factor are a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{BiasedDot, Layer};
/// let _ = BiasedDot::<1>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct BiasedDot<const N: usize> {
    /// What every rating has in common.
    pub mean: [f32; 1],
}

parameters!(impl[const N: usize] BiasedDot<N> { mean: [f32; 1] });

impl<const N: usize> Layer for BiasedDot<N> {
    type Input = Pair<[f32; N], [f32; N]>;
    type Output = [f32; 1];
    type InputGradient = Pair<[f32; N], [f32; N]>;
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<[f32; 1], BATCH>;

    const NAME: &'static str = "BiasedDot";
    const RECORDS: Records = {
        assert!(N > 1, "BiasedDot<N>: N must be at least 2, a factor and the bias");
        Records::joining(Record::new(LayerKind::BiasedDot, &[N]), 2)
    };
    const STALLS_AT_ZERO: bool = true;

    fn init(&mut self, _: &mut impl Rng) {
        self.mean = [0.0];
    }

    fn infer<const BATCH: usize>(&self, x: Batch<'_, Self::Input>, (): &mut (), y: BatchMut<'_, [f32; 1]>) {
        let [mean] = self.mean;
        for (x, y) in x.values.iter().zip(y.values) {
            if let Some(rating) = biased_dot(&x.first, &x.second, mean) {
                *y = [rating];
            }
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Self::Input>,
        cache: &mut Self::Cache<BATCH>,
        gradient: Option<&mut [f32; 1]>,
        d_x: Option<&mut [Self::InputGradient]>,
    ) {
        let d_y = cache.parts(x.values.len()).d_y;
        if let Some([sum]) = gradient {
            for [d] in &*d_y {
                *sum += d;
            }
        }
        for ((d_x, x), [d]) in d_x.into_iter().flatten().zip(x.values).zip(d_y) {
            biased_dot_backward(*d, &x.first, &x.second, &mut d_x.first, &mut d_x.second);
        }
    }
}
