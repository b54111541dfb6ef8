//! The model that `open` opens, by its type: the tokenizer is a constant, with which the image is compared.
//!
//! Cannot panic, by its symbols.
#![no_std]
#![no_main]

use core::hint::black_box;
use images::{instructions, print, print_hash};
use nanoembed::image;
use nanoembed::layers::{Bag, Layer};
use shared::intents::{IDS, LONG_TEXT, NAMES, PackedIntents, TEXTS, THRESHOLD, TOKENIZER};

static IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_INTENTS"), ".u8"));

/// The name of the class of a text, and its probability.
#[inline(never)]
fn classify(model: &PackedIntents, text: &str) -> Option<(&'static str, f32)> {
    let bag = Bag::<IDS>::from_first(TOKENIZER.ids_as(text).ok()?);
    let (mut best, mut name) = (f32::MIN, "none");
    for (probability, class) in model.predict(&bag).ok()?.into_iter().zip(NAMES) {
        if probability > best {
            (best, name) = (probability, class);
        }
    }
    Some(if best >= THRESHOLD { (name, best) } else { ("none", 0.0) })
}

fn run() -> Option<u32> {
    let pipeline = TOKENIZER.pipeline(0).ok()?;
    let model: &PackedIntents = image::read_with_pipeline(black_box(IMAGE), &pipeline).ok()?;
    for text in TEXTS {
        let (name, probability) = classify(model, text)?;
        print("u8 ");
        print_hash(name, probability.to_bits().into());
    }
    let mut found = None;
    let count = instructions(|| found = classify(model, black_box(LONG_TEXT)));
    found.map(|_| count)
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    images::report(run())
}
