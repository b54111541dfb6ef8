//! Learning beside a model that is frozen in flash: texts that it gets wrong are given as corrections, one after the other, and
//! learnt by a few rows in RAM. Prints how many of them are then right, how many of the others stay right, and what it takes.
//!
//! ```text
//! text → words and pairs of words → rows of 4 bits, in flash → mean → Dense → scores of the classes ┐
//!                                 → the few of them that have a row in RAM → sum ───────────────────┴→ sum → softmax
//! ```
//!
//! Run it with `cargo run --release --features std --example corrections -- TRAIN.tsv TEST.tsv`, for files of lines `label<TAB>text`
//! with seven labels, such as snips. Without `TEST.tsv` every tenth line of `TRAIN.tsv` is held out and corrected; so the settings
//! were chosen. Means of five seeds on snips:
//!
//! ```text
//! right before 97.50 %; of the wrong ones now 94.7 %, of the right ones still 99.58 %
//! flash: 16892 bytes; RAM: model 3584 + trainer 2296 bytes; image of the corrections: 3968 bytes
//! ```

#[path = "common/labelled.rs"]
mod labelled;

use clap::Parser;
use nanoembed::image::{self, Contents};
use nanoembed::layers::options::Mean;
use nanoembed::layers::{
    Activation, Add, Bag, Branches, Corrected, Dense, EmbeddingBag, Input, Layer, OverlayBag, Packed,
    Softmax, U4Row,
};
use nanoembed::loss::SparseCategoricalCrossEntropy;
use nanoembed::optim::{Adam, PolynomialDecay, RowwiseAdagrad, Scheduled};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sequential;
use nanoembed::text::{Ascii, HashingTokenizer, NativeHash};
use nanoembed::train::Trainer;
use std::error::Error;
use std::path::PathBuf;

const CLASSES: usize = 7;
/// Ids of a text: its words and its pairs of words; longer texts lose their last.
const IDS: usize = 64;
const ROWS: usize = 2048;
const DIM: usize = 8;
const BATCH: usize = 32;
/// Rows in RAM, and how many of them a correction takes: there is room for 37, and 8 KiB are enough for all.
const OVERLAY: usize = 112;
const ROWS_EACH: usize = 3;
/// Steps of a correction, at most; it ends when the class has more than half of the probability.
const STEPS: usize = 30;
/// Bytes that the flash of the device takes at once.
const PAGE: usize = 256;

type Table = EmbeddingBag<IDS, ROWS, DIM, Mean>;
type Trained = sequential![Table, Dense<DIM, CLASSES, Softmax>];
/// What lies in flash: it gives scores, of which a softmax would make probabilities.
type Base = sequential![Packed<Table, U4Row<DIM, 8>, ROWS>, Dense<DIM, CLASSES>];
/// What lies in RAM, and learns.
type Correction = sequential![
    Branches<Input<[f32; CLASSES]>, OverlayBag<IDS, OVERLAY, CLASSES>>,
    Add<[f32; CLASSES]>,
    Activation<[f32; CLASSES], Softmax>,
];
type Corrector = Trainer<Correction, RowwiseAdagrad, SparseCategoricalCrossEntropy, 1>;

const TOKENIZER: HashingTokenizer<NativeHash, Ascii, 2> =
    HashingTokenizer::for_table::<Trained>().word_ngrams();

/// Corrects what a small text classifier gets wrong.
#[derive(Parser)]
struct Settings {
    /// Lines of `label<TAB>text` to learn from.
    train: PathBuf,
    /// Lines of which those that are got wrong are corrected; without them every tenth line of the first file.
    test: Option<PathBuf>,
    #[arg(long, default_value_t = 10)]
    epochs: u32,
    /// The learning rate of the corrections.
    #[arg(long, default_value_t = 0.3)]
    learning_rate: f32,
    /// Trainings, each from other initial values; what is printed are means.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
}

/// Texts as ids, with their classes.
#[derive(Default)]
struct Examples {
    bags: Vec<Bag<IDS>>,
    labels: Vec<u16>,
}

impl Examples {
    fn push(&mut self, text: &str, label: usize) -> Result<(), Box<dyn Error>> {
        self.bags.push(Bag::from_first(TOKENIZER.ids_as(text)?));
        self.labels.push(u16::try_from(label)?);
        Ok(())
    }

    fn iter(&self) -> impl Iterator<Item = (&Bag<IDS>, u16)> {
        self.bags.iter().zip(self.labels.iter().copied())
    }
}

/// Trains the model, and packs it as it lies in flash.
fn base(train: &Examples, epochs: u32, seed: u64) -> Result<Box<Base>, Box<dyn Error>> {
    let mut model = Trained::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(seed));
    let schedule = PolynomialDecay {
        initial_learning_rate: 0.01,
        decay_steps: train.bags.len().div_ceil(BATCH) as u32 * epochs,
        end_learning_rate: 0.0,
        power: 1.0,
    };
    let adam = Scheduled { optimizer: Adam::default(), schedule };
    let mut trainer = Trainer::<Trained, _, _, BATCH>::boxed(adam, SparseCategoricalCrossEntropy);
    trainer.set_seed(seed);
    for _ in 0..epochs {
        trainer.epoch(&mut model, &train.bags, &train.labels)?;
    }
    let mut base = Base::boxed_zeroed();
    base.first.quantise_from(&model.first);
    (base.second.kernel, base.second.bias) = (model.second.kernel, model.second.bias);
    Ok(base)
}

/// Whether the class with the greatest probability is this one.
fn is_right(probabilities: [f32; CLASSES], label: u16) -> bool {
    let greatest = probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    greatest.is_some_and(|(class, _)| class == usize::from(label))
}

/// The correction, written to flash and read from it page by page.
fn after_a_restart(correction: &Correction) -> Result<Correction, Box<dyn Error>> {
    let (mut flash, mut page) = (vec![0xff; 8192], [0; PAGE]);
    image::write_pages(correction, &Contents::default(), &mut page, |offset, page| {
        flash
            .get_mut(offset..)
            .and_then(|rest| rest.get_mut(..page.len()))
            .ok_or("full")?
            .copy_from_slice(page);
        Ok::<_, &str>(())
    })?;
    let mut same = Correction::zeroed();
    image::read_pages(&mut same, flash.len(), &mut page, |offset, page| {
        page.copy_from_slice(flash.get(offset..).and_then(|rest| rest.get(..page.len())).ok_or("its end")?);
        Ok::<_, &str>(())
    })?;
    Ok(same)
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::parse();
    let (mut names, mut train, mut test) = (Vec::new(), Examples::default(), Examples::default());
    for (i, (label, text)) in labelled::read(&settings.train, &mut names)?.into_iter().enumerate() {
        let is_held_out = settings.test.is_none() && i % 10 == 9;
        if is_held_out { &mut test } else { &mut train }.push(&text, label)?;
    }
    if let Some(path) = &settings.test {
        for (label, text) in labelled::read(path, &mut names)? {
            test.push(&text, label)?;
        }
    }
    if names.len() != CLASSES {
        return Err(format!("{} labels, but the model has {CLASSES} classes", names.len()).into());
    }
    let mut sums = [0.0; 3];
    for seed in 1..=settings.seeds {
        let base = base(&train, settings.epochs, seed)?;
        let mut model = Corrected { base: &*base, correction: Correction::zeroed() };
        let mut trainer = Corrector::new(
            RowwiseAdagrad { learning_rate: settings.learning_rate, ..RowwiseAdagrad::default() },
            SparseCategoricalCrossEntropy,
        );
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for (bag, label) in test.iter() {
            let is_right = is_right(model.predict(bag)?, label);
            if is_right { &mut right } else { &mut wrong }.push((bag, label));
        }
        for (bag, label) in &wrong {
            // An earlier correction may have been enough.
            if !is_right(model.predict(bag)?, *label) {
                trainer.correct::<ROWS_EACH>(&mut model, bag, *label, STEPS)?;
            }
        }
        model.correction = after_a_restart(&model.correction)?;
        let share = |texts: &[(&Bag<IDS>, u16)]| -> Result<(usize, f64), Box<dyn Error>> {
            let mut count = 0;
            for (bag, label) in texts {
                count += usize::from(is_right(model.predict(bag)?, *label));
            }
            Ok((count, 100.0 * count as f64 / texts.len() as f64))
        };
        let ((now, of_wrong), (still, of_right)) = (share(&wrong)?, share(&right)?);
        println!(
            "seed {seed}: {now} of {} wrong ones are right, {still} of {} right ones stay right; {} rows, {} steps",
            wrong.len(),
            right.len(),
            OVERLAY - model.correction.first.second.free(),
            trainer.steps(),
        );
        let accuracy = 100.0 * right.len() as f64 / test.bags.len() as f64;
        for (sum, x) in sums.iter_mut().zip([accuracy, of_wrong, of_right]) {
            *sum += x / settings.seeds as f64;
        }
    }
    let [accuracy, of_wrong, of_right] = sums;
    println!(
        "right before {accuracy:.2} %; of the wrong ones now {of_wrong:.1} %, of the right ones still {of_right:.2} %"
    );
    println!(
        "flash: {} bytes; RAM: model {} + trainer {} bytes; image of the corrections: {} bytes",
        image::size::<Base>(),
        size_of::<Correction>(),
        size_of::<Corrector>(),
        image::size::<Correction>(),
    );
    Ok(())
}
