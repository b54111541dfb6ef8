//! Sixteen virtual lanes of `f32` and one fixed tree to sum them.
//!
//! A sum over a slice puts element i into lane i % 16, also in the ragged tail; lanes start at +0; then lanes
//! i and i + 8 are added, i and i + 4, i and i + 2, i and i + 1. Whatever registers a processor has, the
//! order of the additions and so the bits are the same. Zero lanes of a tail are exact: a lane that starts at
//! +0 never becomes −0.

/// Implements a trait by plain loops, by a macro that takes the level: for a level that has no instructions of its own
/// for it, and in tests for plain numbers.
macro_rules! by_loops {
    ($implement:ident) => {
        #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
        $implement!(super::Baseline);
        #[cfg(all(
            test,
            any(
                all(target_arch = "x86_64", target_feature = "sse2"),
                all(target_arch = "aarch64", target_feature = "neon"),
                all(target_arch = "wasm32", target_feature = "simd128"),
            )
        ))]
        $implement!(super::scalar::Scalar);
    };
}

mod narrow;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod packed;
mod products;
#[cfg(any(
    test,
    not(any(
        all(target_arch = "x86_64", target_feature = "sse2"),
        all(target_arch = "aarch64", target_feature = "neon"),
        all(target_arch = "wasm32", target_feature = "simd128"),
    ))
))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86;

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
pub(crate) use neon::Neon as Baseline;
#[cfg(not(any(
    all(target_arch = "x86_64", target_feature = "sse2"),
    all(target_arch = "aarch64", target_feature = "neon"),
    all(target_arch = "wasm32", target_feature = "simd128"),
)))]
pub(crate) use scalar::Scalar as Baseline;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd128::Simd128 as Baseline;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(crate) use x86::{Avx2, Avx512, Sse2 as Baseline};

use narrow::NarrowLanes;
pub(crate) use products::CODES;
use products::ProductLanes;

use super::half::{bf16_to_f32, f16_to_f32};

/// Number of virtual lanes.
pub(crate) const LANES: usize = 16;

/// Sixteen lanes of one processor level: the operations that reductions and tiles are written with. Never
/// fused.
///
/// A value of the implementing type is the proof that the processor has the level.
// Public in a module that is not, as it stands in the closed trait `Format`.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "codes are broadcast from where they lie")]
pub trait Lanes: NarrowLanes + ProductLanes {
    /// Sixteen floats in registers.
    type V: Copy;
    /// How many rows of sixteen accumulators stay in registers, beside what is multiplied: 1, 2, 4 or 8.
    const ACCUMULATORS: usize;
    /// The widest block of columns that vertical kernels keep in registers; narrower ones follow for the rest
    /// of a row.
    const MAX_BLOCK: usize = 32;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, from: &[f32; LANES]) -> Self::V;
    /// The first elements of `from`, at most sixteen; +0 in the other lanes.
    fn load_part(self, from: &[f32]) -> Self::V;
    /// Sixteen integers of 8 bits as floats.
    #[inline(always)]
    fn load_u8(self, from: &[u8; LANES]) -> Self::V {
        let mut to = [0.0; LANES];
        for (to, code) in to.iter_mut().zip(from) {
            *to = f32::from(*code);
        }
        self.load(&to)
    }
    /// Sixteen integers of 4 bits, the low bits of a byte first.
    #[inline(always)]
    fn load_u4(self, from: &[u8; LANES / 2]) -> Self::V {
        let mut codes = [0; LANES];
        for ([low, high], byte) in codes.as_chunks_mut().0.iter_mut().zip(from) {
            (*low, *high) = (byte & 15, byte >> 4);
        }
        self.load_u8(&codes)
    }
    /// Sixteen integers of 2 bits, the low bits of a byte first.
    #[inline(always)]
    fn load_u2(self, from: &[u8; LANES / 4]) -> Self::V {
        let mut codes = [0; LANES / 2];
        for ([low, high], byte) in codes.as_chunks_mut().0.iter_mut().zip(from) {
            // Each pair of codes as one of 4 bits with a gap: 2 bits, 2 zeros, 2 bits.
            let spread = |pair: u8| pair & 0b0011 | (pair & 0b1100) << 2;
            (*low, *high) = (spread(*byte), spread(byte >> 4));
        }
        self.load_u4(&codes)
    }
    /// scale · q for sixteen integers q of 8 bits.
    #[inline(always)]
    fn scaled_u8(self, scale: f32, from: &[u8; LANES]) -> Self::V {
        self.mul(self.splat(scale), self.load_u8(from))
    }
    /// scale · q for sixteen integers q of 4 bits.
    #[inline(always)]
    fn scaled_u4(self, scale: f32, from: &[u8; LANES / 2]) -> Self::V {
        self.mul(self.splat(scale), self.load_u4(from))
    }
    /// scale · q for sixteen integers q of 2 bits.
    #[inline(always)]
    fn scaled_u2(self, scale: f32, from: &[u8; LANES / 4]) -> Self::V {
        self.mul(self.splat(scale), self.load_u2(from))
    }
    /// sums + scale · q for groups of sixteen integers q of 4 bits, in an order that the level chooses.
    #[inline(always)]
    fn add_u4<const GROUPS: usize>(
        self,
        sums: &mut [Self::V; GROUPS],
        scale: f32,
        from: &[[u8; LANES / 2]; GROUPS],
    ) {
        for (sum, codes) in sums.iter_mut().zip(from) {
            *sum = self.add(*sum, self.scaled_u4(scale, codes));
        }
    }
    /// Puts the sums of [`add_u4`](Self::add_u4) into the order of the integers.
    #[inline(always)]
    fn order_u4<const GROUPS: usize>(self, sums: &mut [Self::V; GROUPS]) {
        let _ = sums;
    }
    /// Sixteen floats of 16 bits (IEEE binary16); NaN becomes quiet.
    #[inline(always)]
    fn load_f16(self, from: &[u16; LANES]) -> Self::V {
        let mut to = [0.0; LANES];
        for (to, half) in to.iter_mut().zip(from) {
            *to = f16_to_f32(*half);
        }
        self.load(&to)
    }
    /// Two floats of 16 bits (IEEE binary16) from their bytes.
    #[inline(always)]
    fn two_f16(self, [a, b, c, d]: [u8; 4]) -> (f32, f32) {
        (f16_to_f32(u16::from_le_bytes([a, b])), f16_to_f32(u16::from_le_bytes([c, d])))
    }
    /// Sixteen floats of 16 bits, the upper halves of `f32`.
    #[inline(always)]
    fn load_bf16(self, from: &[u16; LANES]) -> Self::V {
        let mut to = [0.0; LANES];
        for (to, half) in to.iter_mut().zip(from) {
            *to = bf16_to_f32(*half);
        }
        self.load(&to)
    }
    fn store(self, v: Self::V, to: &mut [f32; LANES]);
    /// The first lanes, as many as there are elements, at most sixteen.
    #[inline(always)]
    fn store_part(self, v: Self::V, to: &mut [f32]) {
        let mut all = [0.0; LANES];
        self.store(v, &mut all);
        for (to, x) in to.iter_mut().zip(all) {
            *to = x;
        }
    }
    /// Stores past the caches, where the processor can.
    ///
    /// # Safety
    /// `to` starts at a multiple of 64 bytes.
    #[inline(always)]
    unsafe fn stream(self, v: Self::V, to: &mut [f32; LANES]) {
        self.store(v, to);
    }
    /// A bit for each number, from the lowest on: whether it is not zero. NaN is not.
    #[inline(always)]
    fn nonzero(self, from: &[f32; LANES]) -> u16 {
        let mut bits = 0;
        for (place, x) in from.iter().enumerate() {
            bits |= u16::from(*x != 0.0) << place;
        }
        bits
    }
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// total + a · b for slices of one length below sixteen; the other lanes stay.
    #[inline(always)]
    fn add_product_part(self, total: Self::V, a: &[f32], b: &[f32]) -> Self::V {
        self.add(total, self.mul(self.load_part(a), self.load_part(b)))
    }
    /// The sum of the lanes by the tree i + 8, i + 4, i + 2, i + 1.
    fn sum(self, v: Self::V) -> f32;
    /// Four such sums at once.
    #[inline(always)]
    fn sums(self, vs: [Self::V; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        for (sum, v) in sums.iter_mut().zip(&vs) {
            *sum = self.sum(*v);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::scalar::Scalar;
    use super::{LANES, Lanes};
    use crate::simd::{Level, simd_fn};
    use std::vec::Vec;

    #[inline(always)]
    fn part_body<L: Lanes>(lanes: L, from: &[f32]) -> [f32; LANES] {
        let mut to = [f32::NAN; LANES];
        lanes.store(lanes.load_part(from), &mut to);
        to
    }

    /// a · x + b.
    #[inline(always)]
    fn arithmetic_body<L: Lanes>(lanes: L, a: &[f32; LANES], x: f32, b: &[f32; LANES]) -> [f32; LANES] {
        let mut to = [f32::NAN; LANES];
        lanes.store(lanes.add(lanes.mul(lanes.load(a), lanes.splat(x)), lanes.load(b)), &mut to);
        to
    }

    #[inline(always)]
    fn sum_body<L: Lanes>(lanes: L, from: &[f32; LANES]) -> f32 {
        lanes.sum(lanes.load(from))
    }

    #[inline(always)]
    fn nonzero_body<L: Lanes>(lanes: L, from: &[f32; LANES]) -> u16 {
        lanes.nonzero(from)
    }

    #[inline(always)]
    fn sums_body<L: Lanes>(lanes: L, [a, b, c, d]: &[[f32; LANES]; 4]) -> [f32; 4] {
        lanes.sums([lanes.load(a), lanes.load(b), lanes.load(c), lanes.load(d)])
    }

    simd_fn! {
        fn part, part_at(from: &[f32]) -> [f32; LANES] = part_body;
        fn arithmetic, arithmetic_at(a: &[f32; LANES], x: f32, b: &[f32; LANES]) -> [f32; LANES] = arithmetic_body;
        fn sum, sum_at(from: &[f32; LANES]) -> f32 = sum_body;
        fn nonzero, nonzero_at(from: &[f32; LANES]) -> u16 = nonzero_body;
        fn sums, sums_at(from: &[[f32; LANES]; 4]) -> [f32; 4] = sums_body;
    }

    /// Numbers of many sizes, so that sums in another order or without the middle rounding have other bits.
    fn numbers(seed: u32) -> [f32; LANES] {
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        core::array::from_fn(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let size = [1.0, 1e-3, 1e4, 1e-7][state as usize % 4];
            ((state >> 8) as f32 / 8_388_608.0 - 1.0) * size
        })
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn a_part_fills_the_first_lanes_and_zeroes_the_rest() {
        let all: Vec<f32> = (0..40).map(|i| -1.5 - i as f32).collect();
        for (start, length) in
            [0, 1, 3].into_iter().flat_map(|start| (0..=33).map(move |length| (start, length)))
        {
            let from = &all[start..][..length];
            let expected: [f32; LANES] = core::array::from_fn(|i| if i < length { from[i] } else { 0.0 });
            assert_eq!(bits(&part_body(Scalar::TOKEN, from)), bits(&expected), "scalar, length {length}");
            for level in Level::available() {
                assert_eq!(bits(&part_at(level, from)), bits(&expected), "{level:?}, length {length}");
            }
            assert_eq!(bits(&part(from)), bits(&expected));
        }
    }

    #[test]
    fn a_product_and_a_sum_round_twice() {
        for seed in 0..500 {
            let (a, b, x) = (numbers(seed), numbers(seed + 1000), numbers(seed + 2000)[0]);
            let expected: [f32; LANES] = core::array::from_fn(|i| {
                let product = core::hint::black_box(a[i] * x);
                product + b[i]
            });
            assert_eq!(bits(&arithmetic_body(Scalar::TOKEN, &a, x, &b)), bits(&expected), "scalar, {a:?}");
            for level in Level::available() {
                assert_eq!(
                    bits(&arithmetic_at(level, &a, x, &b)),
                    bits(&expected),
                    "{}, {a:?}",
                    level.name()
                );
            }
            assert_eq!(bits(&arithmetic(&a, x, &b)), bits(&expected));
        }
    }

    #[test]
    fn lanes_are_summed_by_the_tree() {
        for seed in 0..500 {
            let v = numbers(seed);
            let quarter = |i: usize| (v[i] + v[i + 8]) + (v[i + 4] + v[i + 12]);
            let expected = (quarter(0) + quarter(2)) + (quarter(1) + quarter(3));
            assert_eq!(sum_body(Scalar::TOKEN, &v).to_bits(), expected.to_bits(), "scalar, {v:?}");
            for level in Level::available() {
                assert_eq!(sum_at(level, &v).to_bits(), expected.to_bits(), "{}, {v:?}", level.name());
            }
            assert_eq!(sum(&v).to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn zeros_of_either_sign_have_no_bit() {
        let kinds = [0.0, -0.0, f32::MIN_POSITIVE / 2.0, -1.0, f32::NAN, f32::INFINITY];
        for seed in 0..500_usize {
            let v: [f32; LANES] = core::array::from_fn(|i| kinds[(seed * 7 + i * i * (seed % 5 + 1)) % 6]);
            let expected = v.iter().rev().fold(0, |bits, x| bits << 1 | u16::from(*x != 0.0));
            assert_eq!(nonzero_body(Scalar::TOKEN, &v), expected, "scalar, {v:?}");
            for level in Level::available() {
                assert_eq!(nonzero_at(level, &v), expected, "{}, {v:?}", level.name());
            }
            assert_eq!(nonzero(&v), expected);
        }
    }

    #[test]
    fn four_sums_at_once_are_four_sums() {
        for seed in 0..500 {
            let v: [[f32; LANES]; 4] = core::array::from_fn(|i| numbers(4 * seed + i as u32));
            let expected = v.map(|v| sum_body(Scalar::TOKEN, &v));
            assert_eq!(bits(&sums_body(Scalar::TOKEN, &v)), bits(&expected), "scalar, {v:?}");
            for level in Level::available() {
                assert_eq!(bits(&sums_at(level, &v)), bits(&expected), "{}, {v:?}", level.name());
            }
            assert_eq!(bits(&sums(&v)), bits(&expected));
        }
    }
}
