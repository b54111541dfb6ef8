//! `Dense` with each activation: outputs and gradients of Keras.

use crate::fixture::{Array, FORWARD, Fixture, GRADIENT, assert_close, list};
use crate::run_time::{activation, check_layer, no_type_of};
use nanoembed::layers::{
    ActivationFunction, Bytes, Dense, Identity, Layer, Parameters, Relu, Sigmoid, Softmax, Tanh,
};
use nanoembed::models::{LayerKind, Record};
use nanoembed::optim::{Optimizer, Sgd};
use nanoembed::table::Numbers;
use serde_json::Value;

/// As many examples as the largest case has, those of all positions of a sequence together.
const BATCH: usize = 6;

pub(crate) fn forward_and_gradients(fixture: &Fixture) {
    for case in list(&fixture.0["cases"]) {
        match case["activation"].as_str().expect("a name") {
            "linear" => shape::<Identity>(case),
            "relu" => shape::<Relu>(case),
            "sigmoid" => shape::<Sigmoid>(case),
            "softmax" => classes(case),
            "tanh" => shape::<Tanh>(case),
            other => panic!("activation {other}"),
        }
        at_run_time(case);
    }
}

fn at_run_time(case: &Value) {
    let [inputs, units] = Array::read(&case["kernel"]).shape[..] else { panic!("a kernel has two extents") };
    if case["activation"] == "softmax" && units == 1 {
        return;
    }
    // A sequence is a batch of its steps.
    let mut x = Array::read(&case["input"]);
    x.shape = vec![x.data.len() / inputs, inputs];
    let layer =
        Record::new(LayerKind::Dense, &[inputs, units]).options([0, activation(&case["activation"]), 0]);
    check_layer(&format!("Dense {inputs} x {units}"), layer, (&x, case), &["kernel", "bias"], None);
}

/// Chooses the layer's type by the shape of the kernel.
fn shape<A: ActivationFunction>(case: &Value) {
    match Array::read(&case["kernel"]).shape[..] {
        [32, 1] => check::<32, 1, A>(case),
        _ => several::<A>(case),
    }
}

/// A softmax; over one unit it does not compile here, for in Keras it is always 1.
fn classes(case: &Value) {
    match Array::read(&case["kernel"]).shape[..] {
        [_, 1] => assert!(Array::read(&case["output"]).data.iter().all(|y| *y == 1.0)),
        _ => several::<Softmax>(case),
    }
}

/// The same for several units.
fn several<A: ActivationFunction>(case: &Value) {
    match Array::read(&case["kernel"]).shape[..] {
        [2, 2] => check::<2, 2, A>(case),
        [5, 3] => check::<5, 3, A>(case),
        [5, 4] => check::<5, 4, A>(case),
        [6, 3] => check::<6, 3, A>(case),
        [17, 19] => check::<17, 19, A>(case),
        ref other => no_type_of(other),
    }
}

fn rows<const N: usize>(value: &Value) -> Vec<[f32; N]> {
    Array::read(value).data.as_chunks().0.to_vec()
}

fn check<const IN: usize, const OUT: usize, A: ActivationFunction>(case: &Value) {
    let what = |part: &str| format!("{} [{IN}, {OUT}] {part}", A::KIND.name());
    let data = |name: &str| Array::read(&case[name]).data;
    let mut layer = Dense::<IN, OUT, A>::zeroed();
    layer.kernel.as_numbers_mut().copy_from_slice(&data("kernel"));
    if case["use_bias"] == true {
        layer.bias.copy_from_slice(&data("bias"));
    }
    // A sequence is a batch of its steps.
    let (x, d_y) = (rows::<IN>(&case["input"]), rows::<OUT>(&case["cotangent"]));
    let mut y = vec![[0.0; OUT]; x.len()];
    let masks = vec![(); x.len()];
    layer.predict_batch::<BATCH>(&x, &mut (), &mut y).expect("a batch");
    assert_close(&what("output of predict"), y.as_flattened(), &data("output"), FORWARD.0, FORWARD.1);

    let mut gradient =
        <<Dense<IN, OUT, A> as Parameters>::Gradient<BATCH> as zerocopy::FromZeros>::new_zeroed();
    let pass =
        crate::common::pass::pass::<Dense<IN, OUT, A>, BATCH>(&layer, &x, &masks, &d_y, Some(&mut gradient));
    assert_close(&what("output of forward"), pass.y.as_flattened(), &data("output"), FORWARD.0, FORWARD.1);
    assert_close(
        &what("gradient of the input"),
        pass.d_x.as_flattened(),
        &data("grad_input"),
        GRADIENT.0,
        GRADIENT.1,
    );

    // A step of size 1 from zero leaves the negative gradient.
    let mut stepped = Dense::<IN, OUT, A>::zeroed();
    let mut slots = <<Dense<IN, OUT, A> as Parameters>::Slots<Sgd> as zerocopy::FromZeros>::new_zeroed();
    let sgd = Sgd { learning_rate: 1.0 };
    stepped.step::<Sgd, BATCH>(&sgd, sgd.step(1), &mut gradient, &mut slots);
    let negative = |values: &[f32]| values.iter().map(|x| -x).collect::<Vec<_>>();
    let kernel = negative(stepped.kernel.as_numbers());
    assert_close(&what("gradient of the kernel"), &kernel, &data("grad_kernel"), GRADIENT.0, GRADIENT.1);
    if case["use_bias"] == true {
        let bias = negative(&stepped.bias);
        assert_close(&what("gradient of the bias"), &bias, &data("grad_bias"), GRADIENT.0, GRADIENT.1);
    }
    assert_eq!(<Dense<IN, OUT, A> as Bytes>::BYTES, 4 * (IN * OUT + OUT));
}
