//! The formats of integers: 8 or 4 bits a number, with one scale for the whole table.
#![allow(clippy::redundant_closure_for_method_calls, reason = "a method by its name may not be inlined")]

use super::format::sealed::Sealed;
use super::{Format, OneScale, Rounding, RowFormat, Table};
use crate::simd::Lanes;
use core::fmt;

/// 8 bits a number: scale · q with q in −127..=127, and one scale for the table.
///
/// A row is quantised as q = round(x / scale), ties to even, within ±127; NaN becomes 0. A bag of rows is
/// summed as integers, exactly, and multiplied by the scale once.
///
/// ```
/// use nanoembed::kernels::pool;
/// use nanoembed::table::{Bags, I8, Indices, Pooling, Table, TableMut};
/// let rows = [[0.5, -0.25], [1.0, 0.0], [-1.27, 0.13]];
/// let scale = I8::scale_of(Table::from_rows(&rows), None)?;
/// let mut codes = [0; 6]; // a byte a number
/// TableMut::<I8>::packed(&mut codes, 3, 2)?.with_scale(scale).quantise(Table::from_rows(&rows))?;
///
/// let table = Table::<I8>::packed(&codes, 3, 2)?.with_scale(scale);
/// let bag = Bags::new(Indices::new(&[0_u8, 1], 3)?, &[0_u8, 2])?;
/// let mut sum = [0.0; 2];
/// pool(table, &bag, Pooling::Sum, &mut sum)?;
/// assert!((sum[0] - 1.5).abs() < 0.01 && (sum[1] + 0.25).abs() < 0.01);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct I8;

/// 4 bits a number: as [`I8`], with q in −7..=7, two in a byte, the first in its low bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct I4;

impl Sealed for I8 {}
impl Sealed for I4 {}

/// The formats of integers: [`I8`], [`I4`]. Closed.
pub trait IntegerFormat: Format<Element = u8, Scale = OneScale> {
    /// The greatest |q|.
    #[doc(hidden)]
    const MOST: i8;

    /// Adds the codes of a row to `sums`.
    #[doc(hidden)]
    fn add(row: &[u8], sums: &mut [i32]);

    /// [`I8::scale_of`].
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    fn best_scale(table: Table<'_>, occurrences: Option<&[u32]>) -> Result<f32, RowNotFinite> {
        scale_of(&table.iter(), occurrences, Self::MOST)
    }
}

impl IntegerFormat for I8 {
    const MOST: i8 = 127;

    #[inline(always)]
    fn add(row: &[u8], sums: &mut [i32]) {
        for (sum, code) in sums.iter_mut().zip(row) {
            *sum = sum.wrapping_add(i32::from(*code as i8));
        }
    }
}

impl IntegerFormat for I4 {
    const MOST: i8 = 7;

    #[inline(always)]
    fn add(row: &[u8], sums: &mut [i32]) {
        let (pairs, last) = sums.as_chunks_mut::<2>();
        let mut bytes = row.iter();
        for ([first, second], byte) in pairs.iter_mut().zip(&mut bytes) {
            *first = first.wrapping_add(i32::from((byte << 4) as i8 >> 4));
            *second = second.wrapping_add(i32::from(*byte as i8 >> 4));
        }
        if let ([last], Some(byte)) = (last, bytes.next()) {
            *last = last.wrapping_add(i32::from((byte << 4) as i8 >> 4));
        }
    }
}

/// A table that has no scale: a row holds an infinite number or NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowNotFinite {
    /// The first such row.
    pub row: usize,
}

impl fmt::Display for RowNotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} holds a number that is infinite or NaN: no scale fits it, train again", self.row)
    }
}

impl core::error::Error for RowNotFinite {}

/// The integer nearest to x / scale within ±`most`, ties to even; 0 for NaN.
#[inline(always)]
pub(crate) fn nearest_code(x: f32, scale: f32, most: i8) -> i8 {
    let (y, most) = (x / scale, f32::from(most));
    let cut = if y > -most { y } else { -most };
    let cut = if cut < most { cut } else { most };
    // Beside 1.5 · 2²³ floats stand 1 apart, so the sum is rounded to an integer, ties to even, which is its
    // last byte.
    let code = (cut + 12_582_912.0).to_bits() as i8;
    if y.is_nan() { 0 } else { code }
}

/// How many shares of the greatest number are tried as the end of the codes.
const CLIPS: u8 = 32;

/// The scales that are worth a try for codes within ±`most`: with each, numbers beyond another share of the
/// greatest are cut. None if all numbers are 0.
pub(crate) fn scales_to_try<'a>(
    numbers: impl Iterator<Item = &'a f32>,
    most: i8,
) -> impl Iterator<Item = f32> {
    let greatest = numbers.fold(0.0, |most, x| if x.abs() > most { x.abs() } else { most });
    let shares = (1..=CLIPS).map(|clip| f32::from(clip) / f32::from(CLIPS));
    // What is below the least normal number has no accurate quotients.
    shares.map(move |share| greatest * share / f32::from(most)).filter(|scale| *scale >= f32::MIN_POSITIVE)
}

/// The scale with the least Σ w (x − scale · q)², w being how often the row occurs plus 1: of the greatest
/// |x| / most and its shares, or the one that fits the codes of the best of these best.
fn scale_of<'a>(
    rows: &(impl Iterator<Item = &'a [f32]> + Clone),
    occurrences: Option<&[u32]>,
    most: i8,
) -> Result<f32, RowNotFinite> {
    if let Some(row) = rows.clone().position(|numbers| numbers.iter().any(|x| !x.is_finite())) {
        return Err(RowNotFinite { row });
    }
    // The error of a scale, and the scale that fits its codes best.
    let error_of = |scale: f32| {
        let (mut error, mut products, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (row, numbers) in rows.clone().enumerate() {
            let times = occurrences.and_then(|occurrences| occurrences.get(row)).copied().unwrap_or(0);
            let weight = f64::from(times) + 1.0;
            for x in numbers {
                let (q, x) = (f64::from(nearest_code(*x, scale, most)), f64::from(*x));
                let rest = x - f64::from(scale) * q;
                error += weight * (rest * rest);
                products += weight * (x * q);
                squares += weight * (q * q);
            }
        }
        (error, (products / squares) as f32)
    };
    let (mut best, mut least) = (1.0, f64::INFINITY);
    for scale in scales_to_try(rows.clone().flatten(), most) {
        let (error, fitted) = error_of(scale);
        if error < least {
            (best, least) = (scale, error);
        }
        if fitted >= f32::MIN_POSITIVE {
            let (error, _) = error_of(fitted);
            if error < least {
                (best, least) = (fitted, error);
            }
        }
    }
    Ok(best)
}

/// What the formats of integers share: `$numbers` of them in a byte.
macro_rules! integer_format {
    ($format:ident, $name:literal, $numbers:literal) => {
        impl $format {
            /// The scale of a table of which the rows of `table` are quantised with the least squared error:
            /// Σ w (x − scale · q)² is least over 32 ends of the range of q, and over the scale that fits
            /// the codes of each best; numbers beyond the end are cut. w is 1, or 1 more than how often the
            /// row occurs, if that is given: rows that are read often then come nearer. 1 if all is zero.
            ///
            /// # Errors
            /// If a number is infinite or NaN.
            ///
            /// # Cost
            /// Each number is quantised 64 times.
            pub fn scale_of(table: Table<'_>, occurrences: Option<&[u32]>) -> Result<f32, RowNotFinite> {
                Self::best_scale(table, occurrences)
            }
        }

        impl Format for $format {
            type Element = u8;
            const NAME: &'static str = $name;
            const ROW_FORMAT: RowFormat = RowFormat::$format;
            type Scale = OneScale;
            const NUMBERS: usize = $numbers;

            #[inline(always)]
            fn block<L: Lanes, const WIDTH: usize>(
                _: L,
                bytes: &[u8],
                column: usize,
                scale: f32,
            ) -> Option<[f32; WIDTH]> {
                let codes: [i8; WIDTH] = Self::integers(bytes, column)?;
                let mut to = [0.0; WIDTH];
                for (to, q) in to.iter_mut().zip(codes) {
                    *to = scale * f32::from(q);
                }
                Some(to)
            }

            #[inline(always)]
            fn integers<const WIDTH: usize>(bytes: &[u8], column: usize) -> Option<[i8; WIDTH]> {
                unpack::<$numbers, WIDTH>(bytes, column)
            }

            fn scale_for<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone) -> OneScale {
                OneScale(scale_of(&rows, None, Self::MOST).unwrap_or(f32::NAN))
            }

            #[inline(always)]
            fn encode(from: &[f32], row: &mut [u8], OneScale(scale): OneScale, _: impl Rounding) {
                row.fill(0);
                let bits = const { 8 / Self::NUMBERS };
                for (numbers, byte) in from.chunks(Self::NUMBERS).zip(row) {
                    for (place, x) in numbers.iter().enumerate() {
                        let code = nearest_code(*x, scale, Self::MOST) as u8 & (u8::MAX >> (8 - bits));
                        *byte |= code << (place * bits);
                    }
                }
            }
        }
    };
}
integer_format!(I8, "i8", 1);
integer_format!(I4, "i4", 2);

/// The codes of a block, `NUMBERS` of them in a byte.
#[inline(always)]
fn unpack<const NUMBERS: usize, const WIDTH: usize>(bytes: &[u8], column: usize) -> Option<[i8; WIDTH]> {
    let bytes = bytes.get(..WIDTH.div_ceil(NUMBERS))?;
    let mut codes = [0; WIDTH];
    if NUMBERS == 1 {
        for (code, byte) in codes.iter_mut().zip(bytes) {
            *code = *byte as i8;
        }
    } else if WIDTH == 1 {
        // A block narrower than a byte may start inside it.
        let [code, ..] = codes.as_mut_slice() else { return None };
        *code = (bytes.first()? << (4 - column % 2 * 4)) as i8 >> 4;
    } else {
        for (codes, byte) in codes.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
            *codes = [(byte << 4) as i8 >> 4, *byte as i8 >> 4];
        }
    }
    Some(codes)
}
