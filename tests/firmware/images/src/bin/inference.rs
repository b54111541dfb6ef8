//! The model that the host trained, used where it lies in flash.
//!
//! Cannot panic, by its symbols.
#![no_std]
#![no_main]

use images::{instructions, print_hash, print_number};
use nanoembed::image;
use shared::reviews::{self, REVIEWS, Reviews};

static IMAGE: &[u8] =
    nanoembed::include_image!(env!("NANOEMBED_IMAGE", "the file that `host image FILE` wrote"));

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let Ok(model) = image::read::<Reviews>(IMAGE) else { images::exit(false) };
    let Ok(hash) = reviews::predictions(model) else { images::exit(false) };
    let used = images::stack_used();
    let mut probability = 0.0;
    let count = instructions(|| {
        probability = reviews::predict(model, core::hint::black_box(REVIEWS[3])).unwrap_or(f32::NAN)
    });
    print_hash("predictions", hash);
    print_number("stack bytes", used);
    print_number("instructions for a prediction", count);
    images::exit(probability > 0.5)
}
