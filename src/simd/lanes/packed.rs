//! Sums of scaled codes of 4 bits: in groups of sixteen columns, and in the order in which a level unpacks
//! the codes with the fewest instructions. The sums come into the order of the columns once, at the end of a bag.
#![allow(clippy::unused_self, reason = "the token is the proof of the instructions")]
// SAFETY, for the whole file: a token of the level is the proof that its instructions exist; every load stays
// inside the array that it is given.

use super::{Avx2, Avx512, LANES, Lanes};
#[allow(clippy::wildcard_imports, reason = "intrinsics, all with telling names")]
use core::arch::x86_64::*;

/// 2²³, beside which floats are one apart.
const POWER: f32 = 8_388_608.0;

impl Avx2 {
    /// [`Lanes::add_u4`]. Sixteen codes go to all quarters of a register, each of which keeps one of each
    /// four. A code is put into the low bits of the float 2^h, with an h for which the lowest bit of the code
    /// is worth 1 there. So the float is 2^h + q, and subtracting 2^h is exact.
    #[inline(always)]
    pub(super) fn add_fours<const GROUPS: usize>(
        self,
        sums: &mut [[__m256; 2]; GROUPS],
        scale: f32,
        from: &[[u8; LANES / 2]; GROUPS],
    ) {
        // SAFETY: the token.
        unsafe {
            let quarters = |a: i16, b: i16, c: i16, d: i16| {
                _mm256_setr_epi16(a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d)
            };
            let halves = |a: f32, b: f32| _mm256_setr_ps(a, a, a, a, b, b, b, b);
            let (own, above) =
                (quarters(0x000f, 0x0f00, 0x00f0, -0x1000), quarters(0x4b00, 0x4700, 0x4900, 0x4500));
            let powers = [halves(POWER, POWER / 16.0), halves(POWER / 256.0, POWER / 4096.0)];
            let scale = _mm256_set1_ps(scale);
            for (sums, codes) in sums.iter_mut().zip(from) {
                let codes = _mm256_and_si256(_mm256_set1_epi64x(i64::from_le_bytes(*codes)), own);
                let codes = [_mm256_unpacklo_epi16(codes, above), _mm256_unpackhi_epi16(codes, above)];
                for ((sum, codes), power) in sums.iter_mut().zip(codes).zip(powers) {
                    let q = _mm256_sub_ps(_mm256_castsi256_ps(codes), power);
                    *sum = _mm256_add_ps(*sum, _mm256_mul_ps(scale, q));
                }
            }
        }
    }

    /// [`Lanes::order_u4`]. The quarters of a group hold every fourth column.
    #[inline(always)]
    pub(super) fn order_fours<const GROUPS: usize>(self, sums: &mut [[__m256; 2]; GROUPS]) {
        for [first, second] in sums {
            // SAFETY: the token.
            unsafe {
                let (mut a, mut b) = (_mm256_castps256_ps128(*first), _mm256_extractf128_ps::<1>(*first));
                let (mut c, mut d) = (_mm256_castps256_ps128(*second), _mm256_extractf128_ps::<1>(*second));
                _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
                (*first, *second) = (_mm256_set_m128(b, a), _mm256_set_m128(d, c));
            }
        }
    }
}

impl Avx512 {
    /// [`Lanes::add_u4`]. Of two groups the first takes the low codes of sixteen bytes, the second the high
    /// ones.
    #[inline(always)]
    pub(super) fn add_fours<const GROUPS: usize>(
        self,
        sums: &mut [__m512; GROUPS],
        scale: f32,
        from: &[[u8; LANES / 2]; GROUPS],
    ) {
        let (pairs, rest) = sums.as_chunks_mut::<2>();
        let (codes, codes_rest) = from.as_chunks::<2>();
        for ([first, second], codes) in pairs.iter_mut().zip(codes) {
            // SAFETY: the token; two groups have sixteen bytes.
            unsafe {
                let codes = _mm512_cvtepu8_epi32(_mm_loadu_si128(codes.as_ptr().cast()));
                let low = _mm512_cvtepi32_ps(_mm512_and_si512(codes, _mm512_set1_epi32(15)));
                let high = _mm512_cvtepi32_ps(_mm512_srli_epi32::<4>(codes));
                *first = self.add(*first, self.mul(self.splat(scale), low));
                *second = self.add(*second, self.mul(self.splat(scale), high));
            }
        }
        for (sum, codes) in rest.iter_mut().zip(codes_rest) {
            *sum = self.add(*sum, self.scaled_u4(scale, codes));
        }
    }

    /// [`Lanes::order_u4`].
    #[inline(always)]
    pub(super) fn order_fours<const GROUPS: usize>(self, sums: &mut [__m512; GROUPS]) {
        for [first, second] in sums.as_chunks_mut::<2>().0 {
            // SAFETY: the token.
            unsafe {
                let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
                let high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
                let (even, odd) = (*first, *second);
                *first = _mm512_permutex2var_ps(even, low, odd);
                *second = _mm512_permutex2var_ps(even, high, odd);
            }
        }
    }
}
