//! Stores that go past the caches.

use super::{CACHE_LINE, LANES, Lanes};

/// to ← from, as far as both reach, with stores that do not bring the cache lines of `to` into the caches,
/// where they are written whole and the processor has such stores.
///
/// Other threads may see the stores late: [`finish_stream`] ends them.
#[inline(always)]
pub(crate) fn copy_past_caches<L: Lanes>(lanes: L, from: &[f32], to: &mut [f32]) {
    if !to.as_ptr().addr().is_multiple_of(CACHE_LINE) {
        return copy(from, to);
    }
    let (to_lines, to_rest) = to.as_chunks_mut::<LANES>();
    let (from_lines, from_rest) = from.as_chunks::<LANES>();
    for (to, from) in to_lines.iter_mut().zip(from_lines) {
        // SAFETY: `to` starts on a cache line, and so do all chunks of sixteen floats behind it.
        unsafe { lanes.stream(lanes.load(from), to) };
    }
    copy(from_rest, to_rest);
}

#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Waits until all stores of [`copy_past_caches`] can be seen by other threads as ordinary stores can.
#[inline(always)]
pub(crate) fn finish_stream() {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    // SAFETY: SSE is part of the target; a fence touches no memory.
    unsafe {
        core::arch::x86_64::_mm_sfence();
    }
}
