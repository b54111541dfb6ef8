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
    pub(super) fn smooth(self, label: f32, classes: usize) -> f32 {
        label * (1.0 - self.label_smoothing) + self.label_smoothing / classes as f32
    }

    /// [`Loss::value_and_gradient`] of logits and labels of one length, that of `scratch` too.
    #[inline(always)]
    pub(super) fn learn(
        self,
        y: &[f32],
        label: &[f32],
        examples: f32,
        d_y: &mut [f32],
        scratch: &mut [f32],
    ) -> f32 {
        for (smooth, &t) in scratch.iter_mut().zip(label) {
            *smooth = self.smooth(t, y.len());
        }
        let total = sum(scratch);
        below_greatest(y, d_y);
        let value = log_sum_exp(d_y) * total - dot(scratch, d_y).unwrap_or(f32::NAN);
        probabilities(y, d_y);
        for (d, t) in d_y.iter_mut().zip(&*scratch) {
            *d = (*d * total - t) / examples;
        }
        value
    }
}

/// Asserts that there is something to learn: one class alone is always right, at a loss of 0.
pub(super) const fn assert_classes(classes: usize) {
    assert!(classes > 1, "a categorical cross-entropy over one class is always 0: use BinaryCrossEntropy");
}

/// Asserts that the numbers of all classes are labels.
const fn assert_labels(classes: usize) {
    assert!(
        classes <= MOST_CLASSES,
        "SparseCategoricalCrossEntropy: labels are u16, for at most 65,536 classes"
    );
}

/// How many classes a u16 can name.
pub(super) const MOST_CLASSES: usize = 1 << 16;

/// Logits relative to the greatest one, which change no probability: the difference that is the loss is then
/// taken of small numbers, however large the logits are.
#[inline(always)]
fn below_greatest(y: &[f32], below: &mut [f32]) {
    let greatest = y.get(argmax(y)).copied().unwrap_or_default();
    for (below, x) in below.iter_mut().zip(y) {
        *below = x - greatest;
    }
}

/// The softmax of the logits.
#[inline(always)]
fn probabilities(y: &[f32], p: &mut [f32]) {
    for (p, x) in p.iter_mut().zip(y) {
        *p = *x;
    }
    softmax(p);
}

/// Whether the likeliest class is the label's.
pub(super) fn accuracy(y: &[f32], label: &[f32]) -> f32 {
    accuracy_of_class(y, argmax(label))
}

/// Whether the likeliest class is this one.
pub(super) fn accuracy_of_class(y: &[f32], class: usize) -> f32 {
    if argmax(y) == class { 1.0 } else { 0.0 }
}

/// `Ok` if the class is one of `0..classes`.
pub(super) fn check_class(class: usize, classes: usize) -> Result<(), LabelError> {
    if class < classes { Ok(()) } else { Err(LabelError::Class { class, classes }) }
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
        self.learn(y, label, examples, d_y, &mut [0.0; K])
    }

    fn accuracy(&self, y: &[f32; K], label: &[f32; K]) -> f32 {
        accuracy(y, label)
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

impl SparseCategoricalCrossEntropy {
    /// [`Loss::value_and_gradient`] of logits, where `class` is right.
    #[inline(always)]
    pub(super) fn learn(y: &[f32], class: usize, examples: f32, d_y: &mut [f32]) -> f32 {
        below_greatest(y, d_y);
        let value = log_sum_exp(d_y) - d_y.get(class).copied().unwrap_or(f32::NAN);
        probabilities(y, d_y);
        for (j, d) in d_y.iter_mut().enumerate() {
            let t = if j == class { 1.0 } else { 0.0 };
            *d = (*d - t) / examples;
        }
        value
    }
}

impl<const K: usize> Loss<[f32; K]> for SparseCategoricalCrossEntropy {
    type Label = u16;
    const FUSED_ACTIVATION: ActivationKind = ActivationKind::Softmax;
    const ACTIVATIONS: &'static [ActivationKind] = {
        assert_classes(K);
        assert_labels(K);
        &[ActivationKind::Softmax]
    };

    fn check_label(&self, label: &u16) -> Result<(), LabelError> {
        check_class(usize::from(*label), K)
    }

    fn value_and_gradient(&self, y: &[f32; K], label: &u16, examples: f32, d_y: &mut [f32; K]) -> f32 {
        const { assert_classes(K) }
        Self::learn(y, usize::from(*label), examples, d_y)
    }

    fn accuracy(&self, y: &[f32; K], label: &u16) -> f32 {
        accuracy_of_class(y, usize::from(*label))
    }
}
