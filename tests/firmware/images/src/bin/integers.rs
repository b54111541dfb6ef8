//! Every layer of integers, and the probabilities of what they give.
//!
//! Cannot panic, by its symbols, and has no instruction on floats.
#![no_std]
#![no_main]

use images::{exit, print_hash, print_number, stack_used};

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let codes = shared::integers::codes().ok();
    print_hash("codes", codes.unwrap_or_default());
    print_number("stack bytes", stack_used());
    exit(codes.is_some())
}
