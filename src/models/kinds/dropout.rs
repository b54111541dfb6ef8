//! Numbers left out at random, in training.

use super::value;
use crate::kernels::shaped::dropout;
use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{RecordError, Spec, unused};
use crate::random::mix;
use crate::recipe::{LayerKind, Record};
use crate::slices::{copy, parts, parts_mut};

/// [`layers::Dropout`](crate::layers::Dropout).
#[derive(Clone, Copy, Debug)]
pub struct Dropout;

/// Writes the numbers of `x` that are kept to `y`.
fn keep(layer: View<'_>, pass: Pass, x: &[f32], y: &mut [f32]) {
    if !pass.context.training {
        return copy(x, y);
    }
    let [_, _, per_mille, ..] = layer.record.extents;
    let (seed, rate) = (pass.context.layer_seed(), per_mille as f32 / 1000.0);
    let numbers = x.len().checked_div(layer.n).unwrap_or(0);
    for (place, (x, y)) in (0..).zip(parts(x, numbers).zip(parts_mut(y, numbers))) {
        dropout(mix(seed, place), rate, x, y);
    }
}

impl Kind for Dropout {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Dropout as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let [_, _, per_mille, ..] = record.extents;
        if per_mille >= 1000 {
            return Err(RecordError::Extent { extent: 2, value: per_mille });
        }
        unused(record, 3, [false; 3], 0)?;
        let value = value(record)?;
        Ok(Spec::new(value, value))
    }

    fn infer(_: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let x = x.value();
        copy(x.numbers, y.numbers);
        copy(x.masks, y.masks);
    }

    fn forward(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], pass: Pass) {
        let x = x.value();
        keep(layer, pass, x.numbers, y.numbers);
        copy(x.masks, y.masks);
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, pass: Pass) {
        if let Backward { d_y, d_x: [Some(d_x), _], .. } = backward {
            keep(layer, pass, d_y, d_x);
        }
    }
}
