//! Promise: a pipeline gives the ids of the typed tokenizer, one by one, and its bytes have one form.

use crate::encoders::texts;
use nanoembed::internals::KERAS_FILTERS;
#[cfg(feature = "md5")]
use nanoembed::text::Md5;
#[cfg(feature = "siphash")]
use nanoembed::text::SipHash;
#[cfg(feature = "unicode")]
use nanoembed::text::Unicode;
use nanoembed::text::{
    Ascii, FarmHash64, HashKind, HashingTokenizer, Lowercase, Lowering, Marks, Murmur3, NativeHash, Padding,
    Pipeline, PipelineError, Splitter, Subwords, TextKinds, Truncating, Unchanged, Vocabulary,
    VocabularyOptions, VocabularyView, WordCounts, WordHash,
};
use nanoembed::{image, table::Aligned};
use proptest::prelude::*;
use proptest::sample::select;
use std::num::NonZero;

fn ids_of(pipeline: &Pipeline, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    pipeline.for_each_id(text, |id| ids.push(id));
    ids
}

fn bytes_of(pipeline: &Pipeline) -> Vec<u8> {
    let mut bytes = vec![0xaa; pipeline.encoded_size()];
    pipeline.write(&mut bytes).unwrap();
    bytes
}

/// What all tokenizers of a case share.
#[derive(Clone, Debug)]
struct Case {
    text: String,
    filters: &'static str,
    split: &'static str,
    marks: bool,
    rows: usize,
    padding: Padding,
    truncating: Truncating,
    subwords: (u16, u16),
}

fn cases() -> impl Strategy<Value = Case> {
    let texts = prop_oneof![
        8 => texts(),
        1 => select(vec!["", "!?", "  ", "</s>", "a </s> b", "-", "<>"]).prop_map(str::to_owned),
        1 => "[a-zé世]{28,40}( [a-zé世]{60,70}){0,2}",
    ];
    let filters = select(vec![KERAS_FILTERS, "", "abAi!. ", "İ\u{307}Σσé世-"]);
    let splits = select(vec![" ", "-", "ab", "é", "--"]);
    // The most rows, which 32 bits cannot count.
    let most = usize::try_from(1_u64 << 32).unwrap_or(usize::MAX);
    let rows = prop_oneof![2..60_usize, Just(most - 1), Just(most)];
    let ends = (select(vec![Padding::Pre, Padding::Post]), select(vec![Truncating::Pre, Truncating::Post]));
    let subwords = (1..5_u16, 0..4_u16).prop_map(|(min_n, more)| (min_n, min_n + more));
    (texts, filters, splits, any::<bool>(), rows, ends, subwords).prop_map(
        |(text, filters, split, marks, rows, (padding, truncating), subwords)| Case {
            text,
            filters,
            split,
            marks,
            rows,
            padding,
            truncating,
            subwords,
        },
    )
}

fn check<H: WordHash, L: Lowercase, const N: usize>(case: &Case) {
    let Case { ref text, filters, split, marks, rows, padding, truncating, subwords } = *case;
    let splitter = Splitter::new(filters, split);
    let splitter = if marks { splitter.marks() } else { splitter };
    let typed = HashingTokenizer::new(rows)
        .hash::<H>()
        .splitter(splitter.lowercase::<L>())
        .word_ngrams::<N>()
        .padding(padding)
        .truncating(truncating);
    let pipeline = typed.pipeline(0).unwrap();
    let expected: Vec<u32> = typed.ids(text).map(|id| id as u32).collect();
    assert_eq!(ids_of(&pipeline, text), expected);
    assert_eq!(pipeline.rows(), rows as u64);

    // As a bag: what fits, and nothing behind it.
    let mut bag = [7; 5];
    let mut typed_bag = [7; 5];
    assert_eq!(pipeline.encode_into(text, &mut bag), Ok(expected.len()));
    typed.encode_into(text, &mut typed_bag).unwrap();
    assert_eq!(bag, typed_bag);

    // Of a fixed length.
    let fixed = typed.pipeline(5).unwrap();
    assert_eq!(fixed.encode_into(text, &mut bag), Ok(expected.len()));
    assert_eq!(bag, typed.encode::<5, u32>(text).unwrap());

    // With characters: the words, n-grams and characters that a composition gives.
    let (min_n, max_n) = subwords;
    let with_characters = pipeline.subwords(min_n, max_n).unwrap();
    let of_characters = Subwords::new(min_n.into(), max_n.into(), (rows - 1) as u32);
    let mut of_words = expected.iter().copied();
    let composed: Vec<u32> = typed
        .words(text)
        .enumerate()
        .flat_map(|(number, word)| {
            let mut ids: Vec<u32> = of_words.by_ref().take(N.min(number + 1)).collect();
            ids.extend(of_characters.buckets_of(word).map(|bucket| bucket as u32 + 1));
            ids
        })
        .collect();
    assert_eq!(ids_of(&with_characters, text), composed);

    for pipeline in [pipeline, fixed, with_characters] {
        let bytes = bytes_of(&pipeline);
        assert_eq!(bytes.len() % 4, 0);
        assert!(pipeline.is_written_as(&bytes));
        assert_eq!(Pipeline::read(&bytes), Ok(pipeline));
    }
}

fn check_orders<H: WordHash, L: Lowercase>(case: &Case) {
    check::<H, L, 1>(case);
    check::<H, L, 2>(case);
    check::<H, L, 3>(case);
    check::<H, L, 8>(case);
}

fn check_lowerings<H: WordHash>(case: &Case) {
    check_orders::<H, Unchanged>(case);
    check_orders::<H, Ascii>(case);
    #[cfg(feature = "unicode")]
    check_orders::<H, Unicode>(case);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn ids_are_those_of_the_typed_tokenizer(case in cases()) {
        check_lowerings::<NativeHash>(&case);
        check_lowerings::<FarmHash64>(&case);
        check_lowerings::<Murmur3<7>>(&case);
        #[cfg(feature = "md5")]
        check_lowerings::<Md5>(&case);
        #[cfg(feature = "siphash")]
        check_lowerings::<SipHash<133, { u64::MAX }>>(&case);
    }

    #[test]
    fn ids_are_those_of_the_typed_vocabulary(
        counted in proptest::collection::vec(texts(), 0..6),
        text in texts(),
        num_words in 0..20_usize,
        oov in select(vec![None, Some("<OOV>"), Some("a"), Some("b"), Some("")]),
    ) {
        let mut counts = WordCounts::<200, 4000>::new();
        for text in &counted {
            let text: String = text.chars().take(60).collect();
            counts.fit(Ascii::text_to_word_sequence(&text)).unwrap();
        }
        let options =
            VocabularyOptions { num_words: NonZero::new(num_words), oov_token: oov, ..Default::default() };
        let mut typed = Vocabulary::<210, 4003>::new();
        typed.adapt(&mut counts, options).unwrap();

        let mut image = Aligned([0; image::size::<Vocabulary<210, 4003>>()]);
        image::write(&typed, &mut image.0).unwrap();
        // After the header and the list of sections.
        let payload = &image.0[128..];
        let view = VocabularyView::read(payload, 210, 4003).unwrap();
        prop_assert!(view == typed.view());
        prop_assert_eq!(view.rows(), typed.rows());
        for index in 0..typed.rows() + 2 {
            prop_assert_eq!(view.word(index), typed.word(index));
        }

        // The same words listed anew are found under the same indices.
        if oov.is_none() && num_words == 0 {
            let words = || (1..typed.rows()).filter_map(|index| view.word(index));
            let mut memory = vec![7; VocabularyView::memory(words().count(), words().map(str::len).sum()) + 1];
            let listed = VocabularyView::of_words(words(), &mut memory).unwrap();
            for index in 0..typed.rows() + 2 {
                prop_assert_eq!(listed.word(index), view.word(index));
            }
            for word in words().chain(["", "not there"]) {
                prop_assert_eq!(listed.index_of(word), view.index_of(word));
            }
            let pipeline = Pipeline::vocabulary(typed.rows().max(2) as u64, listed).unwrap();
            prop_assert!(pipeline.as_vocabulary() == Some(listed));
            let mut bytes = Aligned([0_u8; 8000]);
            let bytes = &mut bytes.0[..pipeline.encoded_size()];
            pipeline.write(bytes).unwrap();
            prop_assert_eq!(Pipeline::read(bytes), Ok(pipeline));
        }

        let rows = typed.rows().max(2) as u64;
        let pipeline = Pipeline::vocabulary(rows, view).unwrap().split(" ").unwrap().length(9);
        let words = || Ascii::text_to_word_sequence(&text);
        let expected: Vec<u32> = typed.ids(words()).map(|id| id as u32).collect();
        prop_assert_eq!(ids_of(&pipeline, &text), &expected[..]);
        let mut ids = [7; 9];
        prop_assert_eq!(pipeline.encode_into(&text, &mut ids), Ok(expected.len()));
        prop_assert_eq!(ids, typed.encode::<9, u32>(words()).unwrap());

        let mut bytes = Aligned([0_u8; 8000]);
        let bytes = &mut bytes.0[..pipeline.encoded_size()];
        pipeline.write(bytes).unwrap();
        prop_assert_eq!(&bytes[bytes.len() - payload.len()..], payload);
        prop_assert_eq!(Pipeline::read(bytes), Ok(pipeline));
        if typed.rows() > 2 {
            let too_few = PipelineError::Field {
                field: "rows",
                allowed: "above each index of the vocabulary",
                found: rows - 1,
            };
            prop_assert_eq!(Pipeline::vocabulary(rows - 1, view), Err(too_few));
        }
    }

    #[test]
    fn any_bytes_are_refused_or_have_one_form(
        mut bytes in proptest::collection::vec(prop_oneof![3 => Just(0), 2 => 0..9_u8, 1 => any::<u8>()], 60..80),
    ) {
        if let Some(kind) = bytes.get_mut(..2) {
            kind.copy_from_slice(&[1, 0]);
        }
        if let Ok(pipeline) = Pipeline::read(&bytes) {
            prop_assert_eq!(bytes_of(&pipeline), bytes);
        }
    }
}

/// A small vocabulary with an OOV token that occurs in the texts, and one that does not.
#[test]
fn words_that_cannot_be_listed() {
    let mut memory = [0; 20];
    let twice = VocabularyView::of_words(["a", "b", "a"], &mut memory);
    let (field, allowed) = ("number of a word", "that of one that did not come before");
    assert_eq!(twice, Err(PipelineError::Field { field, allowed, found: 2 }));
    let needed = VocabularyView::memory(2, 5);
    assert_eq!(needed, 10);
    let short = VocabularyView::of_words(["one", "of"], &mut memory[..needed - 1]);
    let field = "memory of the vocabulary";
    assert_eq!(short, Err(PipelineError::Length { field, expected: 10, found: 9 }));
    assert!(
        VocabularyView::of_words([], &mut []).is_ok_and(|none| none.rows() == 1 && none.id("a").is_none())
    );
}

fn vocabulary(oov_token: &str) -> Vocabulary<5, 18> {
    let mut counts = WordCounts::<9, 80>::new();
    counts.fit(["cold", "food", "cold", "é"]).unwrap();
    let mut vocabulary = Vocabulary::<5, 18>::new();
    let options = VocabularyOptions { oov_token: Some(oov_token), ..Default::default() };
    vocabulary.adapt(&mut counts, options).unwrap();
    vocabulary
}

/// Each byte changed in each way: refused, or another pipeline that is written as these bytes.
#[test]
fn each_changed_byte_is_refused_or_gives_another_pipeline() {
    let (first, second) = (vocabulary("?"), vocabulary("food"));
    let hashing = Pipeline::hashing(1 << 32, HashKind::Murmur3 { seed: 9 }).unwrap().filters("é!,");
    let hashing = hashing.word_ngrams(3).unwrap().subwords(2, 3).unwrap().length(7).padding(Padding::Pre);
    let pipelines = [
        Pipeline::hashing(2, HashKind::Native).unwrap(),
        hashing,
        hashing.split("--").unwrap(),
        hashing.splitter(Splitter::MARKS).split("--").unwrap(),
        Pipeline::vocabulary(9, first.view()).unwrap(),
        Pipeline::vocabulary(5, second.view()).unwrap().filters("").lowercase(Lowering::Unchanged),
    ];
    for pipeline in pipelines {
        let mut memory = Aligned([0_u8; 256]);
        let bytes = &mut memory.0[..pipeline.encoded_size()];
        pipeline.write(bytes).unwrap();
        let mut others = 0;
        for at in 0..bytes.len() {
            for change in 1..=255 {
                bytes[at] ^= change;
                if let Ok(other) = Pipeline::read(bytes) {
                    assert!(other != pipeline, "byte {at} of {pipeline:?}");
                    assert!(other.is_written_as(bytes), "byte {at} of {pipeline:?}");
                    assert_eq!(bytes_of(&other), *bytes, "byte {at}");
                    let rows = other.rows();
                    other.for_each_id("Cold food, é?", |id| assert!((1..rows).contains(&id.into())));
                    others += 1;
                }
                assert!(!pipeline.is_written_as(bytes), "byte {at} of {pipeline:?}");
                bytes[at] ^= change;
            }
        }
        assert!(others > 255, "{others} of {pipeline:?}");
        for length in 0..bytes.len() {
            let error = Pipeline::read(&bytes[..length]).unwrap_err();
            assert!(matches!(error, PipelineError::Length { found, .. } if found == length), "{error}");
            assert!(!pipeline.is_written_as(&bytes[..length]));
        }
        assert!(!pipeline.is_written_as(&[&*bytes, &[0; 4]].concat()));
        assert_eq!(Pipeline::read(bytes), Ok(pipeline));
    }
}

#[test]
fn errors_name_the_field() {
    let field = |field, allowed, found| PipelineError::Field { field, allowed, found };
    let pipeline = Pipeline::hashing(50, HashKind::Native).unwrap();
    for rows in [0, 1, (1 << 32) + 1, u64::MAX] {
        let error = Pipeline::hashing(rows, HashKind::Native);
        assert_eq!(error, Err(field("rows", "2 to 2^32", rows)));
    }
    for order in [0, 9, u16::MAX] {
        assert_eq!(pipeline.word_ngrams(order), Err(field("words of an n-gram", "1 to 8", order.into())));
    }
    for (min_n, max_n) in [(0, 1), (2, 1), (1, 0)] {
        let error = field("characters of the shortest n-gram", "1 to the longest's, or both 0", min_n.into());
        assert_eq!(pipeline.subwords(min_n, max_n), Err(error));
    }
    assert_eq!(pipeline.split(""), Err(field("bytes of the split string", "at least 1", 0)));
    let words = vocabulary("?");
    let by_words = Pipeline::vocabulary(9, words.view()).unwrap();
    assert_eq!(by_words.word_ngrams(1), Ok(by_words));
    assert_eq!(by_words.subwords(0, 0), Ok(by_words));
    assert!(by_words.word_ngrams(2).is_err() && by_words.subwords(3, 6).is_err());

    let changed = |at: usize, value: u8| {
        let mut bytes = bytes_of(&pipeline);
        bytes[at] = value;
        Pipeline::read(&bytes).unwrap_err()
    };
    assert_eq!(changed(0, 4), field("kind", "1 to 3", 4));
    // Columns of which there is none.
    assert_eq!(changed(0, 3), field("rows", "as many as the columns have", 50));
    assert_eq!(changed(2, 3), field("lower-casing", "0 to 2", 3));
    assert_eq!(changed(4, 0), field("hash", "1 to 5", 0));
    assert_eq!(changed(6, 2), field("padding", "0 or 1", 2));
    assert_eq!(changed(7, 2), field("truncating", "0 or 1", 2));
    assert_eq!(changed(8, 1), field("rows", "2 to 2^32", 1));
    assert_eq!(changed(20, 0), field("words of an n-gram", "1 to 8", 0));
    assert_eq!(changed(26, 2), field("marks", "0 or 1", 2));
    assert_eq!(changed(27, 1), field("marks", "0 or 1", 256));
    assert_eq!(changed(64, 0xff), PipelineError::NotUtf8 { field: "filters" });
    let unused = (28..32).chain(32..56);
    for at in unused {
        assert_eq!(changed(at, 1), PipelineError::NotZero { at });
    }
    let last = bytes_of(&pipeline).len() - 1;
    assert_eq!(changed(last, 1), PipelineError::NotZero { at: last });

    let features = [
        (2, 2, "lower-casing", "unicode", cfg!(feature = "unicode")),
        (4, 4, "hash", "md5", cfg!(feature = "md5")),
        (4, 5, "hash", "siphash", cfg!(feature = "siphash")),
    ];
    for (at, value, field, feature, on) in features {
        let mut bytes = bytes_of(&pipeline);
        bytes[at] = value;
        let missing = PipelineError::Feature { field, feature };
        assert_eq!(Pipeline::read(&bytes).err(), (!on).then_some(missing));
    }
}

/// A list that is one short of what a pipeline needs refuses it and says what it lacks; one that has it all gives
/// the same ids.
#[test]
fn a_list_of_kinds_reads_what_it_names() {
    fn refused<T: TextKinds>(pipeline: &Pipeline, field: &'static str, kind: &'static str) {
        let mut memory = Aligned([0_u8; 400]);
        let bytes = &mut memory.0[..pipeline.encoded_size()];
        pipeline.write(bytes).unwrap();
        let error = Pipeline::read_as::<T>(bytes).unwrap_err();
        assert_eq!(error, PipelineError::NotLinked { field, kind });
        assert!(error.to_string().contains(kind));
    }
    fn read<T: TextKinds>(pipeline: &Pipeline) {
        let mut memory = Aligned([0_u8; 400]);
        let bytes = &mut memory.0[..pipeline.encoded_size()];
        pipeline.write(bytes).unwrap();
        let same = Pipeline::read_as::<T>(bytes).unwrap();
        let text = "Cold food, rude waiter; COLD food, h\u{f6}flich";
        let mut ids = Vec::new();
        same.for_each_id(text, |id| ids.push(id));
        assert_eq!(ids, ids_of(pipeline, text));
        assert!(ids.len() >= 2);
        assert!(same.is_written_as(bytes));
    }
    let native = Pipeline::hashing(50, HashKind::Native).unwrap();
    let words = vocabulary("?");
    read::<(NativeHash, Ascii)>(&native);
    read::<(NativeHash, Ascii)>(&native.word_ngrams(8).unwrap());
    refused::<(FarmHash64, VocabularyView, Ascii)>(&native, "hash", "NativeHash");
    refused::<(NativeHash, Unchanged)>(&native, "lower-casing", "Ascii");
    let unchanged = native.lowercase(Lowering::Unchanged);
    read::<(NativeHash, Unchanged)>(&unchanged);
    refused::<(NativeHash, Ascii)>(&unchanged, "lower-casing", "Unchanged");
    let subwords = native.subwords(2, 3).unwrap();
    read::<(NativeHash, (Ascii, Subwords))>(&subwords);
    refused::<(NativeHash, Ascii)>(&subwords, "n-grams of characters", "Subwords");
    let marks = native.splitter(Splitter::MARKS);
    read::<(NativeHash, Ascii, Marks)>(&marks);
    read::<(NativeHash, Ascii, Marks)>(&native);
    refused::<(NativeHash, Ascii)>(&marks, "marks", "Marks");
    let farm = Pipeline::hashing(50, HashKind::FarmHash64).unwrap().word_ngrams(2).unwrap();
    read::<(FarmHash64, Ascii)>(&farm);
    refused::<(NativeHash, Ascii)>(&farm, "hash", "FarmHash64");
    let murmur = Pipeline::hashing(50, HashKind::Murmur3 { seed: 7 }).unwrap();
    read::<(Murmur3, Ascii)>(&murmur);
    refused::<(NativeHash, FarmHash64, Ascii)>(&murmur, "hash", "Murmur3");
    let by_words = Pipeline::vocabulary(9, words.view()).unwrap();
    read::<(VocabularyView, Ascii)>(&by_words);
    read::<(VocabularyView, Ascii, Marks)>(&by_words.splitter(Splitter::MARKS));
    refused::<(VocabularyView, Ascii)>(&by_words.splitter(Splitter::MARKS), "marks", "Marks");
    refused::<(NativeHash, Ascii)>(&by_words, "kind", "VocabularyView");
    #[cfg(feature = "md5")]
    {
        let md5 = Pipeline::hashing(50, HashKind::Md5).unwrap();
        read::<(Md5, Ascii)>(&md5);
        refused::<(NativeHash, Ascii)>(&md5, "hash", "Md5");
    }
    #[cfg(feature = "siphash")]
    {
        let sip = Pipeline::hashing(50, HashKind::SipHash { key: [1, 2] }).unwrap();
        read::<(SipHash<0, 0>, Ascii)>(&sip);
        refused::<(NativeHash, Ascii)>(&sip, "hash", "SipHash");
    }
    #[cfg(feature = "unicode")]
    {
        let unicode = native.lowercase(Lowering::Unicode);
        read::<(NativeHash, Unicode)>(&unicode);
        refused::<(NativeHash, Ascii)>(&unicode, "lower-casing", "Unicode");
    }
}

#[test]
fn buffers_of_another_length_are_refused_and_left_alone() {
    let pipeline = Pipeline::hashing(50, HashKind::Native).unwrap().length(4);
    for length in [0, 3, 5] {
        let mut ids = vec![7; length];
        let error = PipelineError::Length { field: "ids of a text", expected: 4, found: length };
        assert_eq!(pipeline.encode_into("good food", &mut ids), Err(error));
        assert_eq!(ids, vec![7; length]);
    }
    let expected = pipeline.encoded_size();
    let mut bytes = vec![7; expected + 1];
    let error = PipelineError::Length { field: "bytes of the pipeline", expected, found: expected + 1 };
    assert_eq!(pipeline.write(&mut bytes), Err(error));
    assert_eq!(bytes, vec![7; expected + 1]);
}

#[test]
fn a_vocabulary_at_an_odd_address_is_refused() {
    let words = vocabulary("?");
    let pipeline = Pipeline::vocabulary(9, words.view()).unwrap();
    let mut memory = Aligned([0_u8; 256]);
    for offset in 1..4 {
        let bytes = &mut memory.0[offset..offset + pipeline.encoded_size()];
        pipeline.write(bytes).unwrap();
        assert_eq!(Pipeline::read(bytes), Err(PipelineError::Misaligned));
    }
}

#[test]
fn a_hash_of_the_user_has_no_value() {
    #[derive(Default)]
    struct Own;
    impl WordHash for Own {
        type Digest = u32;
        fn write(&mut self, _: &[u8]) {}
        fn finish(self) -> u32 {
            0
        }
        fn bucket(_: u32, _: NonZero<u32>) -> u32 {
            0
        }
        fn low32(digest: u32) -> u32 {
            digest
        }
    }
    struct Upper;
    impl Lowercase for Upper {
        fn lower(_: &str, _: usize, c: char) -> impl Iterator<Item = char> + Clone {
            c.to_uppercase()
        }
    }
    let tokenizer = HashingTokenizer::new(50);
    assert_eq!(tokenizer.hash::<Own>().pipeline(0), Err(PipelineError::Own { field: "hash" }));
    assert_eq!(tokenizer.lowercase::<Upper>().pipeline(0), Err(PipelineError::Own { field: "lower-casing" }));
    let nine = tokenizer.word_ngrams::<9>().pipeline(0);
    assert!(matches!(nine, Err(PipelineError::Field { field: "words of an n-gram", found: 9, .. })));
    let huge = tokenizer.word_ngrams::<65_537>().pipeline(0);
    assert!(matches!(huge, Err(PipelineError::Field { field: "words of an n-gram", .. })));
}

/// The bytes are fixed: images depend on them.
#[test]
fn the_bytes_are_those_of_the_table() {
    let pipeline = Pipeline::hashing(0x0102_0304, HashKind::Murmur3 { seed: 0x0506_0708 }).unwrap();
    let pipeline = pipeline.filters("!é").split("-").unwrap().word_ngrams(2).unwrap();
    let pipeline = pipeline.subwords(3, 0x0604).unwrap().length(9).lowercase(Lowering::Unchanged);
    let pipeline = pipeline.padding(Padding::Pre).truncating(Truncating::Post);
    let mut expected = vec![1, 0, 0, 0, 3, 0, 0, 1, 4, 3, 2, 1, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 3, 0, 4, 6];
    expected.extend([0; 6]);
    expected.extend([8, 7, 6, 5]);
    expected.extend([0; 20]);
    expected.extend([3, 0, 0, 0, 1, 0, 0, 0]);
    expected.extend("!é-".as_bytes());
    assert_eq!(bytes_of(&pipeline), expected);

    // Marks stay where other strings come after them.
    let marks = pipeline.splitter(Splitter::MARKS).filters("!é").split("-").unwrap();
    expected[26] = 1;
    assert_eq!(bytes_of(&marks), expected);
}
