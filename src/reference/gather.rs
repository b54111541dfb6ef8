//! Rows out of a table.

use super::FormatSpec;
use crate::table::{Index, Indices, Policy, Table};

/// `out[position] = table[row(position)]`, zeros where the id is left out.
pub fn gather<F: FormatSpec, I: Index, P: Policy>(
    table: Table<'_, F>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) {
    for position in 0..indices.len() {
        for column in 0..table.dim() {
            out[position * table.dim() + column] = match indices.row(position) {
                Some(row) => F::number(table, row, column),
                None => 0.0,
            };
        }
    }
}
