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
    /// - Numbers are multiplied by `32767 / max |q[i]|`, where the formula divides them by the step.
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

/// Products whose sum fits 32 bits: 256 · 255 · 32767 is below 2^31.
const NARROW: usize = 256 / CODES;
/// Numbers of a vector that are coded at once, by [`CODES`].
const CODED: usize = 1024 / CODES;
/// Long rows of which the sums are kept.
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
        // Sizes are ordered as their bits are; infinity and NaN come last.
        let mut bits = 0;
        for x in query {
            let size = x.abs().to_bits();
            bits = if size > bits { size } else { bits };
        }
        let greatest = f32::from_bits(bits);
        let finite = greatest.is_finite();
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

    /// The scores of N rows from `first` on, or of those that are there, from the sums of their products.
    #[inline(always)]
    fn scores<const N: usize, L: Lanes, F: Format>(
        self,
        lanes: L,
        table: Table<'_, F>,
        first: usize,
        sums: [f32; N],
        c: &mut [f32],
    ) -> Option<()> {
        let mut scores = sums;
        for score in &mut scores {
            *score *= self.step;
            if F::Scale::IS_ONE {
                *score *= table.scale();
            }
        }
        if !F::Scale::IS_ONE {
            let of_bias = self.step * self.sum as f32;
            for (j, score) in (first..table.rows()).zip(&mut scores) {
                let (scale, bias) = F::scale_and_bias(lanes, table.row(j)?.get(table.dim()..)?)?;
                *score = scale * *score + bias * of_bias;
            }
        }
        match c.first_chunk_mut() {
            Some(c) => *c = scores,
            None => c.iter_mut().zip(scores).for_each(|(c, score)| *c = score),
        }
        Some(())
    }
}

/// The integers of X vectors, by as many numbers as are taken at once.
type Coded<const X: usize> = [[[i16; CODES]; X]; CODED];

/// Codes the numbers of each vector from `column` on, and zeros after the last.
#[inline(always)]
fn code<const X: usize>(
    coded: &mut Coded<X>,
    vectors: [&[f32]; X],
    codings: [Coding; X],
    column: usize,
) -> Option<()> {
    for (q, (vector, coding)) in vectors.into_iter().zip(codings).enumerate() {
        let mut rest = vector.get(column..)?;
        for coded in coded.iter_mut() {
            let mut numbers = [0.0; CODES];
            for (number, x) in numbers.iter_mut().zip(rest) {
                *number = *x;
            }
            for (code, x) in coded.get_mut(q)?.iter_mut().zip(numbers) {
                *code = coding.code(x);
            }
            let Some(after) = rest.get(CODES..) else { break };
            rest = after;
        }
    }
    Some(())
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
    let (mut vectors, mut codings) = ([&[][..]; X], [Coding::default(); X]);
    for (q, (vector, coding)) in vectors.iter_mut().zip(&mut codings).enumerate() {
        *vector = queries.row(i + q)?;
        *coding = Coding::new(vector);
    }
    let mut outs = [(); X].map(|()| &mut [][..]);
    let (stride, mut rest) = (c.stride(), c.starting_at_row_mut(i));
    for out in &mut outs {
        let (row, after) =
            rest.split_at_mut_checked(if stride < rest.len() { stride } else { rest.len() })?;
        (*out, rest) = (row.get_mut(..table.rows())?, after);
    }
    let mut coded = [[[0; CODES]; X]; CODED];
    code(&mut coded, vectors, codings, 0)?;
    if table.dim() > NARROW * CODES {
        return long_rows(lanes, vectors, codings, &mut coded, table, outs);
    }
    let (coded, mut j) = (coded.get(..table.dim().div_ceil(CODES))?, 0);
    while j < table.rows() {
        let sums = four_sums::<L, F, X>(lanes, table, j, 0, table.dim(), coded)?;
        for ((out, sums), coding) in outs.iter_mut().zip(sums).zip(codings) {
            coding.scores(lanes, table, j, sums.map(|sum| sum as f32), out.get_mut(j..)?)?;
        }
        j += 4;
    }
    Some(())
}

/// The same for rows whose sums do not fit 32 bits.
#[inline(always)]
fn long_rows<L: Lanes, F: Format, const X: usize>(
    lanes: L,
    vectors: [&[f32]; X],
    codings: [Coding; X],
    coded: &mut Coded<X>,
    table: Table<'_, F>,
    mut outs: [&mut [f32]; X],
) -> Option<()> {
    let (rows, dim, mut strip) = (table.rows(), table.dim(), 0);
    while strip < rows {
        let mut sums = [[0_i64; STRIP]; X];
        let mut column = 0;
        while column < dim {
            // What fits as a whole is coded already.
            if dim > CODED * CODES {
                code(coded, vectors, codings, column)?;
            }
            let mut rest = coded.as_slice();
            while !rest.is_empty() && column < dim {
                let width = if dim - column < NARROW * CODES { dim - column } else { NARROW * CODES };
                let (part, after) = rest.split_at_checked(NARROW)?;
                let part = part.get(..width.div_ceil(CODES))?;
                let mut four = 0;
                while four < STRIP && strip + four < rows {
                    let found = four_sums::<L, F, X>(lanes, table, strip + four, column, width, part)?;
                    for (sums, found) in sums.iter_mut().zip(found) {
                        for (sum, found) in sums.get_mut(four..)?.iter_mut().zip(found) {
                            *sum += i64::from(found);
                        }
                    }
                    four += 4;
                }
                (rest, column) = (after, column + width);
            }
        }
        for ((out, sums), coding) in outs.iter_mut().zip(sums).zip(codings) {
            coding.scores(lanes, table, strip, sums.map(|sum| sum as f32), out.get_mut(strip..)?)?;
        }
        strip += STRIP;
    }
    Some(())
}

/// The sums of `width` codes from `column` on of rows j to j + 3, at most 256, with X vectors. At the end of the
/// table the last row stands in for those that are missing.
#[inline(always)]
fn four_sums<L: Lanes, F: Format, const X: usize>(
    lanes: L,
    table: Table<'_, F>,
    j: usize,
    column: usize,
    width: usize,
    coded: &[[[i16; CODES]; X]],
) -> Option<[[i32; 4]; X]> {
    let stride = table.stride();
    let bytes = table.starting_at(j * stride + column).as_bytes();
    let places = match table.rows() - j {
        1 => [0; 4],
        2 => [0, stride, stride, stride],
        3 => [0, stride, 2 * stride, 2 * stride],
        _ => [0, stride, 2 * stride, 3 * stride],
    };
    let [a, b, c, d] = places;
    let (a, b) = (bytes.get(a..)?.get(..width)?, bytes.get(b..)?.get(..width)?);
    let (c, d) = (bytes.get(c..)?.get(..width)?, bytes.get(d..)?.get(..width)?);
    let (a, b) =
        (products_of_codes::<L, F, X>(lanes, a, coded), products_of_codes::<L, F, X>(lanes, b, coded));
    let (c, d) =
        (products_of_codes::<L, F, X>(lanes, c, coded), products_of_codes::<L, F, X>(lanes, d, coded));
    let mut sums = [[0; 4]; X];
    for (sums, (((a, b), c), d)) in sums.iter_mut().zip(a.into_iter().zip(b).zip(c).zip(d)) {
        *sums = lanes.whole_sums([a, b, c, d]);
    }
    Some(sums)
}

/// The products of the codes of a row and the integers of X vectors.
#[inline(always)]
fn products_of_codes<L: Lanes, F: Format, const X: usize>(
    lanes: L,
    codes: &[u8],
    coded: &[[[i16; CODES]; X]],
) -> [L::Totals; X] {
    let (chunks, rest) = codes.as_chunks();
    let (mut totals, mut coded) = ([lanes.no_totals(); X], coded.iter());
    for (codes, coded) in chunks.iter().zip(&mut coded) {
        add_products::<L, F, X>(lanes, &mut totals, codes, coded);
    }
    if let Some(coded) = coded.next() {
        let mut padded = [0; CODES];
        for (padded, code) in padded.iter_mut().zip(rest) {
            *padded = *code;
        }
        add_products::<L, F, X>(lanes, &mut totals, &padded, coded);
    }
    totals
}

#[inline(always)]
fn add_products<L: Lanes, F: Format, const X: usize>(
    lanes: L,
    totals: &mut [L::Totals; X],
    codes: &[u8; CODES],
    coded: &[[i16; CODES]; X],
) {
    for (total, coded) in totals.iter_mut().zip(coded) {
        *total = match F::ROW_FORMAT {
            RowFormat::I8 => lanes.add_products::<true>(*total, codes, coded),
            _ => lanes.add_products::<false>(*total, codes, coded),
        };
    }
}
