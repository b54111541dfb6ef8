//! A sequence as one vector, whatever its length.

use super::extents;
use crate::kernels::shaped::{
    max_over_steps, max_over_steps_backward, mean_over_steps, mean_over_steps_backward,
};
use crate::models::kind::{Backward, Kind, Pass, Taken, Values, ValuesMut, View};
use crate::models::shape::{RecordError, Shape, Spec, choice, extent, product, unused};
use crate::recipe::{LayerKind, Record};
use crate::slices::{parts, parts_mut};
use crate::table::{Table, TableMut};

/// [`layers::GlobalMaxPooling1D`](crate::layers::GlobalMaxPooling1D).
#[derive(Clone, Copy, Debug)]
pub struct GlobalMaxPooling1D;

/// [`layers::GlobalAveragePooling1D`](crate::layers::GlobalAveragePooling1D).
#[derive(Clone, Copy, Debug)]
pub struct GlobalAveragePooling1D;

#[inline]
fn spec(record: &Record) -> Result<Spec, RecordError> {
    let (len, dim) = (extent(record, 0)?, extent(record, 1)?);
    unused(record, 2, [false, false, true], 0)?;
    let ignores_masks = choice(record, 2, &[false, true])?;
    product(len, dim)?;
    Ok(Spec { ignores_masks, ..Spec::new(Shape::Sequence { len, dim }, Shape::Vector(dim)) })
}

/// The sequences of a batch, each with the mask of its steps.
fn sequences<'a>(record: &Record, x: Values<'a>) -> impl Iterator<Item = (Table<'a>, &'a [bool])> + use<'a> {
    let [len, dim, ..] = extents(record);
    let steps = parts(x.numbers, len * dim).map(move |x| Table::of_dim(x, dim));
    steps.zip(parts(x.masks, len))
}

/// Pools each sequence.
fn infer(layer: View<'_>, x: Taken<'_>, y: &mut [f32], pool: impl Fn(Table<'_>, &[bool], &mut [f32])) {
    let [_, dim, ..] = extents(layer.record);
    for ((x, valid), y) in sequences(layer.record, x.value()).zip(parts_mut(y, dim)) {
        pool(x, valid, y);
    }
}

/// Writes the gradients of each sequence.
fn backward(
    layer: View<'_>,
    backward: Backward<'_>,
    pool_backward: impl Fn(Table<'_>, &[bool], &[f32], &mut TableMut<'_>),
) {
    let Backward { x, d_y, d_x: [Some(d_x), _], .. } = backward else { return };
    let [len, dim, ..] = extents(layer.record);
    let d_x = parts_mut(d_x, len * dim);
    let d_y = parts(d_y, dim);
    for (((x, valid), d_y), d_x) in sequences(layer.record, x.value()).zip(d_y).zip(d_x) {
        pool_backward(x, valid, d_y, &mut TableMut::of_dim(d_x, dim));
    }
}

impl Kind for GlobalMaxPooling1D {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::GlobalMaxPooling1D as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        spec(record)
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        infer(layer, x, y.numbers, max_over_steps);
    }

    fn backward(layer: View<'_>, of: Backward<'_>, _: Pass) {
        backward(layer, of, max_over_steps_backward);
    }
}

impl Kind for GlobalAveragePooling1D {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::GlobalAveragePooling1D as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        spec(record)
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        infer(layer, x, y.numbers, mean_over_steps);
    }

    fn backward(layer: View<'_>, of: Backward<'_>, _: Pass) {
        backward(layer, of, |_, valid, d_y, d_x| mean_over_steps_backward(valid, d_y, d_x));
    }
}
