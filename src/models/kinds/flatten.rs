//! A sequence as one vector.

use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{RecordError, Shape, Spec, choice, extent, unused};
use crate::passes::masks::clear_masked;
use crate::recipe::{LayerKind, Record};
use crate::slices::copy;
use crate::table::TableMut;

/// [`layers::Flatten`](crate::layers::Flatten).
#[derive(Clone, Copy, Debug)]
pub struct Flatten;

/// Makes zeros of masked steps, if the layer honours masks.
fn clear(record: &Record, masks: &[bool], steps: &mut [f32]) {
    let [_, dim, ..] = record.extents;
    let [_, _, ignores, _] = record.options;
    if ignores == 0 {
        clear_masked(TableMut::of_dim(steps, dim as usize), masks);
    }
}

impl Kind for Flatten {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Flatten as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let (len, dim) = (extent(record, 0)?, extent(record, 1)?);
        unused(record, 2, [false, false, true], 0)?;
        choice(record, 2, &[(), ()])?;
        let out = len.checked_mul(dim).ok_or(RecordError::TooLarge)?;
        Ok(Spec::new(Shape::Sequence { len, dim }, Shape::Vector(out)))
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let x = x.value();
        copy(x.numbers, y.numbers);
        clear(layer.record, x.masks, y.numbers);
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, _: Pass) {
        let Backward { x, d_y, d_x: [d_x, _], .. } = backward;
        if let Some(d_x) = d_x {
            copy(d_y, d_x);
            clear(layer.record, x.value().masks, d_x);
        }
    }
}
