//! The sum of two values.

use super::flow::Flow;
use super::{Batch, BatchMut, Layer, LayerKind, Pair, Record, Records, Value, parameters};
use crate::passes::sum::add;
use crate::table::Numbers;
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Keras' `Add` of two values: y = a + b, number by number.
///
/// # Shapes
/// x [`Pair`] of a `V` and b `V`, as [`Branches`](super::Branches) give them; y `V`: a vector `[f32; N]`, or
/// a sequence `[[f32; DIM]; LEN]`.
///
/// A step of the sum is valid if it is valid in one of the two sequences at least, as in Keras 3.
///
/// What a frozen model gives and what learns beside it are joined so: see [`OverlayBag`](super::OverlayBag).
///
/// ```
/// use nanoembed::layers::{Add, Layer, Pair};
/// let x = Pair { first: [1.0, 2.0], second: [3.0, 4.0] };
/// assert_eq!(Add::<[f32; 2]>::zeroed().predict(&x)?, [4.0, 6.0]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// A value without numbers is a compile error:
///
/// ```compile_fail
/// use nanoembed::layers::{Add, Layer};
/// let _ = Add::<[f32; 0]>::zeroed();
/// ```
///
/// # Cost
/// 12 bytes moved for each number.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Add<V>(PhantomData<V>);

parameters!(impl[V] Add<V> {});

impl<V: Value + Numbers> Layer for Add<V> {
    type Input = Pair<V, V>;
    type Output = V;
    type InputGradient = Pair<V, V>;
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<V, BATCH>;

    const NAME: &'static str = "Add";
    const RECORDS: Records = {
        assert!(size_of::<V>() > 0, "Add<V>: V must have numbers");
        let [outer, inner] = V::SHAPE;
        Records::joining(Record::new(LayerKind::Add, &[outer, inner]), 2)
    };

    fn infer<const BATCH: usize>(&self, x: Batch<'_, Pair<V, V>>, (): &mut (), y: BatchMut<'_, V>) {
        for (x, y) in x.values.iter().zip(y.values) {
            add(x.first.as_numbers(), x.second.as_numbers(), y.as_numbers_mut());
        }
        for ((first, second), mask) in x.masks.iter().zip(y.masks) {
            *mask = V::valid_in_either(first, second);
        }
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, Pair<V, V>>,
        cache: &mut Self::Cache<BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [Pair<V, V>]>,
    ) {
        let d_y = cache.parts(x.values.len()).d_y;
        for (d_x, d_y) in d_x.into_iter().flatten().zip(d_y) {
            *d_x = Pair { first: *d_y, second: *d_y };
        }
    }
}
