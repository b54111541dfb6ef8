//! The square root instruction of each processor, in a form that a loop over floats is vectorised with.

/// √x, correctly rounded; NaN for x < 0, −0 for −0.
#[inline(always)]
pub(crate) fn sqrt(x: f32) -> f32 {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    {
        use core::arch::x86_64::{_mm_cvtss_f32, _mm_set_ss, _mm_sqrt_ss};
        // SAFETY: SSE2 is part of the target.
        unsafe { _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))) }
    }
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    {
        use core::arch::aarch64::{vdup_n_f32, vget_lane_f32, vsqrt_f32};
        // SAFETY: NEON is part of the target.
        unsafe { vget_lane_f32::<0>(vsqrt_f32(vdup_n_f32(x))) }
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        use core::arch::wasm32::{f32x4_extract_lane, f32x4_splat, f32x4_sqrt};
        f32x4_extract_lane::<0>(f32x4_sqrt(f32x4_splat(x)))
    }
    // The compiler lacks names for single registers on some of these targets, so the value passes through s0.
    #[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
    {
        let root: u32;
        // SAFETY: every hard-float target has the instruction (VFPv2 and later); it touches no memory.
        unsafe {
            core::arch::asm!("vmov s0, {x}", "vsqrt.f32 s0, s0", "vmov {root}, s0",
                x = in(reg) x.to_bits(), root = lateout(reg) root, out("s0") _, options(pure, nomem, nostack));
        }
        f32::from_bits(root)
    }
    #[cfg(not(any(
        all(target_arch = "x86_64", target_feature = "sse2"),
        all(target_arch = "aarch64", target_feature = "neon"),
        all(target_arch = "wasm32", target_feature = "simd128"),
        all(target_arch = "arm", target_abi = "eabihf"),
    )))]
    libm::sqrtf(x)
}
