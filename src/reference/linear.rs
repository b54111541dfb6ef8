//! Dot products and matrix products.

use super::lane_sum;
use crate::error::ShapeMismatch;
use crate::table::{Table, TableMut};

/// Element (i, j), or 0 outside the table.
fn at(table: &Table<'_>, i: usize, j: usize) -> f32 {
    table.row(i).and_then(|row| row.get(j)).copied().unwrap_or(0.0)
}

/// Σᵢ xᵢ, by sixteen lanes.
pub fn sum(x: &[f32]) -> f32 {
    lane_sum(x.iter().copied())
}

/// Σᵢ aᵢ bᵢ.
///
/// # Errors
/// If the lengths differ.
pub fn dot(a: &[f32], b: &[f32]) -> Result<f32, ShapeMismatch> {
    ShapeMismatch::check("length of b", a.len(), b.len())?;
    Ok(lane_sum(a.iter().zip(b).map(|(a, b)| a * b)))
}

/// y += alpha x.
///
/// # Errors
/// If the lengths differ.
pub fn axpy(alpha: f32, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of y", x.len(), y.len())?;
    for (y, x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
    Ok(())
}

/// A += alpha x yᵀ.
///
/// # Errors
/// If `x` or `y` does not fit the shape of A.
pub fn ger(alpha: f32, x: &[f32], y: &[f32], a: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of x", a.rows(), x.len())?;
    ShapeMismatch::check("length of y", a.dim(), y.len())?;
    for (i, x) in x.iter().enumerate() {
        for (a, y) in a.row_mut(i).into_iter().flatten().zip(y) {
            *a += (alpha * x) * y;
        }
    }
    Ok(())
}

/// y = W x for W `[n, k]`.
///
/// # Errors
/// If `x` does not have k or `y` n numbers.
pub fn gemv(w: Table<'_>, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of x", w.dim(), x.len())?;
    ShapeMismatch::check("length of y", w.rows(), y.len())?;
    for (i, y) in y.iter_mut().enumerate() {
        *y = lane_sum(x.iter().enumerate().map(|(j, x)| at(&w, i, j) * x));
    }
    Ok(())
}

/// C += A B for A `[m, k]`, B `[k, n]`, C `[m, n]`.
///
/// # Errors
/// If the shapes do not fit.
pub fn gemm(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of b", a.dim(), b.rows())?;
    ShapeMismatch::check("rows of c", a.rows(), c.rows())?;
    ShapeMismatch::check("dim of c", b.dim(), c.dim())?;
    add_product(a.dim(), c, |i, p| at(&a, i, p), |p, j| at(&b, p, j));
    Ok(())
}

/// C += Aᵀ B for A `[k, m]`, B `[k, n]`, C `[m, n]`.
///
/// # Errors
/// If the shapes do not fit.
pub fn gemm_tn(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of b", a.rows(), b.rows())?;
    ShapeMismatch::check("rows of c", a.dim(), c.rows())?;
    ShapeMismatch::check("dim of c", b.dim(), c.dim())?;
    add_product(a.rows(), c, |i, p| at(&a, p, i), |p, j| at(&b, p, j));
    Ok(())
}

/// C = A Bᵀ for A `[m, k]`, B `[n, k]`, C `[m, n]`.
///
/// # Errors
/// If the shapes do not fit.
pub fn gemm_nt(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("dim of b", a.dim(), b.dim())?;
    ShapeMismatch::check("rows of c", a.rows(), c.rows())?;
    ShapeMismatch::check("dim of c", b.rows(), c.dim())?;
    for i in 0..c.rows() {
        for (j, c) in c.row_mut(i).into_iter().flatten().enumerate() {
            *c = lane_sum((0..a.dim()).map(|p| at(&a, i, p) * at(&b, j, p)));
        }
    }
    Ok(())
}

/// c(i, j) += left(i, p) · right(p, j) for p = 0, 1, ..., k − 1.
fn add_product(
    k: usize,
    c: &mut TableMut<'_>,
    left: impl Fn(usize, usize) -> f32,
    right: impl Fn(usize, usize) -> f32,
) {
    for i in 0..c.rows() {
        for (j, c) in c.row_mut(i).into_iter().flatten().enumerate() {
            for p in 0..k {
                *c += left(i, p) * right(p, j);
            }
        }
    }
}
