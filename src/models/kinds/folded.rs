//! A folded classifier.

use super::embedding::{bags, check_bags, check_sums, table};
use super::taken;
use crate::error::InputError;
use crate::kernels::MOST_IDS;
use crate::models::kind::{Backward, Input, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Shape, Spec, choice, extent, unused};
use crate::passes::folded;
use crate::recipe::{LayerKind, Record};
use crate::slices::{part, parts_mut};
use crate::table::{I8, Indices, IntegerFormat, Pooling, RowFormat};
use core::marker::PhantomData;
use zerocopy::{FromBytes, IntoBytes};

/// [`layers::Folded`](crate::layers::Folded), with scores in the format `F`: [`I8`] or
/// [`I4`](crate::table::I4).
#[derive(Clone, Copy, Debug)]
pub struct Folded<F = I8>(PhantomData<F>);

/// The poolings in the order of their numbers.
const POOLINGS: [Pooling; 2] = [Pooling::Mean, Pooling::Sum];

/// Words of the bitmap of the rows that are kept: none if all are.
fn words_of_map(rows: usize, kept: usize) -> usize {
    if kept < rows { 2 * rows.div_ceil(32) } else { 0 }
}

/// What the record says. One body for both formats.
fn spec(record: &Record, format: RowFormat) -> Result<Spec, RecordError> {
    let (rows, classes, kept) = (extent(record, 0)?, extent(record, 1)?, extent(record, 2)?);
    unused(record, 3, [true, false, false], 0)?;
    choice(record, 0, &POOLINGS)?;
    if kept > rows {
        let [.., value, _, _, _] = record.extents;
        return Err(RecordError::Extent { extent: 2, value });
    }
    let codes = format.table_words(kept, classes);
    let words = codes.and_then(|codes| codes.checked_add(words_of_map(rows, kept))?.checked_add(classes));
    let words = Block::Words(words.ok_or(RecordError::TooLarge)?);
    let spec = Spec::new(Shape::Bag, Shape::Vector(classes));
    Ok(Spec { blocks: [words, Block::Nothing, Block::Nothing], ..spec })
}

impl<F: IntegerFormat> Kind for Folded<F> {
    const SEQUENCES: bool = false;

    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Folded as u16 && record.format == F::ROW_FORMAT as u16
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        spec(record, F::ROW_FORMAT)
    }

    fn check(record: &Record, input: Input<'_>) -> Result<(), InputError> {
        // Half of the sum is the bias's.
        check_sums(input, MOST_IDS / 2)?;
        check_bags(record, input)
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let [rows, classes, kept, ..] = layer.record.extents.map(|extent| extent as usize);
        let codes = (kept * F::row_length(classes)).div_ceil(4);
        let map = words_of_map(rows, kept);
        let numbers = layer.parameters;
        let words = |start, length| part(numbers, start, length).as_bytes();
        let view = folded::Folded {
            codes: table::<F>(numbers, kept, classes)
                .with_scale(part(numbers, codes + map, 1).first().copied().unwrap_or_default()),
            kept: match map {
                0 => None,
                _ => Some(<[[u32; 2]]>::ref_from_bytes(words(codes, map)).unwrap_or_default()),
            },
            bias: <[i32]>::ref_from_bytes(words(codes + map + 1, classes)).unwrap_or_default(),
            pooling: choice(layer.record, 0, &POOLINGS).unwrap_or(Pooling::Mean),
        };
        for (bag, y) in bags(taken(x)).zip(parts_mut(y.numbers, classes)) {
            view.logits(Indices::skipping(bag, rows).iter().flatten(), y);
        }
    }

    fn backward(_: View<'_>, _: Backward<'_>, _: Pass) {}
}
