//! The lanes of processors without vector instructions: plain floats.

use super::{LANES, Lanes};

/// Always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scalar(());

impl Scalar {
    pub(crate) const TOKEN: Self = Self(());
    #[cfg_attr(test, allow(dead_code, reason = "a test beside another baseline has no use for it"))]
    pub(crate) const NAME: &str = "scalar";
}

impl Lanes for Scalar {
    type V = [f32; LANES];
    const ACCUMULATORS: usize = 1;
    /// Each width is code in flash.
    const MAX_BLOCK: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        *from
    }
    #[inline(always)]
    fn load_part(self, from: &[f32]) -> Self::V {
        let mut v = [0.0; LANES];
        for (v, x) in v.iter_mut().zip(from) {
            *v = *x;
        }
        v
    }
    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f32; LANES]) {
        *to = v;
    }
    #[inline(always)]
    fn add(self, mut a: Self::V, b: Self::V) -> Self::V {
        for (a, b) in a.iter_mut().zip(&b) {
            *a += b;
        }
        a
    }
    #[inline(always)]
    fn mul(self, mut a: Self::V, b: Self::V) -> Self::V {
        for (a, b) in a.iter_mut().zip(&b) {
            *a *= b;
        }
        a
    }
    /// Only the products that there are: this level is for processors on which each one counts.
    #[inline(always)]
    fn add_product_part(self, mut total: Self::V, a: &[f32], b: &[f32]) -> Self::V {
        for ((total, a), b) in total.iter_mut().zip(a).zip(b) {
            *total += a * b;
        }
        total
    }
    #[inline(always)]
    fn sum(self, mut v: Self::V) -> f32 {
        for half in [8, 4, 2, 1] {
            if let Some((low, high)) = v.split_at_mut_checked(half) {
                for (low, high) in low.iter_mut().zip(high) {
                    *low += *high;
                }
            }
        }
        let [total, ..] = v;
        total
    }
}
