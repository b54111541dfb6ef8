//! The lanes of WebAssembly with simd128: four 128-bit values.

use super::{LANES, Lanes};
use core::arch::wasm32::{
    f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, i32x4_shuffle, v128, v128_load, v128_store,
};

/// The proof of simd128, which the target itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Simd128(());

impl Simd128 {
    pub(crate) const TOKEN: Self = Self(());
    pub(crate) const NAME: &str = "simd128";
}

/// Four elements from `start` on, +0 where the slice ends before.
#[inline(always)]
fn quad(from: &[f32], start: usize) -> v128 {
    match *from.get(start..).unwrap_or_default() {
        [a, b, c, d, ..] => f32x4(a, b, c, d),
        [a, b, c] => f32x4(a, b, c, 0.0),
        [a, b] => f32x4(a, b, 0.0, 0.0),
        [a] => f32x4(a, 0.0, 0.0, 0.0),
        [] => f32x4_splat(0.0),
    }
}

impl Lanes for Simd128 {
    type V = [v128; 4];
    const ACCUMULATORS: usize = 2;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [f32x4_splat(x); 4]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        let p = from.as_ptr().cast::<v128>();
        // SAFETY: value i reads elements 4 i to 4 i + 3 of sixteen; the instruction asks for no alignment.
        unsafe { [v128_load(p), v128_load(p.add(1)), v128_load(p.add(2)), v128_load(p.add(3))] }
    }
    #[inline(always)]
    fn load_part(self, from: &[f32]) -> Self::V {
        [quad(from, 0), quad(from, 4), quad(from, 8), quad(from, 12)]
    }
    #[inline(always)]
    fn store(self, [a, b, c, d]: Self::V, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr().cast::<v128>();
        // SAFETY: value i writes elements 4 i to 4 i + 3 of sixteen; the instruction asks for no alignment.
        unsafe {
            v128_store(p, a);
            v128_store(p.add(1), b);
            v128_store(p.add(2), c);
            v128_store(p.add(3), d);
        }
    }
    #[inline(always)]
    fn add(self, [a, b, c, d]: Self::V, [e, f, g, h]: Self::V) -> Self::V {
        [f32x4_add(a, e), f32x4_add(b, f), f32x4_add(c, g), f32x4_add(d, h)]
    }
    #[inline(always)]
    fn mul(self, [a, b, c, d]: Self::V, [e, f, g, h]: Self::V) -> Self::V {
        [f32x4_mul(a, e), f32x4_mul(b, f), f32x4_mul(c, g), f32x4_mul(d, h)]
    }
    #[inline(always)]
    fn sum(self, [a, b, c, d]: Self::V) -> f32 {
        let v = f32x4_add(f32x4_add(a, c), f32x4_add(b, d));
        let pairs = f32x4_add(v, i32x4_shuffle::<2, 3, 0, 1>(v, v));
        f32x4_extract_lane::<0>(f32x4_add(pairs, i32x4_shuffle::<1, 0, 3, 2>(pairs, pairs)))
    }
}
