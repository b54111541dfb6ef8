//! A text classifier for a few kilobytes of flash: trained as values, folded into one table of integers, with and
//! without the rows that matter little. Prints the accuracy of each form against the bytes of its image, which
//! holds the names of the classes and the way from text to ids.
//!
//! ```text
//! text → words and pairs of them → hash → one row of integers each → sum → the greatest is the class
//! ```
//!
//! Run it with `cargo run --release --features std --example fold -- TRAIN.tsv TEST.tsv`, for files of lines
//! `label<TAB>text`. Without `TEST.tsv` every tenth line of `TRAIN.tsv` is held out and tested on: choose
//! settings so.

#[path = "common/labelled.rs"]
mod labelled;

use clap::Parser;
use nanoembed::image::{self, Contents};
use nanoembed::layers::ActivationKind;
use nanoembed::loss::{AnyLoss, Labels, SparseCategoricalCrossEntropy};
use nanoembed::models::{
    self, All, BatchSize, Classifier, Folding, Input, LayerKind, Model, Recipe, Record, Source, Trainer,
};
use nanoembed::optim::{Adam, AnyOptimizer, PolynomialDecay, Scheduled};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::table::RowFormat;
use nanoembed::text::{HashKind, Pipeline};
use std::error::Error;
use std::path::PathBuf;

const BATCH: usize = 32;
/// Ids of a text, at most: what follows is not learnt from.
const MOST_IDS: usize = 1024;

/// Trains and folds a text classifier.
#[derive(Parser)]
struct Settings {
    /// Lines of `label<TAB>text` to learn from.
    train: PathBuf,
    /// Lines to test on; without them every tenth line of the first file.
    test: Option<PathBuf>,
    /// Rows that words and pairs are hashed to.
    #[arg(long, default_value_t = 8192)]
    rows: usize,
    /// Numbers of a row in training.
    #[arg(long, default_value_t = 16)]
    dim: usize,
    /// Words of the longest run that has an id of its own.
    #[arg(long, default_value_t = 2)]
    ngrams: u16,
    /// Rows that are kept in the smaller forms.
    #[arg(long, default_value_t = 2048)]
    keep: usize,
    #[arg(long, default_value_t = 10)]
    epochs: u32,
    /// Epochs without the rows that are left out, after the others.
    #[arg(long, default_value_t = 4)]
    more_epochs: u32,
    /// The learning rate of Adam, which falls to 0 in each of both trainings.
    #[arg(long, default_value_t = 0.01)]
    learning_rate: f32,
    /// Trainings, each from other initial values; accuracies are their means.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
}

/// Texts as ids, one after the other, and the numbers of their labels.
struct Examples {
    ids: Vec<u32>,
    offsets: Vec<u32>,
    labels: Vec<u16>,
    texts: Vec<String>,
}

impl Examples {
    fn new() -> Self {
        Self { ids: Vec::new(), offsets: vec![0], labels: Vec::new(), texts: Vec::new() }
    }

    fn push(&mut self, text: &str, label: u16, pipeline: &Pipeline<'_>) {
        let mut left = MOST_IDS;
        pipeline.for_each_id(text, |id| {
            if left > 0 {
                self.ids.push(id);
                left -= 1;
            }
        });
        self.offsets.push(self.ids.len() as u32);
        self.labels.push(label);
        self.texts.push(text.to_owned());
    }

    /// The same without the ids of rows that are left out.
    fn only(&self, kept: &[bool]) -> Self {
        let mut only = Self::new();
        for ends in self.offsets.windows(2) {
            let ids = &self.ids[ends[0] as usize..ends[1] as usize];
            only.ids.extend(ids.iter().filter(|id| kept[**id as usize]));
            only.offsets.push(only.ids.len() as u32);
        }
        only.labels.clone_from(&self.labels);
        only
    }

    fn inputs(&self) -> Input<'_> {
        Input::Bags { ids: &self.ids, offsets: &self.offsets }
    }

    fn occurrences(&self, rows: usize) -> Vec<u32> {
        let mut times = vec![0; rows];
        self.ids.iter().for_each(|id| times[*id as usize] += 1);
        times
    }
}

impl Settings {
    /// Trains for some epochs, at a rate that falls to 0.
    fn train(
        &self,
        recipe: Recipe<'_, All>,
        parameters: &mut [f32],
        examples: &Examples,
        epochs: u32,
        seed: u64,
    ) -> Result<(), Box<dyn Error>> {
        let steps = examples.labels.len().div_ceil(BATCH) as u32 * epochs;
        let schedule = PolynomialDecay {
            initial_learning_rate: self.learning_rate,
            decay_steps: steps,
            end_learning_rate: 0.0,
            power: 1.0,
        };
        let adam = Scheduled { optimizer: Adam::default(), schedule };
        let (optimizer, loss): (&dyn AnyOptimizer, _) = (&adam, AnyLoss::from(SparseCategoricalCrossEntropy));
        let size = BatchSize { examples: BATCH, ids_per_bag: MOST_IDS };
        let mut buffers = Trainer::lengths(recipe, optimizer, loss, size).ok_or("too large")?.buffers();
        let mut trainer = Trainer::new(recipe, optimizer, loss, size, buffers.memory())?;
        trainer.set_seed(seed);
        let inputs = [examples.inputs()];
        for _ in 0..epochs {
            trainer.epoch(parameters, &inputs, &Labels::classes(&examples.labels), examples.labels.len())?;
        }
        Ok(())
    }
}

/// The share of the texts whose class an image finds, in percent.
fn accuracy(image: &[u8], test: &Examples) -> Result<f64, Box<dyn Error>> {
    let classifier = Classifier::new(models::open::<All>(image)?)?;
    let mut buffers = classifier.model().recipe().workspace(1).ok_or("too large")?.buffers();
    let mut ids = vec![0; 1 << 16];
    let mut right = 0;
    for (text, label) in test.texts.iter().zip(&test.labels) {
        let answer = classifier.classify(text, &mut ids, &mut buffers.workspace())?;
        right += usize::from(answer.is_some_and(|answer| answer.class == usize::from(*label)));
    }
    Ok(100.0 * right as f64 / test.texts.len() as f64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings::parse();
    let Settings { rows, dim, .. } = settings;
    let pipeline = Pipeline::hashing(rows as u64, HashKind::Native)?.word_ngrams(settings.ngrams)?;
    let mut pipeline_bytes = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut pipeline_bytes)?;

    let mut names = Vec::new();
    let lines = labelled::read(&settings.train, &mut names)?;
    let (mut train, mut test) = (Examples::new(), Examples::new());
    for (i, (label, text)) in lines.into_iter().enumerate() {
        let is_held_out = settings.test.is_none() && i % 10 == 9;
        let examples = if is_held_out { &mut test } else { &mut train };
        examples.push(&text, u16::try_from(label)?, &pipeline);
    }
    if let Some(path) = &settings.test {
        for (label, text) in labelled::read(path, &mut names)? {
            test.push(&text, u16::try_from(label)?, &pipeline);
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let contents = Contents { classes: &names, pipeline: Some(&pipeline_bytes), ..Contents::default() };
    let records = [
        Record::checked_new(LayerKind::EmbeddingBag, &[rows, dim])
            .ok_or("too many rows")?
            .from(Source::Input(0)),
        Record::new(LayerKind::Dense, &[dim, names.len()]).activation(ActivationKind::Softmax),
    ];
    let recipe = Recipe::<All>::new(&records)?;
    let occurrences = train.occurrences(rows);
    println!("{} texts of {} classes, {} to test on", train.labels.len(), names.len(), test.labels.len());

    let forms = ["trained, f32", "folded, i8", "folded, i4", "fewer rows, i8", "fewer rows, i4"];
    let (mut sums, mut bytes) = ([0.0; 5], [0; 5]);
    for seed in 1..=settings.seeds {
        let mut parameters = vec![0.0; recipe.parameters()];
        recipe.init(&mut parameters, &mut Xoshiro128PlusPlus::seed_from_u64(seed))?;
        settings.train(recipe, &mut parameters, &train, settings.epochs, seed)?;
        let model = Model::new(recipe, &parameters)?;
        let mut images = vec![vec![0; model.shipped_size_with(RowFormat::F32, &contents)]];
        model.ship_with(RowFormat::F32, &contents, &mut images[0])?;
        for format in [RowFormat::I8, RowFormat::I4] {
            let folding = Folding { texts: Some(train.inputs()), ..Folding::new(format) };
            images.push(model.fold_with(folding, &contents)?);
        }
        let kept = model.strongest_rows(settings.keep, Some(&occurrences))?;
        settings.train(recipe, &mut parameters, &train.only(&kept), settings.more_epochs, seed)?;
        let model = Model::new(recipe, &parameters)?;
        for format in [RowFormat::I8, RowFormat::I4] {
            let folding = Folding { format, kept: Some(&kept), texts: Some(train.inputs()) };
            images.push(model.fold_with(folding, &contents)?);
        }
        for ((sum, bytes), image) in sums.iter_mut().zip(&mut bytes).zip(&images) {
            *sum += accuracy(image, &test)?;
            *bytes = image::length(image)?;
        }
    }
    for ((form, sum), bytes) in forms.iter().zip(sums).zip(bytes) {
        println!("{form:<16} {:6.2} %  {bytes:>9} bytes", sum / settings.seeds as f64);
    }
    Ok(())
}
