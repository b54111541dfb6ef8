//! RMSprop (Hinton, Srivastava and Swersky, 2012), plain, with momentum, and centred (Graves, 2013).

use super::{BaseOptimizer, Epsilon, Optimizer, OutOfRange};
use crate::math;
use crate::sparse::{Moves, Replay, UpdateRule, leaves_unmoved};
use crate::table::Numbers;
use zerocopy::FromZeros;

/// RMSprop. With gradient g:
///
/// ```text
/// v = rho · v + (1 − rho) · g²
/// w −= learning_rate · g / √(v + epsilon)
/// ```
///
/// | to get | write |
/// |---|---|
/// | Keras' `RMSprop()` on an embedding | [`Keras::new`](crate::keras::Keras::new)`(RmsProp::default())` |
/// | Keras' `momentum=0.5` | `MomentumRmsProp { rms: RmsProp::default(), momentum: 0.5 }` |
/// | Keras' `momentum=0.5, centered=True` | `CenteredRmsProp { rms: RmsProp::default(), momentum: 0.5 }` |
/// | PyTorch's `RMSprop()` | `RmsProp { learning_rate: 0.01, rho: 0.99, epsilon: Epsilon::OutsideRoot(1e-8), ..RmsProp::default() }` |
/// | PyTorch's `weight_decay=0.1` | [`L2Decay`](super::L2Decay) around it |
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct RmsProp {
    /// Step size.
    pub learning_rate: f32,
    /// Decay of the averages, in [0, 1); PyTorch's alpha.
    pub rho: f32,
    /// Keeps the denominator from 0; greater than 0, or rows whose gradient is 0 become NaN.
    pub epsilon: Epsilon,
    /// As in [`Adam`](super::Adam).
    pub keras3_duplicates: bool,
}

impl Default for RmsProp {
    /// Keras' defaults: 0.001, 0.9, 1e-7 inside the root.
    fn default() -> Self {
        Self { learning_rate: 0.001, rho: 0.9, epsilon: Epsilon::InsideRoot(1e-7), keras3_duplicates: false }
    }
}

/// One step of [`RmsProp`].
#[derive(Clone, Copy, Debug)]
pub struct RmsPropStep {
    rate: f32,
    rho: f32,
    gain: f32,
    inside: f32,
    outside: f32,
    keras3_duplicates: bool,
}

impl RmsPropStep {
    /// How far a step without momentum goes.
    #[inline(always)]
    fn step(&self, g: f32, v: f32) -> f32 {
        self.rate * g / (math::sqrt(v + self.inside) + self.outside)
    }

    #[inline(always)]
    fn average(&self, average: f32, x: f32) -> f32 {
        self.rho * average + self.gain * x
    }
}

impl UpdateRule for RmsPropStep {
    type State = [f32; 1];

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.keras3_duplicates
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, [v]: &mut [f32; 1]) -> f32 {
        *v = self.average(*v, square);
        w - self.step(g, *v)
    }
}

impl Optimizer for RmsProp {
    type Rule = RmsPropStep;
    type Slots<P: Numbers> = P;
    type RowSlots<const DIM: usize> = [f32; DIM];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "rmsprop";

    #[inline]
    fn rule(&self, _: u32) -> RmsPropStep {
        let [inside, outside] = self.epsilon.terms(1.0);
        RmsPropStep {
            rate: self.learning_rate,
            rho: self.rho,
            gain: 1.0 - self.rho,
            inside,
            outside,
            keras3_duplicates: self.keras3_duplicates,
        }
    }

    fn learning_rate(&self, _: u32) -> f32 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("learning_rate", self.learning_rate)?;
        OutOfRange::fraction("rho", self.rho)?;
        OutOfRange::positive("epsilon", self.epsilon.value())
    }
}

impl BaseOptimizer for RmsProp {}

impl Replay for RmsProp {
    type Step = RmsPropStep;
    const MOVES: Moves = Moves::Nothing;

    fn decay(&self) -> [f32; 1] {
        [self.rho]
    }
}

/// [`RmsProp`] with momentum: `b = momentum · b + step`, `w −= b`.
///
/// Slots: v, b.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct MomentumRmsProp {
    /// What it has in common with RMSprop.
    pub rms: RmsProp,
    /// The part of the step that is kept from step to step, in [0, 1).
    pub momentum: f32,
}

impl Default for MomentumRmsProp {
    /// RMSprop's defaults, momentum 0.9.
    fn default() -> Self {
        Self { rms: RmsProp::default(), momentum: 0.9 }
    }
}

/// One step of [`MomentumRmsProp`].
#[derive(Clone, Copy, Debug)]
pub struct MomentumRmsPropStep {
    rms: RmsPropStep,
    momentum: f32,
}

impl UpdateRule for MomentumRmsPropStep {
    type State = [f32; 2];

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.rms.keras3_duplicates
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, [v, b]: &mut [f32; 2]) -> f32 {
        *v = self.rms.average(*v, square);
        *b = self.momentum * *b + self.rms.step(g, *v);
        w - *b
    }
}

impl Optimizer for MomentumRmsProp {
    type Rule = MomentumRmsPropStep;
    type Slots<P: Numbers> = [P; 2];
    type RowSlots<const DIM: usize> = [[f32; DIM]; 2];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "rmsprop with momentum";

    #[inline]
    fn rule(&self, number: u32) -> MomentumRmsPropStep {
        MomentumRmsPropStep { rms: self.rms.rule(number), momentum: self.momentum }
    }

    fn learning_rate(&self, number: u32) -> f32 {
        self.rms.learning_rate(number)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.rms.check()?;
        OutOfRange::fraction("momentum", self.momentum)
    }
}

impl BaseOptimizer for MomentumRmsProp {}

impl Replay for MomentumRmsProp {
    type Step = MomentumRmsPropStep;
    const MOVES: Moves = Moves::Touched;

    // Without a gradient a step is |b|, which only shrinks.
    #[inline(always)]
    fn at_rest(&self, w: f32, [_, b]: &[f32; 2]) -> bool {
        leaves_unmoved(w, *b)
    }

    fn decay(&self) -> [f32; 2] {
        [self.rms.rho, self.momentum]
    }
}

/// Keras' and PyTorch's `centered=True`: [`RmsProp`] by the variance of the gradient in the place of its mean
/// square.
///
/// ```text
/// v = rho · v + (1 − rho) · g²
/// a = rho · a + (1 − rho) · g
/// b = momentum · b + learning_rate · g / √(v − a² + epsilon)
/// w −= b
/// ```
///
/// A variance that rounding made negative counts as 0. Slots: v, b, a.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct CenteredRmsProp {
    /// What it has in common with RMSprop.
    pub rms: RmsProp,
    /// The part of the step that is kept from step to step, in [0, 1); 0 for no momentum.
    pub momentum: f32,
}

/// One step of [`CenteredRmsProp`].
#[derive(Clone, Copy, Debug)]
pub struct CenteredRmsPropStep {
    rms: RmsPropStep,
    momentum: f32,
}

impl UpdateRule for CenteredRmsPropStep {
    type State = [f32; 3];

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.rms.keras3_duplicates
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, [v, b, a]: &mut [f32; 3]) -> f32 {
        *v = self.rms.average(*v, square);
        *a = self.rms.average(*a, g);
        let variance = *v - *a * *a;
        let variance = if variance < 0.0 { 0.0 } else { variance };
        *b = self.momentum * *b + self.rms.step(g, variance);
        w - *b
    }
}

impl Optimizer for CenteredRmsProp {
    type Rule = CenteredRmsPropStep;
    type Slots<P: Numbers> = [P; 3];
    type RowSlots<const DIM: usize> = [[f32; DIM]; 3];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "centered rmsprop";

    #[inline]
    fn rule(&self, number: u32) -> CenteredRmsPropStep {
        CenteredRmsPropStep { rms: self.rms.rule(number), momentum: self.momentum }
    }

    fn learning_rate(&self, number: u32) -> f32 {
        self.rms.learning_rate(number)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.rms.check()?;
        OutOfRange::fraction("momentum", self.momentum)
    }
}

impl BaseOptimizer for CenteredRmsProp {}

impl Replay for CenteredRmsProp {
    type Step = CenteredRmsPropStep;
    const MOVES: Moves = Moves::Touched;

    #[inline(always)]
    fn at_rest(&self, w: f32, [_, b, _]: &[f32; 3]) -> bool {
        leaves_unmoved(w, *b)
    }

    fn decay(&self) -> [f32; 3] {
        [self.rms.rho, self.momentum, self.rms.rho]
    }
}
