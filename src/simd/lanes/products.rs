//! Sums of products of codes of 8 bits and integers of 16 bits, in 32 bits.
//!
//! Integers add up to the same sum in any order, so each level takes as many at a time as it can. On x86-64
//! the instruction that multiplies 16 bits and adds pairs is named; on other processors the loop is plain.
// SAFETY, for the whole file: a token of the level is the proof that its instructions exist; every load stays
// inside the array that it is given.

/// Codes that are multiplied at once.
pub(crate) const CODES: usize = 32;

/// Sums of products at one processor level. A sum of 256 products of any codes and integers above -2^15 fits.
pub trait ProductLanes: Copy {
    /// A sum in parts.
    type Totals: Copy;

    /// A sum of nothing.
    fn no_totals(self) -> Self::Totals;
    /// totals + Σ a · b for codes a, signed or not.
    fn add_products<const SIGNED: bool>(
        self,
        totals: Self::Totals,
        a: &[u8; CODES],
        b: &[i16; CODES],
    ) -> Self::Totals;
    /// Four whole sums.
    fn whole_sums(self, totals: [Self::Totals; 4]) -> [i32; 4];
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86 {
    use super::super::{Avx2, Avx512, Baseline as Sse2};
    use super::{CODES, ProductLanes};
    #[allow(clippy::wildcard_imports, reason = "intrinsics, all with telling names")]
    use core::arch::x86_64::*;

    /// Four sums of four parts each.
    #[inline(always)]
    fn sums4([a, b, c, d]: [__m128i; 4]) -> [i32; 4] {
        let mut sums = [0; 4];
        // SAFETY: SSE2 is part of the target; the array has four elements.
        unsafe {
            let ab = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
            let cd = _mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
            let all = _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
            _mm_storeu_si128(sums.as_mut_ptr().cast(), all);
        }
        sums
    }

    impl ProductLanes for Sse2 {
        type Totals = __m128i;

        #[inline(always)]
        fn no_totals(self) -> __m128i {
            // SAFETY: the token.
            unsafe { _mm_setzero_si128() }
        }
        #[inline(always)]
        fn add_products<const SIGNED: bool>(
            self,
            mut totals: __m128i,
            a: &[u8; CODES],
            b: &[i16; CODES],
        ) -> __m128i {
            for (a, b) in a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0) {
                // SAFETY: the token; the arrays have sixteen elements each. A signed code comes to stand high
                // in 16 bits, and is shifted down with its sign.
                unsafe {
                    let bytes = _mm_loadu_si128(a.as_ptr().cast());
                    let above = if SIGNED { bytes } else { _mm_setzero_si128() };
                    let (low, high) = (_mm_unpacklo_epi8(bytes, above), _mm_unpackhi_epi8(bytes, above));
                    let wide = |codes| if SIGNED { _mm_srai_epi16::<8>(codes) } else { codes };
                    let first = _mm_madd_epi16(wide(low), _mm_loadu_si128(b.as_ptr().cast()));
                    let second = _mm_madd_epi16(wide(high), _mm_loadu_si128(b.as_ptr().add(8).cast()));
                    totals = _mm_add_epi32(totals, _mm_add_epi32(first, second));
                }
            }
            totals
        }
        #[inline(always)]
        fn whole_sums(self, totals: [__m128i; 4]) -> [i32; 4] {
            sums4(totals)
        }
    }

    impl ProductLanes for Avx2 {
        type Totals = __m256i;

        #[inline(always)]
        fn no_totals(self) -> __m256i {
            // SAFETY: the token.
            unsafe { _mm256_setzero_si256() }
        }
        #[inline(always)]
        fn add_products<const SIGNED: bool>(
            self,
            mut totals: __m256i,
            a: &[u8; CODES],
            b: &[i16; CODES],
        ) -> __m256i {
            for (a, b) in a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0) {
                // SAFETY: the token; the arrays have sixteen elements each.
                unsafe {
                    let bytes = _mm_loadu_si128(a.as_ptr().cast());
                    let codes =
                        if SIGNED { _mm256_cvtepi8_epi16(bytes) } else { _mm256_cvtepu8_epi16(bytes) };
                    let products = _mm256_madd_epi16(codes, _mm256_loadu_si256(b.as_ptr().cast()));
                    totals = _mm256_add_epi32(totals, products);
                }
            }
            totals
        }
        #[inline(always)]
        fn whole_sums(self, [a, b, c, d]: [__m256i; 4]) -> [i32; 4] {
            let mut sums = [0; 4];
            // SAFETY: the token; the array has four elements. The halves of a register are summed last.
            unsafe {
                let ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
                let cd = _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
                let all = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
                let (low, high) = (_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
                _mm_storeu_si128(sums.as_mut_ptr().cast(), _mm_add_epi32(low, high));
            }
            sums
        }
    }

    impl ProductLanes for Avx512 {
        type Totals = __m512i;

        #[inline(always)]
        fn no_totals(self) -> __m512i {
            // SAFETY: the token.
            unsafe { _mm512_setzero_si512() }
        }
        #[inline(always)]
        fn add_products<const SIGNED: bool>(
            self,
            totals: __m512i,
            a: &[u8; CODES],
            b: &[i16; CODES],
        ) -> __m512i {
            // SAFETY: the token; the arrays have 32 elements each.
            unsafe {
                let bytes = _mm256_loadu_si256(a.as_ptr().cast());
                let codes = if SIGNED { _mm512_cvtepi8_epi16(bytes) } else { _mm512_cvtepu8_epi16(bytes) };
                let products = _mm512_madd_epi16(codes, _mm512_loadu_si512(b.as_ptr().cast()));
                _mm512_add_epi32(totals, products)
            }
        }
        #[inline(always)]
        fn whole_sums(self, [a, b, c, d]: [__m512i; 4]) -> [i32; 4] {
            let mut sums = [0; 4];
            // SAFETY: the token; the array has four elements. The quarters of a register are summed last.
            unsafe {
                let ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
                let cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
                let all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
                let half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64::<1>(all));
                let (low, high) = (_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
                _mm_storeu_si128(sums.as_mut_ptr().cast(), _mm_add_epi32(low, high));
            }
            sums
        }
    }
}

/// The sum in one number, for a level whose compiler makes vectors of such loops, or that has none.
#[allow(unused_macros, reason = "x86-64 has instructions of its own")]
macro_rules! in_one_number {
    ($level:ty) => {
        impl ProductLanes for $level {
            type Totals = i32;

            #[inline(always)]
            fn no_totals(self) -> i32 {
                0
            }
            #[inline(always)]
            fn add_products<const SIGNED: bool>(
                self,
                mut totals: i32,
                a: &[u8; CODES],
                b: &[i16; CODES],
            ) -> i32 {
                for (a, b) in a.iter().zip(b) {
                    let a = if SIGNED { i32::from(*a as i8) } else { i32::from(*a) };
                    totals = totals.wrapping_add(a.wrapping_mul(i32::from(*b)));
                }
                totals
            }
            #[inline(always)]
            fn whole_sums(self, totals: [i32; 4]) -> [i32; 4] {
                totals
            }
        }
    };
}
by_loops!(in_one_number);

#[cfg(test)]
mod tests {
    use super::super::scalar::Scalar;
    use super::super::{CODES, Lanes};
    use crate::simd::{Level, simd_fn};

    /// Four rows of codes times one list, eight times over: as signed codes, and as others.
    #[inline(always)]
    fn sums_body<L: Lanes>(lanes: L, rows: &[[u8; CODES]; 4], by: &[i16; CODES]) -> [[i32; 4]; 2] {
        let (mut signed, mut unsigned) = ([lanes.no_totals(); 4], [lanes.no_totals(); 4]);
        for ((signed, unsigned), row) in signed.iter_mut().zip(&mut unsigned).zip(rows) {
            for _ in 0..8 {
                *signed = lanes.add_products::<true>(*signed, row, by);
                *unsigned = lanes.add_products::<false>(*unsigned, row, by);
            }
        }
        [lanes.whole_sums(signed), lanes.whole_sums(unsigned)]
    }

    simd_fn! {
        fn sums, sums_at(rows: &[[u8; CODES]; 4], by: &[i16; CODES]) -> [[i32; 4]; 2] = sums_body;
    }

    #[test]
    fn sums_are_those_of_each_product() {
        let any = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9) >> 16;
        for start in 0..200 {
            let (mut rows, mut by) = ([[0_u8; CODES]; 4], [0_i16; CODES]);
            for (i, code) in rows.as_flattened_mut().iter_mut().enumerate() {
                *code = any(start + i) as u8;
            }
            for (i, by) in by.iter_mut().enumerate() {
                *by = (any(start * 77 + i + 1000) as i16).max(-i16::MAX);
            }
            if start == 0 {
                // The greatest sums there are.
                (rows, by) = ([[255; CODES], [128; CODES], [127; CODES], [0; CODES]], [i16::MAX; CODES]);
            } else if start == 1 {
                (rows, by) = ([[255; CODES], [128; CODES], [127; CODES], [0; CODES]], [-i16::MAX; CODES]);
            }
            let sum = |row: &[u8; CODES], value: fn(u8) -> i64| {
                let products = row.iter().zip(&by).map(|(a, b)| value(*a) * i64::from(*b));
                i32::try_from(8 * products.sum::<i64>()).expect("a sum that fits")
            };
            let expected = [
                rows.map(|row| sum(&row, |code| i64::from(code as i8))),
                rows.map(|row| sum(&row, i64::from)),
            ];
            assert_eq!(sums_body(Scalar::TOKEN, &rows, &by), expected, "scalar, {start}");
            for level in Level::available() {
                assert_eq!(sums_at(level, &rows, &by), expected, "{}, {start}", level.name());
            }
            assert_eq!(sums(&rows, &by), expected);
        }
    }
}
