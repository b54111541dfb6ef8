//! Sums over sixteen lanes: dot products, one or many.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`dot`].

use crate::error::ShapeMismatch;
use crate::simd::{self, Lanes, dot_tile, dots, simd_fn};
use crate::table::{Table, TableMut};
use core::ops::Range;

simd_fn! {
    /// Σᵢ xᵢ, by sixteen lanes.
    ///
    /// # Cost
    /// [`dot`] tells how it is computed and what it costs.
    pub fn sum, sum_at(x: &[f32]) -> f32 = sum_body;

    /// Σ xᵢ², by sixteen lanes: the square of the norm.
    ///
    /// ```
    /// assert_eq!(nanoembed::internals::sum_of_squares(&[3.0, -4.0]), 25.0);
    /// ```
    ///
    /// # Cost
    /// [`dot`] tells how it is computed and what it costs.
    pub fn sum_of_squares, sum_of_squares_at(x: &[f32]) -> f32 = squares;
}

simd_fn! {
    /// Σᵢ aᵢ bᵢ, by sixteen lanes.
    ///
    /// ```
    /// use nanoembed::kernels::dot;
    /// assert_eq!(dot(&[1.0, 2.0], &[3.0, 4.0])?, 11.0);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If the lengths differ.
    ///
    /// # How it is computed
    /// Where the terms of a sum are neighbours in memory, term i goes to lane i % 16 and a fixed tree adds
    /// the lanes (see `simd`), whatever the shape, the batch or the level.
    ///
    /// ```text
    /// sum:     lane_sum over i of  x[i]
    /// dot:     lane_sum over i of  a[i] * b[i]
    /// gemv:    for j:     y[j]    = dot(w[j], x)
    /// gemm_nt: for i, j:  c[i][j] = dot(a[i], b[j])                           gradient of the input
    /// ```
    ///
    /// What the code does otherwise than these loops, and why:
    ///
    /// - A single dot product is one chain of additions and waits for each of them: n / 16 times the latency
    ///   of an addition, 3 cycles on Zen 4, is as fast as its order allows, and that is half (256 elements)
    ///   to four fifths (1024) of what the first cache could deliver. More accumulators would be another sum.
    /// - gemv takes four rows of W at a time, where registers suffice, and reads x once for them. Each dot
    ///   product has its own lanes, so this changes no bits, and their chains overlap.
    /// - `gemm_nt` takes four rows of A and four of B at a time with AVX-512, and two and two in long rows, or
    ///   where B has fewer: four products then take two and four loads, where those of one row of A take five.
    ///   In short rows a tile costs more than its loads, and one row of C is cheaper to write than two.
    /// - So many rows of A as stay in the first cache, and no fewer than four, are multiplied by all of B
    ///   before the next follow.
    /// - The lanes of four products are summed together, which takes half the additions of four single sums;
    ///   with AVX-512 a third, since the four share registers from the first addition on.
    /// - A ragged end is loaded under a mask, the other lanes +0.
    ///
    /// # Cost
    /// From memory or cache `gemv` moves 4 n k + 4 k ⌈n / 4⌉ bytes. The first term is the weights, which are
    /// read once: `gemv` runs at the speed of memory. `gemm_nt` moves 4 m k and 4 n k for each 4096 numbers of
    /// A from there, the rest from the first cache.
    pub fn dot, dot_at(a: &[f32], b: &[f32]) -> Result<f32, ShapeMismatch>
        where { ShapeMismatch::check("length of b", a.len(), b.len()) } = dot_loops;

    /// y = W x for W `[n, k]`: each yⱼ is the [`dot`] of row j and x.
    ///
    /// # Errors
    /// If `x` does not have k or `y` n numbers; `y` is then as it was.
    ///
    /// # Cost
    /// [`dot`] tells how it is computed and what it costs.
    pub fn gemv, gemv_at(w: Table<'_>, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of x", w.dim(), x.len())?;
            ShapeMismatch::check("length of y", w.rows(), y.len())
        } = gemv_loops;

    /// C = A Bᵀ for A `[m, k]`, B `[n, k]`, C `[m, n]`: each element is the [`dot`] of a row of A and a row
    /// of B.
    ///
    /// With gradients A and weights B (inputs by units), C is the gradient of the input.
    ///
    /// # Errors
    /// If the shapes do not fit; C is then as it was.
    ///
    /// # Cost
    /// [`dot`] tells how it is computed and what it costs.
    pub fn gemm_nt, gemm_nt_at(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("dim of b", a.dim(), b.dim())?;
            ShapeMismatch::check("rows of c", a.rows(), c.rows())?;
            ShapeMismatch::check("dim of c", b.rows(), c.dim())
        } = gemm_nt_loops;
}

#[inline(always)]
fn sum_body<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    simd::sum(lanes, x)
}

/// Σ xᵢ², for kernels.
#[inline(always)]
pub(crate) fn squares<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    let [sum] = dots(lanes, [x], x).unwrap_or_default();
    sum
}

#[inline(always)]
fn dot_loops<L: Lanes>(lanes: L, a: &[f32], b: &[f32]) -> f32 {
    let [sum] = dots(lanes, [a], b).unwrap_or_default();
    sum
}

#[inline(always)]
fn gemv_loops<L: Lanes>(lanes: L, w: Table<'_>, x: &[f32], y: &mut [f32]) {
    let n = w.rows();
    let mut j = 0;
    while L::ACCUMULATORS >= 4 && n - j >= 4 {
        let _ = dot_rows::<L, 4>(lanes, w, x, y, j);
        j += 4;
    }
    while L::ACCUMULATORS >= 2 && n - j >= 2 {
        let _ = dot_rows::<L, 2>(lanes, w, x, y, j);
        j += 2;
    }
    while n - j >= 1 {
        let _ = dot_rows::<L, 1>(lanes, w, x, y, j);
        j += 1;
    }
}

/// Elements j to j + R − 1 of y, which exist: `None` does not occur.
#[inline(always)]
fn dot_rows<L: Lanes, const R: usize>(
    lanes: L,
    w: Table<'_>,
    x: &[f32],
    y: &mut [f32],
    j: usize,
) -> Option<()> {
    *y.get_mut(j..)?.first_chunk_mut()? = dots(lanes, rows_from::<R>(w, j)?, x)?;
    Some(())
}

/// Numbers of A that are worked on at a time: half of a first cache of 32 KiB.
const NEAR: usize = 4096;

#[inline(always)]
pub(super) fn gemm_nt_loops<L: Lanes>(lanes: L, a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) {
    let mut first = 0;
    while first < a.rows() {
        // So few rows of A that they stay in the first cache for all columns.
        let last = a.rows().min(first + (NEAR / a.dim().max(1) / 4).max(1) * 4);
        if L::ACCUMULATORS >= 8 && b.rows() >= 4 {
            first = tiles::<L, 4, 4>(lanes, a, b, c, first..last);
        } else if L::ACCUMULATORS >= 8 || L::ACCUMULATORS == 4 && a.dim() >= 256 {
            first = tiles::<L, 2, 2>(lanes, a, b, c, first..last);
        }
        if L::ACCUMULATORS >= 8 {
            first = tiles::<L, 1, 8>(lanes, a, b, c, first..last);
        } else if L::ACCUMULATORS == 4 {
            first = tiles::<L, 1, 4>(lanes, a, b, c, first..last);
        } else if L::ACCUMULATORS == 2 {
            first = tiles::<L, 1, 2>(lanes, a, b, c, first..last);
        } else {
            first = tiles::<L, 1, 1>(lanes, a, b, c, first..last);
        }
    }
}

/// Some rows of C, R at a time, in tiles of D columns: gives the row after the last that it did.
#[inline(always)]
fn tiles<L: Lanes, const R: usize, const D: usize>(
    lanes: L,
    a: Table<'_>,
    b: Table<'_>,
    c: &mut TableMut<'_>,
    rows: Range<usize>,
) -> usize {
    let (n, last) = (b.rows(), rows.end - rows.len() % R);
    let mut j = 0;
    while n - j >= D {
        columns::<L, R, D>(lanes, a, b, c, rows.start..last, j);
        j += D;
    }
    while D > 2 && n - j >= 2 {
        columns::<L, R, 2>(lanes, a, b, c, rows.start..last, j);
        j += 2;
    }
    while D > 1 && n - j >= 1 {
        columns::<L, R, 1>(lanes, a, b, c, rows.start..last, j);
        j += 1;
    }
    last
}

/// Columns j to j + D − 1 of some rows of C, which are R or a multiple.
#[inline(always)]
fn columns<L: Lanes, const R: usize, const D: usize>(
    lanes: L,
    a: Table<'_>,
    b: Table<'_>,
    c: &mut TableMut<'_>,
    rows: Range<usize>,
    j: usize,
) {
    for i in rows.step_by(R) {
        let _ = tile::<L, R, D>(lanes, a, b, c, i, j);
    }
}

/// Rows i to i + R − 1, columns j to j + D − 1 of C, which exist: `None` does not occur.
#[inline(always)]
fn tile<L: Lanes, const R: usize, const D: usize>(
    lanes: L,
    a: Table<'_>,
    b: Table<'_>,
    c: &mut TableMut<'_>,
    i: usize,
    j: usize,
) -> Option<()> {
    let sums = dot_tile(lanes, rows_from::<R>(a, i)?, rows_from::<D>(b, j)?, a.dim())?;
    for (q, sums) in sums.iter().enumerate() {
        *c.row_mut(i + q)?.get_mut(j..)?.first_chunk_mut()? = *sums;
    }
    Some(())
}

/// Rows `first` to `first + R − 1`, if the table has them.
#[inline(always)]
fn rows_from<const R: usize>(table: Table<'_>, first: usize) -> Option<[&[f32]; R]> {
    let mut rows = [&[][..]; R];
    for (q, row) in rows.iter_mut().enumerate() {
        *row = table.row(first + q)?;
    }
    Some(rows)
}
