//! One firmware for any model: opens images whose types it does not know, and gives a text the name of a class.
//!
//! Cannot panic, by its symbols.
#![no_std]
#![no_main]

use core::hint::black_box;
use cortex_m_rt::entry;
use images::{instructions, print, print_hash, print_number};
use nanoembed::layers::Softmax;
use nanoembed::models::{self, Classifier, Workspace, kinds};
use nanoembed::table::{F32, U8};
use nanoembed::text::{Ascii, NativeHash};
use parts::intents::{IDS, TEXTS};

static F32_IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_INTENTS"), ".f32"));
static U8_IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_INTENTS"), ".u8"));

/// The layers that a model may have.
type Kinds = (kinds::EmbeddingBag<F32>, kinds::EmbeddingBag<U8>, kinds::Dense<Softmax>);

/// The ways from text to ids that an image may ask for.
type Text = (NativeHash, Ascii);

/// Answers all texts; gives the instructions that one takes.
#[inline(never)]
fn answer(rows: &str, image: &[u8]) -> Option<u32> {
    let classifier = Classifier::<Kinds, Text>::with_text(models::open(image).ok()?).ok()?;
    let (mut ids, mut numbers) = ([0; IDS], [0.0; 32]);
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut [] };
    for text in TEXTS {
        let answer = classifier.classify(text, &mut ids, &mut workspace).ok()?;
        let (name, probability) = answer.map_or(("none", 0.0), |answer| (answer.name, answer.probability));
        print(rows);
        print(" ");
        print_hash(name, probability.to_bits().into());
    }
    let mut found = None;
    let count = instructions(|| {
        found = classifier.classify(black_box(TEXTS[3]), &mut ids, &mut workspace).ok().flatten()
    });
    found.map(|_| count)
}

#[entry]
fn main() -> ! {
    let (Some(of_f32), Some(of_u8)) = (answer("f32", black_box(F32_IMAGE)), answer("u8", black_box(U8_IMAGE)))
    else {
        images::exit(false)
    };
    print_number("stack bytes", images::stack_used());
    print_number("instructions for one text, rows of u8,", of_u8);
    print_number("instructions for one text, rows of f32,", of_f32);
    images::exit(true)
}
