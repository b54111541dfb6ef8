//! Trains the reviews model from the seed that the host trained from, and compares with the host's image.
//!
//! Cannot panic, by its symbols.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use images::{instructions, print_hash, print_number};
use nanoembed::image;
use nanoembed::layers::Layer;
use shared::reviews::{self, REVIEWS, Reviews, ReviewsTrainer};

static IMAGE: &[u8] =
    nanoembed::include_image!(env!("NANOEMBED_IMAGE", "the file that `host image FILE` wrote"));

// Both lie in `.bss`.
static mut MODEL: Reviews = Reviews::ZEROED;
static mut TRAINER: MaybeUninit<ReviewsTrainer> = MaybeUninit::uninit();

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    // SAFETY: this runs once, and nothing else names them.
    let (model, trainer) = unsafe { (&mut *(&raw mut MODEL), &mut *(&raw mut TRAINER)) };
    let trainer = reviews::trainer_in(trainer);
    let trained = reviews::train(model, trainer);
    let used = images::stack_used();
    let (Ok(training), Ok(predictions)) = (trained, reviews::predictions(model)) else { images::exit(false) };
    let Ok(from_host) = image::read::<Reviews>(IMAGE) else { images::exit(false) };
    let same = |text: &&str| match (reviews::predict(model, text), reviews::predict(from_host, text)) {
        (Ok(here), Ok(there)) => here.to_bits() == there.to_bits(),
        _ => false,
    };
    let equal = REVIEWS.iter().filter(|text| same(text)).count();
    // One epoch more: the timer cannot count all of them.
    let mut learnt = None;
    let count = instructions(|| learnt = reviews::epoch(model, trainer).ok());
    print_hash("training", training);
    print_hash("predictions", predictions);
    print_number("texts predicted as by the image of the host", equal as u32);
    print_number("stack bytes", used);
    print_number("instructions for an example", count / REVIEWS.len() as u32);
    images::exit(equal == REVIEWS.len() && learnt.is_some())
}
