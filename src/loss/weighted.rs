//! Examples that count more than others.

use super::Loss;
use crate::error::{LabelError, OutOfRange};
use crate::layers::{ActivationKind, Layer};
use crate::metrics::argmax;
use crate::table::Numbers;
use zerocopy::FromZeros;

/// A label and how much its example counts: Keras' `sample_weight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Weighted<T> {
    /// What the example is labelled with.
    pub label: T,
    /// How much it counts; finite, not negative.
    pub weight: f32,
}

impl<T> From<T> for Weighted<T> {
    /// A label that counts once.
    fn from(label: T) -> Self {
        Self { label, weight: 1.0 }
    }
}

/// The loss `L` of examples with weights of their own, Keras' `sample_weight`: value and gradient are
/// multiplied by the weight.
///
/// As in Keras the mean of a batch is the weighted sum divided by the number of its examples, whatever their
/// weights come to; accuracy counts all examples alike. The weights count in
/// [`Trainer::evaluate`](crate::train::Trainer::evaluate) too, as those do that Keras' `evaluate` is given;
/// evaluation without them is that of labels with a weight of 1.
///
/// ```
/// use nanoembed::{layers::*, loss::{BinaryCrossEntropy, SampleWeights, Weighted}, optim::Sgd, train::Trainer};
/// let loss = SampleWeights(BinaryCrossEntropy::default());
/// let mut trainer = Trainer::<Dense<1, 1, Sigmoid>, _, _, 2>::new(Sgd::default(), loss);
/// let labels = [Weighted { label: [1.0], weight: 3.0 }, [0.0].into()];
/// trainer.step(&mut Dense::zeroed(), &[[2.0], [-1.0]], &labels)?;
/// # Ok::<(), nanoembed::train::TrainError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromZeros)]
pub struct SampleWeights<L>(
    /// The loss of one example.
    pub L,
);

/// The value and gradient of `loss` times `weight`.
fn weighted<Y: Numbers, L: Loss<Y>>(
    loss: &L,
    weight: f32,
    (y, label): (&Y, &L::Label),
    examples: f32,
    d_y: &mut Y,
) -> f32 {
    let value = loss.value_and_gradient(y, label, examples, d_y);
    weigh(value, weight, d_y.as_numbers_mut())
}

/// Value and gradient times `weight`.
#[inline(always)]
pub(super) fn weigh(value: f32, weight: f32, d_y: &mut [f32]) -> f32 {
    for d in d_y {
        *d *= weight;
    }
    value * weight
}

/// `Ok` if an example can count that much.
pub(super) fn check_sample_weight(weight: f32) -> Result<(), LabelError> {
    if weight.is_finite() && weight >= 0.0 { Ok(()) } else { Err(LabelError::SampleWeight { weight }) }
}

/// `Ok` if the class has one of so many weights.
pub(super) fn check_class_weight(class: usize, weights: usize) -> Result<(), LabelError> {
    if class < weights { Ok(()) } else { Err(LabelError::ClassWeight { class, weights }) }
}

/// `Ok` if the weights of classes are in their range.
pub(super) fn check_class_weights(weights: &[f32]) -> Result<(), OutOfRange> {
    weights.iter().try_for_each(|weight| OutOfRange::non_negative("class weight", *weight))
}

impl<Y: Numbers, L: Loss<Y>> Loss<Y> for SampleWeights<L> {
    type Label = Weighted<L::Label>;
    const FUSED_ACTIVATION: ActivationKind = L::FUSED_ACTIVATION;
    const ACTIVATIONS: &'static [ActivationKind] = L::ACTIVATIONS;

    fn check(&self) -> Result<(), OutOfRange> {
        self.0.check()
    }

    fn check_label(&self, label: &Self::Label) -> Result<(), LabelError> {
        check_sample_weight(label.weight)?;
        self.0.check_label(&label.label)
    }

    fn value_and_gradient(&self, y: &Y, label: &Self::Label, examples: f32, d_y: &mut Y) -> f32 {
        weighted(&self.0, label.weight, (y, &label.label), examples, d_y)
    }

    fn value(&self, y: &Y, label: &Self::Label, scratch: &mut Y) -> f32 {
        self.0.value(y, &label.label, scratch) * label.weight
    }

    fn accuracy(&self, y: &Y, label: &Self::Label) -> f32 {
        self.0.accuracy(y, &label.label)
    }

    fn prepare<M: Layer<Output = Y>>(&self, model: &mut M) {
        self.0.prepare(model);
    }
}

/// A label that names a class.
pub trait Class {
    /// Its number.
    fn class(&self) -> usize;
}

impl Class for u16 {
    fn class(&self) -> usize {
        usize::from(*self)
    }
}

/// One number: class 1 above 1/2, else class 0. Several: the place of the largest.
impl<const N: usize> Class for [f32; N] {
    fn class(&self) -> usize {
        class_of(self)
    }
}

/// The class that numbers name: see [`Class`].
pub(super) fn class_of(label: &[f32]) -> usize {
    match label {
        [t] => usize::from(*t > 0.5),
        several => argmax(several),
    }
}

/// The loss `L` with a weight for each class, Keras' `class_weight`: rare classes can be made to count as
/// much as common ones.
///
/// The mean of a batch is the weighted sum divided by the number of its examples. A label of a class that has
/// no weight is no label.
///
/// The weights count in training alone, in the gradients and in the loss that an epoch or a step reports.
/// [`Trainer::evaluate`] gives the loss without them, as Keras' `evaluate` and its `val_loss` do.
///
/// [`Trainer::evaluate`]: crate::train::Trainer::evaluate
///
/// ```
/// use nanoembed::loss::{BinaryCrossEntropy, ClassWeights, Loss};
/// // Keras' class_weight={0: 1.0, 1: 4.0}.
/// let loss = ClassWeights { loss: BinaryCrossEntropy::default(), weights: [1.0, 4.0] };
/// let mut d_y = [0.0];
/// loss.value_and_gradient(&[0.0], &[1.0], 1.0, &mut d_y);
/// assert_eq!(d_y, [4.0 * -0.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct ClassWeights<L, const CLASSES: usize> {
    /// The loss of one example.
    pub loss: L,
    /// How much an example of each class counts; finite, not negative.
    pub weights: [f32; CLASSES],
}

impl<Y: Numbers, L: Loss<Y>, const CLASSES: usize> Loss<Y> for ClassWeights<L, CLASSES>
where
    L::Label: Class,
{
    type Label = L::Label;
    const FUSED_ACTIVATION: ActivationKind = L::FUSED_ACTIVATION;
    const ACTIVATIONS: &'static [ActivationKind] = L::ACTIVATIONS;

    fn check(&self) -> Result<(), OutOfRange> {
        self.loss.check()?;
        check_class_weights(&self.weights)
    }

    fn check_label(&self, label: &Self::Label) -> Result<(), LabelError> {
        self.loss.check_label(label)?;
        check_class_weight(label.class(), CLASSES)
    }

    fn value_and_gradient(&self, y: &Y, label: &Self::Label, examples: f32, d_y: &mut Y) -> f32 {
        let weight = self.weights.get(label.class()).copied().unwrap_or_default();
        weighted(&self.loss, weight, (y, label), examples, d_y)
    }

    fn value(&self, y: &Y, label: &Self::Label, scratch: &mut Y) -> f32 {
        self.loss.value(y, label, scratch)
    }

    fn accuracy(&self, y: &Y, label: &Self::Label) -> f32 {
        self.loss.accuracy(y, label)
    }

    fn prepare<M: Layer<Output = Y>>(&self, model: &mut M) {
        self.loss.prepare(model);
    }
}
