//! As `open`, for tables of two formats, every activation and more ways from text to ids.
//!
//! Cannot panic, by its symbols.
#![no_std]
#![no_main]

use core::hint::black_box;
use images::{answer, print_number};
use nanoembed::models::kinds::{Dense, EmbeddingBag};
use nanoembed::table::{F32, U8};
use nanoembed::text::AnyText;

static F32_IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_INTENTS"), ".f32"));
static U8_IMAGE: &[u8] = nanoembed::include_image!(concat!(env!("NANOEMBED_INTENTS"), ".u8"));

type Kinds = (EmbeddingBag<F32>, EmbeddingBag<U8>, Dense);

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let of_u8 = answer::<Kinds, AnyText>("u8", black_box(U8_IMAGE));
    let of_f32 = answer::<Kinds, AnyText>("f32", black_box(F32_IMAGE));
    print_number("stack bytes", images::stack_used());
    print_number("instructions for a prediction", of_u8.unwrap_or_default());
    print_number("instructions for a prediction by rows of f32", of_f32.unwrap_or_default());
    images::exit(of_u8.is_some() && of_f32.is_some())
}
