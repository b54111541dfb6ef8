//! Whole trainings: from Keras' initial weights through the same batches to its losses, weights and predictions.

use crate::fixture::{Array, Fixture, assert_close, number};
use crate::run_time::{check_training, no_type_of};
use nanoembed::layers::{Chain, Dense, Embedding, Flatten, Layer, Sigmoid};
use nanoembed::loss::{BinaryCrossEntropy, Labels};
use nanoembed::optim::{
    Adagrad, Adam, AdamW, AmsGrad, Clip, Clipped, Epsilon, Exact, Momentum, Optimizer, RmsProp,
};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::train::Trainer;
use serde_json::Value;

/// The tolerance of training curves.
pub(crate) const CURVE: f32 = 1e-4;

type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];

pub(crate) fn adam(config: &Value) -> Adam {
    Adam {
        learning_rate: number(&config["learning_rate"]),
        beta_1: number(&config["beta_1"]),
        beta_2: number(&config["beta_2"]),
        epsilon: Epsilon::OutsideRoot(number(&config["epsilon"])),
        keras3_duplicates: true,
    }
}

fn momentum(config: &Value) -> Momentum {
    Momentum {
        learning_rate: number(&config["learning_rate"]),
        momentum: number(&config["momentum"]),
        dampening: 0.0,
        nesterov: config["nesterov"].as_bool().expect("nesterov"),
    }
}

pub(crate) fn reviews_adam_onebatch(fixture: &Fixture) {
    reviews::<_, 10>(fixture, Exact(adam(&fixture.0["optimizer_config"])));
}

pub(crate) fn reviews_adam_batch4(fixture: &Fixture) {
    reviews::<_, 4>(fixture, Exact(adam(&fixture.0["optimizer_config"])));
}

pub(crate) fn reviews_momentum_batch4(fixture: &Fixture) {
    reviews::<_, 4>(fixture, Exact(momentum(&fixture.0["optimizer_config"])));
}

pub(crate) fn reviews_adagrad_batch4(fixture: &Fixture) {
    let config = &fixture.0["optimizer_config"];
    let optimizer = Adagrad {
        learning_rate: number(&config["learning_rate"]),
        initial_accumulator: number(&config["initial_accumulator_value"]),
        epsilon: Epsilon::InsideRoot(number(&config["epsilon"])),
        keras3_duplicates: true,
        ..Adagrad::default()
    };
    // Rows that do not occur stay: the lazy form is the exact one.
    reviews::<_, 4>(fixture, optimizer);
}

pub(crate) fn reviews_amsgrad_batch4(fixture: &Fixture) {
    reviews::<_, 4>(fixture, Exact(AmsGrad(adam(&fixture.0["optimizer_config"]))));
}

pub(crate) fn reviews_adamw_clipnorm_batch4(fixture: &Fixture) {
    let config = &fixture.0["optimizer_config"];
    let optimizer = AdamW { optimizer: adam(config), weight_decay: number(&config["weight_decay"]) };
    let clip = Clip::Norm(number(&config["clipnorm"]));
    reviews::<_, 4>(fixture, Exact(Clipped { optimizer, clip, keras3_duplicates: true }));
}

pub(crate) fn reviews_rmsprop_batch4(fixture: &Fixture) {
    let config = &fixture.0["optimizer_config"];
    let optimizer = RmsProp {
        learning_rate: number(&config["learning_rate"]),
        rho: number(&config["rho"]),
        epsilon: Epsilon::InsideRoot(number(&config["epsilon"])),
        keras3_duplicates: true,
    };
    reviews::<_, 4>(fixture, Exact(optimizer));
}

fn load(weights: &Value, model: &mut Reviews) {
    let Chain { first: embedding, second: Chain { second: dense, .. } } = model;
    // Keras numbers its layers: `sequential_3/dense_3/kernel`.
    let read = |variable: &str| {
        let weights = weights.as_object().expect("weights by name");
        let (_, values) = weights.iter().find(|(name, _)| name.ends_with(variable)).expect(variable);
        Array::read(values).data
    };
    embedding.rows.as_numbers_mut().copy_from_slice(&read("/embeddings"));
    dense.kernel.as_numbers_mut().copy_from_slice(&read("/kernel"));
    dense.bias.copy_from_slice(&read("/bias"));
}

fn predictions(model: &Reviews, ids: &[[u16; 4]]) -> Vec<f32> {
    ids.iter().map(|ids| model.predict(ids).expect("valid ids")[0]).collect()
}

fn reviews<O: Optimizer, const BATCH: usize>(fixture: &Fixture, optimizer: O) {
    let json = &fixture.0;
    let y = Array::read(&json["y"]).data;
    check_training(json, &optimizer, BinaryCrossEntropy::default().into(), &Labels::numbers(&y));
    if Array::read(&json["x"]).shape[1] != 4 {
        return no_type_of(&json["layers"]);
    }
    let ids: Vec<[u16; 4]> =
        Array::integers(&json["x"]).chunks(4).map(|ids| [0, 1, 2, 3].map(|i| ids[i] as u16)).collect();
    let labels: Vec<[f32; 1]> = y.into_iter().map(|label| [label]).collect();
    let losses = Array::read(&json["loss_before_each_step"]).data;
    let epochs = json["epochs"].as_u64().expect("epochs") as usize;
    assert_eq!(losses.len(), epochs * ids.len().div_ceil(BATCH), "steps");

    let (mut model, mut expected) = (Reviews::zeroed(), Reviews::zeroed());
    load(&json["initial_weights"], &mut model);
    load(&json["final_weights"], &mut expected);
    assert_close(
        "initial predictions",
        &predictions(&model, &ids),
        &Array::read(&json["initial_predictions"]).data,
        1e-6,
        1e-5,
    );

    let mut trainer = Trainer::<Reviews, O, _, BATCH>::new(optimizer, BinaryCrossEntropy::default());
    trainer.set_shuffle(false);
    let mut found = Vec::new();
    for epoch in 0..epochs {
        for (ids, labels) in ids.chunks(BATCH).zip(labels.chunks(BATCH)) {
            found.push(trainer.step(&mut model, ids, labels).expect("valid examples").loss);
        }
        let report = json["fit_epoch_loss"]["data"].get(epoch).map(number);
        let of_epoch = &found[found.len() - ids.len().div_ceil(BATCH)..];
        let weighted: f32 =
            of_epoch.iter().zip(ids.chunks(BATCH)).map(|(loss, ids)| loss * ids.len() as f32).sum();
        assert_close(
            "epoch loss",
            &[weighted / ids.len() as f32],
            &[report.expect("a loss an epoch")],
            CURVE,
            0.0,
        );
    }
    trainer.flush(&mut model);
    assert_close("losses", &found, &losses, CURVE, 0.0);

    let Chain { first: embedding, second: Chain { second: dense, .. } } = &model;
    let Chain { first: expected_embedding, second: Chain { second: expected_dense, .. } } = &expected;
    assert_close("embeddings", embedding.rows.as_numbers(), expected_embedding.rows.as_numbers(), CURVE, 0.0);
    assert_close("kernel", dense.kernel.as_numbers(), expected_dense.kernel.as_numbers(), CURVE, 0.0);
    assert_close("bias", &dense.bias, &expected_dense.bias, CURVE, 0.0);
    assert_close(
        "predictions",
        &predictions(&model, &ids),
        &Array::read(&json["final_predictions"]).data,
        CURVE,
        0.0,
    );
    let report = trainer.evaluate(&model, &ids, &labels).expect("valid examples");
    assert_close("loss", &[report.loss], &[number(&json["final_evaluate"]["loss"])], CURVE, 0.0);
    assert_close("accuracy", &[report.accuracy], &[number(&json["final_evaluate"]["accuracy"])], 1e-6, 0.0);
}
