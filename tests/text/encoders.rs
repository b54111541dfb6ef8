//! Promise: words and row numbers are those of a naive tokenizer that makes a new string at every step, for every text and
//! every setting.

use nanoembed::error::CapacityExceeded;
use nanoembed::internals::{KERAS_FILTERS, text_to_word_sequence};
use nanoembed::simd::Level;
use nanoembed::text::{
    Ascii, HashingTokenizer, InvalidSettings, Lowercase, NativeHash, Padding, Splitter, Truncating,
    Unchanged, WordHash, pad,
};
use proptest::prelude::*;
use std::num::NonZero;

/// Keras' `text_to_word_sequence` in the obvious way, on a text that is lower-cased already.
fn naive_words(lowered: &str, filters: &str, split: &str) -> Vec<String> {
    let replace = |c| if filters.contains(c) { split.to_owned() } else { String::from(c) };
    let translated: String = lowered.chars().map(replace).collect();
    translated.split(split).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Each word cut before and after a mark, and where letters and digits meet.
pub(crate) fn naive_marks(words: &[String]) -> Vec<String> {
    let is_letter = |c: char| !c.is_ascii() || c.is_ascii_alphabetic();
    let meet = |a, b| is_letter(a) && is_letter(b) || a.is_ascii_digit() && b.is_ascii_digit();
    let mut parts: Vec<String> = Vec::new();
    for word in words {
        let mut last = None;
        for c in word.chars() {
            match parts.last_mut() {
                Some(part) if last.is_some_and(|last| meet(last, c)) => part.push(c),
                _ => parts.push(c.to_string()),
            }
            last = Some(c);
        }
    }
    parts
}

/// The row numbers of the words and their n-grams: native hash and polynomial written out.
fn naive_ids(words: &[String], rows: usize, longest: usize) -> Vec<usize> {
    let mix = |h: u32| {
        let h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
        let h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
        h ^ h >> 16
    };
    let fnv = |word: &String| {
        word.bytes().fold(0x811c_9dc5, |h: u32, byte| (h ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    };
    let hashes: Vec<u32> = words.iter().map(|word| mix(fnv(word))).collect();
    let mut ids = Vec::new();
    for last in 0..hashes.len() {
        for n in 1..=longest.min(last + 1) {
            let run = &hashes[last + 1 - n..=last];
            let polynomial =
                run[1..].iter().fold(run[0], |h, &w| h.wrapping_mul(116_049_371).wrapping_add(w));
            let hash = if n == 1 { polynomial } else { mix(polynomial) };
            ids.push(((u64::from(hash) * (rows as u64 - 1)) >> 32) as usize + 1);
        }
    }
    ids
}

fn found_words<L: Lowercase>(splitter: &Splitter<L>, text: &str) -> Vec<String> {
    splitter.words(text).map(|word| word.to_string()).collect()
}

/// Letters, separators and characters whose lower-casing is special, dense enough that all of them meet.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(vec![
            "a", "b", "i", "A", "B", "0", "7", "-", "!", ".", "'", " ", "\t", "\n", "\r",
        ]),
        4 => proptest::sample::select(vec!["İ", "Σ", "ς", "\u{307}", "ß", "ẞ", "ǅ", "é", "É", "世", "🚀", "\u{a0}", "\0"]),
    ];
    let dense = proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
    // Words of all lengths around 64 bytes, and texts of several times that many.
    let word = prop_oneof![9 => "[a-zA-Z0-9']{1,12}", 1 => "[aB]{50,70}", 1 => "[abEéÉΣİ世]{1,6}"];
    let between = proptest::sample::select(vec![" ", " ", ", ", "-", "\r\n", "— ", "   "]);
    let spread = proptest::collection::vec((word, between), 0..40)
        .prop_map(|words| words.into_iter().flat_map(|(word, between)| [word, between.to_owned()]).collect());
    prop_oneof![3 => dense, 3 => spread, 1 => any::<String>()]
}

/// Few letters, so that separators overlap with themselves, with filters and with the text.
fn filters() -> impl Strategy<Value = String> {
    prop_oneof![Just(KERAS_FILTERS.to_owned()), Just(String::new()), "[abAi7!. İ\u{307}Σσé世-]{1,4}"]
}

fn splits() -> impl Strategy<Value = String> {
    prop_oneof![Just(" ".to_owned()), "[abA!7é世-]{1,4}", "[ab]{1,3}", "-{1,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn words_are_those_of_the_naive_splitter(text in texts(), filters in filters(), split in splits()) {
        let splitter = Splitter::new(&filters, &split);
        let words = naive_words(&text.to_ascii_lowercase(), &filters, &split);
        prop_assert_eq!(found_words(&splitter, &text), &words[..]);
        prop_assert_eq!(found_words(&splitter.marks(), &text), naive_marks(&words));
        let unchanged = splitter.lowercase::<Unchanged>();
        let words = naive_words(&text, &filters, &split);
        prop_assert_eq!(found_words(&unchanged, &text), &words[..]);
        prop_assert_eq!(found_words(&unchanged.marks(), &text), naive_marks(&words));
        #[cfg(feature = "unicode")]
        {
            let unicode = splitter.lowercase::<nanoembed::text::Unicode>();
            let words = naive_words(&text.to_lowercase(), &filters, &split);
            prop_assert_eq!(found_words(&unicode, &text), &words[..]);
            prop_assert_eq!(found_words(&unicode.marks(), &text), naive_marks(&words));
        }
    }

    /// Texts that end about where a block of 64 bytes does, or the one behind it.
    #[test]
    fn words_at_the_ends_of_blocks(
        length in prop_oneof![60..70_usize, 124..134_usize],
        stops in prop::collection::vec(prop_oneof![0..6_usize, 58..68_usize, 120..132_usize], 0..4),
        letter in 0..140_usize,
        beyond_ascii in prop::option::of(prop::sample::select(vec!["é", "İ", "的", "\u{a0}"])),
    ) {
        let mut text: Vec<String> = (0..length).map(|i| ["a", "B", "c"][i % 3].to_owned()).collect();
        for stop in stops {
            if let Some(to) = text.get_mut(stop) {
                *to = if stop % 2 == 0 { " " } else { "." }.to_owned();
            }
        }
        if let (Some(to), Some(character)) = (text.get_mut(letter), beyond_ascii) {
            *to = character.to_owned();
        }
        let text = text.concat();
        let splitter = Splitter::new(".", " ");
        let words = naive_words(&text.to_ascii_lowercase(), ".", " ");
        let before = Level::current();
        for level in Level::available() {
            level.set_current();
            prop_assert_eq!(found_words(&splitter, &text), &words[..], "{:?}", level);
            prop_assert_eq!(
                found_words(&splitter.lowercase::<Unchanged>(), &text),
                naive_words(&text, ".", " ")
            );
            #[cfg(feature = "unicode")]
            prop_assert_eq!(
                found_words(&splitter.lowercase::<nanoembed::text::Unicode>(), &text),
                naive_words(&text.to_lowercase(), ".", " ")
            );
            let ids: Vec<usize> = HashingTokenizer::new(999).splitter(splitter).ids(&text).collect();
            prop_assert_eq!(ids, naive_ids(&words, 999, 1));
        }
        before.set_current();
    }

    #[test]
    fn a_word_is_read_the_same_in_every_way(text in texts(), filters in filters(), split in splits()) {
        let splitter = Splitter::new(&filters, &split);
        let marks = splitter.marks();
        for word in splitter.words(&text).chain(marks.words(&text)) {
            let string = word.to_string();
            prop_assert!(!string.is_empty());
            prop_assert_eq!(word.chars().collect::<String>(), string.as_str());
            let longer = string.clone() + "x";
            prop_assert!(word == *string && word != *longer);
            let mut fed = NativeHash::default();
            word.feed(&mut fed);
            let mut whole = NativeHash::default();
            whole.write(string.as_bytes());
            prop_assert_eq!(fed, whole);
        }
    }

    #[test]
    fn ids_are_those_of_the_naive_tokenizer(text in texts(), rows in 2..3000_usize) {
        let words = naive_words(&text.to_ascii_lowercase(), KERAS_FILTERS, " ");
        let tokenizer = HashingTokenizer::new(rows);
        prop_assert_eq!(tokenizer.ids(&text).collect::<Vec<_>>(), naive_ids(&words, rows, 1));
        let pairs = tokenizer.word_ngrams::<2>();
        prop_assert_eq!(pairs.ids(&text).collect::<Vec<_>>(), naive_ids(&words, rows, 2));
        let fives = tokenizer.word_ngrams::<5>();
        prop_assert_eq!(fives.ids(&text).collect::<Vec<_>>(), naive_ids(&words, rows, 5));
        prop_assert!(fives.ids(&text).all(|id| (1..rows).contains(&id)));
        // All that are left at once, after some that were taken one by one.
        for taken in 0..4 {
            let mut ids = fives.ids(&text);
            let mut found: Vec<usize> = ids.by_ref().take(taken).collect();
            ids.for_each(|id| found.push(id));
            prop_assert_eq!(found, naive_ids(&words, rows, 5));
        }
    }

    #[test]
    fn encoded_is_padded_ids(text in texts(), rows in 2..=256_usize) {
        for padding in [Padding::Pre, Padding::Post] {
            for truncating in [Truncating::Pre, Truncating::Post] {
                let tokenizer =
                    HashingTokenizer::new(rows).word_ngrams::<2>().padding(padding).truncating(truncating);
                let ids: Vec<u8> = tokenizer.ids(&text).map(|id| id as u8).collect();
                let found: [u8; 9] = tokenizer.encode(&text).unwrap();
                let mut expected = [0; 9];
                pad(&ids, padding, truncating, 0, &mut expected);
                prop_assert_eq!(found, expected);

                let mut bag = [77; 9];
                prop_assert_eq!(tokenizer.encode_into(&text, &mut bag).unwrap(), ids.len());
                let kept = ids.len().min(9);
                prop_assert_eq!(&bag[..kept], &ids[..kept]);
                prop_assert!(bag[kept..].iter().all(|&id| id == 77));
            }
        }
    }

    #[test]
    fn padding_is_python_s(
        sequence in proptest::collection::vec(any::<u16>(), 0..12),
        length in 0..12_usize,
        pre in any::<[bool; 2]>(),
    ) {
        let padding = if pre[0] { Padding::Pre } else { Padding::Post };
        let truncating = if pre[1] { Truncating::Pre } else { Truncating::Post };
        let cut = sequence.len().saturating_sub(length);
        let kept = if pre[1] { &sequence[cut..] } else { &sequence[..sequence.len() - cut] };
        let fill = vec![9; length - kept.len()];
        let expected = if pre[0] { [&fill, kept].concat() } else { [kept, &fill].concat() };
        let mut found = vec![1; length];
        pad(&sequence, padding, truncating, 9, &mut found);
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn texts_without_words_are_all_padding() {
    const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
    for text in ["", " ", "   ", "\t", "\n", "!", "...", " \t\n!?"] {
        assert_eq!(TOKENIZER.words(text).count(), 0);
        assert_eq!(TOKENIZER.ids(text).count(), 0);
        assert_eq!(TOKENIZER.encode(text), Ok([0_u8; 4]));
        assert_eq!(TOKENIZER.padding(Padding::Pre).encode(text), Ok([0_u8; 4]));
        assert_eq!(TOKENIZER.encode_into::<u8>(text, &mut []), Ok(0));
    }
}

#[test]
fn arrays_of_no_ids() {
    const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
    assert_eq!(TOKENIZER.encode::<0, u8>("some words"), Ok([]));
}

#[test]
fn iterators_stay_at_their_end() {
    const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
    let mut ids = TOKENIZER.ids("one two! ");
    assert_eq!(ids.by_ref().count(), 2);
    assert_eq!((ids.next(), ids.next()), (None, None));
    let mut words = text_to_word_sequence::<Ascii>("one two! ");
    assert_eq!(words.by_ref().count(), 2);
    assert!(words.next().is_none() && words.next().is_none());
}

#[test]
fn an_id_type_holds_all_rows_or_is_refused() {
    let text = "some words";
    let too_narrow =
        |capacity| CapacityExceeded { what: "rows named by the id type", capacity, needed: capacity + 1 };
    assert!(HashingTokenizer::new(256).encode::<2, u8>(text).is_ok());
    assert_eq!(HashingTokenizer::new(257).encode::<2, u8>(text), Err(too_narrow(256)));
    assert!(HashingTokenizer::new(128).encode::<2, i8>(text).is_ok());
    assert_eq!(HashingTokenizer::new(129).encode::<2, i8>(text), Err(too_narrow(128)));
    assert!(HashingTokenizer::new(65_536).encode::<2, u16>(text).is_ok());
    assert_eq!(HashingTokenizer::new(65_537).encode::<2, u16>(text), Err(too_narrow(65_536)));
    assert!(HashingTokenizer::new(65_537).encode::<2, u32>(text).is_ok());
    assert!(HashingTokenizer::new(65_537).encode::<2, usize>(text).is_ok());
    assert!(HashingTokenizer::new(65_537).encode::<2, i64>(text).is_ok());

    let mut out = [9_u8; 2];
    assert_eq!(HashingTokenizer::new(257).encode_into(text, &mut out), Err(too_narrow(256)));
    assert_eq!(out, [9; 2]);
}

#[test]
fn settings_that_no_text_can_be_read_with_are_refused() {
    for rows in [0, 1] {
        assert_eq!(HashingTokenizer::try_new(rows).err(), Some(InvalidSettings::Rows(rows)));
    }
    assert_eq!(Splitter::try_new("!", "").err(), Some(InvalidSettings::EmptySplit));
    #[cfg(target_pointer_width = "64")]
    {
        let most = 1_usize << 32;
        assert_eq!(HashingTokenizer::try_new(most).map(|tokenizer| tokenizer.rows()), Ok(most));
        assert_eq!(HashingTokenizer::try_new(most + 1).err(), Some(InvalidSettings::Rows(most + 1)));
        assert_eq!(HashingTokenizer::try_new(usize::MAX).err(), Some(InvalidSettings::Rows(usize::MAX)));
    }
}

#[test]
fn with_two_rows_every_word_has_row_one() {
    let tokenizer = HashingTokenizer::try_new(2).unwrap();
    assert!(tokenizer.ids("every word").eq([1, 1]));
}

/// The freeze: tables that were trained with these rows are read with them for good. Computed by a program of its own, not by
/// this crate.
#[test]
fn rows_are_frozen() {
    const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
    const REVIEWS: [(&str, &[usize]); 10] = [
        ("Never coming back!", &[42, 13, 37]),
        ("horrible service", &[41, 47]),
        ("rude waitress", &[3, 39]),
        ("cold food", &[49, 49]),
        ("horrible food!", &[41, 49]),
        ("awesome", &[13]),
        ("awesome services!", &[13, 36]),
        ("rocks", &[46]),
        ("poor work", &[7, 44]),
        ("couldn't have done better", &[19, 34, 20, 32]),
    ];
    for (review, expected) in REVIEWS {
        assert!(TOKENIZER.ids(review).eq(expected.iter().copied()), "{review}");
    }
    let triples = HashingTokenizer::new(1 << 20).word_ngrams::<3>();
    let expected = [807_028, 645_796, 1_019_967, 989_228, 811_027, 291_652, 271_560, 222_369, 651_143];
    assert!(triples.ids("The quick brown fox").eq(expected));
}

/// A hash of the user's own.
#[test]
fn any_hash_can_be_plugged_in() {
    #[derive(Default)]
    struct Length(u32);
    impl WordHash for Length {
        type Digest = u32;
        fn write(&mut self, bytes: &[u8]) {
            self.0 += bytes.len() as u32;
        }
        fn finish(self) -> u32 {
            self.0
        }
        fn bucket(digest: u32, buckets: NonZero<u32>) -> u32 {
            digest % buckets
        }
        fn low32(digest: u32) -> u32 {
            digest
        }
    }
    const TOKENIZER: HashingTokenizer<Length, Unchanged> = HashingTokenizer::new(6).hash().lowercase();
    assert!(TOKENIZER.ids("a ÄÖ seven").eq([2, 5, 1]));
}

/// What the marks of all are: nothing but white space is lost, whatever the language.
#[test]
fn marks_are_words() {
    let words = |text| found_words(&Splitter::<Ascii>::MARKS, text);
    assert_eq!(words("What is 5 % of x?"), ["what", "is", "5", "%", "of", "x", "?"]);
    assert_eq!(
        words("0x1F...it's\r\n\t10.0.0.1"),
        ["0", "x", "1", "f", ".", ".", ".", "it", "'", "s", "10", ".", "0", ".", "0", ".", "1"]
    );
    assert_eq!(words("Größe:3µm 日本語。 ٣"), ["größe", ":", "3", "µm", "日本語。", "٣"]);
    assert_eq!(words(" \t\n\u{b}\u{c}\r "), [""; 0]);
    assert_eq!(words("\0a\u{7f}"), ["\0", "a", "\u{7f}"]);
    let filtered = Splitter::<Ascii>::MARKS.filters("'");
    assert_eq!(found_words(&filtered, "it's\t1"), ["it", "s", "\t", "1"]);
    assert_ne!(Splitter::<Ascii>::MARKS.filters(KERAS_FILTERS), Splitter::KERAS);
}

/// Separators that a filter completes, that overlap with themselves, and lower-cased characters that are half a filter.
#[test]
fn unusual_separators() {
    let words = |filters, split, text| found_words(&Splitter::new(filters, split), text);
    assert_eq!(words("!", "--", "a-!b"), ["a", "-b"]);
    assert_eq!(words("X", "ab", "aXb"), ["axb"], "lowered first: no filter is left to find");
    assert_eq!(words("x", "ab", "aXb"), ["a", "b"]);
    assert_eq!(words("x", "aa", "ax"), ["a"], "a, aa: the first two are the separator");
    assert_eq!(words(",", "A", "bAd,bad"), ["bad", "bad"], "the split string is not lower-cased");
    #[cfg(feature = "unicode")]
    {
        let words = |filters, split, text| {
            found_words(&Splitter::new(filters, split).lowercase::<nanoembed::text::Unicode>(), text)
        };
        assert_eq!(words("i", " ", "aİb"), ["a", "\u{307}b"]);
        assert_eq!(words("\u{307}", " ", "aİb"), ["ai", "b"]);
        assert_eq!(words("!", " ", "ΟΔΟΣ!Α"), ["οδος", "α"], "an exclamation mark ends the word");
        assert_eq!(
            words(".", " ", "ΟΔΟΣ.Α"),
            ["οδοσ", "α"],
            "a full stop does not: Python looks at the whole text"
        );
    }
}
