//! MD5, for compatibility.

use super::{HashKind, WordHash};
use core::num::NonZero;

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
#[derive(Clone, Debug, Default)]
pub struct Md5(md5::Md5);

impl WordHash for Md5 {
    type Digest = [u8; 16];
    const KIND: Option<HashKind> = Some(HashKind::Md5);

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        md5::Digest::update(&mut self.0, bytes);
    }

    #[inline]
    fn finish(self) -> [u8; 16] {
        md5::Digest::finalize(self.0).into()
    }

    /// `digest % buckets` by Horner's rule, byte by byte: 64 bits are enough for a divisor of 32.
    #[inline]
    fn bucket(digest: [u8; 16], buckets: NonZero<u32>) -> u32 {
        let buckets = NonZero::<u64>::from(buckets);
        digest.into_iter().fold(0, |remainder: u64, byte| (remainder << 8 | u64::from(byte)) % buckets) as u32
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
