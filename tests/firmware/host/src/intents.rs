//! Trains the model of intents, writes its images, and tells what the device must answer.

use nanoembed::files;
use nanoembed::image::{self, Contents};
use nanoembed::layers::{Bag, Layer};
use nanoembed::loss::SparseCategoricalCrossEntropy;
use nanoembed::models::{self, All, Classifier, Folding, Input, Workspace};
use nanoembed::optim::Adam;
use nanoembed::table::RowFormat;
use nanoembed::train::Trainer;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use shared::intents::{
    FoldedIntents, IDS, Intents, LONG_TEXT, NAMES, PackedIntents, TEXTS, THRESHOLD, TOKENIZER,
};
use std::error::Error;
use std::io::Write;

const SEED: u64 = 1;
const EPOCHS: usize = 60;
const BATCH: usize = 7;

/// Five sentences for each intent, in the order of their names.
const SENTENCES: [[&str; 5]; 7] = [
    [
        "Add this song to my playlist",
        "Put the new album on my morning list",
        "Please add a track by this artist to the party playlist",
        "I want this tune in my running list",
        "Add another song to the list called summer",
    ],
    [
        "Book a table for four at a restaurant",
        "Reserve a spot for two at the Italian place tonight",
        "I need a table at a bar with a terrace",
        "Make a reservation for six people at noon",
        "Book us a seat in a diner that serves soup",
    ],
    [
        "What is the weather in Lisbon?",
        "Will it be sunny on Sunday?",
        "Is it going to rain in the mountains tomorrow?",
        "How cold will it be tonight?",
        "Tell me the forecast for the coast",
    ],
    [
        "Play some jazz",
        "Play the latest song by my favourite band",
        "I would like to hear a piano concert",
        "Start the music of the nineties",
        "Play a tune from the radio",
    ],
    [
        "I give this book five stars",
        "Rate the current novel four out of six",
        "This essay gets one point of five",
        "Give the last novel three stars",
        "Mark this textbook with a rating of two",
    ],
    [
        "Find the series about the lighthouse",
        "Show me the trailer of the new game",
        "Where can I get the painting of the bridge?",
        "Look for a television show about bees",
        "Search for the saga of the sea",
    ],
    [
        "When does the film start?",
        "Which films are at the cinema nearby?",
        "Show the times of the films at the corner cinema",
        "Is there an animated film at the theatre tonight?",
        "Find the schedule of the movie house",
    ],
];

/// How text becomes ids, as bytes.
fn pipeline() -> Result<Vec<u8>, Box<dyn Error>> {
    let pipeline = TOKENIZER.pipeline(0)?;
    let mut bytes = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut bytes)?;
    Ok(bytes)
}

/// Writes an image; prints the name of the class of each text, and the bits of its probability.
fn ship<M: Layer<Input = Bag<IDS>, Output = [f32; NAMES.len()]>>(
    rows: &str,
    model: &M,
    file: &str,
) -> Result<(), Box<dyn Error>> {
    let bytes = pipeline()?;
    let contents =
        Contents { classes: &NAMES, threshold: THRESHOLD, pipeline: Some(&bytes), ..Contents::default() };
    let image = image::to_vec_with(model, &contents)?;
    files::write(format!("{file}.{rows}"), |file| file.write_all(&image))?;

    let classifier = Classifier::new(models::open::<All>(&image)?)?;
    let lengths = classifier.model().recipe().workspace(1).ok_or("a model too large")?;
    let (mut numbers, mut masks) = (vec![0.0; lengths.numbers], vec![false; lengths.masks]);
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
    for text in TEXTS {
        let mut ids = [0; IDS];
        let y = classifier.outputs(text, &mut ids, &mut workspace)?;
        assert_eq!(y, model.predict(&Bag::from_ids(TOKENIZER.ids_as(text)?)?)?, "{text}");
        let answer = classifier.classify(text, &mut ids, &mut workspace)?;
        let (name, probability) = answer.map_or(("none", 0.0), |answer| (answer.name, answer.probability));
        println!("{rows} {name} {:016x}", probability.to_bits());
    }
    Ok(())
}

/// Trains the model and writes its images, with rows of 32 bits to `FILE.f32`, with rows of 8 bits to `FILE.u8`, folded to
/// `FILE.i8`.
pub fn write(file: &str) -> Result<(), Box<dyn Error>> {
    let mut inputs = Vec::new();
    let mut labels = Vec::new();
    for (label, sentences) in (0_u16..).zip(SENTENCES) {
        for sentence in sentences {
            inputs.push(Bag::from_ids(TOKENIZER.ids_as(sentence)?)?);
            labels.push(label);
        }
    }
    let mut random = Xoshiro128PlusPlus::seed_from_u64(SEED);
    let mut model = Intents::boxed(&mut random);
    let adam = Adam { learning_rate: 0.02, ..Adam::default() };
    let mut trainer = Trainer::<Intents, _, _, BATCH>::boxed(adam, SparseCategoricalCrossEntropy);
    for _ in 0..EPOCHS {
        trainer.epoch(&mut model, &inputs, &labels)?;
    }
    let mut packed = PackedIntents::boxed(&mut random);
    packed.first.quantise_from(&model.first);
    image::read_into(&image::to_vec(&model.second), &mut packed.second)?;
    ship("f32", &*model, file)?;
    ship("u8", &*packed, file)?;
    fold(&model, &inputs, file)
}

/// Writes the image of the model as one table of integers to `FILE.i8`; prints the sum of the ids of the long text, and the name of the
/// class of each text.
fn fold(model: &Intents, inputs: &[Bag<IDS>], file: &str) -> Result<(), Box<dyn Error>> {
    let (mut ids, mut offsets) = (Vec::new(), vec![0]);
    for bag in inputs {
        ids.extend(bag.ids().iter().map(|id| u32::from(*id)));
        offsets.push(ids.len() as u32);
    }
    let texts = Some(Input::Bags { ids: &ids, offsets: &offsets });
    let bytes = pipeline()?;
    let contents = Contents { classes: &NAMES, pipeline: Some(&bytes), ..Contents::default() };
    let image = models::fold(model, Folding { texts, ..Folding::new(RowFormat::I8) }, &contents)?;
    files::write(format!("{file}.i8"), |file| file.write_all(&image))?;
    let mut folded = FoldedIntents::boxed_zeroed();
    image::read_into(&image, &mut *folded)?;
    println!("ids {:016x}", TOKENIZER.ids(LONG_TEXT).sum::<usize>());
    for text in TEXTS {
        let class = folded.first.scores(TOKENIZER.ids(text)).class();
        println!("i8 {} {:016x}", NAMES[class], 0);
    }
    Ok(())
}
