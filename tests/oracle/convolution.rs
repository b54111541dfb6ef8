//! `Conv1D`: outputs and gradients of Keras; and whole trainings of models of sequences.

use crate::fixture::{Array, FORWARD, Fixture, GRADIENT, assert_close, list, number};
use crate::run_time::{self, check_layer, no_type_of};
use nanoembed::internals::ConvPadding;
use nanoembed::layers::options::{Causal, HonourMask, Same, Valid};
use nanoembed::layers::{
    ActivationFunction, Conv1D, Dense, Embedding, GlobalMaxPooling1D, Identity, Layer, Parameters, Relu,
    Sigmoid,
};
use nanoembed::loss::{BinaryCrossEntropy, Labels};
use nanoembed::models::{LayerKind, Record};
use nanoembed::optim::{Adam, Epsilon, Exact, Optimizer, Sgd};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use serde_json::Value;
use zerocopy::FromZeros;

/// As many examples as the largest case has.
const BATCH: usize = 2;

pub(crate) fn forward_and_gradients(fixture: &Fixture) {
    for case in list(&fixture.0["cases"]) {
        match case["activation"].as_str().expect("a name") {
            "linear" => padding::<Identity>(case),
            "relu" => padding::<Relu>(case),
            // At run time there is each.
            _ => no_type_of(&case["activation"]),
        }
        at_run_time(case);
    }
}

fn at_run_time(case: &Value) {
    let [len, inputs, filters, taps, _, stride, dilation] = sizes(case);
    let options = [run_time::padding(&case["padding"]), run_time::activation(&case["activation"]), 0];
    let layer = Record::new(LayerKind::Conv1D, &[len, inputs, filters, taps, stride, dilation]);
    let x = Array::read(&case["input"]);
    check_layer(
        &format!("{} {:?}", case["padding"], sizes(case)),
        layer.options(options),
        (&x, case),
        &["kernel", "bias"],
        None,
    );
}

/// Chooses the layer's type by padding, and then by shape.
fn padding<A: ActivationFunction>(case: &Value) {
    match (case["padding"].as_str().expect("a name"), sizes(case)) {
        ("valid", [9, 3, 4, 3, 7, 1, 1]) => check::<9, 3, 4, 3, 7, A, Valid, 1, 1>(case),
        ("valid", [9, 3, 4, 4, 6, 1, 1]) => check::<9, 3, 4, 4, 6, A, Valid, 1, 1>(case),
        ("valid", [9, 3, 4, 3, 4, 2, 1]) => check::<9, 3, 4, 3, 4, A, Valid, 2, 1>(case),
        ("valid", [9, 3, 4, 4, 3, 2, 1]) => check::<9, 3, 4, 4, 3, A, Valid, 2, 1>(case),
        ("valid", [9, 3, 4, 3, 5, 1, 2]) => check::<9, 3, 4, 3, 5, A, Valid, 1, 2>(case),
        ("valid", [5, 1, 1, 5, 1, 1, 1]) => check::<5, 1, 1, 5, 1, A, Valid, 1, 1>(case),
        ("valid", [12, 16, 17, 5, 8, 1, 1]) => check::<12, 16, 17, 5, 8, A, Valid, 1, 1>(case),
        ("valid", [3, 2, 3, 1, 3, 1, 1]) => check::<3, 2, 3, 1, 3, A, Valid, 1, 1>(case),
        ("same", sizes) => as_long::<A, Same>(case, sizes),
        ("causal", sizes) => as_long::<A, Causal>(case, sizes),
        other => no_type_of(other),
    }
}

fn as_long<A: ActivationFunction, P: ConvPadding>(case: &Value, sizes: [usize; 7]) {
    match sizes {
        [9, 3, 4, 3, 9, 1, 1] => check::<9, 3, 4, 3, 9, A, P, 1, 1>(case),
        [9, 3, 4, 4, 9, 1, 1] => check::<9, 3, 4, 4, 9, A, P, 1, 1>(case),
        [9, 3, 4, 3, 5, 2, 1] => check::<9, 3, 4, 3, 5, A, P, 2, 1>(case),
        [9, 3, 4, 4, 5, 2, 1] => check::<9, 3, 4, 4, 5, A, P, 2, 1>(case),
        [9, 3, 4, 3, 9, 1, 2] => check::<9, 3, 4, 3, 9, A, P, 1, 2>(case),
        other => no_type_of(other),
    }
}

/// Length, inputs, filters, kernel, length of the output, stride, dilation.
fn sizes(case: &Value) -> [usize; 7] {
    let shape = |name: &str| Array::read(&case[name]).shape;
    let size = |name: &str| case[name].as_u64().expect("a size") as usize;
    let (input, kernel, output) = (shape("input"), shape("kernel"), shape("output"));
    [input[1], input[2], kernel[2], kernel[0], output[1], size("strides"), size("dilation_rate")]
}

/// Sequences from the numbers of a fixture.
pub(crate) fn sequences<const DIM: usize, const LEN: usize>(value: &Value) -> Vec<[[f32; DIM]; LEN]> {
    Array::read(value).data.as_chunks::<DIM>().0.as_chunks::<LEN>().0.to_vec()
}

fn check<
    const LEN: usize,
    const IN: usize,
    const FILTERS: usize,
    const KERNEL: usize,
    const OUT: usize,
    A: ActivationFunction,
    P: ConvPadding,
    const STRIDE: usize,
    const DILATION: usize,
>(
    case: &Value,
) {
    macro_rules! layer {
        () => { Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, HonourMask, STRIDE, DILATION> };
    }
    let what = |part: &str| format!("{} {:?} {} {part}", A::KIND.name(), sizes(case), P::KIND.name());
    let data = |name: &str| Array::read(&case[name]).data;
    let mut layer = <layer!()>::zeroed();
    layer.kernel.as_numbers_mut().copy_from_slice(&data("kernel"));
    layer.bias.copy_from_slice(&data("bias"));
    let (x, d_y) = (sequences::<IN, LEN>(&case["input"]), sequences::<FILTERS, OUT>(&case["cotangent"]));
    let mut y = vec![[[0.0; FILTERS]; OUT]; x.len()];
    let close = |part: &str, found: &[f32], name: &str, (absolute, relative): (f32, f32)| {
        assert_close(&what(part), found, &data(name), absolute, relative);
    };
    layer.predict_batch::<BATCH>(&x, &mut (), &mut y).expect("a batch");
    close("output of predict", y.as_flattened().as_flattened(), "output", FORWARD);

    let masks = vec![[true; LEN]; x.len()];
    let mut gradient = <layer!() as Parameters>::Gradient::<BATCH>::new_zeroed();
    let pass = crate::common::pass::pass::<layer!(), BATCH>(&layer, &x, &masks, &d_y, Some(&mut gradient));
    close("output of forward", pass.y.as_flattened().as_flattened(), "output", FORWARD);
    close("gradient of the input", pass.d_x.as_flattened().as_flattened(), "grad_input", GRADIENT);

    // A step of size 1 from zero leaves the negative gradient.
    let (mut stepped, mut slots) =
        (<layer!()>::zeroed(), <layer!() as Parameters>::Slots::<Sgd>::new_zeroed());
    let sgd = Sgd { learning_rate: 1.0 };
    stepped.step::<Sgd, BATCH>(&sgd, sgd.step(1), &mut gradient, &mut slots);
    let negative = |values: &[f32]| values.iter().map(|x| -x).collect::<Vec<_>>();
    close("gradient of the kernel", &negative(stepped.kernel.as_numbers()), "grad_kernel", GRADIENT);
    close("gradient of the bias", &negative(&stepped.bias), "grad_bias", GRADIENT);
}

type Small = sequential![Embedding<12, 50, 4>, Conv1D<12, 4, 6, 3, 10, Relu>, GlobalMaxPooling1D<10, 6>, Dense<6, 1, Sigmoid>];
type TwoDense = sequential![
    Embedding<12, 50, 4>,
    Conv1D<12, 4, 6, 3, 10, Relu>,
    GlobalMaxPooling1D<10, 6>,
    Dense<6, 10, Relu>,
    Dense<10, 1, Sigmoid>
];

pub(crate) fn train_small(fixture: &Fixture) {
    train::<Small>(fixture);
}

pub(crate) fn train_two_dense(fixture: &Fixture) {
    train::<TwoDense>(fixture);
}

/// The model with the weights of a fixture, in the order in which they lie in memory, which is Keras'.
fn model_of<M: Layer>(fixture: &Value, weights: &str) -> M {
    let mut names = list(&fixture["weight_names"]).iter();
    let mut model = M::zeroed();
    model.visit_mut(&mut |part| {
        let name = names.next().and_then(Value::as_str).expect("a weight for each part");
        let numbers = Array::read(&fixture[weights][name]).data;
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        part.copy_from_slice(&bytes);
    });
    assert_eq!(names.next(), None, "a part for each weight");
    model
}

/// Trains with Keras' Adam as a fixture says; losses, weights and predictions are Keras'.
pub(crate) fn train<M: Layer<Input = [u16; 12], Output = [f32; 1]>>(fixture: &Fixture) {
    const CURVE: f32 = 1e-4;
    const BATCH: usize = 8;
    let json = &fixture.0;
    let config = &json["optimizer_config"];
    let adam = Adam {
        learning_rate: number(&config["learning_rate"]),
        beta_1: number(&config["beta_1"]),
        beta_2: number(&config["beta_2"]),
        epsilon: Epsilon::OutsideRoot(number(&config["epsilon"])),
        keras3_duplicates: true,
    };
    let data = |name: &str| Array::read(&json[name]).data;
    let loss = BinaryCrossEntropy::default();
    run_time::check_training(json, &Exact(adam), loss.into(), &Labels::numbers(&data("y")));
    if Array::read(&json["x"]).shape[1] != 12 || json["batch_size"] != BATCH {
        return no_type_of(&json["layers"]);
    }
    let ids: Vec<u16> = Array::integers(&json["x"]).into_iter().map(|id| id as u16).collect();
    let (ids, labels) = (ids.as_chunks::<12>().0, data("y"));
    let labels = labels.as_chunks::<1>().0;

    let (mut model, expected) =
        (model_of::<M>(json, "initial_weights"), model_of::<M>(json, "final_weights"));
    let mut trainer = Trainer::<M, _, _, BATCH>::new(Exact(adam), loss);
    let mut predictions = vec![[0.0]; ids.len()];
    trainer.predict(&model, ids, &mut predictions).expect("valid ids");
    let (absolute, relative) = FORWARD;
    assert_close(
        "initial predictions",
        predictions.as_flattened(),
        &data("initial_predictions"),
        absolute,
        relative,
    );

    let mut losses = Vec::new();
    for _ in 0..json["epochs"].as_u64().expect("epochs") {
        for (ids, labels) in ids.chunks(BATCH).zip(labels.chunks(BATCH)) {
            losses.push(trainer.step(&mut model, ids, labels).expect("valid examples").loss);
        }
    }
    trainer.flush(&mut model);
    assert_close("losses", &losses, &data("loss_before_each_step"), CURVE, 0.0);
    let weights = |model: &M| {
        let mut numbers = Vec::new();
        model.visit(&mut |part| {
            numbers.extend(part.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        });
        numbers
    };
    assert_close("weights", &weights(&model), &weights(&expected), CURVE, 0.0);
    trainer.predict(&model, ids, &mut predictions).expect("valid ids");
    assert_close("predictions", predictions.as_flattened(), &data("final_predictions"), CURVE, 0.0);
    let report = trainer.evaluate(&model, ids, labels).expect("valid examples");
    assert_close("loss", &[report.loss], &[number(&json["final_evaluate"]["loss"])], CURVE, 0.0);
    assert_close("accuracy", &[report.accuracy], &[number(&json["final_evaluate"]["accuracy"])], 1e-6, 0.0);
}
