//! Optimizer steps on the rows that have a gradient, and on whole variables.
//!
//! ```text
//! for each distinct row r of the occurrences:                  sorted, so its occurrences stand together
//!     g = Σ gradient[source] over the occurrences of r         in order of occurrence
//!     rule(weights[r], g, slots[r])
//! ```
//!
//! Deviations: a row that occurs once uses its gradient where it lies, without the copy into `sum`. What the rule reads as the
//! square of the gradient is `g²`, or, for Keras 3, the sum of the squares of the occurrences. The per-id gradient is never
//! written: occurrences of one bag share a source. With [`SortedOccurrences::by_frequency`] g is divided by the number of occurrences. Bytes moved: each touched row's gradients read once, its weights
//! and slots read and written once; nothing of any other row.

use super::{Columns, SortedOccurrences, UpdateRule, apply, pays};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, simd_fn};
use crate::table::{Table, TableMut};

/// Occurrences from the row worked on to the row asked for. Fewer than where rows are read alone, for a row of weights comes with
/// its state.
const DISTANCE: usize = 8;

/// The rows that a batch touched and their gradients.
#[derive(Debug)]
pub struct Touched<'a> {
    /// Which rows occur, and which gradients are theirs.
    pub occurrences: SortedOccurrences<'a>,
    /// The gradients that occurrences name by `source`, shape `[sources, dim]`.
    pub gradients: Table<'a>,
    /// Where the gradients of a row are summed, `2 * dim` numbers.
    pub sum: &'a mut [f32],
}

simd_fn! {
    /// One optimizer step on the touched rows of `table`, whose state is in the rows of `slots`.
    ///
    /// # Errors
    /// If `table` or `gradients` lacks a row that occurs, `gradients` has another dim than `table`, `slots` another number of
    /// rows or another dim than the rule keeps, or `sum` not `2 * dim` numbers. Nothing has been written then.
    pub fn update_rows, update_rows_at[R: UpdateRule](
        rule: R, table: &mut TableMut<'_>, slots: &mut TableMut<'_>, touched: &mut Touched<'_>
    ) -> Result<(), ShapeMismatch> = update_rows_body;

    /// One optimizer step on a variable that has a gradient for each of its numbers.
    ///
    /// # Errors
    /// If `gradient` has another length than `weights`, or `slots` another than the rule keeps. Nothing has been written then.
    pub fn update_block, update_block_at[R: UpdateRule](
        rule: R, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]
    ) -> Result<(), ShapeMismatch> = update_block_body;
}

/// Whether the shapes of a sparse update agree.
pub(crate) fn check_update<R: UpdateRule>(
    table: &TableMut<'_>,
    slots: &TableMut<'_>,
    touched: &Touched<'_>,
) -> Result<(), ShapeMismatch> {
    let dim = table.dim();
    touched.occurrences.check(table.rows(), touched.gradients.rows())?;
    ShapeMismatch::check("gradient dim", dim, touched.gradients.dim())?;
    ShapeMismatch::check("rows of slots", table.rows(), slots.rows())?;
    ShapeMismatch::check("dim of slots", R::slots(dim), slots.dim())?;
    ShapeMismatch::check("sum length", dim.saturating_mul(2), touched.sum.len())
}

#[inline(always)]
fn update_rows_body<L: Lanes, R: UpdateRule>(
    lanes: L,
    rule: R,
    table: &mut TableMut<'_>,
    slots: &mut TableMut<'_>,
    touched: &mut Touched<'_>,
) -> Result<(), ShapeMismatch> {
    check_update::<R>(table, slots, touched)?;
    let dim = table.dim();
    let Some((sum, squares)) = touched.sum.split_at_mut_checked(dim) else { return Ok(()) };
    let ask_ahead = pays(table.as_table());
    let mut rest = touched.occurrences.as_slice();
    while let Some((first, others)) = rest.split_first() {
        if ask_ahead && let Some(next) = rest.get(DISTANCE) {
            let row = Some(next.row as usize);
            Columns::new(table.as_table(), 0).prefetch(dim, row);
            Columns::new(slots.as_table(), 0).prefetch(slots.dim(), row);
        }
        let repeats = others.iter().take_while(|o| o.row == first.row).count();
        let (repeats, after) = others.split_at_checked(repeats).unwrap_or_default();
        rest = after;
        let row = first.row as usize;
        let (Some(weights), Some(slots)) = (table.row_mut(row), slots.row_mut(row)) else { continue };
        let Some(gradient) = touched.gradients.row(first.source as usize) else { continue };
        if repeats.is_empty() {
            apply(lanes, rule, weights, gradient, gradient.iter().map(|g| g * g), slots);
            continue;
        }
        for ((s, q), g) in sum.iter_mut().zip(&mut *squares).zip(gradient) {
            *s = *g;
            *q = g * g;
        }
        for gradient in repeats.iter().filter_map(|o| touched.gradients.row(o.source as usize)) {
            for ((s, q), g) in sum.iter_mut().zip(&mut *squares).zip(gradient) {
                *s += g;
                *q += g * g;
            }
        }
        if touched.occurrences.is_by_frequency() {
            let count = (repeats.len() + 1) as f32;
            for (s, q) in sum.iter_mut().zip(&mut *squares) {
                *s /= count;
                *q /= count * count;
            }
        }
        if rule.keras3_duplicates() {
            apply(lanes, rule, weights, sum, squares.iter().copied(), slots);
        } else {
            apply(lanes, rule, weights, sum, sum.iter().map(|g| g * g), slots);
        }
    }
    Ok(())
}

#[inline(always)]
fn update_block_body<L: Lanes, R: UpdateRule>(
    lanes: L,
    rule: R,
    weights: &mut [f32],
    gradient: &[f32],
    slots: &mut [f32],
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("gradient length", weights.len(), gradient.len())?;
    ShapeMismatch::check("slots length", R::slots(weights.len()), slots.len())?;
    apply(lanes, rule, weights, gradient, gradient.iter().map(|g| g * g), slots);
    Ok(())
}
