//! What no kernel of a level can exceed, measured: multiplications and additions in registers, reads from the first cache.

use super::{Bench, Numbers};
use core::hint::black_box;
use nanoembed::simd::{Level, limits};

/// Numbers that the read loop goes over: half of the first cache.
const READ: usize = 4096;
const TURNS: usize = 1000;

/// Measures the limits of every level.
pub(crate) fn measure(bench: &mut Bench) {
    let numbers = Numbers::any(READ);
    for level in Level::available() {
        bench.measure("read", level.name(), |_| {
            black_box(limits::read_at(level, black_box(numbers.get())));
        });
        bench.measure("multiply-add", level.name(), |_| {
            black_box(limits::multiply_add_at(level, TURNS, black_box(0.5), black_box(1.0)));
        });
    }
}

/// Bytes a second that the level reads from the first cache.
pub(crate) fn read(bench: &Bench, level: Level) -> Option<f64> {
    bench.time_of("read", level.name()).map(|time| (READ * size_of::<f32>()) as f64 / time)
}

/// Multiplications, and as many additions, a second.
pub(crate) fn multiply_adds(bench: &Bench, level: Level) -> Option<f64> {
    let count = (TURNS * limits::multiply_adds_a_turn_at(level)) as f64;
    bench.time_of("multiply-add", level.name()).map(|time| count / time)
}
