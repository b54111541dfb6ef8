//! The first model of every embedding tutorial: is a restaurant review a complaint?
//!
//! Ten reviews are hashed to row numbers, their rows are looked up in a table of 50 and laid side by side, and one sigmoid unit says
//! how likely the review is a complaint. In Keras:
//!
//! ```python
//! model = Sequential([Embedding(50, 8, input_length=4), Flatten(), Dense(1, activation="sigmoid")])
//! model.compile(optimizer=Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
//! ```
//!
//! Run it with `cargo run --release -p reviews`, which compiles nothing but the crate, or with
//! `--example reviews` as the others.

use nanoembed::layers::{Dense, Embedding, Flatten, Layer, Sigmoid};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::Adam;
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::table::Aligned;
use nanoembed::text::HashingTokenizer;
use nanoembed::train::Trainer;
use nanoembed::{image, sequential};
use std::error::Error;

sequential! {
    /// 4 ids a text, a table of 50 rows of 8 numbers, 32 numbers into one unit.
    type Reviews = [Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
}

const TOKENIZER: HashingTokenizer = HashingTokenizer::new(50);
const EPOCHS: usize = 100;

/// Reviews, and 1 for a complaint.
const REVIEWS: [(&str, f32); 10] = [
    ("Never coming back!", 1.0),
    ("horrible service", 1.0),
    ("rude waitress", 1.0),
    ("cold food", 1.0),
    ("horrible food!", 1.0),
    ("awesome", 0.0),
    ("awesome services!", 0.0),
    ("rocks", 0.0),
    ("poor work", 0.0),
    ("couldn't have done better", 0.0),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut ids = [[0_u16; 4]; 10];
    let labels = REVIEWS.map(|(_, label)| [label]);
    println!("Ids");
    for (ids, (text, _)) in ids.iter_mut().zip(REVIEWS) {
        *ids = TOKENIZER.encode(text)?;
        println!("  {text:<28} {ids:?}");
    }

    let mut model = Reviews::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let initial_rows = model.first.rows;
    let adam = Adam { learning_rate: 0.01, ..Adam::default() };
    let mut trainer = Trainer::<Reviews, _, _, 10>::new(adam, BinaryCrossEntropy::default());

    println!("\n{}\n", trainer.summary());
    for epoch in 1..=EPOCHS {
        let report = trainer.epoch(&mut model, &ids, &labels)?;
        if epoch == 1 || epoch % 10 == 0 {
            println!("epoch {epoch:>3}  loss {:.4}  accuracy {:.3}", report.loss, report.accuracy);
        }
    }

    println!("\nHow likely a complaint");
    for text in REVIEWS.map(|(text, _)| text).into_iter().chain(["horrible waitress", "awesome food"]) {
        println!("  {text:<28} {:.3}", model.predict(&TOKENIZER.encode(text)?)?[0]);
    }

    println!("\naccuracy {:.3}", trainer.evaluate(&model, &ids, &labels)?.accuracy);
    report_untouched_rows(&ids, &initial_rows, &model.first.rows);
    check_image(&model, &ids)
}

/// Only rows that occur learn; the others keep every bit.
fn report_untouched_rows(ids: &[[u16; 4]], before: &[[f32; 8]; 50], after: &[[f32; 8]; 50]) {
    let untouched: Vec<usize> = (0..50).filter(|&row| !ids.as_flattened().contains(&(row as u16))).collect();
    let bits = |row: [f32; 8]| row.map(f32::to_bits);
    let changed = untouched.iter().filter(|&&row| bits(before[row]) != bits(after[row])).count();
    let verdict = if changed == 0 { "all bit-identical".to_owned() } else { format!("{changed} changed") };
    println!("untouched rows: {} of 50, {verdict}", untouched.len());
}

/// Writes the model to a file as the image that firmware would include, reads it back and compares the predictions.
fn check_image(model: &Reviews, ids: &[[u16; 4]]) -> Result<(), Box<dyn Error>> {
    const SIZE: usize = image::size::<Reviews>();
    let mut bytes = Aligned([0; SIZE]);
    image::write(model, &mut *bytes)?;
    let path = std::env::temp_dir().join("reviews.image");
    // Written beside and renamed: whoever reads the file reads a whole one. `files::write` (feature `std`) does more.
    let beside = path.with_extension(std::process::id().to_string());
    std::fs::write(&beside, *bytes)?;
    std::fs::rename(&beside, &path)?;

    let read =
        Aligned::<[u8; SIZE]>(std::fs::read(&path)?.try_into().map_err(|_| "the file has another length")?);
    let same: &Reviews = image::read(&*read)?;
    for ids in ids {
        if model.predict(ids)?[0].to_bits() != same.predict(ids)?[0].to_bits() {
            return Err("image: predictions differ".into());
        }
    }
    println!("image: predictions bit-identical");
    Ok(())
}
