//! The packed formats: integers of 8, 4 or 2 bits with a scale and a bias for each row.
#![allow(clippy::redundant_closure_for_method_calls, reason = "a method by its name may not be inlined")]

use super::format::sealed::Sealed;
use super::{Format, Rounding, RowFormat, Trainable};
use crate::simd::{LANES, Lanes, f16_to_f32, f32_to_f16};

/// 8 bits a number: FBGEMM's "fused 8-bit rowwise", scale and bias in `f32`.
///
/// A row is quantised as bias = min, scale = (max − min) / 255, q = round((x − min) · 255 / (max − min +
/// 10⁻⁸)), ties to even. The largest error is half of scale. A row with an infinite number or NaN, or whose
/// range is above the largest `f32`, is read back as numbers that are not finite; NaN stays visible in any
/// case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct U8;

/// 4 bits a number: FBGEMM's "fused 4-bit rowwise", scale and bias in binary16.
///
/// A row is quantised as bias = min as binary16, scale = (max − bias) / 15 as binary16 (1 if that is 0, or so
/// small that 1 / scale is infinite), q = round((x − bias) / scale), ties to even, within 0..=15. A row whose
/// minimum or scale binary16 cannot hold (65504 at most), or with NaN, is read back as numbers that are not
/// finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct U4;

/// 2 bits a number: FBGEMM's "fused 2-bit rowwise". As [`U4`], with q in 0..=3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct U2;

impl Sealed for U8 {}
impl Sealed for U4 {}
impl Sealed for U2 {}

impl Trainable for U8 {}

/// The least and the greatest number by compare and select: element i goes to lane i % 16, then the upper
/// half of the lanes to the lower half until one is left. NaN and the greatest if there is NaN; zeros of
/// none.
#[inline(always)]
fn range(from: &[f32]) -> (f32, f32) {
    let first = from.first().copied().unwrap_or(0.0);
    let (mut min, mut max) = ([first; LANES], [first; LANES]);
    let (chunks, rest) = from.as_chunks::<LANES>();
    for x in chunks {
        for ((min, max), x) in min.iter_mut().zip(&mut max).zip(x) {
            (*min, *max) = (lesser(*x, *min), greater(*x, *max));
        }
    }
    for ((min, max), x) in min.iter_mut().zip(&mut max).zip(rest) {
        (*min, *max) = (lesser(*x, *min), greater(*x, *max));
    }
    for half in [8, 4, 2, 1] {
        if let (Some((low, high)), Some((low_max, high_max))) =
            (min.split_at_mut_checked(half), max.split_at_mut_checked(half))
        {
            for (low, high) in low.iter_mut().zip(high) {
                *low = lesser(*high, *low);
            }
            for (low, high) in low_max.iter_mut().zip(high_max) {
                *low = greater(*high, *low);
            }
        }
    }
    let ([min, ..], [max, ..]) = (min, max);
    // Compare and select pass NaN over, and a row that diverged would look sound.
    if from.iter().fold(false, |any, x| any | x.is_nan()) { (f32::NAN, max) } else { (min, max) }
}

#[inline(always)]
fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The integer in 0..=`most` that `y` is rounded to; 0 for NaN.
#[inline(always)]
fn code(y: f32, most: u8, random: Option<u32>) -> u8 {
    let y = lesser(greater(y, 0.0), f32::from(most));
    match random {
        // Beside 1.5 · 2²³ floats stand 1 apart, so the sum is rounded to an integer, ties to even, which is
        // its last byte.
        None => (y + 12_582_912.0).to_bits() as u8,
        Some(random) => {
            let below = y as i32;
            // 24 bits: exact as a float.
            let up = (random >> 8) as f32 * (1.0 / 16_777_216.0) < y - below as f32;
            (below + i32::from(up)) as u8
        }
    }
}

/// A block of scale · q: sixteen codes at a time, padded if there are fewer, or one by one where there are no
/// vectors. `BYTES` are those of sixteen codes. `load` is a closure that is always inlined: the method by its
/// name may be called, without the level's instructions.
#[inline(always)]
fn codes<L: Lanes, const WIDTH: usize, const BYTES: usize>(
    lanes: L,
    bytes: &[u8],
    column: usize,
    scale: f32,
    load: impl Fn(L, f32, &[u8; BYTES]) -> L::V,
) -> Option<[f32; WIDTH]> {
    let per_byte = const { LANES / BYTES };
    let bits = const { 8 * BYTES / LANES };
    let bytes = bytes.get(..WIDTH.div_ceil(per_byte))?;
    let mut to = [0.0; WIDTH];
    // Known when this is compiled: what is not needed must not be left for the optimiser of the loop around.
    if WIDTH.is_multiple_of(LANES) {
        for (to, bytes) in to.as_chunks_mut().0.iter_mut().zip(bytes.as_chunks().0) {
            lanes.store(load(lanes, scale, bytes), to);
        }
    } else if L::MAX_BLOCK < LANES {
        for (i, to) in to.iter_mut().enumerate() {
            let byte = bytes.get(i / per_byte)?;
            *to = scale * f32::from(byte >> ((column + i) % per_byte * bits) & (u8::MAX >> (8 - bits)));
        }
    } else {
        let mut padded = [0; BYTES];
        for (padded, byte) in padded.iter_mut().zip(bytes) {
            // A block narrower than a byte may start inside it.
            *padded = byte >> (column % per_byte * bits);
        }
        let mut all = [0.0; LANES];
        lanes.store(load(lanes, scale, &padded), &mut all);
        for (to, x) in to.iter_mut().zip(all) {
            *to = x;
        }
    }
    Some(to)
}

/// A block of a row of codes, which the lanes load by `$load`.
macro_rules! block_of_codes {
    ($load:ident) => {
        #[inline(always)]
        fn block<L: Lanes, const WIDTH: usize>(
            lanes: L,
            from: &[u8],
            column: usize,
            scale: f32,
        ) -> Option<[f32; WIDTH]> {
            codes(
                lanes,
                from,
                column,
                scale,
                #[inline(always)]
                |lanes, scale, bytes| lanes.$load(scale, bytes),
            )
        }
    };
}

impl Format for U8 {
    type Element = u8;
    const NAME: &'static str = "u8";
    const ROW_FORMAT: RowFormat = RowFormat::U8;
    type Scale = ();
    const SCALE_AND_BIAS: usize = 8;

    #[inline(always)]
    fn scale_and_bias<L: Lanes>(_: L, end: &[u8]) -> Option<(f32, f32)> {
        let &[a, b, c, d, e, f, g, h] = end.first_chunk()?;
        Some((f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h])))
    }

    block_of_codes!(scaled_u8);

    #[inline(always)]
    fn encode(from: &[f32], row: &mut [u8], (): (), rounding: impl Rounding) {
        let Some((codes, end)) = row.split_last_chunk_mut::<8>() else { return };
        let (min, max) = range(from);
        let range = max - min;
        // FBGEMM's small term keeps the quotient finite, but would draw the mean of random roundings towards
        // min.
        let inverse = 255.0 / if rounding.random(0).is_none() { range + 1e-8 } else { range };
        for (column, (to, x)) in codes.iter_mut().zip(from).enumerate() {
            *to = code((x - min) * inverse, 255, rounding.random(column));
        }
        let ([a, b, c, d], [e, f, g, h]) = ((range / 255.0).to_le_bytes(), min.to_le_bytes());
        *end = [a, b, c, d, e, f, g, h];
    }
}

/// Codes of which `PER_BYTE` fill a byte.
#[inline(always)]
fn encode_bits<const PER_BYTE: usize>(from: &[f32], row: &mut [u8], most: u8, rounding: impl Rounding) {
    let Some((codes, end)) = row.split_last_chunk_mut::<4>() else { return };
    let (min, max) = range(from);
    let bias = f32_to_f16(min, None);
    let min = f16_to_f32(bias);
    let range = max - min;
    let mut scale_bits = f32_to_f16(if range == 0.0 { 1.0 } else { range / f32::from(most) }, None);
    let mut inverse = 1.0 / f16_to_f32(scale_bits);
    // Infinite: a row of values too close together for a scale in binary16.
    if !(inverse < f32::INFINITY) {
        (scale_bits, inverse) = (f32_to_f16(1.0, None), 1.0);
    }
    codes.fill(0);
    for (column, x) in from.iter().enumerate() {
        if let Some(byte) = codes.get_mut(column / PER_BYTE) {
            let code = code((x - min) * inverse, most, rounding.random(column));
            *byte |= code << (column % PER_BYTE * (8 / PER_BYTE));
        }
    }
    let ([a, b], [c, d]) = (scale_bits.to_le_bytes(), bias.to_le_bytes());
    *end = [a, b, c, d];
}

/// A format whose codes share bytes: `$numbers` of them in one, each at most `$most`.
macro_rules! bits_format {
    ($format:ident, $name:literal, $numbers:literal, $most:literal, $load:ident, { $($more:tt)* }) => {
        impl Format for $format {
            type Element = u8;
            const NAME: &'static str = $name;
            const ROW_FORMAT: RowFormat = RowFormat::$format;
            type Scale = ();
            const NUMBERS: usize = $numbers;
            const SCALE_AND_BIAS: usize = 4;

            #[inline(always)]
            fn scale_and_bias<L: Lanes>(lanes: L, end: &[u8]) -> Option<(f32, f32)> {
                Some(lanes.two_f16(*end.first_chunk()?))
            }

            block_of_codes!($load);
            $($more)*

            #[inline(always)]
            fn encode(from: &[f32], row: &mut [u8], (): (), rounding: impl Rounding) {
                encode_bits::<$numbers>(from, row, $most, rounding);
            }
        }
    };
}
bits_format!(U4, "u4", 2, 15, scaled_u4, {
    #[inline(always)]
    fn add_groups<L: Lanes, const GROUPS: usize>(
        lanes: L,
        sums: &mut [L::V; GROUPS],
        scale: f32,
        codes: &[u8],
    ) -> Option<()> {
        lanes.add_u4(sums, scale, codes.as_chunks().0.first_chunk()?);
        Some(())
    }

    #[inline(always)]
    fn order_groups<L: Lanes, const GROUPS: usize>(lanes: L, sums: &mut [L::V; GROUPS]) {
        lanes.order_u4(sums);
    }
});
bits_format!(U2, "u2", 4, 3, scaled_u2, {});
