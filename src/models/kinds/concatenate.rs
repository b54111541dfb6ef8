//! Two vectors, one after the other.

use super::extents;
use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{RecordError, Shape, Spec, extent, unused};
use crate::recipe::{LayerKind, Record};
use crate::slices::{copy, parts, parts_mut};

/// [`layers::Concatenate`](crate::layers::Concatenate) of two vectors; of more, one a vector after the first.
#[derive(Clone, Copy, Debug)]
pub struct Concatenate;

impl Kind for Concatenate {
    const PAIRS: bool = true;
    const SEQUENCES: bool = false;

    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Concatenate as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let (first, second) = (extent(record, 0)?, extent(record, 1)?);
        unused(record, 2, [false; 3], 0)?;
        let takes = [first, second].map(|n| Some(Shape::Vector(n)));
        Ok(Spec { takes, ..Spec::new(Shape::Vector(first), Shape::Vector(first + second)) })
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let [first, second, ..] = extents(layer.record);
        let (a, b) = x.pair();
        let (a, b) = (parts(a.numbers, first), parts(b.numbers, second));
        for ((a, b), y) in a.zip(b).zip(parts_mut(y.numbers, first + second)) {
            if let Some((y_a, y_b)) = y.split_at_mut_checked(first) {
                copy(a, y_a);
                copy(b, y_b);
            }
        }
    }

    fn backward(layer: View<'_>, backward: Backward<'_>, _: Pass) {
        let Backward { d_y, d_x: [d_a, d_b], .. } = backward;
        let [first, second, ..] = extents(layer.record);
        let d_y = || parts(d_y, first + second).filter_map(|d_y| d_y.split_at_checked(first));
        for (d_a, (d_y, _)) in d_a.into_iter().flat_map(|d_a| parts_mut(d_a, first)).zip(d_y()) {
            copy(d_y, d_a);
        }
        for (d_b, (_, d_y)) in d_b.into_iter().flat_map(|d_b| parts_mut(d_b, second)).zip(d_y()) {
            copy(d_y, d_b);
        }
    }
}
