//! Norms of gradients, and of rows.

use super::lane_sum;
use crate::math;
use crate::table::{Table, TableMut};

/// The sum of the squares of the gradients of rows: row by row, ascending, by lanes in a row. An occurrence
/// is `(row, source)`; the gradients of a row are summed first, or for Keras squared one by one.
#[allow(clippy::missing_panics_doc)]
pub fn sum_of_squares_of_rows(
    occurrences: &[(u32, u32)],
    gradients: Table<'_>,
    keras3_duplicates: bool,
) -> f32 {
    let mut total = 0.0;
    let highest = occurrences.iter().map(|(row, _)| *row).max();
    for row in 0..highest.map_or(0, |row| row + 1) {
        let of_row = || {
            let of_row = occurrences.iter().filter(move |(r, _)| *r == row);
            of_row.map(|(_, source)| gradients.row(*source as usize).expect("a gradient"))
        };
        if keras3_duplicates {
            for gradient in of_row() {
                total += lane_sum(gradient.iter().map(|g| g * g));
            }
        } else if of_row().next().is_some() {
            let sum =
                |column: usize| of_row().map(|g| g[column]).reduce(|sum, g| sum + g).expect("a gradient");
            total += lane_sum((0..gradients.dim()).map(|column| sum(column) * sum(column)));
        }
    }
    total
}

/// Shortens each row, in order, whose p-norm is above `limit`, p being 1 or 2, or the maximum for `None`.
#[allow(clippy::missing_panics_doc)]
pub fn max_norm(rows: &[usize], limit: f32, p: Option<u8>, table: &mut TableMut<'_>) {
    for row in rows {
        let row = table.row_mut(*row).expect("a row");
        let norm = match p {
            Some(1) => lane_sum(row.iter().map(|x| x.abs())),
            Some(_) => math::sqrt(lane_sum(row.iter().map(|x| x * x))),
            None => row.iter().fold(0.0, |most, x| if x.abs() > most { x.abs() } else { most }),
        };
        if norm > limit {
            for x in row {
                *x *= limit / (norm + 1e-7);
            }
        }
    }
}
