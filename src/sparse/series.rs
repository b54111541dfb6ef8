//! Steps without a gradient, made up for by their sum when a row is next read.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`close_gaps`].

use super::catch_up::{Lagging, Rows, Rules, check_lagging, each_lagging_row, replay_row};
use super::gap::{Gap, Gaps, StateOf, powers};
use super::{Moves, State, Summed};
use crate::error::ShapeMismatch;
use crate::kernels::column_blocks;
use crate::simd::{LANES, Lanes, simd_fn};
use core::iter;

simd_fn! {
    /// Brings the weights and the state of rows to where the dense form has them after step `until`, up to
    /// rounding, and the last steps of the rows to `until`. Rows that the table lacks are passed over.
    ///
    /// `rule` gives the rule of a step.
    ///
    /// # Errors
    /// If `slots` or `last_steps` has another number of rows than `table`, or `slots` another dim than the
    /// rule keeps. Nothing has been written then.
    ///
    /// # How it is computed
    /// ```text
    /// for each row, once:
    ///     gap = the sums of steps last + 1 ..= until              the same for all columns
    ///     weights −= lost · weights + distance(gap, slots)
    ///     slots   *= decay
    ///     last     = until
    /// ```
    ///
    /// [`Summed`] has the formula. A gap without a sum is replayed as by
    /// [`Exact`](crate::optim::Exact), and its state then decays by a power. The rows with such gaps come last,
    /// in a loop of their own, for the two loops in one would not find room in the registers.
    ///
    /// # Cost
    /// A root, a division and some twenty multiplications and additions a number for Adam. Weights and slots
    /// of the row are read and written once.
    pub fn close_gaps, close_gaps_at[O: Summed, F: Fn(u32) -> O::Step, I: Rows](
        optimizer: &O, rule: F, until: u32, rows: I, lagging: Lagging<'_>
    ) -> Result<(), ShapeMismatch>
        where {
            check_lagging::<O::Step>(&lagging.table, &lagging.slots, lagging.last_steps)
        } = close_gaps_loops;
}

#[inline(always)]
fn close_gaps_loops<L: Lanes, O: Summed, F: Fn(u32) -> O::Step, I: Rows>(
    _: L,
    optimizer: &O,
    rule: F,
    until: u32,
    rows: I,
    lagging: Lagging<'_>,
) {
    let Lagging { mut table, mut slots, last_steps } = lagging;
    let mut gaps = Gaps::new(optimizer, until);
    let mut all_have_sums = true;
    each_lagging_row::<O, _>(
        until,
        rows.clone(),
        Lagging { table: table.reborrow(), slots: slots.reborrow(), last_steps },
        #[inline(always)]
        |last, weights, slots| {
            if let Some(gap) = gaps.after(*last) {
                close::<L, O>(gap, weights, slots);
                *last = until;
            } else {
                all_have_sums = false;
            }
        },
    );
    if all_have_sums {
        return;
    }
    let mut rules = Rules::new(rule, until);
    each_lagging_row::<O, _>(
        until,
        rows,
        Lagging { table, slots, last_steps },
        #[inline(always)]
        |last, weights, slots| {
            replay_row::<L, O, F>(optimizer, &mut rules, until, last, weights, slots);
            let rested = until.saturating_sub(*last);
            if rested > 0 {
                powers(optimizer.decay(), rested).decay(1, 1, slots);
            }
            *last = until;
        },
    );
}

/// How wide a block is whose numbers lie in registers beside those of a gap.
trait BesideGap {
    const MAX_BLOCK: usize;
}

impl<L: Lanes> BesideGap for L {
    const MAX_BLOCK: usize =
        if L::ACCUMULATORS < 8 && <L as Lanes>::MAX_BLOCK > LANES { LANES } else { <L as Lanes>::MAX_BLOCK };
}

#[inline(always)]
fn close<B: BesideGap, O: Summed>(gap: &Gap<StateOf<O>>, weights: &mut [f32], slots: &mut [f32]) {
    let dim = weights.len();
    column_blocks!(B, as_chunks_mut(weights), |block, column| {
        State::each_of_block(block, slots, dim, column, iter::once(gap), |gap: &&Gap<_>, w, state| {
            let distance = O::distance(gap, state);
            *state = state.zip_with(gap.decay, |x, decay| x * decay);
            if matches!(O::MOVES, Moves::Every) { w - (w * gap.lost + distance) } else { w - distance }
        });
    });
}
