//! All steps of a sequence reduced to one row, and the gradients: Keras' global pooling.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`max_over_steps`].

use super::{Columns, column_blocks, columns_mut};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, simd_fn};
use crate::table::{Table, TableMut};

simd_fn! {
    /// y\[c\] = the greatest x\[s\]\[c\] over the steps s that are `valid`; zeros if none is.
    ///
    /// NaN if one of its numbers is: a row that diverged stays visible.
    ///
    /// # Shapes
    /// `x` `[len, dim]`, `valid` `[len]`, `y` `[dim]`.
    ///
    /// ```
    /// use nanoembed::table::Table;
    /// use nanoembed::internals::max_over_steps;
    /// let x = [[1.0, -1.0], [3.0, -2.0], [5.0, 5.0]];
    /// let mut y = [0.0; 2];
    /// max_over_steps(Table::from_rows(&x), &[true, true, false], &mut y)?;
    /// assert_eq!(y, [3.0, -1.0]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If the shapes do not fit; `y` is then as it was.
    ///
    /// # How it is computed
    /// ```text
    /// max_over_steps:             for c:  y[c] = greatest of x[s][c] over the valid steps s     NaN if one is
    /// max_over_steps_backward:    for c:  n = how many valid steps have x[s][c] == max
    ///                                     for s:  d_x[s][c] = d_y[c] / n where valid and x[s][c] == max, else 0
    ///
    /// mean_over_steps:            for c:  y[c] = (Σ x[s][c] over the valid steps s) / how many they are
    /// mean_over_steps_backward:   for s:  d_x[s] = d_y / how many valid steps there are, where valid, else 0
    /// ```
    ///
    /// Deviation: columns are taken in blocks of 64, 32, 16, 8, 4 and 1, each over all steps, so that sums
    /// and maxima stay in registers. Columns do not mix, so this changes no bit. The backward pass of the
    /// maximum looks for it again instead of keeping it: a block of columns of the sequence is read three
    /// times, from the first cache but once.
    ///
    /// # Cost
    /// The sequence is read once, and backward written once.
    pub fn max_over_steps, max_over_steps_at(
        x: Table<'_>, valid: &[bool], y: &mut [f32]
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of valid", x.rows(), valid.len())?;
            ShapeMismatch::check("length of y", x.dim(), y.len())
        } = max_loops;

    /// The gradient of [`max_over_steps`]: the steps with the greatest number share that of its column
    /// evenly, all others get zero.
    ///
    /// # Shapes
    /// `x`, `d_x` `[len, dim]`, `valid` `[len]`, `d_y` `[dim]`.
    ///
    /// # Errors
    /// If the shapes do not fit; `d_x` is then as it was.
    ///
    /// # Cost
    /// [`max_over_steps`] tells how it is computed and what it costs.
    pub fn max_over_steps_backward, max_over_steps_backward_at(
        x: Table<'_>, valid: &[bool], d_y: &[f32], d_x: &mut TableMut<'_>
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of valid", x.rows(), valid.len())?;
            ShapeMismatch::check("length of d_y", x.dim(), d_y.len())?;
            ShapeMismatch::check("rows of d_x", x.rows(), d_x.rows())?;
            ShapeMismatch::check("dim of d_x", x.dim(), d_x.dim())
        } = max_backward_loops;

    /// y\[c\] = the mean of x\[s\]\[c\] over the steps s that are `valid`; zeros if none is.
    ///
    /// # Shapes
    /// `x` `[len, dim]`, `valid` `[len]`, `y` `[dim]`.
    ///
    /// # Errors
    /// If the shapes do not fit; `y` is then as it was.
    ///
    /// # Cost
    /// [`max_over_steps`] tells how it is computed and what it costs.
    pub fn mean_over_steps, mean_over_steps_at(
        x: Table<'_>, valid: &[bool], y: &mut [f32]
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of valid", x.rows(), valid.len())?;
            ShapeMismatch::check("length of y", x.dim(), y.len())
        } = mean_loops;

    /// The gradient of [`mean_over_steps`].
    ///
    /// # Shapes
    /// `valid` `[len]`, `d_y` `[dim]`, `d_x` `[len, dim]`.
    ///
    /// # Errors
    /// If the shapes do not fit; `d_x` is then as it was.
    ///
    /// # Cost
    /// [`max_over_steps`] tells how it is computed and what it costs.
    pub fn mean_over_steps_backward, mean_over_steps_backward_at(
        valid: &[bool], d_y: &[f32], d_x: &mut TableMut<'_>
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of valid", d_x.rows(), valid.len())?;
            ShapeMismatch::check("length of d_y", d_x.dim(), d_y.len())
        } = mean_backward_loops;
}

/// The valid steps.
#[inline(always)]
fn steps(valid: &[bool]) -> impl Iterator<Item = usize> {
    valid.iter().enumerate().filter(|(_, valid)| **valid).map(|(step, _)| step)
}

#[inline(always)]
fn max_loops<L: Lanes>(_: L, x: Table<'_>, valid: &[bool], y: &mut [f32]) {
    column_blocks!(L, as_chunks_mut(y), |block, column| {
        *block = greatest(Columns::new(x, column), valid);
    });
}

/// The maxima of some columns.
#[inline(always)]
fn greatest<const WIDTH: usize>(columns: Columns<'_>, valid: &[bool]) -> [f32; WIDTH] {
    let (mut max, mut is_first) = ([0.0; WIDTH], true);
    for step in steps(valid) {
        let Some(x) = columns.floats::<WIDTH>(step) else { continue };
        if is_first {
            (max, is_first) = (*x, false);
        }
        for (max, x) in max.iter_mut().zip(x) {
            *max = if max.is_nan() || *x <= *max { *max } else { *x };
        }
    }
    max
}

#[inline(always)]
fn max_backward_loops<L: Lanes>(_: L, x: Table<'_>, valid: &[bool], d_y: &[f32], d_x: &mut TableMut<'_>) {
    column_blocks!(L, as_chunks(d_y), |block, column| {
        share(Columns::new(x, column), valid, block, column, d_x);
    });
}

/// Shares the gradients of some columns among the steps that have their maxima.
#[inline(always)]
fn share<const WIDTH: usize>(
    columns: Columns<'_>,
    valid: &[bool],
    d_y: &[f32; WIDTH],
    column: usize,
    d_x: &mut TableMut<'_>,
) {
    let max = greatest::<WIDTH>(columns, valid);
    let mut counts = [0.0; WIDTH];
    for step in steps(valid) {
        let Some(x) = columns.floats::<WIDTH>(step) else { continue };
        for ((count, x), max) in counts.iter_mut().zip(x).zip(&max) {
            *count += if x == max { 1.0 } else { 0.0 };
        }
    }
    let mut shares = *d_y;
    for (share, count) in shares.iter_mut().zip(counts) {
        *share /= count;
    }
    for (step, valid) in valid.iter().enumerate() {
        let Some(to) = d_x.row_mut(step).and_then(|row| columns_mut::<WIDTH>(row, column)) else { continue };
        match columns.floats::<WIDTH>(step) {
            Some(x) if *valid => {
                for (((to, x), max), share) in to.iter_mut().zip(x).zip(&max).zip(&shares) {
                    *to = if x == max { *share } else { 0.0 };
                }
            }
            _ => *to = [0.0; WIDTH],
        }
    }
}

#[inline(always)]
fn mean_loops<L: Lanes>(_: L, x: Table<'_>, valid: &[bool], y: &mut [f32]) {
    let count = steps(valid).count() as f32;
    column_blocks!(L, as_chunks_mut(y), |block, column| {
        *block = mean(Columns::new(x, column), valid, count);
    });
}

/// The means of some columns.
#[inline(always)]
fn mean<const WIDTH: usize>(columns: Columns<'_>, valid: &[bool], count: f32) -> [f32; WIDTH] {
    let mut sum = [0.0; WIDTH];
    for step in steps(valid) {
        let Some(x) = columns.floats::<WIDTH>(step) else { continue };
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum += x;
        }
    }
    if count > 0.0 {
        for sum in &mut sum {
            *sum /= count;
        }
    }
    sum
}

#[inline(always)]
fn mean_backward_loops<L: Lanes>(_: L, valid: &[bool], d_y: &[f32], d_x: &mut TableMut<'_>) {
    let count = steps(valid).count() as f32;
    for (step, valid) in valid.iter().enumerate() {
        for (to, d) in d_x.row_mut(step).unwrap_or_default().iter_mut().zip(d_y) {
            *to = if *valid { d / count } else { 0.0 };
        }
    }
}
