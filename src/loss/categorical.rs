//! Cross-entropy over classes, from logits.

use super::Loss;
use super::binary::check_probabilities;
use crate::error::{LabelError, OutOfRange};
use crate::kernels::{dot, log_sum_exp, softmax, sum};
use crate::layers::ActivationKind;
use crate::metrics::argmax;
use zerocopy::FromZeros;

/// Keras' `CategoricalCrossentropy`, fused with the softmax: of logits x and labels t, one probability a
/// class,
///
/// ```text
/// ln(Σ eˣʲ) Σ tⱼ − Σ tⱼ xⱼ                   gradient softmax(x) Σ tⱼ − t
/// ```
///
/// With label smoothing a and K classes, t becomes t (1 − a) + a / K. One class alone is a compile error:
///
/// ```compile_fail,E0080
/// use nanoembed::loss::{CategoricalCrossEntropy, Loss};
/// CategoricalCrossEntropy::default().value_and_gradient(&[0.5], &[1.0], 1.0, &mut [0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct CategoricalCrossEntropy {
    /// How far labels are moved towards 1/K, in [0, 1].
    pub label_smoothing: f32,
}

impl CategoricalCrossEntropy {
    /// The label that is learnt.
    #[inline(always)]
    pub(super) fn smooth<const K: usize>(self, label: &[f32; K]) -> [f32; K] {
        label.map(|t| t * (1.0 - self.label_smoothing) + self.label_smoothing / K as f32)
    }
}

/// Asserts that there is something to learn: one class alone is always right, at a loss of 0.
pub(super) const fn assert_classes(classes: usize) {
    assert!(classes > 1, "a categorical cross-entropy over one class is always 0: use BinaryCrossEntropy");
}

/// Scores relative to the greatest one, which change no probability: the difference that is the loss is then
/// taken of small numbers, however large the logits are.
fn below_greatest<const K: usize>(y: &[f32; K]) -> [f32; K] {
    let greatest = y.get(argmax(y)).copied().unwrap_or_default();
    y.map(|x| x - greatest)
}

impl<const K: usize> Loss<[f32; K]> for CategoricalCrossEntropy {
    type Label = [f32; K];
    const FUSED_ACTIVATION: ActivationKind = ActivationKind::Softmax;
    const ACTIVATIONS: &'static [ActivationKind] = {
        assert_classes(K);
        &[ActivationKind::Softmax]
    };

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::probability("label_smoothing", self.label_smoothing)
    }

    fn check_label(&self, label: &[f32; K]) -> Result<(), LabelError> {
        check_probabilities(label)
    }

    fn value_and_gradient(&self, y: &[f32; K], label: &[f32; K], examples: f32, d_y: &mut [f32; K]) -> f32 {
        const { assert_classes(K) }
        let label = self.smooth(label);
        let total = sum(&label);
        *d_y = *y;
        softmax(d_y);
        for (d, t) in d_y.iter_mut().zip(&label) {
            *d = (*d * total - t) / examples;
        }
        let y = below_greatest(y);
        log_sum_exp(&y) * total - dot(&label, &y).unwrap_or(f32::NAN)
    }

    fn accuracy(&self, y: &[f32; K], label: &[f32; K]) -> f32 {
        if argmax(y) == argmax(label) { 1.0 } else { 0.0 }
    }
}

/// Keras' `SparseCategoricalCrossentropy`, fused with the softmax: of logits x and the number c of the right
/// class,
///
/// ```text
/// ln(Σ eˣʲ) − x_c                            gradient softmax(x) − 1[j = c]
/// ```
///
/// Where the data has fewer classes than the model has outputs, [`KnownClasses`](super::KnownClasses) says
/// how many. One class alone is a compile error:
///
/// ```compile_fail,E0080
/// use nanoembed::loss::{Loss, SparseCategoricalCrossEntropy};
/// SparseCategoricalCrossEntropy.value_and_gradient(&[0.5], &0, 1.0, &mut [0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromZeros)]
pub struct SparseCategoricalCrossEntropy;

impl<const K: usize> Loss<[f32; K]> for SparseCategoricalCrossEntropy {
    type Label = u16;
    const FUSED_ACTIVATION: ActivationKind = ActivationKind::Softmax;
    const ACTIVATIONS: &'static [ActivationKind] = {
        assert_classes(K);
        assert!(K <= 1 << 16, "SparseCategoricalCrossEntropy: labels are u16, for at most 65,536 classes");
        &[ActivationKind::Softmax]
    };

    fn check_label(&self, label: &u16) -> Result<(), LabelError> {
        let class = usize::from(*label);
        if class < K { Ok(()) } else { Err(LabelError::Class { class, classes: K }) }
    }

    fn value_and_gradient(&self, y: &[f32; K], label: &u16, examples: f32, d_y: &mut [f32; K]) -> f32 {
        const { assert_classes(K) }
        *d_y = *y;
        softmax(d_y);
        for (j, d) in d_y.iter_mut().enumerate() {
            let t = if j == usize::from(*label) { 1.0 } else { 0.0 };
            *d = (*d - t) / examples;
        }
        let y = below_greatest(y);
        log_sum_exp(&y) - y.get(usize::from(*label)).copied().unwrap_or(f32::NAN)
    }

    fn accuracy(&self, y: &[f32; K], label: &u16) -> f32 {
        if argmax(y) == usize::from(*label) { 1.0 } else { 0.0 }
    }
}
