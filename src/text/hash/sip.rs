//! SipHash-2-4, the keyed hash of Keras' `Hashing` with a salt.

use super::{HashKind, WordHash, remainder};
use core::hash::Hasher;
use core::num::NonZero;
use siphasher::sip::SipHasher24;

/// SipHash-2-4 with the key `K0`, `K1`: Keras' `Hashing(salt=[K0, K1])`, where a salt of one number means
/// that number twice.
///
/// A word's bucket is the remainder of its hash. Who does not know the key cannot make up words that share a
/// bucket.
///
/// ```
/// use nanoembed::text::{Hashing, SipHash};
/// // keras.layers.Hashing(num_bins=1000, salt=[133, 137])
/// const BINS: Hashing<SipHash<133, 137>> = Hashing::new(1000).hash();
/// assert_eq!(BINS.bin_of(42), 406);
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "siphash")))]
#[derive(Clone, Copy, Debug)]
pub struct SipHash<const K0: u64, const K1: u64>(SipHasher24);

impl<const K0: u64, const K1: u64> Default for SipHash<K0, K1> {
    #[inline]
    fn default() -> Self {
        Self::with_key([K0, K1])
    }
}

impl<const K0: u64, const K1: u64> SipHash<K0, K1> {
    /// No bytes yet, and a key that need not be that of the type.
    #[inline]
    pub(in crate::text) fn with_key([k0, k1]: [u64; 2]) -> Self {
        Self(SipHasher24::new_with_keys(k0, k1))
    }
}

impl<const K0: u64, const K1: u64> WordHash for SipHash<K0, K1> {
    type Digest = u64;
    const KIND: Option<HashKind> = Some(HashKind::SipHash { key: [K0, K1] });

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    #[inline]
    fn finish(self) -> u64 {
        self.0.finish()
    }

    #[inline]
    fn bucket(digest: u64, buckets: NonZero<u32>) -> u32 {
        remainder(digest, buckets)
    }

    #[inline]
    fn low32(digest: u64) -> u32 {
        digest as u32
    }
}
