//! Files of vectors of any kind: no bytes make the opener panic, take more memory than they are worth, or go on without end; what is
//! read, is written and read again with the same bits.

#![no_main]

mod rows;

use libfuzzer_sys::fuzz_target;
use nanoembed::vectors::AnyVectors;
use rows::check;

fuzz_target!(|data: &[u8]| {
    check(data, AnyVectors::open(data));
    check(data, AnyVectors::open_array(data, "a"));
});
