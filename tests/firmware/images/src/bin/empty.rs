//! What the others have beside the crate: the start, output, counting. They are compared with it.
#![no_std]
#![no_main]

use core::hint::black_box;
use images::{instructions, print, print_hash, print_number};
use shared::intents::TEXTS;

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    for text in black_box(TEXTS) {
        print("text ");
        print_hash(text, 0);
    }
    let count = instructions(|| _ = black_box(TEXTS[3]));
    print_number("stack bytes", images::stack_used());
    print_number("instructions for nothing", count);
    images::exit(true)
}
