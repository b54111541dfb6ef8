//! The gradients of a row summed over its occurrences.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at
//! [`SortedOccurrences::coalesce`].

use super::{Occurrence, SortedOccurrences, clamp};
use crate::error::ShapeMismatch;
use crate::kernels::{Columns, column_blocks};
use crate::simd::{Lanes, simd_fn};
use crate::table::{Table, TableMut};

impl SortedOccurrences<'_> {
    /// Sums the gradients of each row that occurs: PyTorch's `coalesce` of a sparse gradient. Gives the
    /// number of distinct rows; `rows` starts with these rows in ascending order, `sums` with their sums.
    ///
    /// ```
    /// use nanoembed::sparse::{Occurrence, SortedOccurrences};
    /// use nanoembed::table::{Indices, Table, TableMut};
    /// let (mut list, mut scratch) = ([Occurrence::default(); 3], [Occurrence::default(); 3]);
    /// let list = Indices::new(&[7_u8, 2, 7], 10)?.occurrences(&mut list)?;
    /// let sorted = SortedOccurrences::sort(list, &mut scratch)?;
    ///
    /// let gradients = [[1.0], [10.0], [2.0]];
    /// let (mut rows, mut sums) = ([0; 3], [[0.0]; 3]);
    /// let distinct = sorted.coalesce(Table::from_rows(&gradients), &mut rows, &mut TableMut::from_rows(&mut sums))?;
    /// assert_eq!((&rows[..distinct], &sums[..distinct]), (&[2, 7][..], &[[10.0], [3.0]][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If `gradients` lacks a row that an occurrence names, `rows` or `sums` has fewer rows than there are
    /// occurrences, or `sums` has another dim than `gradients`. Nothing has been written then.
    ///
    /// # How it is computed
    /// ```text
    /// for each distinct row r of the occurrences:                  sorted, so its occurrences stand together
    ///     sum = Σ weight gradient[source] over the occurrences of r         in order of occurrence
    ///     sum /= number of occurrences                             if by frequency
    /// ```
    ///
    /// Deviation: the columns are taken in blocks, each over all occurrences, so that the sum of a row that
    /// occurs often stays in registers.
    ///
    /// # Cost
    /// `4 dim` bytes of gradients are read for each occurrence, from a matrix of the size of a batch, and `4
    /// dim` of sum are written for each row.
    pub fn coalesce(
        self,
        gradients: Table<'_>,
        rows: &mut [u32],
        sums: &mut TableMut<'_>,
    ) -> Result<usize, ShapeMismatch> {
        coalesce(self, gradients, rows, sums)
    }
}

simd_fn! {
    /// [`SortedOccurrences::coalesce`] tells what it does, how it is computed and what it costs.
    ///
    /// # Errors
    /// As there.
    pub fn coalesce, coalesce_at(
        occurrences: SortedOccurrences<'_>, gradients: Table<'_>, rows: &mut [u32], sums: &mut TableMut<'_>
    ) -> Result<usize, ShapeMismatch>
        where {
            ShapeMismatch::check("dim of sums", gradients.dim(), sums.dim())?;
            occurrences.check(usize::MAX, gradients.rows())?;
            check_at_least("length of rows, at least", occurrences.as_slice().len(), rows.len())?;
            check_at_least("rows of sums, at least", occurrences.as_slice().len(), sums.rows())
        } = coalesce_loops;
}

/// Whether there is room for as many.
#[inline(always)]
fn check_at_least(what: &'static str, expected: usize, found: usize) -> Result<(), ShapeMismatch> {
    if found < expected { Err(ShapeMismatch { what, expected, found }) } else { Ok(()) }
}

#[inline(always)]
fn coalesce_loops<L: Lanes>(
    _: L,
    occurrences: SortedOccurrences<'_>,
    gradients: Table<'_>,
    rows: &mut [u32],
    sums: &mut TableMut<'_>,
) -> usize {
    let mut distinct = 0;
    for (first, repeats) in occurrences.by_row() {
        let (Some(row), Some(sum)) = (rows.get_mut(distinct), sums.row_mut(distinct)) else { break };
        *row = first.row;
        occurrences.sum_gradients::<L, false>(gradients, first, repeats, sum);
        distinct += 1;
    }
    distinct
}

impl SortedOccurrences<'_> {
    /// sum ← the gradients of the occurrences of one row, or the squares of those gradients, in order of
    /// occurrence.
    #[inline(always)]
    pub(super) fn sum_gradients<L: Lanes, const SQUARES: bool>(
        &self,
        gradients: Table<'_>,
        first: Occurrence,
        repeats: &[Occurrence],
        sum: &mut [f32],
    ) {
        self.sum_clipped::<L, SQUARES, false>(gradients, first, repeats, f32::INFINITY, sum);
    }

    /// The same; if `CLIPPED`, each number of each gradient is brought into [−limit, limit] before it is
    /// squared or added.
    #[inline(always)]
    pub(super) fn sum_clipped<L: Lanes, const SQUARES: bool, const CLIPPED: bool>(
        &self,
        gradients: Table<'_>,
        first: Occurrence,
        repeats: &[Occurrence],
        limit: f32,
        sum: &mut [f32],
    ) {
        column_blocks!(L, as_chunks_mut(sum), |block, column| {
            let columns = Columns::new(gradients, column);
            *block = self.sum_block::<SQUARES, CLIPPED, _>(columns, first, repeats, limit);
        });
    }

    /// `WIDTH` columns of the sum.
    // A small processor has one level, for which no code has to be inlined: in a debug build the frames of the
    // widths then follow each other, where they would add up.
    #[cfg_attr(all(target_os = "none", target_pointer_width = "32"), inline)]
    #[cfg_attr(not(all(target_os = "none", target_pointer_width = "32")), inline(always))]
    fn sum_block<const SQUARES: bool, const CLIPPED: bool, const WIDTH: usize>(
        &self,
        columns: Columns<'_>,
        first: Occurrence,
        repeats: &[Occurrence],
        limit: f32,
    ) -> [f32; WIDTH] {
        let term = |occurrence| self.term::<SQUARES, CLIPPED, WIDTH>(columns, occurrence, limit);
        let mut sum = term(first).unwrap_or([0.0; WIDTH]);
        for repeat in repeats {
            let Some(term) = term(*repeat) else { continue };
            for (sum, g) in sum.iter_mut().zip(&term) {
                *sum += g;
            }
        }
        if self.is_by_frequency() && !repeats.is_empty() {
            let count = (repeats.len() + 1) as f32;
            let divisor = if SQUARES { count * count } else { count };
            for sum in &mut sum {
                *sum /= divisor;
            }
        }
        sum
    }

    /// What one occurrence adds to it.
    #[inline(always)]
    fn term<const SQUARES: bool, const CLIPPED: bool, const WIDTH: usize>(
        &self,
        columns: Columns<'_>,
        occurrence: Occurrence,
        limit: f32,
    ) -> Option<[f32; WIDTH]> {
        let (row, weight) = self.gradient(occurrence)?;
        let mut term = *columns.floats::<WIDTH>(row)?;
        for g in &mut term {
            // Times 1, without weights, changes no bit.
            *g *= weight;
            if CLIPPED {
                *g = clamp(*g, limit);
            }
            if SQUARES {
                *g *= *g;
            }
        }
        Some(term)
    }
}
