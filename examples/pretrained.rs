//! What pretrained vectors are worth where labelled sentences are few: 200 reviews, learnt from random rows and from GloVe's.
//!
//! ```text
//! sentence → 40 ids of a vocabulary → rows, random or GloVe's → Conv1D(128, 2, relu) → global maxima → one sigmoid unit
//! ```
//!
//! Kim's convolutional network (2014), on which such comparisons are made. Rows are frozen or learn (fine-tuned); rows that GloVe
//! does not have start at random in either case. The vocabulary is GloVe's and that of the 200 sentences. Each of five seeds draws
//! its own 200 sentences from the training file, and its own initial weights. Run it with
//!
//! ```text
//! cargo run --release --features std --example pretrained -- glove.6B.50d.txt TRAIN.tsv TEST.tsv
//! ```
//!
//! On the review sentences of Kotzias et al. (2015) and the 9163 most frequent words of GloVe 6B, mean accuracy:
//!
//! ```text
//! rows     frozen  fine-tuned
//! random   0.6206      0.6800
//! glove    0.7208      0.7499
//! ```
//!
//! The settings (2 words a window, 128 filters, 20 epochs of Adam with rate 0.003) were chosen on the training sentences that are not
//! among the 200, for fine-tuned random rows too; one earlier model had been run on the test file.

use indicatif::{ProgressBar, ProgressStyle};
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{Conv1D, Dense, Embedding, Frozen, GlobalMaxPooling1D, Layer, Relu, Sigmoid};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::Adam;
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::table::TableMut;
use nanoembed::text::{Ascii, Lowercase, Vocabulary, VocabularyOptions, WordCounts};
use nanoembed::train::{Shuffle, Trainer};
use nanoembed::vectors::{TextVectors, Vectors};
use nanoembed::zerocopy::FromZeros;
use nanoembed::{files, image, sequential};
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Write};

const WORDS: usize = 12_000;
const BYTES: usize = 1 << 17;
const ROWS: usize = WORDS + 1;
const DIM: usize = 50;
/// Words of a sentence; longer ones lose their start.
const LEN: usize = 40;
const WINDOW: usize = 2;
const WINDOWS: usize = LEN - WINDOW + 1;
const FILTERS: usize = 128;

const LABELLED: usize = 200;
const SEEDS: u64 = 5;
const EPOCHS: u64 = 20;
const BATCH: usize = 10;

type Sentence = [u16; LEN];
type Words = Embedding<LEN, ROWS, DIM, u16, MaskZero>;
type Classifier = sequential![
    Conv1D<LEN, DIM, FILTERS, WINDOW, WINDOWS, Relu>,
    GlobalMaxPooling1D<WINDOWS, FILTERS>,
    Dense<FILTERS, 1, Sigmoid>
];
type FineTuned = sequential![Words, Classifier];
type WithFrozen = sequential![Frozen<Words>, Classifier];

/// Sentences and their labels.
type Examples<T> = (Vec<T>, Vec<[f32; 1]>);

/// Reads `label<TAB>text`, with the label `pos` or another one.
fn read(path: &str) -> Result<Examples<String>, Box<dyn Error>> {
    let file = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let mut examples = Examples::default();
    for (i, line) in file.lines().enumerate() {
        let (label, text) = line.split_once('\t').ok_or_else(|| format!("{path}:{}: no label", i + 1))?;
        examples.0.push(text.to_owned());
        examples.1.push([f32::from(label == "pos")]);
    }
    Ok(examples)
}

/// Opens a file of vectors.
fn open(path: &str) -> Result<TextVectors<BufReader<File>>, Box<dyn Error>> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(TextVectors::new(BufReader::new(file))?)
}

/// The words of the file of vectors and of `texts`.
fn vocabulary(vectors: &str, texts: &[String]) -> Result<Box<Vocabulary<WORDS, BYTES>>, Box<dyn Error>> {
    let mut counts = WordCounts::<WORDS, BYTES>::new_box_zeroed().map_err(|_| "out of memory")?;
    let mut vectors = open(vectors)?;
    while let Some((word, _)) = vectors.next_row()? {
        counts.fit([word])?;
    }
    for text in texts {
        counts.fit(Ascii::text_to_word_sequence(text))?;
    }
    let mut vocabulary = Vocabulary::new_box_zeroed().map_err(|_| "out of memory")?;
    vocabulary.adapt(&mut counts, VocabularyOptions::default())?;
    Ok(vocabulary)
}

/// Learns from `train`; gives the accuracy on `test`.
fn accuracy<M: Layer<Input = Sentence, Output = [f32; 1]>>(
    model: &mut M,
    seed: u64,
    bar: &ProgressBar,
    train: &Examples<Sentence>,
    test: &Examples<Sentence>,
) -> Result<f32, Box<dyn Error>> {
    let adam = Adam { learning_rate: 0.003, ..Adam::default() };
    let mut trainer = Trainer::<M, _, _, BATCH>::boxed(adam, BinaryCrossEntropy::default());
    trainer.set_seed(seed);
    for _ in 0..EPOCHS {
        let report = trainer.epoch(model, &train.0, &train.1)?;
        bar.set_message(format!("loss {:.4}  accuracy {:.4}", report.loss, report.accuracy));
        bar.inc(1);
    }
    Ok(trainer.evaluate(model, &test.0, &test.1)?.accuracy)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [vectors, train, test] = arguments.as_slice() else {
        return Err("usage: pretrained VECTORS.txt TRAIN.tsv TEST.tsv".into());
    };
    let (all, test) = (read(train)?, read(test)?);
    println!("{}\n", FineTuned::summary());
    let bar = ProgressBar::new(SEEDS * 4 * EPOCHS);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} epochs, {eta} left  {msg}")?);

    // Random and GloVe's rows; frozen and fine-tuned.
    let mut means = [[0.0; 2]; 2];
    for seed in 1..=SEEDS {
        let drawn = || Shuffle::new(all.0.len(), seed).take(LABELLED);
        let texts: Vec<String> = drawn().map(|i| all.0[i].clone()).collect();
        let known = vocabulary(vectors, &texts)?;
        let encode = |texts: &[String]| -> Result<Vec<Sentence>, Box<dyn Error>> {
            texts.iter().map(|text| Ok(known.encode(Ascii::text_to_word_sequence(text))?)).collect()
        };
        let train = (encode(&texts)?, drawn().map(|i| all.1[i]).collect());
        let test = (encode(&test.0)?, test.1.clone());

        for (pretrained, means) in [false, true].into_iter().zip(&mut means) {
            let mut tuned = FineTuned::boxed(&mut Xoshiro128PlusPlus::seed_from_u64(seed));
            if pretrained {
                let table = &mut TableMut::from_rows(&mut tuned.first.rows);
                let found = open(vectors)?.fill(table, |word| known.index_of(word))?;
                bar.suspend(|| {
                    println!("seed {seed}: {} of {} words have vectors", found.count(), known.rows() - 1);
                });
            }
            // The same initial weights: the bytes of a frozen layer are those of the layer.
            let mut frozen = WithFrozen::boxed_zeroed();
            image::read_into(&image::to_vec(&*tuned), &mut *frozen)?;
            means[0] += accuracy(&mut *frozen, seed, &bar, &train, &test)? / SEEDS as f32;
            means[1] += accuracy(&mut *tuned, seed, &bar, &train, &test)? / SEEDS as f32;
            if pretrained && seed == SEEDS {
                let path = std::env::temp_dir().join("pretrained.image");
                files::write(&path, |file| file.write_all(&image::to_vec(&*tuned)))?;
            }
        }
    }
    bar.finish_and_clear();
    let [random, glove] = means;
    println!("rows     frozen  fine-tuned");
    println!("random   {:.4}  {:.4}", random[0], random[1]);
    println!("glove    {:.4}  {:.4}", glove[0], glove[1]);
    println!("gain     {:.4}  {:.4}", glove[0] - random[0], glove[1] - random[1]);
    println!("accuracy {:.4}", glove[1]);
    Ok(())
}
