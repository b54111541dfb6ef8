//! Names of classes, a threshold, metadata, bytes of a pipeline: written beside a model, read without its type.

use crate::images::{at, pattern, resealed};
use nanoembed::image::{self, Classes, ClassesError, Contents, ImageError, SectionError, Sections};
use nanoembed::layers::{Dense, Embedding, EmbeddingBag, Flatten, Frozen, Layer, Softmax, Value};
use nanoembed::sequential;
use nanoembed::text::HashingTokenizer;
use proptest::prelude::*;

type Model = sequential![Embedding<2, 3, 2>, Flatten<2, 2, 4>, Dense<4, 3, Softmax>];

const NAMES: [&str; 3] = ["food", "µ-service", "a class with a longer name"];

fn written<M: Layer>(contents: &Contents<'_>) -> Result<Vec<u8>, ImageError> {
    let mut bytes = vec![7; image::size_with::<M>(contents)];
    let result = image::write_with(&pattern::<M>(), contents, &mut bytes);
    assert!(result.is_ok() || bytes.iter().all(|byte| *byte == 7), "nothing is written");
    #[cfg(feature = "alloc")]
    assert_eq!(image::to_vec_with(&pattern::<M>(), contents), result.map(|()| bytes.clone()));
    result.map(|()| bytes)
}

/// Everything that is written is read, by who does not know the type; who does, reads the model.
#[test]
fn everything_is_read_back() {
    let (some, way) = (b"any bytes \0\xff", pipeline_for::<Model>());
    for classes in [&NAMES[..], &[]] {
        for metadata in [&some[..], &[]] {
            for pipeline in [None, Some(&way[..])] {
                for vocabulary in [None, Some(&some[..])] {
                    let threshold = if classes.is_empty() { 0.0 } else { 0.625 };
                    let contents = Contents { classes, threshold, metadata, pipeline, vocabulary };
                    let bytes = written::<Model>(&contents).expect("what can be written");
                    let sections = Sections::read(&bytes).expect("an image");
                    assert_eq!(sections.metadata(), metadata);
                    assert_eq!(sections.pipeline(), pipeline);
                    assert_eq!(sections.vocabulary(), vocabulary);
                    let read = sections.classes();
                    assert_eq!(read.is_some(), !classes.is_empty());
                    if let Some(read) = read {
                        assert_eq!(read.iter().collect::<Vec<_>>(), classes);
                        assert_eq!((read.len(), read.threshold()), (3, 0.625));
                    }
                    let same = at(&bytes, 0, |image| {
                        let model: &Model = image::read(image).expect("an image of the type");
                        model.predict(&[1, 2]).unwrap()
                    });
                    assert_eq!(same, pattern::<Model>().predict(&[1, 2]).unwrap());
                    let mut copy = Model::zeroed();
                    image::read_into(&bytes, &mut copy).expect("an image of the type");
                    assert_eq!(copy.first.rows, pattern::<Model>().first.rows);
                }
            }
        }
    }
    let mut plain = vec![0; image::size::<Model>()];
    image::write(&pattern::<Model>(), &mut plain).unwrap();
    assert_eq!(written::<Model>(&Contents::default()).unwrap(), plain);
}

#[test]
fn names_of_classes() {
    let bytes = written::<Model>(&Contents { classes: &NAMES, ..Contents::default() }).unwrap();
    let classes = Sections::read(&bytes).unwrap().classes().unwrap();
    assert_eq!(
        [0, 1, 2, 3, usize::MAX].map(|class| classes.name(class)),
        [Some(NAMES[0]), Some(NAMES[1]), Some(NAMES[2]), None, None]
    );
    assert_eq!(NAMES.map(|name| classes.position(name)), [Some(0), Some(1), Some(2)]);
    assert_eq!((classes.position(""), classes.position("foo")), (None, None));
    assert_eq!(classes.threshold(), 0.0);
}

#[test]
fn classes_that_are_wrong_are_not_written() {
    type Two = sequential![Embedding<2, 3, 2>, Frozen<Flatten<2, 2, 4>>, Frozen<Dense<4, 2>>];
    let refused = |classes: &[&str], threshold: f32, error: ClassesError| {
        let contents = Contents { classes, threshold, ..Contents::default() };
        assert_eq!(written::<Model>(&contents).map(drop), Err(ImageError::Classes(error)), "{classes:?}");
        assert_eq!(ImageError::Classes(error).to_string(), error.to_string());
    };
    refused(&["a", "b"], 0.0, ClassesError::Count { expected: 3, found: 2 });
    refused(&["a", "b", "c", "d"], 0.0, ClassesError::Count { expected: 3, found: 4 });
    refused(&["a", "", "c"], 0.0, ClassesError::Empty { class: 1 });
    refused(&["a", "b", "a"], 0.0, ClassesError::Doubled { first: 0, second: 2 });
    refused(&[], 0.5, ClassesError::NoNames);
    for threshold in [-0.01, 1.01, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        refused(&NAMES, threshold, ClassesError::Threshold);
        refused(&[], threshold, ClassesError::Threshold);
    }
    let three = Contents { classes: &NAMES, threshold: 1.0, ..Contents::default() };
    let expected = ClassesError::Count { expected: 2, found: 3 };
    assert_eq!(written::<Two>(&three).map(drop), Err(ImageError::Classes(expected)));
    // A sequence is not a number for each class.
    assert!(written::<Embedding<2, 3, 2>>(&three).is_ok());
    let mut short = vec![7; image::size_with::<Model>(&three) - 1];
    let error = image::write_with(&pattern::<Model>(), &three, &mut short).expect_err("too short");
    assert_eq!(error, ImageError::Length { expected: short.len() + 1, found: short.len() });
    assert!(short.iter().all(|byte| *byte == 7));
}

/// The bytes of a section, put together by hand.
fn section(count: u32, threshold: f32, offsets: &[u32], texts: &[u8]) -> Vec<u8> {
    let mut bytes = count.to_le_bytes().to_vec();
    bytes.extend(threshold.to_le_bytes());
    bytes.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    bytes.extend(texts);
    bytes
}

#[test]
fn sections_of_classes_that_are_wrong_are_refused() {
    let good = section(2, 0.5, &[0, 3, 5], b"onetw\0\0\0");
    let classes = Classes::read(&good).expect("two classes");
    assert_eq!(classes.iter().collect::<Vec<_>>(), ["one", "tw"]);
    let refused = |bytes: &[u8], error: ClassesError| {
        assert_eq!(Classes::read(bytes), Err(error), "{bytes:?}");
        assert!(!error.to_string().is_empty());
    };
    for length in 0..good.len() {
        assert!(matches!(
            Classes::read(&good[..length]),
            Err(ClassesError::Length { .. } | ClassesError::Offsets { .. })
        ));
    }
    let longer = [&good[..], &[0; 4]].concat();
    refused(&longer, ClassesError::Length { expected: good.len(), found: good.len() + 4 });
    refused(&section(2, 0.5, &[0, 3, 5], b"onetw\0\0\x01"), ClassesError::Padding);
    refused(&section(2, 0.5, &[0, 3, 3], b"one\0"), ClassesError::Empty { class: 1 });
    refused(&section(2, 0.5, &[0, 1, 2], b"aa\0\0"), ClassesError::Doubled { first: 0, second: 1 });
    refused(&section(2, 0.5, &[0, 3, 2], b"one\0"), ClassesError::Offsets { class: 1 });
    refused(&section(2, 0.5, &[0, 3, 9], b"onetw\0\0\0"), ClassesError::Offsets { class: 1 });
    refused(&section(2, 0.5, &[1, 3, 5], b"onetw\0\0\0"), ClassesError::Offsets { class: 0 });
    refused(&section(2, 0.5, &[0, 1, 2], "é\0\0".as_bytes()), ClassesError::NotUtf8 { class: 0 });
    refused(&section(2, 0.5, &[0, 1, 2], b"a\xff\0\0"), ClassesError::NotUtf8 { class: 1 });
    refused(&section(2, 1.5, &[0, 3, 5], b"onetw\0\0\0"), ClassesError::Threshold);
    refused(&section(2, f32::NAN, &[0, 3, 5], b"onetw\0\0\0"), ClassesError::Threshold);
    refused(&section(0, 0.5, &[0], b""), ClassesError::NoNames);
    for count in [4, u32::MAX / 4, u32::MAX - 1, u32::MAX] {
        let bytes = section(count, 0.5, &[0, 3, 5], b"onetw\0\0\0");
        assert!(Classes::read(&bytes).is_err(), "{count}");
    }
}

/// An image whose classes are as many as another model's.
#[test]
fn an_image_with_classes_of_another_number_is_refused() {
    let mut bytes = written::<Model>(&Contents { classes: &["a", "b", "c"], ..Contents::default() }).unwrap();
    let two = section(2, 0.0, &[0, 3, 8], b"onethree");
    let place = bytes.len() - two.len();
    assert_eq!(bytes[place..place + 4], 3_u32.to_le_bytes());
    bytes[place..].copy_from_slice(&two);
    let error = Sections::read(&resealed(bytes.clone())).map(drop);
    assert_eq!(error, Err(ImageError::Classes(ClassesError::Count { expected: 3, found: 2 })));
    bytes[place..place + 4].copy_from_slice(&0_u32.to_le_bytes());
    assert!(matches!(Sections::read(&resealed(bytes)), Err(ImageError::Classes(_))));
}

proptest! {
    /// Names that can be written are read; bytes of any kind are read only if they are what is written.
    #[test]
    fn classes_have_one_form(names in proptest::collection::vec("\\PC{1,9}", 1..6), threshold in 0.0_f32..=1.0) {
        type Any = Embedding<1, 1, 1>;
        let classes: Vec<&str> = names.iter().map(String::as_str).collect();
        let contents = Contents { classes: &classes, threshold, ..Contents::default() };
        let doubled = (1..classes.len()).any(|i| classes[..i].contains(&classes[i]));
        match written::<Any>(&contents) {
            Ok(bytes) => {
                prop_assert!(!doubled);
                let read = Sections::read(&bytes).unwrap().classes().unwrap();
                prop_assert_eq!(read.iter().collect::<Vec<_>>(), classes);
                prop_assert_eq!(read.threshold().to_bits(), threshold.to_bits());
            }
            Err(error) => prop_assert!(doubled, "{}", error),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8..6, 0..64)) {
        if let Ok(classes) = Classes::read(&bytes) {
            prop_assert!(classes.iter().all(|name| !name.is_empty()));
            prop_assert_eq!(classes.iter().count(), classes.len());
            for (class, name) in classes.iter().enumerate() {
                prop_assert_eq!(classes.position(name), Some(class));
            }
        }
    }
}

/// Firmware that keeps its tokenizer a constant reads an image with its pipeline, and no other.
#[test]
fn a_typed_model_is_read_with_its_pipeline() {
    type Texts = sequential![EmbeddingBag<8, 50, 4>, Dense<4, 3, Softmax>];
    const TOKENIZER: HashingTokenizer = HashingTokenizer::for_table::<Texts>();
    let pipeline = TOKENIZER.pipeline(0).unwrap();
    let mut section = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut section).unwrap();
    let contents =
        Contents { classes: &NAMES, pipeline: Some(&section), metadata: b"2026", ..Contents::default() };
    let bytes = written::<Texts>(&contents).unwrap();
    at(&bytes, 0, |image| {
        let model = image::read_with_pipeline::<Texts>(image, &pipeline).expect("its pipeline");
        assert!(core::ptr::eq(model, image::read::<Texts>(image).unwrap()));
        for other in [
            HashingTokenizer::new(51).pipeline(0).unwrap(),
            TOKENIZER.pipeline(1).unwrap(),
            TOKENIZER.filters("!?").pipeline(0).unwrap(),
            pipeline.word_ngrams(2).unwrap(),
        ] {
            assert_eq!(image::read_with_pipeline::<Texts>(image, &other).err(), Some(ImageError::Pipeline));
        }
        assert!(matches!(
            image::read_with_pipeline::<Model>(image, &pipeline).err(),
            Some(ImageError::Fingerprint { .. })
        ));
    });
    at(&bytes, 1, |image| {
        assert_eq!(image::read_with_pipeline::<Texts>(image, &pipeline).err(), Some(ImageError::Misaligned));
    });
    let none = written::<Texts>(&Contents { classes: &NAMES, ..Contents::default() }).unwrap();
    at(&none, 0, |image| {
        let missing = ImageError::Section { kind: 4, error: SectionError::Missing };
        assert_eq!(image::read_with_pipeline::<Texts>(image, &pipeline).err(), Some(missing));
    });
    // Every byte counts, and every byte that is missing.
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        at(&changed, 0, |image| assert!(image::read_with_pipeline::<Texts>(image, &pipeline).is_err()));
        at(&bytes[..place], 0, |image| {
            assert!(image::read_with_pipeline::<Texts>(image, &pipeline).is_err());
        });
    }
    // Sealed again, what the list of sections says is still no reason to panic.
    for place in 64..64 + 24 * 5 {
        for value in [0, 1, 0x40, 0xff] {
            let mut changed = bytes.clone();
            changed[place] = value;
            at(&resealed(changed), 0, |image| {
                let is_read = image::read_with_pipeline::<Texts>(image, &pipeline).is_ok();
                assert!(!is_read || image::read::<Texts>(image).is_ok());
            });
        }
    }
}

/// Ids for another table would name the wrong words.
#[test]
fn a_pipeline_of_other_rows_is_not_written() {
    type Texts = sequential![EmbeddingBag<8, 40, 4>, Dense<4, 3, Softmax>];
    for rows in [39, 40, 41] {
        let pipeline = HashingTokenizer::new(rows).pipeline(0).expect("rows that there are");
        let mut bytes = vec![0; pipeline.encoded_size()];
        pipeline.write(&mut bytes).expect("its own size");
        let expected = match rows {
            40 => None,
            _ => Some(ImageError::PipelineRows { table: 40, pipeline: rows as u64 }),
        };
        let contents = Contents { pipeline: Some(&bytes), ..Contents::default() };
        assert_eq!(written::<Texts>(&contents).err(), expected);
    }
}

/// A bag takes any number of ids, and a sequence as many as it has steps.
#[test]
fn a_pipeline_of_another_length_is_not_written() {
    type Bags = sequential![EmbeddingBag<8, 40, 4>, Dense<4, 3, Softmax>];
    type Lists = sequential![Embedding<6, 40, 4>, Flatten<6, 4, 24>, Dense<24, 3, Softmax>];
    for pipeline in [0, 5, 6] {
        let of_length = HashingTokenizer::new(40).pipeline(pipeline).expect("rows that there are");
        let mut bytes = vec![0; of_length.encoded_size()];
        of_length.write(&mut bytes).expect("its own size");
        let contents = Contents { pipeline: Some(&bytes), ..Contents::default() };
        let refused = |model| (model != pipeline).then_some(ImageError::PipelineLength { model, pipeline });
        assert_eq!(written::<Bags>(&contents).err(), refused(0));
        assert_eq!(written::<Lists>(&contents).err(), refused(6));
    }
}

/// The bytes of a pipeline for the first layer of a model of lists of ids.
fn pipeline_for<M: Layer>() -> Vec<u8> {
    let tokenizer = HashingTokenizer::for_table::<M>();
    let pipeline = tokenizer.pipeline(M::Input::SHAPE[0] as u32).expect("a pipeline of the crate");
    let mut bytes = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut bytes).expect("its own size");
    bytes
}

/// Bytes that are none, or were cut, are not written.
#[test]
fn a_pipeline_that_cannot_be_read_is_not_written() {
    let pipeline = pipeline_for::<Model>();
    for length in (0..pipeline.len()).chain([pipeline.len() + 1]) {
        let mut bytes = pipeline.clone();
        bytes.resize(length, 0);
        let contents = Contents { pipeline: Some(&bytes), ..Contents::default() };
        let content = ImageError::Section { kind: 4, error: SectionError::Content };
        assert_eq!(written::<Model>(&contents).err(), Some(content), "{length} bytes");
    }
}

/// What an image holds goes with the model that is shipped; other contents take its place.
#[test]
#[cfg(feature = "alloc")]
fn contents_go_with_a_shipped_model() {
    use nanoembed::models::{self, All};
    use nanoembed::table::RowFormat;
    let pipeline = pipeline_for::<Model>();
    let contents = Contents {
        classes: &NAMES,
        threshold: 0.5,
        metadata: b"mine",
        pipeline: Some(&pipeline),
        vocabulary: Some(b"words"),
    };
    let bytes = written::<Model>(&contents).expect("what can be written");
    for format in [RowFormat::F32, RowFormat::F16, RowFormat::U8, RowFormat::U2, RowFormat::I8, RowFormat::I4]
    {
        let shipped = at(&bytes, 0, |image| {
            let model = models::open::<All>(image).expect("an image");
            let mut shipped = vec![7; model.shipped_size(format)];
            model.ship(format, &mut shipped).expect("the right length");
            let mut other = vec![7; model.shipped_size_with(format, &Contents::default())];
            model.ship_with(format, &Contents::default(), &mut other).expect("the right length");
            let sections = Sections::read(&other).expect("an image");
            assert!(sections.classes().is_none() && sections.vocabulary().is_none());
            assert_eq!(models::ship(&pattern::<Model>(), format, &contents), Ok(shipped.clone()));
            shipped
        });
        let sections = Sections::read(&shipped).expect("an image");
        assert_eq!((sections.metadata(), sections.pipeline()), (&b"mine"[..], Some(&pipeline[..])));
        assert_eq!(sections.vocabulary(), Some(&b"words"[..]));
        assert!(sections.classes().expect("names").iter().eq(NAMES));
        assert_eq!(shipped == bytes, format == RowFormat::F32);
    }
}

/// A number of a packed row that is not finite is found, in its scale or among its numbers.
#[test]
#[cfg(feature = "alloc")]
fn packed_rows_that_are_not_finite_are_named() {
    use nanoembed::error::NotFinite;
    use nanoembed::models::{self, All};
    use nanoembed::table::RowFormat;
    for format in [RowFormat::F16, RowFormat::Bf16, RowFormat::U8, RowFormat::U4, RowFormat::U2] {
        for harmed in [None, Some(0), Some(2)] {
            let mut model = pattern::<Model>();
            if let Some(row) = harmed {
                model.first.rows[row][1] = f32::INFINITY;
            }
            let bytes = models::ship(&model, format, &Contents::default()).expect("no contents");
            let found = models::open::<All>(&bytes).expect("an image").not_finite();
            let expected =
                harmed.map(|row| NotFinite::Parameter { layer: 0, kind: "Embedding", name: "rows", row });
            assert_eq!(found, expected, "{format:?}");
        }
    }
    // The one scale of a table of integers.
    for format in [RowFormat::I8, RowFormat::I4] {
        let mut model = pattern::<Model>();
        model.first.rows[2][1] = f32::NAN;
        let bytes = models::ship(&model, format, &Contents::default()).expect("no contents");
        let found = models::open::<All>(&bytes).expect("an image").not_finite();
        let expected = NotFinite::Parameter { layer: 0, kind: "Embedding", name: "rows", row: 0 };
        assert_eq!(found, Some(expected), "{format:?}");
    }
}
