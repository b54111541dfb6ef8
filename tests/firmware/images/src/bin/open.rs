//! One firmware for any model of some kinds: opens an image whose type it does not know, and gives a text the name of a class.
//!
//! Cannot panic, by its symbols.
#![no_std]
#![no_main]

use core::hint::black_box;
use images::answer;
use nanoembed::layers::Softmax;
use nanoembed::models::kinds::{Dense, EmbeddingBag};
use nanoembed::table::U8;
use nanoembed::text::{Ascii, NativeHash};

static IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_INTENTS"), ".u8"));

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    images::report(answer::<(EmbeddingBag<U8>, Dense<Softmax>), (NativeHash, Ascii)>("u8", black_box(IMAGE)))
}
