//! Cross-entropies from probabilities, with Keras' clipping.

use super::categorical::assert_classes;
use super::{BinaryCrossEntropy, CategoricalCrossEntropy, Loss, SparseCategoricalCrossEntropy};
use crate::error::{LabelError, OutOfRange};
use crate::kernels::{dot, sum};
use crate::layers::{ActivationKind, Layer};
use crate::math;
use crate::metrics::binary_accuracy;
use zerocopy::FromZeros;

/// A cross-entropy that is given probabilities, Keras' `from_logits=False`: they are clipped to [1e-7, 1 −
/// 1e-7].
///
/// Where the clip acts the gradient is zero, so a saturated unit stops learning; the fused form does not have
/// the problem.
///
/// An activation whose values are no probabilities, or for [`BinaryCrossEntropy`] not independent of each
/// other, is a compile error:
///
/// ```compile_fail,E0080
/// use nanoembed::{layers::*, loss::{BinaryCrossEntropy, OnProbabilities}, optim::Sgd, train::Trainer};
/// let loss = OnProbabilities(BinaryCrossEntropy::default());
/// let _ = Trainer::<Dense<1, 2, Softmax>, _, _, 2>::new(Sgd::default(), loss);
/// ```
///
/// So is a model that is trained and whose last layer, a [`Dense`](crate::layers::Dense), has no activation:
/// it gives logits.
///
/// ```compile_fail,E0080
/// use nanoembed::{layers::*, loss::{BinaryCrossEntropy, OnProbabilities}, optim::Sgd, train::Trainer};
/// let loss = OnProbabilities(BinaryCrossEntropy::default());
/// let mut trainer = Trainer::<Dense<1, 1>, _, _, 2>::new(Sgd::default(), loss);
/// let _ = trainer.step(&mut Dense::zeroed(), &[[2.0]], &[[1.0]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromZeros)]
pub struct OnProbabilities<L>(pub L);

/// What gives probabilities of classes. They are divided by their sum, so that those of sigmoids fit too;
/// `Identity` stands for layers that pass on what an activation before them gave.
pub(super) const OF_CLASSES: &[ActivationKind] =
    &[ActivationKind::Softmax, ActivationKind::Sigmoid, ActivationKind::Identity];

/// What gives probabilities that do not depend on each other.
pub(super) const OF_OUTPUTS: &[ActivationKind] = &[ActivationKind::Sigmoid, ActivationKind::Identity];

/// Asserts that the outputs of the model are not those of a layer that learns any numbers.
const fn assert_no_scores<M: Layer>() {
    assert!(
        !(M::HAS_BIASES && matches!(M::LAST_ACTIVATION, ActivationKind::Identity)),
        "OnProbabilities: the model's last layer has no activation and gives logits: give it Sigmoid or Softmax, or put FromLogits \
        around the loss in the place of OnProbabilities"
    );
}

const LOWEST: f32 = 1e-7;
const HIGHEST: f32 = 1.0 - 1e-7;

/// p clipped; NaN stays.
#[inline(always)]
fn clip(p: f32) -> f32 {
    let raised = if p < LOWEST { LOWEST } else { p };
    if raised > HIGHEST { HIGHEST } else { raised }
}

/// `gradient` where the clip did not act, else 0.
#[inline(always)]
fn through_clip(p: f32, gradient: f32) -> f32 {
    if (LOWEST..=HIGHEST).contains(&p) { gradient } else { 0.0 }
}

impl OnProbabilities<BinaryCrossEntropy> {
    /// [`Loss::value_and_gradient`] of probabilities and labels of one length:
    /// −Σ (t ln p + (1 − t) ln(1 − p)) / OUT.
    #[inline(always)]
    pub(super) fn learn(self, y: &[f32], label: &[f32], examples: f32, d_y: &mut [f32]) -> f32 {
        let outputs = y.len() as f32;
        for ((value, &p), &t) in d_y.iter_mut().zip(y).zip(label) {
            let (p, t) = (clip(p), self.0.smooth(t));
            *value = -(t * math::ln(p) + (1.0 - t) * math::ln(1.0 - p));
        }
        let mean = sum(d_y) / outputs;
        for ((d, &p), &t) in d_y.iter_mut().zip(y).zip(label) {
            let t = self.0.smooth(t);
            *d = through_clip(p, (1.0 - t) / (1.0 - p) - t / p) / outputs / examples;
        }
        mean
    }
}

impl OnProbabilities<CategoricalCrossEntropy> {
    /// [`Loss::value_and_gradient`] of probabilities and labels of one length, that of `scratch` too:
    /// −Σ tⱼ ln qⱼ with q = p / Σ p.
    #[inline(always)]
    pub(super) fn learn(
        self,
        y: &[f32],
        label: &[f32],
        examples: f32,
        d_y: &mut [f32],
        scratch: &mut [f32],
    ) -> f32 {
        let total = sum(y);
        for (q, p) in scratch.iter_mut().zip(y) {
            *q = p / total;
        }
        let q = &*scratch;
        for ((value, &q), &t) in d_y.iter_mut().zip(q).zip(label) {
            *value = -(self.0.smooth(t, y.len()) * math::ln(clip(q)));
        }
        let value = sum(d_y);
        for ((d, &q), &t) in d_y.iter_mut().zip(q).zip(label) {
            *d = through_clip(q, -self.0.smooth(t, y.len()) / q);
        }
        let along = dot(d_y, q).unwrap_or(f32::NAN);
        for d in d_y {
            *d = (*d - along) / total / examples;
        }
        value
    }
}

impl OnProbabilities<SparseCategoricalCrossEntropy> {
    /// [`Loss::value_and_gradient`] of probabilities, where `class` is right: ln(Σ pⱼ) − ln p_c, with p
    /// clipped. Keras takes the logarithms for logits.
    #[inline(always)]
    pub(super) fn learn(y: &[f32], class: usize, examples: f32, d_y: &mut [f32]) -> f32 {
        for (clipped, &p) in d_y.iter_mut().zip(y) {
            *clipped = clip(p);
        }
        let total = sum(d_y);
        let value = math::ln(total) - d_y.get(class).map_or(f32::NAN, |p| math::ln(*p));
        for (j, (d, &p)) in d_y.iter_mut().zip(y).enumerate() {
            let t = if j == class { 1.0 / p } else { 0.0 };
            *d = through_clip(p, 1.0 / total - t) / examples;
        }
        value
    }
}

impl<const OUT: usize> Loss<[f32; OUT]> for OnProbabilities<BinaryCrossEntropy> {
    type Label = [f32; OUT];
    const FUSED_ACTIVATION: ActivationKind = ActivationKind::Identity;
    const ACTIVATIONS: &'static [ActivationKind] = OF_OUTPUTS;

    fn check(&self) -> Result<(), OutOfRange> {
        Loss::<[f32; OUT]>::check(&self.0)
    }

    fn check_label(&self, label: &[f32; OUT]) -> Result<(), LabelError> {
        self.0.check_label(label)
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
        binary_accuracy(y, label, 0.5)
    }

    fn prepare<M: Layer<Output = [f32; OUT]>>(&self, _: &mut M) {
        const { assert_no_scores::<M>() }
    }
}

impl<const K: usize> Loss<[f32; K]> for OnProbabilities<CategoricalCrossEntropy> {
    type Label = [f32; K];
    const FUSED_ACTIVATION: ActivationKind = ActivationKind::Identity;
    const ACTIVATIONS: &'static [ActivationKind] = {
        let _ = <CategoricalCrossEntropy as Loss<[f32; K]>>::ACTIVATIONS;
        OF_CLASSES
    };

    fn check(&self) -> Result<(), OutOfRange> {
        Loss::<[f32; K]>::check(&self.0)
    }

    fn check_label(&self, label: &[f32; K]) -> Result<(), LabelError> {
        self.0.check_label(label)
    }

    fn value_and_gradient(&self, y: &[f32; K], label: &[f32; K], examples: f32, d_y: &mut [f32; K]) -> f32 {
        const { assert_classes(K) }
        self.learn(y, label, examples, d_y, &mut [0.0; K])
    }

    fn accuracy(&self, y: &[f32; K], label: &[f32; K]) -> f32 {
        self.0.accuracy(y, label)
    }

    fn prepare<M: Layer<Output = [f32; K]>>(&self, _: &mut M) {
        const { assert_no_scores::<M>() }
    }
}

impl<const K: usize> Loss<[f32; K]> for OnProbabilities<SparseCategoricalCrossEntropy> {
    type Label = u16;
    const FUSED_ACTIVATION: ActivationKind = ActivationKind::Identity;
    const ACTIVATIONS: &'static [ActivationKind] = {
        let _ = <SparseCategoricalCrossEntropy as Loss<[f32; K]>>::ACTIVATIONS;
        OF_CLASSES
    };

    fn check(&self) -> Result<(), OutOfRange> {
        Loss::<[f32; K]>::check(&self.0)
    }

    fn check_label(&self, label: &u16) -> Result<(), LabelError> {
        Loss::<[f32; K]>::check_label(&self.0, label)
    }

    fn value_and_gradient(&self, y: &[f32; K], label: &u16, examples: f32, d_y: &mut [f32; K]) -> f32 {
        const { assert_classes(K) }
        Self::learn(y, usize::from(*label), examples, d_y)
    }

    fn accuracy(&self, y: &[f32; K], label: &u16) -> f32 {
        self.0.accuracy(y, label)
    }

    fn prepare<M: Layer<Output = [f32; K]>>(&self, _: &mut M) {
        const { assert_no_scores::<M>() }
    }
}
