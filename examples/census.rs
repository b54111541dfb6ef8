//! Who earns more than 50,000 dollars? A table of categorical and numeric columns.
//!
//! ```text
//! 8 categorical columns → each a table of its own, 2 to 8 values a row ┐
//! 5 numeric columns → mean 0, deviation 1                              ┴→ one vector → 64 units → one sigmoid unit
//! ```
//!
//! Both files have a header that names the columns, as in the Adult data of the UCI repository (Kohavi, 1996). Run it with
//! `cargo run --release --features std --example census -- TRAIN.tsv TEST.tsv`.
//!
//! Every tenth row of the training file is for validation: training stops when its loss falls no more, and goes back to the best weights.
//! On the Adult data that is epoch 6, and accuracy on its test file 0.857. Nothing but the number of epochs was chosen.

mod common;

use common::check_image;
use indicatif::{ProgressBar, ProgressStyle};
use nanoembed::layers::{Dense, Dropout, Embedding, Flatten, Input, Layer, Relu, Sigmoid};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::metrics::ConfusionMatrix;
use nanoembed::optim::Adam;
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::train::{EarlyStopping, Trainer};
use nanoembed::{concatenate, math, pairs, sequential};
use std::error::Error;
use std::path::Path;

const BATCH: usize = 64;
const EPOCHS: u64 = 40;
const PATIENCE: u32 = 5;
const UNITS: usize = 64;

/// A categorical column: row 0 is for what the training file lacks.
type Category<const ROWS: usize, const DIM: usize> =
    sequential![Embedding<1, ROWS, DIM, u8>, Flatten<1, DIM, DIM>];
type Columns = concatenate![
    Category<10, 4>,
    Category<17, 6>,
    Category<8, 4>,
    Category<16, 6>,
    Category<7, 4>,
    Category<6, 2>,
    Category<3, 2>,
    Category<43, 4>,
    Input<[f32; NUMERIC.len()]>,
];
type Census =
    sequential![Columns, Dense<37, UNITS, Relu>, Dropout<[f32; UNITS], 200>, Dense<UNITS, 1, Sigmoid>];
type Row = <Census as Layer>::Input;

/// The categorical columns in the order of the model, and how many rows each of their tables has.
const CATEGORICAL: [(&str, usize); 8] = [
    ("workclass", 10),
    ("education", 17),
    ("marital_status", 8),
    ("occupation", 16),
    ("relationship", 7),
    ("race", 6),
    ("sex", 3),
    ("native_country", 43),
];
/// The numeric columns; dollars enter by their logarithm.
const NUMERIC: [&str; 5] = ["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"];

/// A file, by columns.
struct Table {
    labels: Vec<[f32; 1]>,
    categorical: [Vec<String>; CATEGORICAL.len()],
    numeric: [Vec<f32>; NUMERIC.len()],
}

impl Table {
    fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
        if let Some(row) = rows.iter().position(|row| row.len() != header.len()) {
            return Err(format!("{}:{}: not as many columns as the header", path.display(), row + 2).into());
        }
        let column = |name: &str| -> Result<Vec<&str>, String> {
            let place = header.iter().position(|column| *column == name);
            let place = place.ok_or_else(|| format!("{}: no column {name}", path.display()))?;
            Ok(rows.iter().map(|row| row[place]).collect())
        };
        let labels = column("label")?.iter().map(|label| [f32::from(*label == ">50K")]).collect();
        let (mut categorical, mut numeric) = (CATEGORICAL.map(|_| Vec::new()), NUMERIC.map(|_| Vec::new()));
        for (values, (name, _)) in categorical.iter_mut().zip(CATEGORICAL) {
            *values = column(name)?.into_iter().map(str::to_owned).collect();
        }
        for (values, name) in numeric.iter_mut().zip(NUMERIC) {
            let dollars = name.starts_with("capital");
            for value in column(name)? {
                let value: f32 =
                    value.parse().map_err(|_| format!("{}: {name}: {value} is no number", path.display()))?;
                values.push(if dollars { math::ln_1p(value) } else { value });
            }
        }
        Ok(Self { labels, categorical, numeric })
    }
}

/// What the training file says of the columns: the categories by number, means and deviations.
struct Encoding {
    categories: [Vec<String>; CATEGORICAL.len()],
    scales: [(f32, f32); NUMERIC.len()],
}

impl Encoding {
    fn of(table: &Table) -> Result<Self, Box<dyn Error>> {
        let categories = table.categorical.each_ref().map(|values| {
            let mut categories = values.clone();
            categories.sort_unstable();
            categories.dedup();
            categories
        });
        for (categories, (name, rows)) in categories.iter().zip(CATEGORICAL) {
            if categories.len() >= rows {
                return Err(format!("{name}: more than {} categories", rows - 1).into());
            }
        }
        let scales = table.numeric.each_ref().map(|values| {
            let n = values.len().max(1) as f32;
            let mean = values.iter().sum::<f32>() / n;
            let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
            (mean, if variance > 0.0 { math::sqrt(variance) } else { 1.0 })
        });
        Ok(Self { categories, scales })
    }

    fn rows(&self, table: &Table) -> Vec<Row> {
        let row = |i: usize| {
            let id = |column: usize| {
                [self.categories[column]
                    .binary_search(&table.categorical[column][i])
                    .map_or(0, |id| id as u8 + 1)]
            };
            let numbers = std::array::from_fn(|column| {
                let (mean, deviation) = self.scales[column];
                (table.numeric[column][i] - mean) / deviation
            });
            pairs![id(0), id(1), id(2), id(3), id(4), id(5), id(6), id(7), numbers]
        };
        (0..table.labels.len()).map(row).collect()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test] = arguments.as_slice() else {
        return Err("usage: census TRAIN.tsv TEST.tsv".into());
    };
    let (train, test) = (Table::read(Path::new(train))?, Table::read(Path::new(test))?);
    let encoding = Encoding::of(&train)?;
    let (all, test_rows) = (encoding.rows(&train), encoding.rows(&test));
    let part = |of_validation: bool| -> (Vec<Row>, Vec<[f32; 1]>) {
        let rows = all.iter().zip(&train.labels).enumerate();
        rows.filter(|(i, _)| (i % 10 == 9) == of_validation).map(|(_, (row, label))| (*row, *label)).unzip()
    };
    let ((rows, labels), (validation, validation_labels)) = (part(false), part(true));
    println!(
        "{} rows to learn from, {} for validation, {} to test",
        rows.len(),
        validation.len(),
        test_rows.len()
    );

    let (mut model, mut best) =
        (Census::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(1)), Census::boxed_zeroed());
    let mut trainer = Trainer::<Census, _, _, BATCH>::boxed(Adam::default(), BinaryCrossEntropy::default());
    println!("\n{}\n", trainer.summary());

    let steps = rows.len().div_ceil(BATCH) as u64;
    let bar = ProgressBar::new(EPOCHS * steps);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {eta} left at most  {msg}")?);
    let mut stopping = EarlyStopping::new(&mut *best, PATIENCE);
    for epoch in 1..=EPOCHS {
        let report = trainer.epoch_with(&mut model, &rows, &labels, |report| {
            bar.inc(1);
            if bar.position().is_multiple_of(100) {
                bar.set_message(format!(
                    "epoch {epoch}  loss {:.4}  accuracy {:.4}",
                    report.loss, report.accuracy
                ));
            }
        })?;
        let seen = trainer.evaluate(&model, &validation, &validation_labels)?;
        bar.suspend(|| {
            println!(
                "epoch {epoch:2}  loss {:.4}  accuracy {:.4}   validation: loss {:.4}  accuracy {:.4}",
                report.loss, report.accuracy, seen.loss, seen.accuracy
            );
        });
        if stopping.observe(&model, seen.loss).is_break() {
            break;
        }
    }
    bar.finish_and_clear();
    if let Some((epoch, loss)) = stopping.best() {
        println!("best: epoch {epoch}, validation loss {loss:.4}");
    }
    stopping.restore(&mut model);

    let mut matrix = ConfusionMatrix::<2>::new();
    let report = trainer.evaluate_with(&model, &test_rows, &test.labels, |[p], [label]| {
        matrix.add(usize::from(*label > 0.5), usize::from(*p > 0.5));
    })?;
    println!(
        "above 50,000: precision {:.4}, recall {:.4}; macro-F1 {:.4}",
        matrix.precision(1),
        matrix.recall(1),
        matrix.macro_f1()
    );
    check_image("census.image", &*model, &test_rows)?;
    println!("accuracy {:.4}", report.accuracy);
    Ok(())
}
