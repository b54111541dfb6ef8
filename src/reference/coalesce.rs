//! The gradients of each row that occurs, summed.

use crate::table::{Table, TableMut};

/// For each row that occurs, ascending: the row, and the sum of its gradients in order of occurrence, to the
/// front of `rows` and `sums`. An occurrence is `(row, source)`, in any order of rows. Gives how many rows
/// there are.
#[allow(clippy::missing_panics_doc)]
pub fn coalesce(
    occurrences: &[(u32, u32)],
    gradients: Table<'_>,
    rows: &mut [u32],
    sums: &mut TableMut<'_>,
) -> usize {
    let highest = occurrences.iter().map(|(row, _)| *row).max();
    let mut distinct = 0;
    for row in 0..highest.map_or(0, |row| row + 1) {
        let mut sources = occurrences.iter().filter(|(r, _)| *r == row).map(|(_, source)| *source as usize);
        let Some(first) = sources.next() else { continue };
        rows[distinct] = row;
        let sum = sums.row_mut(distinct).expect("a row for each occurrence");
        sum.copy_from_slice(gradients.row(first).expect("a gradient"));
        for source in sources {
            for (sum, g) in sum.iter_mut().zip(gradients.row(source).expect("a gradient")) {
                *sum += g;
            }
        }
        distinct += 1;
    }
    distinct
}
