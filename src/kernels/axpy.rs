//! A multiple of a vector added to a vector, or to each row of a matrix.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`axpy`].

use crate::error::ShapeMismatch;
use crate::simd::{Lanes, simd_fn};
use crate::table::TableMut;

simd_fn! {
    /// y += alpha x.
    ///
    /// # Errors
    /// If the lengths differ; `y` is then as it was.
    ///
    /// # How it is computed
    /// ```text
    /// axpy: for i:     y[i]    += alpha * x[i]
    /// ger:  for i, j:  a[i][j] += (alpha * x[i]) * y[j]
    /// ```
    ///
    /// Neighbouring outputs are independent. They are taken sixteen at a time, in the lanes: a plain loop
    /// over a row of sixteen numbers, shorter than its unrolled vectors, falls to its scalar tail. Every
    /// output takes one term a call, so a batch of examples added one after the other has the bits of
    /// `gemm_tn` on all of them (for alpha = 1).
    ///
    /// # Cost
    /// `axpy` moves 12 n bytes. `ger` moves 8 m n + 4 m, and reads y from the first cache.
    pub fn axpy, axpy_at(alpha: f32, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("length of y", x.len(), y.len()) } = axpy_loops;

    /// A += alpha x yᵀ for A `[m, n]`, the rank-1 update: each a(i, j) += (alpha xᵢ) yⱼ.
    ///
    /// With an input x and a gradient y, A is the gradient of the weights.
    ///
    /// ```
    /// use nanoembed::table::TableMut;
    /// use nanoembed::internals::ger;
    /// let mut a = [[1.0, 0.0], [0.0, 1.0]];
    /// ger(2.0, &[1.0, 10.0], &[3.0, 4.0], &mut TableMut::from_rows(&mut a))?;
    /// assert_eq!(a, [[7.0, 8.0], [60.0, 81.0]]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If `x` does not have m or `y` n numbers; A is then as it was.
    ///
    /// # Cost
    /// [`axpy`] tells how it is computed and what it costs.
    pub fn ger, ger_at(alpha: f32, x: &[f32], y: &[f32], a: &mut TableMut<'_>) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of x", a.rows(), x.len())?;
            ShapeMismatch::check("length of y", a.dim(), y.len())
        } = ger_loops;
}

#[inline(always)]
fn axpy_loops<L: Lanes>(lanes: L, alpha: f32, x: &[f32], y: &mut [f32]) {
    add_multiple(lanes, alpha, x, y);
}

#[inline(always)]
fn ger_loops<L: Lanes>(lanes: L, alpha: f32, x: &[f32], y: &[f32], a: &mut TableMut<'_>) {
    for (i, x) in x.iter().enumerate() {
        if let Some(row) = a.row_mut(i) {
            add_multiple(lanes, alpha * x, y, row);
        }
    }
}

/// y += alpha x, over the shorter of the two.
#[inline(always)]
pub(super) fn add_multiple<L: Lanes>(lanes: L, alpha: f32, x: &[f32], y: &mut [f32]) {
    let ((x_blocks, x), (y_blocks, y)) = (x.as_chunks(), y.as_chunks_mut());
    let factor = lanes.splat(alpha);
    for (y, x) in y_blocks.iter_mut().zip(x_blocks) {
        lanes.store(lanes.add(lanes.load(y), lanes.mul(factor, lanes.load(x))), y);
    }
    for (y, x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
}
