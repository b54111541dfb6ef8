//! Keras' `text_to_word_sequence` and `hashing_trick`, held word for word and number for number.

use crate::fixture::{Fixture, list, strings};
use nanoembed::internals::KERAS_FILTERS;
use nanoembed::text::{HashingTokenizer, Lowercase, Md5, Splitter, Unchanged, Unicode};
use serde_json::Value;

/// The options of a case: filters, split string, lower.
///
/// A tokenizer is a constant and holds constants, so the strings are given to the program for good.
fn options(case: &Value) -> (&'static str, &'static str, bool) {
    let options = &case["options"];
    let string = |name, default: &str| {
        let given = options.get(name).map(|value| value.as_str().expect("a string"));
        &*String::leak(given.unwrap_or(default).to_owned())
    };
    let known = |name: &String| ["filters", "split", "lower"].contains(&name.as_str());
    assert!(
        options.as_object().expect("options").keys().all(known),
        "an option that is not known: {options}"
    );
    let lower = options.get("lower").is_none_or(|value| value.as_bool().expect("true or false"));
    (string("filters", KERAS_FILTERS), string("split", " "), lower)
}

pub(crate) fn text_to_word_sequence(fixture: &Fixture) {
    fn words<L: Lowercase>(splitter: &Splitter<L>, text: &str) -> Vec<String> {
        splitter.words(text).map(|word| word.to_string()).collect()
    }
    let defaults = &fixture.0["defaults"];
    assert_eq!(defaults["filters"], KERAS_FILTERS);
    let sentences = strings(&fixture.0["sentences"]);
    for case in list(&fixture.0["cases"]) {
        let (filters, split, lower) = options(case);
        let splitter = Splitter::new(filters, split);
        let results = list(&case["results"]);
        assert_eq!(results.len(), sentences.len());
        for (text, expected) in sentences.iter().zip(results) {
            let found = if lower {
                words::<Unicode>(&splitter.lowercase(), text)
            } else {
                words::<Unchanged>(&splitter.lowercase(), text)
            };
            assert_eq!(found, strings(expected), "{text:?} with {}", case["options"]);
        }
    }
}

pub(crate) fn hashing_trick_md5(fixture: &Fixture) {
    fn ids<L: Lowercase>(tokenizer: &HashingTokenizer<Md5, L>, text: &str) -> Vec<i64> {
        tokenizer.ids(text).map(|id| id as i64).collect()
    }
    let sentences = strings(&fixture.0["sentences"]);
    for case in list(&fixture.0["cases"]) {
        let (filters, split, lower) = options(case);
        let rows = case["n"].as_u64().expect("rows") as usize;
        let tokenizer = HashingTokenizer::new(rows).hash::<Md5>().splitter(Splitter::new(filters, split));
        let results = list(&case["results"]);
        assert_eq!(results.len(), sentences.len());
        for (text, expected) in sentences.iter().zip(results) {
            let found = if lower {
                ids::<Unicode>(&tokenizer.lowercase(), text)
            } else {
                ids::<Unchanged>(&tokenizer.lowercase(), text)
            };
            assert_eq!(found, crate::fixture::integers(expected), "{text:?} with {rows} {}", case["options"]);
        }
    }
    tutorial(&fixture.0["tutorial_reviews"]);
}

/// The ten reviews of the classic tutorial, padded at the end to four words.
fn tutorial(reviews: &Value) {
    const TOKENIZER: HashingTokenizer<Md5, Unicode> = HashingTokenizer::new(50).hash().lowercase();
    assert_eq!(reviews["n"], TOKENIZER.rows());
    let hashed = |texts: &Value, expected: &Value| {
        let texts = strings(texts);
        assert_eq!(texts.len(), list(expected).len());
        for (text, expected) in texts.into_iter().zip(list(expected)) {
            let found: Vec<i64> = TOKENIZER.ids(text).map(|id| id as i64).collect();
            assert_eq!(found, crate::fixture::integers(expected), "{text:?}");
        }
    };
    hashed(&reviews["reviews"], &reviews["hashed"]);
    hashed(&reviews["two"], &reviews["two_hashed"]);
    let padded = crate::fixture::Array::integers(&reviews["padded_post_4"]);
    let texts = strings(&reviews["reviews"]);
    assert_eq!(padded.len(), 4 * texts.len());
    for (text, expected) in texts.into_iter().zip(padded.chunks_exact(4)) {
        let found: [i64; 4] = TOKENIZER.encode(text).expect("50 rows fit");
        assert_eq!(found, expected, "{text:?}");
    }
}
