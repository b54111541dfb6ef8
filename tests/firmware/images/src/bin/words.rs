//! The tokenizer of the intents alone: words, their pairs, and the ids of both by hash.
//!
//! Cannot panic, by its symbols, and has no instruction on floats.
#![no_std]
#![no_main]

use core::hint::black_box;
use images::{exit, instructions, print_hash, print_number, stack_used};
use shared::intents::{LONG_TEXT, TOKENIZER};

const WORDS: u32 = 16;

#[inline(never)]
fn sum_of_ids(text: &str) -> usize {
    TOKENIZER.ids(text).sum()
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let mut sum = 0;
    let count = instructions(|| sum = sum_of_ids(black_box(LONG_TEXT)));
    print_hash("ids", sum as u64);
    print_number("stack bytes", stack_used());
    print_number("instructions for a word", count / WORDS);
    exit(sum > 0)
}
