//! How good predictions are.
//!
//! | of | metric |
//! |---|---|
//! | one example | [`binary_accuracy`], [`argmax`], [`in_top_k`] |
//! | many, counted | [`ConfusionMatrix`]: accuracy, precision, recall, F1 |
//! | all at once | [`auc`], [`root_mean_squared_error`] |
//!
//! [`Trainer::evaluate_with`](crate::train::Trainer::evaluate_with) shows each output of a model to any of
//! them.

mod auc;
mod confusion;
mod mean;

pub use auc::auc;
pub use confusion::ConfusionMatrix;
pub(crate) use mean::Sum;
pub use mean::root_mean_squared_error;

/// Keras' `binary_accuracy` of one example: the part of the outputs that lie on the label's side of `threshold`.
///
/// An output counts as 1 if it is above the threshold, strictly: 0.5 for probabilities, 0 for scores. A label counts as 1 above
/// 0.5.
///
/// ```
/// use nanoembed::metrics::binary_accuracy;
/// assert_eq!(binary_accuracy(&[0.9, 0.5], &[1.0, 1.0], 0.5), 0.5);
/// ```
pub fn binary_accuracy(y: &[f32], label: &[f32], threshold: f32) -> f32 {
    let correct = y.iter().zip(label).filter(|(y, t)| (**y > threshold) == (**t > 0.5)).count();
    if y.is_empty() { 0.0 } else { correct as f32 / y.len() as f32 }
}

/// The place of the largest number, the first of several; numbers that are NaN are passed over. 0 if there is none.
///
/// ```
/// use nanoembed::metrics::argmax;
/// assert_eq!(argmax(&[0.2, 0.5, 0.5]), 1);
/// ```
pub fn argmax(y: &[f32]) -> usize {
    let mut best = None;
    for (i, &y) in y.iter().enumerate() {
        if !y.is_nan() && best.is_none_or(|(_, greatest)| y > greatest) {
            best = Some((i, y));
        }
    }
    best.map_or(0, |(i, _)| i)
}

/// Whether fewer than `k` classes have a higher score than `class`: the mean of it is Keras' `top_k_categorical_accuracy`. A class whose score
/// ties with the k-th is in; one whose score is NaN, or that does not exist, is not.
///
/// ```
/// use nanoembed::metrics::in_top_k;
/// let scores = [0.2, 0.5, 0.2, 0.1];
/// assert_eq!([0, 1, 2, 3].map(|class| in_top_k(&scores, class, 2)), [true, true, true, false]);
/// ```
pub fn in_top_k(y: &[f32], class: usize, k: usize) -> bool {
    let Some(score) = y.get(class) else { return false };
    !score.is_nan() && y.iter().filter(|other| *other > score).count() < k
}
