//! An activation by itself.

use super::{ACTIVATIONS, activate, activate_backward, copy, value};
use crate::layers::ActivationKind;
use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{RecordError, Spec, choice, unused};
use crate::recipe::{LayerKind, Record};

/// [`layers::Activation`](crate::layers::Activation); an identity is [`layers::Input`](crate::layers::Input).
#[derive(Clone, Copy, Debug)]
pub struct Activation;

fn kind(record: &Record) -> ActivationKind {
    choice(record, 1, &ACTIVATIONS).unwrap_or(ActivationKind::Identity)
}

/// Which extent says how many numbers it sees at once, and how many they are.
fn width(record: &Record) -> (usize, u32) {
    match record.extents {
        [n, 0, ..] => (0, n),
        [_, dim, ..] => (1, dim),
    }
}

impl Kind for Activation {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Activation as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        unused(record, 2, [false, true, false], 0)?;
        let (value, (extent, width)) = (value(record)?, width(record));
        if choice(record, 1, &ACTIVATIONS)? == ActivationKind::Softmax && width == 1 {
            return Err(RecordError::Extent { extent, value: width });
        }
        Ok(Spec::new(value, value))
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], logits: bool) {
        let x = x.value();
        copy(x.numbers, y.numbers);
        copy(x.masks, y.masks);
        if !logits {
            activate(kind(layer.record), width(layer.record).1 as usize, y.numbers);
        }
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, pass: Pass) {
        let Backward { y, d_y, d_x: [Some(d_x), _], .. } = backward else { return };
        if !pass.logits {
            activate_backward(kind(layer.record), width(layer.record).1 as usize, y.numbers, d_y);
        }
        copy(d_y, d_x);
    }
}
