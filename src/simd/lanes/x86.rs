//! The lanes of x86-64: four SSE registers, two AVX registers, or one AVX-512 register.
// SAFETY, for the whole file: a token of the level is the proof that its instructions exist (`Avx2::new`, `Avx512::new`; SSE2
// is part of the target); every load and store stays inside the array or slice it is given.

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
}

impl Avx2 {
    /// # Safety
    /// The processor and the operating system support the level.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self(())
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
    const ROWS: usize = 2;
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
    const ROWS: usize = 4;
    const COLUMNS: usize = 64;

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
        // SAFETY: the token; the masks leave out every element at or after the length, and what is masked out is not read.
        unsafe {
            let length = _mm256_set1_epi32(if from.len() < LANES { from.len() as i32 } else { LANES as i32 });
            let number = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let low = _mm256_cmpgt_epi32(length, number);
            let high = _mm256_cmpgt_epi32(length, _mm256_add_epi32(number, _mm256_set1_epi32(8)));
            [_mm256_maskload_ps(from.as_ptr(), low), _mm256_maskload_ps(from.as_ptr().wrapping_add(8), high)]
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
    unsafe fn stream(self, [low, high]: Self::V, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr();
        // SAFETY: the token; as in `store`, and the caller aligned `to`.
        unsafe {
            _mm256_stream_ps(p, low);
            _mm256_stream_ps(p.add(8), high);
        }
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
    const ROWS: usize = 8;
    const COLUMNS: usize = 64;

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
        // SAFETY: the token; the mask has a bit for each element of the slice, and what is masked out is not read.
        unsafe { _mm512_maskz_loadu_ps(((1_u32 << length) - 1) as u16, from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f32; LANES]) {
        // SAFETY: the token; the array has sixteen elements.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), v) }
    }
    #[inline(always)]
    unsafe fn stream(self, v: Self::V, to: &mut [f32; LANES]) {
        // SAFETY: the token; the array has sixteen elements, and the caller aligned it.
        unsafe { _mm512_stream_ps(to.as_mut_ptr(), v) }
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
        sums4([self.quarter(a), self.quarter(b), self.quarter(c), self.quarter(d)])
    }
}
