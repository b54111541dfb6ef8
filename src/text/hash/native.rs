//! The crate's own hash.

use super::{HashKind, WordHash, eight, lowered, scale};
use crate::random::mix32;
use core::num::NonZero;
use core::ops::Range;

/// The crate's own hash: FNV-1a with 32 bits (RFC 9923), finished by the mixer of `MurmurHash3`.
///
/// ```text
/// h = 2166136261
/// for each byte: h = (h ^ byte) * 16777619                               modulo 2^32
/// h = (h ^ h >> 16) * 0x85ebca6b;  h = (h ^ h >> 13) * 0xc2b2ae35;  h = h ^ h >> 16
/// bucket = h * buckets / 2^32                                            rounded down
/// ```
///
/// Why this one: four bytes of state, one 32-bit multiplication per byte, which even a Cortex-M0 has, and no
/// blocks, so that bytes can arrive one at a time. FNV-1a alone leaves some bits untouched by the last bytes
/// of a word; the mixer makes every bit of the word count in every bit of the hash, and loses nothing as it
/// is one-to-one. The bucket comes from a multiplication, as even as the remainder: a processor without
/// division spends more on one remainder than on hashing a word.
///
/// A word's number is fixed for good: trained tables depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NativeHash(u32);

impl Default for NativeHash {
    #[inline]
    fn default() -> Self {
        Self(2_166_136_261)
    }
}

/// What a byte's step multiplies by.
const PRIME: u32 = 16_777_619;

/// What undoes so many steps of a zero byte, each of which multiplies alone: the prime is odd, so it has an
/// inverse.
const UNDONE: [u32; 8] = {
    // Newton's rule: each step doubles the bits that are right, of which there are three.
    let mut inverse = PRIME;
    let mut bits = 3;
    while bits < 32 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(PRIME.wrapping_mul(inverse)));
        bits *= 2;
    }
    let mut undone = [1_u32; 8];
    let mut zeros = 1;
    while zeros < 8 {
        undone[zeros] = undone[zeros - 1].wrapping_mul(inverse);
        zeros += 1;
    }
    undone
};

impl WordHash for NativeHash {
    type Digest = u32;
    const KIND: Option<HashKind> = Some(HashKind::Native);

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(PRIME);
        }
    }

    /// Eight bytes at a time. The first come behind as many zeros as make eight of them: a loop of another
    /// number of steps for each word would be guessed wrongly at each.
    #[inline(always)]
    fn write_word(&mut self, text: &[u8], word: Range<usize>, lowers: bool) {
        let zeros = word.start.wrapping_sub(word.end) % 8;
        self.0 = self.0.wrapping_mul(UNDONE.get(zeros).copied().unwrap_or(1));
        let mut bytes = eight(text, word.start) << (8 * zeros);
        let mut behind = word.start.wrapping_add(8 - zeros);
        loop {
            self.write(&if lowers { lowered(bytes) } else { bytes }.to_le_bytes());
            if behind >= word.end {
                return;
            }
            bytes = eight(text, behind);
            behind += 8;
        }
    }

    #[inline]
    fn finish(self) -> u32 {
        mix32(self.0)
    }

    #[inline]
    fn bucket(digest: u32, buckets: NonZero<u32>) -> u32 {
        scale(digest, buckets)
    }

    #[inline]
    fn low32(digest: u32) -> u32 {
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::String, vec, vec::Vec};

    fn native(word: &str) -> u32 {
        let mut hash = NativeHash::default();
        hash.write(word.as_bytes());
        hash.finish()
    }

    /// Words as they occur in texts: syllables put together, with endings, numbers and capitals.
    fn words() -> Vec<String> {
        const ONSETS: &[&str] = &["", "b", "ch", "d", "f", "gr", "l", "m", "pr", "s", "st", "t", "w"];
        const RHYMES: &[&str] = &["a", "e", "ee", "ing", "on", "er", "ock", "ate", "oo", "ü"];
        let syllables: Vec<String> = ONSETS
            .iter()
            .flat_map(|onset| RHYMES.iter().map(move |rhyme| format!("{onset}{rhyme}")))
            .collect();
        let mut words: Vec<String> = (0..10_000).map(|i| format!("{i}")).collect();
        for first in &syllables {
            words.extend(["", "s", "ed", "'t"].map(|ending| format!("{first}{ending}")));
            words
                .extend(syllables.iter().flat_map(|second| ["", "s"].map(|s| format!("{first}{second}{s}"))));
        }
        words.sort();
        words.dedup();
        words
    }

    /// Chi-square of the counts over `buckets`, in standard deviations from its expectation.
    fn chi_square(numbers: impl Iterator<Item = u32>, buckets: u32) -> f64 {
        let mut counts = vec![0_u32; buckets as usize];
        numbers.for_each(|number| counts[scale(number, NonZero::new(buckets).unwrap()) as usize] += 1);
        let total: u32 = counts.iter().sum();
        let expected = f64::from(total) / f64::from(buckets);
        let sum: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
        let freedom = f64::from(buckets - 1);
        (sum - freedom) / (2.0 * freedom).sqrt()
    }

    /// The freeze: tables that were trained with these numbers are read with them for good.
    #[test]
    fn native_hash_is_frozen() {
        for (word, expected) in FROZEN {
            assert_eq!(native(word), *expected, "{word:?}");
        }
    }

    const FROZEN: &[(&str, u32)] = &[
        ("", 0xab3e_7c0b),
        ("a", 0x1a80_b1b3),
        ("b", 0x82c4_6232),
        ("c", 0x46ad_5f91),
        ("A", 0x4d28_7e94),
        ("'", 0x3157_e892),
        ("the", 0xc507_49f8),
        ("good", 0xdc71_d363),
        ("well", 0x1aac_153a),
        ("work", 0xe20e_d034),
        ("awesome", 0x403a_9443),
        ("services", 0xb7a3_9094),
        ("couldn't", 0x6070_623f),
        ("horrible", 0xd531_11d4),
        ("recommender", 0x49cb_6262),
        ("1", 0x551f_758f),
        ("2026", 0x2f55_ad89),
        ("naïve", 0xcda9_0f3a),
        ("é", 0x8e47_56c7),
        ("世界", 0x1b33_5b81),
        ("🚀", 0xadfe_08c0),
        ("ς", 0x858b_98a9),
        ("i\u{307}", 0x36a6_2cd3),
        ("the quick brown fox jumps over the lazy dog", 0xaeee_da62),
    ];

    #[test]
    fn bytes_may_arrive_in_any_pieces() {
        let bytes = "naïve 世界 🚀 words".as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut hash = NativeHash::default();
                hash.write(&bytes[..first]);
                hash.write(&bytes[first..second]);
                hash.write(&bytes[second..]);
                assert_eq!(hash.finish(), native("naïve 世界 🚀 words"));
            }
        }
    }

    #[test]
    fn words_spread_evenly_over_any_number_of_rows() {
        let words = words();
        assert!(words.len() > 40_000, "{}", words.len());
        for buckets in [2, 3, 7, 16, 49, 64, 100, 256, 999, 1000, 1024, 4096] {
            let deviation = chi_square(words.iter().map(|word| native(word)), buckets);
            assert!(deviation.abs() < 4.0, "{buckets} buckets: {deviation} standard deviations");
        }
    }

    #[test]
    fn words_hardly_ever_share_a_hash() {
        let mut hashes: Vec<u32> = words().iter().map(|word| native(word)).collect();
        let words = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        // A random function would lose words^2 / 2^33 of them: less than one.
        assert!(words - hashes.len() <= 2, "{} of {words}", words - hashes.len());
    }

    /// Flipping any bit of a word flips every bit of the hash in about half of the cases.
    #[test]
    fn every_bit_of_a_word_counts_in_every_bit_of_its_hash() {
        let words: Vec<String> = words().into_iter().filter(|word| word.len() >= 4).take(20_000).collect();
        for byte in 0..4 {
            for bit in 0..8 {
                let mut flips = [0_u32; 32];
                for word in &words {
                    let mut bytes = word.as_bytes().to_vec();
                    let at = bytes.len() - 1 - byte;
                    bytes[at] ^= 1 << bit;
                    let mut hash = NativeHash::default();
                    hash.write(&bytes);
                    let changed = hash.finish() ^ native(word);
                    flips.iter_mut().enumerate().for_each(|(i, flips)| *flips += changed >> i & 1);
                }
                for (i, &flips) in flips.iter().enumerate() {
                    let share = f64::from(flips) / words.len() as f64;
                    assert!(
                        (0.45..0.55).contains(&share),
                        "byte {byte} from the end, bit {bit}: {share} at {i}"
                    );
                }
            }
        }
    }
}
