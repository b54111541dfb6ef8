//! Inner products of vectors and rows of 8 bits, by integers.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at
//! [`scores`](super::scores::scores).

use crate::simd::{CODES, Lanes};
use crate::table::{Format, RowFormat, Scale, Table, TableMut};
use zerocopy::IntoBytes;

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
pub(super) fn code_scores<L: Lanes, F: Format, const X: usize>(
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
