//! Packed rows as the numbers that they stand for, by the bytes that `docs/image-format.md` fixes.

use super::arrays::{Array, Values};
use nanoembed::models::{LayerKind, Record};
use nanoembed::table::{Bf16, F16, Format, I4, I8, RowFormat, Table, TableMut, U2, U4, U8};
use nanoembed::zerocopy::{FromBytes, IntoBytes};
use std::borrow::Cow;

/// The codes of a table `[rows, dim]` times what scales them all.
fn numbers<F: Format>(packed: &[f32], rows: usize, dim: usize, scale: f32) -> Option<Vec<f32>> {
    let bytes = F::ROW_FORMAT.row_bytes(dim)?.checked_mul(rows)?;
    let elements = <[F::Element]>::ref_from_bytes(packed.as_bytes().get(..bytes)?).ok()?;
    let table = Table::<F>::packed(elements, rows, dim).ok()?;
    let mut numbers = vec![0.0; rows * dim];
    table.dequantise(&mut TableMut::new(&mut numbers, rows, dim).ok()?).ok()?;
    // The scale of integers is the table's, not the rows'.
    for x in &mut numbers {
        *x *= scale;
    }
    Some(numbers)
}

/// The numbers of a table whose codes, without a scale of the whole, lie at the front of `packed`.
fn scaled(format: RowFormat, packed: &[f32], rows: usize, dim: usize, scale: f32) -> Option<Vec<f32>> {
    match format {
        RowFormat::F16 => numbers::<F16>(packed, rows, dim, scale),
        RowFormat::Bf16 => numbers::<Bf16>(packed, rows, dim, scale),
        RowFormat::U8 => numbers::<U8>(packed, rows, dim, scale),
        RowFormat::U4 => numbers::<U4>(packed, rows, dim, scale),
        RowFormat::U2 => numbers::<U2>(packed, rows, dim, scale),
        RowFormat::I8 => numbers::<I8>(packed, rows, dim, scale),
        RowFormat::I4 => numbers::<I4>(packed, rows, dim, scale),
        _ => None,
    }
}

/// Words of the codes of a table.
fn words_of_codes(format: RowFormat, rows: usize, dim: usize) -> Option<usize> {
    Some(format.row_bytes(dim)?.checked_mul(rows)?.div_ceil(4))
}

/// The rows of a packed table `[rows, dim]`, and the parameters behind it.
pub(super) fn rows(
    format: RowFormat,
    rows: usize,
    dim: usize,
    parameters: &[f32],
) -> Option<(Vec<f32>, &[f32])> {
    let (codes, mut rest) = parameters.split_at_checked(words_of_codes(format, rows, dim)?)?;
    let mut scale = 1.0;
    if matches!(format, RowFormat::I8 | RowFormat::I4) {
        let (first, behind) = rest.split_first()?;
        (scale, rest) = (*first, behind);
    }
    Some((scaled(format, codes, rows, dim, scale)?, rest))
}

/// The numbers `[rows, dim]` of the table that is the first layer of a model, in whatever format, and the dim; `None`
/// if the layer is no table.
pub(crate) fn table(record: &Record, parameters: &[f32]) -> Option<(Vec<f32>, usize)> {
    let [a, b, c, ..] = record.extents.map(|extent| extent as usize);
    let (rows, dim) = match LayerKind::from_number(record.kind)? {
        LayerKind::Embedding => (b, c),
        LayerKind::EmbeddingBag => (a, b),
        _ => return None,
    };
    let numbers = match RowFormat::from_number(record.format)? {
        RowFormat::F32 => parameters.get(..rows.checked_mul(dim)?)?.to_vec(),
        format => self::rows(format, rows, dim, parameters)?.0,
    };
    Some((numbers, dim))
}

/// The bias of a mean is so many times the answer to an empty text.
const OF_EMPTY: f32 = 4096.0;

/// The scores of a folded classifier, the numbers of the rows that they are of, and the bias; and the parameters
/// behind it.
pub(super) fn folded<'a>(
    record: &Record,
    format: RowFormat,
    parameters: &'a [f32],
) -> Option<(Vec<Array<'a>>, &'a [f32])> {
    let [rows, classes, kept, ..] = record.extents.map(|extent| extent as usize);
    let (codes, rest) = parameters.split_at_checked(words_of_codes(format, kept, classes)?)?;
    let (map, rest) = rest.split_at_checked(if kept < rows { 2 * rows.div_ceil(32) } else { 0 })?;
    let (scale, rest) = rest.split_first()?;
    let (bias, rest) = rest.split_at_checked(classes)?;
    // A bit for each row, and beside each 32 how many come before them.
    let bits: Vec<u32> = map.iter().step_by(2).map(|word| word.to_bits()).collect();
    let is_kept = |row: &usize| bits.get(row / 32).is_none_or(|bits| bits >> (row % 32) & 1 == 1);
    let numbers: Vec<u32> = (0..rows).filter(is_kept).map(|row| row as u32).collect();
    let of_bias = if record.options.first() == Some(&0) { scale / OF_EMPTY } else { *scale };
    let bias: Vec<f32> = bias.iter().map(|bias| of_bias * bias.to_bits().cast_signed() as f32).collect();
    let scores = scaled(format, codes, kept, classes, *scale)?;
    let array = |key: &str, shape, values| Array { key: key.to_owned(), shape, values };
    let arrays = vec![
        array("scores", vec![kept, classes], Values::F32(Cow::Owned(scores))),
        array("rows", vec![numbers.len()], Values::U32(numbers)),
        array("bias", vec![classes], Values::F32(Cow::Owned(bias))),
    ];
    Some((arrays, rest))
}
