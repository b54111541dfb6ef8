//! Keras' `Tokenizer`: counts, indices, texts to indices and back, matrices.

use crate::fixture::{Array, Fixture, assert_close, integers, list, strings};
use nanoembed::internals::{KERAS_FILTERS, Token, characters};
use nanoembed::text::{MatrixMode, Splitter, Unchanged, Unicode, Vocabulary, VocabularyOptions, WordCounts};
use serde_json::Value;
use std::num::NonZero;

type Counts = WordCounts<128, 1024>;
type Words = Vocabulary<128, 1024>;

pub(crate) fn tokenizer(fixture: &Fixture) {
    let sentences = strings(&fixture.0["sentences"]);
    for case in list(&fixture.0["cases"]) {
        let option = |name: &str| case["options"].get(name);
        let filters = option("filters").map_or(KERAS_FILTERS, |filters| filters.as_str().expect("a string"));
        let flag = |name, default| option(name).map_or(default, |value| value.as_bool().expect("a choice"));
        let splitter = Splitter::new(filters, " ");
        match (flag("char_level", false), flag("lower", true)) {
            (true, true) => check(case, &sentences, characters::<Unicode>),
            (true, false) => check(case, &sentences, characters::<Unchanged>),
            (false, true) => {
                let splitter = splitter.lowercase::<Unicode>();
                check(case, &sentences, |text| splitter.words(text));
            }
            (false, false) => {
                let splitter = splitter.lowercase::<Unchanged>();
                check(case, &sentences, |text| splitter.words(text));
            }
        }
    }
}

fn check<'a, I>(case: &'a Value, sentences: &[&'a str], split: impl Fn(&'a str) -> I)
where
    I: Iterator<Item: Token> + Clone,
{
    let options = &case["options"];
    let known = ["num_words", "oov_token", "char_level", "lower", "filters"];
    assert!(options.as_object().expect("options").keys().all(|name| known.contains(&name.as_str())));
    let num_words = options["num_words"].as_u64().and_then(|limit| NonZero::new(limit as usize));
    let oov_token = options["oov_token"].as_str();

    let mut counts = Counts::new();
    let fitted = case["fit_on_first"].as_u64().expect("a number of texts") as usize;
    for text in &sentences[..fitted] {
        counts.fit(split(text)).expect("it fits");
    }
    assert_eq!(case["document_count"], counts.documents());
    let found: Vec<(&str, u64)> =
        counts.iter().map(|word| (word.word, u64::from(word.occurrences))).collect();
    assert_eq!(found, pairs(&case["word_counts_in_order"]));
    let mut found: Vec<(&str, u64)> =
        counts.iter().map(|word| (word.word, u64::from(word.documents))).collect();
    found.sort_unstable();
    assert_eq!(found, pairs(&case["word_docs"]));

    // Without a limit the vocabulary holds every word.
    let mut whole = Words::new();
    whole
        .adapt(&mut counts, VocabularyOptions { oov_token, ..VocabularyOptions::default() })
        .expect("it fits");
    for (word, index) in pairs(&case["word_index_in_order"]) {
        assert_eq!(whole.id(word), Some(index as usize), "{word:?} with {options}");
        assert_eq!(whole.word(index as usize), Some(word));
    }

    let mut vocabulary = Words::new();
    vocabulary
        .adapt(&mut counts, VocabularyOptions { num_words, oov_token, ..VocabularyOptions::default() })
        .expect("it fits");
    let (sequences, texts) = (list(&case["sequences"]), strings(&case["sequences_to_texts"]));
    assert_eq!((sequences.len(), texts.len()), (sentences.len(), sentences.len()));
    for ((text, expected), back) in sentences.iter().zip(sequences).zip(texts) {
        let ids: Vec<usize> = vocabulary.ids(split(text)).collect();
        let found: Vec<i64> = ids.iter().map(|&id| id as i64).collect();
        assert_eq!(found, integers(expected), "{text:?} with {options}");
        assert!(ids.iter().all(|&id| id < vocabulary.rows()));
        let found: Vec<&str> = ids.into_iter().filter_map(|id| vocabulary.word(id)).collect();
        assert_eq!(found.join(" "), back, "{text:?} with {options}");
    }

    let matrix = |texts: &[&'a str], mode, expected: &Value| {
        let expected = Array::read(expected);
        assert_eq!(expected.shape[1], vocabulary.columns());
        for (text, expected) in texts.iter().zip(expected.data.chunks_exact(vocabulary.columns())) {
            let mut row = vec![f32::NAN; vocabulary.columns()];
            vocabulary.matrix_row(split(text), mode, &mut row).expect("a whole row");
            let relative = if mode == MatrixMode::TfIdf { 1e-6 } else { 0.0 };
            assert_close(&format!("{mode:?} of {text:?} with {options}"), &row, expected, 0.0, relative);
        }
        expected.shape[0]
    };
    if let Some(matrices) = case.get("texts_to_matrix") {
        for (mode, name) in
            [(MatrixMode::Binary, "binary"), (MatrixMode::Count, "count"), (MatrixMode::TfIdf, "tfidf")]
        {
            assert_eq!(matrix(&sentences[..12], mode, &matrices[name]), 12);
        }
        assert_eq!(matrices.as_object().expect("matrices").len(), 3);
    }
    if let Some(frequencies) = case.get("texts_to_matrix_freq") {
        let given = strings(&frequencies["texts"]);
        assert_eq!(matrix(&given, MatrixMode::Frequency, &frequencies["matrix"]), given.len());
    }
}

/// `[[word, number], ..]`.
fn pairs(value: &Value) -> Vec<(&str, u64)> {
    list(value)
        .iter()
        .map(|pair| (pair[0].as_str().expect("a word"), pair[1].as_u64().expect("a number")))
        .collect()
}
