//! Stochastic gradient descent, without and with momentum.

use super::{BaseOptimizer, Optimizer, OutOfRange, Range};
use crate::sparse::{Moves, Replay, UpdateRule, leaves_unmoved};
use crate::table::Numbers;
use zerocopy::FromZeros;

/// Plain stochastic gradient descent: `w -= learning_rate * g`. Keeps no state; with momentum it is
/// [`Momentum`].
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
    type State = [f32; 0];

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, _: f32, []: &mut [f32; 0]) -> f32 {
        w - self.learning_rate * g
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

    fn learning_rate(&self, _: u32) -> f32 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("learning_rate", self.learning_rate)
    }
}

impl BaseOptimizer for Sgd {}

impl Replay for Sgd {
    type Step = SgdStep;
    const MOVES: Moves = Moves::Nothing;

    fn decay(&self) -> [f32; 0] {
        []
    }
}

/// Stochastic gradient descent with momentum, as in Keras: `v = momentum * v - learning_rate * g`, `w += v`.
///
/// With `nesterov`: `w += momentum * v - learning_rate * g` (with the new v).
///
/// | to get | write |
/// |---|---|
/// | Keras' `SGD(0.1, momentum=0.9)` | `Momentum { learning_rate: 0.1, momentum: 0.9, ..Momentum::default() }` |
/// | PyTorch's `SGD(lr=0.1, momentum=0.9)` | the same; its buffer is `-v / learning_rate` |
/// | PyTorch's `dampening=0.5` | `dampening: 0.5` |
/// | PyTorch's `weight_decay=0.01` | [`L2Decay`](super::L2Decay) around it |
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Momentum {
    /// Step size.
    pub learning_rate: f32,
    /// The part of the velocity that is kept from step to step, in [0, 1).
    pub momentum: f32,
    /// The part of the gradient that does not enter the velocity, but for the first step, which takes all of
    /// it: PyTorch's `dampening`, in [0, 1).
    pub dampening: f32,
    /// Look ahead along the velocity.
    pub nesterov: bool,
}

impl Default for Momentum {
    /// Keras' learning rate 0.01, momentum 0.9, no dampening.
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.9, dampening: 0.0, nesterov: false }
    }
}

/// One step of [`Momentum`].
#[derive(Clone, Copy, Debug)]
pub struct MomentumStep {
    rate: f32,
    momentum: f32,
    nesterov: bool,
}

impl UpdateRule for MomentumStep {
    type State = [f32; 1];

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, _: f32, [v]: &mut [f32; 1]) -> f32 {
        let step = self.rate * g;
        *v = self.momentum * *v - step;
        w + if self.nesterov { self.momentum * *v - step } else { *v }
    }
}

impl Optimizer for Momentum {
    type Rule = MomentumStep;
    type Slots<P: Numbers> = P;
    type RowSlots<const DIM: usize> = [f32; DIM];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "momentum";

    #[inline]
    fn rule(&self, number: u32) -> MomentumStep {
        let part = if number > 1 { 1.0 - self.dampening } else { 1.0 };
        MomentumStep { rate: self.learning_rate * part, momentum: self.momentum, nesterov: self.nesterov }
    }

    fn learning_rate(&self, _: u32) -> f32 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("learning_rate", self.learning_rate)?;
        OutOfRange::fraction("momentum", self.momentum)?;
        OutOfRange::fraction("dampening", self.dampening)?;
        // PyTorch refuses the two together as well.
        OutOfRange::ensure(
            "dampening",
            self.dampening,
            Range::ZeroWithNesterov,
            !self.nesterov || self.dampening == 0.0,
        )
    }
}

impl BaseOptimizer for Momentum {}

impl Replay for Momentum {
    type Step = MomentumStep;
    const MOVES: Moves = Moves::Touched;

    // Without a gradient a step is at most |v|, and |v| only shrinks.
    #[inline(always)]
    fn at_rest(&self, w: f32, [v]: &[f32; 1]) -> bool {
        leaves_unmoved(w, *v)
    }

    fn decay(&self) -> [f32; 1] {
        [self.momentum]
    }
}
