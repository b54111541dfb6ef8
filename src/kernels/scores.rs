//! Inner products of vectors and the rows of a table of any format.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`scores`].

use super::codes::code_scores;
use super::dot::gemm_nt_loops;
use crate::error::ShapeMismatch;
use crate::math;
use crate::simd::{LANES, Lanes, simd_fn};
use crate::table::{Format, RowFormat, Table, TableMut};

simd_fn! {
    /// C = Q Tᵀ for vectors Q `[m, k]`, a table T `[n, k]` of any format, C `[m, n]`: each element is the
    /// inner product of a vector and a row.
    ///
    /// # Errors
    /// If the shapes do not fit; C is then as it was.
    ///
    /// # How it is computed
    /// ```text
    /// f32:                  c[i][j] = dot(q[i], t[j])                              by sixteen lanes
    /// i8, u8:   step = max |q[i]| / 32767,  x[p] = round(q[i][p] / step)           integers of 16 bits
    ///           sum  = Σ over p of  x[p] * code[j][p]                              an integer, exact
    ///   i8:     c[i][j] = scale * (step * sum)
    ///   u8:     c[i][j] = scale[j] * (step * sum) + bias[j] * (step * Σ x[p])
    /// others:               c[i][j] = dot(q[i], the numbers of t[j])               by sixteen lanes
    /// ```
    ///
    /// - Codes of 8 bits are multiplied as they are: as floats they would take four times as many
    ///   instructions, more than memory waits for. A vector of 16 bits is 256 times as accurate as the codes.
    /// - A sum of 256 products fits 32 bits; longer rows add such sums in 64 bits. Integers have one sum in
    ///   any order, so each level takes as many at a time as it can.
    /// - Four rows are taken at a time, and up to four vectors where registers suffice: their sums are added
    ///   together.
    /// - Numbers are multiplied by `32767 / max |q[i]|`, where the formula divides them by the step.
    ///
    /// # Cost
    /// Each row is read once for as many vectors as have 4096 numbers, of codes for two: one vector runs at the
    /// speed of memory. Vectors are coded once a
    /// call, in 4 KB of stack, if they have at most 1024 numbers.
    pub fn scores, scores_at[F: Format](
        queries: Table<'_>, table: Table<'_, F>, c: &mut TableMut<'_>
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("dim of the query", table.dim(), queries.dim())?;
            ShapeMismatch::check("rows of c", queries.rows(), c.rows())?;
            ShapeMismatch::check("dim of c", table.rows(), c.dim())
        } = scores_loops;

    /// 1 / |row| for each row, with the sum of squares by sixteen lanes; 0 where that sum is below the least
    /// normal number, infinite or NaN.
    ///
    /// # Errors
    /// If `out` has not a number for each row.
    ///
    /// # Cost
    /// The table is read once.
    pub fn inverse_norms, inverse_norms_at[F: Format](table: Table<'_, F>, out: &mut [f32]) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("number of inverse norms", table.rows(), out.len()) } = inverse_norms_loops;
}

/// 1 / √x for the square of a norm: 0 where the norm is as good as 0, or has no square.
#[inline(always)]
pub(crate) fn inverse_norm(squares: f32) -> f32 {
    if (f32::MIN_POSITIVE..f32::INFINITY).contains(&squares) { math::rsqrt(squares) } else { 0.0 }
}

#[inline(always)]
fn scores_loops<L: Lanes, F: Format>(
    lanes: L,
    queries: Table<'_>,
    table: Table<'_, F>,
    c: &mut TableMut<'_>,
) {
    if let Some(table) = table.as_floats() {
        // Two vectors are work enough to wait for.
        return match (queries.rows(), queries.row(0), c.row_mut(0)) {
            (1, Some(query), Some(c)) => float_scores(lanes, query, table, c).unwrap_or_default(),
            _ => gemm_nt_loops(lanes, queries, table, c),
        };
    }
    let codes = matches!(F::ROW_FORMAT, RowFormat::I8 | RowFormat::U8);
    let mut i = 0;
    while codes && L::ACCUMULATORS >= 8 && queries.rows() - i >= 2 {
        let _ = code_scores::<L, F, 2>(lanes, queries, table, c, i);
        i += 2;
    }
    while codes && queries.rows() - i >= 1 {
        let _ = code_scores::<L, F, 1>(lanes, queries, table, c, i);
        i += 1;
    }
    for i in i..queries.rows() {
        if let (Some(query), Some(c)) = (queries.row(i), c.row_mut(i)) {
            for (j, c) in c.iter_mut().enumerate() {
                *c = numbers_sum(
                    lanes,
                    table,
                    j,
                    #[inline(always)]
                    |numbers, column| lanes.mul(numbers, lanes.load_part(query.get(column..).unwrap_or(&[]))),
                );
            }
        }
    }
}

/// The dot products of one vector and all rows.
#[inline(always)]
fn float_scores<L: Lanes>(lanes: L, query: &[f32], table: Table<'_>, c: &mut [f32]) -> Option<()> {
    let (fours, rest) = c.as_chunks_mut::<4>();
    let mut j = 0;
    for four in fours {
        let [a, b, c, d] = [table.row(j)?, table.row(j + 1)?, table.row(j + 2)?, table.row(j + 3)?];
        *four = lanes.sums([
            products(lanes, a, query),
            products(lanes, b, query),
            products(lanes, c, query),
            products(lanes, d, query),
        ]);
        j += 4;
    }
    for (j, c) in (j..).zip(rest) {
        *c = lanes.sum(products(lanes, table.row(j)?, query));
    }
    Some(())
}

/// The products of a row and a vector, by sixteen lanes.
#[inline(always)]
fn products<L: Lanes>(lanes: L, row: &[f32], query: &[f32]) -> L::V {
    let ((row, row_rest), (query, query_rest)) = (row.as_chunks(), query.as_chunks());
    let mut total = lanes.splat(0.0);
    for (row, query) in row.iter().zip(query) {
        total = lanes.add(total, lanes.mul(lanes.load(row), lanes.load(query)));
    }
    if query_rest.is_empty() { total } else { lanes.add_product_part(total, row_rest, query_rest) }
}

#[inline(always)]
fn inverse_norms_loops<L: Lanes, F: Format>(lanes: L, table: Table<'_, F>, out: &mut [f32]) {
    for (j, out) in out.iter_mut().enumerate() {
        let square = numbers_sum(
            lanes,
            table,
            j,
            #[inline(always)]
            |numbers, _| lanes.mul(numbers, numbers),
        );
        *out = inverse_norm(square);
    }
}

/// The sum of what `term` makes of sixteen numbers of a row at a time, of which the first is that of a column.
#[inline(always)]
fn numbers_sum<L: Lanes, F: Format>(
    lanes: L,
    table: Table<'_, F>,
    row: usize,
    term: impl Fn(L::V, usize) -> L::V,
) -> f32 {
    let (row, dim) = (table.row(row).unwrap_or_default(), table.dim());
    let end = row.len().checked_sub(F::SCALE_AND_BIAS).and_then(|end| row.get(end..));
    let scale_and_bias = end.and_then(|end| F::scale_and_bias(lanes, end));
    let (scale, bias) = scale_and_bias.unwrap_or((table.scale(), 0.0));
    let mut total = lanes.splat(0.0);
    let mut column = 0;
    while column < dim {
        let elements = row.get(column / F::NUMBERS..).unwrap_or_default();
        let mut numbers = [0.0; LANES];
        if dim - column >= LANES {
            numbers = F::block(lanes, elements, column, scale).unwrap_or(numbers);
        } else {
            for (i, number) in numbers.iter_mut().enumerate().take(dim - column) {
                let elements = elements.get(i / F::NUMBERS..).unwrap_or_default();
                let [x] = F::block(lanes, elements, column + i, scale).unwrap_or([0.0]);
                *number = x;
            }
        }
        if scale_and_bias.is_some() {
            for number in numbers.iter_mut().take(dim - column) {
                *number += bias;
            }
        }
        total = lanes.add(total, term(lanes.load(&numbers), column));
        column += LANES;
    }
    lanes.sum(total)
}
