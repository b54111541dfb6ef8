//! Promise: a vocabulary gives the numbers of a naive `Tokenizer` with maps and strings, whatever the texts and options; what does
//! not fit is refused and changes nothing.

use nanoembed::error::{CapacityExceeded, ShapeMismatch};
use nanoembed::image::{self, ImageError};
use nanoembed::internals::{Kind, standardized_words, text_to_word_sequence};
use nanoembed::layers::{Bag, Bytes, Dense, Layer};
use nanoembed::table::Aligned;
use nanoembed::text::{
    Ascii, MatrixMode, Padding, Ties, Truncating, Unchanged, Vocabulary, VocabularyOptions, WordCounts, pad,
};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::num::NonZero;

/// Keras' `Tokenizer` after `fit_on_texts`, in the obvious way, on texts that are split already.
struct Naive {
    /// In order of first appearance.
    counts: Vec<(String, u32, u32)>,
    documents: usize,
    index: HashMap<String, usize>,
    words: HashMap<usize, String>,
    limit: Option<usize>,
    oov: Option<String>,
}

impl Naive {
    fn new(texts: &[Vec<String>], limit: Option<usize>, oov: Option<&str>, ties: Ties) -> Self {
        let mut counts: Vec<(String, u32, u32)> = Vec::new();
        for text in texts {
            for word in text {
                match counts.iter_mut().find(|(known, ..)| known == word) {
                    Some((_, count, _)) => *count += 1,
                    None => counts.push((word.clone(), 1, 0)),
                }
            }
            for word in text.iter().collect::<HashSet<_>>() {
                counts.iter_mut().find(|(known, ..)| known == word).expect("counted").2 += 1;
            }
        }
        let mut sorted = counts.clone();
        if ties == Ties::Descending {
            sorted.sort_by(|a, b| b.0.cmp(&a.0));
        }
        sorted.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        let listed: Vec<String> =
            oov.map(str::to_owned).into_iter().chain(sorted.into_iter().map(|(word, ..)| word)).collect();
        // A word that occurs twice has its last index, as in a Python dict.
        let index: HashMap<String, usize> = listed.into_iter().zip(1..).collect();
        let words = index.iter().map(|(word, index)| (*index, word.clone())).collect();
        Self { counts, documents: texts.len(), index, words, limit, oov: oov.map(str::to_owned) }
    }

    fn oov_index(&self) -> Option<usize> {
        self.oov.as_ref().map(|token| self.index[token])
    }

    fn ids(&self, text: &[String]) -> Vec<usize> {
        let kept = |index: &usize| self.limit.is_none_or(|limit| *index < limit);
        text.iter()
            .filter_map(|word| self.index.get(word).copied().filter(kept).or_else(|| self.oov_index()))
            .collect()
    }

    fn word(&self, index: usize) -> Option<&str> {
        let kept = self.limit.is_none_or(|limit| index < limit);
        self.words.get(&index).filter(|_| kept).or(self.oov.as_ref()).map(String::as_str)
    }

    fn row(&self, text: &[String], mode: MatrixMode) -> Vec<f32> {
        let ids = self.ids(text);
        let mut row = vec![0.0_f64; self.limit.unwrap_or(self.index.len() + 1)];
        for &id in ids.iter().filter(|&&id| id < row.len()).collect::<HashSet<_>>() {
            let count = ids.iter().filter(|&&other| other == id).count() as f64;
            let word = self.words.get(&id);
            let with = self.counts.iter().find(|(known, ..)| Some(known) == word).map_or(0, |count| count.2);
            row[id] = match mode {
                MatrixMode::Binary => 1.0,
                MatrixMode::Count => count,
                MatrixMode::Frequency => count / ids.len() as f64,
                MatrixMode::TfIdf => {
                    (1.0 + count.ln()) * (1.0 + self.documents as f64 / (1.0 + f64::from(with))).ln()
                }
            };
        }
        row.into_iter().map(|value| value as f32).collect()
    }
}

const MODES: [MatrixMode; 4] =
    [MatrixMode::Binary, MatrixMode::Count, MatrixMode::Frequency, MatrixMode::TfIdf];

fn fitted<const W: usize, const B: usize>(texts: &[Vec<String>]) -> WordCounts<W, B> {
    let mut counts = WordCounts::new();
    for text in texts {
        counts.fit(text.iter().map(String::as_str)).expect("it fits");
    }
    counts
}

/// Few words, so that they repeat and tie; of one to four bytes a character; one of them empty.
fn texts() -> impl Strategy<Value = Vec<Vec<String>>> {
    let word = prop_oneof![
        6 => "[ab]{1,3}",
        1 => proptest::sample::select(vec!["", "é", "世界", "🚀", "<OOV>", "a🚀"]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(proptest::collection::vec(word, 0..12), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn numbers_are_those_of_the_naive_tokenizer(
        texts in texts(),
        unseen in texts(),
        limit in proptest::option::of(1..24_usize),
        oov in proptest::sample::select(vec![None, Some("<OOV>"), Some("a"), Some("")]),
        ties in proptest::sample::select(vec![Ties::FirstAppearance, Ties::Descending]),
    ) {
        let naive = Naive::new(&texts, limit, oov, ties);
        let mut counts: WordCounts<32, 128> = fitted(&texts);
        prop_assert_eq!(counts.documents(), texts.len());
        prop_assert_eq!(counts.len(), naive.counts.len());
        for (found, (word, occurrences, documents)) in counts.iter().zip(&naive.counts) {
            prop_assert_eq!(found.word, word);
            prop_assert_eq!((found.occurrences, found.documents), (*occurrences, *documents));
        }

        let mut vocabulary = Vocabulary::<32, 128>::new();
        let options = VocabularyOptions { num_words: limit.and_then(NonZero::new), oov_token: oov, ties };
        vocabulary.adapt(&mut counts, options).unwrap();
        prop_assert_eq!(vocabulary.columns(), limit.unwrap_or(naive.index.len() + 1));
        for index in 0..40 {
            prop_assert_eq!(vocabulary.word(index), naive.word(index), "{}", index);
        }
        for text in texts.iter().chain(&unseen) {
            let words = text.iter().map(String::as_str);
            let expected = naive.ids(text);
            prop_assert_eq!(vocabulary.ids(words.clone()).collect::<Vec<_>>(), expected.clone());
            prop_assert!(expected.iter().all(|&id| id < vocabulary.rows()));

            let narrow: Vec<u8> = expected.iter().map(|&id| id as u8).collect();
            let found: Vec<u8> = vocabulary.ids_as(words.clone()).unwrap().collect();
            prop_assert_eq!(&found, &narrow);
            let mut padded = [9; 5];
            pad(&narrow, Padding::Post, Truncating::Pre, 0, &mut padded);
            prop_assert_eq!(vocabulary.encode::<5, u8>(words.clone()).unwrap(), padded);

            for mode in MODES {
                let mut row = vec![f32::NAN; vocabulary.columns()];
                vocabulary.matrix_row(words.clone(), mode, &mut row).unwrap();
                for (found, expected) in row.iter().zip(naive.row(text, mode)) {
                    let tolerance = if mode == MatrixMode::TfIdf { 1e-6 * expected } else { 0.0 };
                    prop_assert!((found - expected).abs() <= tolerance, "{:?}: {} {}", mode, found, expected);
                }
            }
        }
        // A second time it is not added to, but made anew.
        let first = vocabulary.clone();
        vocabulary.adapt(&mut counts, options).unwrap();
        prop_assert_eq!(&vocabulary, &first);
    }

    /// A small vocabulary made from a large count gives the numbers of a large one.
    #[test]
    fn words_above_the_limit_need_no_room(texts in texts(), limit in 1..6_usize) {
        let mut counts: WordCounts<32, 128> = fitted(&texts);
        let options = VocabularyOptions {
            num_words: NonZero::new(limit), oov_token: Some("?"), ..VocabularyOptions::default()
        };
        let (mut small, mut large) = (Vocabulary::<5, 64>::new(), Vocabulary::<32, 128>::new());
        small.adapt(&mut counts, options).unwrap();
        large.adapt(&mut counts, options).unwrap();
        prop_assert_eq!(small.rows(), large.rows());
        for text in &texts {
            let words = text.iter().map(String::as_str);
            prop_assert!(small.ids(words.clone()).eq(large.ids(words)));
        }
    }

    /// Lists of every size up to the brim; what does not fit leaves no trace.
    #[test]
    fn a_text_that_does_not_fit_changes_nothing(texts in texts()) {
        let mut counts = WordCounts::<6, 16>::new();
        let mut fit = Vec::new();
        for text in &texts {
            let words: HashSet<&String> = fit.iter().flatten().chain(text).collect();
            let bytes: usize = words.iter().map(|word| word.len()).sum();
            let room = words.len() <= 6 && bytes <= 16;
            let before = format!("{counts:?}");
            let found = counts.fit(text.iter().map(String::as_str));
            prop_assert_eq!(found.is_ok(), room);
            if room {
                fit.push(text.clone());
            } else {
                prop_assert_eq!(before, format!("{counts:?}"));
            }
        }
        let again: WordCounts<6, 16> = fitted(&fit);
        prop_assert_eq!(format!("{counts:?}"), format!("{again:?}"));
    }

    /// TensorFlow's standardisation and split, with a new string at every step.
    #[test]
    fn standardized_words_are_those_of_new_strings(text in "[aZ'!\u{b}\u{c} \t\r\n\u{a0}É世-]{0,30}|\\PC{0,20}") {
        let naive = |lowered: &str| -> Vec<String> {
            let stripped: String = lowered.chars().filter(|c| !c.is_ascii_punctuation()).collect();
            let space = |c| matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
            stripped.split(space).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let found: Vec<String> = standardized_words::<Ascii>(&text).map(|word| word.to_string()).collect();
        prop_assert_eq!(found, naive(&text.to_ascii_lowercase()));
        let found: Vec<String> = standardized_words::<Unchanged>(&text).map(|word| word.to_string()).collect();
        prop_assert_eq!(found, naive(&text));
        #[cfg(feature = "unicode")]
        {
            use nanoembed::text::Unicode;
            use nanoembed::internals::{Token, characters};
            let found = standardized_words::<Unicode>(&text).flat_map(Token::chars);
            let naive = naive(&text.to_lowercase()).concat();
            prop_assert_eq!(found.collect::<String>(), naive);
            prop_assert_eq!(characters::<Unicode>(&text).collect::<String>(), text.to_lowercase());
        }
    }
}

fn reviews() -> WordCounts<32, 256> {
    let mut counts = WordCounts::new();
    for text in ["Never coming back!", "horrible service", "horrible food!", "cold food", "awesome services!"]
    {
        counts.fit(text_to_word_sequence::<Ascii>(text)).expect("it fits");
    }
    counts
}

#[test]
fn a_vocabulary_that_is_too_small_is_refused_and_left_alone() {
    let mut counts = reviews();
    let (words, bytes) = (counts.len(), counts.iter().map(|word| word.word.len()).sum::<usize>());
    assert_eq!((words, bytes), (9, 53));
    let default = VocabularyOptions::default();
    let with_oov = VocabularyOptions { oov_token: Some("<OOV>"), ..default };

    let mut exact = Vocabulary::<9, 53>::new();
    exact.adapt(&mut counts, default).expect("it fits to the brim");
    assert!(counts.iter().all(|word| exact.id(word.word).is_some()));
    let before = exact.clone();
    let (words, bytes) = ("words of a vocabulary (WORDS)", "bytes of the words of a vocabulary (BYTES)");
    let error = |what, capacity, needed| Err(CapacityExceeded { what, capacity, needed });
    assert_eq!(exact.adapt(&mut counts, with_oov), error(words, 9, 10));
    assert_eq!(exact, before);
    let mut narrow = Vocabulary::<10, 57>::new();
    assert_eq!(narrow.adapt(&mut counts, with_oov), error(bytes, 57, 58));
    assert_eq!(narrow, Vocabulary::new());

    let mut few = WordCounts::<2, 100>::new();
    assert_eq!(few.fit(["a", "b", "c"]), error(words, 2, 3));
    let mut short = WordCounts::<100, 2>::new();
    assert_eq!(short.fit(["a", "é"]), error(bytes, 2, 3));
    assert!(few.is_empty() && short.is_empty());
}

#[test]
fn nothing_fits_into_nothing() {
    let mut counts = WordCounts::<0, 0>::new();
    assert!(counts.fit([""]).is_err());
    counts.fit([""; 0]).expect("a text without words");
    let mut vocabulary = Vocabulary::<0, 0>::new();
    vocabulary.adapt(&mut counts, VocabularyOptions::default()).expect("no words");
    assert_eq!(
        (vocabulary.rows(), vocabulary.columns(), vocabulary.id("a"), vocabulary.word(1)),
        (1, 1, None, None)
    );
}

#[test]
fn ids_that_the_type_cannot_hold_are_refused() {
    let mut counts = WordCounts::<300, 2000>::new();
    let words: Vec<String> = (0..256).map(|word| word.to_string()).collect();
    counts.fit(words.iter().map(String::as_str)).expect("it fits");
    let mut vocabulary = Vocabulary::<300, 2000>::new();
    let limited =
        |limit| VocabularyOptions { num_words: NonZero::new(limit), ..VocabularyOptions::default() };
    vocabulary.adapt(&mut counts, limited(256)).expect("it fits");
    assert_eq!(vocabulary.encode::<2, u8>(["254", "255"]), Ok([255, 0]));
    vocabulary.adapt(&mut counts, limited(257)).expect("it fits");
    let too_narrow = CapacityExceeded { what: "rows named by the id type", capacity: 256, needed: 257 };
    assert_eq!(vocabulary.encode::<2, u8>(["0"]), Err(too_narrow));
    assert_eq!(vocabulary.encode::<2, u16>(["254", "255"]), Ok([255, 256]));
}

#[test]
fn a_row_of_another_length_is_refused_and_left_alone() {
    let mut vocabulary = Vocabulary::<32, 256>::new();
    vocabulary.adapt(&mut reviews(), VocabularyOptions::default()).expect("it fits");
    let mut row = [7.0; 11];
    let error = ShapeMismatch { what: "row length", expected: 10, found: 11 };
    assert_eq!(vocabulary.matrix_row(["food"], MatrixMode::Count, &mut row), Err(error));
    assert_eq!(row, [7.0; 11]);
}

/// `TextVectorization(max_tokens=6).adapt(..)`, then `get_vocabulary()`: ties in descending order of their bytes.
#[test]
fn text_vectorization_has_its_own_order() {
    let mut counts = WordCounts::<32, 256>::new();
    for text in ["Don't STOP -- b a", "stop!\u{b}é a", "c"] {
        counts.fit(standardized_words::<Ascii>(text)).expect("it fits");
    }
    let mut vocabulary = Vocabulary::<8, 64>::new();
    vocabulary.adapt(&mut counts, VocabularyOptions::text_vectorization(NonZero::new(6))).expect("it fits");
    let words: Vec<_> = (1..6).filter_map(|index| vocabulary.word(index)).collect();
    assert_eq!(words, ["[UNK]", "stop", "a", "é", "dont"]);
    let ids: [u16; 6] = vocabulary.encode(standardized_words::<Ascii>("Stop, c: don't!")).expect("it fits");
    assert_eq!(ids, [2, 1, 5, 0, 0, 0]);
    assert_eq!(vocabulary.rows(), 6);
}

#[test]
fn ids_make_a_bag() {
    let mut vocabulary = Vocabulary::<32, 256>::new();
    vocabulary.adapt(&mut reviews(), VocabularyOptions::default()).expect("it fits");
    let bag = Bag::<4>::from_first(vocabulary.ids_as(["food", "unknown", "horrible"]).expect("it fits"));
    assert_eq!(bag.ids(), [2, 1]);
}

#[test]
fn a_vocabulary_is_read_where_it_lies() {
    type Words = Vocabulary<16, 96>;
    assert_eq!(size_of::<Words>(), 16 * 16 + 96 + 16);
    let mut vocabulary = Words::new();
    let options = VocabularyOptions { oov_token: Some("?"), ..VocabularyOptions::default() };
    vocabulary.adapt(&mut reviews(), options).expect("it fits");
    let mut bytes = Aligned([0; image::size::<Words>()]);
    image::write(&vocabulary, &mut *bytes).expect("the right length");
    assert_eq!(image::read::<Words>(&*bytes), Ok(&vocabulary));
    let mut copy = Words::new();
    image::read_into(&*bytes, &mut copy).expect("an unharmed image");
    assert_eq!(copy, vocabulary);

    assert!(matches!(image::read::<Vocabulary<15, 112>>(&*bytes), Err(ImageError::Fingerprint { .. })));
    assert_eq!(
        image::read::<Dense<3, 2>>(&*bytes).err(),
        Some(ImageError::Kind { expected: Kind::Model, found: 3 })
    );
    let mut model = Aligned([0; image::size::<Dense<3, 2>>()]);
    image::write(&Dense::<3, 2>::zeroed(), &mut *model).expect("the right length");
    assert_eq!(
        image::read::<Words>(&*model).err(),
        Some(ImageError::Kind { expected: Kind::Vocabulary, found: 1 })
    );
    for at in 0..bytes.len() {
        bytes[at] ^= 0x10;
        assert!(image::read::<Words>(&*bytes).is_err(), "byte {at}");
        bytes[at] ^= 0x10;
    }
}

/// Bytes that no vocabulary ever had: results are useless, but nothing panics and every search ends.
#[test]
fn garbage_is_harmless() {
    let mut vocabulary = Vocabulary::<16, 96>::new();
    let mut seed = 1_u32;
    for _ in 0..2000 {
        vocabulary.visit_mut(&mut |part| {
            for byte in part {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = if seed >> 30 == 0 { 0xff } else { (seed >> 24) as u8 % 17 };
            }
        });
        for word in ["", "a", "🚀"] {
            assert!(vocabulary.id(word).is_none_or(|id| id > 0));
        }
        assert!((0..20).filter_map(|index| vocabulary.word(index)).count() <= 20);
        let _ = vocabulary.encode::<3, u64>(["a", "b"]);
    }
}

#[cfg(feature = "alloc")]
#[test]
fn zeroed_boxes_are_empty() {
    use nanoembed::zerocopy::FromZeros;
    let mut counts = WordCounts::<200_000, 2_000_000>::new_box_zeroed().expect("memory");
    let mut vocabulary = Vocabulary::<200_000, 2_000_000>::new_box_zeroed().expect("memory");
    let words: Vec<String> = (0..200_000).map(|word| format!("{word:x}")).collect();
    counts.fit(words.iter().map(String::as_str)).expect("it fits");
    vocabulary.adapt(&mut counts, VocabularyOptions::default()).expect("it fits");
    assert!(vocabulary.ids(words.iter().map(String::as_str)).eq(1..=200_000));
}
