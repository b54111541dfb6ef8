//! A hash other than the native one that is chosen at run time.

#[cfg(feature = "md5")]
use super::Md5;
#[cfg(feature = "siphash")]
use super::SipHash;
use super::{FarmHash64, HashKind, Murmur3, WordHash, utf8};
use core::num::NonZero;

/// The hash of a [`HashKind`] with the seed or the key that it names.
#[derive(Clone, Debug)]
pub(in crate::text) enum AnyHash {
    FarmHash64(FarmHash64),
    Murmur3(Murmur3),
    #[cfg(feature = "md5")]
    Md5(Md5),
    #[cfg(feature = "siphash")]
    SipHash(SipHash<0, 0>),
}

impl AnyHash {
    /// No bytes yet; `None` for the native hash.
    #[inline]
    pub(in crate::text) fn new(kind: HashKind) -> Option<Self> {
        Some(match kind {
            HashKind::Native => return None,
            HashKind::FarmHash64 => Self::FarmHash64(FarmHash64::default()),
            HashKind::Murmur3 { seed } => Self::Murmur3(Murmur3::with_seed(seed)),
            #[cfg(feature = "md5")]
            HashKind::Md5 => Self::Md5(Md5::default()),
            #[cfg(feature = "siphash")]
            HashKind::SipHash { key } => Self::SipHash(SipHash::with_key(key)),
        })
    }

    /// Takes in the UTF-8 bytes of `c`.
    ///
    /// The bytes are given to a function that is called, so that the loops which find the words hold no hash
    /// but the native one.
    #[inline]
    pub(in crate::text) fn write_char(&mut self, c: char) {
        utf8(c, |bytes| self.write(bytes));
    }

    /// Takes in the next bytes.
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::FarmHash64(hash) => hash.write(bytes),
            Self::Murmur3(hash) => hash.write(bytes),
            #[cfg(feature = "md5")]
            Self::Md5(hash) => hash.write(bytes),
            #[cfg(feature = "siphash")]
            Self::SipHash(hash) => hash.write(bytes),
        }
    }

    /// The bucket of all bytes written, and the number of which n-grams are combined.
    pub(in crate::text) fn finish(self, buckets: NonZero<u32>) -> (u32, u32) {
        fn of<H: WordHash>(hash: H, buckets: NonZero<u32>) -> (u32, u32) {
            let digest = hash.finish();
            (H::bucket(digest, buckets), H::low32(digest))
        }
        match self {
            Self::FarmHash64(hash) => of(hash, buckets),
            Self::Murmur3(hash) => of(hash, buckets),
            #[cfg(feature = "md5")]
            Self::Md5(hash) => of(hash, buckets),
            #[cfg(feature = "siphash")]
            Self::SipHash(hash) => of(hash, buckets),
        }
    }
}
