//! The weights of a model as arrays with names, as `nanoembed::weights` names those of a model that is a
//! type. What is packed is written as the numbers that it stands for.

use super::packed;
use nanoembed::models::{LayerKind, Record};
use nanoembed::table::RowFormat;
use std::borrow::Cow;

/// An array of a model.
#[derive(Debug, PartialEq)]
pub(crate) struct Array<'a> {
    /// Layer and name, such as `dense_1/kernel`.
    pub(crate) key: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values<'a>,
}

/// Numbers of an array.
#[derive(Debug, PartialEq)]
pub(crate) enum Values<'a> {
    F32(Cow<'a, [f32]>),
    /// binary16.
    F16(Vec<u16>),
    /// The upper halves of `f32`.
    Bf16(Vec<u16>),
    /// Numbers of rows.
    U32(Vec<u32>),
}

/// Names and shapes of the arrays of a layer; `None` if the kind is not known.
fn shapes(record: &Record) -> Option<Vec<(&'static str, Vec<usize>)>> {
    let [a, b, c, d, ..] = record.extents.map(|extent| extent as usize);
    Some(match LayerKind::from_number(record.kind)? {
        LayerKind::Embedding | LayerKind::HashedEmbedding => vec![("rows", vec![b, c])],
        LayerKind::EmbeddingBag => vec![("rows", vec![a, b])],
        LayerKind::QuotientRemainder => vec![("quotients", vec![b, d]), ("remainders", vec![c, d])],
        LayerKind::Conv1D => vec![("kernel", vec![d, b, c]), ("bias", vec![c])],
        LayerKind::Lstm => {
            vec![("kernel", vec![b, 4 * c]), ("recurrent_kernel", vec![c, 4 * c]), ("bias", vec![4 * c])]
        }
        LayerKind::Dense => vec![("kernel", vec![a, b]), ("bias", vec![b])],
        LayerKind::BiasedDot => vec![("mean", vec![1])],
        LayerKind::OverlayBag | LayerKind::Folded | LayerKind::Own => return None,
        _ => Vec::new(),
    })
}

/// The arrays of a layer, and the parameters behind them; `None` if they are not known as arrays.
fn of_layer<'a>(record: &Record, mut parameters: &'a [f32]) -> Option<(Vec<Array<'a>>, &'a [f32])> {
    let format = RowFormat::from_number(record.format)?;
    if LayerKind::from_number(record.kind)? == LayerKind::Folded {
        return packed::folded(record, format, parameters);
    }
    let mut arrays = Vec::new();
    for (name, shape) in shapes(record)? {
        let values = match (format, shape.as_slice()) {
            (RowFormat::F32, shape) => {
                let (values, rest) = parameters.split_at_checked(shape.iter().product())?;
                parameters = rest;
                Cow::Borrowed(values)
            }
            (format, [rows, dim]) => {
                let (values, rest) = packed::rows(format, *rows, *dim, parameters)?;
                parameters = rest;
                Cow::Owned(values)
            }
            _ => return None,
        };
        arrays.push(Array { key: name.to_owned(), shape, values: Values::F32(values) });
    }
    if record.has_frozen_rows() {
        let rows = arrays.first()?.shape.first().copied()?;
        let (_, rest) = parameters.split_at_checked(rows.div_ceil(32))?;
        parameters = rest;
    }
    Some((arrays, parameters))
}

/// The name of a kind as Keras writes it: `EmbeddingBag` is `embedding_bag`.
fn snake(kind: &str) -> String {
    let mut name = String::new();
    let mut before = 'A';
    for c in kind.chars() {
        if before.is_ascii_lowercase() && c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        before = c;
    }
    name
}

/// The arrays of a model, front to back; `None` if some are not known.
pub(super) fn arrays<'a>(records: &[Record], mut parameters: &'a [f32]) -> Option<Vec<Array<'a>>> {
    let mut arrays = Vec::new();
    for (number, record) in records.iter().enumerate() {
        let same = records.iter().take(number).filter(|before| before.kind == record.kind).count();
        let kind = snake(LayerKind::from_number(record.kind)?.name());
        let layer = if same == 0 { kind } else { format!("{kind}_{same}") };
        let (of_layer, rest) = of_layer(record, parameters)?;
        parameters = rest;
        arrays.extend(
            of_layer.into_iter().map(|array| Array { key: format!("{layer}/{}", array.key), ..array }),
        );
    }
    parameters.is_empty().then_some(arrays)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Architecture, Extents};
    use nanoembed::models::{All, Recipe};

    #[test]
    fn every_parameter_is_in_an_array() {
        for (architecture, keys) in [
            (Architecture::Bag, vec!["embedding_bag/rows", "dense/kernel", "dense/bias"]),
            (
                Architecture::Conv,
                vec!["embedding/rows", "conv1d/kernel", "conv1d/bias", "dense/kernel", "dense/bias"],
            ),
            (
                Architecture::Lstm,
                vec![
                    "embedding/rows",
                    "lstm/kernel",
                    "lstm/recurrent_kernel",
                    "lstm/bias",
                    "dense/kernel",
                    "dense/bias",
                ],
            ),
        ] {
            let length = if architecture.takes_sequence() { 7 } else { 0 };
            let extents =
                Extents { rows: 50, dim: 4, length, units: 6, window: 5, classes: 3, ..Extents::default() };
            let records = architecture.records(extents).expect("records");
            let parameters = vec![0.0; Recipe::<All>::new(&records).expect("a recipe").parameters()];
            let arrays = arrays(&records, &parameters).expect("arrays");
            let found: Vec<&str> = arrays.iter().map(|array| array.key.as_str()).collect();
            assert_eq!(found, keys);
        }
    }
}
