//! Models with packed tables: what they predict is what the unpacked table of the same numbers predicts, their images are read where
//! they lie, and another type's are refused.

use crate::common::{image_of, parameters_at};
use nanoembed::image;
use nanoembed::internals::{PackedRow, TableLayer, dequantise_row};
use nanoembed::layers::{
    Bag, Bf16Row, Dense, Embedding, EmbeddingBag, F16Row, Flatten, I4Row, I8Row, Layer, Packed, Sigmoid,
    U2Row, U4Row, U8Row,
};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro256PlusPlus;
use nanoembed::sequential;
use nanoembed::table::{Aligned, Format};

type Words = Embedding<4, 50, 8>;
type Texts = EmbeddingBag<6, 50, 8>;

/// The layer with the numbers that the packed rows stand for.
fn unpacked<L: TableLayer, R: PackedRow>(
    packed: &Packed<L, R, 50>,
    set: impl Fn(&mut L, usize, [f32; 8]),
) -> L {
    let mut layer = L::zeroed();
    let table = packed.table();
    for row in 0..50 {
        let mut numbers = [0.0; 8];
        dequantise_row(table, row, &mut numbers).unwrap();
        set(&mut layer, row, numbers);
    }
    layer
}

/// `bytes` are those of a row.
fn check<R: PackedRow>(bytes: usize, worst: f32) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
    let words = Words::new(&mut random);
    let mut packed = Packed::<Words, R, 50>::zeroed();
    packed.quantise_from(&words);
    let scale = size_of::<<R::Format as Format>::Scale>();
    assert_eq!(size_of_val(&packed), 50 * bytes + scale);
    let expected = unpacked::<Words, R>(&packed, |layer, row, numbers| layer.rows[row] = numbers);
    for (x, y) in expected.rows.as_flattened().iter().zip(words.rows.as_flattened()) {
        assert!((x - y).abs() <= worst, "{x} for {y}");
    }
    for ids in [[0, 7, 49, 7], [1, 2, 3, 4]] {
        assert_eq!(packed.predict(&ids).unwrap(), expected.predict(&ids).unwrap());
    }
    assert_eq!(packed.predict(&[0, 1, 2, 50]).unwrap_err(), expected.predict(&[0, 1, 2, 50]).unwrap_err());

    let mut bags = Texts::zeroed();
    bags.rows = words.rows;
    let mut packed = Packed::<Texts, R, 50>::zeroed();
    packed.quantise_from(&bags);
    for ids in [&[7_u16, 1, 7][..], &[], &[49, 48, 47, 46, 45, 44]] {
        let bag = Bag::from_ids(ids.iter().copied()).unwrap();
        let (found, exact) = (packed.predict(&bag).unwrap(), bags.predict(&bag).unwrap());
        assert!(found.iter().zip(exact).all(|(x, y)| (x - y).abs() <= worst), "{found:?}, {exact:?}");
    }
}

#[test]
fn a_packed_layer_gives_what_its_numbers_give() {
    // Weights are in [-0.05, 0.05): half a step, and what 16 bits round scale and bias by.
    check::<F16Row<8>>(16, 0.05 / 2048.0);
    check::<Bf16Row<8>>(16, 0.05 / 256.0);
    check::<U8Row<8>>(16, 0.1 / 255.0 * 0.51);
    check::<U4Row<8, 8>>(8, 0.1 / 15.0 * 0.52);
    check::<U2Row<8, 6>>(6, 0.1 / 3.0 * 0.52);
    check::<I8Row<8>>(8, 0.05 / 127.0 * 0.51);
    check::<I4Row<8, 4>>(4, 0.05 / 7.0 * 0.52);
}

#[test]
fn an_image_is_read_where_it_lies() {
    type Model = sequential![Packed<Words, U8Row<8>, 50>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    type Other = sequential![Packed<Words, U4Row<8, 8>, 50>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    let mut random = Xoshiro256PlusPlus::seed_from_u64(6);
    let (mut words, mut model) = (Words::zeroed(), Model::zeroed());
    words.init(&mut random);
    model.init(&mut random);
    model.first.quantise_from(&words);
    let image = image_of(&model);
    assert_eq!(image.len(), parameters_at(3) + 50 * 16 + 4 * 33);
    let mut place = Aligned([0; 2048]);
    place[..image.len()].copy_from_slice(&image);
    let read = image::read::<Model>(&place[..image.len()]).unwrap();
    assert_eq!(read.predict(&[1, 2, 3, 49]).unwrap(), model.predict(&[1, 2, 3, 49]).unwrap());
    assert!(image::read::<Other>(&place[..image.len()]).is_err());
}
