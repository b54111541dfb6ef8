//! What no kernel of a level can exceed: for benches, which measure it beside the kernels.
//!
//! ```text
//! multiply_add:  for turn in 0..turns:  each chain = chain * x + y         in registers, unfused
//! read:          for each number:       one of the sums += number
//! ```
//!
//! Enough chains and sums are under way that an operation waits for no result, and few enough that all stay
//! in registers; how many that is, follows from `Lanes::ACCUMULATORS`. The order of the sums is the level's
//! own: these loops are no kernels.

use super::{LANES, Lanes, simd_fn};

/// What [`multiply_add_at`] multiplies and adds in a turn, at most.
const MOST_CHAINS: usize = 12;

simd_fn! {
    /// `turns` times [`multiply_adds_a_turn_at`] multiplications, and as many additions. The result is of no
    /// use.
    pub fn multiply_add, multiply_add_at(turns: usize, x: f32, y: f32) -> f32 = multiply_add_body;

    /// Multiplications in one turn of [`multiply_add_at`].
    pub fn multiply_adds_a_turn, multiply_adds_a_turn_at() -> usize = multiply_adds_a_turn_body;

    /// The sum of numbers, each of which is read once; of those behind the last whole block of 128, some are
    /// left out.
    pub fn read, read_at(from: &[f32]) -> f32 = read_body;
}

/// Twelve registers on x86-64, with a level of 4, 8 or 16 floats in each.
#[inline(always)]
const fn chains<L: Lanes>() -> usize {
    match L::ACCUMULATORS {
        1 | 2 => 3,
        4 => 6,
        _ => MOST_CHAINS,
    }
}

#[inline(always)]
fn multiply_adds_a_turn_body<L: Lanes>(_: L) -> usize {
    chains::<L>() * LANES
}

#[inline(always)]
fn multiply_add_body<L: Lanes>(lanes: L, turns: usize, x: f32, y: f32) -> f32 {
    match chains::<L>() {
        3 => multiply_add_chains::<L, 3>(lanes, turns, x, y),
        6 => multiply_add_chains::<L, 6>(lanes, turns, x, y),
        _ => multiply_add_chains::<L, MOST_CHAINS>(lanes, turns, x, y),
    }
}

#[inline(always)]
fn multiply_add_chains<L: Lanes, const CHAINS: usize>(lanes: L, turns: usize, x: f32, y: f32) -> f32 {
    let (x, y) = (lanes.splat(x), lanes.splat(y));
    let mut chains = [y; CHAINS];
    for _ in 0..turns {
        for chain in &mut chains {
            *chain = lanes.add(lanes.mul(*chain, x), y);
        }
    }
    total(lanes, chains)
}

#[inline(always)]
fn read_body<L: Lanes>(lanes: L, from: &[f32]) -> f32 {
    match L::ACCUMULATORS {
        1 | 2 => read_blocks::<L, 2>(lanes, from),
        4 => read_blocks::<L, 4>(lanes, from),
        _ => read_blocks::<L, 8>(lanes, from),
    }
}

#[inline(always)]
fn read_blocks<L: Lanes, const SUMS: usize>(lanes: L, from: &[f32]) -> f32 {
    let mut sums = [lanes.splat(0.0); SUMS];
    let (blocks, _) = from.as_chunks::<LANES>().0.as_chunks::<SUMS>();
    for block in blocks {
        for (sum, from) in sums.iter_mut().zip(block) {
            *sum = lanes.add(*sum, lanes.load(from));
        }
    }
    total(lanes, sums)
}

#[inline(always)]
fn total<L: Lanes, const N: usize>(lanes: L, parts: [L::V; N]) -> f32 {
    let mut total = lanes.splat(0.0);
    for part in parts {
        total = lanes.add(total, part);
    }
    lanes.sum(total)
}

#[cfg(test)]
mod tests {
    use super::{multiply_add_at, multiply_adds_a_turn_at, read_at};
    use crate::simd::Level;

    #[test]
    fn the_loops_do_what_they_are_counted_for() {
        for level in Level::available() {
            let chains = multiply_adds_a_turn_at(level) as f32;
            assert_eq!(multiply_add_at(level, 10, 1.0, 1.0), 11.0 * chains, "{}", level.name());
            assert_eq!(multiply_add_at(level, 2, 2.0, 1.0), 7.0 * chains, "{}", level.name());
            assert_eq!(read_at(level, &[1.0; 384]), 384.0, "{}", level.name());
        }
    }
}
