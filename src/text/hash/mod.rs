//! Hashes that turn a word into a number, fed a few bytes at a time.
//!
//! | hash | what it is for |
//! |---|---|
//! | `NativeHash` | everything that need not give another system's numbers |
//! | `FarmHash64` | Keras' `Hashing`, TensorFlow's tables |
//! | `SipHash` | Keras' `Hashing` with a salt |
//! | `Md5` | Keras' `hashing_trick` with `md5` |
//! | `Murmur3` | scikit-learn's hashers |
//! | `FastTextHash` | fastText's subwords |

mod any;
mod farm;
mod fast_text;
#[cfg(feature = "md5")]
mod md5;
mod murmur;
mod native;
#[cfg(feature = "siphash")]
mod sip;

pub(super) use any::AnyHash;
pub use farm::FarmHash64;
pub use fast_text::FastTextHash;
#[cfg(feature = "md5")]
pub use md5::Md5;
pub use murmur::Murmur3;
pub use native::NativeHash;
#[cfg(feature = "siphash")]
pub use sip::SipHash;

use core::num::NonZero;

/// A hash of words, as a value: which of the crate's own a type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashKind {
    /// [`NativeHash`].
    Native,
    /// [`FarmHash64`].
    FarmHash64,
    /// [`Murmur3`].
    Murmur3 {
        /// Its seed.
        seed: u32,
    },
    /// [`Md5`].
    #[cfg(feature = "md5")]
    #[cfg_attr(docsrs, doc(cfg(feature = "md5")))]
    Md5,
    /// [`SipHash`].
    #[cfg(feature = "siphash")]
    #[cfg_attr(docsrs, doc(cfg(feature = "siphash")))]
    SipHash {
        /// Both halves of its key: `K0` and `K1`.
        key: [u64; 2],
    },
}

/// A hash of the bytes of a word, computed as they arrive.
///
/// The number depends on the bytes alone, never on how they were cut into calls.
///
/// ```
/// use nanoembed::text::{NativeHash, WordHash};
/// use core::num::NonZero;
/// let mut hash = NativeHash::default();
/// hash.write(b"good");
/// let digest = hash.finish();
/// assert!(NativeHash::bucket(digest, NonZero::new(49).unwrap()) < 49);
/// ```
pub trait WordHash: Default {
    /// What the hash comes to.
    type Digest: Copy;

    /// Which of the crate's own hashes this is; a hash of yours is none, and keeps the default.
    const KIND: Option<HashKind> = None;

    /// Takes in the next bytes.
    fn write(&mut self, bytes: &[u8]);

    /// The hash of all bytes written.
    fn finish(self) -> Self::Digest;

    /// The bucket of `digest`, in `0..buckets`.
    fn bucket(digest: Self::Digest, buckets: NonZero<u32>) -> u32;

    /// The low 32 bits of the digest taken as a whole number, of which n-grams are combined.
    fn low32(digest: Self::Digest) -> u32;

    /// Takes in the UTF-8 bytes of `c`.
    #[inline]
    fn write_char(&mut self, c: char) {
        utf8(c, |bytes| self.write(bytes));
    }
}

/// Gives the UTF-8 bytes of `c`, all in one call.
#[inline]
pub(super) fn utf8(c: char, mut write: impl FnMut(&[u8])) {
    if c.is_ascii() { write(&[c as u8]) } else { utf8_beyond_ascii(c, write) }
}

#[inline(never)]
fn utf8_beyond_ascii(c: char, mut write: impl FnMut(&[u8])) {
    let c = c as u32;
    let tail = |shift: u32| 0x80 | (c >> shift & 0x3f) as u8;
    match c {
        0..0x800 => write(&[0xc0 | (c >> 6) as u8, tail(0)]),
        0x800..0x1_0000 => write(&[0xe0 | (c >> 12) as u8, tail(6), tail(0)]),
        _ => write(&[0xf0 | (c >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// `hash * buckets / 2^32`: scales `0..2^32` down to `0..buckets`.
#[inline]
pub(super) fn scale(hash: u32, buckets: NonZero<u32>) -> u32 {
    ((u64::from(hash) * u64::from(buckets.get())) >> 32) as u32
}

/// `hash mod buckets`.
#[inline]
pub(super) fn remainder(hash: u64, buckets: NonZero<u32>) -> u32 {
    (hash % NonZero::<u64>::from(buckets)) as u32
}

#[cfg(test)]
mod tests {
    use super::WordHash;
    use core::num::NonZero;
    use std::vec::Vec;

    #[test]
    fn characters_are_hashed_as_utf_8() {
        #[derive(Default)]
        struct Bytes(Vec<u8>);
        impl WordHash for Bytes {
            type Digest = ();
            fn write(&mut self, bytes: &[u8]) {
                self.0.extend(bytes);
            }
            fn finish(self) {}
            fn bucket((): (), _: NonZero<u32>) -> u32 {
                0
            }
            fn low32((): ()) -> u32 {
                0
            }
        }
        for c in '\0'..=char::MAX {
            let mut bytes = Bytes::default();
            bytes.write_char(c);
            assert_eq!(bytes.0, c.encode_utf8(&mut [0; 4]).as_bytes(), "{c:?}");
        }
    }
}
