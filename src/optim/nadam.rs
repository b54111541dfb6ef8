//! Nadam (Dozat, 2016), in the form of Keras.

use super::adam::check_moments;
use super::{BaseOptimizer, Epsilon, Optimizer, OutOfRange};
use crate::math;
use crate::sparse::{self, Factors, Gap, Moves, Replay, Summed, UpdateRule, leaves_unmoved};
use crate::table::Numbers;
use zerocopy::FromZeros;

/// Nadam: Adam with Nesterov's look ahead. At step t, with gradient g:
///
/// ```text
/// u(t) = beta_1 · (1 − ½ · 0.96ᵗ)           U(t) = u(1) · u(2) · … · u(t)
/// m += (g − m) · (1 − beta_1)
/// v += (g² − v) · (1 − beta_2)
/// m̂ = u(t+1) / (1 − U(t+1)) · m + (1 − u(t)) / (1 − U(t)) · g
/// w −= learning_rate · m̂ / (√(v / (1 − beta_2ᵗ)) + epsilon)
/// ```
///
/// U is a function of the step, computed once a step in at most some hundred multiplications, for 0.96ᵗ
/// vanishes.
///
/// Keras' `Nadam()` on an embedding is [`Keras::new`](crate::keras::Keras::new)`(Nadam::default())`;
/// PyTorch's `NAdam` has another schedule of momentum (`0.96^(t · 0.004)`), which is not offered.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Nadam {
    /// Step size, before its corrections.
    pub learning_rate: f32,
    /// Decay of the first moment m, in [0, 1).
    pub beta_1: f32,
    /// Decay of the second moment v, in [`beta_1`, 1).
    pub beta_2: f32,
    /// Keeps the denominator from 0, as in [`Adam`](super::Adam).
    pub epsilon: Epsilon,
    /// What rows that occur several times add to v, as in [`Adam`](super::Adam).
    pub keras3_duplicates: bool,
}

impl Default for Nadam {
    /// Keras' defaults: 0.001, 0.9, 0.999, 1e-7.
    fn default() -> Self {
        Self {
            learning_rate: 0.001,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: Epsilon::OutsideCorrectedRoot(1e-7),
            keras3_duplicates: false,
        }
    }
}

/// One step of [`Nadam`].
#[derive(Clone, Copy, Debug)]
pub struct NadamStep {
    rate_of_moment: f32,
    rate_of_gradient: f32,
    gain_1: f32,
    gain_2: f32,
    inside: f32,
    outside: f32,
    keras3_duplicates: bool,
}

impl UpdateRule for NadamStep {
    type State = [f32; 2];

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.keras3_duplicates
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, [m, v]: &mut [f32; 2]) -> f32 {
        *m += (g - *m) * self.gain_1;
        *v += (square - *v) * self.gain_2;
        let step = self.rate_of_moment * *m + self.rate_of_gradient * g;
        w - step / (math::sqrt(*v + self.inside) + self.outside)
    }
}

impl Nadam {
    /// u(t), u(t+1), U(t).
    fn schedule(&self, number: u32) -> [f32; 3] {
        // Half of 0.96ᵗ is below half a unit in the last place of 1 from here on.
        const VANISHED: f32 = 1.0 / (1_u32 << 25) as f32;
        let u = |power: f32| self.beta_1 * (1.0 - 0.5 * power);
        let (mut power, mut product) = (0.96_f32, u(0.96));
        let mut t = 1;
        while t < number && power > VANISHED {
            power *= 0.96;
            product *= u(power);
            t += 1;
        }
        if t < number {
            product *= libm::powf(self.beta_1, (number - t) as f32);
        }
        [u(power), u(power * 0.96), product]
    }
}

impl Optimizer for Nadam {
    type Rule = NadamStep;
    type Slots<P: Numbers> = [P; 2];
    type RowSlots<const DIM: usize> = [[f32; DIM]; 2];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "nadam";

    #[inline]
    fn rule(&self, number: u32) -> NadamStep {
        let [u, next, product] = self.schedule(number);
        let correction = 1.0 - libm::powf(self.beta_2, number as f32);
        let [inside, outside] = self.epsilon.terms(correction);
        let rate = self.learning_rate * math::sqrt(correction);
        NadamStep {
            rate_of_moment: rate * next / (1.0 - product * next),
            rate_of_gradient: rate * (1.0 - u) / (1.0 - product),
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

impl BaseOptimizer for Nadam {}

impl Replay for Nadam {
    type Step = NadamStep;
    const MOVES: Moves = Moves::Touched;

    // Neither u nor U exceeds beta_1, so no step without a gradient is larger than this, and |m| / (√v + ε)
    // shrinks from step to step if beta_1² ≤ beta_2, and v is a number: the next step makes NaN of an
    // infinite one.
    #[inline(always)]
    fn at_rest(&self, w: f32, [m, v]: &[f32; 2]) -> bool {
        let largest_step = self.epsilon.largest_step(self.learning_rate / (1.0 - self.beta_1), *m, *v);
        let (shrinks, finite) = (self.beta_1 * self.beta_1 <= self.beta_2, *v < f32::INFINITY);
        shrinks & finite & leaves_unmoved(w, largest_step)
    }

    fn decay(&self) -> [f32; 2] {
        [self.beta_1, self.beta_2]
    }
}

impl Summed for Nadam {
    fn factors(&self) -> Factors {
        Factors::of_moments(self.beta_1, self.beta_2, self.epsilon.beside_root())
    }

    fn scalars(&self, number: u32, [power_1, power_2]: [f64; 2]) -> [f64; 2] {
        // U(t) is at most this power of `beta_1`, and beside 1 it vanishes with it.
        const VANISHED: f64 = 1e-17;
        let beta_1 = f64::from(self.beta_1);
        let u = |power: f64| beta_1 * (1.0 - 0.5 * power);
        let (mut power, mut product) = (1.0, if power_1 > VANISHED { 1.0 } else { 0.0 });
        if product > 0.0 {
            for _ in 0..number {
                power *= 0.96;
                product *= u(power);
            }
        } else {
            power = sparse::power(0.96, number);
        }
        let next = u(power * 0.96);
        let rate = f64::from(self.learning_rate) * next / (1.0 - product * next);
        self.epsilon.corrected(rate, 1.0 - power_2)
    }

    #[inline(always)]
    fn distance(gap: &Gap<[f32; 2]>, [m, v]: &[f32; 2]) -> f32 {
        gap.of_moments(*m, *v)
    }
}
