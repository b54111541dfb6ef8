//! The intents as one table of integers, with a constant tokenizer: an answer takes additions alone, and the ids of a text are summed as
//! they come.
//!
//! Cannot panic, by its symbols, and has no instruction on floats.
#![no_std]
#![no_main]

use core::hint::black_box;
use images::{instructions, print, print_hash};
use nanoembed::image;
use shared::intents::{FoldedIntents, LONG_TEXT, NAMES, TEXTS, TOKENIZER};

static IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_INTENTS"), ".i8"));

/// The name of the class of a text.
#[inline(never)]
fn classify(model: &FoldedIntents, text: &str) -> &'static str {
    let class = model.first.scores(TOKENIZER.ids(text)).class();
    NAMES.get(class).copied().unwrap_or_default()
}

fn run() -> Option<u32> {
    let pipeline = TOKENIZER.pipeline(0).ok()?;
    let model: &FoldedIntents = image::read_with_pipeline(black_box(IMAGE), &pipeline).ok()?;
    for text in TEXTS {
        print("i8 ");
        print_hash(classify(model, text), 0);
    }
    let mut found = "";
    let count = instructions(|| found = classify(model, black_box(LONG_TEXT)));
    (!found.is_empty()).then_some(count)
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    images::report(run())
}
