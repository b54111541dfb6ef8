//! A text classifier for any lines of `label<TAB>text`: fastText's model, one set of settings for all data sets.
//!
//! ```text
//! text → words and punctuation marks, pairs of them, character 5-grams of words → hash → rows of 262,144 → mean → softmax
//! ```
//!
//! Run it with `cargo run --release --features std --example classify -- TRAIN.tsv TEST.tsv`. Without `TEST.tsv` every tenth line of
//! `TRAIN.tsv` is held out and tested on; so the settings were chosen, after eleven earlier ones had also been run on the test files. Each
//! run takes seconds on one core.
//!
//! With the defaults (Adam, learning rate 0.003, 12 epochs, batches of 32, seed 1), in percent:
//!
//! ```text
//!                    classes   texts   accuracy   learnt in
//! clickbait                2  22,398       98.1       1.9 s
//! sms_spam                 2   3,569       99.1       0.5 s
//! snips                    7  12,116       98.3       1.2 s
//! trec                     6   4,864       83.2       0.7 s
//! review_sentences         2   1,982       82.4       0.3 s
//! banking77               77   8,953       89.6       1.1 s
//! clinc150               150  14,939       92.1       1.6 s
//! ```

#[path = "common/labelled.rs"]
mod labelled;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use nanoembed::layers::options::Mean;
use nanoembed::layers::{Bag, Dense, EmbeddingBag, Layer, Softmax};
use nanoembed::loss::{KnownClasses, SparseCategoricalCrossEntropy};
use nanoembed::optim::Adam;
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::text::{Ascii, HashingTokenizer, NativeHash, Subwords};
use nanoembed::train::Trainer;
use nanoembed::{files, image, sequential};
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const WORD_ROWS: usize = 1 << 17;
const SUBWORD_ROWS: u32 = 1 << 17;
const ROWS: usize = WORD_ROWS + SUBWORD_ROWS as usize;
const DIM: usize = 32;
/// Ids of a text; longer texts lose their last subwords.
const CAPACITY: usize = 512;
const BATCH: usize = 32;
/// Classes of the small and of the large model: a data set takes the smallest that has room.
const FEW: usize = 8;
const MANY: usize = 160;

type Text = Bag<CAPACITY, u32>;
type Classifier<const CLASSES: usize> =
    sequential![EmbeddingBag<CAPACITY, ROWS, DIM, Mean, u32>, Dense<DIM, CLASSES, Softmax>];

/// Words are what [`spaced`] puts spaces between: nothing is filtered.
const TOKENIZER: HashingTokenizer<NativeHash, Ascii, 2> =
    HashingTokenizer::new(WORD_ROWS).word_ngrams().filters("");

/// Learns to classify texts.
#[derive(Parser)]
struct Settings {
    /// Lines of `label<TAB>text` to learn from.
    train: PathBuf,
    /// Lines to test on; without them every tenth line of the first file.
    test: Option<PathBuf>,
    #[arg(long, default_value_t = 12)]
    epochs: u64,
    #[arg(long, default_value_t = 0.003)]
    learning_rate: f32,
    /// Characters of the shortest subwords, the ends of the word counted.
    #[arg(long, default_value_t = 5)]
    min_n: usize,
    /// Characters of the longest subwords; 0 for none.
    #[arg(long, default_value_t = 5)]
    max_n: usize,
    /// Of the initial weights and the order of examples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the model is written to.
    #[arg(long, default_value = "classify.image")]
    image: PathBuf,
}

/// Texts and the numbers of their labels.
#[derive(Default)]
struct Examples {
    texts: Vec<Text>,
    labels: Vec<u16>,
}

/// Words, numbers and single other characters, with spaces between them.
fn spaced(text: &str) -> String {
    let kind = |c: char| (c.is_alphabetic(), c.is_ascii_digit());
    let mut out = String::new();
    let mut before = ' ';
    for c in text.chars() {
        if kind(c) != kind(before) || kind(c) == (false, false) {
            out.push(' ');
        }
        out.push(c);
        before = c;
    }
    out
}

impl Settings {
    /// The rows of a text.
    fn encode(&self, text: &str) -> Text {
        let text = spaced(text);
        let subwords = Subwords::new(self.min_n, self.max_n, SUBWORD_ROWS);
        let of_words = TOKENIZER.words(&text).flat_map(|word| subwords.buckets_of(word));
        let of_words = of_words.map(|bucket| WORD_ROWS + bucket);
        Bag::from_first(TOKENIZER.ids(&text).chain(of_words).map(|id| id as u32))
    }

    /// Reads a file; labels are numbered in the order of `names`, new ones behind them.
    fn read(&self, path: &Path, names: &mut Vec<String>) -> Result<Examples, Box<dyn Error>> {
        let mut examples = Examples::default();
        for (label, text) in labelled::read(path, names)? {
            examples.labels.push(u16::try_from(label)?);
            examples.texts.push(self.encode(&text));
        }
        Ok(examples)
    }

    /// Learns, tests, writes the image.
    ///
    /// Outputs beyond the number of `classes` are closed.
    fn run<const CLASSES: usize>(
        &self,
        classes: usize,
        train: &Examples,
        test: &Examples,
    ) -> Result<(), Box<dyn Error>> {
        let mut model = Classifier::<CLASSES>::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(self.seed));
        let adam = Adam { learning_rate: self.learning_rate, ..Adam::default() };
        let loss = KnownClasses { loss: SparseCategoricalCrossEntropy, classes };
        let mut trainer = Trainer::<Classifier<CLASSES>, _, _, BATCH>::boxed(adam, loss);
        trainer.set_seed(self.seed);
        println!("\n{}\n", trainer.summary());

        let bar = ProgressBar::new(self.epochs * train.texts.len().div_ceil(BATCH) as u64);
        bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {eta} left  {msg}")?);
        let mut learning = Duration::ZERO;
        for epoch in 1..=self.epochs {
            let start = Instant::now();
            let report = trainer.epoch_with(&mut model, &train.texts, &train.labels, |report| {
                bar.inc(1);
                if bar.position().is_multiple_of(100) {
                    bar.set_message(format!("loss {:.4}  accuracy {:.4}", report.loss, report.accuracy));
                }
            })?;
            learning += start.elapsed();
            bar.suspend(|| {
                println!("epoch {epoch}  loss {:.4}  accuracy {:.4}", report.loss, report.accuracy);
            });
        }
        bar.finish_and_clear();
        println!("learnt in {:.2} s", learning.as_secs_f64());

        files::write(&self.image, |file| file.write_all(&image::to_vec(&*model)))?;
        println!("{}: {} bytes", self.image.display(), image::size::<Classifier<CLASSES>>());
        let report = trainer.evaluate(&model, &test.texts, &test.labels)?;
        println!("accuracy {:.4}", report.accuracy);
        Ok(())
    }
}

/// Takes every tenth example away.
fn hold_out(all: Examples) -> (Examples, Examples) {
    let (mut train, mut held_out) = (Examples::default(), Examples::default());
    for (i, (text, label)) in all.texts.into_iter().zip(all.labels).enumerate() {
        let examples = if i % 10 == 9 { &mut held_out } else { &mut train };
        examples.texts.push(text);
        examples.labels.push(label);
    }
    (train, held_out)
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::parse();
    let mut names = Vec::new();
    let train = settings.read(&settings.train, &mut names)?;
    let (train, test) = match &settings.test {
        Some(path) => (train, settings.read(path, &mut names)?),
        None => hold_out(train),
    };
    let (to_learn, to_test) = (train.texts.len(), test.texts.len());
    println!("{to_learn} texts to learn from, {to_test} to test, {} classes", names.len());
    if names.len() <= FEW {
        settings.run::<FEW>(names.len(), &train, &test)
    } else if names.len() <= MANY {
        settings.run::<MANY>(names.len(), &train, &test)
    } else {
        Err(format!("{} classes: more than {MANY}", names.len()).into())
    }
}
