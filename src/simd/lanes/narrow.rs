//! Sixteen sums of 16 bits, of integers of 8 and of 4 bits.
//!
//! Compilers turn a loop that widens and adds such integers into vectors or into single steps as its length
//! and the level happen to be, so on x86-64 the instructions are named; on other processors the loop over
//! sixteen is plain.
// SAFETY, for the whole file: a token of the level is the proof that its instructions exist; every load and
// store stays inside the array that it is given.

use super::LANES;

/// Sixteen sums of one processor level, all modulo 2^16.
pub trait NarrowLanes: Copy {
    /// Sixteen sums in registers.
    type Sums: Copy;

    /// Sums of nothing.
    fn no_sums(self) -> Self::Sums;
    /// sums + q for sixteen integers q of 8 bits.
    fn add_i8(self, sums: Self::Sums, from: &[u8; LANES]) -> Self::Sums;
    /// The same for 32 integers of 4 bits: those in the low bits of the bytes, and those in the high bits.
    fn add_i4(self, sums: [Self::Sums; 2], from: &[u8; LANES]) -> [Self::Sums; 2];
    /// In turn one of the first sixteen and one of the second.
    fn interleave(self, sums: [Self::Sums; 2]) -> [Self::Sums; 2];
    fn store_sums(self, sums: Self::Sums, to: &mut [i16; LANES]);
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86 {
    use super::super::{Avx2, Avx512, Baseline as Sse2, LANES};
    use super::NarrowLanes;
    #[allow(clippy::wildcard_imports, reason = "intrinsics, all with telling names")]
    use core::arch::x86_64::*;

    impl NarrowLanes for Sse2 {
        type Sums = [__m128i; 2];

        #[inline(always)]
        fn no_sums(self) -> Self::Sums {
            // SAFETY: the token.
            [unsafe { _mm_setzero_si128() }; 2]
        }
        #[inline(always)]
        fn add_i8(self, [a, b]: Self::Sums, from: &[u8; LANES]) -> Self::Sums {
            // SAFETY: the token; the array has sixteen bytes. Each comes to stand high in 16 bits, and is
            // shifted down with its sign.
            unsafe {
                let bytes = _mm_loadu_si128(from.as_ptr().cast());
                let (low, high) = (_mm_unpacklo_epi8(bytes, bytes), _mm_unpackhi_epi8(bytes, bytes));
                [_mm_add_epi16(a, _mm_srai_epi16::<8>(low)), _mm_add_epi16(b, _mm_srai_epi16::<8>(high))]
            }
        }
        #[inline(always)]
        fn add_i4(self, [[a, b], [c, d]]: [Self::Sums; 2], from: &[u8; LANES]) -> [Self::Sums; 2] {
            // SAFETY: the token; the array has sixteen bytes. Each stands twice in 16 bits: the code in its
            // high bits is the top of these; that in its low bits is, four places up.
            unsafe {
                let bytes = _mm_loadu_si128(from.as_ptr().cast());
                let (low, high) = (_mm_unpacklo_epi8(bytes, bytes), _mm_unpackhi_epi8(bytes, bytes));
                [
                    [
                        _mm_add_epi16(a, _mm_srai_epi16::<12>(_mm_slli_epi16::<4>(low))),
                        _mm_add_epi16(b, _mm_srai_epi16::<12>(_mm_slli_epi16::<4>(high))),
                    ],
                    [
                        _mm_add_epi16(c, _mm_srai_epi16::<12>(low)),
                        _mm_add_epi16(d, _mm_srai_epi16::<12>(high)),
                    ],
                ]
            }
        }
        #[inline(always)]
        fn interleave(self, [[a, b], [c, d]]: [Self::Sums; 2]) -> [Self::Sums; 2] {
            // SAFETY: the token.
            unsafe {
                [
                    [_mm_unpacklo_epi16(a, c), _mm_unpackhi_epi16(a, c)],
                    [_mm_unpacklo_epi16(b, d), _mm_unpackhi_epi16(b, d)],
                ]
            }
        }
        #[inline(always)]
        fn store_sums(self, [a, b]: Self::Sums, to: &mut [i16; LANES]) {
            let p = to.as_mut_ptr();
            // SAFETY: the token; each store writes eight of sixteen.
            unsafe {
                _mm_storeu_si128(p.cast(), a);
                _mm_storeu_si128(p.add(8).cast(), b);
            }
        }
    }

    /// One register of AVX2 holds all sixteen; a wider one has no use for a row of 32.
    macro_rules! in_one_register {
        ($($level:ident)*) => {$(
            impl NarrowLanes for $level {
                type Sums = __m256i;

                #[inline(always)]
                fn no_sums(self) -> Self::Sums {
                    // SAFETY: the token.
                    unsafe { _mm256_setzero_si256() }
                }
                #[inline(always)]
                fn add_i8(self, sums: Self::Sums, from: &[u8; LANES]) -> Self::Sums {
                    // SAFETY: the token; the array has sixteen bytes.
                    unsafe {
                        _mm256_add_epi16(sums, _mm256_cvtepi8_epi16(_mm_loadu_si128(from.as_ptr().cast())))
                    }
                }
                #[inline(always)]
                fn add_i4(self, [low, high]: [Self::Sums; 2], from: &[u8; LANES]) -> [Self::Sums; 2] {
                    // SAFETY: the token; the array has sixteen bytes.
                    unsafe {
                        let bytes = _mm256_cvtepi8_epi16(_mm_loadu_si128(from.as_ptr().cast()));
                        let low_codes = _mm256_srai_epi16::<12>(_mm256_slli_epi16::<12>(bytes));
                        let high_codes = _mm256_srai_epi16::<4>(bytes);
                        [_mm256_add_epi16(low, low_codes), _mm256_add_epi16(high, high_codes)]
                    }
                }
                #[inline(always)]
                fn interleave(self, [low, high]: [Self::Sums; 2]) -> [Self::Sums; 2] {
                    // SAFETY: the token. Each half of a register is interleaved by itself; then halves change
                    // places.
                    unsafe {
                        let (a, b) = (_mm256_unpacklo_epi16(low, high), _mm256_unpackhi_epi16(low, high));
                        [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b)]
                    }
                }
                #[inline(always)]
                fn store_sums(self, sums: Self::Sums, to: &mut [i16; LANES]) {
                    // SAFETY: the token; the array has sixteen elements.
                    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), sums) }
                }
            }
        )*};
    }
    in_one_register!(Avx2 Avx512);
}

/// The sums in an array, for a level whose compiler makes vectors of such loops, or that has none.
#[allow(unused_macros, reason = "x86-64 has instructions of its own")]
macro_rules! in_an_array {
    ($level:ty) => {
        impl NarrowLanes for $level {
            type Sums = [i16; LANES];

            #[inline(always)]
            fn no_sums(self) -> Self::Sums {
                [0; LANES]
            }
            #[inline(always)]
            fn add_i8(self, mut sums: Self::Sums, from: &[u8; LANES]) -> Self::Sums {
                for (sum, byte) in sums.iter_mut().zip(from) {
                    *sum = sum.wrapping_add(i16::from(*byte as i8));
                }
                sums
            }
            #[inline(always)]
            fn add_i4(self, [mut low, mut high]: [Self::Sums; 2], from: &[u8; LANES]) -> [Self::Sums; 2] {
                for (sum, byte) in low.iter_mut().zip(from) {
                    *sum = sum.wrapping_add(i16::from((byte << 4) as i8 >> 4));
                }
                for (sum, byte) in high.iter_mut().zip(from) {
                    *sum = sum.wrapping_add(i16::from(*byte as i8 >> 4));
                }
                [low, high]
            }
            #[inline(always)]
            fn interleave(self, [low, high]: [Self::Sums; 2]) -> [Self::Sums; 2] {
                let mut both = [0; 2 * LANES];
                for (pair, (low, high)) in both.as_chunks_mut().0.iter_mut().zip(low.into_iter().zip(high)) {
                    *pair = [low, high];
                }
                let [first, second] = both.as_chunks().0 else { return [low, high] };
                [*first, *second]
            }
            #[inline(always)]
            fn store_sums(self, sums: Self::Sums, to: &mut [i16; LANES]) {
                *to = sums;
            }
        }
    };
}
by_loops!(in_an_array);

#[cfg(test)]
mod tests {
    use super::super::scalar::Scalar;
    use super::super::{LANES, Lanes};
    use crate::simd::{Level, simd_fn};

    /// Some bytes added a few times: as codes of 8 bits, and as codes of 4 bits in order.
    #[inline(always)]
    fn sums_body<L: Lanes>(lanes: L, bytes: &[u8; LANES], times: usize) -> [[i16; LANES]; 3] {
        let (mut eights, mut fours) = (lanes.no_sums(), [lanes.no_sums(); 2]);
        for _ in 0..times {
            eights = lanes.add_i8(eights, bytes);
            fours = lanes.add_i4(fours, bytes);
        }
        let [first, second] = lanes.interleave(fours);
        let mut found = [[0; LANES]; 3];
        for (sums, to) in [eights, first, second].into_iter().zip(&mut found) {
            lanes.store_sums(sums, to);
        }
        found
    }

    simd_fn! {
        fn sums, sums_at(bytes: &[u8; LANES], times: usize) -> [[i16; LANES]; 3] = sums_body;
    }

    #[test]
    fn sums_are_those_of_each_code() {
        for start in 0..=255_u8 {
            let bytes: [u8; LANES] = core::array::from_fn(|i| start.wrapping_add((i as u8).wrapping_mul(37)));
            for times in [0, 1, 3, 256] {
                let mut expected = [[0; LANES]; 3];
                for (i, &byte) in bytes.iter().enumerate() {
                    let (low, high) = (i16::from(byte & 15), i16::from(byte >> 4));
                    let signed = |code: i16| if code < 8 { code } else { code - 16 };
                    let times = times as i16;
                    expected[0][i] = times.wrapping_mul(i16::from(byte as i8));
                    expected[1 + i / 8][i % 8 * 2] = times * signed(low);
                    expected[1 + i / 8][i % 8 * 2 + 1] = times * signed(high);
                }
                assert_eq!(sums_body(Scalar::TOKEN, &bytes, times), expected, "scalar, from {start}");
                for level in Level::available() {
                    assert_eq!(sums_at(level, &bytes, times), expected, "{}, from {start}", level.name());
                }
                assert_eq!(sums(&bytes, times), expected);
            }
        }
    }
}
