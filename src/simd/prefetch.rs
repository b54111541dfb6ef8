//! Hints to the memory system.

/// Bytes that memory moves at once on every processor with a prefetch instruction that we use.
pub(crate) const CACHE_LINE: usize = 64;

/// Whether [`prefetch`] does anything on this target.
pub(crate) const PREFETCHES: bool =
    cfg!(any(all(target_arch = "x86_64", target_feature = "sse2"), target_arch = "aarch64"));

/// Asks for the cache lines of `count` elements from element `start` on to be brought near. A hint: it
/// changes no value, may name elements that do not exist, and is nothing at all on processors without such an
/// instruction.
#[inline(always)]
pub(crate) fn prefetch<T>(values: &[T], start: usize, count: usize) {
    let start = values.as_ptr().wrapping_add(start).cast::<u8>();
    let mut offset = 0;
    while offset < count * size_of::<T>() {
        let line = start.wrapping_add(offset);
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        // SAFETY: a prefetch reads nothing and faults on no address.
        unsafe {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(line.cast());
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        unsafe {
            core::arch::asm!("prfm pldl1keep, [{line}]", line = in(reg) line, options(nostack, readonly, preserves_flags));
        }
        #[cfg(not(any(all(target_arch = "x86_64", target_feature = "sse2"), target_arch = "aarch64")))]
        let _ = line;
        offset += CACHE_LINE;
    }
}
