//! Dot products and matrix products over [`Table`] views of any stride.
//!
//! There are two ways to sum, and every function here has one of them for good, whatever the shape, the batch or the level:
//!
//! *Serial*: each output starts from what stands in it, and the terms are added one after the other. Neighbouring outputs are
//! independent, so they share a register without a change of bits, and a batch can be added piece by piece.
//!
//! ```text
//! gemm:    for i, j:  for p in 0..k:  c[i][j] += a[i][p] * b[p][j]        forward pass
//! gemm_tn: for i, j:  for p in 0..k:  c[i][j] += a[p][i] * b[p][j]        gradient of the weights; p: the examples in order
//! axpy:    for i:                     y[i]    += alpha * x[i]
//! ```
//!
//! *Sixteen lanes*: where the terms themselves are neighbours in memory, term i goes to lane i % 16 and a fixed tree adds the
//! lanes (see `simd`).
//!
//! ```text
//! dot:     lane_sum over i of  a[i] * b[i]
//! gemv:    for j:  y[j]    = dot(w[j], x)
//! gemm_nt: for i:  c[i]    = gemv(b, a[i])                                gradient of the input
//! ```
//!
//! What the code does otherwise than these loops, and why:
//!
//! - A serial output is held in a register over all of k: sixteen columns and, as registers suffice, one, two or four rows at a
//!   time. A row of B is so read once for four rows of C, and C once in all.
//! - The n % 16 last columns are done in blocks of 8, 4 and 1, also over k: one column (a single unit, a logit) costs one
//!   multiplication and one addition a term and no idle lanes. Four rows at a time, their chains of additions overlap; not on
//!   a processor without vectors, which would gain little and have more code.
//! - gemv takes four rows of W at a time, where registers suffice, and reads x once for them. Each dot product has its own lanes, so this too changes no bits.
//! - A dot product over a ragged end loads it under a mask, the other lanes +0.
//!
//! Bytes moved, from memory or cache: 4 m k ⌈n / 16⌉ of A, 4 k n ⌈m / 4⌉ of B, 8 m n of C for gemm and `gemm_tn`;
//! 4 n k + 4 k ⌈n / 4⌉ for gemv, of which the first is the weights, read once: gemv runs at the speed of memory. `gemm_nt` is m
//! gemvs.

use crate::error::ShapeMismatch;
use crate::simd::{self, LANES, Lanes, dots, simd_fn};
use crate::table::{Table, TableMut};

simd_fn! {
    /// Σᵢ xᵢ, by sixteen lanes.
    pub fn sum, sum_at(x: &[f32]) -> f32 = sum_body;

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
    pub fn dot, dot_at(a: &[f32], b: &[f32]) -> Result<f32, ShapeMismatch> = dot_body;

    /// y += alpha x.
    ///
    /// # Errors
    /// If the lengths differ; `y` is then as it was.
    pub fn axpy, axpy_at(alpha: f32, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch> = axpy_body;

    /// y = W x for W `[n, k]`: each yⱼ is the [`dot`] of row j and x.
    ///
    /// # Errors
    /// If `x` does not have k or `y` n numbers; `y` is then as it was.
    pub fn gemv, gemv_at(w: Table<'_>, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch> = gemv_body;

    /// C += A B for A `[m, k]`, B `[k, n]`, C `[m, n]`, serial over k.
    ///
    /// ```
    /// use nanoembed::{kernels::gemm, table::{Table, TableMut}};
    /// let x = Table::from_rows(&[[1.0, 2.0]]); // one example, two inputs
    /// let weights = Table::from_rows(&[[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]]); // three units
    /// let mut y = [[10.0, 20.0, 30.0]]; // starts as the bias
    /// gemm(x, weights, &mut TableMut::from_rows(&mut y))?;
    /// assert_eq!(y, [[11.0, 22.0, 31.5]]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If the shapes do not fit; C is then as it was.
    pub fn gemm, gemm_at(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch> = gemm_body;

    /// C += Aᵀ B for A `[k, m]`, B `[k, n]`, C `[m, n]`, serial over k.
    ///
    /// With a batch of inputs A and gradients B, C is the gradient of the weights, accumulated example by example.
    ///
    /// # Errors
    /// If the shapes do not fit; C is then as it was.
    pub fn gemm_tn, gemm_tn_at(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch> = gemm_tn_body;

    /// C = A Bᵀ for A `[m, k]`, B `[n, k]`, C `[m, n]`: each element is the [`dot`] of a row of A and a row of B.
    ///
    /// With gradients A and weights B (inputs by units), C is the gradient of the input.
    ///
    /// # Errors
    /// If the shapes do not fit; C is then as it was.
    pub fn gemm_nt, gemm_nt_at(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch> = gemm_nt_body;
}

#[inline(always)]
fn sum_body<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    simd::sum(lanes, x)
}

#[inline(always)]
fn dot_body<L: Lanes>(lanes: L, a: &[f32], b: &[f32]) -> Result<f32, ShapeMismatch> {
    ShapeMismatch::check("length of b", a.len(), b.len())?;
    let [sum] = dots(lanes, [a], b).unwrap_or_default();
    Ok(sum)
}

#[inline(always)]
fn axpy_body<L: Lanes>(_: L, alpha: f32, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of y", x.len(), y.len())?;
    for (y, x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
    Ok(())
}

#[inline(always)]
fn gemv_body<L: Lanes>(lanes: L, w: Table<'_>, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of x", w.dim(), x.len())?;
    ShapeMismatch::check("length of y", w.rows(), y.len())?;
    dot_rows(lanes, w, x, y);
    Ok(())
}

#[inline(always)]
fn gemm_body<L: Lanes>(
    lanes: L,
    a: Table<'_>,
    b: Table<'_>,
    c: &mut TableMut<'_>,
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of b", a.dim(), b.rows())?;
    ShapeMismatch::check("rows of c", a.rows(), c.rows())?;
    ShapeMismatch::check("dim of c", b.dim(), c.dim())?;
    add_product(lanes, AsIs(a), b, c);
    Ok(())
}

#[inline(always)]
fn gemm_tn_body<L: Lanes>(
    lanes: L,
    a: Table<'_>,
    b: Table<'_>,
    c: &mut TableMut<'_>,
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of b", a.rows(), b.rows())?;
    ShapeMismatch::check("rows of c", a.dim(), c.rows())?;
    ShapeMismatch::check("dim of c", b.dim(), c.dim())?;
    add_product(lanes, Transposed(a), b, c);
    Ok(())
}

#[inline(always)]
fn gemm_nt_body<L: Lanes>(
    lanes: L,
    a: Table<'_>,
    b: Table<'_>,
    c: &mut TableMut<'_>,
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("dim of b", a.dim(), b.dim())?;
    ShapeMismatch::check("rows of c", a.rows(), c.rows())?;
    ShapeMismatch::check("dim of c", b.rows(), c.dim())?;
    for i in 0..a.rows() {
        if let (Some(a), Some(c)) = (a.row(i), c.row_mut(i)) {
            dot_rows(lanes, b, a, c);
        }
    }
    Ok(())
}

/// yⱼ = dot of row j and x.
#[inline(always)]
fn dot_rows<L: Lanes>(lanes: L, w: Table<'_>, x: &[f32], y: &mut [f32]) {
    let (blocks, rest) = if L::ROWS >= 4 { y.as_chunks_mut() } else { (&mut [][..], y) };
    let mut j = 0;
    for y in blocks {
        if let Some(rows) = rows_from::<4>(w, j)
            && let Some(sums) = dots(lanes, rows, x)
        {
            *y = sums;
        }
        j += 4;
    }
    for y in rest {
        if let Some(row) = w.row(j)
            && let Some([sum]) = dots(lanes, [row], x)
        {
            *y = sum;
        }
        j += 1;
    }
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

/// The left factor of a product: what multiplies row p of the right one.
trait Left: Copy {
    /// For p = 0, 1, ..., k − 1 (and perhaps on), elements (i, p) to (i + R − 1, p).
    fn columns<const R: usize>(&self, i: usize) -> Option<impl Iterator<Item = [f32; R]>>;
}

/// A itself: the elements stand in R rows.
#[derive(Clone, Copy)]
struct AsIs<'a>(Table<'a>);

/// Aᵀ: the elements stand side by side in a row of A.
#[derive(Clone, Copy)]
struct Transposed<'a>(Table<'a>);

impl Left for AsIs<'_> {
    #[inline(always)]
    fn columns<const R: usize>(&self, i: usize) -> Option<impl Iterator<Item = [f32; R]>> {
        Some(Across { rows: rows_from(self.0, i)?, p: 0 })
    }
}

impl Left for Transposed<'_> {
    #[inline(always)]
    fn columns<const R: usize>(&self, i: usize) -> Option<impl Iterator<Item = [f32; R]>> {
        Some(Down::new(self.0, i).copied())
    }
}

/// Walks along R rows at once.
struct Across<'a, const R: usize> {
    rows: [&'a [f32]; R],
    p: usize,
}

impl<const R: usize> Iterator for Across<'_, R> {
    type Item = [f32; R];

    #[inline(always)]
    fn next(&mut self) -> Option<[f32; R]> {
        let mut elements = [0.0; R];
        for (element, row) in elements.iter_mut().zip(self.rows) {
            *element = *row.get(self.p)?;
        }
        self.p += 1;
        Some(elements)
    }
}

/// Walks down D neighbouring columns, and on through whatever stands after the last row: the user counts the rows.
struct Down<'a, const D: usize> {
    rest: &'a [f32],
    stride: usize,
}

impl<'a, const D: usize> Down<'a, D> {
    #[inline(always)]
    fn new(table: Table<'a>, column: usize) -> Self {
        Self { rest: table.starting_at(column), stride: table.stride() }
    }
}

impl<'a, const D: usize> Iterator for Down<'a, D> {
    type Item = &'a [f32; D];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [f32; D]> {
        let block = self.rest.first_chunk()?;
        self.rest = self.rest.get(self.stride..).unwrap_or_default();
        Some(block)
    }
}

/// C += left · B, block of columns by block of columns.
#[inline(always)]
fn add_product<L: Lanes>(lanes: L, left: impl Left, b: Table<'_>, c: &mut TableMut<'_>) {
    let n = c.dim();
    let mut j = 0;
    while n - j >= LANES {
        let mut i = 0;
        while L::ROWS >= 4 && c.rows() - i >= 4 {
            let _ = wide_tile::<L, 4>(lanes, left, b, c, i, j);
            i += 4;
        }
        while L::ROWS >= 2 && c.rows() - i >= 2 {
            let _ = wide_tile::<L, 2>(lanes, left, b, c, i, j);
            i += 2;
        }
        while c.rows() > i {
            let _ = wide_tile::<L, 1>(lanes, left, b, c, i, j);
            i += 1;
        }
        j += LANES;
    }
    while n - j >= 8 {
        narrow_block::<L, 8>(left, b, c, j);
        j += 8;
    }
    while n - j >= 4 {
        narrow_block::<L, 4>(left, b, c, j);
        j += 4;
    }
    while n - j >= 1 {
        narrow_block::<L, 1>(left, b, c, j);
        j += 1;
    }
}

/// Rows i to i + R − 1, columns j to j + 15 of C, which exist: `None` does not occur.
#[inline(always)]
fn wide_tile<L: Lanes, const R: usize>(
    lanes: L,
    left: impl Left,
    b: Table<'_>,
    c: &mut TableMut<'_>,
    i: usize,
    j: usize,
) -> Option<()> {
    let mut totals = [lanes.splat(0.0); R];
    for (total, c) in totals.iter_mut().zip(rows_from::<R>(c.as_table(), i)?) {
        *total = lanes.load(c.get(j..)?.first_chunk()?);
    }
    for (a, b) in left.columns::<R>(i)?.zip(Down::new(b, j)).take(b.rows()) {
        let b = lanes.load(b);
        for (total, a) in totals.iter_mut().zip(a) {
            *total = lanes.add(*total, lanes.mul(lanes.splat(a), b));
        }
    }
    for (q, total) in totals.into_iter().enumerate() {
        lanes.store(total, c.row_mut(i + q)?.get_mut(j..)?.first_chunk_mut()?);
    }
    Some(())
}

/// Columns j to j + D − 1 of all rows of C.
#[inline(always)]
fn narrow_block<L: Lanes, const D: usize>(left: impl Left, b: Table<'_>, c: &mut TableMut<'_>, j: usize) {
    let mut i = 0;
    while L::ROWS > 1 && c.rows() - i >= 4 {
        let _ = narrow_tile::<4, D>(left, b, c, i, j);
        i += 4;
    }
    while c.rows() > i {
        let _ = narrow_tile::<1, D>(left, b, c, i, j);
        i += 1;
    }
}

/// Rows i to i + R − 1, columns j to j + D − 1 of C, which exist: `None` does not occur.
#[inline(always)]
fn narrow_tile<const R: usize, const D: usize>(
    left: impl Left,
    b: Table<'_>,
    c: &mut TableMut<'_>,
    i: usize,
    j: usize,
) -> Option<()> {
    let mut totals = [[0.0; D]; R];
    for (total, c) in totals.iter_mut().zip(rows_from::<R>(c.as_table(), i)?) {
        *total = *c.get(j..)?.first_chunk()?;
    }
    for (a, b) in left.columns::<R>(i)?.zip(Down::<D>::new(b, j)).take(b.rows()) {
        for (total, a) in totals.iter_mut().zip(a) {
            for (total, b) in total.iter_mut().zip(b) {
                *total += a * b;
            }
        }
    }
    for (q, total) in totals.into_iter().enumerate() {
        *c.row_mut(i + q)?.get_mut(j..)?.first_chunk_mut()? = total;
    }
    Some(())
}
