//! Which film would you like? Biased matrix factorisation on real ratings.
//!
//! ```text
//! user → row of 610, item → row of 9,724: 16 factors and a bias each
//! rating = mean + bias of the user + bias of the item + product of the factors
//! ```
//!
//! Both files hold one rating a line, `user<TAB>item<TAB>rating<TAB>...`, below a header; users and items are numbers. Run it with
//! `cargo run --release --features std --example movies -- TRAIN.tsv TEST.tsv`.
//!
//! Stochastic gradient descent takes one rating at a time, and the rows that occur decay. The learning rate, its decay, the weight decay and
//! the number of epochs were chosen on a tenth of the training ratings of MovieLens (ml-latest-small), kept out of training: RMSE
//! there 0.859 (weight decay 0.05: 0.861, 0.2: 0.868; a constant rate: 0.862). On its test file: 0.851.

mod common;

use common::check_image;
use indicatif::{ProgressBar, ProgressStyle};
use nanoembed::layers::{BiasedDot, Branches, Embedding, Flatten, Frozen, Layer, Pair};
use nanoembed::loss::MeanSquaredError;
use nanoembed::optim::{ExponentialDecay, L2Decay, Scheduled, Sgd};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::train::{Report, Trainer};
use nanoembed::{math, pairs, sequential};
use std::error::Error;
use std::fmt;
use std::path::Path;

const USERS: usize = 610;
const ITEMS: usize = 9724;
/// Factors, and behind them the bias.
const DIM: usize = 17;
const BATCH: usize = 1;
const EPOCHS: u32 = 30;

type Row<const ROWS: usize> = sequential![Embedding<1, ROWS, DIM>, Flatten<1, DIM, DIM>];
type Ratings = sequential![Branches<Row<USERS>, Row<ITEMS>>, Frozen<BiasedDot<DIM>>];

#[derive(Default)]
struct Dataset {
    pairs: Vec<Pair<[u16; 1], [u16; 1]>>,
    ratings: Vec<[f32; 1]>,
}

impl Dataset {
    fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut dataset = Self::default();
        for (i, line) in text.lines().enumerate().skip(1) {
            let rating = || -> Option<_> {
                let mut columns = line.split('\t');
                let (user, item) = (columns.next()?.parse().ok()?, columns.next()?.parse().ok()?);
                Some((pairs![[user], [item]], [columns.next()?.parse().ok()?]))
            };
            let (pair, rating) = rating()
                .ok_or_else(|| format!("{}:{}: expected user, item and rating", path.display(), i + 1))?;
            dataset.pairs.push(pair);
            dataset.ratings.push(rating);
        }
        if dataset.pairs.is_empty() { Err(format!("{}: empty", path.display()).into()) } else { Ok(dataset) }
    }

    fn mean(&self) -> f32 {
        let total: f64 = self.ratings.iter().map(|[rating]| f64::from(*rating)).sum();
        (total / self.ratings.len() as f64) as f32
    }
}

/// The loss of a report and its root.
struct Shown(Report);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.4}  rmse {:.4}", self.0.loss, math::sqrt(self.0.loss))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test] = arguments.as_slice() else {
        return Err("usage: movies TRAIN.tsv TEST.tsv".into());
    };
    let (train, test) = (Dataset::read(Path::new(train))?, Dataset::read(Path::new(test))?);
    println!("{} ratings to learn from, {} to test", train.ratings.len(), test.ratings.len());

    let mut model = Ratings::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    model.second.0.mean = [train.mean()];
    let steps = train.ratings.len().div_ceil(BATCH) as u32;
    let schedule = ExponentialDecay {
        initial_learning_rate: 0.01,
        decay_steps: steps,
        decay_rate: 0.95,
        staircase: true,
    };
    let optimizer =
        L2Decay { optimizer: Scheduled { optimizer: Sgd::default(), schedule }, weight_decay: 0.1 };
    let mut trainer = Trainer::<Ratings, _, _, BATCH>::boxed(optimizer, MeanSquaredError);
    println!("\n{}\n", trainer.summary());

    let bar = ProgressBar::new(u64::from(EPOCHS * steps));
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {eta} left  {msg}")?);
    for epoch in 1..=EPOCHS {
        let report = trainer.epoch_with(&mut model, &train.pairs, &train.ratings, |report| {
            if report.examples % 1000 == 0 {
                bar.set_position(u64::from((epoch - 1) * steps) + report.examples as u64);
                bar.set_message(format!("epoch {epoch}  {}", Shown(report)));
            }
        })?;
        bar.suspend(|| println!("epoch {epoch}  {}", Shown(report)));
    }
    bar.finish_and_clear();

    let report = trainer.evaluate(&model, &test.pairs, &test.ratings)?;
    check_image("movies.image", &*model, &test.pairs)?;
    println!("rmse {:.3}", math::sqrt(report.loss));
    Ok(())
}
