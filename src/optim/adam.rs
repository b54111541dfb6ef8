//! Adam (Kingma and Ba, 2015), in the form of Keras.

use super::Optimizer;
use crate::kernels::{Replay, UpdateRule, leaves_unmoved};
use crate::math;
use crate::table::Numbers;
use zerocopy::FromZeros;

/// Adam. At step t, with gradient g:
///
/// ```text
/// m += (g − m) · (1 − beta_1)
/// v += (g² − v) · (1 − beta_2)
/// w −= learning_rate · √(1 − beta_2ᵗ) / (1 − beta_1ᵗ) · m / (√v + epsilon)
/// ```
///
/// `epsilon` stands outside the root and is not rescaled, as in Keras. On tables this is the lazy form: rows that do not occur
/// keep weights and moments, as in PyTorch's `SparseAdam`; [`AdamExact`](super::AdamExact) is the dense one.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f32,
    /// Decay of the first moment, in [0, 1).
    pub beta_1: f32,
    /// Decay of the second moment, in [`beta_1`, 1).
    pub beta_2: f32,
    /// Added to the root of the second moment; greater than 0, or rows whose gradient is 0 become NaN.
    pub epsilon: f32,
    /// Rows that occur several times in a batch enter the second moment by the sum of the squares of their gradients, as in
    /// Keras 3, instead of by the square of the sum.
    pub keras3_duplicates: bool,
}

impl Default for Adam {
    /// Keras' defaults: 0.001, 0.9, 0.999, 1e-7.
    fn default() -> Self {
        Self { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, keras3_duplicates: false }
    }
}

/// One step of [`Adam`]: the step size with its bias correction, and what is constant.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    rate: f32,
    gain_1: f32,
    gain_2: f32,
    epsilon: f32,
    keras3_duplicates: bool,
}

impl UpdateRule for AdamStep {
    #[inline(always)]
    fn slots(weights: usize) -> usize {
        weights.saturating_mul(2)
    }

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.keras3_duplicates
    }

    #[inline(always)]
    fn apply(
        &self,
        weights: &mut [f32],
        gradient: &[f32],
        squares: impl Iterator<Item = f32>,
        slots: &mut [f32],
    ) {
        let Some((first, second)) = slots.split_at_mut_checked(weights.len()) else { return };
        let moments = first.iter_mut().zip(second);
        for (((w, g), square), (m, v)) in weights.iter_mut().zip(gradient).zip(squares).zip(moments) {
            *m += (g - *m) * self.gain_1;
            *v += (square - *v) * self.gain_2;
            *w -= self.rate * *m / (math::sqrt(*v) + self.epsilon);
        }
    }
}

impl Optimizer for Adam {
    type Rule = AdamStep;
    type Slots<P: Numbers> = [P; 2];
    type RowSlots<const DIM: usize> = [[f32; DIM]; 2];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "adam";

    #[inline]
    fn rule(&self, number: u32) -> AdamStep {
        let correction_1 = 1.0 - libm::powf(self.beta_1, number as f32);
        let correction_2 = 1.0 - libm::powf(self.beta_2, number as f32);
        AdamStep {
            rate: self.learning_rate * math::sqrt(correction_2) / correction_1,
            gain_1: 1.0 - self.beta_1,
            gain_2: 1.0 - self.beta_2,
            epsilon: self.epsilon,
            keras3_duplicates: self.keras3_duplicates,
        }
    }
}

impl Replay for Adam {
    // |m| / (√v + ε) shrinks from step to step if beta_1² ≤ beta_2, and no step's corrected rate is above that of a first step
    // without the correction of v.
    #[inline(always)]
    fn at_rest(&self, _: u32, weights: &[f32], slots: &[f32]) -> bool {
        let Some((first, second)) = slots.split_at_checked(weights.len()) else { return true };
        let largest_rate = self.learning_rate / (1.0 - self.beta_1);
        let size = |m: f32, v: f32| largest_rate * m.abs() / (math::sqrt(v) + self.epsilon);
        let shrinks = self.beta_1 * self.beta_1 <= self.beta_2;
        shrinks
            && weights
                .iter()
                .zip(first.iter().zip(second))
                .all(|(w, (m, v))| leaves_unmoved(*w, size(*m, *v)))
    }

    #[inline(always)]
    fn decay(&self, steps: u32, slots: &mut [f32]) {
        let (decay_1, decay_2) =
            (libm::powf(self.beta_1, steps as f32), libm::powf(self.beta_2, steps as f32));
        let Some((first, second)) = slots.split_at_mut_checked(slots.len() / 2) else { return };
        for (m, v) in first.iter_mut().zip(second) {
            *m *= decay_1;
            *v *= decay_2;
        }
    }
}
