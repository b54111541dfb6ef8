//! The reviews model by integers alone: from text to a probability in shares of 65,535, without an instruction on floats.
//!
//! Cannot panic, by its symbols.
#![no_std]
#![no_main]

use core::hint::black_box;
use images::{instructions, print_hash};
use nanoembed::image;
use shared::reviews::{self, IntegerReviews, REVIEWS};

static IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_IMAGE"), ".i8"));

/// The probability that a text is a complaint.
#[inline(never)]
fn share(model: &IntegerReviews, text: &str) -> Option<u16> {
    reviews::share(model, text).ok()
}

fn run() -> Option<u32> {
    let model: &IntegerReviews = image::read(black_box(IMAGE)).ok()?;
    for review in &REVIEWS {
        print_hash("share", share(model, review)?.into());
    }
    let mut found = None;
    let count = instructions(|| found = share(model, black_box(REVIEWS[3])));
    found.map(|_| count)
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    images::report(run())
}
