//! The exact sparse form of an optimizer: equal to its dense form, at the cost of the touched rows.

use super::{Optimizer, OutOfRange, Step, inner_optimizer};
use crate::error::ShapeMismatch;
use crate::sparse::{self, Lagging, Moves, Replay, Rows, SparseGradient, shaped};
use crate::table::{Numbers, TableMut};
use zerocopy::FromZeros;

/// The optimizer `O` with the dense update's effect on every row of a table.
///
/// Each row remembers the step at which it was last up to date and, before it is next read, replays the steps
/// that it missed, with the very expressions of the dense form: its weights are bit-equal to those of a dense
/// update of the whole table. The replay ends when the row has come to rest, when no step can move a weight
/// any more (with Adam's defaults after some hundred steps). At its next gradient its moments decay for all
/// steps since: step by step up to 64, beyond by powers, equal to the dense ones within 2e-5 relative for
/// decays up to 0.999 and as long as they are normal numbers (1e-3 for 0.99999 and millions of steps), so
/// that from there on weights agree with the dense ones closely (1.2e-4 of a step in the tests), but not by
/// bits. A gradient above 1.8e19, whose square no f32 holds, makes the second moment of Adam and Nadam
/// infinite and, a step later, moment and weight NaN, as in the dense form. A weight of −0 that was never
/// touched stays −0. Rows that never had a gradient stay as they are, as they do in the dense form without
/// weight decay.
///
/// A row costs a step of its own for each step that it missed, up to rest: rows that come back within a few
/// steps cost little more than in the lazy form, rows that come back after hundreds cost hundreds of steps.
/// [`Series`](super::Series) takes these steps at once, and its weights are equal up to rounding.
/// Optimizers without momentum move no row that has no gradient; their averages decay (RMSprop, Adadelta) or
/// stay (Adagrad), and a row costs next to nothing. With weight decay ([`AdamW`](super::AdamW)) all rows move
/// at all steps, also those that never had a gradient, and none comes to rest.
///
/// What writes the weights of a row from outside (a reset,
/// [`limit_rows`](crate::sparse::RowNorm::limit_rows)) ends the equality: a row rests for the weights that it
/// has, with the moments that it then had. [`decay_rows`](Self::decay_rows) takes those to the present.
///
/// A row that has not caught up is not where the dense form has it: the trainer catches up the rows of a
/// batch before it reads them, and all rows at the end of an epoch. How often rows are caught up changes no
/// bit of what is learnt.
///
/// ```
/// use nanoembed::optim::{Adam, Exact};
/// let adam = Exact(Adam { learning_rate: 0.01, ..Adam::default() });
/// ```
///
/// The dense update is that of the true gradient. Keras 3 computes the same as long as no id occurs twice in
/// a batch; what it computes then is [`Keras`](crate::keras::Keras).
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Exact<O>(pub O);

impl<O: Replay> Exact<O> {
    /// Takes the state of `rows` that are caught up to step `step`, without a gradient: the slots of those
    /// that rest decay over the steps that they missed, and the last step of each becomes `step`.
    ///
    /// # Errors
    /// If `slots` and `last_steps` have different numbers of rows. Nothing has been written then.
    pub fn decay_rows(
        &self,
        step: u32,
        rows: impl Rows,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
    ) -> Result<(), ShapeMismatch> {
        sparse::decay_rows(&self.0, step, rows, slots, last_steps)
    }
}

impl<O: Optimizer + Replay<Step = <O as Optimizer>::Rule>> Optimizer for Exact<O> {
    inner_optimizer!(O);
    type LastSteps<const ROWS: usize> = [u32; ROWS];
    const LAGS: bool = !matches!(O::MOVES, Moves::Nothing);

    fn step_rows(
        &self,
        step: Step<Self::Rule>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        gradient: &mut SparseGradient<'_>,
    ) {
        let rows = gradient.occurrences.as_slice().iter().map(|occurrence| occurrence.row as usize);
        self.replay(step.number().saturating_sub(1), rows.clone(), table, slots, last_steps);
        shaped::decay_rows(&self.0, step.number(), rows, slots, last_steps);
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
        shaped::catch_up_rows(&self.0, rule, until, rows, lagging);
    }
}
