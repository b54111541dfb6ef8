//! Settings that `train` has if no one says otherwise.

use crate::arguments::Split;
use crate::failure::Failure;
use crate::recipe::Architecture;
use crate::training::Optimizer;

/// Settings that a model has if no one says otherwise: chosen on texts that were held out.
pub(super) struct Defaults {
    pub(super) split: Split,
    pub(super) words: u16,
    pub(super) characters: (u16, u16),
    pub(super) hold_out: f64,
    pub(super) epochs: u32,
    pub(super) units: u32,
    pub(super) window: u32,
    /// Whether the longest text is read to its start, or 19 of 20 texts.
    pub(super) reads_all: bool,
    /// In thousandths.
    pub(super) dropout: u16,
    pub(super) optimizer: Optimizer,
    rate_of_adagrad: f32,
    rate_of_adam: f32,
    rate_of_sgd: f32,
}

impl Defaults {
    /// The learning rate of an optimizer.
    pub(super) fn rate_of(&self, optimizer: Optimizer) -> f32 {
        match optimizer {
            Optimizer::Adagrad => self.rate_of_adagrad,
            Optimizer::Adam => self.rate_of_adam,
            Optimizer::Sgd => self.rate_of_sgd,
        }
    }
}

impl Architecture {
    /// With rows that were learnt from other texts.
    pub(super) fn defaults_of_pretrained(self) -> Defaults {
        // Vectors have words that are split at marks, and none of n-grams.
        let usual = Defaults { split: Split::Marks, words: 1, characters: (0, 0), ..self.defaults() };
        if self != Self::Conv {
            return usual;
        }
        Defaults {
            hold_out: 0.0,
            epochs: 4,
            units: 384,
            reads_all: true,
            window: 3,
            dropout: 500,
            rate_of_adam: 0.006,
            ..usual
        }
    }

    pub(super) fn defaults(self) -> Defaults {
        match self {
            Self::Bag => Defaults {
                split: Split::Marks,
                words: 2,
                characters: (5, 5),
                hold_out: 0.0,
                epochs: 12,
                units: 64,
                window: 5,
                reads_all: false,
                dropout: 0,
                optimizer: Optimizer::Adagrad,
                rate_of_adagrad: 0.2,
                rate_of_adam: 0.01,
                rate_of_sgd: 1.0,
            },
            Self::Conv | Self::Lstm | Self::Flatten | Self::Mlp => Defaults {
                split: Split::Keras,
                words: 1,
                characters: (0, 0),
                hold_out: 0.1,
                epochs: 6,
                units: 64,
                window: 5,
                reads_all: false,
                dropout: 0,
                optimizer: Optimizer::Adam,
                rate_of_adagrad: 0.02,
                rate_of_adam: 0.002,
                rate_of_sgd: 0.02,
            },
        }
    }

    /// Of columns.
    pub(super) fn defaults_of_columns(self) -> Result<Defaults, Failure> {
        if matches!(self, Architecture::Conv | Architecture::Lstm) {
            return Err(Failure::usage("columns have no order: take --model bag, flatten or mlp"));
        }
        Ok(Defaults {
            split: Split::Keras,
            words: 1,
            characters: (0, 0),
            hold_out: 0.1,
            epochs: 10,
            units: 64,
            window: 5,
            reads_all: false,
            dropout: 0,
            optimizer: Optimizer::Adam,
            rate_of_adagrad: 0.02,
            rate_of_adam: if self == Architecture::Bag { 0.01 } else { 0.002 },
            rate_of_sgd: 0.1,
        })
    }
}
