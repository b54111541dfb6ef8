//! An activation by itself.

use super::{Activations, AnyActivation, activate, activate_backward, activation, activation_of, value};
use crate::layers::ActivationKind;
use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{RecordError, Spec, unused};
use crate::recipe::{LayerKind, Record};
use crate::slices::copy;
use core::marker::PhantomData;

/// [`layers::Activation`](crate::layers::Activation), and as an identity
/// [`layers::Input`](crate::layers::Input): one of `A`.
#[derive(Clone, Copy, Debug)]
pub struct Activation<A = AnyActivation>(PhantomData<A>);

/// Which extent says how many numbers it sees at once, and how many they are.
fn width(record: &Record) -> (usize, u32) {
    match record.extents {
        [n, 0, ..] => (0, n),
        [_, dim, ..] => (1, dim),
    }
}

impl<A: Activations> Kind for Activation<A> {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Activation as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        unused(record, 2, [false, true, false], 0)?;
        let (value, (extent, width)) = (value(record)?, width(record));
        if activation_of::<A>(record)? == ActivationKind::Softmax && width == 1 {
            return Err(RecordError::Extent { extent, value: width });
        }
        Ok(Spec::new(value, value))
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], logits: bool) {
        let x = x.value();
        copy(x.numbers, y.numbers);
        copy(x.masks, y.masks);
        if !logits {
            activate::<A>(activation::<A>(layer.record), width(layer.record).1 as usize, y.numbers);
        }
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, pass: Pass) {
        let Backward { y, d_y, d_x: [Some(d_x), _], .. } = backward else { return };
        if !pass.logits {
            activate_backward::<A>(
                activation::<A>(layer.record),
                width(layer.record).1 as usize,
                y.numbers,
                d_y,
            );
        }
        copy(d_y, d_x);
    }
}
