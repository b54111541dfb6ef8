//! A fully connected layer.

use super::{Activations, AnyActivation, activate, activate_backward, activation, activation_of, extents};
use crate::layers::{ActivationKind, glorot_uniform};
use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Shape, Spec, extent, unused};
use crate::passes::dense;
use crate::recipe::{LayerKind, Record};
use crate::table::{Table, TableMut};
use core::marker::PhantomData;
use rand_core::Rng;

/// [`layers::Dense`](crate::layers::Dense), with one of the activations `A`.
#[derive(Clone, Copy, Debug)]
pub struct Dense<A = AnyActivation>(PhantomData<A>);

impl<A: Activations> Kind for Dense<A> {
    const SEQUENCES: bool = false;

    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Dense as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let (inputs, units) = (extent(record, 0)?, extent(record, 1)?);
        unused(record, 2, [false, true, false], 1)?;
        if activation_of::<A>(record)? == ActivationKind::Softmax && units == 1 {
            return Err(RecordError::Extent { extent: 1, value: 1 });
        }
        let kernel = inputs.checked_mul(units).ok_or(RecordError::TooLarge)?;
        let spec = Spec::new(Shape::Vector(inputs), Shape::Vector(units));
        Ok(Spec { blocks: [Block::Numbers(kernel), Block::Numbers(units), Block::Nothing], ..spec })
    }

    fn init(record: &Record, parameters: &mut [f32], random: &mut impl Rng) {
        let [inputs, units, ..] = extents(record);
        if let Some((kernel, bias)) = parameters.split_at_mut_checked(inputs * units) {
            glorot_uniform(kernel, inputs, units, random);
            bias.fill(0.0);
        }
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], logits: bool) {
        let [inputs, units, ..] = extents(layer.record);
        if let Some((kernel, bias)) = layer.parameters.split_at_checked(inputs * units) {
            let (x, kernel) = (Table::of_dim(x.value().numbers, inputs), Table::of_dim(kernel, units));
            dense::forward(x, kernel, bias, TableMut::of_dim(y.numbers, units));
        }
        if !logits {
            activate::<A>(activation::<A>(layer.record), units, y.numbers);
        }
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, pass: Pass) {
        let Backward { x, y, d_y, gradient, d_x: [d_x, _], .. } = backward;
        let [inputs, units, ..] = extents(layer.record);
        if !pass.logits {
            activate_backward::<A>(activation::<A>(layer.record), units, y.numbers, d_y);
        }
        let d_y = Table::of_dim(d_y, units);
        if let Some((d_kernel, d_bias)) = gradient.and_then(|all| all.split_at_mut_checked(inputs * units)) {
            let x = Table::of_dim(x.value().numbers, inputs);
            dense::backward_parameters(x, d_y, TableMut::of_dim(d_kernel, units), d_bias);
        }
        if let (Some(d_x), Some((kernel, _))) = (d_x, layer.parameters.split_at_checked(inputs * units)) {
            dense::backward_input(d_y, Table::of_dim(kernel, units), TableMut::of_dim(d_x, inputs));
        }
    }
}
