//! Text classifiers without a float: three models of floats are trained, calibrated on the training texts, and tested
//! as floats and as integers. Prints the accuracy of each form, and the bytes of its image.
//!
//! ```text
//! text → words → hash → rows → flatten | convolution, maximum | LSTM → one unit a class
//! ```
//!
//! Run it with `cargo run --release --features std --example integers -- TRAIN.tsv TEST.tsv`, for files of lines
//! `label<TAB>text` with up to 8 labels.

#[path = "common/labelled.rs"]
mod labelled;

use clap::Parser;
use nanoembed::image::{self, Contents};
use nanoembed::layers::options::{MaskZero, StrictMask, Valid};
use nanoembed::layers::{
    Conv1D, Dense, Embedding, Flatten, GlobalMaxPooling1D, Layer, Lstm, Relu, Scores, Softmax, integer,
};
use nanoembed::loss::SparseCategoricalCrossEntropy;
use nanoembed::models::{self, Input};
use nanoembed::optim::{Adam, PolynomialDecay, Scheduled};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sequential;
use nanoembed::text::HashingTokenizer;
use nanoembed::train::Trainer;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Words of a text that are read: the first ones.
const LEN: usize = 24;
const ROWS: usize = 4096;
const DIM: usize = 16;
/// Classes, at most: an output without a class learns that it is none.
const CLASSES: usize = 8;
const BATCH: usize = 32;

type Words = Embedding<LEN, ROWS, DIM, u16, MaskZero>;
type Flat = sequential![Words, Flatten<LEN, DIM, 384>, Dense<384, CLASSES, Softmax>];
type Convolution = sequential![
    Words,
    Conv1D<LEN, DIM, 48, 3, 22, Relu, Valid, StrictMask>,
    GlobalMaxPooling1D<22, 48>,
    Dense<48, CLASSES, Softmax>
];
type Recurrent = sequential![Words, Lstm<LEN, DIM, 32>, Dense<32, CLASSES, Softmax>];

// The same layers of integers: this is what the firmware has.
type IntegerWords = integer::Embedding<LEN, ROWS, DIM, u16, MaskZero>;
type IntegerFlat =
    sequential![IntegerWords, integer::Flatten<LEN, DIM, 384>, integer::Logits<384, CLASSES, Softmax>];
type IntegerConvolution = sequential![
    IntegerWords,
    integer::Conv1D<LEN, DIM, 48, 3, 22, Relu, Valid, StrictMask>,
    integer::GlobalMaxPooling1D<22, 48>,
    integer::Logits<48, CLASSES, Softmax>
];
type IntegerRecurrent =
    sequential![IntegerWords, integer::Lstm<LEN, DIM, 32>, integer::Logits<32, CLASSES, Softmax>];

const TOKENIZER: HashingTokenizer = HashingTokenizer::for_table::<Flat>();

/// Trains text classifiers and makes integers of them.
#[derive(Parser)]
struct Settings {
    /// Lines of `label<TAB>text` to learn from.
    train: PathBuf,
    /// Lines to test on.
    test: PathBuf,
    #[arg(long, default_value_t = 8)]
    epochs: u32,
    /// The learning rate of Adam, which falls to 0.
    #[arg(long, default_value_t = 0.005)]
    learning_rate: f32,
    /// Trainings, each from other initial values; accuracies are their means.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
}

/// Texts as ids, and the numbers of their labels.
#[derive(Default)]
struct Examples {
    ids: Vec<[u16; LEN]>,
    labels: Vec<u16>,
}

impl Examples {
    fn read(path: &Path, names: &mut Vec<String>) -> Result<Self, Box<dyn Error>> {
        let mut examples = Self::default();
        for (label, text) in labelled::read(path, names)? {
            examples.ids.push(TOKENIZER.encode(&text)?);
            examples.labels.push(u16::try_from(label)?);
        }
        if names.len() > CLASSES { Err("at most 8 labels".into()) } else { Ok(examples) }
    }

    /// The share of the examples whose class `class_of` finds, in percent.
    fn accuracy(
        &self,
        mut class_of: impl FnMut(&[u16; LEN]) -> Result<usize, Box<dyn Error>>,
    ) -> Result<f64, Box<dyn Error>> {
        let mut right = 0;
        for (ids, label) in self.ids.iter().zip(&self.labels) {
            right += usize::from(class_of(ids)? == usize::from(*label));
        }
        Ok(100.0 * right as f64 / self.ids.len() as f64)
    }
}

/// Trains `F`, makes an `I` of it, and prints what both find.
fn compare<F, I>(
    name: &str,
    settings: &Settings,
    train: &Examples,
    test: &Examples,
) -> Result<(), Box<dyn Error>>
where
    F: Layer<Input = [u16; LEN], Output = [f32; CLASSES]>,
    I: Layer<Input = [u16; LEN], Output = Scores<CLASSES>>,
{
    let ids: Vec<u32> = train.ids.as_flattened().iter().map(|id| u32::from(*id)).collect();
    let (mut floats, mut integers) = (0.0, 0.0);
    for seed in 1..=settings.seeds {
        let mut model = F::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(seed));
        let schedule = PolynomialDecay {
            initial_learning_rate: settings.learning_rate,
            decay_steps: train.ids.len().div_ceil(BATCH) as u32 * settings.epochs,
            end_learning_rate: 0.0,
            power: 1.0,
        };
        let adam = Scheduled { optimizer: Adam::default(), schedule };
        let mut trainer = Trainer::<F, _, _, BATCH>::boxed(adam, SparseCategoricalCrossEntropy);
        trainer.set_seed(seed);
        for _ in 0..settings.epochs {
            trainer.epoch(&mut model, &train.ids, &train.labels)?;
        }
        let image = models::calibrate(&*model, Input::Ids(&ids), &Contents::default())?;
        let mut shipped = I::boxed_zeroed();
        image::read_into(&image, &mut *shipped)?;

        floats += 100.0 * f64::from(trainer.evaluate(&model, &test.ids, &test.labels)?.accuracy);
        integers += test.accuracy(|ids| Ok(shipped.predict(ids)?.class()))?;
    }
    let seeds = settings.seeds as f64;
    println!(
        "{name:<12} {:6.2} %  {:>8} bytes    {:6.2} %  {:>8} bytes",
        floats / seeds,
        image::size::<F>(),
        integers / seeds,
        image::size::<I>()
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::parse();
    let mut names = Vec::new();
    let train = Examples::read(&settings.train, &mut names)?;
    let test = Examples::read(&settings.test, &mut names)?;
    println!("{} texts of {} classes, {} to test on", train.ids.len(), names.len(), test.ids.len());
    println!("{:<12} {:>9} {:>15}    {:>8}", "", "floats", "", "integers");
    compare::<Flat, IntegerFlat>("flatten", &settings, &train, &test)?;
    compare::<Convolution, IntegerConvolution>("convolution", &settings, &train, &test)?;
    compare::<Recurrent, IntegerRecurrent>("LSTM", &settings, &train, &test)
}
