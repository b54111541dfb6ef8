//! MurmurHash3 with 32 bits, as scikit-learn takes it: a signed number, whose sign is a sign of the feature.

use super::{HashKind, WordHash};
use crate::random::mix32;
use core::num::NonZero;

/// `MurmurHash3_x86_32` with a seed, as scikit-learn's `murmurhash3_32(.., positive=False)`: a signed number.
///
/// ```text
/// h = SEED
/// for each 4 bytes as a number k:  h = rotl(h ^ scramble(k), 13) * 5 + 0xe6546b64         modulo 2^32
/// h = h ^ scramble(the last 0 to 3 bytes);  h = mix(h ^ length)
/// scramble(k) = rotl(k * 0xcc9e2d51, 15) * 0x1b873593
/// bucket = |h| mod buckets                                                                |-2^31| = 2^31
/// ```
///
/// The bucket is scikit-learn's too; of signed columns see [`FeatureHasher`](crate::text::FeatureHasher).
///
/// ```
/// use nanoembed::text::{Murmur3, WordHash};
/// let mut hash = Murmur3::<0>::default();
/// hash.write(&0_i32.to_le_bytes());
/// assert_eq!(hash.finish(), 593_689_054); // murmurhash3_32(0)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Murmur3<const SEED: u32 = 0> {
    hash: u32,
    /// The bytes that do not make a block of four yet.
    tail: u32,
    length: u32,
}

impl<const SEED: u32> Default for Murmur3<SEED> {
    #[inline]
    fn default() -> Self {
        Self::with_seed(SEED)
    }
}

impl<const SEED: u32> Murmur3<SEED> {
    /// No bytes yet, and a seed that need not be that of the type.
    #[inline]
    pub(in crate::text) const fn with_seed(seed: u32) -> Self {
        Self { hash: seed, tail: 0, length: 0 }
    }
}

impl<const SEED: u32> WordHash for Murmur3<SEED> {
    type Digest = i32;
    const KIND: Option<HashKind> = Some(HashKind::Murmur3 { seed: SEED });

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.tail |= u32::from(byte) << (8 * (self.length % 4));
            self.length = self.length.wrapping_add(1);
            if self.length.is_multiple_of(4) {
                let mixed = (self.hash ^ scramble(self.tail)).rotate_left(13);
                self.hash = mixed.wrapping_mul(5).wrapping_add(0xe654_6b64);
                self.tail = 0;
            }
        }
    }

    #[inline]
    fn finish(self) -> i32 {
        // An empty tail scrambles to 0.
        mix32(self.hash ^ scramble(self.tail) ^ self.length) as i32
    }

    #[inline]
    fn bucket(digest: i32, buckets: NonZero<u32>) -> u32 {
        digest.unsigned_abs() % buckets
    }

    #[inline]
    fn low32(digest: i32) -> u32 {
        digest as u32
    }
}

#[inline]
fn scramble(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn treats -2^31, whose absolute value is no `i32`, on its own: (2^31 - 1 - (n - 1)) mod n.
    #[test]
    fn the_lowest_number_has_scikit_learn_s_column() {
        for n in [1, 2, 3, 1000, 1 << 20, (1 << 31) - 1] {
            let expected = ((1_u32 << 31) - 1 - (n - 1)) % n;
            assert_eq!(Murmur3::<0>::bucket(i32::MIN, NonZero::new(n).unwrap()), expected, "{n}");
        }
    }
}
