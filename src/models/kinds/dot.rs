//! The product of two vectors, by itself and as a prediction of ratings.

use super::extents;
use crate::kernels::shaped::dot;
use crate::models::kind::{Backward, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Shape, Spec, extent, unused};
use crate::passes::product::{biased_dot, biased_dot_backward, dot_backward};
use crate::recipe::{LayerKind, Record};
use crate::slices::{parts, parts_mut};
use rand_core::Rng;

/// [`layers::Dot`](crate::layers::Dot).
#[derive(Clone, Copy, Debug)]
pub struct Dot;

/// [`layers::BiasedDot`](crate::layers::BiasedDot).
#[derive(Clone, Copy, Debug)]
pub struct BiasedDot;

/// Two vectors of `n` numbers give one number.
fn spec(n: usize) -> Spec {
    Spec { takes: [Some(Shape::Vector(n)); 2], ..Spec::new(Shape::Vector(n), Shape::Vector(1)) }
}

/// The two vectors of each example.
fn pairs<'a>(record: &Record, x: Taken<'a>) -> impl Iterator<Item = (&'a [f32], &'a [f32])> + use<'a> {
    let ([n, ..], (a, b)) = (extents(record), x.pair());
    parts(a.numbers, n).zip(parts(b.numbers, n))
}

/// Writes the gradients of both vectors of each example; nothing of one whose gradients are not wanted.
fn backward(
    layer: View<'_>,
    backward: Backward<'_>,
    of_example: impl Fn(f32, &[f32], &[f32], &mut [f32], &mut [f32]),
) {
    let Backward { x, d_y, d_x, .. } = backward;
    let [n, ..] = extents(layer.record);
    let [mut d_a, mut d_b] = d_x.map(|d_x| parts_mut(d_x.unwrap_or_default(), n));
    for ((a, b), d) in pairs(layer.record, x).zip(d_y) {
        of_example(*d, a, b, d_a.next().unwrap_or_default(), d_b.next().unwrap_or_default());
    }
}

impl Kind for Dot {
    const PAIRS: bool = true;
    const SEQUENCES: bool = false;

    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Dot as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let n = extent(record, 0)?;
        unused(record, 1, [false; 3], 0)?;
        Ok(spec(n))
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        for ((a, b), y) in pairs(layer.record, x).zip(y.numbers) {
            *y = dot(a, b);
        }
    }

    fn backward(layer: View<'_>, of: Backward<'_>, _: Pass) {
        backward(layer, of, dot_backward);
    }
}

impl Kind for BiasedDot {
    const PAIRS: bool = true;
    const SEQUENCES: bool = false;

    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::BiasedDot as u16 && record.format == 0
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        let n = extent(record, 0)?;
        unused(record, 1, [false; 3], 1)?;
        // A factor and the bias.
        if n == 1 {
            return Err(RecordError::Extent { extent: 0, value: 1 });
        }
        Ok(Spec { blocks: [Block::Numbers(1), Block::Nothing, Block::Nothing], ..spec(n) })
    }

    fn init(_: &Record, parameters: &mut [f32], _: &mut impl Rng) {
        parameters.fill(0.0);
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let [mean] = layer.parameters else { return };
        for ((a, b), y) in pairs(layer.record, x).zip(y.numbers) {
            if let Some(rating) = biased_dot(a, b, *mean) {
                *y = rating;
            }
        }
    }

    fn backward(layer: View<'_>, of: Backward<'_>, _: Pass) {
        let Backward { x, y, d_y, kept, gradient, d_x } = of;
        if let Some([sum]) = gradient {
            for d in &*d_y {
                *sum += d;
            }
        }
        backward(layer, Backward { x, y, d_y, kept, gradient: None, d_x }, biased_dot_backward);
    }
}
