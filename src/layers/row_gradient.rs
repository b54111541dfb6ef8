//! The gradient of a table: of the rows that occurred, and of no other.

use super::{Bytes, bytes_of_fields};
use crate::optim::{Optimizer, Step};
use crate::slices::{first, first_mut};
use crate::sparse::{Occurrence, Rows, SparseGradient, shaped};
use crate::table::{Numbers, Table, TableMut};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Gradient rows of up to `BATCH` examples, `SOURCES` of `DIM` numbers each, and which rows of the table they
/// belong to: up to `IDS` an example. O(batch · dim) memory, whatever the number of rows of the table.
///
/// The rows lie here from when the layer after the table writes them until the optimizer's step reads them.
#[derive(FromZeros)]
pub struct RowGradient<const IDS: usize, const SOURCES: usize, const DIM: usize, const BATCH: usize> {
    rows: [[[f32; DIM]; SOURCES]; BATCH],
    occurrences: [[Occurrence; IDS]; BATCH],
    scratch: [[Occurrence; IDS]; BATCH],
    sum: [[f32; DIM]; 2],
    examples: usize,
    ids: usize,
}

/// Optimizer state of a table: a slot row for each row and, for exact forms, the step at which it was last up
/// to date.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct TableSlots<R, S> {
    rows: R,
    last_steps: LastSteps<S>,
}

/// The last steps as bytes.
#[derive(Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct LastSteps<S>(S);

impl<S: FromBytes + IntoBytes + KnownLayout + Immutable> Bytes for LastSteps<S> {
    const BYTES: usize = size_of::<S>();

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.0.as_bytes());
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.0.as_mut_bytes());
    }
}

bytes_of_fields!(impl[R: Bytes, S: FromBytes + IntoBytes + KnownLayout + Immutable] TableSlots<R, S> {
    rows: R, last_steps: LastSteps<S>,
});

impl<const IDS: usize, const SOURCES: usize, const DIM: usize, const BATCH: usize>
    RowGradient<IDS, SOURCES, DIM, BATCH>
{
    /// The gradient rows of the next `n` examples, to write: [`push`](Self::push) then says to which rows of
    /// the table they belong. `None` if there would be more than `BATCH` examples since the last step.
    pub fn rows_mut(&mut self, n: usize) -> Option<&mut [[[f32; DIM]; SOURCES]]> {
        self.rows.get_mut(self.examples..)?.get_mut(..n)
    }

    /// Takes the next example: for each id its row of the table, and which of the example's gradient rows is
    /// its.
    ///
    /// Examples after the `BATCH`-th and ids after the `IDS`-th are left out.
    #[inline]
    pub fn push(&mut self, ids: impl Iterator<Item = (u32, usize)>) {
        if self.examples >= BATCH {
            return;
        }
        let base = self.examples * SOURCES;
        self.examples += 1;
        let Some((_, free)) = self.occurrences.as_flattened_mut().split_at_mut_checked(self.ids) else {
            return;
        };
        for (slot, (row, source)) in first_mut(free, IDS).iter_mut().zip(ids) {
            *slot = Occurrence { row, source: (base + source) as u32 };
            self.ids += 1;
        }
    }

    /// Forgets the ids whose rows `keep` does not keep.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let mut kept = 0;
        let occurrences = self.occurrences.as_flattened_mut();
        for i in 0..self.ids {
            if let Some(occurrence) = occurrences.get(i).copied()
                && keep(occurrence.row as usize)
                && let Some(slot) = occurrences.get_mut(kept)
            {
                *slot = occurrence;
                kept += 1;
            }
        }
        self.ids = kept;
    }

    /// The rows that occurred, sorted, and their gradients.
    fn as_sparse(&mut self) -> SparseGradient<'_> {
        let list = first_mut(self.occurrences.as_flattened_mut(), self.ids);
        let scratch = first_mut(self.scratch.as_flattened_mut(), self.ids);
        SparseGradient {
            gradients: Table::from_rows(first(self.rows.as_flattened(), self.examples * SOURCES)),
            occurrences: shaped::sort_by_row(list, scratch),
            scratch: self.sum.as_flattened_mut(),
        }
    }

    /// The sum of the squares of all gradients: of each row's sum, or with `keras3_duplicates` of each
    /// occurrence.
    pub fn sum_of_squares(&mut self, keras3_duplicates: bool) -> f32 {
        shaped::sum_of_squares_of_rows(&mut self.as_sparse(), keras3_duplicates)
    }

    /// One step of the optimizer on the rows that occurred; forgets the examples.
    pub(super) fn step<O: Optimizer, const ROWS: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        table: &mut [[f32; DIM]; ROWS],
        slots: &mut TableSlots<[O::RowSlots<DIM>; ROWS], O::LastSteps<ROWS>>,
    ) {
        let (mut slots, last_steps) = slots.as_views();
        let mut table = TableMut::from_rows(table);
        optimizer.step_rows(step, &mut table, &mut slots, last_steps, &mut self.as_sparse());
        self.examples = 0;
        self.ids = 0;
    }
}

impl<S: Numbers, L: AsMut<[u32]>, const ROWS: usize> TableSlots<[S; ROWS], L> {
    /// The slot rows as a table, and the last steps.
    fn as_views(&mut self) -> (TableMut<'_>, &mut [u32]) {
        (TableMut::from_blocks(&mut self.rows), self.last_steps.0.as_mut())
    }

    /// Takes rows for up to date at step `until`, as they are: what they missed is not made up for.
    pub(super) fn pass_over(&mut self, rows: impl Rows, until: u32) {
        let last_steps = self.last_steps.0.as_mut();
        for row in rows {
            if let Some(last) = last_steps.get_mut(row) {
                *last = until;
            }
        }
    }

    /// Brings rows of the table to where the optimizer's dense form has them after step `until`.
    pub fn catch_up<O: Optimizer, const DIM: usize>(
        &mut self,
        rows: impl Rows,
        optimizer: &O,
        until: u32,
        table: &mut [[f32; DIM]; ROWS],
    ) {
        let (mut slots, last_steps) = self.as_views();
        optimizer.replay(until, rows, &mut TableMut::from_rows(table), &mut slots, last_steps);
    }
}

/// The [`flows`](super::Layer::flows) of a layer whose gradient rows are the gradients of its outputs: those
/// are written where the optimizer reads them. `$rows` finds them in the gradient.
macro_rules! flows_into_rows {
    (|$gradient:ident, $n:ident| $rows:expr) => {
        fn flows<'a, const BATCH: usize>(
            x: Batch<'a, Self::Input>,
            cache: &'a mut Self::Cache<BATCH>,
            gradient: Option<&'a mut Self::Gradient<BATCH>>,
            _: Option<&'a mut [()]>,
        ) -> (Batch<'a, Self::Output>, Option<&'a mut [Self::Output]>) {
            let $n = x.values.len();
            (cache.flows($n).0, gradient.and_then(|$gradient| $rows))
        }
    };
}
pub(super) use flows_into_rows;
