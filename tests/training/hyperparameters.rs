//! Hyperparameters and schedules have ranges: what is outside, or excludes another, is named.

use nanoembed::error::OutOfRange;
use nanoembed::error::Range;
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AmsGrad, Clip, Clipped, CosineDecay, DecoupledDecay, Epsilon, Exact,
    ExponentialDecay, InverseTimeDecay, Momentum, Nadam, Optimizer, PiecewiseConstantDecay, PolynomialDecay,
    RmsProp, Schedule, Scheduled, Sgd,
};

#[test]
fn hyperparameters_have_ranges() {
    let found = |optimizer: &dyn Fn() -> Result<(), OutOfRange>| optimizer().unwrap_err().what;
    assert_eq!(found(&|| Sgd { learning_rate: f32::NAN }.check()), "learning_rate");
    assert_eq!(found(&|| Momentum { momentum: 1.0, ..Momentum::default() }.check()), "momentum");
    assert_eq!(found(&|| RmsProp { rho: -0.1, ..RmsProp::default() }.check()), "rho");
    let epsilon = Epsilon::OutsideRoot(0.0);
    assert_eq!(found(&|| AmsGrad(Adam { epsilon, ..Adam::default() }).check()), "epsilon");
    // The accumulator keeps the denominator from 0.
    assert_eq!(Adagrad { epsilon, ..Adagrad::default() }.check(), Ok(()));
    let decayed = DecoupledDecay { optimizer: Nadam::default(), weight_decay: -1.0 };
    assert_eq!(found(&|| Exact(decayed).check()), "weight_decay");
    let (optimizer, clip) = (Adadelta::default(), Clip::Norm(0.0));
    assert_eq!(found(&|| Clipped { optimizer, clip, keras3_duplicates: false }.check()), "clip");
    let error = OutOfRange { what: "rho", value: 1.0, range: Range::Fraction };
    assert_eq!(error.to_string(), "rho is 1, but must be in [0, 1)");
}

#[test]
fn hyperparameters_that_exclude_each_other_are_named() {
    let named = |found: Result<(), nanoembed::error::OutOfRange>| found.unwrap_err().what;
    assert_eq!(named(Adam { beta_1: 0.9, beta_2: 0.5, ..Adam::default() }.check()), "beta_2");
    assert_eq!(named(Nadam { beta_1: 0.9, beta_2: 0.5, ..Nadam::default() }.check()), "beta_2");
    let epsilon = Epsilon::OutsideRoot(-3.0);
    assert_eq!(named(Adagrad { initial_accumulator: 4.0, epsilon, ..Adagrad::default() }.check()), "epsilon");
    let both = Momentum { nesterov: true, dampening: 0.5, ..Momentum::default() };
    assert_eq!(named(both.check()), "dampening");
}

/// No rate is above the largest, whether rates fall or rise.
#[test]
fn rates_of_schedules_are_bounded() {
    fn hold(schedule: impl Schedule, rises: bool) {
        schedule.check().unwrap();
        let rates: Vec<f32> = (0..300).chain([1 << 20, u32::MAX]).map(|steps| schedule.rate(steps)).collect();
        assert!(rates.iter().all(|rate| *rate <= schedule.largest()), "{} {rates:?}", schedule.largest());
        assert_eq!(rates.windows(2).any(|pair| pair[1] > pair[0]), rises, "{rates:?}");
    }
    let (initial_learning_rate, decay_steps) = (0.1, 97);
    hold(0.3, false);
    for staircase in [false, true] {
        for decay_rate in [0.5, 1.0] {
            hold(ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase }, false);
        }
        hold(ExponentialDecay { initial_learning_rate, decay_steps, decay_rate: 1.1, staircase }, true);
        hold(InverseTimeDecay { initial_learning_rate, decay_steps, decay_rate: 2.0, staircase }, false);
    }
    for power in [0.5, 1.0, 2.0] {
        for end_learning_rate in [0.0, 0.03, 0.3] {
            let schedule = PolynomialDecay { initial_learning_rate, decay_steps, end_learning_rate, power };
            hold(schedule, end_learning_rate > initial_learning_rate);
        }
    }
    for alpha in [0.0, 0.3, 1.0] {
        hold(CosineDecay { initial_learning_rate, decay_steps, alpha }, false);
    }
    let boundaries = [2, 100];
    hold(PiecewiseConstantDecay { boundaries, values: [0.3, 0.2], last_value: 0.1 }, false);
    hold(PiecewiseConstantDecay { boundaries, values: [0.1, 0.3], last_value: 0.2 }, true);
    hold(PiecewiseConstantDecay { boundaries: [], values: [], last_value: 0.2 }, false);

    let named = |found: Result<(), OutOfRange>| found.unwrap_err().what;
    let cosine = CosineDecay { initial_learning_rate, decay_steps, alpha: 1.1 };
    assert_eq!(named(cosine.check()), "alpha");
    let schedule = CosineDecay { decay_steps: 0, alpha: 0.0, ..cosine };
    assert_eq!(named(Exact(Scheduled { optimizer: Adam::default(), schedule }).check()), "decay_steps");
    let falling = PiecewiseConstantDecay { boundaries: [9, 9], values: [0.1; 2], last_value: 0.1 };
    assert_eq!(named(falling.check()), "boundaries");
    let optimizer = Adam { beta_1: 1.0, ..Adam::default() };
    assert_eq!(named(Scheduled { optimizer, schedule: 0.1 }.check()), "beta_1");
}
