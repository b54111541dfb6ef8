//! A hash other than the native one that is chosen at run time.

#[cfg(feature = "md5")]
use super::Md5;
#[cfg(feature = "siphash")]
use super::SipHash;
use super::{FarmHash64, HashKind, Murmur3, WordHash, utf8};
use crate::text::kinds::{TextKind, TextKinds, links};
use core::marker::PhantomData;
use core::num::NonZero;

/// The hash of a [`HashKind`] with the seed or the key that it names, if it is one of `T`.
#[derive(Clone, Debug)]
pub(in crate::text) struct AnyHash<T> {
    hash: Hash,
    kinds: PhantomData<fn() -> T>,
}

#[derive(Clone, Debug)]
enum Hash {
    FarmHash64(FarmHash64),
    Murmur3(Murmur3),
    #[cfg(feature = "md5")]
    Md5(Md5),
    #[cfg(feature = "siphash")]
    SipHash(SipHash<0, 0>),
}

impl<T: TextKinds> AnyHash<T> {
    /// No bytes yet; `None` for the native hash, and for one that is not linked.
    #[inline]
    pub(in crate::text) fn new(kind: HashKind) -> Option<Self> {
        let hash = match kind {
            HashKind::FarmHash64 if links::<T>(TextKind::FarmHash64) => {
                Hash::FarmHash64(FarmHash64::default())
            }
            HashKind::Murmur3 { seed } if links::<T>(TextKind::Murmur3) => {
                Hash::Murmur3(Murmur3::with_seed(seed))
            }
            #[cfg(feature = "md5")]
            HashKind::Md5 if links::<T>(TextKind::Md5) => Hash::Md5(Md5::default()),
            #[cfg(feature = "siphash")]
            HashKind::SipHash { key } if links::<T>(TextKind::SipHash) => {
                Hash::SipHash(SipHash::with_key(key))
            }
            _ => return None,
        };
        Some(Self { hash, kinds: PhantomData })
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
        // The arm of a hash that is not linked does not occur, and is not compiled in.
        match &mut self.hash {
            Hash::FarmHash64(hash) if links::<T>(TextKind::FarmHash64) => hash.write(bytes),
            Hash::Murmur3(hash) if links::<T>(TextKind::Murmur3) => hash.write(bytes),
            #[cfg(feature = "md5")]
            Hash::Md5(hash) if links::<T>(TextKind::Md5) => hash.write(bytes),
            #[cfg(feature = "siphash")]
            Hash::SipHash(hash) if links::<T>(TextKind::SipHash) => hash.write(bytes),
            _ => {}
        }
    }

    /// The bucket of all bytes written, and the number of which n-grams are combined.
    pub(in crate::text) fn finish(self, buckets: NonZero<u32>) -> (u32, u32) {
        fn of<H: WordHash>(hash: H, buckets: NonZero<u32>) -> (u32, u32) {
            let digest = hash.finish();
            (H::bucket(digest, buckets), H::low32(digest))
        }
        match self.hash {
            Hash::FarmHash64(hash) if links::<T>(TextKind::FarmHash64) => of(hash, buckets),
            Hash::Murmur3(hash) if links::<T>(TextKind::Murmur3) => of(hash, buckets),
            #[cfg(feature = "md5")]
            Hash::Md5(hash) if links::<T>(TextKind::Md5) => of(hash, buckets),
            #[cfg(feature = "siphash")]
            Hash::SipHash(hash) if links::<T>(TextKind::SipHash) => of(hash, buckets),
            _ => (0, 0),
        }
    }
}
