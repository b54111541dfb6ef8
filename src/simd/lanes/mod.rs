//! Sixteen virtual lanes of `f32` and one fixed tree to sum them.
//!
//! A sum over a slice puts element i into lane i % 16, also in the ragged tail; lanes start at +0; then lanes i and i + 8 are
//! added, i and i + 4, i and i + 2, i and i + 1. Whatever registers a processor has, the order of the additions and so
//! the bits are the same. Zero lanes of a tail are exact: a lane that starts at +0 never becomes −0.

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
#[cfg(any(test, not(any(
    all(target_arch = "x86_64", target_feature = "sse2"),
    all(target_arch = "aarch64", target_feature = "neon"),
    all(target_arch = "wasm32", target_feature = "simd128"),
))))]
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

/// Number of virtual lanes.
pub(crate) const LANES: usize = 16;

/// Sixteen lanes of one processor level: the operations that reductions and tiles are written with. Never fused.
///
/// A value of the implementing type is the proof that the processor has the level.
pub(crate) trait Lanes: Copy {
    /// Sixteen floats in registers.
    type V: Copy;
    /// Whether 32 or more full registers exist, so that large tiles stay in them.
    const MANY_REGISTERS: bool;
    /// The widest block of columns that vertical kernels keep in registers; narrower ones follow for the rest of a row.
    const COLUMNS: usize = 32;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, from: &[f32; LANES]) -> Self::V;
    /// The first elements of `from`, at most sixteen; +0 in the other lanes.
    fn load_part(self, from: &[f32]) -> Self::V;
    fn store(self, v: Self::V, to: &mut [f32; LANES]);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// The sum of the lanes by the tree i + 8, i + 4, i + 2, i + 1.
    fn sum(self, v: Self::V) -> f32;
}

/// Adds the upper half to the lower half until one number is left.
#[allow(dead_code, reason = "not every back end needs it")]
#[inline(always)]
fn tree<const N: usize>(mut v: [f32; N]) -> f32 {
    let mut half = N / 2;
    while half > 0 {
        let (low, high) = v.split_at_mut(half);
        for (l, h) in low.iter_mut().zip(high) {
            *l += *h;
        }
        half /= 2;
    }
    v[0]
}

/// Fewer than sixteen elements, padded with +0.
#[allow(dead_code, reason = "not every back end needs it")]
#[inline(always)]
fn padded(from: &[f32]) -> [f32; LANES] {
    let mut all = [0.0; LANES];
    for (a, x) in all.iter_mut().zip(from) {
        *a = *x;
    }
    all
}

