//! Steps without a gradient, made up for when a row is next read.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`catch_up_rows`].

use super::{State, UpdateRule};
use crate::error::ShapeMismatch;
use crate::kernels::{Columns, column_blocks, worth_prefetching};
use crate::simd::{Lanes, PREFETCHES, prefetch, simd_fn};
use crate::table::TableMut;
use core::mem;

/// Which rows an optimizer's dense form moves in a step in which they have no gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// None.
    Nothing,
    /// Rows that had a gradient before: by their momentum.
    Touched,
    /// All: their weights decay.
    Every,
}

/// An optimizer that knows what its dense form does to a row in steps in which the row has no gradient.
pub trait Replay {
    /// One of its steps.
    type Step: UpdateRule;

    /// Which rows move.
    const MOVES: Moves;

    /// Whether no step from now on can move the weight, which is not NaN, while its gradient is zero.
    #[inline(always)]
    fn at_rest(&self, weight: f32, state: &<Self::Step as UpdateRule>::State) -> bool {
        let _ = (weight, state);
        matches!(Self::MOVES, Moves::Nothing)
    }

    /// What a step without a gradient multiplies the state by.
    fn decay(&self) -> <Self::Step as UpdateRule>::State;
}

/// A table whose rows may lag behind, with their state and the step at which each was last up to date.
#[derive(Debug)]
pub struct Lagging<'a> {
    /// The weights, `[rows, dim]`.
    pub table: TableMut<'a>,
    /// The state, `[rows, slots(dim)]`.
    pub slots: TableMut<'a>,
    /// The steps, `[rows]`.
    pub last_steps: &'a mut [u32],
}

/// Whether the shapes of a table that may lag agree.
pub(crate) fn check_lagging<R: UpdateRule>(
    table: &TableMut<'_>,
    slots: &TableMut<'_>,
    last_steps: &[u32],
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of slots", table.rows(), slots.rows())?;
    ShapeMismatch::check("dim of slots", R::slots(table.dim()), slots.dim())?;
    ShapeMismatch::check("rows of last steps", table.rows(), last_steps.len())
}

/// Row numbers that can be read more than once: to work on, and to look ahead.
pub trait Rows: Iterator<Item = usize> + Clone {}

impl<I: Iterator<Item = usize> + Clone> Rows for I {}

simd_fn! {
    /// Brings the weights of rows to where the dense form has them after step `until`, and the last steps of
    /// the rows to the last step that was replayed: that one, or the one before the row came to rest. Rows
    /// that the table lacks are passed over.
    ///
    /// `rule` gives the rule of a step.
    ///
    /// # Errors
    /// If `slots` or `last_steps` has another number of rows than `table`, or `slots` another dim than the
    /// rule keeps. Nothing has been written then.
    ///
    /// # How it is computed
    /// A dense optimizer with momentum moves every row at every step. The exact form leaves a row alone until
    /// it is needed and then replays what the row has missed:
    ///
    /// ```text
    /// for each row, once:
    ///     for τ = last + 1 ..= until:
    ///         if τ % 8 = 0 and no later step can move a weight of the row:  stop, the row rests
    ///         rule(τ)(weights, gradient 0, slots)                            the very expressions of the dense form
    ///         last = τ
    /// ```
    ///
    /// The weights get the bits of the dense form, however long the gap. Of a row that rests nothing changes
    /// but its slots, which no one reads until its next gradient; they then decay over all steps since `last`
    /// at once. So it makes no difference how often a row is caught up in between. Rest is looked for at
    /// every eighth step, which its number fixes.
    ///
    /// Deviations:
    ///
    /// - The scalars of a step (for Adam two powers) take longer to compute than a row of 64 numbers to
    ///   replay. Those of the last 256 steps, 32 on small processors, are computed when the first row needs
    ///   them, and kept for the other rows.
    /// - The columns are taken in blocks of 64, 32, 16, 8, 4 and 1, each through all steps up to the next
    ///   look for rest.
    /// - In tables above the size of the near caches the last step of a row is asked for sixteen rows ahead.
    ///   Rows that have steps to make up for are taken in groups of eight, and those of a group are asked for
    ///   before the group before it is worked on. A request for a page whose address is not at hand waits for
    ///   it, and so does all that stands after it, but the requests of a group wait together. Also, what is
    ///   found out about the rows does not wait for their numbers.
    /// - Rest is tested on sixteen numbers at once, and the first that move end the test.
    ///
    /// # Cost
    /// A replayed step of a row takes one division and one square root a number for Adam, whose throughput is
    /// the limit, from the cache. There are at most as many steps as it takes the row to come to rest. Rows
    /// that never had a gradient cost nothing, unless the weights decay.
    pub fn catch_up_rows, catch_up_rows_at[O: Replay, F: Fn(u32) -> O::Step, I: Rows](
        optimizer: &O, rule: F, until: u32, rows: I, lagging: Lagging<'_>
    ) -> Result<(), ShapeMismatch>
        where {
            check_lagging::<O::Step>(&lagging.table, &lagging.slots, lagging.last_steps)
        } = catch_up_rows_loops;

    /// Makes the state of rows that are caught up ready for a gradient in step `step`: the slots of those
    /// that rest decay over the steps that they missed, and the last step of each becomes `step`.
    ///
    /// Up to 64 steps are multiplied one by one, more at once by a power.
    ///
    /// # Errors
    /// If `slots` and `last_steps` have different numbers of rows. Nothing has been written then.
    ///
    /// # Cost
    /// [`catch_up_rows`] tells how it is computed and what it costs.
    pub fn decay_rows, decay_rows_at[O: Replay, I: Rows](
        optimizer: &O, step: u32, rows: I, slots: &mut TableMut<'_>, last_steps: &mut [u32]
    ) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("rows of last steps", slots.rows(), last_steps.len()) } = decay_rows_loops;
}

/// How many of the last steps, or of the gaps that they end, have their scalars kept: some KB of stack where there is much.
pub(super) const RECENT: usize = if usize::BITS >= 64 { 256 } else { 32 };
/// Every which step rest is looked for.
const REST: u32 = 8;
/// Up to how many steps decay one by one.
const ONE_BY_ONE: u32 = 64;
/// How many rows are asked for at once, while as many are worked on.
const GROUP: usize = if PREFETCHES { 8 } else { 1 };
/// How many rows ahead a last step is asked for.
const AHEAD: usize = if PREFETCHES { 16 } else { 1 };

/// The rules of the steps up to `until`; the last ones are kept.
pub(super) struct Rules<R, F> {
    rule: F,
    until: u32,
    kept: [Option<R>; RECENT],
}

impl<R: Copy, F: Fn(u32) -> R> Rules<R, F> {
    pub(super) fn new(rule: F, until: u32) -> Self {
        Self { rule, until, kept: [const { None }; RECENT] }
    }

    #[inline(always)]
    fn of(&mut self, step: u32) -> R {
        match self.kept.get_mut(self.until.wrapping_sub(step) as usize) {
            Some(Some(rule)) => *rule,
            Some(kept) => *kept.insert((self.rule)(step)),
            None => (self.rule)(step),
        }
    }
}

#[inline(always)]
fn catch_up_rows_loops<L: Lanes, O: Replay, F: Fn(u32) -> O::Step, I: Rows>(
    _: L,
    optimizer: &O,
    rule: F,
    until: u32,
    rows: I,
    lagging: Lagging<'_>,
) {
    if O::MOVES == Moves::Nothing {
        return;
    }
    let mut rules = Rules::new(rule, until);
    each_lagging_row::<O, _>(
        until,
        rows,
        lagging,
        #[inline(always)]
        |last, weights, slots| replay_row::<L, O, F>(optimizer, &mut rules, until, last, weights, slots),
    );
}

/// Whether a row that was up to date at step `last` has steps up to `until` to make up for.
#[inline(always)]
pub(crate) fn lags<O: Replay>(last: u32, until: u32) -> bool {
    last < until && (last > 0 || matches!(O::MOVES, Moves::Every))
}

/// `work(last step, weights, slots)` on each row that has steps up to `until` to make up for, group by group.
#[inline(always)]
pub(super) fn each_lagging_row<O: Replay, I: Rows>(
    until: u32,
    rows: I,
    lagging: Lagging<'_>,
    mut work: impl FnMut(&mut u32, &mut [f32], &mut [f32]),
) {
    let Lagging { mut table, mut slots, last_steps } = lagging;
    let prefetches = worth_prefetching(table.as_table());
    let mut rows = rows.fuse();
    let (mut coming, mut place) = ([None; AHEAD], 0_usize);
    let (mut next_group, mut count, mut group) = ([None; GROUP], 0, [None; GROUP]);
    // After the last row, those that are still coming, and two groups.
    let mut left = AHEAD + 2;
    loop {
        let entering = rows.next();
        match entering {
            Some(row) if prefetches => prefetch(last_steps, row, 1),
            None if left == 0 => break,
            None => left -= 1,
            _ => {}
        }
        let row = coming.get_mut(place % AHEAD).and_then(|next| mem::replace(next, entering));
        place = place.wrapping_add(1);
        if let Some(row) = row
            && let Some(last) = last_steps.get_mut(row)
            && lags::<O>(*last, until)
            && let Some(next) = next_group.get_mut(count)
        {
            // Until it is worked on, it is passed over if it comes again.
            *next = Some((row, mem::replace(last, until)));
            count += 1;
        }
        if count < GROUP && left >= 2 {
            continue;
        }
        count = 0;
        if prefetches {
            for (row, _) in next_group.iter().flatten() {
                Columns::new(table.as_table(), 0).prefetch(table.dim(), Some(*row));
                Columns::new(slots.as_table(), 0).prefetch(slots.dim(), Some(*row));
            }
        }
        let asked_for = mem::replace(&mut group, mem::take(&mut next_group));
        for (row, mut last) in asked_for.into_iter().flatten() {
            let (Some(weights), Some(slots)) = (table.row_mut(row), slots.row_mut(row)) else { continue };
            work(&mut last, weights, slots);
            if let Some(kept) = last_steps.get_mut(row) {
                *kept = last;
            }
        }
    }
}

/// The steps after `last` up to `until`, or up to where the row comes to rest.
#[inline(always)]
pub(super) fn replay_row<L: Lanes, O: Replay, F: Fn(u32) -> O::Step>(
    optimizer: &O,
    rules: &mut Rules<O::Step, F>,
    until: u32,
    last: &mut u32,
    weights: &mut [f32],
    slots: &mut [f32],
) {
    while *last < until {
        let first = *last + 1;
        let rests = |w: f32, state: &_| w.is_nan() | optimizer.at_rest(w, state);
        if first.is_multiple_of(REST) && State::all(weights, slots, rests) {
            break;
        }
        let before_next_look = first | (REST - 1);
        *last = if before_next_look < until { before_next_look } else { until };
        let dim = weights.len();
        let mut steps = [const { None }; REST as usize];
        for (kept, step) in steps.iter_mut().zip(first..=*last) {
            *kept = Some(rules.of(step));
        }
        column_blocks!(L, as_chunks_mut(&mut *weights), |block, column| {
            let rules = steps.iter().flatten().copied();
            State::each_of_block(block, slots, dim, column, rules, |rule: &O::Step, w, state| {
                rule.apply(w, 0.0, 0.0, state)
            });
        });
    }
}

#[inline(always)]
fn decay_rows_loops<L: Lanes, O: Replay, I: Rows>(
    _: L,
    optimizer: &O,
    step: u32,
    rows: I,
    slots: &mut TableMut<'_>,
    last_steps: &mut [u32],
) {
    let before = step.saturating_sub(1);
    let numbers = slots.dim().saturating_sub(O::Step::ROW_STATE);
    for row in rows {
        let (Some(last), Some(slots)) = (last_steps.get_mut(row), slots.row_mut(row)) else { continue };
        // What never had a gradient has no state.
        let rested = if *last > 0 { before.saturating_sub(*last) } else { 0 };
        *last = step;
        if rested > 0 {
            optimizer.decay().decay(rested, ONE_BY_ONE, slots.get_mut(..numbers).unwrap_or_default());
        }
    }
}

/// Whether subtracting a number of this size from `weight` gives `weight` back: below a quarter of its unit
/// in the last place, which is half the distance to its smaller neighbour even at a power of two.
#[inline(always)]
pub fn leaves_unmoved(weight: f32, size: f32) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    const QUARTER_ULP_OF_ONE: f32 = 1.0 / (1_u32 << 25) as f32;
    let power = f32::from_bits(weight.to_bits() & EXPONENT);
    // Without a branch, so that many are compared at once.
    (size == 0.0) | (size.abs() < power * QUARTER_ULP_OF_ONE)
}
