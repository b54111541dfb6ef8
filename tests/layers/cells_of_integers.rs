//! Cells of an LSTM of integers that count far, and those that count too far.

use nanoembed::image::{self, Contents};
use nanoembed::layers::{Dense, Embedding, Layer, Lstm, Scores, integer};
use nanoembed::models::{self, CalibrateError, Input};
use nanoembed::sequential;

type Counter<const LEN: usize> = sequential![Embedding<LEN, 3, 1>, Lstm<LEN, 1, 1>, Dense<1, 1>];
type CounterI<const LEN: usize> =
    sequential![integer::Embedding<LEN, 3, 1>, integer::Lstm<LEN, 1, 1>, integer::Logits<1, 1>];

/// All gates are open: id 1 counts up, id 2 down.
fn counter<const LEN: usize>() -> Counter<LEN> {
    let mut model = Counter::<LEN>::zeroed();
    model.first.rows = [[0.0], [1.0], [-1.0]];
    let layer = &mut model.second.first;
    layer.kernel = [[[0.0], [0.0], [20.0], [0.0]]];
    layer.bias = [[20.0], [20.0], [0.0], [20.0]];
    model.second.second.kernel = [[1.0]];
    model
}

/// So many steps up, the rest down.
fn steps<const LEN: usize>(up: usize) -> [u16; LEN] {
    std::array::from_fn(|step| if step < up { 1 } else { 2 })
}

fn wide(ids: &[u16]) -> Vec<u32> {
    ids.iter().map(|id| u32::from(*id)).collect()
}

/// The greatest error of the output for `up` steps up, and for as many down.
fn check_counter<const LEN: usize>(up: usize) {
    let model = counter::<LEN>();
    let ids = [steps::<LEN>(up), steps::<LEN>(LEN - up)];
    let image = models::calibrate(&model, Input::Ids(&wide(ids.as_flattened())), &Contents::default());
    let mut integers = CounterI::<LEN>::zeroed();
    image::read_into(&image.expect("cells that integers hold"), &mut integers).expect("its image");
    for ids in &ids {
        let [exact] = model.predict(ids).expect("ids of the model");
        let Scores { sums: [sum], scale, .. } = integers.predict(ids).expect("ids of the model");
        let found = sum as f32 * scale;
        assert!((found - exact).abs() <= 0.02, "{up} of {LEN} steps up: {found} for {exact}");
    }
}

#[test]
fn cells_of_integers_count() {
    check_counter::<6>(4);
    check_counter::<40>(30);
    check_counter::<60>(60);
    check_counter::<500>(300);
    check_counter::<1200>(1000);
    check_counter::<2048>(2048);
}

#[test]
fn cells_beyond_those_of_integers_are_refused() {
    let calibrated = |ids: &[u16]| {
        models::calibrate(&counter::<2100>(), Input::Ids(&wide(ids)), &Contents::default()).err()
    };
    assert_eq!(calibrated(&steps::<2100>(1500)), None);
    for up in [0, 2049, 2100] {
        let most = up.max(2100 - up) as f32;
        let expected = CalibrateError::Cell { layer: 1, most };
        assert_eq!(calibrated(&steps::<2100>(up)), Some(expected));
        assert!(expected.to_string().contains("layer 1"), "{expected}");
    }
}
