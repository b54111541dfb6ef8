//! Losses of models that give logits.

use super::Loss;
use crate::error::{LabelError, OutOfRange};
use crate::layers::{ActivationKind, Layer};
use zerocopy::FromZeros;

/// The loss `L` of a model that gives logits (logits) instead of probabilities: Keras' `from_logits=True`.
///
/// `L` is fused with an activation ([`FUSED_ACTIVATION`](Loss::FUSED_ACTIVATION)), which the model leaves
/// out. What the model predicts are the logits: above 0 for a probability above 1/2, of several classes the
/// greatest for the likeliest.
///
/// ```
/// use nanoembed::{layers::*, loss::{BinaryCrossEntropy, FromLogits}, optim::Sgd, train::Trainer};
/// let loss = FromLogits(BinaryCrossEntropy::default());
/// let mut trainer = Trainer::<Dense<1, 1>, _, _, 2>::new(Sgd::default(), loss);
/// trainer.step(&mut Dense::zeroed(), &[[2.0], [-1.0]], &[[1.0], [0.0]])?;
/// # Ok::<(), nanoembed::train::TrainError>(())
/// ```
///
/// A model that ends with an activation is a compile error, also where other layers pass on what it gave, and
/// one that does not, of `L` itself:
///
/// ```compile_fail,E0080
/// use nanoembed::{layers::*, loss::{BinaryCrossEntropy, FromLogits}, optim::Sgd, train::Trainer};
/// let loss = FromLogits(BinaryCrossEntropy::default());
/// let _ = Trainer::<Dense<1, 1, Sigmoid>, _, _, 2>::new(Sgd::default(), loss);
/// ```
///
/// ```compile_fail,E0080
/// use nanoembed::{layers::*, loss::{BinaryCrossEntropy, FromLogits}, optim::Sgd, sequential, train::Trainer};
/// let loss = FromLogits(BinaryCrossEntropy::default());
/// let _ = Trainer::<sequential![Dense<1, 1, Sigmoid>, Dropout<[f32; 1], 100>], _, _, 2>::new(Sgd::default(), loss);
/// ```
///
/// ```compile_fail,E0080
/// use nanoembed::{layers::*, loss::BinaryCrossEntropy, optim::Sgd, train::Trainer};
/// let _ = Trainer::<Dense<1, 1>, _, _, 2>::new(Sgd::default(), BinaryCrossEntropy::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromZeros)]
pub struct FromLogits<L>(
    /// The loss, which is fused with an activation.
    pub L,
);

impl<Y, L: Loss<Y>> Loss<Y> for FromLogits<L> {
    type Label = L::Label;
    const FUSED_ACTIVATION: ActivationKind = L::FUSED_ACTIVATION;
    const ACTIVATIONS: &'static [ActivationKind] = {
        // The assertions of the loss.
        let _ = L::ACTIVATIONS;
        assert!(
            !matches!(L::FUSED_ACTIVATION, ActivationKind::Identity),
            "FromLogits<L>: L takes outputs as they are; give it to the trainer without FromLogits"
        );
        &[ActivationKind::Identity]
    };

    fn check(&self) -> Result<(), OutOfRange> {
        self.0.check()
    }

    fn check_label(&self, label: &L::Label) -> Result<(), LabelError> {
        self.0.check_label(label)
    }

    fn value_and_gradient(&self, y: &Y, label: &L::Label, examples: f32, d_y: &mut Y) -> f32 {
        self.0.value_and_gradient(y, label, examples, d_y)
    }

    fn value(&self, y: &Y, label: &L::Label, scratch: &mut Y) -> f32 {
        self.0.value(y, label, scratch)
    }

    fn accuracy(&self, y: &Y, label: &L::Label) -> f32 {
        self.0.accuracy(y, label)
    }

    fn prepare<M: Layer<Output = Y>>(&self, model: &mut M) {
        self.0.prepare(model);
    }
}
