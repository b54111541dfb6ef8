//! Every optimizer, in all its forms, as a value that a trainer at run time is given.

use super::learns;
use crate::common::run_time::ROWS;
use nanoembed::keras::Keras;
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{Conv1D, Dense, Embedding, GlobalMaxPooling1D, Relu};
use nanoembed::loss::MeanSquaredError;
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AdamW, AmsGrad, CenteredRmsProp, Clip, Clipped, DecoupledDecay, Exact,
    ExponentialDecay, L2Decay, Momentum, MomentumRmsProp, Nadam, Optimizer, RmsProp, RowwiseAdagrad,
    Scheduled, Series, Sgd,
};
use nanoembed::sequential;

/// A table, a kernel that is summed filter by filter, and blocks of numbers.
type Mixed = sequential![
    Embedding<4, ROWS, 3, u32, MaskZero>,
    Conv1D<4, 3, 5, 2, 3, Relu>,
    GlobalMaxPooling1D<3, 5>,
    Dense<5, 2>,
];

fn with(optimizer: impl Optimizer + Copy) {
    learns::<Mixed, _, _, 3>(optimizer, MeanSquaredError, MeanSquaredError.into(), |_| {});
}

macro_rules! forms {
    ($($test:ident: $optimizer:expr;)*) => {$(
        #[test]
        fn $test() {
            let optimizer = $optimizer;
            with(optimizer);
            with(Exact(optimizer));
            with(Exact(Clipped { optimizer, clip: Clip::GlobalNorm(0.3), keras3_duplicates: true }));
            with(Keras::new(optimizer).clip(Clip::Norm(0.3)).weight_decay(0.1));
        }
    )*};
}
each_optimizer!(forms);

#[test]
fn row_wise_adagrad() {
    let optimizer = RowwiseAdagrad::default();
    with(optimizer);
    with(Clipped { optimizer, clip: Clip::GlobalNorm(0.3), keras3_duplicates: false });
    with(Clipped { optimizer, clip: Clip::Value(0.1), keras3_duplicates: false });
}

#[test]
fn clipped() {
    let optimizer = Adam { learning_rate: 0.05, ..Adam::default() };
    for clip in [Clip::Norm(0.1), Clip::GlobalNorm(0.1), Clip::Value(0.02)] {
        for keras3_duplicates in [false, true] {
            with(Clipped { optimizer, clip, keras3_duplicates });
            with(Exact(Clipped { optimizer, clip, keras3_duplicates }));
        }
        with(Keras::new(optimizer).clip(clip));
    }
}

#[test]
fn decayed_and_scheduled() {
    let optimizer = Adam { learning_rate: 0.05, ..Adam::default() };
    let schedule =
        ExponentialDecay { initial_learning_rate: 0.1, decay_steps: 2, decay_rate: 0.5, staircase: false };
    with(AdamW { optimizer, weight_decay: 0.05 });
    with(DecoupledDecay { optimizer, weight_decay: 0.1 });
    with(Exact(DecoupledDecay { optimizer, weight_decay: 0.1 }));
    with(L2Decay { optimizer, weight_decay: 0.1 });
    with(Scheduled { optimizer, schedule });
    with(Exact(Scheduled { optimizer, schedule }));
    with(Keras::new(optimizer).weight_decay(0.1));
}

#[test]
fn by_sums() {
    let optimizer = Adam { learning_rate: 0.05, ..Adam::default() };
    let schedule =
        ExponentialDecay { initial_learning_rate: 0.1, decay_steps: 2, decay_rate: 0.5, staircase: false };
    with(Series(optimizer));
    with(Series(AmsGrad(optimizer)));
    with(Series(Nadam { learning_rate: 0.05, ..Nadam::default() }));
    with(Series(DecoupledDecay { optimizer, weight_decay: 0.1 }));
    with(Series(Scheduled { optimizer, schedule }));
    with(Series(Clipped { optimizer, clip: Clip::GlobalNorm(0.1), keras3_duplicates: true }));
}
