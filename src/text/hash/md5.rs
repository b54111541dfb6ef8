//! MD5, for compatibility.

use super::{HashKind, WordHash, eight_of};
use crate::slices::first;
use core::num::NonZero;
use core::ops::Range;
use md5::block_api::compress;

/// MD5 as in Keras' `hashing_trick(..., hash_function="md5")`: the digest is one big-endian number of 128
/// bits.
///
/// For compatibility only: it costs a whole block of 64 rounds for every word.
///
/// ```
/// use nanoembed::text::{HashingTokenizer, Md5};
/// let tokenizer = HashingTokenizer::new(50).hash::<Md5>();
/// assert!(tokenizer.ids("Good work").eq([17, 40]));
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "md5")))]
#[derive(Clone, Debug)]
pub struct Md5 {
    state: [u32; 4],
    /// The last bytes, and zeros behind them.
    block: [u8; 64],
    length: u64,
}

impl Default for Md5 {
    #[inline]
    fn default() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
        Self { state, block: [0; 64], length: 0 }
    }
}

impl Md5 {
    /// The place of the next byte.
    #[inline]
    const fn place(&self) -> usize {
        self.length as usize % 64
    }

    /// Writes a byte at its place.
    #[inline]
    fn push(&mut self, byte: u8) {
        let place = self.place();
        if let Some(to) = self.block.get_mut(place) {
            *to = byte;
        }
    }

    /// Computes with the block, and clears it.
    #[inline]
    fn compress(&mut self) {
        compress(&mut self.state, &[self.block]);
        self.block = [0; 64];
    }
}

impl WordHash for Md5 {
    type Digest = [u8; 16];
    const KIND: Option<HashKind> = Some(HashKind::Md5);

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.push(byte);
            self.length += 1;
            if self.place() == 0 {
                self.compress();
            }
        }
    }

    /// Eight bytes at a time, as long as they fit into the block.
    #[inline]
    fn write_word(&mut self, text: &[u8], word: Range<usize>, lowers: bool) {
        for start in word.clone().step_by(8) {
            let bytes = eight_of(text, start..word.end, lowers);
            let length = if word.end - start < 8 { word.end - start } else { 8 };
            let place = self.place();
            match self.block.get_mut(place..).and_then(|rest| rest.first_chunk_mut()) {
                Some(to) => {
                    *to = bytes;
                    self.length += length as u64;
                    if self.place() == 0 {
                        self.compress();
                    }
                }
                None => self.write(first(&bytes, length)),
            }
        }
    }

    #[inline]
    fn finish(mut self) -> [u8; 16] {
        self.push(0x80);
        if self.place() >= 56 {
            self.compress();
        }
        if let Some(end) = self.block.last_chunk_mut() {
            *end = self.length.wrapping_mul(8).to_le_bytes();
        }
        compress(&mut self.state, &[self.block]);
        let mut digest = [0; 16];
        for (to, number) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *to = number.to_le_bytes();
        }
        digest
    }

    /// `digest % buckets` by Horner's rule, four bytes at a time: 64 bits are enough for a divisor of 32.
    #[inline]
    fn bucket(digest: [u8; 16], buckets: NonZero<u32>) -> u32 {
        let buckets = NonZero::<u64>::from(buckets);
        digest.as_chunks().0.iter().fold(0, |remainder: u64, four| {
            (remainder << 32 | u64::from(u32::from_be_bytes(*four))) % buckets
        }) as u32
    }

    #[inline]
    fn low32(digest: [u8; 16]) -> u32 {
        let [.., a, b, c, d] = digest;
        u32::from_be_bytes([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn every_length_has_the_digest_of_the_crate() {
        let bytes: Vec<u8> = (0..300_u32).map(|i| (i * 37 % 251) as u8).collect();
        for length in 0..=bytes.len() {
            let expected: [u8; 16] = <md5::Md5 as md5::Digest>::digest(&bytes[..length]).into();
            let mut hash = Md5::default();
            hash.write(&bytes[..length]);
            assert_eq!(hash.finish(), expected, "{length}");
        }
    }

    #[test]
    fn md5_bucket_is_the_remainder_of_the_big_endian_number() {
        let mut hash = Md5::default();
        hash.write(b"aweso");
        hash.write(b"me");
        let digest = hash.finish();
        let number = u128::from_be_bytes(digest);
        assert_eq!(number, 0xbe12_1740_bf98_8b22_25a3_13fa_1f10_7ca1);
        for divisor in [1, 2, 49, 999, 65_535, u32::MAX] {
            let remainder = Md5::bucket(digest, NonZero::new(divisor).unwrap());
            assert_eq!(u128::from(remainder), number % u128::from(divisor));
        }
        assert_eq!(Md5::low32(digest), 0x1f10_7ca1);
    }
}
