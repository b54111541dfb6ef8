//! The place of epsilon, on which systems disagree.

use crate::math;
use zerocopy::FromZeros;

/// What keeps the denominator of a step from 0, and where it stands, v being the second moment; the number is
/// not negative.
///
/// If v can be 0, so must not the number be, or a gradient of 0 makes the weight NaN.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
#[repr(u32)]
pub enum Epsilon {
    /// √(v + epsilon): Keras' RMSprop and Adagrad.
    InsideRoot(f32),
    /// √v + epsilon: Keras' Adam; PyTorch's RMSprop, Adagrad and `SparseAdam`; FBGEMM's Adagrad.
    OutsideRoot(f32),
    /// √(v / (1 − beta_2ᵗ)) + epsilon: PyTorch's dense Adam, Keras' Nadam. The same as outside where nothing
    /// is corrected.
    OutsideCorrectedRoot(f32),
}

impl Epsilon {
    /// `[inside, outside]` of √(v + inside) + outside, where the step is multiplied by the root of the
    /// correction.
    #[inline]
    pub(super) fn terms(self, correction: f32) -> [f32; 2] {
        match self {
            Self::InsideRoot(epsilon) => [epsilon, 0.0],
            Self::OutsideRoot(epsilon) => [0.0, epsilon],
            Self::OutsideCorrectedRoot(epsilon) => [0.0, epsilon * math::sqrt(correction)],
        }
    }

    /// Epsilon outside the root, if a reciprocal of it is a number.
    pub(super) fn beside_root(self) -> Option<f32> {
        match self {
            Self::OutsideRoot(epsilon) | Self::OutsideCorrectedRoot(epsilon) if epsilon >= 1e-30 => {
                Some(epsilon)
            }
            _ => None,
        }
    }

    /// The rate, multiplied by the root of the correction, and what √v is multiplied by, where epsilon is
    /// added as it is.
    #[inline]
    pub(super) fn corrected(self, rate: f64, correction: f64) -> [f64; 2] {
        let root = libm::sqrt(correction);
        match self {
            Self::OutsideCorrectedRoot(_) => [rate, 1.0 / root],
            _ => [rate * root, 1.0],
        }
    }

    /// More than a step moves a weight whose moments these are, at no rate above `largest_rate`.
    #[inline(always)]
    pub(super) fn largest_step(self, largest_rate: f32, m: f32, v: f32) -> f32 {
        let root = match self {
            Self::InsideRoot(epsilon) => math::sqrt(v + epsilon),
            Self::OutsideRoot(epsilon) | Self::OutsideCorrectedRoot(epsilon) => math::sqrt(v) + epsilon,
        };
        largest_rate * m / root
    }

    /// The number.
    pub(super) fn value(self) -> f32 {
        match self {
            Self::InsideRoot(epsilon) | Self::OutsideRoot(epsilon) | Self::OutsideCorrectedRoot(epsilon) => {
                epsilon
            }
        }
    }
}
