//! Optimizers: how a gradient becomes a step.
//!
//! | family | items |
//! |---|---|
//! | without momentum | [`Sgd`] |
//! | with momentum | [`Momentum`], also Nesterov's |
//! | with a rate for each value | [`Adagrad`], [`RmsProp`], [`MomentumRmsProp`], [`CenteredRmsProp`], [`Adadelta`] |
//! | with a rate for each row | [`RowwiseAdagrad`] |
//! | with both | [`Adam`], [`AdamW`], [`AmsGrad`], [`Nadam`] |
//! | that move rows which do not occur | [`Exact`]; by sums, [`Series`], for Adam [`AdamSeries`]; as Keras 3 does it: [`Keras`](crate::keras::Keras) |
//! | weight decay | [`DecoupledDecay`], [`L2Decay`] |
//! | clipping | [`Clipped`], by a [`Clip`] |
//! | schedules | [`Scheduled`], by an [`ExponentialDecay`], [`PiecewiseConstantDecay`], [`PolynomialDecay`], [`InverseTimeDecay`] or [`CosineDecay`] |
//! | chosen at run time | [`AnyOptimizer`]; its step [`TakesStep`], the rows that it brings up to date [`NamedRows`] |
//! | for an optimizer of your own | the traits [`Optimizer`] and [`BaseOptimizer`], [`Step`], [`Epsilon`] |
//!
//! Rows of a table take the **sparse** entry, [`Optimizer::update_rows`]: it reads and writes only rows with
//! a gradient. Variables that always have a gradient (kernels, biases) take the **dense** one,
//! [`Optimizer::update_block`].
//!
//! An optimizer with momentum or moments has two sparse forms:
//!
//! - **lazy**, the default (`Adam`): a row that does not occur keeps its weights and its moments, bit for
//!   bit, as in PyTorch's `SparseAdam`;
//! - **exact** ([`Exact`], `Exact<Adam>`): the step equals the dense update with the true gradient. Moments
//!   decay, and they go on moving a row after it last occurred. A row remembers its last step and catches up
//!   before it is next read, so the cost is still that of the rows that occur. Where ids repeat in a batch,
//!   Keras 3 computes something else: that is [`Keras`](crate::keras::Keras). A row pays for each step that
//!   it missed; with [`Series`] it pays once, and the weights are equal to the dense ones up to rounding.
//!
//! The learning rate is subtracted: `w -= learning_rate * g`. With [`Scheduled`] it is a function of the
//! step.
//!
//! Formulas and defaults are those of Keras; each optimizer says what to write for PyTorch's and FBGEMM's.
//! Wrap a schedule ([`Scheduled`]), weight decay ([`DecoupledDecay`], [`L2Decay`]), clipping ([`Clipped`])
//! and an exact form around an optimizer in this order, with the exact form outermost. Slots start at zero.
//! A step computes what the hyperparameters say, even if they are outside their ranges; [`Optimizer::check`]
//! names those that are.
//!
//! A step on a borrowed table, from ids and their gradients:
//!
//! ```
//! use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient};
//! use nanoembed::optim::{Adam, Optimizer};
//! use nanoembed::table::{Indices, Table, TableMut};
//!
//! let ids = [7_u32, 2, 7]; // row 7 occurs twice
//! let gradients = [[0.1; 4]; 3];
//! let mut table = vec![[1.0; 4]; 1000];
//! let mut slots = vec![[0.0; 8]; 1000]; // Adam's two moments of each value
//!
//! let mut list = [Occurrence::default(); 3];
//! let list = Indices::new(&ids, table.len())?.occurrences(&mut list)?;
//! let mut touched = SparseGradient {
//!     occurrences: SortedOccurrences::sort(list, &mut [Occurrence::default(); 3])?,
//!     gradients: Table::from_rows(&gradients),
//!     scratch: &mut [0.0; 8],
//! };
//! let adam = Adam::default();
//! let (mut rows, mut slots) = (TableMut::from_rows(&mut table), TableMut::from_rows(&mut slots));
//! adam.update_rows(adam.step(1), &mut rows, &mut slots, &mut [], &mut touched)?;
//! assert!(table[7][0] < 1.0 && table[2][0] < 1.0);
//! assert_eq!(table[3], [1.0; 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adadelta;
mod adagrad;
mod adam;
mod any;
mod clip;
mod decay;
mod epsilon;
mod exact;
mod nadam;
mod rmsprop;
mod schedule;
mod series;
mod sgd;

pub use adadelta::Adadelta;
pub use adagrad::{Adagrad, RowwiseAdagrad};
pub use adam::{Adam, AmsGrad};
pub(crate) use any::has_bit;
pub use any::{AnyOptimizer, NamedRows, TakesStep};
pub use clip::{Clip, Clipped};
pub use decay::{AdamW, DecoupledDecay, L2Decay};
pub use epsilon::Epsilon;
pub use exact::Exact;
pub use nadam::Nadam;
pub use rmsprop::{CenteredRmsProp, MomentumRmsProp, RmsProp};
pub use schedule::{
    CosineDecay, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay, Schedule,
    Scheduled, WithLearningRate,
};
pub use series::{AdamSeries, Series};
pub use sgd::{Momentum, Sgd};

use crate::error::{OutOfRange, Range, ShapeMismatch};
use crate::sparse::{self, Rows, SparseGradient, State, UpdateRule, shaped};
use crate::table::{Numbers, TableMut};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One step of an optimizer: its number, counted from 1, and its rule, whose scalars are computed once for
/// all parameters.
#[derive(Clone, Copy, Debug)]
pub struct Step<R> {
    number: u32,
    rule: R,
}

impl<R: Copy> Step<R> {
    /// Its number, counted from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Its rule.
    pub fn rule(&self) -> R {
        self.rule
    }
}

/// What Keras 3 calls by the same name: turns gradients into steps, with state (slots) beside the weights.
///
/// Steps are counted from 1. A step is a pure function of its number, so that it can be replayed and resumed.
///
/// An optimizer of your own gives a rule and says how much state it keeps. Plain descent whose steps become
/// shorter:
///
/// ```
/// use nanoembed::{error::OutOfRange, layers::*, loss::BinaryCrossEntropy, optim::*, table::Numbers, train::Trainer};
/// struct Harmonic(f32);
///
/// impl Optimizer for Harmonic {
///     type Rule = <Sgd as Optimizer>::Rule;
///     type Slots<P: Numbers> = [f32; 0];
///     type RowSlots<const DIM: usize> = [f32; 0];
///     type LastSteps<const ROWS: usize> = [u32; 0];
///     const NAME: &'static str = "harmonic";
///
///     fn rule(&self, number: u32) -> Self::Rule {
///         Sgd { learning_rate: self.learning_rate(number) }.rule(number)
///     }
///     fn learning_rate(&self, number: u32) -> f32 {
///         self.0 / number as f32
///     }
///     fn check(&self) -> Result<(), OutOfRange> {
///         Sgd { learning_rate: self.0 }.check()
///     }
/// }
///
/// let mut trainer = Trainer::<Dense<1, 1, Sigmoid>, _, _, 1>::new(Harmonic(0.5), BinaryCrossEntropy::default());
/// let mut model = Dense::zeroed();
/// model.kernel = [[1.0]];
/// trainer.step(&mut model, &[[1.0]], &[[0.0]])?;
/// assert!(model.kernel[0][0] < 1.0);
/// # Ok::<(), nanoembed::train::TrainError>(())
/// ```
///
/// Slots that are not as large as the rule's state are refused where a trainer is made. The step of momentum
/// keeps a velocity for each number:
///
/// ```compile_fail,E0080
/// # use nanoembed::{error::OutOfRange, layers::*, loss::BinaryCrossEntropy, optim::*, table::Numbers, train::Trainer};
/// # struct Heavy(Momentum);
/// impl Optimizer for Heavy {
///     type Rule = <Momentum as Optimizer>::Rule;
///     type Slots<P: Numbers> = [f32; 0];
///     type RowSlots<const DIM: usize> = [f32; 0];
/// #     type LastSteps<const ROWS: usize> = [u32; 0];
/// #     const NAME: &'static str = "heavy";
/// #
/// #     fn rule(&self, number: u32) -> Self::Rule {
/// #         self.0.rule(number)
/// #     }
/// #     fn learning_rate(&self, number: u32) -> f32 {
/// #         self.0.learning_rate(number)
/// #     }
/// #     fn check(&self) -> Result<(), OutOfRange> {
/// #         self.0.check()
/// #     }
///     // ...
/// }
/// # let heavy = Heavy(Momentum::default());
/// let _ = Trainer::<Dense<1, 1, Sigmoid>, _, _, 1>::new(heavy, BinaryCrossEntropy::default());
/// ```
pub trait Optimizer {
    /// One step, with its scalars computed.
    type Rule: UpdateRule;
    /// State of a variable of shape `P`; zeros before the first step.
    type Slots<P: Numbers>: Numbers;
    /// State of a table row of `DIM` numbers.
    type RowSlots<const DIM: usize>: Numbers;
    /// The step at which each row was last brought up to date: `[u32; ROWS]` in exact forms, empty in lazy
    /// ones.
    type LastSteps<const ROWS: usize>: AsMut<[u32]> + FromBytes + IntoBytes + KnownLayout + Immutable;

    /// Whether rows that do not occur wait for their steps, so that their weights are not what they will be.
    /// Not where an exact form moves no row that does not occur.
    const LAGS: bool = size_of::<Self::LastSteps<1>>() > 0;

    /// Whether it makes a difference to the bits of what is learnt how often rows are brought up to date, as
    /// by a flush. Then [`resume`](crate::train::Trainer::resume) does not flush.
    const LOOKS_COUNT: bool = false;

    /// Its name, as in Keras; part of a checkpoint's fingerprint.
    const NAME: &'static str;

    /// The rule of step `number`, counted from 1.
    fn rule(&self, number: u32) -> Self::Rule;

    /// The learning rate of step `number`, counted from 1.
    fn learning_rate(&self, number: u32) -> f32;

    /// A number that the learning rate of no step is above: that of the first step, but under a [`Schedule`].
    #[inline]
    fn largest_learning_rate(&self) -> f32 {
        self.learning_rate(1)
    }

    /// Whether the hyperparameters are in their ranges.
    ///
    /// ```
    /// use nanoembed::optim::{Adam, Optimizer};
    /// assert!(Adam::default().check().is_ok());
    /// let error = Adam { beta_1: 1.0, ..Adam::default() }.check().unwrap_err();
    /// assert_eq!(error.what, "beta_1");
    /// ```
    ///
    /// # Errors
    /// The first that is not.
    fn check(&self) -> Result<(), OutOfRange>;

    /// The step for gradients whose squares together come to `sum_of_squares`, which is computed only if the
    /// step depends on it ([`Clip::GlobalNorm`]). Its argument: whether repeated rows enter by the sum of
    /// their squares.
    #[inline]
    fn with_all_gradients(
        &self,
        step: Step<Self::Rule>,
        sum_of_squares: impl FnOnce(bool) -> f32,
    ) -> Step<Self::Rule> {
        let _ = sum_of_squares;
        step
    }

    /// Step `number`, counted from 1; 0 is taken for 1.
    fn step(&self, number: u32) -> Step<Self::Rule> {
        let number = number.max(1);
        Step { number, rule: self.rule(number) }
    }

    /// Sparse entry: a step on the touched rows of `table`, whose state is in the rows of `slots` and, for
    /// exact forms, in `last_steps`.
    ///
    /// # Errors
    /// If the shapes do not agree; nothing has been written then.
    fn update_rows(
        &self,
        step: Step<Self::Rule>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        touched: &mut SparseGradient<'_>,
    ) -> Result<(), ShapeMismatch> {
        if keeps_last_steps::<Self>() {
            ShapeMismatch::check("rows of last steps", table.rows(), last_steps.len())?;
        }
        sparse::check_update::<Self::Rule, _>(table, slots, touched)?;
        self.step_rows(step, table, slots, last_steps, touched);
        Ok(())
    }

    /// Dense entry: a step on a variable with a gradient for each of its numbers.
    ///
    /// # Errors
    /// If the lengths do not agree; nothing has been written then.
    fn update_block(
        &self,
        step: Step<Self::Rule>,
        weights: &mut [f32],
        gradient: &[f32],
        slots: &mut [f32],
    ) -> Result<(), ShapeMismatch> {
        sparse::check_block::<Self::Rule>(weights, gradient, slots)?;
        self.step_block(step, weights, gradient, slots);
        Ok(())
    }

    /// Exact forms: brings the weights of `rows` to where the dense update has them after step `until`,
    /// before they are read. Lazy forms do nothing.
    ///
    /// # Errors
    /// If the shapes do not agree; nothing has been written then.
    #[inline]
    fn catch_up(
        &self,
        until: u32,
        rows: impl Rows,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
    ) -> Result<(), ShapeMismatch> {
        if keeps_last_steps::<Self>() {
            sparse::check_lagging::<Self::Rule>(table, slots, last_steps)?;
        }
        self.replay(until, rows, table, slots, last_steps);
        Ok(())
    }

    /// What [`update_rows`](Self::update_rows) does once the shapes are known to agree.
    ///
    /// It is for optimizers that stand around others, and for callers whose types fix the shapes. A debug
    /// build asserts them; otherwise nothing is done where they disagree.
    fn step_rows(
        &self,
        step: Step<Self::Rule>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        gradient: &mut SparseGradient<'_>,
    ) {
        let _ = last_steps;
        shaped::update_rows(step.rule(), table, slots, gradient);
    }

    /// What [`update_block`](Self::update_block) does once the shapes are known to agree; see
    /// [`step_rows`](Self::step_rows).
    fn step_block(&self, step: Step<Self::Rule>, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]) {
        shaped::update_block(step.rule(), weights, gradient, slots);
    }

    /// What [`catch_up`](Self::catch_up) does once the shapes are known to agree; see
    /// [`step_rows`](Self::step_rows).
    #[inline]
    fn replay(
        &self,
        until: u32,
        rows: impl Rows,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
    ) {
        let _ = (until, rows, table, slots, last_steps);
    }
}

/// Whether rows remember their last step: in exact forms.
pub(crate) const fn keeps_last_steps<O: Optimizer + ?Sized>() -> bool {
    size_of::<O::LastSteps<1>>() > 0
}

/// Fails to compile for an optimizer whose slots are not as large as its rule's state.
///
/// Types alone do not say so, and a step on slots that are too small would leave weights as they are.
pub(crate) const fn assert_slots_fit<O: Optimizer>() {
    const fn fits<R: UpdateRule>(bytes: usize, numbers: usize) -> bool {
        bytes == (numbers * <R::State as State>::NUMBERS + R::ROW_STATE) * size_of::<f32>()
    }
    assert!(
        fits::<O::Rule>(size_of::<O::Slots<[f32; 1]>>(), 1)
            && fits::<O::Rule>(size_of::<O::Slots<[f32; 3]>>(), 3),
        "Optimizer: `Slots<P>` must hold `Rule::State::NUMBERS` numbers for each number of P, and `Rule::ROW_STATE` more"
    );
    assert!(
        fits::<O::Rule>(size_of::<O::RowSlots<1>>(), 1) && fits::<O::Rule>(size_of::<O::RowSlots<3>>(), 3),
        "Optimizer: `RowSlots<DIM>` must hold `DIM * Rule::State::NUMBERS + Rule::ROW_STATE` numbers"
    );
    let step = size_of::<O::LastSteps<1>>();
    assert!(
        (step == 0 || step == size_of::<u32>()) && size_of::<O::LastSteps<3>>() == 3 * step,
        "Optimizer: `LastSteps<ROWS>` must be `[u32; ROWS]` or empty"
    );
}

/// In `impl Optimizer`: the items that an optimizer of the form `Name(inner)` has from the optimizer `$inner`
/// inside it.
macro_rules! inner_optimizer {
    ($inner:ty) => {
        type Rule = <$inner as Optimizer>::Rule;
        type Slots<P: Numbers> = <$inner as Optimizer>::Slots<P>;
        type RowSlots<const DIM: usize> = <$inner as Optimizer>::RowSlots<DIM>;
        const NAME: &'static str = <$inner as Optimizer>::NAME;

        fn rule(&self, number: u32) -> Self::Rule {
            self.0.rule(number)
        }

        fn learning_rate(&self, number: u32) -> f32 {
            self.0.learning_rate(number)
        }

        fn largest_learning_rate(&self) -> f32 {
            self.0.largest_learning_rate()
        }

        fn check(&self) -> Result<(), OutOfRange> {
            self.0.check()
        }

        fn with_all_gradients(
            &self,
            step: Step<Self::Rule>,
            sum_of_squares: impl FnOnce(bool) -> f32,
        ) -> Step<Self::Rule> {
            self.0.with_all_gradients(step, sum_of_squares)
        }

        fn step_block(
            &self,
            step: Step<Self::Rule>,
            weights: &mut [f32],
            gradient: &[f32],
            slots: &mut [f32],
        ) {
            self.0.step_block(step, weights, gradient, slots);
        }
    };
}
pub(crate) use inner_optimizer;

/// An optimizer that takes gradients as they are, in its lazy form: what weight decay and [`Clipped`] may
/// stand around.
///
/// All but [`Clipped`], [`Exact`] and [`Series`], which stand outside, in this order:
/// `Exact<Clipped<DecoupledDecay<Adam>>>`.
pub trait BaseOptimizer: Optimizer {}
