//! Norms of gradients, for clipping.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at
//! [`SparseGradient::sum_of_squares`].

use super::SparseGradient;
use crate::error::ShapeMismatch;
use crate::kernels::squares;
use crate::simd::{Lanes, simd_fn};

impl SparseGradient<'_> {
    /// Σ g² over all numbers of the gradient of a table: the square of its norm.
    ///
    /// With `keras3_duplicates` a row that occurs several times enters by the squares of its gradients, not
    /// by the square of their sum: the norm of the raw rows, by which Keras (2 and 3) clips.
    ///
    /// # Errors
    /// If `gradients` lacks a row that an occurrence names, or `scratch` has not `2 * dim` numbers.
    ///
    /// # How it is computed
    /// ```text
    /// for each distinct row r of the occurrences:
    ///     g = Σ gradient[source] over the occurrences of r    in order of occurrence
    ///     total += sum_of_squares(g)                          row after row
    /// ```
    ///
    /// Deviations: a row that occurs once is squared where it lies. For Keras, which takes the norm of the
    /// rows as they occur, the squares of each occurrence are added instead, and nothing is summed before.
    ///
    /// # Cost
    /// Each gradient is read once; the sums stay in the caller's `scratch`, one row long.
    pub fn sum_of_squares(&mut self, keras3_duplicates: bool) -> Result<f32, ShapeMismatch> {
        sum_of_squares_of_rows(self, keras3_duplicates)
    }
}

simd_fn! {
    /// [`SparseGradient::sum_of_squares`] tells what it does, how it is computed and what it costs.
    ///
    /// # Errors
    /// As there.
    pub fn sum_of_squares_of_rows, sum_of_squares_of_rows_at(
        touched: &mut SparseGradient<'_>, keras3_duplicates: bool
    ) -> Result<f32, ShapeMismatch>
        where {
            let SparseGradient { occurrences, gradients, scratch } = &*touched;
            occurrences.check(usize::MAX, gradients.rows())?;
            ShapeMismatch::check("scratch length", gradients.dim().saturating_mul(2), scratch.len())
        } = of_rows_loops;
}

#[inline(always)]
fn of_rows_loops<L: Lanes>(lanes: L, touched: &mut SparseGradient<'_>, keras3_duplicates: bool) -> f32 {
    let SparseGradient { occurrences, gradients, scratch } = touched;
    let dim = gradients.dim();
    let sum = scratch.get_mut(..dim).unwrap_or_default();
    let mut total = 0.0;
    for (first, repeats) in occurrences.by_row() {
        let (summed, alone) = if keras3_duplicates { (&[][..], repeats) } else { (repeats, &[][..]) };
        occurrences.sum_gradients::<L, false>(*gradients, first, summed, sum);
        // Alone, a gradient has not been divided by the number of its row's occurrences.
        let count = if keras3_duplicates && occurrences.is_by_frequency() { repeats.len() + 1 } else { 1 };
        let divisor = count as f32 * count as f32;
        total += squares(lanes, sum) / divisor;
        for occurrence in alone {
            occurrences.sum_gradients::<L, false>(*gradients, *occurrence, &[], sum);
            total += squares(lanes, sum) / divisor;
        }
    }
    total
}
