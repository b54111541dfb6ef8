//! Adagrad (Duchi, Hazan and Singer, 2011), with an accumulator for each number or for each row.

use super::{BaseOptimizer, Epsilon, Optimizer, OutOfRange};
use crate::math;
use crate::sparse::{Moves, Replay, UpdateRule};
use crate::table::Numbers;
use zerocopy::FromZeros;

/// Adagrad. With gradient g, at step t:
///
/// ```text
/// a += g²
/// w −= learning_rate / (1 + (t − 1) · learning_rate_decay) · g / √(initial_accumulator + a + epsilon)
/// ```
///
/// The slot holds what was accumulated above `initial_accumulator`, so that slots start at zero. A row that
/// does not occur stays as it is also in the dense form: there is nothing that [`Exact`](super::Exact) would
/// add.
///
/// | to get | write |
/// |---|---|
/// | Keras' `Adagrad()` on an embedding | [`Keras::new`](crate::keras::Keras::new)`(Adagrad::default())` |
/// | PyTorch's `Adagrad()` | `Adagrad { learning_rate: 0.01, initial_accumulator: 0.0, epsilon: Epsilon::OutsideRoot(1e-10), ..Adagrad::default() }` |
/// | PyTorch's `lr_decay=0.1` | `learning_rate_decay: 0.1` |
/// | PyTorch's `weight_decay=0.1` | [`L2Decay`](super::L2Decay) around it |
/// | FBGEMM's `EXACT_ADAGRAD` | `initial_accumulator: 0.0, epsilon: Epsilon::OutsideRoot(1e-8)` |
/// | GloVe | `learning_rate: 0.05, initial_accumulator: 1.0, epsilon: Epsilon::InsideRoot(0.0)` |
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Adagrad {
    /// Step size.
    pub learning_rate: f32,
    /// How fast the step size falls with the number of steps, 0 for not at all: PyTorch's `lr_decay`.
    pub learning_rate_decay: f32,
    /// What the accumulator starts from; not negative.
    pub initial_accumulator: f32,
    /// Keeps the denominator from 0; greater than 0 unless `initial_accumulator` is.
    pub epsilon: Epsilon,
    /// As in [`Adam`](super::Adam).
    pub keras3_duplicates: bool,
}

impl Default for Adagrad {
    /// Keras' defaults: 0.001, accumulators from 0.1, 1e-7 inside the root.
    fn default() -> Self {
        Self {
            learning_rate: 0.001,
            learning_rate_decay: 0.0,
            initial_accumulator: 0.1,
            epsilon: Epsilon::InsideRoot(1e-7),
            keras3_duplicates: false,
        }
    }
}

/// One step of [`Adagrad`].
#[derive(Clone, Copy, Debug)]
pub struct AdagradStep {
    rate: f32,
    inside: f32,
    outside: f32,
    keras3_duplicates: bool,
}

impl UpdateRule for AdagradStep {
    type State = [f32; 1];

    #[inline(always)]
    fn keras3_duplicates(&self) -> bool {
        self.keras3_duplicates
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, square: f32, [a]: &mut [f32; 1]) -> f32 {
        *a += square;
        w - self.rate * g / (math::sqrt(*a + self.inside) + self.outside)
    }
}

impl Optimizer for Adagrad {
    type Rule = AdagradStep;
    type Slots<P: Numbers> = P;
    type RowSlots<const DIM: usize> = [f32; DIM];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "adagrad";

    #[inline]
    fn rule(&self, number: u32) -> AdagradStep {
        let [inside, outside] = self.epsilon.terms(1.0);
        AdagradStep {
            rate: self.learning_rate(number),
            inside: self.initial_accumulator + inside,
            outside,
            keras3_duplicates: self.keras3_duplicates,
        }
    }

    fn learning_rate(&self, number: u32) -> f32 {
        self.learning_rate / (1.0 + number.saturating_sub(1) as f32 * self.learning_rate_decay)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("learning_rate", self.learning_rate)?;
        OutOfRange::non_negative("learning_rate_decay", self.learning_rate_decay)?;
        OutOfRange::non_negative("initial_accumulator", self.initial_accumulator)?;
        OutOfRange::non_negative("epsilon", self.epsilon.value())?;
        OutOfRange::positive("initial_accumulator + epsilon", self.initial_accumulator + self.epsilon.value())
    }
}

impl BaseOptimizer for Adagrad {}

impl Replay for Adagrad {
    type Step = AdagradStep;
    const MOVES: Moves = Moves::Nothing;

    fn decay(&self) -> [f32; 1] {
        [1.0]
    }
}

/// Row-wise Adagrad, FBGEMM's `EXACT_ROWWISE_ADAGRAD`: [`Adagrad`] with one accumulator a row, so that its
/// state is `DIM` times smaller.
///
/// ```text
/// a += (Σⱼ gⱼ²) / DIM
/// w −= learning_rate · g / (√a + epsilon)
/// ```
///
/// The mean is summed over sixteen lanes. A variable that is no table (kernel, bias) keeps one accumulator
/// for all its numbers.
///
/// | to get | write |
/// |---|---|
/// | FBGEMM's `EXACT_ROWWISE_ADAGRAD` | `RowwiseAdagrad::default()` |
/// | its weight decay (L2) | [`L2Decay`](super::L2Decay) around it |
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct RowwiseAdagrad {
    /// Step size.
    pub learning_rate: f32,
    /// What the accumulator starts from; not negative. The slot holds what was accumulated above it.
    pub initial_accumulator: f32,
    /// Keeps the denominator from 0; greater than 0 unless `initial_accumulator` is.
    pub epsilon: Epsilon,
}

impl Default for RowwiseAdagrad {
    /// The defaults of FBGEMM's table-batched embeddings: 0.01, accumulators from 0, 1e-8 outside the root.
    fn default() -> Self {
        Self { learning_rate: 0.01, initial_accumulator: 0.0, epsilon: Epsilon::OutsideRoot(1e-8) }
    }
}

/// One step of [`RowwiseAdagrad`] on a row.
#[derive(Clone, Copy, Debug)]
pub struct RowwiseAdagradStep {
    rate: f32,
    inside: f32,
    outside: f32,
}

impl UpdateRule for RowwiseAdagradStep {
    type State = [f32; 0];
    const ROW_STATE: usize = 1;

    #[inline(always)]
    fn of_row(self, mean_square: f32, state: &mut [f32]) -> Self {
        let Some(a) = state.first_mut() else { return self };
        *a += mean_square;
        Self { rate: self.rate / (math::sqrt(*a + self.inside) + self.outside), ..self }
    }

    #[inline(always)]
    fn apply(&self, w: f32, g: f32, _: f32, []: &mut [f32; 0]) -> f32 {
        w - self.rate * g
    }
}

impl Optimizer for RowwiseAdagrad {
    type Rule = RowwiseAdagradStep;
    type Slots<P: Numbers> = [f32; 1];
    type RowSlots<const DIM: usize> = [f32; 1];
    type LastSteps<const ROWS: usize> = [u32; 0];
    const NAME: &'static str = "rowwise_adagrad";

    #[inline]
    fn rule(&self, _: u32) -> RowwiseAdagradStep {
        let [inside, outside] = self.epsilon.terms(1.0);
        RowwiseAdagradStep { rate: self.learning_rate, inside: self.initial_accumulator + inside, outside }
    }

    fn learning_rate(&self, _: u32) -> f32 {
        self.learning_rate
    }

    fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::non_negative("learning_rate", self.learning_rate)?;
        OutOfRange::non_negative("initial_accumulator", self.initial_accumulator)?;
        OutOfRange::non_negative("epsilon", self.epsilon.value())?;
        OutOfRange::positive("initial_accumulator + epsilon", self.initial_accumulator + self.epsilon.value())
    }
}

impl BaseOptimizer for RowwiseAdagrad {}

impl Replay for RowwiseAdagrad {
    type Step = RowwiseAdagradStep;
    const MOVES: Moves = Moves::Nothing;

    fn decay(&self) -> [f32; 0] {
        []
    }
}
