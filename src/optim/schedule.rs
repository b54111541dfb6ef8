//! Learning rates that change from step to step.

use super::{
    Adadelta, Adagrad, Adam, AmsGrad, BaseOptimizer, CenteredRmsProp, Momentum, MomentumRmsProp, Nadam,
    Optimizer, OutOfRange, Range, RmsProp, RowwiseAdagrad, Sgd,
};
use crate::sparse::{Factors, Gap, Moves, Replay, Summed, UpdateRule};
use crate::table::Numbers;
use core::f32::consts::PI;
use zerocopy::FromZeros;

/// A learning rate as a function of the number of steps taken before: Keras' `LearningRateSchedule`.
///
/// A pure function, so that steps can be replayed and resumed. An `f32` is the rate of every step.
pub trait Schedule: Copy {
    /// The learning rate of the step before which `steps` were taken.
    fn rate(&self, steps: u32) -> f32;

    /// A number that no rate is above: what tells the exact forms ([`Exact`](super::Exact)) when a row has
    /// come to rest.
    fn largest(&self) -> f32;

    /// Whether its numbers are in their ranges.
    ///
    /// # Errors
    /// The first that is not.
    fn check(&self) -> Result<(), OutOfRange>;
}

impl Schedule for f32 {
    fn rate(&self, _: u32) -> f32 {
        *self
    }

    fn largest(&self) -> f32 {
        *self
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("learning_rate", *self)
    }
}

/// The larger of two.
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// `steps / per` as a number of times, or the whole part of it.
fn times(steps: u32, per: u32, staircase: bool) -> f32 {
    let times = steps as f32 / per as f32;
    if staircase { libm::floorf(times) } else { times }
}

/// Keras' `ExponentialDecay`: rate = `initial_learning_rate` · `decay_rate`^(steps / `decay_steps`).
///
/// ```
/// use nanoembed::optim::{ExponentialDecay, Schedule};
/// let schedule = ExponentialDecay { initial_learning_rate: 0.1, decay_steps: 10, decay_rate: 0.5, staircase: true };
/// assert_eq!([0, 9, 10, 25].map(|steps| schedule.rate(steps)), [0.1, 0.1, 0.05, 0.025]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct ExponentialDecay {
    /// The rate of the first step.
    pub initial_learning_rate: f32,
    /// After how many steps the rate is multiplied by `decay_rate`; greater than 0.
    pub decay_steps: u32,
    /// The factor; greater than 0. Above 1 the rate grows without end, and rows of exact forms hardly come to
    /// rest.
    pub decay_rate: f32,
    /// The exponent is rounded down: the rate changes every `decay_steps` steps.
    pub staircase: bool,
}

impl Schedule for ExponentialDecay {
    fn rate(&self, steps: u32) -> f32 {
        self.initial_learning_rate
            * libm::powf(self.decay_rate, times(steps, self.decay_steps, self.staircase))
    }

    fn largest(&self) -> f32 {
        larger(self.initial_learning_rate, self.rate(u32::MAX))
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("initial_learning_rate", self.initial_learning_rate)?;
        OutOfRange::positive("decay_steps", self.decay_steps as f32)?;
        OutOfRange::positive("decay_rate", self.decay_rate)
    }
}

/// Keras' `PiecewiseConstantDecay`: `values[i]` as long as at most `boundaries[i]` steps were taken,
/// `last_value` ever after.
///
/// ```
/// use nanoembed::optim::{PiecewiseConstantDecay, Schedule};
/// // Keras' PiecewiseConstantDecay([2, 37], [0.1, 0.05, 0.01]).
/// let schedule = PiecewiseConstantDecay { boundaries: [2, 37], values: [0.1, 0.05], last_value: 0.01 };
/// assert_eq!([2, 3, 37, 38].map(|steps| schedule.rate(steps)), [0.1, 0.05, 0.05, 0.01]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct PiecewiseConstantDecay<const N: usize> {
    /// The last number of steps for which each value holds, rising.
    pub boundaries: [u32; N],
    /// The rates up to the boundaries.
    pub values: [f32; N],
    /// The rate behind the last boundary.
    pub last_value: f32,
}

impl<const N: usize> Schedule for PiecewiseConstantDecay<N> {
    fn rate(&self, steps: u32) -> f32 {
        let mut pieces = self.boundaries.iter().zip(self.values);
        pieces.find(|(boundary, _)| steps <= **boundary).map_or(self.last_value, |(_, value)| value)
    }

    #[inline]
    fn largest(&self) -> f32 {
        self.values.into_iter().fold(self.last_value, larger)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        for (i, boundary) in self.boundaries.iter().enumerate() {
            let rises = self.boundaries.get(i + 1).is_none_or(|next| boundary < next);
            OutOfRange::ensure("boundaries", *boundary as f32, Range::Rising, rises)?;
        }
        self.values.into_iter().try_for_each(|value| OutOfRange::non_negative("values", value))?;
        OutOfRange::non_negative("last_value", self.last_value)
    }
}

/// Keras' `PolynomialDecay`, linear for a power of 1:
///
/// ```text
/// rate = (initial_learning_rate − end_learning_rate) · (1 − steps / decay_steps)^power + end_learning_rate
/// ```
///
/// and `end_learning_rate` after `decay_steps` steps: Keras' `cycle=False`.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct PolynomialDecay {
    /// The rate of the first step.
    pub initial_learning_rate: f32,
    /// After how many steps the end is reached; greater than 0.
    pub decay_steps: u32,
    /// The rate at the end, which may also be the greater one.
    pub end_learning_rate: f32,
    /// The exponent; greater than 0.
    pub power: f32,
}

impl Schedule for PolynomialDecay {
    fn rate(&self, steps: u32) -> f32 {
        let steps = steps.min(self.decay_steps);
        let left = 1.0 - times(steps, self.decay_steps, false);
        (self.initial_learning_rate - self.end_learning_rate) * libm::powf(left, self.power)
            + self.end_learning_rate
    }

    #[inline]
    fn largest(&self) -> f32 {
        // The first rate as it is computed, which rounding may leave above the one that was given.
        let first = (self.initial_learning_rate - self.end_learning_rate) + self.end_learning_rate;
        larger(first, self.end_learning_rate)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("initial_learning_rate", self.initial_learning_rate)?;
        OutOfRange::positive("decay_steps", self.decay_steps as f32)?;
        OutOfRange::non_negative("end_learning_rate", self.end_learning_rate)?;
        OutOfRange::positive("power", self.power)
    }
}

/// Keras' `InverseTimeDecay`: rate = `initial_learning_rate` / (1 + `decay_rate` · steps / `decay_steps`).
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct InverseTimeDecay {
    /// The rate of the first step.
    pub initial_learning_rate: f32,
    /// In what unit steps are counted; greater than 0.
    pub decay_steps: u32,
    /// How fast the rate falls; not negative.
    pub decay_rate: f32,
    /// Only whole units count: the rate changes every `decay_steps` steps.
    pub staircase: bool,
}

impl Schedule for InverseTimeDecay {
    fn rate(&self, steps: u32) -> f32 {
        self.initial_learning_rate / (1.0 + self.decay_rate * times(steps, self.decay_steps, self.staircase))
    }

    fn largest(&self) -> f32 {
        self.initial_learning_rate
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("initial_learning_rate", self.initial_learning_rate)?;
        OutOfRange::positive("decay_steps", self.decay_steps as f32)?;
        OutOfRange::non_negative("decay_rate", self.decay_rate)
    }
}

/// Keras' `CosineDecay` (Loshchilov and Hutter, 2017) without warm-up:
///
/// ```text
/// rate = initial_learning_rate · ((1 − alpha) · (1 + cos(π · steps / decay_steps)) / 2 + alpha)
/// ```
///
/// and `initial_learning_rate` · `alpha` after `decay_steps` steps.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct CosineDecay {
    /// The rate of the first step.
    pub initial_learning_rate: f32,
    /// After how many steps the end is reached; greater than 0.
    pub decay_steps: u32,
    /// What part of the rate is left at the end, in [0, 1].
    pub alpha: f32,
}

impl Schedule for CosineDecay {
    fn rate(&self, steps: u32) -> f32 {
        let done = times(steps.min(self.decay_steps), self.decay_steps, false);
        let cosine = 0.5 * (1.0 + libm::cosf(PI * done));
        self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)
    }

    #[inline]
    fn largest(&self) -> f32 {
        // The first rate as it is computed.
        self.initial_learning_rate * ((1.0 - self.alpha) + self.alpha)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("initial_learning_rate", self.initial_learning_rate)?;
        OutOfRange::positive("decay_steps", self.decay_steps as f32)?;
        OutOfRange::probability("alpha", self.alpha)
    }
}

/// An optimizer whose learning rate can be set: what [`Scheduled`] stands around.
pub trait WithLearningRate: BaseOptimizer + Copy {
    /// The same with this learning rate.
    #[must_use]
    fn with_learning_rate(self, learning_rate: f32) -> Self;
}

macro_rules! rated {
    ($($name:ident: $($field:tt).+;)*) => {$(
        impl WithLearningRate for $name {
            #[inline(always)]
            fn with_learning_rate(mut self, learning_rate: f32) -> Self {
                self.$($field).+ = learning_rate;
                self
            }
        }
    )*};
}
rated! {
    Adadelta: learning_rate;
    Adagrad: learning_rate;
    Adam: learning_rate;
    AmsGrad: 0.learning_rate;
    CenteredRmsProp: rms.learning_rate;
    Momentum: learning_rate;
    MomentumRmsProp: rms.learning_rate;
    Nadam: learning_rate;
    RmsProp: learning_rate;
    RowwiseAdagrad: learning_rate;
    Sgd: learning_rate;
}

/// The optimizer `O` with the learning rate of a [`Schedule`] in the place of its own, which is not read.
///
/// It stands innermost: weight decay, clipping and [`Exact`](super::Exact) go around it, and decoupled decay
/// follows the schedule too, as in Keras. An exact form replays each step that a row missed at the rate of
/// that step.
///
/// ```
/// use nanoembed::optim::{Adam, CosineDecay, Exact, Optimizer, Scheduled};
/// // Keras' Adam(CosineDecay(0.01, 1000)), on an embedding too.
/// let schedule = CosineDecay { initial_learning_rate: 0.01, decay_steps: 1000, alpha: 0.0 };
/// let optimizer = Adam { keras3_duplicates: true, ..Adam::default() };
/// let adam = Exact(Scheduled { optimizer, schedule });
/// assert_eq!(adam.learning_rate(1), 0.01);
/// assert_eq!(adam.learning_rate(1001), 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Scheduled<O, S> {
    /// What takes the step.
    pub optimizer: O,
    /// What gives its rate.
    pub schedule: S,
}

impl<O: WithLearningRate, S: Schedule> Scheduled<O, S> {
    /// The optimizer as it is in step `number`, counted from 1.
    #[inline]
    fn at(&self, number: u32) -> O {
        self.optimizer.with_learning_rate(self.schedule.rate(number.saturating_sub(1)))
    }
}

impl<O: WithLearningRate, S: Schedule> Optimizer for Scheduled<O, S> {
    type Rule = O::Rule;
    type Slots<P: Numbers> = O::Slots<P>;
    type RowSlots<const DIM: usize> = O::RowSlots<DIM>;
    type LastSteps<const ROWS: usize> = O::LastSteps<ROWS>;
    const NAME: &'static str = O::NAME;

    #[inline]
    fn rule(&self, number: u32) -> O::Rule {
        self.at(number).rule(number)
    }

    fn learning_rate(&self, number: u32) -> f32 {
        self.at(number).learning_rate(number)
    }

    #[inline]
    fn largest_learning_rate(&self) -> f32 {
        self.optimizer.with_learning_rate(self.schedule.largest()).largest_learning_rate()
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.schedule.check()?;
        self.at(1).check()
    }
}

impl<O: WithLearningRate, S: Schedule> BaseOptimizer for Scheduled<O, S> {}

impl<O: WithLearningRate + Replay<Step = <O as Optimizer>::Rule>, S: Schedule> Replay for Scheduled<O, S> {
    type Step = <O as Optimizer>::Rule;
    const MOVES: Moves = O::MOVES;

    // What does not move at the largest rate moves at none.
    #[inline(always)]
    fn at_rest(&self, w: f32, state: &<Self::Step as UpdateRule>::State) -> bool {
        self.optimizer.with_learning_rate(self.schedule.largest()).at_rest(w, state)
    }

    fn decay(&self) -> <Self::Step as UpdateRule>::State {
        self.optimizer.decay()
    }
}

impl<O: WithLearningRate + Summed<Step = <O as Optimizer>::Rule>, S: Schedule> Summed for Scheduled<O, S> {
    fn factors(&self) -> Factors {
        self.optimizer.factors()
    }

    #[inline]
    fn scalars(&self, number: u32, powers: [f64; 2]) -> [f64; 2] {
        self.at(number).scalars(number, powers)
    }

    #[inline(always)]
    fn distance(
        gap: &Gap<<Self::Step as UpdateRule>::State>,
        state: &<Self::Step as UpdateRule>::State,
    ) -> f32 {
        O::distance(gap, state)
    }
}
