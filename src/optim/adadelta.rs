//! Adadelta (Zeiler, 2012).

use super::{BaseOptimizer, Optimizer, OutOfRange};
use crate::math;
use crate::sparse::{Moves, Replay, UpdateRule};
use crate::table::Numbers;
use zerocopy::FromZeros;

/// Adadelta. With gradient g:
///
/// ```text
/// a = rho · a + (1 − rho) · g²
/// δ = √(d + epsilon) / √(a + epsilon) · g
/// d = rho · d + (1 − rho) · δ²
/// w −= learning_rate · δ
/// ```
///
/// Slots: a, d. A row that does not occur stays where it is also in the dense form, in which a and d decay:
/// that is what [`Exact`](super::Exact) adds. Keras' defaults; PyTorch's `Adadelta()` is
/// `Adadelta { learning_rate: 1.0, rho: 0.9, epsilon: 1e-6, ..Adadelta::default() }`.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Adadelta {
    /// Step size; the paper's is 1.
    pub learning_rate: f32,
    /// Decay of the averages, in [0, 1).
    pub rho: f32,
    /// Stands inside both roots; greater than 0, or nothing ever moves.
    pub epsilon: f32,
    /// As in [`Adam`](super::Adam); d then takes the sum of squares too.
    pub keras3_duplicates: bool,
}

impl Default for Adadelta {
    /// Keras' defaults: 0.001, 0.95, 1e-7.
    fn default() -> Self {
        Self { learning_rate: 0.001, rho: 0.95, epsilon: 1e-7, keras3_duplicates: false }
    }
}

/// One step of [`Adadelta`].
#[derive(Clone, Copy, Debug)]
pub struct AdadeltaStep(Adadelta);

impl UpdateRule for AdadeltaStep {
    type State = [f32; 2];

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.0.keras3_duplicates
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, [a, d]: &mut [f32; 2]) -> f32 {
        let Adadelta { learning_rate, rho, epsilon, .. } = self.0;
        *a = rho * *a + (1.0 - rho) * square;
        let ratio = math::sqrt(*d + epsilon) / math::sqrt(*a + epsilon);
        *d = rho * *d + (1.0 - rho) * (ratio * ratio * square);
        w - learning_rate * (ratio * g)
    }
}

impl Optimizer for Adadelta {
    type Rule = AdadeltaStep;
    type Slots<P: Numbers> = [P; 2];
    type RowSlots<const DIM: usize> = [[f32; DIM]; 2];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "adadelta";

    #[inline]
    fn rule(&self, _: u32) -> AdadeltaStep {
        AdadeltaStep(*self)
    }

    fn learning_rate(&self, _: u32) -> f32 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("learning_rate", self.learning_rate)?;
        OutOfRange::fraction("rho", self.rho)?;
        OutOfRange::positive("epsilon", self.epsilon)
    }
}

impl BaseOptimizer for Adadelta {}

impl Replay for Adadelta {
    type Step = AdadeltaStep;
    const MOVES: Moves = Moves::Nothing;

    fn decay(&self) -> [f32; 2] {
        [self.rho, self.rho]
    }
}
