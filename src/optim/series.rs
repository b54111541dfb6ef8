//! The exact sparse form of an optimizer by sums: one step a row in the place of all that it has missed.

use super::{Adam, Optimizer, OutOfRange, Step, inner_optimizer};
use crate::sparse::{Lagging, Replay, Rows, SparseGradient, Summed, lags, shaped};
use crate::table::{Numbers, TableMut};
use zerocopy::FromZeros;

/// The optimizer `O` with the dense update's effect on every row of a table, like [`Exact`](super::Exact),
/// but in one step a row, however many steps the row has missed.
///
/// Each row remembers the step at which it was last up to date. Before it is next read, the steps since then
/// are made up for by their sum, for which [`Summed`] has the formula: a root and a division a number, in the
/// place of as many a step. The moments decay by powers. There is a sum for [`Adam`],
/// [`AmsGrad`](super::AmsGrad) and [`Nadam`](super::Nadam), also with a schedule
/// ([`Scheduled`](super::Scheduled)), clipped ([`Clipped`](super::Clipped)), and with decoupled weight decay
/// ([`AdamW`](super::AdamW)). [`L2Decay`](super::L2Decay) has none, for it gives each row a gradient at each
/// step. Optimizers without a second moment replay a step by two operations, and those without momentum move
/// no row: they have [`Exact`](super::Exact).
///
/// # How exact it is
/// From one look at a row to the next, a weight differs from the dense recurrence in `f64` by at most 1e-6 of
/// the way that it went meanwhile (the sum of the lengths of its steps), and a unit in its last place. A
/// moment differs by at most 2e-7 of its size, and 1e-45 of the size that it had before. This holds where no
/// rate of the gap is above 2³⁰ times the first. It is closer than the dense form in `f32` is, which rounds
/// once a step, and so the weights do not have the bits of the dense form. They have the same bits on every
/// processor.
///
/// Gaps whose sum would be less exact are replayed with the bits of [`Exact`](super::Exact), at its cost:
/// `beta_2` of about 0.98 and below, but for gaps of a few steps; with
/// [`Epsilon::OutsideCorrectedRoot`](super::Epsilon::OutsideCorrectedRoot) the first hundreds of steps of a
/// training; a rate that jumps where moments have all but vanished; weights that decay by percents a step;
/// [`Epsilon::InsideRoot`](super::Epsilon::InsideRoot).
///
/// # When rows are looked at
/// A look in between, as by [`flush`](crate::train::Trainer::flush), divides a gap in two, whose sums are
/// rounded by themselves. So it makes a difference to the last bits how often rows are brought up to date.
/// Therefore [`resume`](crate::train::Trainer::resume) does not flush: training goes on with the bits of one
/// that never stopped, and evaluation asks for a `flush` before, as after single steps. The state is that of
/// [`Exact`](super::Exact), and each reads the checkpoints of the other.
///
/// # Cost
/// The weights and the state of a row are read and written once more than in the lazy form. In a table that
/// is far larger than the caches that is most of it, and a step of Adam takes about one and a half times as
/// long as a lazy one, whatever the gap; where rows stay in the caches, less. [`Summed`] tells what the sums
/// cost.
///
/// ```
/// use nanoembed::optim::{Adam, AdamSeries, Exact, Optimizer, Series};
/// use nanoembed::table::TableMut;
///
/// /// Where a row of one number is 100 steps after its only gradient.
/// fn after_100_steps(optimizer: &impl Optimizer) -> f32 {
///     let (mut row, mut slots, mut last_step) = ([[1.0]], [[0.1, 0.001]], [1]);
///     let (mut table, mut slots) = (TableMut::from_rows(&mut row), TableMut::from_rows(&mut slots));
///     optimizer.catch_up(101, 0..1, &mut table, &mut slots, &mut last_step).unwrap();
///     row[0][0]
/// }
///
/// let adam = Adam { learning_rate: 0.01, ..Adam::default() };
/// let by_sum: AdamSeries = Series(adam);
/// let (found, replayed) = (after_100_steps(&by_sum), after_100_steps(&Exact(adam)));
/// assert!(found < 0.96 && (found - replayed).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Series<O>(pub O);

/// Adam whose rows catch up by sums.
pub type AdamSeries = Series<Adam>;

impl<O: Optimizer + Summed<Step = <O as Optimizer>::Rule>> Optimizer for Series<O> {
    inner_optimizer!(O);
    type LastSteps<const ROWS: usize> = [u32; ROWS];
    const LOOKS_COUNT: bool = true;

    fn step_rows(
        &self,
        step: Step<Self::Rule>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        gradient: &mut SparseGradient<'_>,
    ) {
        let rows = gradient.occurrences.as_slice().iter().map(|occurrence| occurrence.row as usize);
        let before = step.number().saturating_sub(1);
        // Most callers have brought the rows up to date, and then one walk is enough.
        if !reach::<O>(step.number(), before, rows.clone(), last_steps) {
            self.replay(before, rows.clone(), table, slots, last_steps);
            reach::<O>(step.number(), before, rows, last_steps);
        }
        self.0.step_rows(step, table, slots, &mut [], gradient);
    }

    #[inline]
    fn replay(
        &self,
        until: u32,
        rows: impl Rows,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
    ) {
        let rule = |step| self.0.rule(step);
        let lagging = Lagging { table: table.reborrow(), slots: slots.reborrow(), last_steps };
        shaped::close_gaps(&self.0, rule, until, rows, lagging);
    }
}

/// Sets the last step of those rows to `number` that have no steps up to `before` to make up for. Whether these
/// are all of them.
fn reach<O: Replay>(number: u32, before: u32, rows: impl Rows, last_steps: &mut [u32]) -> bool {
    let mut all = true;
    for row in rows {
        let Some(last) = last_steps.get_mut(row) else { continue };
        if lags::<O>(*last, before) {
            all = false;
        } else {
            *last = number;
        }
    }
    all
}
