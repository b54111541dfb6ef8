//! Row formats, a number at a time from the bytes of a row.

use crate::table::{Bf16, F16, F32, Format, I4, I8, Scale, Table, TableMut, U2, U4, U8};

/// 2³² divided by the golden ratio.
const GOLDEN: u32 = 0x9e37_79b9;

/// 32 random bits: each word of (seed, step, row) mixed into a key, then the column.
pub fn noise(seed: u64, step: u32, row: usize, column: usize) -> u32 {
    fn mix(h: u32) -> u32 {
        let h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
        let h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
        h ^ h >> 16
    }
    let key = mix(seed as u32 ^ mix((seed >> 32) as u32));
    let words = [step, row as u32, (row as u64 >> 32) as u32];
    let key = words.into_iter().fold(key, |key, word| mix(key.wrapping_add(GOLDEN) ^ word));
    mix(key.wrapping_add((column as u32).wrapping_mul(GOLDEN)))
}

/// A format that can be rounded at random, by its formulas.
pub trait RoundedFormatSpec: FormatSpec {
    /// A row whose mean is these numbers, by 32 random bits for each column.
    fn encode_rounded(from: &[f32], row: &mut [Self::Element], random: impl Fn(usize) -> u32);
}

impl RoundedFormatSpec for F16 {
    fn encode_rounded(from: &[f32], row: &mut [u16], random: impl Fn(usize) -> u32) {
        for (column, x) in from.iter().enumerate() {
            row[column] =
                if x.is_finite() { between(*x, random(column), 0x7bff, f16_value) } else { f16_nearest(*x) };
        }
    }
}

impl RoundedFormatSpec for Bf16 {
    fn encode_rounded(from: &[f32], row: &mut [u16], random: impl Fn(usize) -> u32) {
        for (column, x) in from.iter().enumerate() {
            row[column] = if x.is_finite() {
                between(*x, random(column), 0x7f7f, bf16_value)
            } else {
                bf16_nearest(*x)
            };
        }
    }
}

impl RoundedFormatSpec for U8 {
    fn encode_rounded(from: &[f32], row: &mut [u8], random: impl Fn(usize) -> u32) {
        Self::encode_row(from, row, 1.0);
        let (min, max) = range(from);
        for (column, x) in from.iter().enumerate() {
            let y = (x - min) * (255.0 / (max - min));
            let y = if y > 0.0 { y } else { 0.0 };
            let y = if y < 255.0 { y } else { 255.0 };
            let below = y as u8;
            let up = f64::from(random(column) >> 8) / 16_777_216.0 < f64::from(y) - f64::from(below);
            row[column] = below + u8::from(up);
        }
    }
}

/// A format by its formulas.
pub trait FormatSpec: Format {
    /// Scale and bias, if the format has them.
    fn affine(row: &[Self::Element]) -> Option<(f32, f32)> {
        let _ = row;
        None
    }

    /// The number in `column`, or its code.
    fn code(row: &[Self::Element], column: usize) -> f32;

    /// The row that is nearest to these numbers, in a table with this scale.
    fn encode_row(from: &[f32], row: &mut [Self::Element], scale: f32);

    /// The number in `column` of a row of the table.
    #[allow(clippy::missing_panics_doc)]
    fn number(table: Table<'_, Self>, row: usize, column: usize) -> f32 {
        let elements = table.row(row).expect("a checked row");
        let code = Self::code(elements, column);
        match Self::affine(elements) {
            Some((scale, bias)) => scale * code + bias,
            None if Self::Scale::IS_ONE => table.scale() * code,
            None => code,
        }
    }
}

/// mantissa · 2^exponent, exactly, for halves; powers of two by doubling and halving.
fn scaled(mantissa: u32, exponent: i32) -> f32 {
    let mut x = mantissa as f32;
    for _ in 0..exponent.abs() {
        x *= if exponent < 0 { 0.5 } else { 2.0 };
    }
    x
}

/// The value of a binary16.
pub fn f16_value(half: u16) -> f32 {
    let (exponent, mantissa) = (i32::from(half >> 10 & 31), u32::from(half & 0x3ff));
    let magnitude = match exponent {
        0 => scaled(mantissa, -24),
        31 if mantissa == 0 => f32::INFINITY,
        31 => f32::NAN,
        _ => scaled(1024 + mantissa, exponent - 25),
    };
    if half >> 15 == 1 { -magnitude } else { magnitude }
}

/// The value of a bf16.
pub fn bf16_value(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// The half whose value is nearest to `x`, the even one of two, by halving the list of all positive halves,
/// which ascend.
fn nearest(x: f32, infinity: u16, value: impl Fn(u16) -> f32) -> u16 {
    let sign = (x.to_bits() >> 16 & 0x8000) as u16;
    let magnitude = x.abs();
    if x.is_nan() {
        return sign | infinity | quiet(infinity);
    }
    let (mut low, mut high) = (0, infinity);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if value(middle) <= magnitude {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    if low == infinity {
        return sign | infinity;
    }
    // What lies above the largest half counts as far from it as if the halves went on.
    let (below, above) = (f64::from(value(low)), f64::from(value(low + 1)));
    let above = if above.is_finite() { above } else { below + (below - f64::from(value(low - 1))) };
    let (down, up) = (f64::from(magnitude) - below, above - f64::from(magnitude));
    let up = up < down || up == down && low % 2 == 1;
    sign | if up { low + 1 } else { low }
}

/// One of the two halves around `x`, finite: the one away from zero if the way to it, and `random` of 2³²,
/// come to a whole.
fn between(x: f32, random: u32, largest: u16, value: impl Fn(u16) -> f32) -> u16 {
    let sign = (x.to_bits() >> 16 & 0x8000) as u16;
    let magnitude = x.abs();
    let mut low = 0;
    for bit in (0..15).rev() {
        if low | 1 << bit <= largest && value(low | 1 << bit) <= magnitude {
            low |= 1 << bit;
        }
    }
    if low == largest {
        return sign | largest;
    }
    let (below, above) = (f64::from(value(low)), f64::from(value(low + 1)));
    let way = (f64::from(magnitude) - below) / (above - below);
    sign | if way + f64::from(random) / 4_294_967_296.0 >= 1.0 { low + 1 } else { low }
}

/// The bit that makes a NaN quiet: the highest of the mantissa.
fn quiet(infinity: u16) -> u16 {
    1 << (infinity.trailing_zeros() - 1)
}

/// The binary16 nearest to `x`.
pub fn f16_nearest(x: f32) -> u16 {
    nearest(x, 0x7c00, f16_value)
}

/// The bf16 nearest to `x`.
pub fn bf16_nearest(x: f32) -> u16 {
    nearest(x, 0x7f80, bf16_value)
}

impl FormatSpec for F32 {
    fn code(row: &[f32], column: usize) -> f32 {
        row[column]
    }

    fn encode_row(from: &[f32], row: &mut [f32], _: f32) {
        row.copy_from_slice(from);
    }
}

impl FormatSpec for F16 {
    fn code(row: &[u16], column: usize) -> f32 {
        f16_value(row[column])
    }

    fn encode_row(from: &[f32], row: &mut [u16], _: f32) {
        for (to, x) in row.iter_mut().zip(from) {
            *to = f16_nearest(*x);
        }
    }
}

impl FormatSpec for Bf16 {
    fn code(row: &[u16], column: usize) -> f32 {
        bf16_value(row[column])
    }

    fn encode_row(from: &[f32], row: &mut [u16], _: f32) {
        for (to, x) in row.iter_mut().zip(from) {
            *to = bf16_nearest(*x);
        }
    }
}

/// The least and the greatest number: element i to lane i % 16, then the upper half of the lanes to the lower
/// one.
fn range(from: &[f32]) -> (f32, f32) {
    let first = from.first().copied().unwrap_or(0.0);
    let (mut min, mut max) = ([first; 16], [first; 16]);
    for (i, &x) in from.iter().enumerate() {
        min[i % 16] = if x < min[i % 16] { x } else { min[i % 16] };
        max[i % 16] = if x > max[i % 16] { x } else { max[i % 16] };
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            min[i] = if min[i + half] < min[i] { min[i + half] } else { min[i] };
            max[i] = if max[i + half] > max[i] { max[i + half] } else { max[i] };
        }
    }
    (if from.iter().any(|x| x.is_nan()) { f32::NAN } else { min[0] }, max[0])
}

/// The integer nearest to `y` in 0..=most, the even one of two; 0 for NaN.
fn nearest_code(y: f32, most: u8) -> u8 {
    let mut code = 0;
    while code < most {
        let middle = f32::from(code) + 0.5;
        if y > middle || y == middle && code % 2 == 1 {
            code += 1;
        } else {
            break;
        }
    }
    code
}

impl FormatSpec for U8 {
    fn affine(row: &[u8]) -> Option<(f32, f32)> {
        let number = |at: usize| f32::from_le_bytes(row[at..at + 4].try_into().expect("four bytes"));
        Some((number(row.len() - 8), number(row.len() - 4)))
    }

    fn code(row: &[u8], column: usize) -> f32 {
        f32::from(row[column])
    }

    fn encode_row(from: &[f32], row: &mut [u8], _: f32) {
        let (min, max) = range(from);
        let inverse = 255.0 / (max - min + 1e-8);
        for (to, x) in row.iter_mut().zip(from) {
            *to = nearest_code((x - min) * inverse, 255);
        }
        row[from.len()..from.len() + 4].copy_from_slice(&((max - min) / 255.0).to_le_bytes());
        row[from.len() + 4..].copy_from_slice(&min.to_le_bytes());
    }
}

/// Scale and bias in binary16 at the end of a row.
fn half_affine(row: &[u8]) -> (f32, f32) {
    let half = |at: usize| f16_value(u16::from_le_bytes([row[at], row[at + 1]]));
    (half(row.len() - 4), half(row.len() - 2))
}

/// Codes of `bits` bits, and scale and bias in binary16.
fn encode_bits(from: &[f32], row: &mut [u8], bits: usize) {
    let most = (1_u8 << bits) - 1;
    let (min, max) = range(from);
    let bias = f16_nearest(min);
    let range = max - f16_value(bias);
    let mut scale = f16_nearest(if range == 0.0 { 1.0 } else { range / f32::from(most) });
    let mut inverse = 1.0 / f16_value(scale);
    if inverse.is_nan() || inverse == f32::INFINITY {
        (scale, inverse) = (f16_nearest(1.0), 1.0);
    }
    let end = row.len() - 4;
    row[..end].fill(0);
    for (column, x) in from.iter().enumerate() {
        let bit = column * bits;
        row[bit / 8] |= nearest_code((x - f16_value(bias)) * inverse, most) << (bit % 8);
    }
    row[end..end + 2].copy_from_slice(&scale.to_le_bytes());
    row[end + 2..].copy_from_slice(&bias.to_le_bytes());
}

impl FormatSpec for U4 {
    fn affine(row: &[u8]) -> Option<(f32, f32)> {
        Some(half_affine(row))
    }

    fn code(row: &[u8], column: usize) -> f32 {
        f32::from(row[column / 2] >> (column % 2 * 4) & 15)
    }

    fn encode_row(from: &[f32], row: &mut [u8], _: f32) {
        encode_bits(from, row, 4);
    }
}

impl FormatSpec for U2 {
    fn affine(row: &[u8]) -> Option<(f32, f32)> {
        Some(half_affine(row))
    }

    fn code(row: &[u8], column: usize) -> f32 {
        f32::from(row[column / 4] >> (column % 4 * 2) & 3)
    }

    fn encode_row(from: &[f32], row: &mut [u8], _: f32) {
        encode_bits(from, row, 2);
    }
}

/// The integer within ±`most` that is nearest to x / scale, the even one of two; 0 for NaN.
fn nearest_integer(x: f32, scale: f32, most: i8) -> i8 {
    let y = f64::from(x / scale);
    if y.is_nan() {
        return 0;
    }
    if y.abs() >= f64::from(most) {
        return if y < 0.0 { -most } else { most };
    }
    let distance = |q: &i8| (y - f64::from(*q)).abs();
    let mut nearest = -most;
    for q in -most..=most {
        if distance(&q) < distance(&nearest) || distance(&q) == distance(&nearest) && q % 2 == 0 {
            nearest = q;
        }
    }
    nearest
}

impl FormatSpec for I8 {
    fn code(row: &[u8], column: usize) -> f32 {
        f32::from(row[column] as i8)
    }

    fn encode_row(from: &[f32], row: &mut [u8], scale: f32) {
        for (to, x) in row.iter_mut().zip(from) {
            *to = nearest_integer(*x, scale, 127) as u8;
        }
    }
}

impl FormatSpec for I4 {
    fn code(row: &[u8], column: usize) -> f32 {
        let code = i16::from(row[column / 2] >> (column % 2 * 4) & 15);
        f32::from(if code > 7 { code - 16 } else { code })
    }

    fn encode_row(from: &[f32], row: &mut [u8], scale: f32) {
        row.fill(0);
        for (column, x) in from.iter().enumerate() {
            row[column / 2] |= (nearest_integer(*x, scale, 7) as u8 & 15) << (column % 2 * 4);
        }
    }
}

/// Each row of `from` in the format of `to`.
#[allow(clippy::missing_panics_doc)]
pub fn quantise<F: FormatSpec>(from: Table<'_>, to: &mut TableMut<'_, F>) {
    for row in 0..from.rows() {
        let scale = to.as_table().scale();
        F::encode_row(from.row(row).expect("a row"), to.row_mut(row).expect("a row"), scale);
    }
}

/// Each row of `from` as `f32`.
#[allow(clippy::missing_panics_doc)]
pub fn dequantise<F: FormatSpec>(from: Table<'_, F>, to: &mut TableMut<'_>) {
    for row in 0..from.rows() {
        for (column, to) in to.row_mut(row).expect("a row").iter_mut().enumerate() {
            *to = F::number(from, row, column);
        }
    }
}
