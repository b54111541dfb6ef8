//! Rows out of a table.
//!
//! ```text
//! for position in 0..len:
//!     out[position] = table[row(position)]                or zeros where the policy leaves the id out
//! ```
//!
//! Deviations from this loop:
//!
//! - Rows of tables above the size of the caches are asked for sixteen ids ahead.
//! - Stores are ordinary ones: what is gathered is read next, by the layer that follows.
//!
//! A row is copied by a loop over its numbers. Copies in blocks of constant width were slower at every width, and a checked
//! `copy_from_slice`, as fast, has a panic in it.
//!
//! Moved per id: `4 dim` bytes read from the table, `4 dim` written, and the id itself. There is no arithmetic; with a big
//! table the time is that of memory, random lines read and consecutive lines written.

use super::{Ahead, Look, Never, pays};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, simd_fn};
use crate::table::{Index, Indices, Policy, Table};

simd_fn! {
    /// Copies the row that each id names: `out[position] = table[row(position)]`.
    ///
    /// # Shapes
    /// `table` `[rows, dim]`, `indices` `[len]`, `out` `[len, dim]`.
    ///
    /// An id that its policy leaves out gives a row of zeros.
    ///
    /// # Errors
    /// If the ids were checked against another number of rows, or `out` does not hold `len * dim` numbers; `out` is then as it was.
    ///
    /// ```
    /// use nanoembed::{kernels::gather, table::{Indices, Table}};
    /// let table = Table::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let indices = Indices::new(&[2_u8, 0, 2], table.rows())?;
    /// let mut out = [0.0; 6];
    /// gather(table, indices, &mut out)?;
    /// assert_eq!(out, [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn gather, gather_at[I: Index, P: Policy](table: Table<'_>, indices: Indices<'_, I, P>, out: &mut [f32])
        -> Result<(), ShapeMismatch> = gather_body;
}

#[inline(always)]
fn gather_body<L: Lanes, I: Index, P: Policy>(
    _: L,
    table: Table<'_>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of the indices", table.rows(), indices.rows())?;
    ShapeMismatch::check("output length", indices.len().saturating_mul(table.dim()), out.len())?;

    if pays(table) {
        gather_rows(Ahead, table, indices, out);
    } else {
        gather_rows(Never, table, indices, out);
    }
    Ok(())
}

#[inline(always)]
fn gather_rows<I: Index, P: Policy>(
    look: impl Look,
    table: Table<'_>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) {
    let mut rest = out;
    for (position, row) in indices.iter().enumerate() {
        look.ask(table, indices, position);
        let Some((to, after)) = rest.split_at_mut_checked(table.dim()) else { break };
        rest = after;
        match row.and_then(|row| table.row(row)) {
            Some(from) => {
                for (to, from) in to.iter_mut().zip(from) {
                    *to = *from;
                }
            }
            None => to.fill(0.0),
        }
    }
}
