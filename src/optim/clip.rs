//! Gradients that are too large are made smaller before the step.

use super::{BaseOptimizer, Optimizer, OutOfRange, Step};
use crate::kernels;
use crate::math;
use crate::sparse::{Factors, Gap, Moves, Replay, SparseGradient, Summed, UpdateRule, clamp, shaped};
use crate::table::{Numbers, TableMut};
use zerocopy::FromZeros;

/// What is too large; greater than 0. Keras, too, allows one of the three.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
#[repr(u32)]
pub enum Clip {
    /// Keras' `clipnorm`: the gradient of each variable whose norm is above this is scaled to it. The norm is
    /// that of the rows that a call steps on: for a table in [`parts`](crate::table::TableMut::split_rows),
    /// and for [`update_rows_rounded`](crate::sparse::update_rows_rounded()), it is found before and given by
    /// [`Clipped::with_norm`].
    Norm(f32),
    /// Keras' `global_clipnorm`, PyTorch's `clip_grad_norm_`: all gradients together, if their common norm is
    /// above this, are scaled to it. The trainer finds that norm; without a trainer [`Clipped::with_norm`] is
    /// told it.
    GlobalNorm(f32),
    /// Keras' `clipvalue`: each number of the gradient is brought into [−this, this]. Of a row that occurs
    /// several times it is the sum of the gradients that is clipped, and its square enters the second moment;
    /// with [`Clipped::keras3_duplicates`] the gradient of each occurrence is clipped, and then they are
    /// summed.
    Value(f32),
}

/// Gradient clipping around an optimizer; what is decayed or penalised by weight, is so after it, as in
/// Keras.
///
/// The norm of a table's gradient is that of the rows that occur, each with the sum of its gradients. Rows
/// are scaled in passing, so clipping costs a pass over the gradients and no memory. Squares of gradients
/// above 1.8e19 overflow: a norm that is infinite scales the gradient to nothing.
///
/// ```
/// use nanoembed::optim::{Adam, AdamW, Clip, Clipped, Exact};
/// let adam = Adam { learning_rate: 0.01, ..Adam::default() };
/// let optimizer = AdamW { optimizer: adam, weight_decay: 0.05 };
/// let optimizer = Exact(Clipped { optimizer, clip: Clip::Norm(0.3), keras3_duplicates: false });
/// ```
///
/// What Keras 3 computes by `AdamW(0.01, weight_decay=0.05, clipnorm=0.3)` on an embedding differs where ids
/// repeat in a batch: [`Keras`](crate::keras::Keras) is the name for that.
///
/// [`Exact`](super::Exact) and weight decay have one place each; another order is a compile error:
///
/// ```compile_fail
/// use nanoembed::optim::{Clip, Clipped, DecoupledDecay, Optimizer, Sgd};
/// let optimizer = Clipped { optimizer: Sgd::default(), clip: Clip::Norm(1.0), keras3_duplicates: false };
/// let _ = DecoupledDecay { optimizer, weight_decay: 0.1 }.step(1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Clipped<O> {
    /// What takes the step.
    pub optimizer: O,
    /// What is too large.
    pub clip: Clip,
    /// Repeated rows of a table are clipped as they occur, before they are summed, as Keras (2 and 3) on
    /// TensorFlow does: the norm is that of the rows not summed, and values are clipped occurrence by
    /// occurrence. [`Keras`](crate::keras::Keras) sets it, and what must go with it.
    pub keras3_duplicates: bool,
}

/// One step of [`Clipped`].
#[derive(Clone, Copy, Debug)]
pub struct ClippedStep<R> {
    rule: R,
    scale: f32,
    /// Whether `scale` is known: from the norm of all that the step is for.
    scaled: bool,
    most: f32,
    /// Whether the occurrences of a row are brought below `most` one by one.
    each: bool,
}

impl<R> ClippedStep<R> {
    #[inline(always)]
    fn clip(&self, g: f32) -> f32 {
        clamp(g * self.scale, self.most)
    }

    /// The same, with gradients scaled from this norm to the limit if it is above.
    fn scaled(self, norm: f32, limit: f32) -> Self {
        Self { scale: if norm > limit { limit / norm } else { 1.0 }, scaled: true, ..self }
    }
}

impl<R: UpdateRule> UpdateRule for ClippedStep<R> {
    type State = R::State;
    const ROW_STATE: usize = R::ROW_STATE;

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.rule.keras3_duplicates()
    }

    #[inline(always)]
    fn clipping_occurrences(self) -> Option<(f32, Self)> {
        self.each.then_some((self.most, Self { most: f32::INFINITY, ..self }))
    }

    #[inline(always)]
    fn gradient(&self, w: f32, g: f32) -> f32 {
        self.rule.gradient(w, self.clip(g))
    }

    #[inline(always)]
    fn of_row(self, mean_square: f32, state: &mut [f32]) -> Self {
        Self { rule: self.rule.of_row(mean_square, state), ..self }
    }

    // The square is that of the clipped gradient. For repeated rows of Keras 3 it is a sum of squares, which
    // scales as they do. A sum whose values are clipped has no such sum of squares, so its own square stands
    // there; where occurrences are clipped one by one, `most` is infinite here, and the sum of their squares
    // is right.
    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, state: &mut R::State) -> f32 {
        let clipped = self.clip(g);
        let by_norm = self.most == f32::INFINITY;
        let square = if by_norm && self.rule.keras3_duplicates() {
            square * self.scale * self.scale
        } else {
            clipped * clipped
        };
        self.rule.apply(w, clipped, square, state)
    }
}

impl<O: Optimizer> Clipped<O> {
    /// The step with all gradients scaled, for [`Clip::Norm`] and [`Clip::GlobalNorm`], from `norm`, their
    /// norm, to the limit if it is above; the step as it is for [`Clip::Value`]. The root of
    /// [`SparseGradient::sum_of_squares`] is the norm of rows, and no call looks for another.
    ///
    /// ```
    /// use nanoembed::optim::{Clip, Clipped, Optimizer, Sgd};
    /// let optimizer = Sgd { learning_rate: 1.0 };
    /// let clipped = Clipped { optimizer, clip: Clip::GlobalNorm(1.0), keras3_duplicates: false };
    /// let step = clipped.with_norm(clipped.step(1), 5.0);
    /// let mut weights = [0.0; 2];
    /// clipped.update_block(step, &mut weights, &[3.0, -4.0], &mut [])?;
    /// assert_eq!(weights, [-0.6, 0.8]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    #[must_use]
    pub fn with_norm(&self, step: Step<ClippedStep<O::Rule>>, norm: f32) -> Step<ClippedStep<O::Rule>> {
        match self.clip {
            Clip::Norm(limit) | Clip::GlobalNorm(limit) => {
                Step { rule: step.rule.scaled(norm, limit), ..step }
            }
            Clip::Value(_) => step,
        }
    }
}

impl<O: BaseOptimizer> Optimizer for Clipped<O> {
    type Rule = ClippedStep<O::Rule>;
    type Slots<P: Numbers> = O::Slots<P>;
    type RowSlots<const DIM: usize> = O::RowSlots<DIM>;
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = O::NAME;

    #[inline]
    fn rule(&self, number: u32) -> Self::Rule {
        let (most, each) = match self.clip {
            Clip::Value(most) => (most, self.keras3_duplicates),
            _ => (f32::INFINITY, false),
        };
        ClippedStep { rule: self.optimizer.rule(number), scale: 1.0, scaled: false, most, each }
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
        let (Clip::Norm(limit) | Clip::GlobalNorm(limit) | Clip::Value(limit)) = self.clip;
        OutOfRange::positive("clip", limit)
    }

    fn with_all_gradients(
        &self,
        step: Step<Self::Rule>,
        sum_of_squares: impl FnOnce(bool) -> f32,
    ) -> Step<Self::Rule> {
        match self.clip {
            Clip::GlobalNorm(limit) => Step {
                rule: step.rule.scaled(math::sqrt(sum_of_squares(self.keras3_duplicates)), limit),
                ..step
            },
            _ => step,
        }
    }

    fn step_rows(
        &self,
        step: Step<Self::Rule>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        _: &mut [u32],
        gradient: &mut SparseGradient<'_>,
    ) {
        let mut rule = step.rule;
        if let Clip::Norm(limit) = self.clip
            && !rule.scaled
        {
            let squares = shaped::sum_of_squares_of_rows(gradient, self.keras3_duplicates);
            rule = rule.scaled(math::sqrt(squares), limit);
        }
        shaped::update_rows(rule, table, slots, gradient);
    }

    fn step_block(&self, step: Step<Self::Rule>, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]) {
        let mut rule = step.rule;
        if let Clip::Norm(limit) = self.clip
            && !rule.scaled
        {
            rule = rule.scaled(math::sqrt(kernels::sum_of_squares(gradient)), limit);
        }
        shaped::update_block(rule, weights, gradient, slots);
    }
}

impl<O: BaseOptimizer + Replay<Step = <O as Optimizer>::Rule>> Replay for Clipped<O> {
    type Step = <Self as Optimizer>::Rule;
    const MOVES: Moves = O::MOVES;

    #[inline(always)]
    fn at_rest(&self, w: f32, state: &<Self::Step as UpdateRule>::State) -> bool {
        self.optimizer.at_rest(w, state)
    }

    fn decay(&self) -> <Self::Step as UpdateRule>::State {
        self.optimizer.decay()
    }
}

impl<O: BaseOptimizer + Summed<Step = <O as Optimizer>::Rule>> Summed for Clipped<O> {
    fn factors(&self) -> Factors {
        self.optimizer.factors()
    }

    #[inline]
    fn scalars(&self, number: u32, powers: [f64; 2]) -> [f64; 2] {
        self.optimizer.scalars(number, powers)
    }

    #[inline]
    fn lost(&self, number: u32) -> f64 {
        self.optimizer.lost(number)
    }

    #[inline(always)]
    fn distance(
        gap: &Gap<<Self::Step as UpdateRule>::State>,
        state: &<Self::Step as UpdateRule>::State,
    ) -> f32 {
        O::distance(gap, state)
    }
}
