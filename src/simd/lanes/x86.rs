//! The lanes of x86-64: four SSE registers, two AVX registers, or one AVX-512 register.
// SAFETY, for the whole file: a token of the level is the proof that its instructions exist (`Avx2::new`,
// `Avx512::new`; SSE2 is part of the target); every load and store stays inside the array or slice it is
// given.

use super::{LANES, Lanes};
#[allow(clippy::wildcard_imports, reason = "some thirty intrinsics, all with telling names")]
use core::arch::x86_64::*;

/// The proof of SSE2, which the target itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sse2(());

/// The proof of AVX2, FMA, F16C and BMI2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Avx2(());

/// The proof of AVX-512 F, BW, DQ and VL, and of all that [`Avx2`] proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Avx512(());

impl Sse2 {
    pub(crate) const TOKEN: Self = Self(());
    pub(crate) const NAME: &str = "sse2";

    /// Sixteen bytes as floats.
    #[inline(always)]
    #[allow(clippy::unused_self, reason = "the token is the proof of the instructions")]
    fn widen(self, bytes: __m128i) -> [__m128; 4] {
        // SAFETY: the token.
        unsafe {
            let zero = _mm_setzero_si128();
            let (low, high) = (_mm_unpacklo_epi8(bytes, zero), _mm_unpackhi_epi8(bytes, zero));
            [
                _mm_cvtepi32_ps(_mm_unpacklo_epi16(low, zero)),
                _mm_cvtepi32_ps(_mm_unpackhi_epi16(low, zero)),
                _mm_cvtepi32_ps(_mm_unpacklo_epi16(high, zero)),
                _mm_cvtepi32_ps(_mm_unpackhi_epi16(high, zero)),
            ]
        }
    }

    /// Four halves, each in 32 bits, as floats: `f16_to_f32`, which the compiler does not reliably turn into
    /// vectors.
    #[inline(always)]
    #[allow(clippy::unused_self, reason = "the token is the proof of the instructions")]
    fn four_f16(self, halves: __m128i) -> __m128 {
        // SAFETY: the token.
        unsafe {
            let all = |bits: i32| _mm_set1_epi32(bits);
            let sign = _mm_slli_epi32::<16>(_mm_and_si128(halves, all(0x8000)));
            let magnitude = _mm_slli_epi32::<13>(_mm_and_si128(halves, all(0x7fff)));
            let above = |bound: i32| _mm_cmpgt_epi32(magnitude, all(bound));
            let rebiased = _mm_add_epi32(magnitude, all(112 << 23));
            let infinite = _mm_and_si128(above((31 << 23) - 1), all(112 << 23));
            let quiet = _mm_and_si128(above(31 << 23), all(1 << 22));
            let normal = _mm_or_si128(_mm_add_epi32(rebiased, infinite), quiet);
            let smallest = all(113 << 23);
            let subnormal =
                _mm_sub_ps(_mm_castsi128_ps(_mm_add_epi32(magnitude, smallest)), _mm_castsi128_ps(smallest));
            let is_normal = above((1 << 23) - 1);
            let value = _mm_or_si128(
                _mm_and_si128(is_normal, normal),
                _mm_andnot_si128(is_normal, _mm_castps_si128(subnormal)),
            );
            _mm_castsi128_ps(_mm_or_si128(sign, value))
        }
    }
}

impl Avx2 {
    /// # Safety
    /// The processor and the operating system support the level.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }

    /// The lanes below a length.
    #[inline(always)]
    #[allow(clippy::unused_self, reason = "the token is the proof of the instructions")]
    fn masks(self, length: usize) -> [__m256i; 2] {
        // SAFETY: the token.
        unsafe {
            let length = _mm256_set1_epi32(if length < LANES { length as i32 } else { LANES as i32 });
            let number = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let high = _mm256_add_epi32(number, _mm256_set1_epi32(8));
            [_mm256_cmpgt_epi32(length, number), _mm256_cmpgt_epi32(length, high)]
        }
    }

    /// Eight codes of 4 bits as floats, the low bits of `codes` first: all go to every lane, which
    /// shifts its own down.
    #[inline(always)]
    #[allow(clippy::unused_self, reason = "the token is the proof of the instructions")]
    fn eight(self, codes: i32) -> __m256 {
        // SAFETY: the token.
        unsafe {
            let shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
            let codes = _mm256_srlv_epi32(_mm256_set1_epi32(codes), shifts);
            _mm256_cvtepi32_ps(_mm256_and_si256(codes, _mm256_set1_epi32(15)))
        }
    }
}

impl Avx512 {
    /// # Safety
    /// The processor and the operating system support the level.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
}

/// Four elements from `start` on, +0 where the slice ends before.
#[inline(always)]
fn quad(from: &[f32], start: usize) -> __m128 {
    // SAFETY: SSE2 is part of the target.
    unsafe {
        match *from.get(start..).unwrap_or_default() {
            [a, b, c, d, ..] => _mm_setr_ps(a, b, c, d),
            [a, b, c] => _mm_setr_ps(a, b, c, 0.0),
            [a, b] => _mm_setr_ps(a, b, 0.0, 0.0),
            [a] => _mm_set_ss(a),
            [] => _mm_setzero_ps(),
        }
    }
}

/// Adds the four lanes of one SSE register by the tree.
#[inline(always)]
fn sum4(v: __m128) -> f32 {
    // SAFETY: SSE2 is part of the target.
    unsafe {
        let pairs = _mm_add_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
    }
}

/// The same for four registers at once, with half the additions.
#[inline(always)]
fn sums4([a, b, c, d]: [__m128; 4]) -> [f32; 4] {
    let mut sums = [0.0; 4];
    // SAFETY: SSE2 is part of the target; the array has four elements.
    unsafe {
        let ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
        let cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
        let (even, odd) = (_mm_shuffle_ps::<0b10_00_10_00>(ab, cd), _mm_shuffle_ps::<0b11_01_11_01>(ab, cd));
        _mm_storeu_ps(sums.as_mut_ptr(), _mm_add_ps(even, odd));
    }
    sums
}

impl Sse2 {
    /// The sixteen lanes added down to four: i + 8, then i + 4.
    #[allow(clippy::unused_self, reason = "the token is the proof")]
    #[inline(always)]
    fn quarter(self, [a, b, c, d]: [__m128; 4]) -> __m128 {
        // SAFETY: the token.
        unsafe { _mm_add_ps(_mm_add_ps(a, c), _mm_add_ps(b, d)) }
    }
}

impl Lanes for Sse2 {
    type V = [__m128; 4];
    const ACCUMULATORS: usize = 2;
    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: the token.
        [unsafe { _mm_set1_ps(x) }; 4]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        let p = from.as_ptr();
        // SAFETY: the token; register i reads elements 4 i to 4 i + 3 of sixteen.
        unsafe { [_mm_loadu_ps(p), _mm_loadu_ps(p.add(4)), _mm_loadu_ps(p.add(8)), _mm_loadu_ps(p.add(12))] }
    }
    #[inline(always)]
    fn load_part(self, from: &[f32]) -> Self::V {
        [quad(from, 0), quad(from, 4), quad(from, 8), quad(from, 12)]
    }
    #[inline(always)]
    fn load_u8(self, from: &[u8; LANES]) -> Self::V {
        // SAFETY: the token; the array has sixteen bytes.
        self.widen(unsafe { _mm_loadu_si128(from.as_ptr().cast()) })
    }
    #[inline(always)]
    fn load_u4(self, from: &[u8; LANES / 2]) -> Self::V {
        // SAFETY: the token; the array has eight bytes.
        unsafe {
            let bytes = _mm_loadl_epi64(from.as_ptr().cast());
            let mask = _mm_set1_epi8(15);
            let (low, high) = (_mm_and_si128(bytes, mask), _mm_and_si128(_mm_srli_epi16::<4>(bytes), mask));
            self.widen(_mm_unpacklo_epi8(low, high))
        }
    }
    #[inline(always)]
    fn load_u2(self, from: &[u8; LANES / 4]) -> Self::V {
        // SAFETY: the token. Codes 0 and 1 of each byte come to stand low in one byte, 2 and 3 in the next.
        unsafe {
            let bytes = _mm_cvtsi32_si128(i32::from_le_bytes(*from));
            let pairs = _mm_unpacklo_epi8(bytes, _mm_srli_epi16::<4>(bytes));
            let mask = _mm_set1_epi8(3);
            let (low, high) = (_mm_and_si128(pairs, mask), _mm_and_si128(_mm_srli_epi16::<2>(pairs), mask));
            self.widen(_mm_unpacklo_epi8(low, high))
        }
    }
    #[inline(always)]
    fn load_f16(self, from: &[u16; LANES]) -> Self::V {
        // SAFETY: the token; each load reads eight of sixteen halves.
        unsafe {
            let zero = _mm_setzero_si128();
            let low = _mm_loadu_si128(from.as_ptr().cast());
            let high = _mm_loadu_si128(from.as_ptr().add(8).cast());
            [
                self.four_f16(_mm_unpacklo_epi16(low, zero)),
                self.four_f16(_mm_unpackhi_epi16(low, zero)),
                self.four_f16(_mm_unpacklo_epi16(high, zero)),
                self.four_f16(_mm_unpackhi_epi16(high, zero)),
            ]
        }
    }
    #[inline(always)]
    fn store(self, [a, b, c, d]: Self::V, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr();
        // SAFETY: the token; register i writes elements 4 i to 4 i + 3 of sixteen.
        unsafe {
            _mm_storeu_ps(p, a);
            _mm_storeu_ps(p.add(4), b);
            _mm_storeu_ps(p.add(8), c);
            _mm_storeu_ps(p.add(12), d);
        }
    }
    #[inline(always)]
    unsafe fn stream(self, [a, b, c, d]: Self::V, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr();
        // SAFETY: the token; as in `store`, and the caller aligned `to`.
        unsafe {
            _mm_stream_ps(p, a);
            _mm_stream_ps(p.add(4), b);
            _mm_stream_ps(p.add(8), c);
            _mm_stream_ps(p.add(12), d);
        }
    }
    #[inline(always)]
    fn nonzero(self, from: &[f32; LANES]) -> u16 {
        let [a, b, c, d] = self.load(from);
        // SAFETY: the token.
        let bits = |v: __m128| unsafe { _mm_movemask_ps(_mm_cmpneq_ps(v, _mm_setzero_ps())) };
        (bits(a) | bits(b) << 4 | bits(c) << 8 | bits(d) << 12) as u16
    }
    #[inline(always)]
    fn add(self, [a, b, c, d]: Self::V, [e, f, g, h]: Self::V) -> Self::V {
        // SAFETY: the token.
        unsafe { [_mm_add_ps(a, e), _mm_add_ps(b, f), _mm_add_ps(c, g), _mm_add_ps(d, h)] }
    }
    #[inline(always)]
    fn mul(self, [a, b, c, d]: Self::V, [e, f, g, h]: Self::V) -> Self::V {
        // SAFETY: the token.
        unsafe { [_mm_mul_ps(a, e), _mm_mul_ps(b, f), _mm_mul_ps(c, g), _mm_mul_ps(d, h)] }
    }
    #[inline(always)]
    fn sum(self, [a, b, c, d]: Self::V) -> f32 {
        sum4(self.quarter([a, b, c, d]))
    }
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [Self::V; 4]) -> [f32; 4] {
        sums4([self.quarter(a), self.quarter(b), self.quarter(c), self.quarter(d)])
    }
}

impl Avx2 {
    /// The sixteen lanes added down to four: i + 8, then i + 4.
    #[allow(clippy::unused_self, reason = "the token is the proof")]
    #[inline(always)]
    fn quarter(self, [low, high]: [__m256; 2]) -> __m128 {
        // SAFETY: the token.
        unsafe {
            let v = _mm256_add_ps(low, high);
            _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v))
        }
    }
}

impl Lanes for Avx2 {
    type V = [__m256; 2];
    const ACCUMULATORS: usize = 4;
    const MAX_BLOCK: usize = 64;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: the token.
        [unsafe { _mm256_set1_ps(x) }; 2]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        // SAFETY: the token; register i reads elements 8 i to 8 i + 7 of sixteen.
        unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
    }
    #[inline(always)]
    fn load_part(self, from: &[f32]) -> Self::V {
        let [low, high] = self.masks(from.len());
        // SAFETY: the token; the masks leave out every element at or after the length, and what is masked out
        // is not read.
        unsafe {
            [_mm256_maskload_ps(from.as_ptr(), low), _mm256_maskload_ps(from.as_ptr().wrapping_add(8), high)]
        }
    }
    #[inline(always)]
    fn load_u8(self, from: &[u8; LANES]) -> Self::V {
        // SAFETY: the token; each load reads eight of sixteen bytes.
        unsafe {
            let low = _mm_loadl_epi64(from.as_ptr().cast());
            let high = _mm_loadl_epi64(from.as_ptr().add(8).cast());
            [_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(low)), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(high))]
        }
    }
    #[inline(always)]
    fn load_u4(self, &[a, b, c, d, e, f, g, h]: &[u8; LANES / 2]) -> Self::V {
        [self.eight(i32::from_le_bytes([a, b, c, d])), self.eight(i32::from_le_bytes([e, f, g, h]))]
    }
    #[inline(always)]
    fn scaled_u2(self, scale: f32, from: &[u8; LANES / 4]) -> Self::V {
        // SAFETY: the token. All codes go to every lane, which shifts its own down. A permutation takes the
        // lowest two bits of each number, so it looks the product up.
        unsafe {
            let q = _mm256_setr_ps(0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0);
            let products = _mm256_mul_ps(_mm256_set1_ps(scale), q);
            let codes = _mm256_set1_epi32(i32::from_le_bytes(*from));
            let low = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
            let high = _mm256_add_epi32(low, _mm256_set1_epi32(16));
            [
                _mm256_permutevar_ps(products, _mm256_srlv_epi32(codes, low)),
                _mm256_permutevar_ps(products, _mm256_srlv_epi32(codes, high)),
            ]
        }
    }
    #[inline(always)]
    fn add_u4<const GROUPS: usize>(
        self,
        sums: &mut [Self::V; GROUPS],
        scale: f32,
        from: &[[u8; LANES / 2]; GROUPS],
    ) {
        self.add_fours(sums, scale, from);
    }
    #[inline(always)]
    fn order_u4<const GROUPS: usize>(self, sums: &mut [Self::V; GROUPS]) {
        self.order_fours(sums);
    }
    #[inline(always)]
    fn load_f16(self, from: &[u16; LANES]) -> Self::V {
        // SAFETY: the token, which proves F16C; each load reads eight of sixteen halves.
        unsafe {
            let low = _mm_loadu_si128(from.as_ptr().cast());
            let high = _mm_loadu_si128(from.as_ptr().add(8).cast());
            [_mm256_cvtph_ps(low), _mm256_cvtph_ps(high)]
        }
    }
    #[inline(always)]
    fn two_f16(self, from: [u8; 4]) -> (f32, f32) {
        // SAFETY: the token, which proves F16C.
        unsafe {
            let floats = _mm_cvtph_ps(_mm_cvtsi32_si128(i32::from_le_bytes(from)));
            (_mm_cvtss_f32(floats), _mm_cvtss_f32(_mm_movehdup_ps(floats)))
        }
    }
    #[inline(always)]
    fn store(self, [low, high]: Self::V, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr();
        // SAFETY: the token; register i writes elements 8 i to 8 i + 7 of sixteen.
        unsafe {
            _mm256_storeu_ps(p, low);
            _mm256_storeu_ps(p.add(8), high);
        }
    }
    #[inline(always)]
    fn store_part(self, [low, high]: Self::V, to: &mut [f32]) {
        let [first, second] = self.masks(to.len());
        // SAFETY: the token; the masks leave out every element at or after the length, and what is masked out
        // is not written.
        unsafe {
            _mm256_maskstore_ps(to.as_mut_ptr(), first, low);
            _mm256_maskstore_ps(to.as_mut_ptr().wrapping_add(8), second, high);
        }
    }
    #[inline(always)]
    unsafe fn stream(self, [low, high]: Self::V, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr();
        // SAFETY: the token; as in `store`, and the caller aligned `to`.
        unsafe {
            _mm256_stream_ps(p, low);
            _mm256_stream_ps(p.add(8), high);
        }
    }
    #[inline(always)]
    fn nonzero(self, from: &[f32; LANES]) -> u16 {
        let [low, high] = self.load(from);
        // SAFETY: the token.
        let bits =
            |v: __m256| unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(v, _mm256_setzero_ps())) };
        (bits(low) | bits(high) << 8) as u16
    }
    #[inline(always)]
    fn add(self, [a, b]: Self::V, [c, d]: Self::V) -> Self::V {
        // SAFETY: the token.
        unsafe { [_mm256_add_ps(a, c), _mm256_add_ps(b, d)] }
    }
    #[inline(always)]
    fn mul(self, [a, b]: Self::V, [c, d]: Self::V) -> Self::V {
        // SAFETY: the token.
        unsafe { [_mm256_mul_ps(a, c), _mm256_mul_ps(b, d)] }
    }
    #[inline(always)]
    fn sum(self, [low, high]: Self::V) -> f32 {
        sum4(self.quarter([low, high]))
    }
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [Self::V; 4]) -> [f32; 4] {
        sums4([self.quarter(a), self.quarter(b), self.quarter(c), self.quarter(d)])
    }
}

impl Avx512 {
    /// The sixteen lanes added down to four: i + 8, then i + 4.
    #[allow(clippy::unused_self, reason = "the token is the proof")]
    #[inline(always)]
    fn quarter(self, v: __m512) -> __m128 {
        // SAFETY: the token.
        unsafe {
            let v = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v));
            _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v))
        }
    }
}

impl Lanes for Avx512 {
    type V = __m512;
    const ACCUMULATORS: usize = 8;
    const MAX_BLOCK: usize = 64;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: the token.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        // SAFETY: the token; the array has sixteen elements.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }
    #[inline(always)]
    fn load_part(self, from: &[f32]) -> Self::V {
        let length = if from.len() < LANES { from.len() } else { LANES };
        // SAFETY: the token; the mask has a bit for each element of the slice, and what is masked out is not
        // read.
        unsafe { _mm512_maskz_loadu_ps(((1_u32 << length) - 1) as u16, from.as_ptr()) }
    }
    #[inline(always)]
    fn load_u8(self, from: &[u8; LANES]) -> Self::V {
        // SAFETY: the token; the array has sixteen bytes.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) }
    }
    #[inline(always)]
    fn scaled_u4(self, scale: f32, from: &[u8; LANES / 2]) -> Self::V {
        // SAFETY: the token; the array has eight bytes. Each becomes the low byte of 64 bits; shifted by 28
        // its upper code reaches the upper 32. A permutation takes the lowest four bits of each number, so it
        // looks the product up.
        unsafe {
            let bytes = _mm512_cvtepu8_epi64(_mm_loadl_epi64(from.as_ptr().cast()));
            let codes = _mm512_or_si512(bytes, _mm512_slli_epi64::<28>(bytes));
            let q = _mm512_setr_ps(0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12., 13., 14., 15.);
            _mm512_permutexvar_ps(codes, _mm512_mul_ps(_mm512_set1_ps(scale), q))
        }
    }
    #[inline(always)]
    fn scaled_u2(self, scale: f32, from: &[u8; LANES / 4]) -> Self::V {
        // SAFETY: the token. All codes go to every lane, which shifts its own down; the code above it changes
        // nothing of the product that is looked up.
        unsafe {
            let shifts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let codes = _mm512_srlv_epi32(_mm512_set1_epi32(i32::from_le_bytes(*from)), shifts);
            let q = _mm512_setr_ps(0., 1., 2., 3., 0., 1., 2., 3., 0., 1., 2., 3., 0., 1., 2., 3.);
            _mm512_permutexvar_ps(codes, _mm512_mul_ps(_mm512_set1_ps(scale), q))
        }
    }
    #[inline(always)]
    fn add_u4<const GROUPS: usize>(
        self,
        sums: &mut [Self::V; GROUPS],
        scale: f32,
        from: &[[u8; LANES / 2]; GROUPS],
    ) {
        self.add_fours(sums, scale, from);
    }
    #[inline(always)]
    fn order_u4<const GROUPS: usize>(self, sums: &mut [Self::V; GROUPS]) {
        self.order_fours(sums);
    }
    #[inline(always)]
    fn load_f16(self, from: &[u16; LANES]) -> Self::V {
        // SAFETY: the token; the array has sixteen halves.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast())) }
    }
    #[inline(always)]
    fn two_f16(self, from: [u8; 4]) -> (f32, f32) {
        // SAFETY: the token, which proves F16C.
        unsafe {
            let floats = _mm_cvtph_ps(_mm_cvtsi32_si128(i32::from_le_bytes(from)));
            (_mm_cvtss_f32(floats), _mm_cvtss_f32(_mm_movehdup_ps(floats)))
        }
    }
    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f32; LANES]) {
        // SAFETY: the token; the array has sixteen elements.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn store_part(self, v: Self::V, to: &mut [f32]) {
        let length = if to.len() < LANES { to.len() } else { LANES };
        // SAFETY: the token; the mask has a bit for each element of the slice, and what is masked out is not
        // written.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), ((1_u32 << length) - 1) as u16, v) }
    }
    #[inline(always)]
    unsafe fn stream(self, v: Self::V, to: &mut [f32; LANES]) {
        // SAFETY: the token; the array has sixteen elements, and the caller aligned it.
        unsafe { _mm512_stream_ps(to.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn nonzero(self, from: &[f32; LANES]) -> u16 {
        let v = self.load(from);
        // SAFETY: the token.
        unsafe { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(v, _mm512_setzero_ps()) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: the token.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: the token.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        sum4(self.quarter(v))
    }
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [Self::V; 4]) -> [f32; 4] {
        // SAFETY: the token.
        unsafe {
            // Lanes i and i + 8 of two vectors, which so share a register, then i and i + 4 of all four.
            let ab = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b));
            let cd = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xee>(c, d));
            let v = _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xdd>(ab, cd));
            // Of each vector four lanes side by side: i and i + 2, then i and i + 1.
            let v = _mm512_add_ps(v, _mm512_permute_ps::<0b01_00_11_10>(v));
            let v = _mm512_add_ps(v, _mm512_permute_ps::<0b10_11_00_01>(v));
            let first_lanes = _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
            let mut sums = [0.0; 4];
            _mm_storeu_ps(sums.as_mut_ptr(), _mm512_castps512_ps128(_mm512_permutexvar_ps(first_lanes, v)));
            sums
        }
    }
}
