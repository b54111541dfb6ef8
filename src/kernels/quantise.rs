//! Rows of `f32` into rows of another format, and back.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`TableMut::quantise`].

use super::{Noise, convert};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, simd_fn};
use crate::table::{Format, Nearest, Table, TableMut, Trainable};

impl<F: Format> Table<'_, F> {
    /// Writes each row, as `f32`, to the same row of `to`.
    ///
    /// # Errors
    /// If the tables differ in their number of rows or in dim; `to` is then as it was.
    pub fn dequantise(self, to: &mut TableMut<'_>) -> Result<(), ShapeMismatch> {
        dequantise(self, to)
    }

    /// Writes row `row`, as `f32`, to `to`.
    ///
    /// # Errors
    /// If there is no such row, or `to` has not `dim` numbers; `to` is then as it was.
    pub fn dequantise_row(self, row: usize, to: &mut [f32]) -> Result<(), ShapeMismatch> {
        dequantise_row(self, row, to)
    }
}

impl<F: Format> TableMut<'_, F> {
    /// Writes each row of `from` to the same row, rounded to this table's format as FBGEMM does.
    ///
    /// ```
    /// use nanoembed::table::{Format, Table, TableMut, U4};
    /// let rows = [[0.0, 0.1, 0.2, 1.5], [-2.0, 0.0, 2.0, 5.5]];
    /// let mut bytes = [0; 2 * 6]; // U4::row_length(4) = 6
    /// TableMut::<U4>::packed(&mut bytes, 2, 4)?.quantise(Table::from_rows(&rows))?;
    ///
    /// let mut back = [[0.0; 4]; 2];
    /// Table::<U4>::packed(&bytes, 2, 4)?.dequantise(&mut TableMut::from_rows(&mut back))?;
    /// for (x, y) in back.as_flattened().iter().zip(rows.as_flattened()) {
    ///     assert!((x - y).abs() < 0.251); // half of scale, which is (max - min) / 15
    /// }
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If the tables differ in their number of rows or in dim; nothing has been written then.
    ///
    /// # How it is computed
    /// ```text
    /// quantise:     for row: to[row] = encode(from[row])              the formulas stand at each format
    /// quantise_rounded:  the same, each number rounded up or down at random, so that the mean is the number
    /// dequantise:   for row, column: to[row][column] = scale(row) * q + bias(row)     or the half's value
    /// ```
    ///
    /// A row is read twice to be quantised, for its range and for its codes. Range and codes are loops
    /// without a branch; the minimum is taken by 16 lanes, which differs from a serial one at most in the
    /// sign of a zero. Rounding is to the nearest, ties to even, by adding 1.5 · 2²³.
    ///
    /// # Cost
    /// For each row `4 dim` bytes and the bytes of the packed row are moved once.
    pub fn quantise(&mut self, from: Table<'_>) -> Result<(), ShapeMismatch> {
        quantise(from, self)
    }

    /// Writes `from` to row `row`, rounded to this table's format as FBGEMM does.
    ///
    /// # Errors
    /// If there is no such row, or `from` has not `dim` numbers; nothing has been written then.
    pub fn quantise_row(&mut self, row: usize, from: &[f32]) -> Result<(), ShapeMismatch> {
        quantise_row(from, row, self)
    }
}

simd_fn! {
    /// [`TableMut::quantise`] tells what it does, how it is computed and what it costs.
    ///
    /// # Errors
    /// As there.
    pub fn quantise, quantise_at[F: Format](from: Table<'_>, to: &mut TableMut<'_, F>) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows", from.rows(), to.rows())?;
            ShapeMismatch::check("dim", from.dim(), to.dim())
        } = quantise_loops;

    /// Writes `from` to row `row` of `to`, rounded to the format of `to` as FBGEMM does.
    ///
    /// # Errors
    /// If `to` has no such row, or `from` not `dim` numbers; `to` is then as it was.
    ///
    /// # Cost
    /// [`TableMut::quantise`] tells how it is computed and what it costs.
    pub fn quantise_row, quantise_row_at[F: Format](from: &[f32], row: usize, to: &mut TableMut<'_, F>) -> Result<(), ShapeMismatch>
        where {
            check_row(row, to.rows())?;
            ShapeMismatch::check("dim", to.dim(), from.len())
        } = quantise_row_loops;

    /// Writes each row of `from`, as `f32`, to the same row of `to`.
    ///
    /// # Errors
    /// If the tables differ in their number of rows or in dim; `to` is then as it was.
    ///
    /// # Cost
    /// [`TableMut::quantise`] tells how it is computed and what it costs.
    pub fn dequantise, dequantise_at[F: Format](from: Table<'_, F>, to: &mut TableMut<'_>) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows", from.rows(), to.rows())?;
            ShapeMismatch::check("dim", from.dim(), to.dim())
        } = dequantise_loops;

    /// Writes row `row` of `from`, as `f32`, to `to`.
    ///
    /// # Errors
    /// If `from` has no such row, or `to` not `dim` numbers; `to` is then as it was.
    ///
    /// # Cost
    /// [`TableMut::quantise`] tells how it is computed and what it costs.
    pub fn dequantise_row, dequantise_row_at[F: Format](from: Table<'_, F>, row: usize, to: &mut [f32]) -> Result<(), ShapeMismatch>
        where {
            check_row(row, from.rows())?;
            ShapeMismatch::check("dim", from.dim(), to.len())
        } = dequantise_row_loops;

    /// Writes each row of `from` to the same row of `to`, rounded at random, so that the mean over many seeds
    /// is the number.
    ///
    /// # Errors
    /// If the tables differ in their number of rows or in dim; `to` is then as it was.
    ///
    /// # Cost
    /// [`TableMut::quantise`] tells how it is computed and what it costs.
    pub fn quantise_rounded, quantise_rounded_at[F: Trainable](
        from: Table<'_>, noise: Noise, to: &mut TableMut<'_, F>
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows", from.rows(), to.rows())?;
            ShapeMismatch::check("dim", from.dim(), to.dim())
        } = quantise_rounded_loops;
}

/// Whether a table of `rows` rows has `row`.
fn check_row(row: usize, rows: usize) -> Result<(), ShapeMismatch> {
    if row < rows {
        Ok(())
    } else {
        Err(ShapeMismatch { what: "rows, at least", expected: row.saturating_add(1), found: rows })
    }
}

#[inline(always)]
fn quantise_loops<L: Lanes, F: Format>(_: L, from: Table<'_>, to: &mut TableMut<'_, F>) {
    let scale = to.as_table().table_scale();
    for row in 0..from.rows() {
        if let (Some(from), Some(to)) = (from.row(row), to.row_mut(row)) {
            F::encode(from, to, scale, Nearest);
        }
    }
}

#[inline(always)]
fn quantise_row_loops<L: Lanes, F: Format>(_: L, from: &[f32], row: usize, to: &mut TableMut<'_, F>) {
    let scale = to.as_table().table_scale();
    if let Some(to) = to.row_mut(row) {
        F::encode(from, to, scale, Nearest);
    }
}

#[inline(always)]
fn dequantise_loops<L: Lanes, F: Format>(lanes: L, from: Table<'_, F>, to: &mut TableMut<'_>) {
    let scale = from.scale();
    for row in 0..from.rows() {
        if let (Some(from), Some(to)) = (from.row(row), to.row_mut(row)) {
            convert::<L, false, F>(lanes, scale, from, to);
        }
    }
}

#[inline(always)]
fn dequantise_row_loops<L: Lanes, F: Format>(lanes: L, from: Table<'_, F>, row: usize, to: &mut [f32]) {
    let scale = from.scale();
    if let Some(from) = from.row(row) {
        convert::<L, false, F>(lanes, scale, from, to);
    }
}

#[inline(always)]
fn quantise_rounded_loops<L: Lanes, F: Trainable>(
    _: L,
    from: Table<'_>,
    noise: Noise,
    to: &mut TableMut<'_, F>,
) {
    for row in 0..from.rows() {
        if let (Some(from), Some(to)) = (from.row(row), to.row_mut(row)) {
            F::encode(from, to, (), noise.row(row));
        }
    }
}
