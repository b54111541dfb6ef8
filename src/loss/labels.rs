//! Labels as slices.

use super::weighted::class_of;
use crate::error::{LabelError, ShapeMismatch};

/// What examples are labelled with, as slices: [`AnyLoss`](super::AnyLoss) reads them.
///
/// ```
/// use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, Labels};
/// // Two examples of two outputs; the second counts double.
/// let labels = Labels::numbers(&[1.0, 0.0, 0.0, 1.0]).with_weights(&[1.0, 2.0]);
/// let loss = AnyLoss::from(BinaryCrossEntropy::default());
/// assert_eq!(loss.check_labels(&labels, 2, 2), Ok(()));
/// assert!(loss.check_labels(&labels, 3, 2).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Labels<'a> {
    values: Values<'a>,
    weights: Option<&'a [f32]>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Values<'a> {
    Classes(&'a [u16]),
    Numbers(&'a [f32]),
}

/// The label of one example.
#[derive(Clone, Copy)]
pub(super) enum Label<'a> {
    Class(usize),
    Numbers(&'a [f32]),
}

impl<'a> Labels<'a> {
    /// The number of the right class of each example: for the
    /// [`SparseCategoricalCrossEntropy`](super::SparseCategoricalCrossEntropy).
    pub fn classes(classes: &'a [u16]) -> Self {
        Self { values: Values::Classes(classes), weights: None }
    }

    /// A number for each output of each example, `[examples, units]`: for all other losses.
    pub fn numbers(numbers: &'a [f32]) -> Self {
        Self { values: Values::Numbers(numbers), weights: None }
    }

    /// The same, with how much each example counts, as in [`SampleWeights`](super::SampleWeights).
    #[must_use]
    pub fn with_weights(self, weights: &'a [f32]) -> Self {
        Self { weights: Some(weights), ..self }
    }

    /// Whether they are classes.
    pub(super) fn are_classes(&self) -> bool {
        matches!(self.values, Values::Classes(_))
    }

    /// The label of example `i`.
    pub(super) fn label(&self, i: usize, units: usize) -> Option<Label<'a>> {
        match self.values {
            Values::Classes(classes) => Some(Label::Class(usize::from(*classes.get(i)?))),
            Values::Numbers(numbers) => {
                let (_, from_here) = numbers.split_at_checked(i.checked_mul(units)?)?;
                Some(Label::Numbers(from_here.split_at_checked(units)?.0))
            }
        }
    }

    /// How much example `i` counts, if that was said.
    pub(super) fn weight(&self, i: usize) -> Option<f32> {
        self.weights?.get(i).copied()
    }

    /// `Ok` if there are as many as `examples`; else with how many there are, at most `examples`.
    pub(super) fn check_length(&self, examples: usize, units: usize) -> Result<(), (usize, LabelError)> {
        let check = |what, expected, found, whole: usize| {
            let place = if whole < examples { whole } else { examples };
            ShapeMismatch::check(what, expected, found).map_err(|error| (place, LabelError::Length(error)))
        };
        match self.values {
            Values::Classes(classes) => check("number of labels", examples, classes.len(), classes.len())?,
            Values::Numbers(numbers) => {
                let (found, expected) = (numbers.len(), examples.saturating_mul(units));
                check("numbers of labels", expected, found, found.checked_div(units).unwrap_or(0))?;
            }
        }
        self.weights.map_or(Ok(()), |weights| {
            check("number of sample weights", examples, weights.len(), weights.len())
        })
    }
}

impl Label<'_> {
    pub(super) fn class(self) -> usize {
        match self {
            Self::Class(class) => class,
            Self::Numbers(numbers) => class_of(numbers),
        }
    }
}
