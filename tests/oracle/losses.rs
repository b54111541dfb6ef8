//! Losses of Keras: cross-entropies from scores and from probabilities, with label smoothing, at the edges of what can be computed;
//! squared and absolute errors.

use crate::fixture::{Array, FORWARD, Fixture, GRADIENT, assert_close, list, number};
use nanoembed::layers::{ActivationFunction, Sigmoid, Softmax};
use nanoembed::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Loss, MeanAbsoluteError, MeanSquaredError, OnProbabilities,
    SparseCategoricalCrossEntropy,
};
use serde_json::Value;

pub(crate) fn losses(fixture: &Fixture) {
    for (place, case) in list(&fixture.0["cases"]).iter().enumerate() {
        let name = case["loss"].as_str().expect("a name");
        let what = format!("{name}, case {place} ({})", case["note"].as_str().unwrap_or("plain"));
        match (name, classes(&case["y_pred"])) {
            ("BinaryCrossentropy", 1) => binary::<1>(case, &what),
            ("BinaryCrossentropy", 3) => binary::<3>(case, &what),
            ("CategoricalCrossentropy", 4) => categorical::<4>(case, &what),
            ("SparseCategoricalCrossentropy", 4) => sparse::<4>(case, &what),
            ("MeanSquaredError", 1) => errors::<_, 1>(case, &what, &MeanSquaredError),
            ("MeanSquaredError", 4) => errors::<_, 4>(case, &what, &MeanSquaredError),
            ("MeanAbsoluteError", 1) => errors::<_, 1>(case, &what, &MeanAbsoluteError),
            ("MeanAbsoluteError", 4) => errors::<_, 4>(case, &what, &MeanAbsoluteError),
            other => panic!("{other:?}"),
        }
    }
    for case in list(&fixture.0["after_activation_graph_vs_eager"]) {
        let labels = &case["y_true"];
        match case["what"].as_str().expect("a name") {
            "sigmoid+BinaryCrossentropy" => {
                after_activation::<Sigmoid, _, 1>(case, BinaryCrossEntropy::default(), &vectors(labels));
            }
            "softmax+CategoricalCrossentropy" => {
                after_activation::<Softmax, _, 3>(case, CategoricalCrossEntropy::default(), &vectors(labels));
            }
            "softmax+SparseCategoricalCrossentropy" => {
                after_activation::<Softmax, _, 3>(case, SparseCategoricalCrossEntropy, &numbers(labels));
            }
            other => panic!("{other}"),
        }
    }
}

fn classes(value: &Value) -> usize {
    *Array::read(value).shape.last().expect("a shape")
}

fn vectors<const N: usize>(value: &Value) -> Vec<[f32; N]> {
    Array::read(value).data.as_chunks().0.to_vec()
}

fn numbers(value: &Value) -> Vec<u16> {
    Array::read(value).data.iter().map(|class| *class as u16).collect()
}

fn binary<const N: usize>(case: &Value, what: &str) {
    let loss = BinaryCrossEntropy { label_smoothing: number(&case["label_smoothing"]) };
    either(case, what, loss, &vectors::<N>(&case["y_true"]));
}

fn categorical<const K: usize>(case: &Value, what: &str) {
    let loss = CategoricalCrossEntropy { label_smoothing: number(&case["label_smoothing"]) };
    either(case, what, loss, &vectors::<K>(&case["y_true"]));
}

fn sparse<const K: usize>(case: &Value, what: &str) {
    either::<_, K>(case, what, SparseCategoricalCrossEntropy, &numbers(&case["y_true"]));
}

/// The case from scores or from probabilities, as it says.
fn either<L, const N: usize>(case: &Value, what: &str, loss: L, labels: &[L::Label])
where
    L: Loss<[f32; N]>,
    OnProbabilities<L>: Loss<[f32; N], Label = L::Label>,
{
    if case["from_logits"] == true {
        hold(case, what, &loss, labels);
    } else {
        hold(case, what, &OnProbabilities(loss), labels);
    }
}

fn errors<L: Loss<[f32; N], Label = [f32; N]>, const N: usize>(case: &Value, what: &str, loss: &L) {
    hold(case, what, loss, &vectors(&case["y_true"]));
}

/// Values of each example, their mean and its gradient, on the case's outputs.
fn hold<L: Loss<[f32; N]>, const N: usize>(case: &Value, what: &str, loss: &L, labels: &[L::Label]) {
    let (values, gradients) = evaluate(loss, &vectors(&case["y_pred"]), labels);
    assert_close(
        &format!("{what}, values"),
        &values,
        &Array::read(&case["value_per_sample"]).data,
        FORWARD.0,
        FORWARD.1,
    );
    assert_close(
        &format!("{what}, mean"),
        &[mean(&values)],
        &Array::read(&case["value_mean"]).data,
        FORWARD.0,
        FORWARD.1,
    );
    let expected = Array::read(&case["grad_y_pred"]).data;
    assert_close(&format!("{what}, gradient"), gradients.as_flattened(), &expected, GRADIENT.0, GRADIENT.1);
}

/// The loss of each example, and the gradient of the mean.
fn evaluate<L: Loss<[f32; N]>, const N: usize>(
    loss: &L,
    y: &[[f32; N]],
    labels: &[L::Label],
) -> (Vec<f32>, Vec<[f32; N]>) {
    assert_eq!(y.len(), labels.len());
    assert!(labels.iter().all(|label| loss.check_label(label).is_ok()));
    let examples = y.len() as f32;
    let one = |(y, label)| {
        let mut d_y = [f32::NAN; N];
        (loss.value_and_gradient(y, label, examples, &mut d_y), d_y)
    };
    y.iter().zip(labels).map(one).unzip()
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

/// Keras in graph mode, in `fit`, works from the scores as our fused form does; in eager mode from the activation's output.
fn after_activation<A, L, const N: usize>(case: &Value, loss: L, labels: &[L::Label])
where
    A: ActivationFunction,
    L: Loss<[f32; N]>,
    OnProbabilities<L>: Loss<[f32; N], Label = L::Label>,
{
    let what = case["what"].as_str().expect("a name");
    assert_eq!(L::FUSED_ACTIVATION, A::KIND, "{what}");
    let hold = |mode: &str, values: &[f32], gradients: &[[f32; N]]| {
        let expected = Array::read(&case[format!("value_{mode}_mode")]).data;
        assert_close(&format!("{what}, {mode} value"), &[mean(values)], &expected, FORWARD.0, FORWARD.1);
        let expected = Array::read(&case[format!("grad_logits_{mode}_mode")]).data;
        let what = format!("{what}, {mode} gradient");
        assert_close(&what, gradients.as_flattened(), &expected, GRADIENT.0, GRADIENT.1);
    };
    let scores = vectors(&case["logits"]);
    let (values, gradients) = evaluate(&loss, &scores, labels);
    hold("graph", &values, &gradients);

    let mut y = scores;
    for y in &mut y {
        A::activate(y);
    }
    let (values, mut gradients) = evaluate(&OnProbabilities(loss), &y, labels);
    y.iter().zip(&mut gradients).for_each(|(y, d_y)| A::activate_backward(y, d_y));
    hold("eager", &values, &gradients);
}
