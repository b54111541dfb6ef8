//! Optimizer steps on the rows that have a gradient, and on whole variables.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`update_rows`].

use super::{SortedOccurrences, UpdateRule, apply};
use crate::error::ShapeMismatch;
use crate::kernels::{Columns, worth_prefetching};
use crate::simd::{Lanes, simd_fn};
use crate::table::{Format, Table, TableMut};

/// Occurrences from the row worked on to the row asked for. Fewer than where rows are read alone, for a row
/// of weights comes with its state.
const DISTANCE: usize = 8;

/// The rows that a batch touched and their gradients.
#[derive(Debug)]
pub struct SparseGradient<'a> {
    /// Which rows occur, and which gradients are theirs.
    pub occurrences: SortedOccurrences<'a>,
    /// The gradients that occurrences name by `source`, shape `[sources, dim]`.
    pub gradients: Table<'a>,
    /// Where the gradients of a row are summed, `2 * dim` numbers.
    pub scratch: &'a mut [f32],
}

simd_fn! {
    /// One optimizer step on the touched rows of `table`, whose state is in the rows of `slots`.
    ///
    /// # Errors
    /// If `table` or `gradients` lacks a row that occurs, `gradients` has another dim than `table`, `slots`
    /// another number of rows or another dim than the rule keeps, or `scratch` not `2 * dim` numbers. Nothing
    /// has been written then.
    ///
    /// # How it is computed
    /// ```text
    /// for each distinct row r of the occurrences:                  sorted, so its occurrences stand together
    ///     g = Σ gradient[source] over the occurrences of r         in order of occurrence
    ///     rule(weights[r], g, slots[r])
    /// ```
    ///
    /// Deviations:
    ///
    /// - A row that occurs once uses its gradient where it lies, without the copy into `scratch`.
    /// - What the rule reads as the square of the gradient is `g²`, or, for Keras 3, the sum of the squares
    ///   of the occurrences.
    /// - Under Keras 3's clipping by value each occurrence is clipped, and g is the sum of what that leaves.
    /// - Rows of tables above the size of the near caches, and their slots, are asked for eight occurrences
    ///   ahead.
    ///
    /// The gradient of an id is never written: the ids of a bag share a source.
    ///
    /// # Cost
    /// Each occurrence's gradient is read, from a matrix of the size of a batch. Each touched row's weights
    /// and slots are read and written once, and nothing of any other row.
    pub fn update_rows, update_rows_at[R: UpdateRule](
        rule: R, table: &mut TableMut<'_>, slots: &mut TableMut<'_>, touched: &mut SparseGradient<'_>
    ) -> Result<(), ShapeMismatch>
        where { check_update::<R, _>(table, slots, touched) } = update_rows_loops;

    /// One optimizer step on a variable that has a gradient for each of its numbers.
    ///
    /// # Errors
    /// If `gradient` has another length than `weights`, or `slots` another than the rule keeps. Nothing has
    /// been written then.
    ///
    /// # Cost
    /// [`update_rows`] tells how it is computed and what it costs.
    pub fn update_block, update_block_at[R: UpdateRule](
        rule: R, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]
    ) -> Result<(), ShapeMismatch>
        where { check_block::<R>(weights, gradient, slots) } = update_block_loops;
}

/// Whether the shapes of a sparse update agree.
pub(crate) fn check_update<R: UpdateRule, F: Format>(
    table: &TableMut<'_, F>,
    slots: &TableMut<'_>,
    touched: &SparseGradient<'_>,
) -> Result<(), ShapeMismatch> {
    let dim = table.dim();
    touched.occurrences.check(table.rows(), touched.gradients.rows())?;
    ShapeMismatch::check("gradient dim", dim, touched.gradients.dim())?;
    ShapeMismatch::check("rows of slots", table.rows(), slots.rows())?;
    ShapeMismatch::check("dim of slots", R::slots(dim), slots.dim())?;
    ShapeMismatch::check("scratch length", dim.saturating_mul(2), touched.scratch.len())
}

/// Whether the shapes of a step on a whole variable agree.
pub(crate) fn check_block<R: UpdateRule>(
    weights: &[f32],
    gradient: &[f32],
    slots: &[f32],
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("gradient length", weights.len(), gradient.len())?;
    ShapeMismatch::check("slots length", R::slots(weights.len()), slots.len())
}

/// The rows that an update steps on.
pub(super) trait StepRows {
    /// Asks for a row that will be stepped on soon.
    fn prefetch(&self, row: usize);

    /// `step` on the numbers of a row, if there is such a row.
    fn step(&mut self, row: usize, step: impl FnOnce(&mut [f32]));
}

impl StepRows for TableMut<'_> {
    #[inline(always)]
    fn prefetch(&self, row: usize) {
        Columns::new(self.as_table(), 0).prefetch(self.dim(), Some(row));
    }

    #[inline(always)]
    fn step(&mut self, row: usize, step: impl FnOnce(&mut [f32])) {
        if let Some(weights) = self.row_mut(row) {
            step(weights);
        }
    }
}

#[inline(always)]
fn update_rows_loops<L: Lanes, R: UpdateRule>(
    lanes: L,
    rule: R,
    table: &mut TableMut<'_>,
    slots: &mut TableMut<'_>,
    touched: &mut SparseGradient<'_>,
) {
    let prefetches = worth_prefetching(table.as_table());
    step_rows(lanes, rule, table, slots, touched, prefetches);
}

/// The loop over the touched rows, of checked shapes.
#[inline(always)]
pub(super) fn step_rows<L: Lanes, R: UpdateRule>(
    lanes: L,
    rule: R,
    table: &mut impl StepRows,
    slots: &mut TableMut<'_>,
    touched: &mut SparseGradient<'_>,
    prefetches: bool,
) {
    let SparseGradient { occurrences, gradients, scratch } = touched;
    let Some((sum, squares)) = scratch.split_at_mut_checked(gradients.dim()) else { return };
    let mut ahead = occurrences.as_slice().iter().skip(DISTANCE);
    for (first, repeats) in occurrences.by_row() {
        if prefetches {
            for next in ahead.by_ref().take(1 + repeats.len()) {
                table.prefetch(next.row as usize);
                Columns::new(slots.as_table(), 0).prefetch(slots.dim(), Some(next.row as usize));
            }
        }
        let row = first.row as usize;
        let Some(slots) = slots.row_mut(row) else { continue };
        if repeats.is_empty() && !occurrences.is_weighted() {
            let Some(gradient) = gradients.row(first.source as usize) else { continue };
            table.step(
                row,
                #[inline(always)]
                |weights| apply(lanes, rule, weights, gradient, gradient.iter().map(|g| g * g), slots),
            );
            continue;
        }
        let rule = if let Some((limit, rule)) = rule.clipping_occurrences() {
            occurrences.sum_clipped::<L, false, true>(*gradients, first, repeats, limit, sum);
            if rule.keras3_duplicates() {
                occurrences.sum_clipped::<L, true, true>(*gradients, first, repeats, limit, squares);
            }
            rule
        } else {
            occurrences.sum_gradients::<L, false>(*gradients, first, repeats, sum);
            if rule.keras3_duplicates() {
                occurrences.sum_gradients::<L, true>(*gradients, first, repeats, squares);
            }
            rule
        };
        table.step(
            row,
            #[inline(always)]
            |weights| {
                if rule.keras3_duplicates() {
                    apply(lanes, rule, weights, sum, squares.iter().copied(), slots);
                } else {
                    apply(lanes, rule, weights, sum, sum.iter().map(|g| g * g), slots);
                }
            },
        );
    }
}

#[inline(always)]
fn update_block_loops<L: Lanes, R: UpdateRule>(
    lanes: L,
    rule: R,
    weights: &mut [f32],
    gradient: &[f32],
    slots: &mut [f32],
) {
    apply(lanes, rule, weights, gradient, gradient.iter().map(|g| g * g), slots);
}
