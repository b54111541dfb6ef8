//! Why a loss does not fit a model.

use super::categorical::MOST_CLASSES;
use crate::error::{OutOfRange, ShapeMismatch};
use crate::layers::ActivationKind;
use core::fmt;

/// Why an [`AnyLoss`](super::AnyLoss) does not fit a model.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LossError {
    /// The model ends with another activation.
    Activation {
        /// The activation that the model ends with, or the last one that was applied to its outputs.
        found: ActivationKind,
        /// Those that the loss fits.
        fits: &'static [ActivationKind],
    },
    /// A categorical cross-entropy over one class, which is always 0.
    OneClass,
    /// A softmax over one unit, which always gives 1.
    SoftmaxOfOne,
    /// More classes than labels of 16 bits can name.
    TooManyClasses {
        /// How many.
        classes: usize,
    },
    /// The loss takes probabilities, and the model gives logits.
    Logits,
    /// A number of the loss is outside its range.
    OutOfRange(OutOfRange),
    /// There is not one class weight for each class.
    ClassWeights(ShapeMismatch),
    /// A number of known classes, where labels are no classes or the loss is not fused with a softmax.
    KnownClasses,
    /// A number of known classes, where the outputs have no bias each that could close them.
    NoBiases,
}

impl From<OutOfRange> for LossError {
    fn from(error: OutOfRange) -> Self {
        Self::OutOfRange(error)
    }
}

impl fmt::Display for LossError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Activation { found, fits } => {
                write!(f, "the loss does not fit a model that ends with {}: end it with ", found.name())?;
                for (i, kind) in fits.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { " or " }, kind.name())?;
                }
                f.write_str(", or take another form of the loss: by itself it is fused with the activation, `FromLogits` takes linear outputs, `OnProbabilities` others")
            }
            Self::OneClass => {
                f.write_str("a categorical cross-entropy over one class is always 0: use the binary one")
            }
            Self::SoftmaxOfOne => f.write_str(
                "a softmax over one unit always gives 1: use a sigmoid, or one unit for each class",
            ),
            Self::TooManyClasses { classes } => {
                write!(f, "{classes} classes, more than the {MOST_CLASSES} that labels of 16 bits can name")
            }
            Self::Logits => f.write_str(
                "the loss takes probabilities, but the model's last layer has no activation and gives \
                logits: give it one, or take the loss from logits",
            ),
            Self::OutOfRange(error) => error.fmt(f),
            Self::ClassWeights(error) => error.fmt(f),
            Self::KnownClasses => f.write_str(
                "a number of known classes is for the sparse categorical cross-entropy, fused or from logits",
            ),
            Self::NoBiases => f.write_str(
                "the number of classes is known, but the model's outputs have no bias each that could close \
                the rest: end it with a Dense layer that learns",
            ),
        }
    }
}

impl core::error::Error for LossError {}
