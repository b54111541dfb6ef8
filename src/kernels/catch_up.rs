//! Steps without a gradient, made up for when a row is next read.
//!
//! A dense optimizer with momentum moves every row at every step. The exact form leaves a row alone until it is needed and then
//! replays what the row has missed:
//!
//! ```text
//! for τ = last + 1 ..= until:
//!     if no later step can move a weight of the row:
//!         slots ← their decay over the steps that are left, by powers;  stop
//!     rule(τ)(weights, gradient 0, slots)                                the very expressions of the dense form
//! ```
//!
//! The weights get the bits of the dense form, however long the gap. Cost: a row's weights and slots once a replayed step,
//! from the cache; nothing for rows that never had a gradient.

use super::UpdateRule;
use crate::simd::{Lanes, simd_fn};

/// An optimizer whose dense form moves a row also in steps in which the row has no gradient.
pub trait Replay {
    /// One step of it.
    type Rule: UpdateRule;

    /// Step `step`, counted from 1: a pure function, so that it can be replayed.
    fn rule(&self, step: u32) -> Self::Rule;

    /// Whether neither step `step` nor any later one can move a weight of the row while its gradient is zero.
    fn at_rest(&self, step: u32, weights: &[f32], slots: &[f32]) -> bool;

    /// What `steps` steps without a gradient make of the slots.
    fn decay(&self, steps: u32, slots: &mut [f32]);
}

simd_fn! {
    /// Brings a row that is up to date after step `last` to where the dense form has it after step `until`.
    ///
    /// `zeros` is a gradient of zeros, as long as the row.
    pub fn catch_up_row, catch_up_row_at[R: Replay](
        optimizer: &R, last: u32, until: u32, weights: &mut [f32], slots: &mut [f32], zeros: &[f32]
    ) = catch_up_row_body;
}

#[inline(always)]
fn catch_up_row_body<L: Lanes, R: Replay>(
    _: L,
    optimizer: &R,
    last: u32,
    until: u32,
    weights: &mut [f32],
    slots: &mut [f32],
    zeros: &[f32],
) {
    for step in last.saturating_add(1)..=until {
        if optimizer.at_rest(step, weights, slots) {
            optimizer.decay(until - step + 1, slots);
            return;
        }
        optimizer.rule(step).apply(weights, zeros, zeros.iter().copied(), slots);
    }
}

/// Whether subtracting a number of this size from `weight` gives `weight` back: below a quarter of its unit in the last
/// place, which is half the distance to its smaller neighbour even at a power of two.
#[inline(always)]
pub fn leaves_unmoved(weight: f32, size: f32) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    const QUARTER_ULP_OF_ONE: f32 = 1.0 / (1_u32 << 25) as f32;
    let power = f32::from_bits(weight.to_bits() & EXPONENT);
    size == 0.0 || size < power * QUARTER_ULP_OF_ONE
}
