//! What can be wrong in training.

use crate::error::{
    BagError, CapacityExceeded, IndexOutOfRange, InputError, LabelError, NotFinite, OutOfRange,
    RowOutOfRange, ShapeMismatch,
};
use core::fmt;

/// Why training did not go on. The model and the optimizer's state are as they were after the last whole
/// step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TrainError {
    /// An input that cannot be used, or lists of different length. Nothing has been learnt in this call.
    Input(InputError),
    /// An invalid label: a class that does not exist, a probability outside [0, 1], a number that is not
    /// finite; or a sample's weight that is negative or not finite. Nothing has been learnt in this call.
    Label {
        /// Where it stands in the list of labels.
        position: usize,
        /// What is wrong with it.
        error: LabelError,
    },
    /// A hyperparameter of the optimizer or a number of the loss outside its range. Nothing has been learnt
    /// in this call.
    OutOfRange(OutOfRange),
    /// The loss of a batch, or the sum of losses of the epoch so far, is infinite or NaN, and the batch has
    /// not been learnt from. The loss tells what earlier steps did: a learning rate or an input that is far
    /// too large shows one step late, and the last step of an epoch only in the next one. The weights of the
    /// last good epoch are those that [`EarlyStopping`](super::EarlyStopping) keeps, if it is told what
    /// [`Trainer::evaluate`](super::Trainer::evaluate) finds after each epoch.
    NotFinite {
        /// The step that was not taken, counted from 1 over the life of the trainer.
        step: u32,
        /// The first number that is not finite.
        place: NotFinite,
    },
    /// No example to learn from or to evaluate.
    NoExamples,
    /// Every parameter is 0 before the first step, and the layers would learn next to nothing
    /// ([`STALLS_AT_ZERO`](crate::layers::Layer::STALLS_AT_ZERO)). Nothing has been learnt in this call.
    NotInitialised,
    /// Steps of an exact optimizer are still to reach the rows that did not occur in them, so that the model
    /// is not what it has learnt.
    NotFlushed,
    /// More steps than can be counted.
    TooManySteps,
}

impl From<InputError> for TrainError {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<OutOfRange> for TrainError {
    fn from(error: OutOfRange) -> Self {
        Self::OutOfRange(error)
    }
}

macro_rules! from_input_errors {
    ($($error:ty)*) => {$(
        impl From<$error> for TrainError {
            fn from(error: $error) -> Self {
                Self::Input(error.into())
            }
        }
    )*};
}
from_input_errors!(IndexOutOfRange RowOutOfRange BagError ShapeMismatch CapacityExceeded);

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => error.fmt(f),
            Self::OutOfRange(error) => error.fmt(f),
            Self::Label { error: error @ LabelError::Length(_), .. } => error.fmt(f),
            Self::Label { position, error } => write!(f, "label {position}: {error}"),
            Self::NotFinite { step, place } => {
                write!(f, "the loss at step {step} is not finite: {place}; the step was not taken")
            }
            Self::NoExamples => f.write_str("no examples: look at how the data was read and divided"),
            Self::NotInitialised => f.write_str(
                "all parameters are 0, from which the layers do not learn: make the model by `new` or `boxed`, or call `init`",
            ),
            Self::NotFlushed => {
                f.write_str("rows wait for steps of the exact optimizer: call the trainer's `flush` first")
            }
            Self::TooManySteps => f.write_str("more steps than can be counted"),
        }
    }
}

impl core::error::Error for TrainError {}
