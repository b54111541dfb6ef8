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
/// steps); the moments then decay by powers, equal to the dense ones within 2e-5 relative as long as they are normal numbers. A
/// gradient after a rest meets these moments, so that from there on weights agree with the dense ones closely (1.2e-4 of a step in
/// the tests), but not by bits. Rows that never had a gradient stay as they are, as they do in the dense form.
///
/// A row that has not caught up is not where the dense form has it: the trainer catches up the rows of a batch before it reads
/// them, and all rows at the end of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Exact<O>(pub O);

/// Adam as Keras applies it to an embedding: moments of rows that do not occur decay and go on moving them.
pub type AdamExact = Exact<Adam>;
/// Momentum as Keras applies it to an embedding: the velocity of rows that do not occur goes on moving them.
pub type MomentumExact = Exact<Momentum>;

impl<O, R> Optimizer for Exact<O>
where
    O: Optimizer<Rule = R> + Replay<Rule = R>,
    R: kernels::UpdateRule,
{
    type Rule = R;
    type Slots<P: Numbers> = <O as Optimizer>::Slots<P>;
    type RowSlots<const DIM: usize> = <O as Optimizer>::RowSlots<DIM>;
    type LastSteps<const ROWS: usize> = [u32; ROWS];
    const NAME: &'static str = O::NAME;
    const INITIAL_SLOT: f32 = O::INITIAL_SLOT;

    fn rule(&self, number: u32) -> R {
        Optimizer::rule(&self.0, number)
    }

    fn keras3_duplicates(&self) -> bool {
        self.0.keras3_duplicates()
    }

    fn update_rows(
        &self,
        step: Step<R>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        touched: &mut Touched<'_>,
    ) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("rows of last steps", table.rows(), last_steps.len())?;
        self.0.update_rows(step, table, slots, &mut [], touched)?;
        for occurrence in touched.occurrences {
            if let Some(last) = last_steps.get_mut(occurrence.row as usize) {
                *last = step.number;
            }
        }
        Ok(())
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
        if let (Some(weights), Some(slots)) = (table.row_mut(row), slots.row_mut(row)) {
            kernels::catch_up_row(&self.0, *last, until, weights, slots, zeros);
            *last = until;
        }
    }
}
