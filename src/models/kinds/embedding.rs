//! Rows of a table, one an id or one a bag.

use super::taken;
use crate::error::{CapacityExceeded, InputError};
use crate::kernels::MOST_IDS;
#[cfg(feature = "alloc")]
use crate::kernels::shaped::dequantise;
use crate::kernels::shaped::{gather, pool};
use crate::layers::uniform;
use crate::models::kind::{Backward, Input, Kind, Pass, Taken, ValuesMut, View};
use crate::models::shape::{Block, RecordError, Shape, Spec, choice, extent, unused};
use crate::recipe::{LayerKind, Record};
use crate::slices::{first_mut, parts_mut};
use crate::table::{Bags, F32, Format, Indices, Pooling, RowFormat, Scale, Table};
#[cfg(feature = "alloc")]
use crate::table::{Bf16, F16, I4, I8, TableMut, U2, U4, U8};
use core::marker::PhantomData;
use rand_core::Rng;
use zerocopy::{FromBytes, IntoBytes};

/// [`layers::Embedding`](crate::layers::Embedding), with rows in the format `F`.
#[derive(Clone, Copy, Debug)]
pub struct Embedding<F = F32>(PhantomData<F>);

/// [`layers::EmbeddingBag`](crate::layers::EmbeddingBag), with rows in the format `F`.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddingBag<F = F32>(PhantomData<F>);

/// The blocks of a table: its rows, and which of them do not learn. One body for all formats.
fn blocks(
    record: &Record,
    format: RowFormat,
    rows: usize,
    dim: usize,
    (ids, sources): (Option<usize>, usize),
) -> Result<[Block; 3], RecordError> {
    let words = format.table_words(rows, dim).ok_or(RecordError::TooLarge)?;
    let table = match format {
        RowFormat::F32 => Block::Rows { rows, dim, ids, sources },
        _ => Block::Words(words),
    };
    let frozen = if record.has_frozen_rows() { Block::FrozenRows(rows.div_ceil(32)) } else { Block::Nothing };
    Ok([table, frozen, Block::Nothing])
}

/// Bits of the last option that a table of this format may have.
const fn learning(format: RowFormat) -> u16 {
    match format {
        RowFormat::F32 => 3,
        _ => 0,
    }
}

/// The table itself.
pub(super) fn table<F: Format>(parameters: &[f32], rows: usize, dim: usize) -> Table<'_, F> {
    let length = rows * F::row_length(dim) * size_of::<F::Element>();
    let (rows, scale) =
        parameters.as_bytes().split_at_checked(length.next_multiple_of(4)).unwrap_or_default();
    let rows = <[F::Element]>::ref_from_bytes(rows.get(..length).unwrap_or_default()).unwrap_or_default();
    let scale = F::Scale::read_from_prefix(scale).map_or_else(|_| F::Scale::default(), |(scale, _)| scale);
    Table::of_elements(rows, dim).scaled(scale)
}

/// The numbers `[rows, dim]` of the table that a record has, in whatever format; zeros if it is unknown.
#[cfg(feature = "alloc")]
pub(in crate::models) fn numbers_of_table(
    record: &Record,
    parameters: &[f32],
    rows: usize,
    dim: usize,
) -> alloc::vec::Vec<f32> {
    let mut numbers = alloc::vec![0.0; rows * dim];
    let mut to = TableMut::of_dim(&mut numbers, dim);
    match RowFormat::from_number(record.format) {
        Some(RowFormat::F32) => dequantise(table::<F32>(parameters, rows, dim), &mut to),
        Some(RowFormat::F16) => dequantise(table::<F16>(parameters, rows, dim), &mut to),
        Some(RowFormat::Bf16) => dequantise(table::<Bf16>(parameters, rows, dim), &mut to),
        Some(RowFormat::U8) => dequantise(table::<U8>(parameters, rows, dim), &mut to),
        Some(RowFormat::U4) => dequantise(table::<U4>(parameters, rows, dim), &mut to),
        Some(RowFormat::U2) => dequantise(table::<U2>(parameters, rows, dim), &mut to),
        Some(RowFormat::I8) => dequantise(table::<I8>(parameters, rows, dim), &mut to),
        Some(RowFormat::I4) => dequantise(table::<I4>(parameters, rows, dim), &mut to),
        None => {}
    }
    numbers
}

/// Draws the rows, if they are numbers: not a bitmap after them, nor packed rows.
fn init_rows<F: Format>(rows: u32, dim: u32, parameters: &mut [f32], random: &mut impl Rng) {
    if F::ROW_FORMAT == RowFormat::F32 {
        uniform(first_mut(parameters, rows as usize * dim as usize), 0.05, random);
    }
}

/// The ids of an input.
fn ids(input: Input<'_>) -> &[u32] {
    match input {
        Input::Ids(ids) | Input::Bags { ids, .. } => ids,
        _ => &[],
    }
}

/// What the record of an [`Embedding`] says.
fn sequence(record: &Record, format: RowFormat) -> Result<Spec, RecordError> {
    let (len, rows, dim) = (extent(record, 0)?, extent(record, 1)?, extent(record, 2)?);
    unused(record, 3, [true, false, false], learning(format))?;
    choice(record, 0, &[(), ()])?;
    len.checked_mul(dim).ok_or(RecordError::TooLarge)?;
    let blocks = blocks(record, format, rows, dim, (Some(len), len))?;
    Ok(Spec { blocks, ..Spec::new(Shape::Ids(len), Shape::Sequence { len, dim }) })
}

/// What the record of an [`EmbeddingBag`] says.
fn bag(record: &Record, format: RowFormat) -> Result<Spec, RecordError> {
    let (rows, dim) = (extent(record, 0)?, extent(record, 1)?);
    unused(record, 2, [true, false, false], learning(format))?;
    choice(record, 0, &POOLINGS)?;
    let blocks = blocks(record, format, rows, dim, (None, 1))?;
    Ok(Spec { blocks, ..Spec::new(Shape::Bag, Shape::Vector(dim)) })
}

/// Whether 32 bits hold the sums of integers.
pub(super) fn check_sums(input: Input<'_>, most: usize) -> Result<(), InputError> {
    for bag in bags(input) {
        CapacityExceeded::check("ids of a bag of integers", most, bag.len())?;
    }
    Ok(())
}

/// Whether the ids of bags can be used.
pub(super) fn check_bags(record: &Record, input: Input<'_>) -> Result<(), InputError> {
    let [rows, ..] = record.extents;
    // All at once is faster; which example it is matters for the error alone. On a device the loop is enough.
    if cfg!(not(target_os = "none")) && Indices::new(ids(input), rows as usize).is_ok() {
        return Ok(());
    }
    for (example, bag) in bags(input).enumerate() {
        Indices::new(bag, rows as usize).map_err(|error| InputError::of_example(example, error))?;
    }
    Ok(())
}

impl<F: Format> Kind for Embedding<F> {
    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::Embedding as u16 && record.format == F::ROW_FORMAT as u16
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        sequence(record, F::ROW_FORMAT)
    }

    fn check(record: &Record, input: Input<'_>) -> Result<(), InputError> {
        let [len, rows, ..] = record.extents;
        Indices::new(ids(input), rows as usize)
            .map(drop)
            .map_err(|error| InputError::of_examples(len as usize, error))
    }

    fn init(record: &Record, parameters: &mut [f32], random: &mut impl Rng) {
        let [_, rows, dim, ..] = record.extents;
        init_rows::<F>(rows, dim, parameters, random);
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let [_, rows, dim, ..] = layer.record.extents;
        let [mask_zero, ..] = layer.record.options;
        let (rows, ids) = (rows as usize, ids(taken(x)));
        let table = table::<F>(layer.parameters, rows, dim as usize);
        gather(table, Indices::skipping(ids, rows), y.numbers);
        for (valid, id) in y.masks.iter_mut().zip(ids) {
            *valid = mask_zero == 0 || *id != 0;
        }
    }

    fn backward(_: View<'_>, _: Backward<'_>, _: Pass) {}

    fn occurrences(record: &Record, input: Input<'_>, _: usize, visit: &mut dyn FnMut(u32, u32)) {
        let [_, rows, ..] = record.extents;
        for (source, row) in (0..).zip(Indices::skipping(ids(input), rows as usize).iter()) {
            if let Some(row) = row {
                visit(row as u32, source);
            }
        }
    }
}

/// The poolings in the order of their numbers.
pub(in crate::models) const POOLINGS: [Pooling; 3] = [Pooling::Mean, Pooling::Sum, Pooling::SqrtN];

/// The ids of each example, and their number.
pub(super) fn bags(input: Input<'_>) -> impl Iterator<Item = &[u32]> {
    let (ids, offsets) = match input {
        Input::Bags { ids, offsets } => (ids, offsets),
        _ => (&[][..], &[][..]),
    };
    offsets.windows(2).filter_map(move |ends| match ends {
        [start, end] => ids.get(*start as usize..*end as usize),
        _ => None,
    })
}

impl<F: Format> EmbeddingBag<F> {
    fn pooling(record: &Record) -> Pooling {
        choice(record, 0, &POOLINGS).unwrap_or(Pooling::Mean)
    }
}

impl<F: Format> Kind for EmbeddingBag<F> {
    const SEQUENCES: bool = false;

    #[inline]
    fn is_of(record: &Record) -> bool {
        record.kind == LayerKind::EmbeddingBag as u16 && record.format == F::ROW_FORMAT as u16
    }

    #[inline]
    fn spec(record: &Record) -> Result<Spec, RecordError> {
        bag(record, F::ROW_FORMAT)
    }

    fn check(record: &Record, input: Input<'_>) -> Result<(), InputError> {
        if F::Scale::IS_ONE {
            check_sums(input, MOST_IDS)?;
        }
        check_bags(record, input)
    }

    fn init(record: &Record, parameters: &mut [f32], random: &mut impl Rng) {
        let [rows, dim, ..] = record.extents;
        init_rows::<F>(rows, dim, parameters, random);
    }

    fn infer(layer: View<'_>, x: Taken<'_>, y: ValuesMut<'_>, _: &mut [f32], _: bool) {
        let [rows, dim, ..] = layer.record.extents;
        let (rows, dim) = (rows as usize, dim as usize);
        let table = table::<F>(layer.parameters, rows, dim);
        let pooling = Self::pooling(layer.record);
        if cfg!(not(target_os = "none"))
            && let Input::Bags { ids, offsets } = taken(x)
            && let Ok(bags) = Bags::new(Indices::skipping(ids, rows), offsets)
        {
            // All at once is faster. On a device it would be more code.
            return pool(table, &bags, pooling, y.numbers);
        }
        for (bag, y) in bags(taken(x)).zip(parts_mut(y.numbers, dim)) {
            pool(table, &Bags::one(Indices::skipping(bag, rows)), pooling, y);
        }
    }

    // The gradient rows are the gradients of the outputs, divided as the pooling divides.
    fn backward(layer: View<'_>, backward: Backward<'_>, _: Pass) {
        let [rows, dim, ..] = layer.record.extents;
        let d_rows = parts_mut(backward.d_y, dim as usize);
        for (bag, d_row) in bags(taken(backward.x)).zip(d_rows) {
            let bag = Bags::one(Indices::skipping(bag, rows as usize)).bag(0);
            if let Some(divisor) = bag.and_then(|bag| bag.divisor(Self::pooling(layer.record))) {
                for d in d_row {
                    *d /= divisor;
                }
            }
        }
    }

    fn occurrences(record: &Record, input: Input<'_>, _: usize, visit: &mut dyn FnMut(u32, u32)) {
        let [rows, ..] = record.extents;
        for (source, bag) in (0..).zip(bags(input)) {
            for row in Indices::skipping(bag, rows as usize).iter().flatten() {
                visit(row as u32, source);
            }
        }
    }
}
