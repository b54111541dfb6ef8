//! Which of 64 bytes are characters of a set.

use super::{Kind, Level};

/// A set of characters of ASCII: byte i has those whose low four bits are i, a bit for each high half.
pub(crate) type AsciiSet = [u8; 16];

/// A bit for each byte that is in the set, and a bit for each that is not of ASCII.
///
/// The low half of a byte chooses a byte of the set, and the high half a bit of it. Where a register can be a
/// table of sixteen bytes, the choices of all bytes are two instructions.
#[inline]
pub(crate) fn find(level: Level, set: &AsciiSet, bytes: &[u8; 64]) -> (u64, u64) {
    match level.kind() {
        Kind::Baseline(_) => find_singly(set, bytes),
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        // SAFETY: the token is made only for a processor that has the features.
        Kind::Avx2(_) => unsafe { x86::find_avx2(set, bytes) },
        #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
        // SAFETY: as above.
        Kind::Avx512(_) => unsafe { x86::find_avx512(set, bytes) },
    }
}

/// Byte by byte, eight bits at a time and without a branch, which would be guessed wrongly at each word.
#[inline]
fn find_singly(set: &AsciiSet, bytes: &[u8; 64]) -> (u64, u64) {
    let (mut found, mut beyond_ascii) = (0, 0);
    for bytes in bytes.as_chunks::<8>().0.iter().rev() {
        let mut eight = 0;
        for (bit, byte) in bytes.iter().enumerate() {
            let row = set.get(usize::from(byte & 15)).map_or(0, |row| u64::from(*row));
            eight |= (row >> (byte >> 4) & 1) << bit;
        }
        found = found << 8 | eight;
        // The product brings the top bits of the bytes side by side.
        let top = u64::from_le_bytes(*bytes) >> 7 & (u64::MAX / 255);
        beyond_ascii = beyond_ascii << 8 | top.wrapping_mul(0x0102_0408_1020_4080) >> 56;
    }
    (found, beyond_ascii)
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86 {
    use super::AsciiSet;
    #[allow(clippy::wildcard_imports, reason = "intrinsics, all with telling names")]
    use core::arch::x86_64::*;

    /// The bit of each high half; none for those beyond ASCII.
    const BITS: AsciiSet = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];

    #[target_feature(enable = "avx2")]
    pub(super) fn find_avx2(set: &AsciiSet, bytes: &[u8; 64]) -> (u64, u64) {
        let (halves, _) = bytes.as_chunks::<32>();
        let (mut found, mut beyond_ascii) = (0, 0);
        for half in halves.iter().rev() {
            // SAFETY: the arrays have 16, 16 and 32 bytes.
            let (set, bits, bytes) = unsafe {
                (
                    _mm256_broadcastsi128_si256(_mm_loadu_si128(set.as_ptr().cast())),
                    _mm256_broadcastsi128_si256(_mm_loadu_si128(BITS.as_ptr().cast())),
                    _mm256_loadu_si256(half.as_ptr().cast()),
                )
            };
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15));
            // A byte whose top bit is set chooses 0.
            let bits = _mm256_and_si256(_mm256_shuffle_epi8(set, bytes), _mm256_shuffle_epi8(bits, high));
            let none = _mm256_cmpeq_epi8(bits, _mm256_setzero_si256());
            found = found << 32 | u64::from(!_mm256_movemask_epi8(none) as u32);
            beyond_ascii = beyond_ascii << 32 | u64::from(_mm256_movemask_epi8(bytes) as u32);
        }
        (found, beyond_ascii)
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn find_avx512(set: &AsciiSet, bytes: &[u8; 64]) -> (u64, u64) {
        // SAFETY: the arrays have 16, 16 and 64 bytes.
        let (set, bits, bytes) = unsafe {
            (
                _mm512_broadcast_i32x4(_mm_loadu_si128(set.as_ptr().cast())),
                _mm512_broadcast_i32x4(_mm_loadu_si128(BITS.as_ptr().cast())),
                _mm512_loadu_si512(bytes.as_ptr().cast()),
            )
        };
        let high = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), _mm512_set1_epi8(15));
        // A byte whose top bit is set chooses 0.
        let found = _mm512_test_epi8_mask(_mm512_shuffle_epi8(set, bytes), _mm512_shuffle_epi8(bits, high));
        (found, _mm512_movepi8_mask(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_finds_what_a_loop_finds() {
        let mut number = 1_u32;
        let mut next = || {
            number = number.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
            (number >> 24) as u8
        };
        for turn in 0..2000 {
            let set: AsciiSet =
                core::array::from_fn(|_| if turn % 2 == 0 { next() } else { next() & next() & next() });
            // Each byte stands in each place; then any.
            let bytes: [u8; 64] =
                core::array::from_fn(|i| if turn < 256 { (turn + i * 67) as u8 } else { next() });
            let (mut found, mut beyond_ascii) = (0, 0);
            for (bit, byte) in bytes.iter().enumerate() {
                let is_in = byte.is_ascii() && set[usize::from(byte & 15)] >> (byte >> 4) & 1 == 1;
                found |= u64::from(is_in) << bit;
                beyond_ascii |= u64::from(!byte.is_ascii()) << bit;
            }
            for level in Level::available() {
                assert_eq!(find(level, &set, &bytes), (found, beyond_ascii), "{}", level.name());
            }
        }
    }
}
