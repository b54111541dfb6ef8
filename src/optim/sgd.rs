//! Stochastic gradient descent, without and with momentum.

use super::Optimizer;
use crate::kernels::{Replay, UpdateRule, leaves_unmoved};
use crate::table::Numbers;
use zerocopy::FromZeros;

/// Plain stochastic gradient descent: `w -= learning_rate * g`. Keeps no state; with momentum it is [`Momentum`].
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Sgd {
    /// Step size.
    pub learning_rate: f32,
}

impl Default for Sgd {
    /// Keras' default: 0.01.
    fn default() -> Self {
        Self { learning_rate: 0.01 }
    }
}

/// One step of [`Sgd`].
#[derive(Clone, Copy, Debug)]
pub struct SgdStep {
    learning_rate: f32,
}

impl UpdateRule for SgdStep {
    #[inline(always)]
    fn slots(_: usize) -> usize {
        0
    }

    #[inline(always)]
    fn apply(&self, weights: &mut [f32], gradient: &[f32], _: impl Iterator<Item = f32>, _: &mut [f32]) {
        for (w, g) in weights.iter_mut().zip(gradient) {
            *w -= self.learning_rate * g;
        }
    }
}

impl Optimizer for Sgd {
    type Rule = SgdStep;
    type Slots<P: Numbers> = [f32; 0];
    type RowSlots<const DIM: usize> = [f32; 0];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "sgd";

    #[inline]
    fn rule(&self, _: u32) -> SgdStep {
        SgdStep { learning_rate: self.learning_rate }
    }
}

/// Stochastic gradient descent with momentum, as in Keras: `v = momentum * v - learning_rate * g`, `w += v`.
///
/// With `nesterov`: `w += momentum * v - learning_rate * g` (with the new v).
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Momentum {
    /// Step size.
    pub learning_rate: f32,
    /// The part of the velocity that is kept from step to step, in [0, 1).
    pub momentum: f32,
    /// Look ahead along the velocity.
    pub nesterov: bool,
}

impl Default for Momentum {
    /// Keras' learning rate 0.01, momentum 0.9.
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.9, nesterov: false }
    }
}

/// One step of [`Momentum`].
#[derive(Clone, Copy, Debug)]
pub struct MomentumStep(Momentum);

impl UpdateRule for MomentumStep {
    #[inline(always)]
    fn slots(weights: usize) -> usize {
        weights
    }

    #[inline(always)]
    fn apply(
        &self,
        weights: &mut [f32],
        gradient: &[f32],
        _: impl Iterator<Item = f32>,
        velocity: &mut [f32],
    ) {
        let Momentum { learning_rate, momentum, nesterov } = self.0;
        for ((w, g), v) in weights.iter_mut().zip(gradient).zip(velocity) {
            let step = learning_rate * g;
            *v = momentum * *v - step;
            *w += if nesterov { momentum * *v - step } else { *v };
        }
    }
}

impl Optimizer for Momentum {
    type Rule = MomentumStep;
    type Slots<P: Numbers> = P;
    type RowSlots<const DIM: usize> = [f32; DIM];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "momentum";

    #[inline]
    fn rule(&self, _: u32) -> MomentumStep {
        MomentumStep(*self)
    }
}

impl Replay for Momentum {
    // Without a gradient a step is at most |v|, and |v| only shrinks.
    #[inline(always)]
    fn at_rest(&self, _: u32, weights: &[f32], velocity: &[f32]) -> bool {
        weights.iter().zip(velocity).all(|(w, v)| leaves_unmoved(*w, v.abs()))
    }

    #[inline(always)]
    fn decay(&self, steps: u32, velocity: &mut [f32]) {
        let factor = libm::powf(self.momentum, steps as f32);
        for v in velocity {
            *v *= factor;
        }
    }
}
