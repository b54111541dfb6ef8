//! The ten restaurant reviews of the classic Keras tutorial, the model that learns them, and its training: on a host and on a
//! microcontroller the same code, the same seed, the same bits. It is the training of the example `reviews`.
//!
//! Nothing here can panic.

use super::data::Fold;
use core::mem::MaybeUninit;
use nanoembed::error::InputError;
use nanoembed::layers::{Dense, Embedding, Flatten, Layer, Sigmoid, integer};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::Adam;
use nanoembed::sequential;
use nanoembed::table::Numbers;
use nanoembed::text::HashingTokenizer;
use nanoembed::train::{Report, TrainError, Trainer};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

pub const REVIEWS: [&str; 10] = [
    "Never coming back!",
    "horrible service",
    "rude waitress",
    "cold food",
    "horrible food!",
    "awesome",
    "awesome services!",
    "rocks",
    "poor work",
    "couldn't have done better",
];

/// 1 for the first five, 0 for the others.
pub const LABELS: [[f32; 1]; 10] = [[1.0], [1.0], [1.0], [1.0], [1.0], [0.0], [0.0], [0.0], [0.0], [0.0]];

/// Of the initial weights.
pub const SEED: u64 = 1;
pub const EPOCHS: usize = 100;
pub const BATCH: usize = 10;

pub type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
/// The same by integers alone.
pub type IntegerReviews =
    sequential![integer::Embedding<4, 50, 8>, integer::Flatten<4, 8, 32>, integer::Logits<32, 1, Sigmoid>];
pub type ReviewsTrainer = Trainer<Reviews, Adam, BinaryCrossEntropy, BATCH>;

const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);

/// The row numbers of a text, padded at the end.
pub fn encode(text: &str) -> [u16; 4] {
    // 16 bits hold the numbers of 50 rows, which is all that can be wrong.
    TOKENIZER.encode(text).unwrap_or_default()
}

pub fn adam() -> Adam {
    Adam { learning_rate: 0.01, ..Adam::default() }
}

pub fn trainer() -> ReviewsTrainer {
    Trainer::new(adam(), BinaryCrossEntropy::default())
}

/// The same in a place that is there, such as a `static`.
pub fn trainer_in(place: &mut MaybeUninit<ReviewsTrainer>) -> &mut ReviewsTrainer {
    Trainer::new_in(place, adam(), BinaryCrossEntropy::default())
}

/// What the initial weights are drawn from.
pub fn random() -> Xoshiro128PlusPlus {
    Xoshiro128PlusPlus::seed_from_u64(SEED)
}

/// One epoch.
pub fn epoch(model: &mut Reviews, trainer: &mut ReviewsTrainer) -> Result<Report, TrainError> {
    trainer.epoch(model, &REVIEWS.map(encode), &LABELS)
}

/// Trains from the seed; gives a hash of the loss of every epoch and of all weights.
pub fn train(model: &mut Reviews, trainer: &mut ReviewsTrainer) -> Result<u64, TrainError> {
    model.init(&mut random());
    let mut fold = Fold::new();
    for _ in 0..EPOCHS {
        let report = epoch(model, trainer)?;
        fold.float(report.loss);
        fold.float(report.accuracy);
    }
    fold.floats(model.first.rows.as_numbers());
    fold.floats(model.second.second.kernel.as_numbers());
    fold.floats(&model.second.second.bias);
    Ok(fold.hash())
}

/// From text to probability.
pub fn predict(model: &Reviews, text: &str) -> Result<f32, InputError> {
    let [probability] = model.predict(&encode(text))?;
    Ok(probability)
}

/// A hash of the probabilities of all reviews.
pub fn predictions(model: &Reviews) -> Result<u64, InputError> {
    let mut fold = Fold::new();
    for review in &REVIEWS {
        fold.float(predict(model, review)?);
    }
    Ok(fold.hash())
}

/// From text to probability, in shares of 65,535.
pub fn share(model: &IntegerReviews, text: &str) -> Result<u16, InputError> {
    let [share] = model.predict(&encode(text))?.sigmoids();
    Ok(share)
}
