//! Clickbait or news? A text classifier on real headlines: fastText's model with hashed word 1-, 2- and 3-grams.
//!
//! ```text
//! headline → n-grams of words → hash → up to 64 rows of 131,072 → mean → one sigmoid unit
//! ```
//!
//! Both files hold one example a line, `label<TAB>text`, with two labels. Run it with
//! `cargo run --release --features std --example headlines -- TRAIN.tsv TEST.tsv`.

mod common;

#[path = "common/labelled.rs"]
mod labelled;

use common::check_image;
use indicatif::{ProgressBar, ProgressStyle};
use nanoembed::layers::options::Mean;
use nanoembed::layers::{Bag, Dense, EmbeddingBag, Layer, Sigmoid};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::Adam;
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sequential;
use nanoembed::text::{Ascii, HashingTokenizer, NativeHash};
use nanoembed::train::Trainer;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

const ROWS: usize = 1 << 17;
const DIM: usize = 16;
/// n-grams of a headline; longer headlines lose their end.
const NGRAMS: usize = 64;
const BATCH: usize = 32;
const EPOCHS: u64 = 5;

type Headline = Bag<NGRAMS, u32>;
type Headlines = sequential![EmbeddingBag<NGRAMS, ROWS, DIM, Mean, u32>, Dense<DIM, 1, Sigmoid>];

// Lower-cased, as in published results. `.lowercase::<Unchanged>()` keeps the case, which gives much away in headlines: test
// accuracy 0.993 instead of 0.974 on the clickbait corpus of Chakraborty et al. (2016).
const TOKENIZER: HashingTokenizer<NativeHash, Ascii, 3> = HashingTokenizer::new(ROWS).word_ngrams();

/// Examples, and the names of the labels 0 and 1.
#[derive(Default)]
struct Dataset {
    headlines: Vec<Headline>,
    labels: Vec<[f32; 1]>,
    names: Vec<String>,
}

impl Dataset {
    /// Reads a file; labels are numbered in the order of `names`, new ones behind them.
    fn read(path: &Path, names: Vec<String>) -> Result<Self, Box<dyn Error>> {
        let mut dataset = Self { names, ..Self::default() };
        for (i, (label, headline)) in labelled::read(path, &mut dataset.names)?.into_iter().enumerate() {
            if label > 1 {
                return Err(format!("{}:{}: a third label", path.display(), i + 1).into());
            }
            dataset.labels.push([label as f32]);
            dataset.headlines.push(Bag::from_first(TOKENIZER.ids_as(&headline)?));
        }
        Ok(dataset)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test] = arguments.as_slice() else {
        return Err("usage: headlines TRAIN.tsv TEST.tsv".into());
    };
    let train = Dataset::read(Path::new(train), Vec::new())?;
    let test = Dataset::read(Path::new(test), train.names.clone())?;
    println!(
        "{} headlines to learn from, {} to test, labels {:?}",
        train.headlines.len(),
        test.headlines.len(),
        train.names
    );

    let mut model = Headlines::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let adam = Adam { learning_rate: 0.003, ..Adam::default() };
    let mut trainer = Trainer::<Headlines, _, _, BATCH>::boxed(adam, BinaryCrossEntropy::default());
    println!("\n{}\n", trainer.summary());

    let steps = train.headlines.len().div_ceil(BATCH) as u64;
    let bar = ProgressBar::new(EPOCHS * steps);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {eta} left  {msg}")?);
    let mut learning = Duration::ZERO;
    for epoch in 1..=EPOCHS {
        let start = Instant::now();
        let report = trainer.epoch_with(&mut model, &train.headlines, &train.labels, |report| {
            bar.inc(1);
            if bar.position().is_multiple_of(100) {
                bar.set_message(format!(
                    "epoch {epoch}  loss {:.4}  accuracy {:.4}",
                    report.loss, report.accuracy
                ));
            }
        })?;
        learning += start.elapsed();
        bar.suspend(|| println!("epoch {epoch}  loss {:.4}  accuracy {:.4}", report.loss, report.accuracy));
    }
    bar.finish_and_clear();
    println!("learnt in {:.2} s", learning.as_secs_f64());

    let report = trainer.evaluate(&model, &test.headlines, &test.labels)?;
    check_image("headlines.image", &*model, &test.headlines)?;
    println!("accuracy {:.4}", report.accuracy);
    Ok(())
}
