//! `Lstm`: outputs and gradients of Keras, and whole trainings with it.

use crate::fixture::{Array, FORWARD, Fixture, GRADIENT, assert_close, list, number};
use crate::run_time::{check_layer, check_training, no_type_of};
use crate::training::{CURVE, adam};
use nanoembed::internals::{Direction, Masking, Returned};
use nanoembed::layers::options::{GoBackwards, GoForwards, MaskZero, NoMask, ReturnLast, ReturnSequences};
use nanoembed::layers::{
    Batch, BatchMut, Chain, Dense, Embedding, Layer, Lstm, Parameters, Sigmoid, Value as _,
};
use nanoembed::loss::{BinaryCrossEntropy, Labels};
use nanoembed::models::{LayerKind, Record};
use nanoembed::optim::{Exact, Optimizer, Sgd};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use serde_json::Value;
use zerocopy::FromZeros;

/// As many examples as the largest case has.
const BATCH: usize = 3;

pub(crate) fn forward_and_gradients(fixture: &Fixture) {
    let bias = Array::read(&fixture.0["default_initial_bias_units_3_shows_unit_forget_bias"]).data;
    let layer = Lstm::<5, 4, 3>::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    assert_eq!(layer.bias.as_numbers(), bias);
    for case in list(&fixture.0["cases"]) {
        match (case["return_sequences"] == true, case["go_backwards"] == true) {
            (false, false) => shape::<ReturnLast, GoForwards>(case),
            (true, false) => shape::<ReturnSequences, GoForwards>(case),
            (false, true) => shape::<ReturnLast, GoBackwards>(case),
            (true, true) => shape::<ReturnSequences, GoBackwards>(case),
        }
        at_run_time(case);
    }
}

fn at_run_time(case: &Value) {
    let x = Array::read(&case["input"]);
    let [_, len, inputs] = x.shape[..] else { panic!("a batch of sequences") };
    let units = case["units"].as_u64().expect("units") as usize;
    let on = |name: &str| u16::from(case[name] == true);
    let layer = Record::new(LayerKind::Lstm, &[len, inputs, units]);
    let layer = layer.options([on("return_sequences"), on("go_backwards"), 0]);
    let what = format!("[{len}, {inputs}, {units}] {}", case["mask_kind"]);
    let parameters = ["kernel", "recurrent_kernel", "bias"];
    check_layer(&what, layer, (&x, case), &parameters, masks(case).as_deref());
}

/// Whether each step is valid, if the case says so.
fn masks(case: &Value) -> Option<Vec<bool>> {
    let mask = case.get("mask").filter(|mask| !mask.is_null())?;
    Some(Array::read(mask).data.iter().map(|valid| *valid != 0.0).collect())
}

/// Chooses the layer's type by the shapes.
fn shape<R: Returned, D: Direction>(case: &Value) {
    let input = Array::read(&case["input"]).shape;
    match (&input[1..], case["units"].as_u64()) {
        ([5, 4], Some(3)) => check::<5, 4, 3, R, D>(case),
        ([7, 5], Some(6)) => check::<7, 5, 6, R, D>(case),
        ([1, 2], Some(1)) => check::<1, 2, 1, R, D>(case),
        ([4, 17], Some(9)) => check::<4, 17, 9, R, D>(case),
        other => no_type_of(other),
    }
}

fn check<const LEN: usize, const IN: usize, const UNITS: usize, R: Returned, D: Direction>(case: &Value) {
    type Of<const LEN: usize, const IN: usize, const UNITS: usize, R, D> = Lstm<LEN, IN, UNITS, R, D>;
    let what = |part: &str| {
        format!("[{LEN}, {IN}, {UNITS}] {} {} {part}", R::NAME, case["mask_kind"].as_str().unwrap_or("?"))
    };
    let data = |name: &str| Array::read(&case[name]).data;
    let mut layer = Of::<LEN, IN, UNITS, R, D>::zeroed();
    layer.kernel.as_numbers_mut().copy_from_slice(&data("kernel"));
    layer.recurrent_kernel.as_numbers_mut().copy_from_slice(&data("recurrent_kernel"));
    layer.bias.as_numbers_mut().copy_from_slice(&data("bias"));

    let x: Vec<[[f32; IN]; LEN]> = data("input").as_chunks().0.as_chunks().0.to_vec();
    let masks: Vec<[bool; LEN]> =
        masks(case).map_or(vec![[true; LEN]; x.len()], |masks| masks.as_chunks().0.to_vec());
    let batch = Batch { values: &x, masks: &masks };
    let zeros = || vec![R::Output::<LEN, UNITS>::new_zeroed(); x.len()];
    let mut y_masks = vec![R::Output::<LEN, UNITS>::VALID; x.len()];
    // The rows of the steps whose outputs are given, one after the other.
    let flat = |y: &[R::Output<LEN, UNITS>]| -> Vec<f32> {
        let rows = R::rows::<LEN, UNITS>(y);
        (0..rows.rows()).filter_map(|row| rows.row(row)).flatten().copied().collect()
    };
    let mut y = zeros();
    let mut workspace = Of::<LEN, IN, UNITS, R, D>::workspace::<BATCH>();
    layer.infer(batch, &mut workspace, BatchMut { values: &mut y, masks: &mut y_masks });
    assert_close(&what("output of infer"), &flat(&y), &data("output"), FORWARD.0, FORWARD.1);

    let cotangent = data("cotangent");
    let mut d_y = zeros();
    let mut d_rows = R::rows_mut::<LEN, UNITS>(&mut d_y);
    assert_eq!(cotangent.len(), d_rows.rows() * UNITS);
    for (row, d_y) in cotangent.as_chunks::<UNITS>().0.iter().enumerate() {
        d_rows.row_mut(row).expect("a row for each output").copy_from_slice(d_y);
    }
    let mut gradient = <Of<LEN, IN, UNITS, R, D> as Parameters>::Gradient::<BATCH>::new_zeroed();
    let pass = crate::common::pass::pass::<Of<LEN, IN, UNITS, R, D>, BATCH>(
        &layer,
        &x,
        &masks,
        &d_y,
        Some(&mut gradient),
    );
    assert_close(&what("output of forward"), &flat(&pass.y), &data("output"), FORWARD.0, FORWARD.1);
    let d_x = pass.d_x.as_flattened().as_flattened();
    assert_close(&what("gradient of the input"), d_x, &data("grad_input"), GRADIENT.0, GRADIENT.1);

    // A step of size 1 from zero leaves the negative gradient.
    let mut stepped = Of::<LEN, IN, UNITS, R, D>::zeroed();
    let mut slots = <Of<LEN, IN, UNITS, R, D> as Parameters>::Slots::<Sgd>::new_zeroed();
    let sgd = Sgd { learning_rate: 1.0 };
    stepped.step::<Sgd, BATCH>(&sgd, sgd.step(1), &mut gradient, &mut slots);
    let parts = [
        ("grad_kernel", stepped.kernel.as_numbers()),
        ("grad_recurrent_kernel", stepped.recurrent_kernel.as_numbers()),
        ("grad_bias", stepped.bias.as_numbers()),
    ];
    for (name, negative) in parts {
        let found: Vec<f32> = negative.iter().map(|x| -x).collect();
        assert_close(&what(name), &found, &data(name), GRADIENT.0, GRADIENT.1);
    }
}

type Model<M> = sequential![Embedding<12, 50, 4, u16, M>, Lstm<12, 4, 5>, Dense<5, 1, Sigmoid>];

pub(crate) fn training_masked(fixture: &Fixture) {
    train::<MaskZero>(fixture);
}

pub(crate) fn training_unmasked(fixture: &Fixture) {
    train::<NoMask>(fixture);
}

fn load<M: Masking>(weights: &Value, model: &mut Model<M>) {
    let Chain { first: embedding, second: Chain { first: lstm, second: dense } } = model;
    // Keras numbers its layers: `sequential_8/lstm_1/lstm_cell/kernel`.
    let read = |layer: &str, variable: &str| {
        let weights = weights.as_object().expect("weights by name");
        let is_it = |name: &str| name.contains(&format!("/{layer}")) && name.ends_with(variable);
        let (_, values) = weights.iter().find(|(name, _)| is_it(name)).expect(variable);
        Array::read(values).data
    };
    embedding.rows.as_numbers_mut().copy_from_slice(&read("embedding", "/embeddings"));
    lstm.kernel.as_numbers_mut().copy_from_slice(&read("lstm", "/kernel"));
    lstm.recurrent_kernel.as_numbers_mut().copy_from_slice(&read("lstm", "/recurrent_kernel"));
    lstm.bias.as_numbers_mut().copy_from_slice(&read("lstm", "/bias"));
    dense.kernel.as_numbers_mut().copy_from_slice(&read("dense", "/kernel"));
    dense.bias.copy_from_slice(&read("dense", "/bias"));
}

fn train<M: Masking>(fixture: &Fixture) {
    let json = &fixture.0;
    let optimizer = Exact(adam(&json["optimizer_config"]));
    let loss = BinaryCrossEntropy::default();
    let y = Array::read(&json["y"]).data;
    check_training(json, &optimizer, loss.into(), &Labels::numbers(&y));
    if Array::read(&json["x"]).shape[1] != 12 || json["batch_size"] != 8 {
        return no_type_of(&json["layers"]);
    }
    let ids: Vec<[u16; 12]> = Array::integers(&json["x"])
        .as_chunks()
        .0
        .iter()
        .map(|ids: &[i64; 12]| ids.map(|id| u16::try_from(id).expect("an id below 50")))
        .collect();
    let labels = y.as_chunks::<1>().0;
    let (mut model, mut expected) = (Model::<M>::zeroed(), Model::<M>::zeroed());
    load(&json["initial_weights"], &mut model);
    load(&json["final_weights"], &mut expected);
    let predictions = |model: &Model<M>| -> Vec<f32> {
        ids.iter().map(|ids| model.predict(ids).expect("valid ids")[0]).collect()
    };
    let data = |name: &str| Array::read(&json[name]).data;
    assert_close("first predictions", &predictions(&model), &data("initial_predictions"), 1e-6, 1e-5);

    let mut trainer = Trainer::<Model<M>, _, _, 8>::new(optimizer, loss);
    let mut losses = Vec::new();
    for _ in 0..json["epochs"].as_u64().expect("a count") {
        for (ids, labels) in ids.chunks(8).zip(labels.chunks(8)) {
            losses.push(trainer.step(&mut model, ids, labels).expect("valid examples").loss);
        }
    }
    trainer.flush(&mut model);
    assert_close("losses", &losses, &data("loss_before_each_step"), CURVE, 0.0);
    let Chain { first: embedding, second: Chain { first: lstm, second: dense } } = &model;
    let Chain { first: last_embedding, second: Chain { first: last_lstm, second: last_dense } } = &expected;
    let close = |what: &str, found: &[f32], expected: &[f32]| assert_close(what, found, expected, CURVE, 0.0);
    close("embeddings", embedding.rows.as_numbers(), last_embedding.rows.as_numbers());
    close("kernel", lstm.kernel.as_numbers(), last_lstm.kernel.as_numbers());
    let (found, last) = (&lstm.recurrent_kernel, &last_lstm.recurrent_kernel);
    close("recurrent kernel", found.as_numbers(), last.as_numbers());
    close("bias", lstm.bias.as_numbers(), last_lstm.bias.as_numbers());
    close("dense kernel", dense.kernel.as_numbers(), last_dense.kernel.as_numbers());
    close("dense bias", &dense.bias, &last_dense.bias);
    close("predictions", &predictions(&model), &data("final_predictions"));
    let report = trainer.evaluate(&model, &ids, labels).expect("valid examples");
    close("loss", &[report.loss], &[number(&json["final_evaluate"]["loss"])]);
    assert_close("accuracy", &[report.accuracy], &[number(&json["final_evaluate"]["accuracy"])], 1e-6, 0.0);
}
