//! The layers of the models that can be trained, as records.

use crate::failure::Failure;
use clap::ValueEnum;
use nanoembed::layers::ActivationKind;
use nanoembed::models::{LayerKind, Record, Source};

/// Words of a window of `conv`.
const WINDOW: usize = 5;

/// Which layers a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    /// The mean of rows, then a linear layer: fastText's model, fast and small
    Bag,
    /// Windows of five words, then the maximum of each filter
    Conv,
    /// A recurrent layer over the words
    Lstm,
    /// All rows beside each other, then a linear layer: for short texts of fixed form
    Flatten,
    /// All rows beside each other, a hidden layer, then a linear layer: for columns
    Mlp,
}

/// How large a model is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extents {
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    /// Ids of a text; 0 for a bag.
    pub(crate) length: usize,
    /// Filters of a convolution, units of a recurrent or a hidden layer.
    pub(crate) units: usize,
    pub(crate) classes: usize,
    /// Whether a text may have several labels: each class then has a probability of its own.
    pub(crate) several: bool,
}

impl Architecture {
    /// Whether it takes the words of a text in their order, a fixed number of them.
    pub(crate) fn takes_sequence(self) -> bool {
        self != Self::Bag
    }

    /// The fewest ids that it can take.
    pub(crate) fn least_length(self) -> u32 {
        if self == Self::Conv { WINDOW as u32 } else { 1 }
    }

    /// The records of the layers, front to back.
    pub(crate) fn records(self, extents: Extents) -> Result<Vec<Record>, Failure> {
        let Extents { rows, dim, length, units, classes, several } = extents;
        let record = |kind, extents: &[usize]| {
            Record::checked_new(kind, extents)
                .ok_or_else(|| Failure::usage(format!("{extents:?}: too large")))
        };
        let embedding = || Ok(record(LayerKind::Embedding, &[length, rows, dim])?.from(Source::Input(0)));
        let (mut records, width) = match self {
            Self::Bag => (vec![record(LayerKind::EmbeddingBag, &[rows, dim])?.from(Source::Input(0))], dim),
            Self::Conv => {
                let windows = length.saturating_sub(WINDOW - 1);
                let convolution = record(LayerKind::Conv1D, &[length, dim, units, WINDOW, 1, 1])?;
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
                let extents = Extents { rows: 50, dim: 4, length, units: 6, classes: 3, several };
                let records = architecture.records(extents).expect("records");
                let recipe = Recipe::<All>::new(&records).expect("a recipe");
                assert_eq!(recipe.output().numbers(), 3, "{architecture:?}");
                assert!(recipe.parameters() > 200);
            }
        }
    }
}
