//! Whole trainings of any model whose parameters lie in memory as Keras lists them, from its initial weights through the same batches
//! to its losses, weights and predictions.

use crate::common::parameters;
use crate::fixture::{Array, Fixture, assert_close, number};
use crate::run_time::{check_training, no_type_of};
use nanoembed::layers::{Dense, Embedding, Flatten, Layer, Softmax};
use nanoembed::loss::{Labels, Loss, MeanSquaredError, SparseCategoricalCrossEntropy};
use nanoembed::optim::{Adam, Epsilon, Exact, Optimizer, Sgd};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use serde_json::Value;

/// The tolerance of training curves.
const CURVE: f32 = 1e-4;
const BATCH: usize = 8;

type Ids = [u16; 12];

pub(crate) fn flatten_linear_mse_sgd(fixture: &Fixture) {
    type Model = sequential![Embedding<12, 50, 4>, Flatten<12, 4, 48>, Dense<48, 1>];
    let optimizer = Sgd { learning_rate: number(&fixture.0["optimizer_config"]["learning_rate"]) };
    let y = Array::read(&fixture.0["y"]).data;
    check_training(&fixture.0, &optimizer, MeanSquaredError.into(), &Labels::numbers(&y));
    let labels = y.as_chunks().0.to_vec();
    train::<Model, _, _>(&fixture.0, optimizer, MeanSquaredError, &labels);
}

pub(crate) fn flatten_softmax_sparse_categorical_adam(fixture: &Fixture) {
    type Model = sequential![Embedding<12, 50, 4>, Flatten<12, 4, 48>, Dense<48, 3, Softmax>];
    let config = &fixture.0["optimizer_config"];
    let optimizer = Exact(Adam {
        learning_rate: number(&config["learning_rate"]),
        beta_1: number(&config["beta_1"]),
        beta_2: number(&config["beta_2"]),
        epsilon: Epsilon::OutsideRoot(number(&config["epsilon"])),
        keras3_duplicates: true,
    });
    let labels: Vec<u16> = Array::integers(&fixture.0["y"]).into_iter().map(|class| class as u16).collect();
    let loss = SparseCategoricalCrossEntropy;
    check_training(&fixture.0, &optimizer, loss.into(), &Labels::classes(&labels));
    train::<Model, _, _>(&fixture.0, optimizer, loss, &labels);
}

/// The weights `which` of the fixture, one after the other.
fn weights(json: &Value, which: &str) -> Vec<f32> {
    let names = json["weight_names"].as_array().expect("names");
    names.iter().flat_map(|name| Array::read(&json[which][name.as_str().expect("a name")]).data).collect()
}

fn train<M, O, L>(json: &Value, optimizer: O, loss: L, labels: &[L::Label])
where
    M: Layer<Input = Ids>,
    M::Output: Numbers,
    O: Optimizer,
    L: Loss<M::Output>,
{
    if Array::read(&json["x"]).shape[1] != 12 || json["batch_size"] != BATCH {
        return no_type_of(&json["layers"]);
    }
    let ids: Vec<Ids> = Array::integers(&json["x"])
        .chunks(12)
        .map(|ids| ids.iter().map(|id| *id as u16).collect::<Vec<_>>().try_into().expect("12 ids"))
        .collect();
    let hold_predictions = |model: &M, which: &str, absolute, relative| {
        let y: Vec<M::Output> = ids.iter().map(|ids| model.predict(ids).expect("valid ids")).collect();
        let found: Vec<f32> = y.iter().flat_map(Numbers::as_numbers).copied().collect();
        assert_close(which, &found, &Array::read(&json[which]).data, absolute, relative);
    };

    let mut model = M::zeroed();
    let mut initial = weights(json, "initial_weights").into_iter();
    model.visit_mut(&mut |part| {
        for bytes in part.as_chunks_mut().0 {
            *bytes = initial.next().expect("as many weights as the model has").to_le_bytes();
        }
    });
    assert_eq!(initial.next(), None);
    hold_predictions(&model, "initial_predictions", 1e-6, 1e-5);

    let mut trainer = Trainer::<M, O, L, BATCH>::new(optimizer, loss);
    trainer.set_shuffle(false);
    let mut steps = Vec::new();
    let (mut losses, mut accuracies) = (Vec::new(), Vec::new());
    for _ in 0..json["epochs"].as_u64().expect("epochs") {
        let (mut loss, mut accuracy) = (0.0, 0.0);
        for (ids, labels) in ids.chunks(BATCH).zip(labels.chunks(BATCH)) {
            let report = trainer.step(&mut model, ids, labels).expect("valid examples");
            loss += report.loss * ids.len() as f32;
            accuracy += report.accuracy * ids.len() as f32;
            steps.push(report.loss);
        }
        losses.push(loss / ids.len() as f32);
        accuracies.push(accuracy / ids.len() as f32);
    }
    trainer.flush(&mut model);
    assert_close("steps", &steps, &Array::read(&json["loss_before_each_step"]).data, CURVE, 0.0);
    assert_close("losses", &losses, &Array::read(&json["fit_epoch_loss"]).data, CURVE, 0.0);
    assert_close("accuracies", &accuracies, &Array::read(&json["fit_epoch_accuracy"]).data, 1e-6, 0.0);
    assert_close("weights", &parameters(&model), &weights(json, "final_weights"), CURVE, 0.0);
    hold_predictions(&model, "final_predictions", CURVE, 0.0);
    let report = trainer.evaluate(&model, &ids, labels).expect("valid examples");
    assert_close("loss", &[report.loss], &[number(&json["final_evaluate"]["loss"])], CURVE, 0.0);
    assert_close("accuracy", &[report.accuracy], &[number(&json["final_evaluate"]["accuracy"])], 1e-6, 0.0);
}
