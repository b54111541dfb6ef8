//! Errors of numbers: squared and absolute.

use super::Loss;
use crate::error::LabelError;
use crate::kernels::sum;
use crate::layers::ActivationKind;
use crate::metrics::{argmax, binary_accuracy};
use zerocopy::FromZeros;

/// Keras' `MeanSquaredError`: of outputs y and numbers t, the mean over the outputs of
///
/// ```text
/// (y − t)²                                   gradient 2 (y − t)
/// ```
///
/// For one output the root of a report's loss is the root mean square error, in the unit of the labels.
///
/// Its accuracy is Keras' `"accuracy"` all the same, for those who fit numbers to classes: of one output the
/// side of 1/2 on which it lies, of several the place of the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromZeros)]
pub struct MeanSquaredError;

/// Keras' `MeanAbsoluteError`: of outputs y and numbers t, the mean over the outputs of
///
/// ```text
/// |y − t|                                    gradient −1, 0 or 1, the sign of y − t
/// ```
///
/// Its accuracy is that of [`MeanSquaredError`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromZeros)]
pub struct MeanAbsoluteError;

/// `Ok` if every number is finite.
pub(super) fn check_finite(label: &[f32]) -> Result<(), LabelError> {
    match label.iter().enumerate().find(|(_, t)| !t.is_finite()) {
        Some((output, &value)) => Err(LabelError::NotFinite { output, value }),
        None => Ok(()),
    }
}

/// Keras' `"accuracy"` of numbers.
pub(super) fn accuracy(y: &[f32], label: &[f32]) -> f32 {
    match y.len() {
        1 => binary_accuracy(y, label, 0.5),
        _ if argmax(y) == argmax(label) => 1.0,
        _ => 0.0,
    }
}

/// Writes to each number of `d_y` the term of its output, then its gradient; gives the mean of the terms.
#[inline(always)]
fn mean_of_terms(
    (y, label): (&[f32], &[f32]),
    examples: f32,
    d_y: &mut [f32],
    term: impl Fn(f32) -> f32,
    slope: impl Fn(f32) -> f32,
) -> f32 {
    let outputs = y.len() as f32;
    for ((value, y), t) in d_y.iter_mut().zip(y).zip(label) {
        *value = term(y - t);
    }
    let mean = sum(d_y) / outputs;
    for ((d, y), t) in d_y.iter_mut().zip(y).zip(label) {
        *d = slope(y - t) / outputs / examples;
    }
    mean
}

impl MeanSquaredError {
    /// [`Loss::value_and_gradient`] of outputs and labels of one length.
    #[inline(always)]
    pub(super) fn learn(y: &[f32], label: &[f32], examples: f32, d_y: &mut [f32]) -> f32 {
        mean_of_terms((y, label), examples, d_y, |error| error * error, |error| 2.0 * error)
    }
}

impl MeanAbsoluteError {
    /// [`Loss::value_and_gradient`] of outputs and labels of one length.
    #[inline(always)]
    pub(super) fn learn(y: &[f32], label: &[f32], examples: f32, d_y: &mut [f32]) -> f32 {
        // NaN is neither above nor below, and stays.
        let sign = |error: f32| {
            if error > 0.0 {
                1.0
            } else if error < 0.0 {
                -1.0
            } else {
                error
            }
        };
        mean_of_terms((y, label), examples, d_y, f32::abs, sign)
    }
}

macro_rules! losses_of_quantities {
    ($($loss:ident)*) => {$(
        impl<const OUT: usize> Loss<[f32; OUT]> for $loss {
            type Label = [f32; OUT];
            const FUSED_ACTIVATION: ActivationKind = ActivationKind::Identity;

            fn check_label(&self, label: &[f32; OUT]) -> Result<(), LabelError> {
                check_finite(label)
            }

            fn value_and_gradient(
                &self,
                y: &[f32; OUT],
                label: &[f32; OUT],
                examples: f32,
                d_y: &mut [f32; OUT],
            ) -> f32 {
                Self::learn(y, label, examples, d_y)
            }

            fn accuracy(&self, y: &[f32; OUT], label: &[f32; OUT]) -> f32 {
                accuracy(y, label)
            }
        }
    )*};
}
losses_of_quantities!(MeanSquaredError MeanAbsoluteError);
