//! Steps of sequences that are masked.

use crate::table::TableMut;

/// Makes zeros of the steps `[n · len, dim]` whose masks are false.
pub(crate) fn clear_masked(mut steps: TableMut<'_>, masks: &[bool]) {
    for (step, valid) in masks.iter().enumerate() {
        if !*valid && let Some(step) = steps.row_mut(step) {
            step.fill(0.0);
        }
    }
}
