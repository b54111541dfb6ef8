//! Promise: every hash gives one number for the same bytes however they were cut, and what is made of it is what the naive loop
//! over whole strings makes.

use nanoembed::error::ShapeMismatch;
use nanoembed::internals::FastTextHash;
use nanoembed::text::{
    Ascii, FarmHash64, FeatureHasher, Hashing, HashingTokenizer, InvalidSettings, Murmur3, NativeHash,
    Subwords, WordHash,
};
use proptest::prelude::*;
use std::fmt::Debug;

fn digest<H: WordHash>(pieces: &[&[u8]]) -> H::Digest {
    let mut hash = H::default();
    for piece in pieces {
        hash.write(piece);
    }
    hash.finish()
}

fn cut_anywhere<H: WordHash<Digest: PartialEq + Debug>>(bytes: &[u8]) {
    let whole = digest::<H>(&[bytes]);
    for cut in 0..=bytes.len() {
        let (front, back) = bytes.split_at(cut);
        assert_eq!(digest::<H>(&[front, &[], back]), whole, "{} bytes cut at {cut}", bytes.len());
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(digest::<H>(&single), whole);
}

/// Block edges: 3, 4, 8, 16, 32, 64 bytes and their multiples.
#[test]
fn bytes_may_arrive_in_any_pieces() {
    let bytes: Vec<u8> = (0..200_u32).map(|i| (i * 37 % 251) as u8).collect();
    for length in 0..=bytes.len() {
        cut_anywhere::<FarmHash64>(&bytes[..length]);
        cut_anywhere::<Murmur3<7>>(&bytes[..length]);
        cut_anywhere::<FastTextHash>(&bytes[..length]);
        #[cfg(feature = "siphash")]
        cut_anywhere::<nanoembed::text::SipHash<1, 2>>(&bytes[..length]);
    }
}

/// A word within a text, hashed at once, wherever it stands and whatever is around it.
fn within_a_text<H: WordHash<Digest: PartialEq + Debug>>() {
    let text: Vec<u8> = (0..200_u32).map(|i| (i * 37 % 251) as u8).collect();
    for end in (0..20).chain(60..70).chain(180..=200) {
        for length in (1..=20).chain(56..75).filter(|length| *length <= end) {
            for behind in (0..10).chain([200 - end]).filter(|behind| end + behind <= 200) {
                let word = &text[end - length..end];
                let text = &text[..end + behind];
                for (lowers, expected) in [(false, word.to_vec()), (true, word.to_ascii_lowercase())] {
                    let mut hash = H::default();
                    hash.write_word(text, end - length..end, lowers);
                    assert_eq!(
                        hash.finish(),
                        digest::<H>(&[&expected]),
                        "{length} bytes to {end}, {behind} behind"
                    );
                    // Behind other bytes, too.
                    let mut hash = H::default();
                    hash.write(b"abc");
                    hash.write_word(text, end - length..end, lowers);
                    assert_eq!(hash.finish(), digest::<H>(&[b"abc", &expected]));
                }
            }
        }
    }
}

#[test]
fn words_are_hashed_where_they_stand() {
    within_a_text::<NativeHash>();
    within_a_text::<FarmHash64>();
    within_a_text::<Murmur3<7>>();
    #[cfg(feature = "md5")]
    within_a_text::<nanoembed::text::Md5>();
    #[cfg(feature = "siphash")]
    within_a_text::<nanoembed::text::SipHash<2, 4>>();
}

/// MurmurHash3_x86_32 as its author wrote it, on the whole key.
fn naive_murmur(key: &[u8], seed: u32) -> i32 {
    let scramble = |k: u32| k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (blocks, tail) = key.as_chunks::<4>();
    let mut h = seed;
    for block in blocks {
        h ^= scramble(u32::from_le_bytes(*block));
        h = h.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let mut k = 0;
    for &byte in tail.iter().rev() {
        k = k << 8 | u32::from(byte);
    }
    h ^= scramble(k);
    h ^= key.len() as u32;
    h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
    h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
    (h ^ h >> 16) as i32
}

/// fastText's `computeSubwords`, on bytes as there.
fn naive_subwords(word: &str, min_n: usize, max_n: usize, buckets: u32) -> Vec<usize> {
    let mut found = Vec::new();
    if word == "</s>" {
        return found;
    }
    let word = format!("<{word}>").into_bytes();
    let continues = |at: usize| word.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    for i in (0..word.len()).filter(|&i| !continues(i)) {
        let (mut j, mut n) = (i, 1);
        while j < word.len() && n <= max_n {
            j += 1;
            while continues(j) {
                j += 1;
            }
            if n >= min_n && !(n == 1 && (i == 0 || j == word.len())) {
                let mut h = 2_166_136_261_u32;
                for &byte in &word[i..j] {
                    h ^= byte as i8 as u32;
                    h = h.wrapping_mul(16_777_619);
                }
                found.push((h % buckets) as usize);
            }
            n += 1;
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn murmur_is_the_naive_loop(key in proptest::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(digest::<Murmur3<0>>(&[&key]), naive_murmur(&key, 0));
        prop_assert_eq!(digest::<Murmur3<9>>(&[&key]), naive_murmur(&key, 9));
    }

    #[test]
    fn subwords_are_the_naive_loop(
        // Some are longer than what is read in one go.
        word in "[a<>/sé世🚀]{0,8}|</s>|\\PC{0,12}|[ab世]{20,70}",
        min_n in 0..5_usize,
        max_n in 0..8_usize,
        buckets in 1..5000_u32,
    ) {
        let expected = naive_subwords(&word, min_n, max_n, buckets);
        let mut buckets = Subwords::new(min_n, max_n, buckets).buckets_of(word.as_str());
        let mut found = Vec::new();
        buckets.clone().for_each(|bucket| found.push(bucket));
        prop_assert_eq!(&found, &expected);
        // One by one, and the rest at once.
        let first: Vec<usize> = buckets.by_ref().take(3).collect();
        found.clear();
        found.extend(first);
        buckets.for_each(|bucket| found.push(bucket));
        prop_assert_eq!(&found, &expected);
    }

    #[test]
    fn features_are_the_naive_loop(
        features in proptest::collection::vec(("[a-c]{0,3}", -2.0_f32..2.0), 0..20),
        columns in 1..20_usize,
        signed in any::<bool>(),
    ) {
        let hasher = FeatureHasher::new(columns).alternate_sign(signed);
        let mut found = vec![0.5; columns];
        hasher.add(features.iter().map(|(name, value)| (name.as_str(), *value)), &mut found).unwrap();
        let mut expected = vec![0.5; columns];
        for (name, value) in &features {
            let h = i64::from(naive_murmur(name.as_bytes(), 0));
            let sign = if signed && h < 0 { -1.0 } else { 1.0 };
            expected[(h.abs() % columns as i64) as usize] += sign * value;
        }
        let bits = |row: &[f32]| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&found), bits(&expected));
    }

    #[test]
    fn bins_are_remainders(text in "\\PC{0,20}", number in any::<i64>(), bins in 1..100_usize) {
        let farm = |text: &str, bins: usize| (digest::<FarmHash64>(&[text.as_bytes()]) % bins as u64) as usize;
        let hashing = Hashing::new(bins);
        prop_assert_eq!(hashing.bin(text.as_str()), farm(&text, bins));
        prop_assert_eq!(hashing.bin_of(number), farm(&number.to_string(), bins));
        let masked = hashing.mask_value("?");
        prop_assert!(masked.bin("?") == 0);
        if bins > 1 && text != "?" {
            prop_assert_eq!(masked.bin(text.as_str()), 1 + farm(&text, bins - 1));
        }
    }
}

#[test]
fn settings_that_nothing_can_be_hashed_with_are_refused() {
    assert_eq!(Hashing::try_new(0).err(), Some(InvalidSettings::Bins(0)));
    assert_eq!(FeatureHasher::try_new(0).err(), Some(InvalidSettings::Bins(0)));
    #[cfg(target_pointer_width = "64")]
    {
        let most = u32::MAX as usize;
        assert_eq!(Hashing::try_new(most).map(|hashing| hashing.bins()), Ok(most));
        assert_eq!(Hashing::try_new(most + 1).err(), Some(InvalidSettings::Bins(most + 1)));
        assert_eq!(FeatureHasher::try_new(most + 1).err(), Some(InvalidSettings::Bins(most + 1)));
    }
    let mut row = [1.0; 3];
    let error = FeatureHasher::new(4).add([("a", 1.0)], &mut row);
    assert_eq!(error, Err(ShapeMismatch { what: "row length", expected: 4, found: 3 }));
    assert_eq!(row, [1.0; 3]);
}

#[test]
fn the_tokenizer_takes_every_hash() {
    const TOKENIZER: HashingTokenizer<FarmHash64, Ascii> = HashingTokenizer::new(1001).hash();
    assert!(TOKENIZER.ids("Food!").eq([1 + Hashing::new(1000).bin("food")]));
}
