//! Adam (Kingma and Ba, 2015), in the form of Keras, and AMSGrad (Reddi, Kale and Kumar, 2018).

use super::{BaseOptimizer, Epsilon, Optimizer, OutOfRange, Range};
use crate::math;
use crate::sparse::{Factors, Gap, Moves, Replay, Summed, UpdateRule, leaves_unmoved};
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
/// `epsilon` stands outside the root and is not rescaled, as in Keras. On tables this is the lazy form: rows
/// that do not occur keep weights and moments, as in PyTorch's `SparseAdam`; [`Exact`](super::Exact) is the
/// dense one.
///
/// | to get | write |
/// |---|---|
/// | Keras' `Adam()` on an embedding | [`Keras::new`](crate::keras::Keras::new)`(Adam::default())` |
/// | Keras' `Adam(amsgrad=True)` | [`AmsGrad`] |
/// | Keras' and PyTorch's `AdamW` | [`AdamW`](super::AdamW) |
/// | PyTorch's `SparseAdam()` | `Adam { epsilon: Epsilon::OutsideRoot(1e-8), ..Adam::default() }` |
/// | PyTorch's `Adam()` | `Adam { epsilon: Epsilon::OutsideCorrectedRoot(1e-8), ..Adam::default() }` |
/// | PyTorch's `Adam(weight_decay=0.1)` | [`L2Decay`](super::L2Decay) around it |
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f32,
    /// Decay of the first moment, in [0, 1).
    pub beta_1: f32,
    /// Decay of the second moment, in [`beta_1`, 1).
    pub beta_2: f32,
    /// Keeps the denominator from 0; greater than 0, or rows whose gradient is 0 become NaN.
    pub epsilon: Epsilon,
    /// Rows that occur several times in a batch enter the second moment by the sum of the squares of their
    /// gradients, as in Keras 3, instead of by the square of the sum.
    pub keras3_duplicates: bool,
}

impl Default for Adam {
    /// Keras' defaults: 0.001, 0.9, 0.999, 1e-7.
    fn default() -> Self {
        Self {
            learning_rate: 0.001,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: Epsilon::OutsideRoot(1e-7),
            keras3_duplicates: false,
        }
    }
}

/// One step of [`Adam`]: the step size with its bias correction, and what is constant.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    rate: f32,
    gain_1: f32,
    gain_2: f32,
    inside: f32,
    outside: f32,
    keras3_duplicates: bool,
}

impl AdamStep {
    /// The moments after the step.
    #[inline(always)]
    fn moments(&self, g: f32, square: f32, m: &mut f32, v: &mut f32) {
        *m += (g - *m) * self.gain_1;
        *v += (square - *v) * self.gain_2;
    }

    #[inline(always)]
    fn weight(&self, w: f32, m: f32, v: f32) -> f32 {
        w - self.rate * m / (math::sqrt(v + self.inside) + self.outside)
    }
}

impl UpdateRule for AdamStep {
    type State = [f32; 2];

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.keras3_duplicates
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, [m, v]: &mut [f32; 2]) -> f32 {
        self.moments(g, square, m, v);
        self.weight(w, *m, *v)
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
        let [inside, outside] = self.epsilon.terms(correction_2);
        AdamStep {
            rate: self.learning_rate * math::sqrt(correction_2) / correction_1,
            gain_1: 1.0 - self.beta_1,
            gain_2: 1.0 - self.beta_2,
            inside,
            outside,
            keras3_duplicates: self.keras3_duplicates,
        }
    }

    fn learning_rate(&self, _: u32) -> f32 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), OutOfRange> {
        check_moments(self.learning_rate, [self.beta_1, self.beta_2], self.epsilon)
    }
}

/// Whether the hyperparameters of an optimizer with two moments are in their ranges.
pub(super) fn check_moments(
    rate: f32,
    [beta_1, beta_2]: [f32; 2],
    epsilon: Epsilon,
) -> Result<(), OutOfRange> {
    OutOfRange::non_negative("learning_rate", rate)?;
    OutOfRange::fraction("beta_1", beta_1)?;
    OutOfRange::fraction("beta_2", beta_2)?;
    OutOfRange::ensure("beta_2", beta_2, Range::NotBelowBeta1, beta_1 <= beta_2)?;
    OutOfRange::positive("epsilon", epsilon.value())
}

impl BaseOptimizer for Adam {}

impl Adam {
    /// More than a step moves a weight whose moments these are: no corrected rate is above that of a first
    /// step without the correction of v.
    #[inline(always)]
    fn largest_step(&self, m: f32, v: f32) -> f32 {
        self.epsilon.largest_step(self.learning_rate / (1.0 - self.beta_1), m, v)
    }
}

impl Replay for Adam {
    type Step = AdamStep;
    const MOVES: Moves = Moves::Touched;

    // |m| / (√v + ε) shrinks from step to step if beta_1² ≤ beta_2, and v is a number: the next step makes NaN of an infinite one.
    #[inline(always)]
    fn at_rest(&self, w: f32, [m, v]: &[f32; 2]) -> bool {
        let (shrinks, finite) = (self.beta_1 * self.beta_1 <= self.beta_2, *v < f32::INFINITY);
        shrinks & finite & leaves_unmoved(w, self.largest_step(*m, *v))
    }

    fn decay(&self) -> [f32; 2] {
        [self.beta_1, self.beta_2]
    }
}

impl Summed for Adam {
    fn factors(&self) -> Factors {
        Factors::of_moments(self.beta_1, self.beta_2, self.epsilon.beside_root())
    }

    #[inline]
    fn scalars(&self, _: u32, [power_1, power_2]: [f64; 2]) -> [f64; 2] {
        let rate = f64::from(self.learning_rate) / (1.0 - power_1);
        self.epsilon.corrected(rate, 1.0 - power_2)
    }

    #[inline(always)]
    fn distance(gap: &Gap<[f32; 2]>, [m, v]: &[f32; 2]) -> f32 {
        gap.of_moments(*m, *v)
    }
}

/// AMSGrad, Keras' and PyTorch's `amsgrad=True`: [`Adam`] with the largest v so far in the place of v.
///
/// ```
/// use nanoembed::optim::{Adam, AmsGrad};
/// let optimizer = AmsGrad(Adam { learning_rate: 0.01, ..Adam::default() });
/// ```
///
/// Slots: m, v, and the largest v, before its correction, as in both systems.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct AmsGrad(
    /// What it has in common with Adam.
    pub Adam,
);

/// One step of [`AmsGrad`].
#[derive(Clone, Copy, Debug)]
pub struct AmsGradStep(AdamStep);

impl UpdateRule for AmsGradStep {
    type State = [f32; 3];

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.0.keras3_duplicates
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, [m, v, most]: &mut [f32; 3]) -> f32 {
        self.0.moments(g, square, m, v);
        *most = if *v > *most { *v } else { *most };
        self.0.weight(w, *m, *most)
    }
}

impl Optimizer for AmsGrad {
    type Rule = AmsGradStep;
    type Slots<P: Numbers> = [P; 3];
    type RowSlots<const DIM: usize> = [[f32; DIM]; 3];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "amsgrad";

    #[inline]
    fn rule(&self, number: u32) -> AmsGradStep {
        AmsGradStep(self.0.rule(number))
    }

    fn learning_rate(&self, number: u32) -> f32 {
        self.0.learning_rate(number)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.0.check()
    }
}

impl BaseOptimizer for AmsGrad {}

impl Replay for AmsGrad {
    type Step = AmsGradStep;
    const MOVES: Moves = Moves::Touched;

    // Without a gradient the largest v stays, and |m| shrinks.
    #[inline(always)]
    fn at_rest(&self, w: f32, [m, _, most]: &[f32; 3]) -> bool {
        leaves_unmoved(w, self.0.largest_step(*m, *most))
    }

    fn decay(&self) -> [f32; 3] {
        [self.0.beta_1, self.0.beta_2, 1.0]
    }
}

impl Summed for AmsGrad {
    // The largest v stays, and so does its root.
    fn factors(&self) -> Factors {
        Factors { root: 1.0, ..self.0.factors() }
    }

    #[inline]
    fn scalars(&self, number: u32, powers: [f64; 2]) -> [f64; 2] {
        self.0.scalars(number, powers)
    }

    #[inline(always)]
    fn distance(gap: &Gap<[f32; 3]>, [m, _, most]: &[f32; 3]) -> f32 {
        gap.of_moments(*m, *most)
    }
}
