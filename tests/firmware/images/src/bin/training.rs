//! Trains the reviews model from the seed that the host trained from, and compares with the host's image.
//!
//! Cannot panic, by its symbols.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use images::{instructions, print_hash, print_number};
use nanoembed::image;
use nanoembed::layers::Layer;
use parts::reviews::{self, EPOCHS, REVIEWS, Reviews};

static IMAGE: &[u8] =
    nanoembed::include_image!(env!("NANOEMBED_IMAGE", "the file that `host image FILE` wrote"));

#[entry]
fn main() -> ! {
    let (mut model, mut trainer) = (Reviews::zeroed(), reviews::trainer());
    let mut trained = None;
    let count = instructions(|| trained = reviews::train(&mut model, &mut trainer).ok());
    let used = images::stack_used();
    let (Some(training), Ok(predictions)) = (trained, reviews::predictions(&model)) else {
        images::exit(false)
    };
    let Ok(from_host) = image::read::<Reviews>(IMAGE) else { images::exit(false) };
    let same = |text: &&str| match (reviews::predict(&model, text), reviews::predict(from_host, text)) {
        (Ok(here), Ok(there)) => here.to_bits() == there.to_bits(),
        _ => false,
    };
    let equal = REVIEWS.iter().filter(|text| same(text)).count();
    print_hash("training", training);
    print_hash("predictions", predictions);
    print_number("predictions with the bits of the host", equal as u32);
    print_number("stack bytes", used);
    print_number("instructions for one epoch", count / EPOCHS as u32);
    images::exit(equal == REVIEWS.len())
}
