//! Binary cross-entropy, from logits.

use super::Loss;
use crate::error::{LabelError, OutOfRange};
use crate::kernels::sum;
use crate::layers::ActivationKind;
use crate::math;
use crate::metrics::binary_accuracy;
use zerocopy::FromZeros;

/// Keras' `BinaryCrossentropy`, fused with the sigmoid: of logits x and labels t in [0, 1], the mean over the
/// outputs of
///
/// ```text
/// max(x, 0) − x t + ln(1 + e⁻|x|)            gradient σ(x) − t
/// ```
///
/// With label smoothing a, t becomes t (1 − a) + a / 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct BinaryCrossEntropy {
    /// How far labels are moved towards 1/2, in [0, 1].
    pub label_smoothing: f32,
}

impl BinaryCrossEntropy {
    /// The label that is learnt.
    #[inline(always)]
    pub(super) fn smooth(self, label: f32) -> f32 {
        label * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing
    }

    /// [`Loss::value_and_gradient`] of logits and labels of one length.
    #[inline(always)]
    pub(super) fn learn(self, y: &[f32], label: &[f32], examples: f32, d_y: &mut [f32]) -> f32 {
        let outputs = y.len() as f32;
        for ((value, &x), &t) in d_y.iter_mut().zip(y).zip(label) {
            let positive = if x > 0.0 { x } else { 0.0 };
            *value = positive - x * self.smooth(t) + math::ln_1p(math::exp(-x.abs()));
        }
        let mean = sum(d_y) / outputs;
        for ((d, &x), &t) in d_y.iter_mut().zip(y).zip(label) {
            *d = (math::sigmoid(x) - self.smooth(t)) / outputs / examples;
        }
        mean
    }
}

/// `Ok` if every number is a probability.
pub(super) fn check_probabilities(label: &[f32]) -> Result<(), LabelError> {
    match label.iter().enumerate().find(|(_, t)| !(0.0..=1.0).contains(*t)) {
        Some((output, &value)) => Err(LabelError::Probability { output, value }),
        None => Ok(()),
    }
}

impl<const OUT: usize> Loss<[f32; OUT]> for BinaryCrossEntropy {
    type Label = [f32; OUT];
    const FUSED_ACTIVATION: ActivationKind = ActivationKind::Sigmoid;

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::probability("label_smoothing", self.label_smoothing)
    }

    fn check_label(&self, label: &[f32; OUT]) -> Result<(), LabelError> {
        check_probabilities(label)
    }

    fn value_and_gradient(
        &self,
        y: &[f32; OUT],
        label: &[f32; OUT],
        examples: f32,
        d_y: &mut [f32; OUT],
    ) -> f32 {
        self.learn(y, label, examples, d_y)
    }

    fn accuracy(&self, y: &[f32; OUT], label: &[f32; OUT]) -> f32 {
        binary_accuracy(y, label, 0.0)
    }
}
