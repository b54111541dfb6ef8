//! What no kernel of a level can exceed: multiplications and additions in registers, reads from the first cache.

use super::Numbers;
use core::hint::black_box;
use nanoembed::internals::limits;
use nanoembed::simd::Level;

/// Numbers that the read loop goes over: half of the first cache.
const READ: usize = 4096;
const TURNS: usize = 1000;

/// What a call of [`read`] reads.
pub(crate) const READ_BYTES: f64 = (READ * size_of::<f32>()) as f64;

/// What [`read`] goes over.
pub(crate) fn numbers() -> Numbers {
    Numbers::any(READ)
}

pub(crate) fn read(level: Level, numbers: &Numbers) {
    black_box(limits::read_at(level, black_box(numbers.get())));
}

pub(crate) fn multiply_add(level: Level) {
    black_box(limits::multiply_add_at(level, TURNS, black_box(0.5), black_box(1.0)));
}

/// Multiplications, and as many additions, in a call of [`multiply_add`].
pub(crate) fn multiply_adds(level: Level) -> f64 {
    (TURNS * limits::multiply_adds_a_turn_at(level)) as f64
}
