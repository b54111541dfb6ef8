//! One pass of a layer over a batch, forth and back.

use nanoembed::layers::{Batch, BatchMut, Context, Layer, Value};
use zerocopy::FromZeros;

/// All that a pass gives, but the gradients of the parameters.
pub(crate) struct Pass<M: Layer> {
    pub(crate) y: Vec<M::Output>,
    pub(crate) y_masks: Vec<<M::Output as Value>::Mask>,
    pub(crate) d_x: Vec<M::InputGradient>,
}

/// The outputs, and from their gradients those of the inputs; those of the parameters are added to `gradient`.
pub(crate) fn pass<M: Layer, const BATCH: usize>(
    model: &M,
    x: &[M::Input],
    masks: &[<M::Input as Value>::Mask],
    d_y: &[M::Output],
    gradient: Option<&mut M::Gradient<BATCH>>,
) -> Pass<M> {
    pass_in::<M, BATCH>(Context::EVALUATION, model, x, masks, d_y, gradient)
}

/// The same in another context.
pub(crate) fn pass_in<M: Layer, const BATCH: usize>(
    context: Context,
    model: &M,
    x: &[M::Input],
    masks: &[<M::Input as Value>::Mask],
    d_y: &[M::Output],
    mut gradient: Option<&mut M::Gradient<BATCH>>,
) -> Pass<M> {
    let mut cache = M::Cache::<BATCH>::new_zeroed();
    let (mut inputs, mut input_masks) = (x.to_vec(), masks.to_vec());
    let mut batch = BatchMut { values: &mut inputs, masks: &mut input_masks };
    model.forward::<BATCH>(batch.reborrow(), &mut cache, context);
    let outputs = M::outputs::<BATCH>(batch.reborrow(), &mut cache);
    let (y, y_masks) = (outputs.values.to_vec(), outputs.masks.to_vec());

    let x = Batch::from(batch);
    let mut d_x: Vec<_> = x.values.iter().map(|_| M::InputGradient::new_zeroed()).collect();
    let (same, to) = M::flows::<BATCH>(x, &mut cache, gradient.as_deref_mut(), Some(&mut d_x));
    assert_eq!(same.values.len(), y.len());
    if let Some(to) = to {
        to.copy_from_slice(d_y);
    }
    model.backward::<BATCH>(x, &mut cache, gradient, Some(&mut d_x));
    Pass { y, y_masks, d_x }
}
