//! An activation by itself.

use super::flow::{Flow, FlowParts, Keeps};
use super::value::copy;
use super::{
    ActivationFunction, ActivationKind, Batch, BatchMut, Context, Identity, Layer, LayerKind, Record,
    Records, Value, parameters,
};
use crate::slices::{self, parts, parts_mut};
use crate::table::Numbers;
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Keras' `Activation`: y = A(x), of a vector or of each step of a sequence.
///
/// # Shapes
/// x and y `V`: a vector `[f32; N]`, or a sequence `[[f32; DIM]; LEN]` with its mask.
///
/// At the end of a model a loss is fused with it, as with the activation of a [`Dense`](super::Dense) layer.
///
/// ```
/// use nanoembed::{layers::*, sequential};
/// type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1>, Activation<[f32; 1], Sigmoid>];
/// assert_eq!(Activation::<[f32; 2], Relu>::zeroed().predict(&[-1.0, 1.0])?, [0.0, 1.0]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// A softmax over one number, of a vector or of each step, is a compile error:
///
/// ```compile_fail,E0080
/// use nanoembed::layers::{Activation, Layer, Softmax};
/// let _ = Activation::<[[f32; 1]; 2], Softmax>::zeroed();
/// ```
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Activation<V, A>(PhantomData<(V, A)>);

/// Keras' `Input`: numbers that enter a model as they are, as the numeric columns of a table do beside the
/// [branches](crate::concatenate) of its categorical ones.
pub type Input<V> = Activation<V, Identity>;

parameters!(impl[V, A] Activation<V, A> {});

impl<V: Value + Numbers, A: ActivationFunction> Activation<V, A> {
    /// How many numbers an activation sees at once.
    const WIDTH: usize = match V::SHAPE {
        [n, 0] => n,
        [_, dim] => dim,
    };
}

impl<V: Value + Numbers, A: ActivationFunction> Layer for Activation<V, A> {
    type Input = V;
    type Output = V;
    type InputGradient = V;
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Flow<V, BATCH>;

    const ACTIVATION: ActivationKind = A::KIND;
    const NAME: &'static str = "Activation";
    const RECORDS: Records = {
        assert!(Self::WIDTH > 0, "Activation<V, A>: V must have numbers");
        A::KIND.assert_units(Self::WIDTH);
        let [outer, inner] = V::SHAPE;
        let record = Record::new(LayerKind::Activation, &[outer, inner]);
        Records::layer(record.options([0, A::KIND as u16, 0]))
    };
    const PASSES_ON: bool = true;

    fn infer<const BATCH: usize>(&self, x: Batch<'_, V>, (): &mut (), mut y: BatchMut<'_, V>) {
        copy(x, y.reborrow());
        Self::activate(y.values);
    }

    fn backward<const BATCH: usize>(
        &self,
        x: Batch<'_, V>,
        cache: &mut Flow<V, BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [V]>,
    ) {
        let FlowParts { y, d_y, .. } = cache.parts(x.values.len());
        for (y, d_y) in y.iter().zip(d_y) {
            let d_y = parts_mut(d_y.as_numbers_mut(), Self::WIDTH);
            for (y, d_y) in parts(y.as_numbers(), Self::WIDTH).zip(d_y) {
                A::activate_backward(y, d_y);
            }
        }
        self.backward_logits::<BATCH>(x, cache, None, d_x);
    }

    fn forward_logits<const BATCH: usize>(&self, x: BatchMut<'_, V>, cache: &mut Flow<V, BATCH>, _: Context) {
        let y = cache.outputs(x.values.len());
        copy(x.into(), y);
    }

    fn backward_logits<const BATCH: usize>(
        &self,
        x: Batch<'_, V>,
        cache: &mut Flow<V, BATCH>,
        _: Option<&mut ()>,
        d_x: Option<&mut [V]>,
    ) {
        if let Some(d_x) = d_x {
            slices::copy(cache.parts(x.values.len()).d_y, d_x);
        }
    }

    fn activate(y: &mut [V]) {
        for y in y {
            parts_mut(y.as_numbers_mut(), Self::WIDTH).for_each(A::activate);
        }
    }
}
