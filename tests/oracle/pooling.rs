//! `GlobalMaxPooling1D`, `GlobalAveragePooling1D` and `Flatten`: outputs and gradients of Keras.

use crate::convolution::{sequences, train};
use crate::fixture::{Array, FORWARD, Fixture, GRADIENT, assert_close, list, number};
use crate::run_time::{check_layer, no_type_of};
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{
    Dense, Embedding, Flatten, GlobalAveragePooling1D, GlobalMaxPooling1D, Layer, Sigmoid,
};
use nanoembed::models::{LayerKind, Record};
use nanoembed::sequential;
use serde_json::Value;

/// As many examples as the largest case has.
const BATCH: usize = 3;

pub(crate) fn forward_and_gradients(fixture: &Fixture) {
    for case in list(&fixture.0["cases"]) {
        match Array::read(&case["input"]).shape[1..] {
            [5, 3] => layer::<5, 3, 15>(case),
            [1, 4] => layer::<1, 4, 4>(case),
            [7, 17] => layer::<7, 17, 119>(case),
            [3, 2] => layer::<3, 2, 6>(case),
            ref other => no_type_of(other),
        }
        at_run_time(case);
    }
}

fn at_run_time(case: &Value) {
    let x = Array::read(&case["input"]);
    let [_, len, dim] = x.shape[..] else { panic!("a batch of sequences") };
    let kind = match case["layer"].as_str() {
        Some("GlobalMaxPooling1D") => LayerKind::GlobalMaxPooling1D,
        Some("GlobalAveragePooling1D") => LayerKind::GlobalAveragePooling1D,
        Some("Flatten") => LayerKind::Flatten,
        other => panic!("layer {other:?}"),
    };
    let what = format!("{} [{len}, {dim}]", case["layer"]);
    check_layer(&what, Record::new(kind, &[len, dim]), (&x, case), &[], masks(case).as_deref());
}

/// Whether each step is valid, if the case says so.
fn masks(case: &Value) -> Option<Vec<bool>> {
    let mask = case.get("mask").filter(|mask| !mask.is_null())?;
    Some(Array::integers(mask).into_iter().map(|valid| valid != 0).collect())
}

fn layer<const LEN: usize, const DIM: usize, const OUT: usize>(case: &Value) {
    match case["layer"].as_str().expect("a name") {
        "GlobalMaxPooling1D" => check::<LEN, DIM, DIM, _>(&GlobalMaxPooling1D::<LEN, DIM>::zeroed(), case),
        "GlobalAveragePooling1D" => {
            check::<LEN, DIM, DIM, _>(&GlobalAveragePooling1D::<LEN, DIM>::zeroed(), case);
        }
        "Flatten" => check::<LEN, DIM, OUT, _>(&Flatten::<LEN, DIM, OUT>::zeroed(), case),
        other => panic!("layer {other}"),
    }
}

fn check<const LEN: usize, const DIM: usize, const OUT: usize, L>(layer: &L, case: &Value)
where
    L: Layer<Input = [[f32; DIM]; LEN], Output = [f32; OUT], InputGradient = [[f32; DIM]; LEN]>,
{
    let what = |part: &str| format!("{} [{LEN}, {DIM}] {part}", case["layer"]);
    let data = |name: &str| Array::read(&case[name]).data;
    let x = sequences::<DIM, LEN>(&case["input"]);
    let d_y = data("cotangent");
    let masks = masks(case).map_or(vec![[true; LEN]; x.len()], |masks| masks.as_chunks().0.to_vec());
    let pass = crate::common::pass::pass::<L, BATCH>(layer, &x, &masks, d_y.as_chunks().0, None);

    // Where Keras gives NaN, for a sequence that is all padding, we give zeros.
    let defined =
        |name: &str| data(name).into_iter().map(|x| if x.is_nan() { 0.0 } else { x }).collect::<Vec<_>>();
    for (mask, of_keras) in masks.iter().zip(list(&case["output"]["data"]).chunks(OUT)) {
        assert_eq!(of_keras.iter().all(|x| number(x).is_nan()), *mask == [false; LEN]);
    }
    assert_close(&what("output"), pass.y.as_flattened(), &defined("output"), FORWARD.0, FORWARD.1);
    let d_x = pass.d_x.as_flattened().as_flattened();
    assert_close(&what("gradient"), d_x, &defined("grad_input"), GRADIENT.0, GRADIENT.1);
}

type Averaged =
    sequential![Embedding<12, 50, 4, u16, MaskZero>, GlobalAveragePooling1D<12, 4>, Dense<4, 1, Sigmoid>];

pub(crate) fn train_masked_average(fixture: &Fixture) {
    train::<Averaged>(fixture);
}
