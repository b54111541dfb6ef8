//! The exact sparse form of an optimizer: equal to its dense form, at the cost of the touched rows.

use super::{Adam, Momentum, Optimizer, Step};
use crate::error::ShapeMismatch;
use crate::kernels::{self, Replay, Touched};
use crate::table::{Numbers, TableMut};
use zerocopy::FromZeros;

/// The optimizer `O` with the dense update's effect on every row of a table.
///
/// Each row remembers the step at which it was last up to date and, before it is next read, replays the steps that it missed,
/// with the very expressions of the dense form: its weights are bit-equal to those of a dense update of the whole table. The
/// replay ends when the row has come to rest, when no step can move a weight any more (with Adam's defaults after some hundred
/// steps). At its next gradient its moments decay by powers, equal to the dense ones within 2e-5 relative as long as they are
/// normal numbers, so that from there on weights agree with the dense ones closely (1.2e-4 of a step in the tests), but not by
/// bits. Rows that never had a gradient stay as they are, as they do in the dense form.
///
/// A row costs a step of its own for each step that it missed, up to rest: rows that come back within a few steps cost little
/// more than in the lazy form, rows that come back after hundreds cost hundreds of steps.
///
/// A row that has not caught up is not where the dense form has it: the trainer catches up the rows of a batch before it reads
/// them, and all rows at the end of an epoch. How often rows are caught up changes no bit of what is learnt.
///
/// ```
/// use nanoembed::optim::{Adam, AdamExact, Exact};
/// // Keras' Adam(0.01), on an embedding too.
/// let adam: AdamExact = Exact(Adam { learning_rate: 0.01, keras3_duplicates: true, ..Adam::default() });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Exact<O>(pub O);

/// Adam as Keras applies it to an embedding: moments of rows that do not occur decay and go on moving them.
pub type AdamExact = Exact<Adam>;
/// Momentum as Keras applies it to an embedding: the velocity of rows that do not occur goes on moving them.
pub type MomentumExact = Exact<Momentum>;

impl<O: Optimizer + Replay> Optimizer for Exact<O> {
    type Rule = O::Rule;
    type Slots<P: Numbers> = O::Slots<P>;
    type RowSlots<const DIM: usize> = O::RowSlots<DIM>;
    type LastSteps<const ROWS: usize> = [u32; ROWS];
    const NAME: &'static str = O::NAME;
    const INITIAL_SLOT: f32 = O::INITIAL_SLOT;

    fn rule(&self, number: u32) -> O::Rule {
        self.0.rule(number)
    }

    fn update_rows(
        &self,
        step: Step<O::Rule>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        touched: &mut Touched<'_>,
    ) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("rows of last steps", table.rows(), last_steps.len())?;
        // Checks all shapes before anything is written, for the rows are caught up first.
        kernels::check_update::<O::Rule>(table, slots, touched)?;
        let zeros = touched.sum.get_mut(..table.dim()).unwrap_or_default();
        zeros.fill(0.0);
        let before = step.number().saturating_sub(1);
        for occurrence in touched.occurrences.as_slice() {
            let row = occurrence.row as usize;
            self.catch_up(before, row, table, slots, last_steps, zeros);
            if let (Some(last), Some(slots)) = (last_steps.get_mut(row), slots.row_mut(row)) {
                let rested = if *last > 0 { before.saturating_sub(*last) } else { 0 };
                if rested > 0 {
                    self.0.decay(rested, slots);
                }
                *last = step.number();
            }
        }
        self.0.update_rows(step, table, slots, &mut [], touched)
    }

    #[inline]
    fn catch_up(
        &self,
        until: u32,
        row: usize,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        zeros: &[f32],
    ) {
        let Some(last) = last_steps.get_mut(row) else { return };
        let had_a_gradient = *last > 0;
        if !had_a_gradient || *last >= until {
            return;
        }
        let missed = *last + 1..=until;
        let rule = |step| self.0.rule(step);
        if let (Some(weights), Some(slots)) = (table.row_mut(row), slots.row_mut(row))
            && let Ok(replayed) = kernels::catch_up_row(&self.0, rule, missed, weights, slots, zeros)
        {
            *last = replayed;
        }
    }
}
