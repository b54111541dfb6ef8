//! Inner products of vectors and the rows of a table of any format.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`scores`].

use super::dot::gemm_nt_loops;
use crate::error::ShapeMismatch;
use crate::math;
use crate::simd::{CODES, LANES, Lanes, simd_fn};
use crate::table::{Format, RowFormat, Scale, Table, TableMut};
use zerocopy::IntoBytes;

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
    /// - Four rows are taken at a time, and two vectors where registers suffice: their sums are added together.
    /// - 1 / step is multiplied by, which is no other step: it is part of the formula, for 32767 / max |q[i]|.
    ///
    /// # Cost
    /// Each row is read once for two vectors: one vector runs at the speed of memory. Vectors are coded once a
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
    if squares >= f32::MIN_POSITIVE && squares < f32::INFINITY { math::rsqrt(squares) } else { 0.0 }
}

#[inline(always)]
fn scores_loops<L: Lanes, F: Format>(
    lanes: L,
    queries: Table<'_>,
    table: Table<'_, F>,
    c: &mut TableMut<'_>,
) {
    if let Some(table) = table.as_floats() {
        return gemm_nt_loops(lanes, queries, table, c);
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

/// Products whose sum fits 32 bits: 256 · 255 · 32767 is below 2^31.
const NARROW: usize = 256 / CODES;
/// Numbers of a vector that are coded at once, by [`CODES`].
const CODED: usize = 1024 / CODES;
/// Rows whose sums are kept while one part of the vector is coded.
const STRIP: usize = 32;
/// The greatest code of a vector.
const MOST: f32 = 32767.0;

/// How a vector becomes integers.
#[derive(Clone, Copy, Default)]
struct Coding {
    /// What an integer stands for; NaN if a number is infinite or NaN.
    step: f32,
    /// 1 / step; 0 if all numbers are as good as 0, or there is no step.
    inverse: f32,
    /// The sum of all integers.
    sum: i64,
}

impl Coding {
    #[inline(always)]
    fn new(query: &[f32]) -> Self {
        let (mut greatest, mut finite) = (0.0_f32, true);
        for x in query {
            let size = x.abs();
            finite &= size < f32::INFINITY;
            greatest = if size > greatest { size } else { greatest };
        }
        let inverse = MOST / greatest;
        match (finite, inverse < f32::INFINITY) {
            (false, _) => Self { step: f32::NAN, ..Self::default() },
            (true, false) => Self::default(),
            (true, true) => {
                let coding = Self { step: greatest / MOST, inverse, sum: 0 };
                let sum = query.iter().map(|x| i64::from(coding.code(*x))).sum();
                Self { sum, ..coding }
            }
        }
    }

    /// The integer nearest to x / step, ties to even.
    #[inline(always)]
    fn code(self, x: f32) -> i16 {
        // Beside 1.5 · 2²³ floats stand 1 apart, so the sum is rounded to an integer, which is its last bits.
        (x * self.inverse + 12_582_912.0).to_bits() as i16
    }
}

/// Rows i to i + X − 1 of C, which exist: `None` does not occur.
#[inline(always)]
fn code_scores<L: Lanes, F: Format, const X: usize>(
    lanes: L,
    queries: Table<'_>,
    table: Table<'_, F>,
    c: &mut TableMut<'_>,
    i: usize,
) -> Option<()> {
    let (rows, dim) = (table.rows(), table.dim());
    let (mut vectors, mut codings) = ([&[][..]; X], [Coding::default(); X]);
    for (q, (vector, coding)) in vectors.iter_mut().zip(&mut codings).enumerate() {
        *vector = queries.row(i + q)?;
        *coding = Coding::new(vector);
    }
    let mut coded = [[[0_i16; CODES]; CODED]; X];
    let (mut strip, mut is_coded) = (0, false);
    while strip < rows {
        let mut sums = [[0_i64; STRIP]; X];
        let mut column = 0;
        while column < dim {
            // What fits as a whole is coded once.
            if !is_coded {
                for ((coded, vector), coding) in coded.iter_mut().zip(vectors).zip(codings) {
                    let (flat, part) = (coded.as_flattened_mut(), vector.get(column..)?);
                    for (code, x) in flat.iter_mut().zip(part) {
                        *code = coding.code(*x);
                    }
                    flat.iter_mut().skip(part.len()).for_each(|code| *code = 0);
                }
                is_coded = dim <= CODED * CODES;
            }
            let mut four = 0;
            while four < STRIP && strip + four < rows {
                let mut of_rows = [&[][..]; 4];
                for (q, row) in of_rows.iter_mut().enumerate() {
                    // At the end of the table the last row stands in for those that are missing.
                    let j = strip + four + q;
                    let codes = table.row(if j < rows { j } else { rows - 1 })?.as_bytes();
                    *row = codes.get(column..dim)?;
                }
                for (part, columns) in (0..CODED).step_by(NARROW).zip((0..).step_by(NARROW * CODES)) {
                    let mut parts = [&[][..]; X];
                    for (to, coded) in parts.iter_mut().zip(&coded) {
                        *to = coded.get(part..part + NARROW)?;
                    }
                    for row in &mut of_rows {
                        *row = row.get(if part == 0 { 0 } else { NARROW * CODES }..).unwrap_or_default();
                    }
                    if column + columns >= dim {
                        break;
                    }
                    let found = if F::ROW_FORMAT as u16 == RowFormat::I8 as u16 {
                        code_tile::<L, true, X>(lanes, of_rows, parts)
                    } else {
                        code_tile::<L, false, X>(lanes, of_rows, parts)
                    };
                    for (sums, found) in sums.iter_mut().zip(found) {
                        for (sum, found) in sums.get_mut(four..)?.iter_mut().zip(found) {
                            *sum += i64::from(found);
                        }
                    }
                }
                four += 4;
            }
            column += CODED * CODES;
        }
        for ((q, sums), coding) in sums.iter().enumerate().zip(codings) {
            let c = c.row_mut(i + q)?.get_mut(strip..)?;
            for ((j, c), sum) in (strip..).zip(c).zip(sums) {
                let product = coding.step * *sum as f32;
                *c = if F::Scale::IS_ONE {
                    table.scale() * product
                } else {
                    let end = table.row(j)?.get(dim..)?;
                    let (scale, bias) = F::scale_and_bias(lanes, end)?;
                    scale * product + bias * (coding.step * coding.sum as f32)
                };
            }
        }
        strip += STRIP;
    }
    Some(())
}

/// The sums of four rows of codes, of which at most 256 are taken, with X vectors.
#[inline(always)]
fn code_tile<L: Lanes, const SIGNED: bool, const X: usize>(
    lanes: L,
    [a, b, c, d]: [&[u8]; 4],
    vectors: [&[[i16; CODES]]; X],
) -> [[i32; 4]; X] {
    let mut totals = [[lanes.no_totals(); 4]; X];
    let ((a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)) =
        (a.as_chunks::<CODES>(), b.as_chunks::<CODES>(), c.as_chunks::<CODES>(), d.as_chunks::<CODES>());
    let mut done = 0;
    for (number, (((a, b), c), d)) in a.iter().zip(b).zip(c).zip(d).take(NARROW).enumerate() {
        for (totals, vector) in totals.iter_mut().zip(vectors) {
            let Some(vector) = vector.get(number) else { continue };
            for (total, codes) in totals.iter_mut().zip([a, b, c, d]) {
                *total = lanes.add_products::<SIGNED>(*total, codes, vector);
            }
        }
        done += 1;
    }
    if done < NARROW && !a_rest.is_empty() {
        let mut padded = [[0; CODES]; 4];
        for (padded, rest) in padded.iter_mut().zip([a_rest, b_rest, c_rest, d_rest]) {
            for (padded, code) in padded.iter_mut().zip(rest) {
                *padded = *code;
            }
        }
        for (totals, vector) in totals.iter_mut().zip(vectors) {
            let Some(vector) = vector.get(done) else { continue };
            for (total, codes) in totals.iter_mut().zip(&padded) {
                *total = lanes.add_products::<SIGNED>(*total, codes, vector);
            }
        }
    }
    let mut sums = [[0; 4]; X];
    for (sums, totals) in sums.iter_mut().zip(totals) {
        *sums = lanes.whole_sums(totals);
    }
    sums
}
