//! Weight decay: decoupled from the gradient, or as the gradient of a penalty.

use super::{Adam, BaseOptimizer, Optimizer, OutOfRange};
use crate::sparse::{Factors, Gap, Moves, Replay, Summed, UpdateRule, leaves_unmoved};
use crate::table::Numbers;
use zerocopy::FromZeros;

/// Decoupled weight decay (Loshchilov and Hutter, 2019) around an optimizer, as in Keras: before each step
/// `w -= w * weight_decay * learning_rate`.
///
/// On tables the lazy form decays the rows that occur, as FBGEMM does; [`Exact`](super::Exact) around it
/// decays all rows, also those that never occur, as Keras does. Then no row ever rests: a row costs a step
/// for each step that it missed.
///
/// ```
/// use nanoembed::optim::{DecoupledDecay, Sgd};
/// // Keras' SGD(0.1, weight_decay=0.01).
/// let sgd = DecoupledDecay { optimizer: Sgd { learning_rate: 0.1 }, weight_decay: 0.01 };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct DecoupledDecay<O> {
    /// What takes the step.
    pub optimizer: O,
    /// The part of a weight that decays at a learning rate of 1; not negative.
    pub weight_decay: f32,
}

/// Adam with decoupled weight decay. Keras' and PyTorch's `AdamW`; the place of epsilon as in [`Adam`].
///
/// | to get | write |
/// |---|---|
/// | Keras' `AdamW()` on an embedding | [`Keras::new`](crate::keras::Keras::new)`(AdamW::default())` |
/// | PyTorch's `AdamW()` | `AdamW { optimizer: Adam { epsilon: Epsilon::OutsideCorrectedRoot(1e-8), ..Adam::default() }, weight_decay: 0.01 }` |
pub type AdamW = DecoupledDecay<Adam>;

impl Default for AdamW {
    /// Keras' defaults: those of Adam, weight decay 0.004.
    fn default() -> Self {
        Self { optimizer: Adam::default(), weight_decay: 0.004 }
    }
}

/// One step of [`DecoupledDecay`].
#[derive(Clone, Copy, Debug)]
pub struct DecoupledDecayStep<R> {
    rule: R,
    weight_decay: f32,
    learning_rate: f32,
}

impl<R> DecoupledDecayStep<R> {
    #[inline(always)]
    fn decayed(&self, w: f32) -> f32 {
        w - w * self.weight_decay * self.learning_rate
    }
}

impl<R: UpdateRule> UpdateRule for DecoupledDecayStep<R> {
    type State = R::State;
    const ROW_STATE: usize = R::ROW_STATE;

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.rule.keras3_duplicates()
    }

    #[inline(always)]
    fn gradient(&self, w: f32, g: f32) -> f32 {
        self.rule.gradient(self.decayed(w), g)
    }

    #[inline(always)]
    fn of_row(self, mean_square: f32, state: &mut [f32]) -> Self {
        Self { rule: self.rule.of_row(mean_square, state), ..self }
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, state: &mut R::State) -> f32 {
        self.rule.apply(self.decayed(w), g, square, state)
    }
}

impl<O: BaseOptimizer> Optimizer for DecoupledDecay<O> {
    type Rule = DecoupledDecayStep<O::Rule>;
    type Slots<P: Numbers> = O::Slots<P>;
    type RowSlots<const DIM: usize> = O::RowSlots<DIM>;
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = O::NAME;

    #[inline]
    fn rule(&self, number: u32) -> Self::Rule {
        DecoupledDecayStep {
            rule: self.optimizer.rule(number),
            weight_decay: self.weight_decay,
            learning_rate: self.optimizer.learning_rate(number),
        }
    }

    fn learning_rate(&self, number: u32) -> f32 {
        self.optimizer.learning_rate(number)
    }

    #[inline]
    fn largest_learning_rate(&self) -> f32 {
        self.optimizer.largest_learning_rate()
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.optimizer.check()?;
        OutOfRange::non_negative("weight_decay", self.weight_decay)
    }
}

impl<O: BaseOptimizer> BaseOptimizer for DecoupledDecay<O> {}

impl<O: BaseOptimizer + Replay<Step = <O as Optimizer>::Rule>> Replay for DecoupledDecay<O> {
    type Step = <Self as Optimizer>::Rule;
    const MOVES: Moves = Moves::Every;

    #[inline(always)]
    fn at_rest(&self, w: f32, state: &<Self::Step as UpdateRule>::State) -> bool {
        let decay = w * self.weight_decay * self.optimizer.largest_learning_rate();
        leaves_unmoved(w, decay) & self.optimizer.at_rest(w, state)
    }

    fn decay(&self) -> <Self::Step as UpdateRule>::State {
        self.optimizer.decay()
    }
}

impl<O: BaseOptimizer + Summed<Step = <O as Optimizer>::Rule>> Summed for DecoupledDecay<O> {
    fn factors(&self) -> Factors {
        self.optimizer.factors()
    }

    #[inline]
    fn scalars(&self, number: u32, powers: [f64; 2]) -> [f64; 2] {
        self.optimizer.scalars(number, powers)
    }

    #[inline]
    fn lost(&self, number: u32) -> f64 {
        f64::from(self.weight_decay) * f64::from(self.optimizer.learning_rate(number))
    }

    #[inline(always)]
    fn distance(
        gap: &Gap<<Self::Step as UpdateRule>::State>,
        state: &<Self::Step as UpdateRule>::State,
    ) -> f32 {
        O::distance(gap, state)
    }
}

/// Weight decay as PyTorch's `weight_decay` of SGD, Adagrad, RMSprop and Adam (not AdamW), and as FBGEMM's:
/// the gradient of a penalty ½ · `weight_decay` · w² is added to the gradient, `g += weight_decay * w`.
///
/// On tables the lazy form does so for the rows that occur; [`Exact`](super::Exact) around it for all rows,
/// as an update of the whole table does. Then no row ever rests. `Exact<L2Decay<RowwiseAdagrad>>` does not
/// compile: the penalty would move the state of the whole row at every step. The second moment is the square
/// of the gradient with the penalty: `keras3_duplicates` has no effect under it.
///
/// ```
/// use nanoembed::optim::{L2Decay, Momentum};
/// // PyTorch's SGD(lr=0.1, momentum=0.9, weight_decay=0.01).
/// let momentum = Momentum { learning_rate: 0.1, ..Momentum::default() };
/// let sgd = L2Decay { optimizer: momentum, weight_decay: 0.01 };
/// ```
///
/// ```compile_fail
/// use nanoembed::{sparse::{Moves, Replay}, optim::{L2Decay, RowwiseAdagrad}};
/// // What `Exact` asks before it moves a row.
/// assert_eq!(<L2Decay<RowwiseAdagrad> as Replay>::MOVES, Moves::Every);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct L2Decay<O> {
    /// What takes the step.
    pub optimizer: O,
    /// The factor of the penalty; not negative.
    pub weight_decay: f32,
}

/// One step of [`L2Decay`].
#[derive(Clone, Copy, Debug)]
pub struct L2DecayStep<R> {
    rule: R,
    weight_decay: f32,
}

impl<R: UpdateRule> UpdateRule for L2DecayStep<R> {
    type State = R::State;
    const ROW_STATE: usize = R::ROW_STATE;

    #[inline(always)]
    fn gradient(&self, w: f32, g: f32) -> f32 {
        self.rule.gradient(w, g + self.weight_decay * w)
    }

    #[inline(always)]
    fn of_row(self, mean_square: f32, state: &mut [f32]) -> Self {
        Self { rule: self.rule.of_row(mean_square, state), ..self }
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, _: f32, state: &mut R::State) -> f32 {
        let g = g + self.weight_decay * w;
        self.rule.apply(w, g, g * g, state)
    }
}

impl<O: BaseOptimizer> Optimizer for L2Decay<O> {
    type Rule = L2DecayStep<O::Rule>;
    type Slots<P: Numbers> = O::Slots<P>;
    type RowSlots<const DIM: usize> = O::RowSlots<DIM>;
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = O::NAME;

    #[inline]
    fn rule(&self, number: u32) -> Self::Rule {
        L2DecayStep { rule: self.optimizer.rule(number), weight_decay: self.weight_decay }
    }

    fn learning_rate(&self, number: u32) -> f32 {
        self.optimizer.learning_rate(number)
    }

    #[inline]
    fn largest_learning_rate(&self) -> f32 {
        self.optimizer.largest_learning_rate()
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.optimizer.check()?;
        OutOfRange::non_negative("weight_decay", self.weight_decay)
    }
}

impl<O: BaseOptimizer> BaseOptimizer for L2Decay<O> {}

impl<O: BaseOptimizer + Replay<Step = <O as Optimizer>::Rule>> Replay for L2Decay<O> {
    type Step = <Self as Optimizer>::Rule;
    const MOVES: Moves = {
        assert!(
            <Self::Step as UpdateRule>::ROW_STATE == 0,
            "Exact<L2Decay<..>>: the penalty would move the state of the whole row at every step; use DecoupledDecay"
        );
        Moves::Every
    };

    // A weight that is not zero has a gradient.
    #[inline(always)]
    fn at_rest(&self, w: f32, state: &<Self::Step as UpdateRule>::State) -> bool {
        (self.weight_decay * w == 0.0) & self.optimizer.at_rest(w, state)
    }

    fn decay(&self) -> <Self::Step as UpdateRule>::State {
        self.optimizer.decay()
    }
}
