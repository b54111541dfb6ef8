//! What a bag is divided by.

use crate::math;
use crate::table::Pooling;

/// What the sum of the ids with these weights is divided by.
pub(super) fn divisor(pooling: Pooling, weights: impl Iterator<Item = f32>) -> Option<f32> {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for weight in weights {
        count += 1.0;
        sum += weight;
        squares += weight * weight;
    }
    match pooling {
        Pooling::Sum => None,
        Pooling::Mean => Some(count),
        Pooling::WeightedMean => Some(sum),
        Pooling::SqrtN => Some(math::sqrt(squares)),
    }
}
