//! Losses: how far an output is from its label, and which way to move.
//!
//! A cross-entropy is computed from scores, fused with its **link**, the activation that turns scores into probabilities:
//! nothing is clipped and a saturated unit goes on learning. It fits a model whose last activation is the link, which training
//! then leaves out, and a model that gives scores. [`OnProbabilities`] is Keras' unfused form; it is the one for
//! a model whose last layers only pass on what an activation in front of them gave (`Dropout`, `Flatten` or `Concatenate` behind a sigmoid), for
//! a fused loss would take those probabilities for scores.
//! [`MeanSquaredError`] and [`MeanAbsoluteError`] take outputs as they are. [`SampleWeights`] and [`ClassWeights`] stand around any of them.

mod binary;
mod categorical;
mod probabilities;
mod regression;
mod weighted;

pub use binary::BinaryCrossEntropy;
pub use categorical::{CategoricalCrossEntropy, SparseCategoricalCrossEntropy};
pub use probabilities::OnProbabilities;
pub use regression::{MeanAbsoluteError, MeanSquaredError};
pub use weighted::{Class, ClassWeights, SampleWeights, Weighing};

use crate::error::{LabelError, OutOfRange};
use crate::layers::ActivationKind;
use zerocopy::FromZeros;

/// A loss on outputs of type `Y`.
pub trait Loss<Y> {
    /// What an example is labelled with.
    type Label: Copy + FromZeros;

    /// The activation that the loss is fused with: it is given scores before this activation. `Linear` for losses that are
    /// given the model's outputs as they are.
    const LINK: ActivationKind;

    /// Whether the loss's own numbers are in their ranges.
    ///
    /// # Errors
    /// The first that is not.
    fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }

    /// Whether `label` is valid: a class that exists, a probability.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check_label(&self, label: &Self::Label) -> Result<(), LabelError>;

    /// The loss of one example. Writes to `d_y` its gradient with respect to `y`, divided by `examples`, the size of the batch
    /// whose mean loss is learnt from.
    fn value_and_gradient(&self, y: &Y, label: &Self::Label, examples: f32, d_y: &mut Y) -> f32;

    /// Keras' `"accuracy"` of one example, from what [`value_and_gradient`](Self::value_and_gradient) is given: 1 if it is right, 0 if
    /// wrong, a part if there are several answers.
    fn accuracy(&self, y: &Y, label: &Self::Label) -> f32;
}
