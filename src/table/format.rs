//! Row formats: what the numbers of a table are stored as.
//!
//! | format | element | bytes of a row | value |
//! |---|---|---|---|
//! | [`F32`] | `f32` | 4 dim | x |
//! | [`F16`] | `u16` | 2 dim | IEEE binary16: 11 significant bits, up to 65504 |
//! | [`Bf16`] | `u16` | 2 dim | upper half of an `f32`: 8 significant bits, its whole range |
//! | [`U8`](super::U8) | `u8` | dim + 8 | scale · q + bias, q in 0..=255; scale and bias of the row are `f32` |
//! | [`U4`](super::U4) | `u8` | ⌈dim / 2⌉ + 4 | the same, q in 0..=15; scale and bias are binary16 |
//! | [`U2`](super::U2) | `u8` | ⌈dim / 4⌉ + 4 | the same, q in 0..=3; scale and bias are binary16 |
//! | [`I8`](super::I8) | `u8` | dim | scale · q, q in −127..=127; the table has one scale, in `f32` |
//! | [`I4`](super::I4) | `u8` | ⌈dim / 2⌉ | the same, q in −7..=7 |
//!
//! The packed rows are FBGEMM's "fused" ones, byte for byte, little-endian: first the codes q, the low bits
//! of a byte first, then scale, then bias. A row is self-contained: it can be read in place, copied and
//! rewritten alone. The rows of integers are not: their scale is the table's, so that a bag of them is a sum of
//! integers, which is exact in any order, and one product.
#![allow(clippy::redundant_closure_for_method_calls, reason = "a method by its name may not be inlined")]

use crate::simd::{LANES, Lanes, bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16};
use core::fmt::Debug;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How the rows of a table are stored. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
#[non_exhaustive]
pub enum RowFormat {
    /// Numbers of 32 bits, which can learn.
    F32 = 0,
    /// [`F16`].
    F16 = 1,
    /// [`Bf16`].
    Bf16 = 2,
    /// [`U8`](super::U8).
    U8 = 3,
    /// [`U4`](super::U4).
    U4 = 4,
    /// [`U2`](super::U2).
    U2 = 5,
    /// [`I8`](super::I8).
    I8 = 6,
    /// [`I4`](super::I4).
    I4 = 7,
}

impl RowFormat {
    /// The format with this number.
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::F32),
            1 => Some(Self::F16),
            2 => Some(Self::Bf16),
            3 => Some(Self::U8),
            4 => Some(Self::U4),
            5 => Some(Self::U2),
            6 => Some(Self::I8),
            7 => Some(Self::I4),
            _ => None,
        }
    }

    /// How many bytes a row of `dim` numbers takes; `None` if they are too many to count.
    pub fn row_bytes(self, dim: usize) -> Option<usize> {
        match self {
            Self::F32 => dim.checked_mul(4),
            Self::F16 | Self::Bf16 => dim.checked_mul(2),
            Self::U8 => dim.checked_add(8),
            Self::U4 => dim.div_ceil(2).checked_add(4),
            Self::U2 => dim.div_ceil(4).checked_add(4),
            Self::I8 => Some(dim),
            Self::I4 => Some(dim.div_ceil(2)),
        }
    }

    /// How many words of 32 bits a table takes: its rows, filled up, and the scale of [`I8`](super::I8) and
    /// [`I4`](super::I4). `None` if they are too many to count.
    pub(crate) fn table_words(self, rows: usize, dim: usize) -> Option<usize> {
        let words = self.row_bytes(dim)?.checked_mul(rows)?.div_ceil(4);
        match self {
            Self::I8 | Self::I4 => words.checked_add(1),
            _ => Some(words),
        }
    }
}

/// How the numbers of a row are stored: [`F32`], [`F16`], [`Bf16`], [`U8`](super::U8), [`U4`](super::U4),
/// [`U2`](super::U2), [`I8`](super::I8) or [`I4`](super::I4). Closed.
///
/// ```
/// use nanoembed::table::{Format, U4, U8};
/// assert_eq!((U8::row_length(64), U4::row_length(64)), (72, 36)); // bytes, instead of 256
/// ```
pub trait Format: Copy + Debug + Default + sealed::Sealed + 'static {
    /// What a row is a slice of.
    type Element: Copy + Debug + PartialEq + FromBytes + IntoBytes + Immutable + KnownLayout + 'static;
    /// Its name in lower case.
    const NAME: &'static str;
    /// Which one it is, as a value.
    const ROW_FORMAT: RowFormat;
    /// What the whole table is scaled by: one number, or nothing.
    type Scale: Scale;

    /// How many numbers stand in an element.
    #[doc(hidden)]
    const NUMBERS: usize = 1;
    /// How many elements scale and bias take at the end of a row.
    #[doc(hidden)]
    const SCALE_AND_BIAS: usize = 0;

    /// How many elements a row of `dim` numbers takes.
    #[inline(always)]
    fn row_length(dim: usize) -> usize {
        dim.div_ceil(Self::NUMBERS).saturating_add(Self::SCALE_AND_BIAS)
    }

    /// The numbers of a row, if they need no conversion.
    #[doc(hidden)]
    #[inline(always)]
    fn as_floats(row: &[Self::Element]) -> Option<&[f32]> {
        let _ = row;
        None
    }

    /// Scale and bias from the elements at the end of a row.
    #[doc(hidden)]
    #[inline(always)]
    fn scale_and_bias<L: Lanes>(lanes: L, end: &[Self::Element]) -> Option<(f32, f32)> {
        let _ = (lanes, end);
        None
    }

    /// `WIDTH` numbers from the elements that hold them, of which the first holds the number of `column`. Of
    /// packed rows scale · q, to which the bias is still to come; other formats have no scale.
    #[doc(hidden)]
    fn block<L: Lanes, const WIDTH: usize>(
        lanes: L,
        elements: &[Self::Element],
        column: usize,
        scale: f32,
    ) -> Option<[f32; WIDTH]>;

    /// Of packed rows: sums + scale · q for groups of sixteen columns.
    #[doc(hidden)]
    #[inline(always)]
    fn add_groups<L: Lanes, const GROUPS: usize>(
        lanes: L,
        sums: &mut [L::V; GROUPS],
        scale: f32,
        elements: &[Self::Element],
    ) -> Option<()> {
        for (sum, group) in sums.iter_mut().zip(0..) {
            let x = Self::block::<L, LANES>(lanes, elements.get(group * LANES / Self::NUMBERS..)?, 0, scale)?;
            *sum = lanes.add(*sum, lanes.load(&x));
        }
        Some(())
    }

    /// Puts such sums, which a level may keep in an order of its own, into that of the columns.
    #[doc(hidden)]
    #[inline(always)]
    fn order_groups<L: Lanes, const GROUPS: usize>(lanes: L, sums: &mut [L::V; GROUPS]) {
        let _ = (lanes, sums);
    }

    /// `WIDTH` integers, as [`block`](Self::block) takes them; `None` if the format is not one of integers.
    #[doc(hidden)]
    #[inline(always)]
    fn integers<const WIDTH: usize>(elements: &[Self::Element], column: usize) -> Option<[i8; WIDTH]> {
        let _ = (elements, column);
        None
    }

    /// The scale for a table of these rows; NaN if a number of them is infinite or NaN.
    #[doc(hidden)]
    #[inline(always)]
    fn scale_for<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone) -> Self::Scale {
        let _ = rows;
        Self::Scale::default()
    }

    /// Writes the row nearest to `from`, or with random bits for each column one whose mean is `from`.
    #[doc(hidden)]
    fn encode(from: &[f32], row: &mut [Self::Element], scale: Self::Scale, rounding: impl Rounding);
}

/// What a whole table is scaled by.
pub trait Scale:
    Copy + Debug + Default + PartialEq + FromBytes + IntoBytes + Immutable + KnownLayout + 'static
{
    /// Whether there is one.
    const IS_ONE: bool;

    /// The factor.
    fn value(self) -> f32;
}

/// Nothing: rows are as they are.
impl Scale for () {
    const IS_ONE: bool = false;

    #[inline(always)]
    fn value(self) -> f32 {
        1.0
    }
}

/// One scale for all rows of a table; 1 if nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct OneScale(pub f32);

impl Default for OneScale {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Scale for OneScale {
    const IS_ONE: bool = true;

    #[inline(always)]
    fn value(self) -> f32 {
        self.0
    }
}

/// Formats whose rows can be trained in place, rounded at random so that small steps are not lost: [`F16`],
/// [`Bf16`] and [`U8`](super::U8).
pub trait Trainable: Format<Scale = ()> {}

/// Where the random bits of a rounding come from.
pub trait Rounding: Copy {
    /// 32 bits for the number in this column; `None` to round to the nearest.
    fn random(self, column: usize) -> Option<u32>;
}

/// To the nearest, ties to even.
#[derive(Clone, Copy, Debug)]
pub struct Nearest;

impl Rounding for Nearest {
    #[inline(always)]
    fn random(self, _: usize) -> Option<u32> {
        None
    }
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// 32 bits, as IEEE 754: the format that tables have if none is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct F32;

/// 16 bits, as IEEE 754 (binary16), in the bits of a `u16`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct F16;

/// 16 bits, the upper half of an `f32`, in the bits of a `u16`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bf16;

impl sealed::Sealed for F32 {}
impl sealed::Sealed for F16 {}
impl sealed::Sealed for Bf16 {}

impl Trainable for F16 {}
impl Trainable for Bf16 {}

impl F16 {
    /// The half nearest to `x`, ties to even.
    #[inline]
    pub fn from_f32(x: f32) -> u16 {
        f32_to_f16(x, None)
    }

    /// Its value, exactly.
    #[inline]
    pub fn to_f32(half: u16) -> f32 {
        f16_to_f32(half)
    }
}

impl Bf16 {
    /// The half nearest to `x`, ties to even.
    #[inline]
    pub fn from_f32(x: f32) -> u16 {
        f32_to_bf16(x, None)
    }

    /// Its value, exactly.
    #[inline]
    pub fn to_f32(half: u16) -> f32 {
        bf16_to_f32(half)
    }
}

impl Format for F32 {
    type Element = f32;
    const NAME: &'static str = "f32";
    const ROW_FORMAT: RowFormat = RowFormat::F32;
    type Scale = ();

    #[inline(always)]
    fn as_floats(row: &[f32]) -> Option<&[f32]> {
        Some(row)
    }

    #[inline(always)]
    fn block<L: Lanes, const WIDTH: usize>(_: L, numbers: &[f32], _: usize, _: f32) -> Option<[f32; WIDTH]> {
        numbers.first_chunk().copied()
    }

    #[inline(always)]
    fn encode(from: &[f32], row: &mut [f32], (): (), _: impl Rounding) {
        for (to, x) in row.iter_mut().zip(from) {
            *to = *x;
        }
    }
}

/// A block of halves as floats: sixteen at a time, padded if there are fewer, or one by one where there are
/// no vectors.
#[inline(always)]
fn halves<L: Lanes, const WIDTH: usize>(
    lanes: L,
    halves: &[u16],
    load: impl Fn(L, &[u16; LANES]) -> L::V,
    one: impl Fn(u16) -> f32,
) -> Option<[f32; WIDTH]> {
    let block: &[u16; WIDTH] = halves.first_chunk()?;
    let mut to = [0.0; WIDTH];
    if WIDTH.is_multiple_of(LANES) {
        for (to, block) in to.as_chunks_mut().0.iter_mut().zip(block.as_chunks().0) {
            lanes.store(load(lanes, block), to);
        }
    } else if L::MAX_BLOCK < LANES {
        for (to, half) in to.iter_mut().zip(block) {
            *to = one(*half);
        }
    } else {
        let (mut padded, mut all) = ([0; LANES], [0.0; LANES]);
        for (padded, half) in padded.iter_mut().zip(block) {
            *padded = *half;
        }
        lanes.store(load(lanes, &padded), &mut all);
        for (to, x) in to.iter_mut().zip(all) {
            *to = x;
        }
    }
    Some(to)
}

impl Format for F16 {
    type Element = u16;
    const NAME: &'static str = "f16";
    const ROW_FORMAT: RowFormat = RowFormat::F16;
    type Scale = ();

    #[inline(always)]
    fn block<L: Lanes, const WIDTH: usize>(lanes: L, from: &[u16], _: usize, _: f32) -> Option<[f32; WIDTH]> {
        halves(
            lanes,
            from,
            #[inline(always)]
            |lanes, from| lanes.load_f16(from),
            f16_to_f32,
        )
    }

    #[inline(always)]
    fn encode(from: &[f32], row: &mut [u16], (): (), rounding: impl Rounding) {
        for (column, (to, x)) in row.iter_mut().zip(from).enumerate() {
            *to = f32_to_f16(*x, rounding.random(column));
        }
    }
}

impl Format for Bf16 {
    type Element = u16;
    const NAME: &'static str = "bf16";
    const ROW_FORMAT: RowFormat = RowFormat::Bf16;
    type Scale = ();

    #[inline(always)]
    fn block<L: Lanes, const WIDTH: usize>(lanes: L, from: &[u16], _: usize, _: f32) -> Option<[f32; WIDTH]> {
        halves(
            lanes,
            from,
            #[inline(always)]
            |lanes, from| lanes.load_bf16(from),
            bf16_to_f32,
        )
    }

    #[inline(always)]
    fn encode(from: &[f32], row: &mut [u16], (): (), rounding: impl Rounding) {
        for (column, (to, x)) in row.iter_mut().zip(from).enumerate() {
            *to = f32_to_bf16(*x, rounding.random(column));
        }
    }
}
