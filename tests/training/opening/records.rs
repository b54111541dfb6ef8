//! Records that are no layers, or do not fit each other, and layers of kinds that the program does not name.

use super::{image_with, open_error};
use crate::images::at;
use nanoembed::image::{ImageError, SectionError};
use nanoembed::layers::Fingerprint;
use nanoembed::models::kinds::{Dense, Embedding, EmbeddingBag, Flatten};
use nanoembed::models::{
    self, All, LayerKind, OpenError, Recipe, RecipeError, Record, RecordError, Shape, Source,
};
use nanoembed::table::{RowFormat, U8};
use zerocopy::{FromBytes, IntoBytes};

fn input(record: Record, number: u16) -> Record {
    record.from(Source::Input(number))
}

fn dense(inputs: usize, units: usize) -> Record {
    Record::new(LayerKind::Dense, &[inputs, units])
}

/// That these records are refused for a layer, as a recipe and in an image.
fn refused(records: &[Record], layer: usize, error: RecordError) {
    let expected = RecipeError::Layer { layer, kind: records[layer].kind, error };
    assert_eq!(Recipe::<All>::new(records).map(drop), Err(expected), "{records:?}");
    assert_eq!(open_error(&image_with(records, &[0; 64])), Some(OpenError::Recipe(expected)));
}

/// Whatever bytes a record has after its extents.
fn with_zeros(place: usize) -> Record {
    let mut bytes = [0; 64];
    bytes.copy_from_slice(input(dense(3, 2), 0).as_bytes());
    bytes[place] = 1;
    Record::read_from_bytes(&bytes).expect("64 bytes")
}

#[test]
fn bytes_that_must_be_zero() {
    for place in 40..64 {
        let records = [with_zeros(place)];
        let expected = RecipeError::Layer { layer: 0, kind: 10, error: RecordError::NotZero };
        assert_eq!(Recipe::<All>::new(&records).map(drop), Err(expected));
        let content = ImageError::Section { kind: 1, error: SectionError::Content };
        assert_eq!(open_error(&image_with(&records, &[0; 32])), Some(OpenError::Image(content)));
    }
}

#[test]
fn sources_that_there_are_not() {
    let (first, second) = (input(dense(2, 2), 0), dense(2, 2));
    assert!(Recipe::<All>::new(&[first, second, second]).is_ok());
    let raw = |sources: [u16; 2]| {
        let mut record = second;
        record.sources = sources;
        record
    };
    let source = |source| RecordError::Source { source };
    // None, itself (no number stands for it), before the first, a later one (which wraps round).
    for number in [0, 2, 3, 0x7fff] {
        refused(&[first, raw([number, 0]), second], 1, source(number));
        refused(&[raw([number, 0])], 0, source(number));
    }
    // A second value where one is taken.
    for number in [1, 2, 0x8001, 0xffff] {
        refused(&[first, raw([1, number]), second], 1, source(number));
    }
    // Inputs skipped, taken twice, or in another order.
    for number in [0x8001, 0xffff] {
        refused(&[raw([number, 0])], 0, source(number));
    }
    let dot = Record::new(LayerKind::Dot, &[2]);
    let from = |a, b| dot.from_both(a, b);
    let (back, of_model) = (Source::Back, Source::Input);
    assert!(Recipe::<All>::new(&[first, from(back(1), of_model(1))]).is_ok());
    refused(&[first, from(back(1), of_model(0))], 1, source(0x8000));
    refused(&[first, from(back(1), of_model(2))], 1, source(0x8002));
    refused(&[from(of_model(1), of_model(0))], 0, source(0x8001));
    refused(&[from(of_model(0), of_model(0))], 0, source(0x8000));
    refused(&[first, input(second, 0), from(back(2), back(1))], 1, source(0x8000));
    // One value where two are taken.
    refused(&[first, raw([1, 0]), dot], 2, source(0));
}

#[test]
fn outputs_are_taken_once() {
    let (first, second) = (input(dense(2, 2), 0), dense(2, 2));
    let dot = |a, b| Record::new(LayerKind::Dot, &[2]).from_both(Source::Back(a), Source::Back(b));
    refused(&[first, input(second, 1)], 0, RecordError::Output);
    refused(&[first, second, second.from(Source::Back(2))], 0, RecordError::Output);
    refused(&[first, dot(1, 1)], 0, RecordError::Output);
    refused(&[first, second, dot(1, 2)], 0, RecordError::Output);
    refused(&[first, input(second, 1), dot(1, 1)], 0, RecordError::Output);
    assert!(Recipe::<All>::new(&[first, input(second, 1), dot(1, 2)]).is_ok());
    assert!(Recipe::<All>::new(&[first, input(second, 1), dot(2, 1)]).is_ok());
}

#[test]
fn values_of_another_shape() {
    let ids = input(Record::new(LayerKind::Embedding, &[4, 9, 3]), 0);
    let found = Shape::Sequence { len: 4, dim: 3 };
    let shape = |takes| RecordError::Shape { takes, found };
    refused(&[ids, dense(12, 1)], 1, shape(Shape::Vector(12)));
    for (len, dim) in [(3, 4), (4, 4), (5, 3)] {
        let flatten = Record::new(LayerKind::Flatten, &[len, dim]);
        refused(&[ids, flatten], 1, shape(Shape::Sequence { len, dim }));
    }
    let table = Record::new(LayerKind::EmbeddingBag, &[9, 3]);
    refused(&[ids, table], 1, shape(Shape::Bag));
    let vector = RecordError::Shape { takes: Shape::Vector(3), found: Shape::Vector(2) };
    refused(&[input(dense(2, 2), 0), dense(3, 2)], 1, vector);
}

#[test]
fn extents_and_options_that_a_kind_cannot_have() {
    let extent = |extent, value| RecordError::Extent { extent, value };
    for value in [0, 1 << 31, u32::MAX] {
        for of in 0..2 {
            let mut record = input(dense(3, 2), 0);
            record.extents[of] = value;
            refused(&[record], 0, extent(of, value));
        }
    }
    for of in 2..6 {
        let mut record = input(dense(3, 2), 0);
        record.extents[of] = 7;
        refused(&[record], 0, extent(of, 7));
    }
    // (options, which of them is refused)
    for (options, option) in
        [([1, 0, 0, 0], 0), ([0, 5, 0, 0], 1), ([0, 0, 1, 0], 2), ([0, 0, 0, 2], 3), ([0, 0, 0, 0x8001], 3)]
    {
        let mut record = input(dense(3, 2), 0);
        record.options = options;
        refused(&[record], 0, RecordError::Option { option, value: options[option] });
    }
    // A softmax of one number.
    refused(&[input(dense(3, 1).options([0, 3, 0]), 0)], 0, extent(1, 1));
    // A kernel that is longer than its sequence; strides with dilation.
    let conv = |extents: &[usize]| input(Record::new(LayerKind::Conv1D, extents), 0);
    refused(&[conv(&[3, 2, 2, 4, 1, 1])], 0, extent(3, 4));
    refused(&[conv(&[9, 2, 2, 2, 2, 2])], 0, extent(5, 2));
    refused(&[input(Record::new(LayerKind::HashedEmbedding, &[2, 9, 3, 5, 1]), 0)], 0, extent(3, 5));
    refused(&[input(Record::new(LayerKind::BiasedDot, &[1]), 0)], 0, extent(0, 1));
    refused(&[input(Record::new(LayerKind::Dropout, &[3, 0, 1000]), 0)], 0, extent(2, 1000));
    // A packed table has no rows that learn.
    let packed = Record::new(LayerKind::EmbeddingBag, &[9, 3]).format(RowFormat::U8);
    refused(&[input(packed.frozen_rows(), 0)], 0, RecordError::Option { option: 3, value: 2 });
}

#[test]
fn layers_that_are_too_many() {
    let layers = |count: usize| -> Vec<Record> {
        let mut records = vec![Record::new(LayerKind::Activation, &[2]); count];
        if let Some(first) = records.first_mut() {
            *first = input(*first, 0);
        }
        records
    };
    assert_eq!(open_error(&image_with(&layers(512), &[])), None);
    for found in [513, 600] {
        let expected = RecipeError::TooManyLayers { found };
        assert_eq!(open_error(&image_with(&layers(found), &[])), Some(OpenError::Recipe(expected)));
    }
    assert_eq!(Recipe::<All>::new(&[]).map(drop), Err(RecipeError::NoLayers));
}

#[test]
fn kinds_that_the_program_does_not_name() {
    let unsupported = |layer, kind, format| {
        let error = RecordError::UnsupportedLayer { kind, format };
        OpenError::Recipe(RecipeError::Layer { layer, kind, error })
    };
    let own = input(Record::own(Fingerprint::of("scale")), 0);
    assert_eq!(open_error(&image_with(&[own], &[])), Some(unsupported(0, 0xffff, 0)));
    for (kind, format) in
        [(0, 0), (16, 0), (17, 1), (19, 0), (0xfffe, 0), (1, 8), (2, 0xffff), (10, 1), (5, 3)]
    {
        let mut record = input(dense(3, 2), 0);
        (record.kind, record.format) = (kind, format);
        assert_eq!(open_error(&image_with(&[record], &[0; 32])), Some(unsupported(0, kind, format)));
    }
    let ids = input(Record::new(LayerKind::Embedding, &[1, 4, 2]), 0);
    let packed = input(Record::new(LayerKind::EmbeddingBag, &[4, 4]).format(RowFormat::U8), 0);
    let reviews = image_with(&[ids, Record::new(LayerKind::Flatten, &[1, 2]), dense(2, 1)], &[0; 44]);
    let bags = image_with(&[packed, dense(4, 1)], &[0; 48 + 20]);
    assert_eq!([open_error(&reviews), open_error(&bags)], [None; 2]);
    at(&reviews, 0, |image| {
        assert!(models::open::<(Embedding, (Flatten, Dense))>(image).is_ok());
        assert_eq!(models::open::<(Embedding, Dense)>(image).err(), Some(unsupported(1, 5, 0)));
        assert_eq!(models::open::<(EmbeddingBag, Flatten)>(image).err(), Some(unsupported(0, 1, 0)));
        assert_eq!(models::open::<(Embedding<U8>, Flatten, Dense)>(image).err(), Some(unsupported(0, 1, 0)));
    });
    at(&bags, 0, |image| {
        assert!(models::open::<(EmbeddingBag<U8>, Dense)>(image).is_ok());
        assert_eq!(models::open::<(EmbeddingBag, Dense)>(image).err(), Some(unsupported(0, 2, 3)));
    });
}
