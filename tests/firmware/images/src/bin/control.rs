//! Can panic, at an index that only the run decides: shows that the check of the other images would see it.
#![no_std]
#![no_main]

use core::hint::black_box;
use shared::reviews::LABELS;

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let [label] = LABELS[black_box(LABELS.len())];
    images::exit(label > 0.5)
}
