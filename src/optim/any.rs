//! An optimizer as a value, for parameters whose sizes are known only at run time.

use super::{Optimizer, OutOfRange, Step, assert_slots_fit, keeps_last_steps};
use crate::sparse::{Occurrence, SparseGradient, UpdateRule};
use crate::table::TableMut;
use core::iter::FusedIterator;
use core::ops::Range;
use core::slice;
use erased::{Erased, Gradients};

/// An optimizer as a value: every [`Optimizer`], seen as `&dyn AnyOptimizer`.
///
/// An [`Optimizer`] is a type, and so is the state that it keeps. Where sizes are values, so are the lengths
/// of the state here, and the caller brings slices of zeros of these lengths. Steps have the bits of the
/// optimizer itself.
///
/// ```
/// use nanoembed::optim::{Adam, AnyOptimizer, Clip, Clipped, Exact, Sgd};
///
/// /// A step on three numbers; gives them, and the length of the state.
/// fn first_step(optimizer: &dyn AnyOptimizer) -> ([f32; 3], usize) {
///     let (mut weights, mut gradient) = ([1.0; 3], [0.0, 3.0, -4.0]);
///     let mut slots = vec![0.0; optimizer.block_slots(weights.len())];
///     optimizer.take_step(
///         1,
///         &mut gradient,
///         |gradient, _| gradient.iter().map(|g| g * g).sum(),
///         |gradient, step| step.step_block(&mut weights, gradient, &mut slots),
///     );
///     (weights, slots.len())
/// }
///
/// let optimizer = Sgd { learning_rate: 1.0 };
/// let clip = Clip::GlobalNorm(2.5);
/// assert_eq!(first_step(&optimizer), ([1.0, -2.0, 5.0], 0));
/// assert_eq!(first_step(&Clipped { optimizer, clip, keras3_duplicates: false }), ([1.0, -0.5, 3.0], 0));
///
/// let exact: &dyn AnyOptimizer = &Exact(Adam::default());
/// assert_eq!((exact.name(), exact.row_slots(8), exact.keeps_last_steps()), ("adam", 16, true));
/// assert_eq!(first_step(exact).1, 6);
/// ```
///
/// Its methods are those of `dyn AnyOptimizer` alone, so that they stand beside the optimizer's own of the
/// same names.
pub trait AnyOptimizer: Erased {}

impl<O: Optimizer> AnyOptimizer for O {}

impl dyn AnyOptimizer + '_ {
    /// Its name, as in Keras: [`Optimizer::NAME`].
    pub fn name(&self) -> &'static str {
        self.erased_name()
    }

    /// Whether the hyperparameters are in their ranges: [`Optimizer::check`].
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), OutOfRange> {
        self.erased_check()
    }

    /// The learning rate of step `number`, counted from 1.
    pub fn learning_rate(&self, number: u32) -> f32 {
        self.erased_learning_rate(number)
    }

    /// How many numbers of state it keeps for a kernel or bias of so many numbers; zeros before the first
    /// step. The state is that of [`Optimizer::Slots`], number by number.
    pub fn block_slots(&self, numbers: usize) -> usize {
        self.erased_slots(numbers)
    }

    /// How many numbers of state it keeps for a table row of `dim` numbers; zeros before the first step. The
    /// state is that of [`Optimizer::RowSlots`], number by number.
    pub fn row_slots(&self, dim: usize) -> usize {
        self.erased_slots(dim)
    }

    /// Whether it keeps, for each row of a table, the step at which the row was last brought up to date: in
    /// exact forms. They are 0 before the first step.
    pub fn keeps_last_steps(&self) -> bool {
        self.erased_keeps_last_steps()
    }

    /// Whether rows that do not occur wait for their steps: [`Optimizer::LAGS`]. Then
    /// `replay` comes before rows are read.
    pub fn lags(&self) -> bool {
        self.erased_lags()
    }

    /// Whether it makes a difference to the bits of what is learnt how often rows are brought up to date:
    /// [`Optimizer::LOOKS_COUNT`].
    pub fn looks_count(&self) -> bool {
        self.erased_looks_count()
    }

    /// Takes step `number`, counted from 1, on all that has a gradient.
    ///
    /// `gradients` is what the two closures work on. If the step depends on the norm of all gradients
    /// ([`Clip::GlobalNorm`](super::Clip::GlobalNorm)), the first is called once and gives the sum of their
    /// squares; its second argument says whether repeated rows enter by the sum of their squares. Then the
    /// second closure is called once, with the step, whose scalars are computed. It takes the step on each
    /// block and each table.
    pub fn take_step<G: ?Sized>(
        &self,
        number: u32,
        gradients: &mut G,
        sum_of_squares: impl FnMut(&mut G, bool) -> f32,
        step: impl FnMut(&mut G, &dyn TakesStep),
    ) {
        self.erased_take_step(number, &mut With { gradients, sum_of_squares, step });
    }

    /// Exact forms: brings the weights of `rows` to where the dense update has them after step `until`,
    /// before they are read. Lazy forms do nothing.
    ///
    /// # Shapes
    /// `table` `[rows, dim]`, `slots` `[rows, row_slots(dim)]`, `last_steps` `[rows]`, empty in lazy forms.
    /// The caller has checked them: a debug build asserts them, otherwise nothing is done where they
    /// disagree. Rows that the table lacks are passed over.
    pub fn replay(
        &self,
        until: u32,
        rows: NamedRows<'_>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
    ) {
        self.erased_replay(until, rows, table, slots, last_steps);
    }
}

/// A step of an optimizer, its scalars computed: what [`take_step`](trait.AnyOptimizer.html#method.take_step)
/// hands out.
///
/// The caller has checked the shapes. A debug build asserts them; otherwise nothing is done where they
/// disagree.
pub trait TakesStep {
    /// The step on a variable with a gradient for each of its numbers.
    ///
    /// # Shapes
    /// `weights` and `gradient` `[n]`, `slots` `[block_slots(n)]`.
    fn step_block(&self, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]);

    /// The step on the rows of a table that have a gradient.
    ///
    /// # Shapes
    /// `table` `[rows, dim]`, `slots` `[rows, row_slots(dim)]`, `last_steps` `[rows]`, empty in lazy forms.
    /// The gradients are `[sources, dim]`.
    fn step_rows(
        &self,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        gradient: &mut SparseGradient<'_>,
    );
}

/// Rows of a table, by number, for [`replay`](trait.AnyOptimizer.html#method.replay): all, or those of
/// occurrences, with or without those that are frozen.
///
/// ```
/// use nanoembed::{optim::NamedRows, sparse::Occurrence};
/// let frozen = [0b0100_u32]; // a bit a row: row 2
/// assert!(NamedRows::all(4).without(&frozen).eq([0, 1, 3]));
/// let list = [7, 2, 7].map(|row| Occurrence { row, source: 0 });
/// assert!(NamedRows::of(&list).eq([7, 2, 7]));
/// assert!(NamedRows::of(&list).without(&frozen).eq([7, 7]));
/// ```
#[derive(Clone, Debug)]
pub struct NamedRows<'a> {
    rows: Source<'a>,
    without: &'a [u32],
}

/// Where row numbers come from.
#[derive(Clone, Debug)]
enum Source<'a> {
    All(Range<usize>),
    Occurrences(slice::Iter<'a, Occurrence>),
}

impl<'a> NamedRows<'a> {
    /// Rows `0..rows`.
    pub fn all(rows: usize) -> Self {
        Self { rows: Source::All(0..rows), without: &[] }
    }

    /// The rows that occur, in this order; a row that occurs several times is named as often.
    pub fn of(occurrences: &'a [Occurrence]) -> Self {
        Self { rows: Source::Occurrences(occurrences.iter()), without: &[] }
    }

    /// The same without the rows whose bit is set, in the place of those left out before: row r has bit
    /// r % 32 of number r / 32. Rows that have no bit stay.
    #[must_use]
    pub fn without(self, bits: &'a [u32]) -> Self {
        Self { without: bits, ..self }
    }
}

impl Iterator for NamedRows<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let without = self.without;
        let is_named = |row: &usize| !has_bit(without, *row);
        match &mut self.rows {
            Source::All(rows) => rows.find(is_named),
            Source::Occurrences(list) => list.map(|occurrence| occurrence.row as usize).find(is_named),
        }
    }
}

impl FusedIterator for NamedRows<'_> {}

/// Whether the bit of a row is set, 32 rows a number.
pub(crate) fn has_bit(bits: &[u32], row: usize) -> bool {
    bits.get(row / 32).is_some_and(|word| word >> (row % 32) & 1 == 1)
}

/// What [`AnyOptimizer`] is made of. Its names are not those of [`Optimizer`], so that an optimizer's own
/// methods are found where both traits are in scope.
mod erased {
    use super::{NamedRows, OutOfRange, TableMut, TakesStep};

    pub trait Erased {
        fn erased_name(&self) -> &'static str;
        fn erased_check(&self) -> Result<(), OutOfRange>;
        fn erased_learning_rate(&self, number: u32) -> f32;
        fn erased_slots(&self, numbers: usize) -> usize;
        fn erased_keeps_last_steps(&self) -> bool;
        fn erased_lags(&self) -> bool;
        fn erased_looks_count(&self) -> bool;
        fn erased_take_step(&self, number: u32, gradients: &mut dyn Gradients);
        fn erased_replay(
            &self,
            until: u32,
            rows: NamedRows<'_>,
            table: &mut TableMut<'_>,
            slots: &mut TableMut<'_>,
            last_steps: &mut [u32],
        );
    }

    /// All that has a gradient.
    pub trait Gradients {
        fn sum_of_squares(&mut self, keras3_duplicates: bool) -> f32;
        fn step(&mut self, step: &dyn TakesStep);
    }
}

impl<O: Optimizer> Erased for O {
    fn erased_name(&self) -> &'static str {
        O::NAME
    }

    fn erased_check(&self) -> Result<(), OutOfRange> {
        self.check()
    }

    fn erased_learning_rate(&self, number: u32) -> f32 {
        self.learning_rate(number)
    }

    fn erased_slots(&self, numbers: usize) -> usize {
        const { assert_slots_fit::<O>() }
        O::Rule::slots(numbers)
    }

    fn erased_keeps_last_steps(&self) -> bool {
        keeps_last_steps::<O>()
    }

    fn erased_lags(&self) -> bool {
        O::LAGS
    }

    fn erased_looks_count(&self) -> bool {
        O::LOOKS_COUNT
    }

    fn erased_take_step(&self, number: u32, gradients: &mut dyn Gradients) {
        let all = |keras3_duplicates| gradients.sum_of_squares(keras3_duplicates);
        let step = self.with_all_gradients(self.step(number), all);
        gradients.step(&OneStep { optimizer: self, step });
    }

    fn erased_replay(
        &self,
        until: u32,
        rows: NamedRows<'_>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
    ) {
        self.replay(until, rows, table, slots, last_steps);
    }
}

/// A step of the optimizer `O`.
struct OneStep<'a, O: Optimizer> {
    optimizer: &'a O,
    step: Step<O::Rule>,
}

impl<O: Optimizer> TakesStep for OneStep<'_, O> {
    fn step_block(&self, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]) {
        self.optimizer.step_block(self.step, weights, gradient, slots);
    }

    fn step_rows(
        &self,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        gradient: &mut SparseGradient<'_>,
    ) {
        self.optimizer.step_rows(self.step, table, slots, last_steps, gradient);
    }
}

/// Gradients of any kind, with what is done with them.
struct With<'a, G: ?Sized, S, P> {
    gradients: &'a mut G,
    sum_of_squares: S,
    step: P,
}

impl<G: ?Sized, S: FnMut(&mut G, bool) -> f32, P: FnMut(&mut G, &dyn TakesStep)> Gradients
    for With<'_, G, S, P>
{
    fn sum_of_squares(&mut self, keras3_duplicates: bool) -> f32 {
        (self.sum_of_squares)(self.gradients, keras3_duplicates)
    }

    fn step(&mut self, step: &dyn TakesStep) {
        (self.step)(self.gradients, step);
    }
}
