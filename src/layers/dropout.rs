//! Numbers left out at random, in training.

use super::flow::{Flow, FlowParts};
use super::value::copy;
use super::{Batch, BatchMut, Context, Layer, LayerKind, Record, Records, Value, parameters};
use crate::kernels::shaped::dropout;
use crate::random::mix;
use crate::slices;
use crate::table::Numbers;
use core::marker::PhantomData;
use zerocopy::{FromBytes, FromZeros, Immutable, KnownLayout};

/// Keras' `Dropout(PER_MILLE / 1000)` (Srivastava et al., 2014): in training each number is 0 with this
/// probability, and else multiplied by 1 / (1 − rate); in use and in evaluation all stay as they are.
///
/// # Shapes
/// x and y `V`: a vector `[f32; N]`, or a sequence `[[f32; DIM]; LEN]` with its mask.
///
/// What is left out is a hash of the [`Context`], the place of the example in the batch and the place of the
/// number: a step can be repeated, and nothing is kept but the seed.
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dropout<[f32; 32], 200>, Dense<32, 1, Sigmoid>];
/// let x = [1.0; 5];
/// assert_eq!(Dropout::<[f32; 5], 500>::zeroed().predict(&x)?, x);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// A rate of 1 is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Dropout, Layer};
/// let _ = Dropout::<[f32; 5], 1000>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Dropout<V, const PER_MILLE: usize>(PhantomData<V>);

parameters!(impl[V, const PER_MILLE: usize] Dropout<V, PER_MILLE> {});

/// What a forward pass drew from.
#[derive(Clone, Copy, Debug, FromZeros)]
pub struct Drawn {
    training: bool,
    seed: u64,
}

impl<V: Value + Numbers, const PER_MILLE: usize> Dropout<V, PER_MILLE> {
    const RATE: f32 = PER_MILLE as f32 / 1000.0;

    /// Writes the numbers of `x` that are kept to `y`.
    fn keep(drawn: Drawn, x: &[V], y: &mut [V]) {
        let Drawn { training, seed } = drawn;
        for (place, (x, y)) in (0..).zip(x.iter().zip(y)) {
            if training {
                dropout(mix(seed, place), Self::RATE, x.as_numbers(), y.as_numbers_mut());
            } else {
                *y = *x;
            }
        }
    }
}

impl<V: Value + Numbers, const PER_MILLE: usize> Layer for Dropout<V, PER_MILLE> {
    type Input = V;
    type Output = V;
    type InputGradient = V;
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<V, BATCH, Drawn>;

    const NAME: &'static str = "Dropout";
    const RECORDS: Records = {
        assert!(PER_MILLE < 1000, "Dropout<V, PER_MILLE>: the rate must be below 1, PER_MILLE below 1000");
        let [outer, inner] = V::SHAPE;
        Records::layer(Record::new(LayerKind::Dropout, &[outer, inner, PER_MILLE]))
    };
    const PASSES_ON: bool = true;

    fn infer<const BATCH: usize>(&self, x: Batch<'_, V>, (): &mut (), y: BatchMut<'_, V>) {
        copy(x, y);
    }

    fn forward<const BATCH: usize>(
        &self,
        x: BatchMut<'_, V>,
        cache: &mut Self::Cache<BATCH>,
        context: Context,
    ) {
        let (y, drawn) = cache.start(x.values.len());
        *drawn = Drawn { training: context.training, seed: context.layer_seed() };
        Self::keep(*drawn, x.values, y.values);
        slices::copy(x.masks, y.masks);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, V>,
        cache: &mut Self::Cache<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [V]>,
    ) {
        let FlowParts { d_y, kept, .. } = cache.parts(x.values.len());
        if let Some(d_x) = d_x {
            Self::keep(*kept, d_y, d_x);
        }
    }
}
