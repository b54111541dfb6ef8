//! Losses: how far an output is from its label, and which way to move.
//!
//! | family | items |
//! |---|---|
//! | probabilities | [`BinaryCrossEntropy`], [`CategoricalCrossEntropy`], [`SparseCategoricalCrossEntropy`] |
//! | quantities | [`MeanSquaredError`], [`MeanAbsoluteError`] |
//! | what a cross-entropy is computed from | [`FromLogits`], [`OnProbabilities`] |
//! | how much an example counts | [`SampleWeights`] with a [`Weighted`] label, [`ClassWeights`] by class |
//! | classes that a model has and the data has not | [`KnownClasses`] |
//! | chosen at run time | [`AnyLoss`], of [`Labels`] in slices; what does not fit is a [`LossError`] |
//! | for a loss of your own | the trait [`Loss`] |
//!
//! A cross-entropy is computed from logits. It is *fused* with the activation that turns logits into
//! probabilities, so nothing is clipped, and a saturated unit goes on learning. It fits a model that ends
//! with this activation. A model without it does not compile, since what it predicts would be no probability:
//!
//! | the model ends with | the loss |
//! |---|---|
//! | the activation of the loss: `Dense<32, 1, Sigmoid>` | as it is: [`BinaryCrossEntropy`] |
//! | logits, which it also predicts: `Dense<32, 1>` | [`FromLogits`], Keras' `from_logits=True` |
//! | a layer that passes on what an activation gave: a sigmoid, then `Dropout`, `Flatten` or `Concatenate` | [`OnProbabilities`], Keras' form that is not fused |
//!
//! [`MeanSquaredError`] and [`MeanAbsoluteError`] take outputs as they are. [`SampleWeights`],
//! [`ClassWeights`] and [`KnownClasses`] wrap any loss that they fit.

mod any;
mod binary;
mod categorical;
mod classes;
mod error;
mod labels;
mod logits;
mod probabilities;
mod regression;
mod weighted;

pub use any::AnyLoss;
pub use binary::BinaryCrossEntropy;
pub use categorical::{CategoricalCrossEntropy, SparseCategoricalCrossEntropy};
pub use classes::KnownClasses;
pub use error::LossError;
pub use labels::Labels;
pub use logits::FromLogits;
pub use probabilities::OnProbabilities;
pub use regression::{MeanAbsoluteError, MeanSquaredError};
pub use weighted::{ClassWeights, SampleWeights, Weighted};

use crate::error::{LabelError, OutOfRange};
use crate::layers::{ActivationKind, Layer};
use zerocopy::FromZeros;

/// The bound of class weights. It is no part of the interface: `internals` gives it out.
pub(crate) mod inner {
    pub use super::weighted::Class;
}

/// A loss on outputs of type `Y`.
pub trait Loss<Y> {
    /// What an example is labelled with.
    type Label: Copy + FromZeros;

    /// The activation that the loss is fused with: it is given logits before this activation. `Identity` for
    /// losses that are given the model's outputs as they are.
    const FUSED_ACTIVATION: ActivationKind;

    /// The last activations of the models that the loss fits: the one that it is fused with, or any.
    ///
    /// Here a loss asserts that its sizes fit; a trainer evaluates it, so that wrong ones do not compile.
    const ACTIVATIONS: &'static [ActivationKind] =
        if matches!(Self::FUSED_ACTIVATION, ActivationKind::Identity) {
            ActivationKind::ALL
        } else {
            &[Self::FUSED_ACTIVATION]
        };

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

    /// The loss of one example. Writes to `d_y` its gradient with respect to `y`, divided by `examples`, the
    /// size of the batch whose mean loss is learnt from.
    fn value_and_gradient(&self, y: &Y, label: &Self::Label, examples: f32, d_y: &mut Y) -> f32;

    /// The loss of one example that is not learnt from: without what acts in training alone, as
    /// [`ClassWeights`] do. `scratch` is overwritten.
    fn value(&self, y: &Y, label: &Self::Label, scratch: &mut Y) -> f32 {
        self.value_and_gradient(y, label, 1.0, scratch)
    }

    /// Keras' `"accuracy"` of one example, from what [`value_and_gradient`](Self::value_and_gradient) is
    /// given: 1 if it is right, 0 if wrong, a part if there are several answers.
    fn accuracy(&self, y: &Y, label: &Self::Label) -> f32;

    /// Makes a model that is about to learn, or has just learnt, give what the loss knows of its outputs: no
    /// probability to classes that do not exist ([`KnownClasses`]). Most losses know nothing of the kind.
    fn prepare<M: Layer<Output = Y>>(&self, model: &mut M) {
        let _ = model;
    }
}
