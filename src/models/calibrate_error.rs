//! Why a trained model has no form of integers.

use super::open::OpenError;
use crate::error::{InputError, NotFinite};
use crate::image::ImageError;
use core::fmt;

/// Why a model cannot be computed by integers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum CalibrateError {
    /// A layer that has no form of integers, or stands in the wrong place.
    Layer {
        /// Its number.
        layer: usize,
        /// What Keras calls it.
        kind: &'static str,
    },
    /// An activation that has no form of integers where it stands: a softmax before the last layer, or something
    /// else than a sigmoid or a softmax after it.
    Activation {
        /// The number of the layer.
        layer: usize,
        /// What Keras calls the activation.
        activation: &'static str,
    },
    /// The last layer is no `Dense`.
    NoDense,
    /// There are no examples.
    NoExamples,
    /// The examples are none of this model.
    Examples(InputError),
    /// A parameter, or an output for an example, is infinite or NaN.
    NotFinite(NotFinite),
    /// The numbers of a unit lie so far from those that it takes that no sum of 32 bits holds both, it has
    /// more than 65,536 weights, its scores are too large for any scale, or a mean is over more than
    /// 16,777,216 steps.
    Overflow {
        /// The number of the layer.
        layer: usize,
        /// The unit or filter.
        unit: usize,
    },
    /// The cells of an LSTM hold more than ±2048 for an example.
    Cell {
        /// The number of the layer.
        layer: usize,
        /// The most that one holds.
        most: f32,
    },
    /// The model's workspace is more than can be counted.
    TooLarge,
    /// The image cannot be read, or the contents do not go with the model.
    Open(OpenError),
}

impl fmt::Display for CalibrateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer { layer, kind } => write!(
                f,
                "layer {layer} ({kind}): a model that integers compute is an Embedding; then Conv1D, LSTM, poolings, Flatten, Dense or Dropout; a Dense at the end"
            ),
            Self::Activation { layer, activation } => write!(
                f,
                "layer {layer}: integers have no {activation} there: linear, relu, sigmoid or tanh within a model, linear, sigmoid or softmax at its end"
            ),
            Self::NoDense => {
                f.write_str("the last layer is no Dense: integers give the scores of a Dense layer")
            }
            Self::NoExamples => {
                f.write_str("there are no examples: give some hundred inputs like those in use")
            }
            Self::Examples(error) => write!(f, "examples: {error}"),
            Self::NotFinite(error) => error.fmt(f),
            Self::Overflow { layer, unit } => write!(
                f,
                "layer {layer}, unit {unit}: 32 bits do not hold its sums: at most 65,536 weights, means over 16,777,216 steps, and outputs not far from the inputs"
            ),
            Self::Cell { layer, most } => write!(
                f,
                "layer {layer}: a cell of this LSTM reaches {most}, and those of integers hold up to 2048: give it shorter sequences"
            ),
            Self::TooLarge => f.write_str("the model's workspace is more than this processor can count"),
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CalibrateError {}

impl From<OpenError> for CalibrateError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<ImageError> for CalibrateError {
    fn from(error: ImageError) -> Self {
        Self::Open(error.into())
    }
}
