//! The sum of two values.

use super::value;
use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{RecordError, Spec, unused};
use crate::passes::sum::add;
use crate::recipe::{LayerKind, Record};
use crate::slices::copy;

/// [`layers::Add`](crate::layers::Add).
#[derive(Clone, Copy, Debug)]
pub struct Add;

impl Kind for Add {
    const PAIRS: bool = true;

    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Add as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        unused(record, 2, [false; 3], 0)?;
        let value = value(record)?;
        Ok(Spec { takes: [Some(value); 2], ..Spec::new(value, value) })
    }

    fn infer(_: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let (a, b) = x.pair();
        add(a.numbers, b.numbers, y.numbers);
        for ((a, b), y) in a.masks.iter().zip(b.masks).zip(y.masks) {
            *y = *a || *b;
        }
    }

    fn backward(_: View<'_>, backward: Backward<'_>, _: Pass) {
        let Backward { d_y, d_x, .. } = backward;
        for d_x in d_x.into_iter().flatten() {
            copy(d_y, d_x);
        }
    }
}
