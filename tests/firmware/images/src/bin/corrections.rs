//! Learns corrections beside the intents, which stay in flash as one table of integers; prints what the host prints.
//!
//! Cannot panic, by its symbols. All of its RAM is stack.
#![no_std]
#![no_main]

use core::hint::black_box;
use images::{instructions, print_hash, print_number};
use nanoembed::image;
use shared::corrections::{self, Correction, Corrector};
use shared::intents::{FoldedIntents, TOKENIZER};

static IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_INTENTS"), ".i8"));

fn run() -> Option<u32> {
    let pipeline = TOKENIZER.pipeline(0).ok()?;
    let base: &FoldedIntents = image::read_with_pipeline(black_box(IMAGE), &pipeline).ok()?;
    let (mut model, mut trainer) = (corrections::model(base), corrections::trainer());
    print_hash("before", corrections::hash(&model).ok()?);
    print_number("steps", corrections::run(&mut model, &mut trainer).ok()? as u32);
    print_hash("after", corrections::hash(&model).ok()?);
    let mut stepped = None;
    let count = instructions(|| stepped = corrections::step(&mut model, &mut trainer).ok());
    stepped.map(|()| count)
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    print_number("model bytes", size_of::<Correction>() as u32);
    print_number("trainer bytes", size_of::<Corrector>() as u32);
    let count = run();
    print_number("stack bytes", images::stack_used());
    print_number("instructions for an example", count.unwrap_or_default());
    images::exit(count.is_some())
}
