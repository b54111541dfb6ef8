//! The layers of the models that can be trained, as records.

use crate::failure::Failure;
use clap::ValueEnum;
use nanoembed::layers::ActivationKind;
use nanoembed::models::{LayerKind, Record, Source};

/// Which layers a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    /// The mean of rows, then a linear layer: fastText's model, fast and small
    Bag,
    /// Windows of some words, then the maximum of each filter
    Conv,
    /// A recurrent layer over the words
    Lstm,
    /// All rows beside each other, then a linear layer: for short texts of fixed form
    Flatten,
    /// All rows beside each other, a hidden layer, then a linear layer: for columns
    Mlp,
}

/// How large a model is, and what of it learns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extents {
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    /// Ids of a text; 0 for a bag.
    pub(crate) length: usize,
    /// Filters of a convolution, units of a recurrent or a hidden layer.
    pub(crate) units: usize,
    /// Words of a window of `conv`.
    pub(crate) window: usize,
    pub(crate) classes: usize,
    /// Whether a text may have several labels: each class then has a probability of its own.
    pub(crate) several: bool,
    /// Thousandths of the inputs of the last layer that are left out of each step.
    pub(crate) dropout: u16,
    /// Whether the table does not learn.
    pub(crate) frozen: bool,
}

impl Architecture {
    /// Whether it takes the words of a text in their order, a fixed number of them.
    pub(crate) fn takes_sequence(self) -> bool {
        self != Self::Bag
    }

    /// The fewest ids that it can take.
    pub(crate) fn least_length(self, window: u32) -> u32 {
        if self == Self::Conv { window } else { 1 }
    }

    /// The records of the layers, front to back.
    pub(crate) fn records(self, extents: Extents) -> Result<Vec<Record>, Failure> {
        let Extents { rows, dim, length, units, window, classes, several, dropout, frozen } = extents;
        let record = |kind, extents: &[usize]| {
            Record::checked_new(kind, extents)
                .ok_or_else(|| Failure::usage(format!("{extents:?}: too large")))
        };
        let table = |kind, extents: &[usize]| {
            let table = record(kind, extents)?.from(Source::Input(0));
            Ok::<_, Failure>(if frozen { table.frozen() } else { table })
        };
        let embedding = || table(LayerKind::Embedding, &[length, rows, dim]);
        let (mut records, width) = match self {
            Self::Bag => (vec![table(LayerKind::EmbeddingBag, &[rows, dim])?], dim),
            Self::Conv => {
                let windows = (length + 1).saturating_sub(window);
                let convolution = record(LayerKind::Conv1D, &[length, dim, units, window, 1, 1])?;
                let records = vec![
                    embedding()?.mask_zero(),
                    convolution.activation(ActivationKind::Relu),
                    record(LayerKind::GlobalMaxPooling1D, &[windows, units])?,
                ];
                (records, units)
            }
            Self::Lstm => {
                (vec![embedding()?.mask_zero(), record(LayerKind::Lstm, &[length, dim, units])?], units)
            }
            Self::Flatten | Self::Mlp => {
                let (mut records, mut width) = (
                    vec![embedding()?, record(LayerKind::Flatten, &[length, dim])?],
                    length.saturating_mul(dim),
                );
                if self == Self::Mlp {
                    records.push(record(LayerKind::Dense, &[width, units])?.activation(ActivationKind::Relu));
                    width = units;
                }
                (records, width)
            }
        };
        if dropout > 0 {
            records.push(record(LayerKind::Dropout, &[width, 0, dropout.into()])?);
        }
        let activation = if several { ActivationKind::Sigmoid } else { ActivationKind::Softmax };
        records.push(record(LayerKind::Dense, &[width, classes])?.activation(activation));
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanoembed::models::{All, Recipe};

    #[test]
    fn every_architecture_is_a_model() {
        for architecture in Architecture::value_variants() {
            for several in [false, true] {
                let length = if architecture.takes_sequence() { 7 } else { 0 };
                let extents = Extents {
                    rows: 50,
                    dim: 4,
                    length,
                    units: 6,
                    window: 5,
                    classes: 3,
                    several,
                    dropout: 500,
                    frozen: several,
                };
                let records = architecture.records(extents).expect("records");
                let recipe = Recipe::<All>::new(&records).expect("a recipe");
                assert_eq!(recipe.output().numbers(), 3, "{architecture:?}");
                assert!(recipe.parameters() > 200);
            }
        }
    }
}
