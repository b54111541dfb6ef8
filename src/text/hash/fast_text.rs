//! fastText's hash.

use super::WordHash;
use core::num::NonZero;

/// fastText's hash: FNV-1a with 32 bits, whose bytes are sign-extended.
///
/// ```text
/// h = 2166136261
/// for each byte: h = (h ^ byte as i8 as i32) * 16777619                   modulo 2^32
/// bucket = h mod buckets
/// ```
///
/// On ASCII that is the published FNV-1a (RFC 9923); on other bytes fastText differs from it, for good.
///
/// Source: `Dictionary::hash` of fastText.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastTextHash(u32);

impl Default for FastTextHash {
    #[inline]
    fn default() -> Self {
        Self(2_166_136_261)
    }
}

impl WordHash for FastTextHash {
    type Digest = u32;

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ i32::from(byte as i8) as u32).wrapping_mul(16_777_619);
        }
    }

    #[inline]
    fn finish(self) -> u32 {
        self.0
    }

    #[inline]
    fn bucket(digest: u32, buckets: NonZero<u32>) -> u32 {
        digest % buckets
    }

    #[inline]
    fn low32(digest: u32) -> u32 {
        digest
    }
}
