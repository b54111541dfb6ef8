//! Where layers of integers end: sums that are too long, scales that are no numbers.

use nanoembed::error::NotFinite;
use nanoembed::image::Contents;
use nanoembed::layers::{Bytes, Dense, Embedding, Flatten, Layer, Packed, U8Row, integer};
use nanoembed::models::{self, All, CalibrateError, Input, LayerKind, Model, Recipe, Record, Source};
use nanoembed::sequential;

#[test]
fn integers_hold_no_mean_of_more_steps_than_32_bits() {
    let calibrated = |len: usize| {
        let records = [
            Record::new(LayerKind::Embedding, &[len, 1, 1]).from(Source::Input(0)),
            Record::new(LayerKind::GlobalAveragePooling1D, &[len, 1]),
            Record::new(LayerKind::Dense, &[1, 1]),
        ];
        let recipe = Recipe::<All>::new(&records).expect("layers that fit");
        Model::new(recipe, &[1.0; 3]).expect("3 parameters").calibrate(Input::Ids(&[])).err()
    };
    // The layers are looked at first, then the examples, of which there are none.
    assert_eq!(calibrated(1 << 24), Some(CalibrateError::NoExamples));
    let expected = CalibrateError::Overflow { layer: 1, unit: 0 };
    assert_eq!(calibrated((1 << 24) + 1), Some(expected));
    assert!(expected.to_string().contains("16,777,216 steps"), "{expected}");
}

/// The most steps there may be, all with the greatest code. Their masks stand on the stack.
#[test]
fn the_longest_mean_is_right() {
    type Longest = integer::GlobalAveragePooling1D<{ 1 << 24 }, 1>;
    let mean = || {
        let mut pooling = Longest::zeroed();
        pooling.channel = integer::Channel { bias: 0, multiplier: 1 << 30, shift: 30 };
        let steps: Box<[[i8; 1]; 1 << 24]> = vec![[127]; 1 << 24].try_into().expect("as many");
        pooling.predict(&*steps)
    };
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(mean).expect("a thread");
    assert_eq!(thread.join().expect("no panic"), Ok([127]));
}

#[test]
fn scores_that_no_scale_holds_are_refused() {
    type Flat = sequential![Embedding<2, 9, 4>, Flatten<2, 4, 8>, Dense<8, 3>];
    let mut model = Flat::zeroed();
    // The examples have no word whose scores are infinite.
    model.first.rows[8] = [1e38; 4];
    model.second.second.kernel = [[1.0, 1e20, 1e20]; 8];
    let found = models::calibrate(&model, Input::Ids(&[1, 2]), &Contents::default()).err();
    assert_eq!(found, Some(CalibrateError::Overflow { layer: 2, unit: 1 }));
}

#[test]
fn rows_whose_numbers_are_infinite_are_refused() {
    type Rows = Packed<Embedding<2, 9, 4>, U8Row<4>, 9>;
    type Flat = sequential![Rows, Flatten<2, 4, 8>, Dense<8, 3>];
    let mut model = Flat::zeroed();
    // 255 · 2¹²⁷, of a scale and a bias that are finite.
    let scale = f32::from_bits(254 << 23).to_le_bytes();
    let mut place = 0;
    model.visit_mut(&mut |part| {
        for byte in part {
            // Row 7 is its codes, its scale and its bias: 12 bytes.
            match place {
                84..88 => *byte = 255,
                88..92 => *byte = scale[place - 88],
                _ => {}
            }
            place += 1;
        }
    });
    let found = models::calibrate(&model, Input::Ids(&[1, 2]), &Contents::default()).err();
    let rows = NotFinite::Parameter { layer: 0, kind: "Embedding", name: "rows", row: 7 };
    assert_eq!(found, Some(CalibrateError::NotFinite(rows)));
}
