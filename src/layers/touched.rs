//! The gradient of a table: of the rows that occurred, and of no other.

use super::plain::plain_fields;
use super::value::{first, first_mut};
use super::{Bytes, Fingerprint};
use crate::optim::{Optimizer, Step};
use crate::sparse::{Occurrence, Rows, SparseGradient, sort_by_row, sum_of_squares_of_rows};
use crate::table::{Numbers, Table, TableMut};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Gradients of up to `BATCH` examples, each with up to `IDS` ids and `SOURCES` gradient rows of `DIM` numbers: O(batch · dim)
/// memory, whatever the number of rows of the table.
///
/// An [`Embedding`](super::Embedding) has a gradient row for each id; in an [`EmbeddingBag`](super::EmbeddingBag) all ids of an
/// example share one.
#[derive(FromZeros)]
pub struct OccurringRows<const IDS: usize, const SOURCES: usize, const DIM: usize, const BATCH: usize> {
    gradients: [[[f32; DIM]; SOURCES]; BATCH],
    occurrences: [[Occurrence; IDS]; BATCH],
    scratch: [[Occurrence; IDS]; BATCH],
    sum: [[f32; DIM]; 2],
    examples: usize,
    ids: usize,
}

/// Optimizer state of a table: a slot row for each row and, for exact forms, the step at which it was last up to date.
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
    const PARTS: Fingerprint = Fingerprint::of("last_steps").extent(Self::BYTES);

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.0.as_bytes());
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.0.as_mut_bytes());
    }
}

plain_fields!(impl[R: Bytes, S: FromBytes + IntoBytes + KnownLayout + Immutable] TableSlots<R, S> {
    rows: R, last_steps: LastSteps<S>,
});

/// The slots of a table of `ROWS` rows of `DIM` numbers under the optimizer `O`.
pub(super) type SlotsOf<O, const ROWS: usize, const DIM: usize> =
    TableSlots<[<O as Optimizer>::RowSlots<DIM>; ROWS], <O as Optimizer>::LastSteps<ROWS>>;

impl<const IDS: usize, const SOURCES: usize, const DIM: usize, const BATCH: usize>
    OccurringRows<IDS, SOURCES, DIM, BATCH>
{
    /// Adds one example: gradient rows, and for each id its row and which of the gradient rows is its.
    ///
    /// Examples behind the `BATCH`-th and ids behind the `IDS`-th are left out.
    #[inline]
    pub fn push(&mut self, gradients: &[[f32; DIM]; SOURCES], ids: impl Iterator<Item = (u32, usize)>) {
        let Some(slot) = self.gradients.get_mut(self.examples) else { return };
        *slot = *gradients;
        let base = self.examples * SOURCES;
        let free = self.occurrences.as_flattened_mut().get_mut(self.ids..).unwrap_or_default();
        for (slot, (row, source)) in first_mut(free, IDS).iter_mut().zip(ids) {
            *slot = Occurrence { row, source: (base + source) as u32 };
            self.ids += 1;
        }
        self.examples += 1;
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
    fn touched(&mut self) -> SparseGradient<'_> {
        let list = first_mut(self.occurrences.as_flattened_mut(), self.ids);
        let scratch = first_mut(self.scratch.as_flattened_mut(), self.ids);
        SparseGradient {
            gradients: Table::from_rows(first(self.gradients.as_flattened(), self.examples * SOURCES)),
            // Both lists have one length, the only thing that sorting checks.
            occurrences: sort_by_row(list, scratch).unwrap_or_default(),
            scratch: self.sum.as_flattened_mut(),
        }
    }

    /// The sum of the squares of all gradients: of each row's sum, or with `keras3_duplicates` of each occurrence.
    pub fn sum_of_squares(&mut self, keras3_duplicates: bool) -> f32 {
        // All shapes agree by type.
        sum_of_squares_of_rows(&mut self.touched(), keras3_duplicates).unwrap_or_default()
    }

    /// One step of the optimizer on the rows that occurred; forgets the examples.
    pub fn update<O: Optimizer, const ROWS: usize>(
        &mut self,
        optimizer: &O,
        step: Step<O::Rule>,
        table: &mut [[f32; DIM]; ROWS],
        slots: &mut SlotsOf<O, ROWS, DIM>,
    ) {
        let mut touched = self.touched();
        if let Some((mut slots, last_steps)) = slots.as_views() {
            // All shapes agree by type.
            let _ = optimizer.update_rows(
                step,
                &mut TableMut::from_rows(table),
                &mut slots,
                last_steps,
                &mut touched,
            );
        }
        self.examples = 0;
        self.ids = 0;
    }
}

impl<S: Numbers, L: AsMut<[u32]>, const ROWS: usize> TableSlots<[S; ROWS], L> {
    /// The slot rows as a table, and the last steps.
    fn as_views(&mut self) -> Option<(TableMut<'_>, &mut [u32])> {
        let rows = TableMut::new(self.rows.as_numbers_mut(), ROWS, size_of::<S>() / size_of::<f32>()).ok()?;
        Some((rows, self.last_steps.0.as_mut()))
    }
}

impl<S: Numbers, L: AsMut<[u32]>, const ROWS: usize> TableSlots<[S; ROWS], L> {
    /// Takes rows for up to date at step `until`, as they are: what they missed is not made up for.
    pub(super) fn pass_over(&mut self, rows: impl Rows, until: u32) {
        let last_steps = self.last_steps.0.as_mut();
        for row in rows {
            if let Some(last) = last_steps.get_mut(row) {
                *last = until;
            }
        }
    }
}

/// Brings rows of a table to where the optimizer's dense form has them after step `until`.
pub(super) fn catch_up<O: Optimizer, const ROWS: usize, const DIM: usize>(
    rows: impl Rows,
    optimizer: &O,
    until: u32,
    table: &mut [[f32; DIM]; ROWS],
    slots: &mut SlotsOf<O, ROWS, DIM>,
) {
    let mut table = TableMut::from_rows(table);
    if let Some((mut slots, last_steps)) = slots.as_views() {
        // All shapes agree by type.
        let _ = optimizer.catch_up(until, rows, &mut table, &mut slots, last_steps);
    }
}
