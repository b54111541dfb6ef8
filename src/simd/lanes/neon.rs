//! The lanes of AArch64: four NEON registers.

use super::{LANES, Lanes};
use core::arch::aarch64::{
    float32x4_t, vadd_f32, vaddq_f32, vdupq_n_f32, vget_high_f32, vget_lane_f32, vget_low_f32, vld1q_f32,
    vmulq_f32, vpadd_f32, vst1q_f32,
};

/// The proof of NEON, which the target itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Neon(());

impl Neon {
    pub(crate) const TOKEN: Self = Self(());
    pub(crate) const NAME: &str = "neon";
}

/// Four elements from `start` on, +0 where the slice ends before.
#[inline(always)]
fn quad(from: &[f32], start: usize) -> float32x4_t {
    let four = match *from.get(start..).unwrap_or_default() {
        [a, b, c, d, ..] => [a, b, c, d],
        [a, b, c] => [a, b, c, 0.0],
        [a, b] => [a, b, 0.0, 0.0],
        [a] => [a, 0.0, 0.0, 0.0],
        [] => [0.0; 4],
    };
    // SAFETY: NEON is part of the target; the array has four elements.
    unsafe { vld1q_f32(four.as_ptr()) }
}

impl Lanes for Neon {
    type V = [float32x4_t; 4];
    const ACCUMULATORS: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: NEON is part of the target.
        [unsafe { vdupq_n_f32(x) }; 4]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        let p = from.as_ptr();
        // SAFETY: NEON is part of the target; register i reads elements 4 i to 4 i + 3 of sixteen.
        unsafe { [vld1q_f32(p), vld1q_f32(p.add(4)), vld1q_f32(p.add(8)), vld1q_f32(p.add(12))] }
    }
    #[inline(always)]
    fn load_part(self, from: &[f32]) -> Self::V {
        [quad(from, 0), quad(from, 4), quad(from, 8), quad(from, 12)]
    }
    #[inline(always)]
    fn store(self, [a, b, c, d]: Self::V, to: &mut [f32; LANES]) {
        let p = to.as_mut_ptr();
        // SAFETY: NEON is part of the target; register i writes elements 4 i to 4 i + 3 of sixteen.
        unsafe {
            vst1q_f32(p, a);
            vst1q_f32(p.add(4), b);
            vst1q_f32(p.add(8), c);
            vst1q_f32(p.add(12), d);
        }
    }
    #[inline(always)]
    fn add(self, [a, b, c, d]: Self::V, [e, f, g, h]: Self::V) -> Self::V {
        // SAFETY: NEON is part of the target.
        unsafe { [vaddq_f32(a, e), vaddq_f32(b, f), vaddq_f32(c, g), vaddq_f32(d, h)] }
    }
    #[inline(always)]
    fn mul(self, [a, b, c, d]: Self::V, [e, f, g, h]: Self::V) -> Self::V {
        // SAFETY: NEON is part of the target.
        unsafe { [vmulq_f32(a, e), vmulq_f32(b, f), vmulq_f32(c, g), vmulq_f32(d, h)] }
    }
    #[inline(always)]
    fn sum(self, [a, b, c, d]: Self::V) -> f32 {
        // SAFETY: NEON is part of the target.
        unsafe {
            let v = vaddq_f32(vaddq_f32(a, c), vaddq_f32(b, d));
            let pairs = vadd_f32(vget_low_f32(v), vget_high_f32(v));
            vget_lane_f32::<0>(vpadd_f32(pairs, pairs))
        }
    }
}
