//! FarmHash, SipHash and MurmurHash3, and what Keras, scikit-learn and fastText make of them.

use crate::fixture::{Fixture, integers, list, number, strings};
use nanoembed::text::{FeatureHasher, Murmur3, Subwords, WordHash};
use serde_json::Value;

fn digest<H: WordHash>(bytes: &[u8]) -> H::Digest {
    let mut hash = H::default();
    hash.write(bytes);
    hash.finish()
}

#[cfg(feature = "siphash")]
pub(crate) fn hashing_layer(fixture: &Fixture) {
    use nanoembed::text::{FarmHash64, HashKind, Hashing, Lowering, Pipeline, SipHash};

    fn raw<H: WordHash<Digest = u64>>(strings: &[&str], expected: &Value) {
        let expected = self::strings(expected);
        assert_eq!(strings.len(), expected.len());
        for (string, expected) in strings.iter().zip(expected) {
            let found = digest::<H>(string.as_bytes()) % (1 << 62);
            assert_eq!(found, u64::from_str_radix(expected, 16).expect("hexadecimal"), "{string:?}");
        }
    }
    /// The bins of every string, and of every whole number where the strings are some.
    fn bins<H: WordHash>(case: &Value, strings: &[&str]) {
        let mut hashing = Hashing::new(case["num_bins"].as_u64().expect("bins") as usize).hash::<H>();
        if let Some(mask) = case.get("mask_value").and_then(Value::as_str) {
            hashing = hashing.mask_value(String::leak(mask.to_owned()));
        }
        let expected = integers(&case["bins"]);
        assert_eq!(strings.len(), expected.len());
        for (string, expected) in strings.iter().zip(expected) {
            assert_eq!(hashing.bin(*string) as i64, expected, "{string:?} in {} bins", hashing.bins());
            if let Ok(number) = string.parse::<i64>()
                && number.to_string() == *string
            {
                assert_eq!(hashing.bin_of(number) as i64, expected, "{number} in {} bins", hashing.bins());
            }
        }
    }

    /// The same by a value, whatever the key: each string is one word of a pipeline, whose ids start at 1.
    fn bins_at_run_time(kind: HashKind, case: &Value, strings: &[&str]) {
        let bins = case["num_bins"].as_u64().expect("bins");
        let mask = case.get("mask_value").and_then(Value::as_str);
        // With a mask, bin 0 is its own.
        let first = i64::from(mask.is_some() && bins > 1);
        let rows = bins - first as u64 + 1;
        let pipeline = Pipeline::hashing(rows, kind).and_then(|pipeline| pipeline.split("\u{10ffff}"));
        let pipeline = pipeline.expect("a pipeline").filters("").lowercase(Lowering::Unchanged);
        for (string, expected) in strings.iter().zip(integers(&case["bins"])) {
            // Nothing is no word.
            if string.is_empty() || mask == Some(*string) {
                continue;
            }
            let mut ids = Vec::new();
            pipeline.for_each_id(string, |id| ids.push(i64::from(id) - 1 + first));
            assert_eq!(ids, [expected], "{string:?} in {bins} bins at run time");
        }
    }

    let strings = strings(&fixture.0["strings"]);
    raw::<FarmHash64>(&strings, &fixture.0["farmhash_fingerprint64_mod_2pow62_hex"]);
    raw::<SipHash<133, 137>>(&strings, &fixture.0["siphash24_key_133_137_mod_2pow62_hex"]);
    let numbers = self::strings(&fixture.0["integers"]);
    let cases = list(&fixture.0["cases"]).iter().map(|case| (case, &strings));
    for (case, strings) in cases.chain(list(&fixture.0["integer_cases"]).iter().map(|case| (case, &numbers)))
    {
        let key = |salt: &Value| -> Vec<u64> {
            list(salt).iter().map(|key| key.as_u64().expect("a key")).collect()
        };
        let salt = case.get("salt").filter(|salt| !salt.is_null()).map(key);
        let kind = match salt.as_deref() {
            None => HashKind::FarmHash64,
            Some(key) => HashKind::SipHash { key: key.try_into().expect("two numbers") },
        };
        bins_at_run_time(kind, case, strings);
        match salt.as_deref() {
            None => bins::<FarmHash64>(case, strings),
            Some([133, 137]) => bins::<SipHash<133, 137>>(case, strings),
            Some([0, 0]) => bins::<SipHash<0, 0>>(case, strings),
            Some([42, 42]) => bins::<SipHash<42, 42>>(case, strings),
            Some([18_446_744_073_709_551, 1]) => bins::<SipHash<18_446_744_073_709_551, 1>>(case, strings),
            Some(key) => crate::run_time::no_type_of(key),
        }
    }
}

pub(crate) fn murmurhash3(fixture: &Fixture) {
    fn signed<const SEED: u32>(fixture: &Fixture) {
        let strings = strings(&fixture.0["strings"]);
        let expected = integers(&fixture.0[format!("seed_{SEED}_signed")]);
        assert_eq!(strings.len(), expected.len());
        for (string, expected) in strings.iter().zip(expected) {
            assert_eq!(
                i64::from(digest::<Murmur3<SEED>>(string.as_bytes())),
                expected,
                "{string:?}, seed {SEED}"
            );
        }
    }
    signed::<0>(fixture);
    signed::<1>(fixture);
    signed::<42>(fixture);
    signed::<{ u32::MAX }>(fixture);
    let positive = integers(&fixture.0["seed_0_positive"]);
    for (string, expected) in strings(&fixture.0["strings"]).iter().zip(positive) {
        assert_eq!(i64::from(Murmur3::<0>::low32(digest::<Murmur3<0>>(string.as_bytes()))), expected);
    }
    let numbers = integers(&fixture.0["int32_inputs"]);
    let expected = integers(&fixture.0["int32_seed_0_signed"]);
    assert_eq!(numbers.len(), expected.len());
    for (number, expected) in numbers.into_iter().zip(expected) {
        assert_eq!(i64::from(digest::<Murmur3<0>>(&(number as i32).to_le_bytes())), expected);
    }
}

/// A row of the sparse matrix, every other column zero.
#[track_caller]
fn assert_row(found: &[f32], expected: &Value) {
    let mut dense = vec![0.0; found.len()];
    for (column, value) in integers(&expected["indices"]).into_iter().zip(list(&expected["values"])) {
        dense[column as usize] += number(value);
    }
    for (column, (found, expected)) in found.iter().zip(dense).enumerate() {
        assert!((found - expected).abs() <= 1e-6, "column {column}: {found}, expected {expected}");
    }
}

fn hasher(case: &Value) -> FeatureHasher {
    let columns = case["n_features"].as_u64().expect("columns") as usize;
    FeatureHasher::new(columns).alternate_sign(case["alternate_sign"].as_bool().expect("a sign or none"))
}

pub(crate) fn feature_hashing(fixture: &Fixture) {
    let features = list(&fixture.0["feature_dicts"]);
    for case in list(&fixture.0["feature_hasher_cases"]) {
        let hasher = hasher(case);
        assert_eq!(features.len(), list(&case["rows"]).len());
        for (features, expected) in features.iter().zip(list(&case["rows"])) {
            let features = features.as_object().expect("features").iter();
            let mut row = vec![0.0; hasher.columns()];
            hasher
                .add(features.map(|(name, value)| (name.as_str(), number(value))), &mut row)
                .expect("a whole row");
            assert_row(&row, expected);
        }
    }
    let texts = list(&fixture.0["hashing_vectorizer_tokens"]);
    for case in list(&fixture.0["hashing_vectorizer_cases"]) {
        let hasher = hasher(case);
        let [shortest, longest] = integers(&case["ngram_range"])[..] else { panic!("a range of n-grams") };
        assert!(case["norm"].is_null());
        assert_eq!(texts.len(), list(&case["rows"]).len());
        for (words, expected) in texts.iter().zip(list(&case["rows"])) {
            let words = strings(words);
            let mut row = vec![0.0; hasher.columns()];
            for n in shortest..=longest {
                let ngrams: Vec<String> = words.windows(n as usize).map(|ngram| ngram.join(" ")).collect();
                hasher.add(ngrams.iter().map(|ngram| (ngram.as_str(), 1.0)), &mut row).expect("a whole row");
            }
            assert_row(&row, expected);
        }
    }
}

pub(crate) fn fasttext_subwords(fixture: &Fixture) {
    for case in list(&fixture.0["cases"]) {
        let setting = |name: &str| case[name].as_u64().unwrap_or_else(|| panic!("no {name}")) as usize;
        let subwords = Subwords::new(setting("minn"), setting("maxn"), setting("bucket") as u32);
        for word in list(&case["words"]) {
            let own = word["in_vocab"].as_bool().expect("known or not").then(|| word["word_id"].as_i64());
            let ngrams = subwords.buckets_of(word["word"].as_str().expect("a word"));
            let ngrams = ngrams.map(|bucket| (setting("nwords") + bucket) as i64);
            let found: Vec<i64> = own.flatten().into_iter().chain(ngrams).collect();
            assert_eq!(found, integers(&word["ids"]), "{}", word["word"]);
        }
    }
}
