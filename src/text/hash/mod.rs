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

use crate::slices::{copy, first};
use core::num::NonZero;
use core::ops::Range;

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

    /// Takes in the next bytes. All others that take in something give the same hash.
    fn write(&mut self, bytes: &[u8]);

    /// Takes in the bytes of a word within `text`, of which there is at least one; with small letters for the
    /// capitals of ASCII if it `lowers`. So a hash may take in many bytes at once.
    #[doc(hidden)]
    #[inline]
    fn write_word(&mut self, text: &[u8], word: Range<usize>, lowers: bool) {
        for start in word.clone().step_by(8) {
            self.write(first(&eight_of(text, start..word.end, lowers), word.end - start));
        }
    }

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

/// Eight bytes of `text` from byte `start` on, the first one lowest; behind the text they are zero.
#[inline]
fn eight(text: &[u8], start: usize) -> u64 {
    let rest = text.get(start..).unwrap_or_default();
    u64::from_le_bytes(match rest.first_chunk() {
        Some(bytes) => *bytes,
        None => last_eight(rest),
    })
}

/// The first eight bytes of a word, and zeros behind it.
#[inline]
fn eight_of(text: &[u8], word: Range<usize>, lowers: bool) -> [u8; 8] {
    let behind = 8 * 8_usize.saturating_sub(word.len()) as u32;
    let bytes = eight(text, word.start) << behind >> behind;
    if lowers { lowered(bytes) } else { bytes }.to_le_bytes()
}

/// Fewer than eight bytes, and zeros.
#[inline(never)]
fn last_eight(bytes: &[u8]) -> [u8; 8] {
    let mut room = [0; 8];
    copy(bytes, &mut room);
    room
}

/// Small letters for the capitals of ASCII among eight bytes.
#[inline(always)]
const fn lowered(bytes: u64) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    // The top bits tell which bytes are at least A, and which are beyond Z.
    let low = bytes & (EACH * 127);
    let from_a = low + EACH * (128 - b'A' as u64);
    let beyond_z = low + EACH * (127 - b'Z' as u64);
    bytes | ((from_a ^ beyond_z) & !bytes & (EACH << 7)) >> 2
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
    // Those of the longest character, from whose end a shorter one is cut: one call is one loop of the hash.
    let (first, start) = match c {
        0..0x800 => ([0, 0, 0xc0 | (c >> 6) as u8], 2),
        0x800..0x1_0000 => ([0, 0xe0 | (c >> 12) as u8, tail(6)], 1),
        _ => ([0xf0 | (c >> 18) as u8, tail(12), tail(6)], 0),
    };
    let [a, b, c] = first;
    let bytes = [a, b, c, tail(0)];
    if let Some(bytes) = bytes.get(start..) {
        write(bytes);
    }
}

/// `hash * buckets / 2^32`: scales `0..2^32` down to `0..buckets`.
#[inline]
pub(super) fn scale(hash: u32, buckets: NonZero<u32>) -> u32 {
    let buckets = buckets.get();
    // A Cortex-M0, which cannot compare and swap, has no product of 64 bits either: it would call a routine of
    // 40 instructions.
    if cfg!(all(target_pointer_width = "32", not(target_has_atomic = "32"))) && buckets <= 1 << 16 {
        return scale_by_halves(hash, buckets);
    }
    ((u64::from(hash) * u64::from(buckets)) >> 32) as u32
}

/// The same for up to 2^16 buckets, by products that 32 bits hold.
#[inline]
const fn scale_by_halves(hash: u32, buckets: u32) -> u32 {
    let low = (hash & 0xffff).wrapping_mul(buckets);
    (hash >> 16).wrapping_mul(buckets).wrapping_add(low >> 16) >> 16
}

/// `hash mod buckets`.
#[inline]
pub(super) fn remainder(hash: u64, buckets: NonZero<u32>) -> u32 {
    (hash % NonZero::<u64>::from(buckets)) as u32
}

#[cfg(test)]
mod tests {
    use super::{WordHash, scale, scale_by_halves};
    use core::num::NonZero;
    use std::vec::Vec;

    #[test]
    fn halves_scale_as_the_whole_does() {
        for buckets in (1..=65_536).step_by(97).chain([2, 255, 256, 2047, 65_535, 65_536]) {
            let ends = [0, 1, 0xffff, 0x1_0000, 0xffff_0000, u32::MAX - 1, u32::MAX];
            for hash in (0..=u32::MAX).step_by(8_000_009).chain(ends) {
                let expected = scale(hash, NonZero::new(buckets).unwrap());
                assert_eq!(scale_by_halves(hash, buckets), expected, "{hash} of {buckets}");
            }
        }
    }

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
