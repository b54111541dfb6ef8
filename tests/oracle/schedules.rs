//! Learning-rate schedules of Keras at some steps.

use crate::fixture::{Array, FORWARD, Fixture, assert_close, integers, list, number};
use nanoembed::optim::{
    CosineDecay, ExponentialDecay, InverseTimeDecay, Optimizer, PiecewiseConstantDecay, PolynomialDecay,
    Schedule, Scheduled, Sgd,
};
use serde_json::Value;

pub(crate) fn rates(fixture: &Fixture) {
    for case in list(&fixture.0["cases"]) {
        let config = &case["config"];
        let float = |name: &str| number(&config[name]);
        let (initial_learning_rate, decay_steps) = (
            config.get("initial_learning_rate").map_or(0.0, number),
            config["decay_steps"].as_u64().unwrap_or(1) as u32,
        );
        let staircase = config["staircase"] == true;
        match case["schedule"].as_str().expect("a name") {
            "ExponentialDecay" => {
                let decay_rate = float("decay_rate");
                hold(case, ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase });
            }
            "PiecewiseConstantDecay" => {
                let boundaries =
                    integers(&config["boundaries"]).iter().map(|b| *b as u32).collect::<Vec<_>>();
                let values: Vec<f32> = list(&config["values"]).iter().map(number).collect();
                let (values, last_value) = (*values.first_chunk().expect("values"), values[2]);
                let boundaries: [u32; 2] = boundaries.try_into().expect("2 boundaries");
                hold(case, PiecewiseConstantDecay { boundaries, values, last_value });
            }
            "PolynomialDecay" => {
                let (end_learning_rate, power) = (float("end_learning_rate"), float("power"));
                hold(case, PolynomialDecay { initial_learning_rate, decay_steps, end_learning_rate, power });
            }
            "InverseTimeDecay" => {
                let decay_rate = float("decay_rate");
                hold(case, InverseTimeDecay { initial_learning_rate, decay_steps, decay_rate, staircase });
            }
            "CosineDecay" => {
                hold(case, CosineDecay { initial_learning_rate, decay_steps, alpha: float("alpha") });
            }
            other => panic!("{other}"),
        }
    }
}

/// The rates of the case, by themselves and as those of an optimizer, whose steps count from 1.
fn hold(case: &Value, schedule: impl Schedule) {
    let what = case["schedule"].as_str().expect("a name");
    assert!(schedule.check().is_ok(), "{what}");
    let sgd = Scheduled { optimizer: Sgd::default(), schedule };
    let steps = integers(&case["steps"]).into_iter().map(|step| step as u32);
    let rates: Vec<f32> = steps
        .map(|steps| {
            let rate = schedule.rate(steps);
            assert!(rate <= schedule.largest(), "{what}: {rate} after {steps} steps");
            assert_eq!(sgd.learning_rate(steps + 1), rate, "{what}");
            rate
        })
        .collect();
    assert_close(what, &rates, &Array::read(&case["rates"]).data, 1e-9, FORWARD.1);
}
