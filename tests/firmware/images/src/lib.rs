//! What the images share: text to the host, the end of the run, stack and instructions used.
//!
//! `platform` has what differs between processors. A count of instructions is one if the emulator runs with `-icount shift=0`: one
//! instruction is then one virtual nanosecond. They are instructions, not cycles.
//!
//! Output is integers and hex by a few lines of our own: `core::fmt` would link panics and kilobytes.
#![no_std]

#[cfg(not(target_arch = "wasm32"))]
mod measure;
mod platform;

use core::panic::PanicInfo;
#[cfg(not(target_arch = "wasm32"))]
pub use measure::{answer, report, stack_used};
#[cfg(not(target_arch = "wasm32"))]
pub use platform::instructions;
pub use platform::{exit, print};

/// A text of any length.
pub fn print_all(text: &str) {
    for c in text.chars() {
        print(c.encode_utf8(&mut [0; 4]));
    }
}

fn print_digits<const N: usize>(digits: [u8; N]) {
    if let Ok(text) = str::from_utf8(&digits) {
        print(text);
    }
}

/// 16 digits.
pub fn print_hex(number: u64) {
    let mut shift = 64;
    print_digits([0; 16].map(|_: u8| {
        shift -= 4;
        let digit = (number >> shift) as u8 & 15;
        if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
    }));
}

pub fn print_decimal(number: u32) {
    let mut power = 1;
    while number / 10 >= power {
        power *= 10;
    }
    while let Some(digit) = number.checked_div(power) {
        print_digits([b'0' + (digit % 10) as u8]);
        power /= 10;
    }
}

/// `name hash` and a new line.
pub fn print_hash(name: &str, hash: u64) {
    print_all(name);
    print(" ");
    print_hex(hash);
    print("\n");
}

/// `name number` and a new line.
pub fn print_number(name: &str, number: u32) {
    print_all(name);
    print(" ");
    print_decimal(number);
    print("\n");
}

/// Linked only where something can panic.
#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    if let Some(place) = info.location() {
        print("panic at ");
        print_all(place.file());
        print(":");
        print_decimal(place.line());
        print("\n");
    }
    exit(false)
}
