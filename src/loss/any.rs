//! A loss as a value, for models whose sizes are known only at run time.

use super::categorical::{self, MOST_CLASSES, check_class};
use super::error::LossError;
use super::labels::{Label, Labels};
use super::probabilities::{OF_CLASSES, OF_OUTPUTS};
use super::weighted::{check_class_weight, check_class_weights, check_sample_weight, weigh};
use super::{
    BinaryCrossEntropy, CategoricalCrossEntropy, FromLogits, MeanAbsoluteError, MeanSquaredError,
    OnProbabilities, SparseCategoricalCrossEntropy, binary, classes, regression,
};
use crate::error::{LabelError, OutOfRange, ShapeMismatch};
use crate::layers::ActivationKind;
use crate::metrics::binary_accuracy;

/// A loss as a value: any loss of this module, with what the types say of it in fields, for outputs of any
/// number. It computes with the bits of the typed loss.
///
/// It is made `from` a loss, which [`FromLogits`] or [`OnProbabilities`] may be around. What a type refuses
/// to compile, [`check`](Self::check) refuses.
///
/// ```
/// use nanoembed::layers::ActivationKind;
/// use nanoembed::loss::*;
///
/// let all = [
///     ("classes", AnyLoss::from(FromLogits(SparseCategoricalCrossEntropy))),
///     ("binary", AnyLoss::from(BinaryCrossEntropy { label_smoothing: 0.1 })),
///     ("squares", AnyLoss::from(MeanSquaredError)),
/// ];
/// let (units, (_, loss)) = (3, all[0]);
///
/// // The last layer is a Dense without activation.
/// loss.check(units, ActivationKind::Identity, ActivationKind::Identity, true)?;
/// assert!(all[1].1.check(units, ActivationKind::Identity, ActivationKind::Identity, true).is_err());
///
/// let labels = Labels::classes(&[2, 0]);
/// assert_eq!(loss.check_labels(&labels, 2, units), Ok(()));
///
/// let (mut d_y, mut scratch) = (vec![0.0; units], vec![0.0; loss.scratch(units)]);
/// let value = loss.value_and_gradient(&[0.0; 3], &labels, 0, 2.0, &mut d_y, &mut scratch);
/// assert!((value - 3_f32.ln()).abs() < 1e-6);
/// assert!(d_y[0] > 0.0 && d_y[2] < 0.0);
/// # Ok::<(), nanoembed::loss::LossError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnyLoss<'a> {
    kind: Kind,
    form: Form,
    class_weights: Option<&'a [f32]>,
    known_classes: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Binary(BinaryCrossEntropy),
    Categorical(CategoricalCrossEntropy),
    SparseCategorical(SparseCategoricalCrossEntropy),
    Squared(MeanSquaredError),
    Absolute(MeanAbsoluteError),
}

/// What the loss is computed from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// What is before the activation that the loss is fused with; outputs as they are if with none.
    Plain,
    Logits,
    Probabilities,
}

macro_rules! from_losses {
    ($($loss:ty, $kind:ident $(, $form:ident: $named:ident)*;)*) => {$(
        impl From<$loss> for AnyLoss<'_> {
            fn from(loss: $loss) -> Self {
                let (kind, form) = (Kind::$kind(loss), Form::Plain);
                Self { kind, form, class_weights: None, known_classes: None }
            }
        }

        $(impl From<$form<$loss>> for AnyLoss<'_> {
            fn from($form(loss): $form<$loss>) -> Self {
                Self { form: Form::$named, ..Self::from(loss) }
            }
        })*
    )*};
}
from_losses! {
    BinaryCrossEntropy, Binary, FromLogits: Logits, OnProbabilities: Probabilities;
    CategoricalCrossEntropy, Categorical, FromLogits: Logits, OnProbabilities: Probabilities;
    SparseCategoricalCrossEntropy, SparseCategorical, FromLogits: Logits, OnProbabilities: Probabilities;
    MeanSquaredError, Squared;
    MeanAbsoluteError, Absolute;
}

impl<'a> AnyLoss<'a> {
    /// The same with a weight for each class, as [`ClassWeights`](super::ClassWeights) has them: of class 0
    /// and 1 for one output, else of as many classes as there are.
    #[must_use]
    pub fn with_class_weights(self, weights: &'a [f32]) -> Self {
        Self { class_weights: Some(weights), ..self }
    }

    /// The same where the data has only these classes, `0..classes`, as
    /// [`KnownClasses`](super::KnownClasses) says. The caller closes the other outputs of the model.
    #[must_use]
    pub fn with_known_classes(self, classes: usize) -> Self {
        Self { known_classes: Some(classes), ..self }
    }

    /// How many classes the data has, if that was said.
    pub fn known_classes(&self) -> Option<usize> {
        self.known_classes
    }

    /// The activation that the loss is fused with: it is given logits before this activation. `Identity` if
    /// it is given the model's outputs as they are.
    pub fn fused_activation(&self) -> ActivationKind {
        match (self.kind, self.form) {
            (Kind::Squared(_) | Kind::Absolute(_), _) | (_, Form::Probabilities) => ActivationKind::Identity,
            (Kind::Binary(_), _) => ActivationKind::Sigmoid,
            (Kind::Categorical(_) | Kind::SparseCategorical(_), _) => ActivationKind::Softmax,
        }
    }

    /// The last activations of the models that the loss fits.
    fn activations(&self) -> &'static [ActivationKind] {
        match (self.kind, self.form) {
            (Kind::Squared(_) | Kind::Absolute(_), _) => ActivationKind::ALL,
            (_, Form::Logits) => &[ActivationKind::Identity],
            (Kind::Binary(_), Form::Plain) => &[ActivationKind::Sigmoid],
            (Kind::Binary(_), Form::Probabilities) => OF_OUTPUTS,
            (_, Form::Plain) => &[ActivationKind::Softmax],
            (_, Form::Probabilities) => OF_CLASSES,
        }
    }

    /// Whether the loss fits a model, and its own numbers are in their ranges.
    ///
    /// The model has `units` outputs. `activation` is that of its last layer
    /// ([`Layer::ACTIVATION`](crate::layers::Layer::ACTIVATION)), `last_activation` the one that was applied
    /// to the outputs last ([`Layer::LAST_ACTIVATION`](crate::layers::Layer::LAST_ACTIVATION)), `has_biases`
    /// whether each output has a bias of its own that learns
    /// ([`Layer::HAS_BIASES`](crate::layers::Layer::HAS_BIASES)).
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(
        &self,
        units: usize,
        activation: ActivationKind,
        last_activation: ActivationKind,
        has_biases: bool,
    ) -> Result<(), LossError> {
        if matches!(self.kind, Kind::Categorical(_) | Kind::SparseCategorical(_)) && units < 2 {
            return Err(LossError::OneClass);
        }
        if matches!(self.kind, Kind::SparseCategorical(_)) && units > MOST_CLASSES {
            return Err(LossError::TooManyClasses { classes: units });
        }
        let fits = self.activations();
        for found in [activation, last_activation] {
            if !found.is_among(fits) {
                return Err(LossError::Activation { found, fits });
            }
            if found == ActivationKind::Softmax && units < 2 {
                return Err(LossError::SoftmaxOfOne);
            }
        }
        let gives_logits = has_biases && last_activation == ActivationKind::Identity;
        if self.form == Form::Probabilities && gives_logits {
            return Err(LossError::Logits);
        }
        if let Kind::Binary(BinaryCrossEntropy { label_smoothing })
        | Kind::Categorical(CategoricalCrossEntropy { label_smoothing }) = self.kind
        {
            OutOfRange::probability("label_smoothing", label_smoothing)?;
        }
        let classes = if units == 1 { 2 } else { units };
        if let Some(known) = self.known_classes {
            let by_class = matches!(self.kind, Kind::SparseCategorical(_));
            if !by_class || self.form == Form::Probabilities {
                return Err(LossError::KnownClasses);
            }
            classes::check_classes(known, units)?;
            if !has_biases {
                return Err(LossError::NoBiases);
            }
        }
        if let Some(weights) = self.class_weights {
            let classes = self.known_classes.unwrap_or(classes);
            ShapeMismatch::check("number of class weights", classes, weights.len())
                .map_err(LossError::ClassWeights)?;
            check_class_weights(weights)?;
        }
        Ok(())
    }

    /// Whether there is a label for each of `examples`, and each label is valid for a model of `units`
    /// outputs.
    ///
    /// # Errors
    /// What is wrong with the first that is not, and its position: the number of labels if there are too few,
    /// `examples` if there are too many.
    pub fn check_labels(
        &self,
        labels: &Labels<'_>,
        examples: usize,
        units: usize,
    ) -> Result<(), (usize, LabelError)> {
        let by_class = matches!(self.kind, Kind::SparseCategorical(_));
        if by_class != labels.are_classes() {
            return Err((0, LabelError::Kind { classes: by_class }));
        }
        labels.check_length(examples, units)?;
        (0..examples).try_for_each(|i| {
            let weight = labels.weight(i).map_or(Ok(()), check_sample_weight);
            let label = labels.label(i, units).map_or(Ok(()), |label| self.check_label(label, units));
            weight.and(label).map_err(|error| (i, error))
        })
    }

    fn check_label(&self, label: Label<'_>, units: usize) -> Result<(), LabelError> {
        match (self.kind, label) {
            (Kind::Binary(_) | Kind::Categorical(_), Label::Numbers(t)) => binary::check_probabilities(t),
            (Kind::Squared(_) | Kind::Absolute(_), Label::Numbers(t)) => regression::check_finite(t),
            (Kind::SparseCategorical(_), Label::Class(class)) => {
                self.known_classes.map_or(Ok(()), |known| check_class(class, known))?;
                check_class(class, units)
            }
            (Kind::SparseCategorical(_), _) => Err(LabelError::Kind { classes: true }),
            (_, Label::Class(_)) => Err(LabelError::Kind { classes: false }),
        }?;
        let class = label.class();
        self.class_weights.map_or(Ok(()), |weights| check_class_weight(class, weights.len()))
    }

    /// How many numbers of scratch memory the other functions need for a model of `units` outputs.
    pub fn scratch(&self, units: usize) -> usize {
        units.saturating_add(self.beside_gradient(units))
    }

    /// How many of them are needed where there is memory for a gradient.
    fn beside_gradient(&self, units: usize) -> usize {
        if matches!(self.kind, Kind::Categorical(_)) { units } else { 0 }
    }

    /// The loss of one example, whose label is number `i`. Writes to `d_y` its gradient with respect to `y`,
    /// divided by `examples`, the size of the batch whose mean loss is learnt from.
    ///
    /// # Shapes
    /// `y` and `d_y` `[units]`, `scratch` at least `[self.scratch(units)]`. Where they disagree, or there is
    /// no such label, the value is NaN and nothing is written.
    pub fn value_and_gradient(
        &self,
        y: &[f32],
        labels: &Labels<'_>,
        i: usize,
        examples: f32,
        d_y: &mut [f32],
        scratch: &mut [f32],
    ) -> f32 {
        let Some(label) = labels.label(i, y.len()) else { return f32::NAN };
        let mut value = self.learn(y, label, examples, d_y, scratch);
        if let Some(weights) = self.class_weights {
            value = weigh(value, weights.get(label.class()).copied().unwrap_or_default(), d_y);
        }
        if let Some(weight) = labels.weight(i) {
            value = weigh(value, weight, d_y);
        }
        value
    }

    /// The loss of one example that is not learnt from, whose label is number `i`: with the weight of the
    /// sample and without that of its class, which acts in training alone.
    ///
    /// # Shapes
    /// `y` `[units]`, `scratch` at least `[self.scratch(units)]`. Where it is shorter, or there is no such
    /// label, the value is NaN.
    pub fn value(&self, y: &[f32], labels: &Labels<'_>, i: usize, scratch: &mut [f32]) -> f32 {
        let Some(label) = labels.label(i, y.len()) else { return f32::NAN };
        let Some((d_y, scratch)) = scratch.split_at_mut_checked(y.len()) else { return f32::NAN };
        let value = self.learn(y, label, 1.0, d_y, scratch);
        labels.weight(i).map_or(value, |weight| value * weight)
    }

    /// The loss of one example and its gradient, without weights.
    fn learn(&self, y: &[f32], label: Label<'_>, examples: f32, d_y: &mut [f32], scratch: &mut [f32]) -> f32 {
        let Some((scratch, _)) = scratch.split_at_mut_checked(self.beside_gradient(y.len())) else {
            return f32::NAN;
        };
        if d_y.len() != y.len() {
            return f32::NAN;
        }
        let on_probabilities = self.form == Form::Probabilities;
        match (self.kind, label) {
            (Kind::Binary(loss), Label::Numbers(t)) if on_probabilities => {
                OnProbabilities(loss).learn(y, t, examples, d_y)
            }
            (Kind::Binary(loss), Label::Numbers(t)) => loss.learn(y, t, examples, d_y),
            (Kind::Categorical(loss), Label::Numbers(t)) if on_probabilities => {
                OnProbabilities(loss).learn(y, t, examples, d_y, scratch)
            }
            (Kind::Categorical(loss), Label::Numbers(t)) => loss.learn(y, t, examples, d_y, scratch),
            (Kind::SparseCategorical(_), Label::Class(class)) if on_probabilities => {
                OnProbabilities::<SparseCategoricalCrossEntropy>::learn(y, class, examples, d_y)
            }
            (Kind::SparseCategorical(_), Label::Class(class)) => {
                SparseCategoricalCrossEntropy::learn(y, class, examples, d_y)
            }
            (Kind::Squared(_), Label::Numbers(t)) => MeanSquaredError::learn(y, t, examples, d_y),
            (Kind::Absolute(_), Label::Numbers(t)) => MeanAbsoluteError::learn(y, t, examples, d_y),
            // Labels of the other kind, which `check_labels` refuses.
            (Kind::SparseCategorical(_), _) | (_, Label::Class(_)) => f32::NAN,
        }
    }

    /// Keras' `"accuracy"` of one example, whose label is number `i`, from what
    /// [`value_and_gradient`](Self::value_and_gradient) is given: 1 if it is right, 0 if wrong, a part if
    /// there are several answers. 0 if there is no such label.
    pub fn accuracy(&self, y: &[f32], labels: &Labels<'_>, i: usize) -> f32 {
        match (self.kind, labels.label(i, y.len())) {
            (Kind::Binary(_), Some(Label::Numbers(t))) => {
                binary_accuracy(y, t, if self.form == Form::Probabilities { 0.5 } else { 0.0 })
            }
            (Kind::Categorical(_), Some(Label::Numbers(t))) => categorical::accuracy(y, t),
            (Kind::SparseCategorical(_), Some(Label::Class(class))) => {
                categorical::accuracy_of_class(y, class)
            }
            (Kind::Squared(_) | Kind::Absolute(_), Some(Label::Numbers(t))) => regression::accuracy(y, t),
            _ => 0.0,
        }
    }
}
