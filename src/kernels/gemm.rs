//! Matrix products that are serial over the shared extent: each output starts from what stands in it, and the
//! terms are added one after the other, whatever the shape, the batch or the level. So a batch can be added
//! piece by piece.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`gemm`].

use crate::error::ShapeMismatch;
use crate::simd::{Along, LANES, Lanes, Strided, simd_fn};
use crate::table::{Table, TableMut};

simd_fn! {
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
    ///
    /// # How it is computed
    /// ```text
    /// gemm:    for i, j:  for p in 0..k:  c[i][j] += a[i][p] * b[p][j]        forward pass
    /// gemm_tn: for i, j:  for p in 0..k:  c[i][j] += a[p][i] * b[p][j]        gradient of the weights; p: the examples in order
    /// ```
    ///
    /// Neighbouring outputs are independent: they share a register, and several registers are under way at
    /// once, without a change of bits. What the code does otherwise than these loops, and why:
    ///
    /// - An output is held in a register over all of k, in tiles of four rows and sixteen columns (two rows
    ///   where registers are few). A row of B is so read once for four rows of C, and C once in all. Eight
    ///   registers of AVX2 are enough chains of additions to hide their latency.
    /// - With AVX-512 a tile has eight rows and thirty-two columns. Zen 5 starts two multiplications and two
    ///   additions of sixteen floats a cycle: four chains do not keep it busy, and four rows of A and one of
    ///   B take longer to load than to multiply. The larger tile takes 0.73 to 0.79 of the time of four rows
    ///   and sixteen columns.
    /// - The m % 4 last rows are done two at a time in 32 columns and one at a time in 64, so that as many
    ///   chains overlap: a batch of one takes three quarters of the time that it takes with 16 columns.
    /// - A single row of 256 columns and more is read and written once for eight rows of B instead, which so
    ///   are read from their start to their end. B is then larger than the first cache, and this is the speed
    ///   at which the second gives it, 35 bytes a cycle on Zen 5: with AVX-512, for rows that do not start on
    ///   a cache line, nine tenths of the time of blocks of 64 columns.
    /// - A tile walks down B behind one check (`Strided`), and along its rows of A behind another (`Along`).
    ///   The loop calls `next` itself: a `zip` of two such iterators is not always inlined, and then takes
    ///   nine times as long. For the same reason blocks are looped over by reference: of arrays that are
    ///   moved into a loop, the loop was not unrolled in some callers, and its sums were in memory.
    /// - The rows of a tile go over all columns before the next rows follow, so that A is read from memory
    ///   once, however many rows it has; B, the weights, stays in the second cache and is read where it lies.
    /// - The n % 16 last columns are done in blocks of 8, 4 and 1, also over k: one column (a single unit, a
    ///   logit) costs one multiplication and one addition a term and no idle lanes. Four rows at a time,
    ///   their chains of additions overlap; not on a processor without vectors, which would gain little and
    ///   have more code, and which does all columns so.
    ///
    /// # Cost
    /// From memory or cache 4 m k ⌈n / 16⌉ bytes of A are moved, 4 k n ⌈m / 4⌉ of B and 8 m n of C; with
    /// AVX-512 half as much of A and B. A single long row of C is moved once for each eight rows of B.
    pub fn gemm, gemm_at(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of b", a.dim(), b.rows())?;
            ShapeMismatch::check("rows of c", a.rows(), c.rows())?;
            ShapeMismatch::check("dim of c", b.dim(), c.dim())
        } = gemm_loops;

    /// C += Aᵀ B for A `[k, m]`, B `[k, n]`, C `[m, n]`, serial over k.
    ///
    /// With a batch of inputs A and gradients B, C is the gradient of the weights, accumulated example by
    /// example.
    ///
    /// # Errors
    /// If the shapes do not fit; C is then as it was.
    ///
    /// # Cost
    /// [`gemm`] tells how it is computed and what it costs.
    pub fn gemm_tn, gemm_tn_at(a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of b", a.rows(), b.rows())?;
            ShapeMismatch::check("rows of c", a.dim(), c.rows())?;
            ShapeMismatch::check("dim of c", b.dim(), c.dim())
        } = gemm_tn_loops;
}

#[inline(always)]
fn gemm_loops<L: Lanes>(lanes: L, a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) {
    add_product(lanes, AsIs(a), b, c);
}

#[inline(always)]
fn gemm_tn_loops<L: Lanes>(lanes: L, a: Table<'_>, b: Table<'_>, c: &mut TableMut<'_>) {
    add_product(lanes, Transposed(a), b, c);
}

/// The left factor of a product.
pub(super) trait Left: Copy {
    /// Whether each sum starts from zero, apart from C, and is added to it at the end; otherwise it starts
    /// from C.
    const APART: bool = false;

    /// For p = 0, 1, ..., k − 1, elements (i, p) to (i + R − 1, p): what multiplies row p of the right
    /// factor.
    fn columns<const R: usize>(&self, i: usize) -> Option<impl Iterator<Item = [f32; R]> + Clone>;
}

/// A itself: the elements stand in R rows.
#[derive(Clone, Copy)]
pub(super) struct AsIs<'a>(pub(super) Table<'a>);

/// Aᵀ: the elements stand side by side in a row of A.
#[derive(Clone, Copy)]
pub(super) struct Transposed<'a>(pub(super) Table<'a>);

impl Left for AsIs<'_> {
    #[inline(always)]
    fn columns<const R: usize>(&self, i: usize) -> Option<impl Iterator<Item = [f32; R]> + Clone> {
        Across::new(|q| self.0.row(i + q))
    }
}

impl Left for Transposed<'_> {
    #[inline(always)]
    fn columns<const R: usize>(&self, i: usize) -> Option<impl Iterator<Item = [f32; R]> + Clone> {
        let blocks = Strided::<1, R>::new(self.0.starting_at(i), self.0.stride(), self.0.rows())?;
        Some(blocks.map(|[block]| *block))
    }
}

/// Walks along R rows at once.
#[derive(Clone)]
pub(super) struct Across<'a, const R: usize>(Along<'a, R, 1>);

impl<'a, const R: usize> Across<'a, R> {
    /// From the start of the rows that `row` gives for 0, 1, ..., R − 1.
    #[inline(always)]
    pub(super) fn new(row: impl Fn(usize) -> Option<&'a [f32]>) -> Option<Self> {
        let mut rows = [&[][..]; R];
        for (q, to) in rows.iter_mut().enumerate() {
            *to = row(q)?;
        }
        Some(Self(Along::new(rows)))
    }
}

impl<const R: usize> Iterator for Across<'_, R> {
    type Item = [f32; R];

    #[inline(always)]
    fn next(&mut self) -> Option<[f32; R]> {
        let mut elements = [0.0; R];
        for (element, [number]) in elements.iter_mut().zip(&self.0.next()?) {
            *element = *number;
        }
        Some(elements)
    }
}

/// C += left · B.
#[inline(always)]
pub(super) fn add_product<L: Lanes, A: Left>(lanes: L, left: A, b: Table<'_>, c: &mut TableMut<'_>) {
    let (m, n) = (c.rows(), c.dim());
    let mut i = 0;
    if L::ACCUMULATORS > 1 && n >= LANES {
        while L::ACCUMULATORS >= 8 && m - i >= 8 {
            let _ = wide_columns::<L, A, 8, 2>(lanes, left, b, c, i);
            i += 8;
        }
        while L::ACCUMULATORS >= 8 && m - i >= 4 {
            let _ = wide_columns::<L, A, 4, 2>(lanes, left, b, c, i);
            i += 4;
        }
        while L::ACCUMULATORS == 4 && m - i >= 4 {
            let _ = wide_columns::<L, A, 4, 1>(lanes, left, b, c, i);
            i += 4;
        }
        while L::ACCUMULATORS >= 4 && m - i >= 2 {
            let _ = wide_columns::<L, A, 2, 2>(lanes, left, b, c, i);
            i += 2;
        }
        while L::ACCUMULATORS == 2 && m - i >= 2 {
            let _ = wide_columns::<L, A, 2, 1>(lanes, left, b, c, i);
            i += 2;
        }
        while L::ACCUMULATORS >= 4 && !A::APART && n >= LONG && b.rows() >= 8 && m - i >= 1 {
            let _ = swept_row(lanes, left, b, c, i);
            i += 1;
        }
        while L::ACCUMULATORS >= 4 && m - i >= 1 {
            let _ = wide_columns::<L, A, 1, 4>(lanes, left, b, c, i);
            i += 1;
        }
        while L::ACCUMULATORS == 2 && m - i >= 1 {
            let _ = wide_columns::<L, A, 1, 2>(lanes, left, b, c, i);
            i += 1;
        }
    }
    // Without vectors a row of 16 is no better than two of 8, and more code.
    let first = if L::ACCUMULATORS > 1 { n - n % LANES } else { 0 };
    if first < n {
        let mut i = 0;
        while L::ACCUMULATORS > 1 && m - i >= 4 {
            let _ = last_columns::<A, 4>(left, b, c, i, first);
            i += 4;
        }
        while m - i >= 1 {
            let _ = last_columns::<A, 1>(left, b, c, i, first);
            i += 1;
        }
    }
}

/// Rows i to i + R − 1 of C, which exist (`None` does not occur), but for the n % 16 last columns: 16 V
/// columns at a time.
#[inline(always)]
fn wide_columns<L: Lanes, A: Left, const R: usize, const V: usize>(
    lanes: L,
    left: A,
    b: Table<'_>,
    c: &mut TableMut<'_>,
    i: usize,
) -> Option<()> {
    let columns = left.columns::<R>(i)?;
    let (n, stride) = (c.dim(), c.stride());
    let c = c.starting_at_row_mut(i);
    let mut j = 0;
    while n - j >= V * LANES {
        wide_tile::<L, A, R, V>(lanes, columns.clone(), b, c.get_mut(j..)?, stride, j)?;
        j += V * LANES;
    }
    while V > 1 && n - j >= LANES {
        wide_tile::<L, A, R, 1>(lanes, columns.clone(), b, c.get_mut(j..)?, stride, j)?;
        j += LANES;
    }
    Some(())
}

/// Columns from which on a single row of C is swept over.
const LONG: usize = 256;

/// Row i of C, which exists (`None` does not occur), but for the n % 16 last columns: eight rows of B at a
/// time.
#[inline(always)]
fn swept_row<L: Lanes, A: Left>(
    lanes: L,
    left: A,
    b: Table<'_>,
    c: &mut TableMut<'_>,
    i: usize,
) -> Option<()> {
    let mut elements = left.columns::<1>(i)?;
    let (c, _) = c.row_mut(i)?.as_chunks_mut();
    let mut p = 0;
    while b.rows() - p >= 8 {
        sweep::<L, 8>(lanes, &mut elements, b, c, p)?;
        p += 8;
    }
    while b.rows() - p >= 1 {
        sweep::<L, 1>(lanes, &mut elements, b, c, p)?;
        p += 1;
    }
    Some(())
}

/// Adds the next P elements times rows p to p + P − 1 of B, which exist.
#[inline(always)]
fn sweep<L: Lanes, const P: usize>(
    lanes: L,
    elements: &mut impl Iterator<Item = [f32; 1]>,
    b: Table<'_>,
    c: &mut [[f32; LANES]],
    p: usize,
) -> Option<()> {
    let (mut factors, mut rows) = ([lanes.splat(0.0); P], [&[][..]; P]);
    for (q, (factor, row)) in factors.iter_mut().zip(&mut rows).enumerate() {
        let [element] = elements.next()?;
        (*factor, *row) = (lanes.splat(element), b.row(p + q)?);
    }
    let mut rows = Along::<P, LANES>::new(rows);
    for c in c {
        let mut total = lanes.load(c);
        for (factor, b) in factors.iter().zip(&rows.next()?) {
            total = lanes.add(total, lanes.mul(*factor, lanes.load(b)));
        }
        lanes.store(total, c);
    }
    Some(())
}

/// The columns from j on, of rows i to i + R − 1 of C, which exist: `None` does not occur.
#[inline(always)]
fn last_columns<A: Left, const R: usize>(
    left: A,
    b: Table<'_>,
    c: &mut TableMut<'_>,
    i: usize,
    mut j: usize,
) -> Option<()> {
    let columns = left.columns::<R>(i)?;
    let (n, stride) = (c.dim(), c.stride());
    let c = c.starting_at_row_mut(i);
    while n - j >= 8 {
        narrow_tile::<A, R, 8>(columns.clone(), b, c.get_mut(j..)?, stride, j)?;
        j += 8;
    }
    if n - j >= 4 {
        narrow_tile::<A, R, 4>(columns.clone(), b, c.get_mut(j..)?, stride, j)?;
        j += 4;
    }
    while n - j >= 1 {
        narrow_tile::<A, R, 1>(columns.clone(), b, c.get_mut(j..)?, stride, j)?;
        j += 1;
    }
    Some(())
}

/// Columns j to j + 16 V − 1 of R rows of C.
#[inline(always)]
fn wide_tile<L: Lanes, A: Left, const R: usize, const V: usize>(
    lanes: L,
    mut columns: impl Iterator<Item = [f32; R]>,
    b: Table<'_>,
    mut c: &mut [f32],
    stride: usize,
    j: usize,
) -> Option<()> {
    let mut totals = [[lanes.splat(0.0); V]; R];
    if !A::APART {
        for (totals, c) in totals.iter_mut().zip(Strided::<V, LANES>::new(c, stride, R)?) {
            for (total, c) in totals.iter_mut().zip(c) {
                *total = lanes.load(c);
            }
        }
    }
    for row in Strided::<V, LANES>::new(b.starting_at(j), b.stride(), b.rows())? {
        let mut b = [lanes.splat(0.0); V];
        for (b, row) in b.iter_mut().zip(row) {
            *b = lanes.load(row);
        }
        for (totals, a) in totals.iter_mut().zip(columns.next()?) {
            let a = lanes.splat(a);
            for (total, b) in totals.iter_mut().zip(b) {
                *total = lanes.add(*total, lanes.mul(a, b));
            }
        }
    }
    for totals in totals {
        let (row, _) = c.as_chunks_mut::<LANES>();
        for (total, c) in totals.into_iter().zip(row.first_chunk_mut::<V>()?) {
            lanes.store(if A::APART { lanes.add(lanes.load(c), total) } else { total }, c);
        }
        c = c.get_mut(stride..).unwrap_or_default();
    }
    Some(())
}

/// Columns j to j + D − 1 of R rows of C.
// A small processor has one level, for which no code has to be inlined: in a debug build the frames of the
// widths then follow each other, where they would add up.
#[cfg_attr(all(target_os = "none", target_pointer_width = "32"), inline)]
#[cfg_attr(not(all(target_os = "none", target_pointer_width = "32")), inline(always))]
fn narrow_tile<A: Left, const R: usize, const D: usize>(
    mut columns: impl Iterator<Item = [f32; R]>,
    b: Table<'_>,
    c: &mut [f32],
    stride: usize,
    j: usize,
) -> Option<()> {
    let mut totals = [[0.0; D]; R];
    if !A::APART {
        for (q, total) in totals.iter_mut().enumerate() {
            for (total, c) in total.iter_mut().zip(c.get(q * stride..)?.first_chunk::<D>()?) {
                *total = *c;
            }
        }
    }
    for [b] in Strided::<1, D>::new(b.starting_at(j), b.stride(), b.rows())? {
        for (total, a) in totals.iter_mut().zip(&columns.next()?) {
            for (total, b) in total.iter_mut().zip(b) {
                *total += a * b;
            }
        }
    }
    for (q, total) in totals.iter().enumerate() {
        let c: &mut [f32; D] = c.get_mut(q * stride..)?.first_chunk_mut()?;
        for (c, total) in c.iter_mut().zip(total) {
            *c = if A::APART { *c + total } else { *total };
        }
    }
    Some(())
}
