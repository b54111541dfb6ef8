//! Steps without a gradient, made up for when a row is next read.
//!
//! A dense optimizer with momentum moves every row at every step. The exact form leaves a row alone until it is needed and then
//! replays what the row has missed:
//!
//! ```text
//! for τ = last + 1 ..= until:
//!     if τ % 8 = 0 and no later step can move a weight of the row:  stop, the row rests
//!     rule(τ)(weights, gradient 0, slots)                            the very expressions of the dense form
//!     last = τ
//! ```
//!
//! The weights get the bits of the dense form, however long the gap. Of a row that rests nothing changes but its slots, which no one
//! reads until its next gradient; they then decay by powers, over all steps since `last` at once. So it makes no
//! difference how often a row is caught up in between. Rest is looked for at every eighth step, which its number fixes.
//!
//! Cost: the row's weights and slots, from the cache, and the scalars of a step, once a replayed step, of which there are at most
//! as many as it takes the row to come to rest; nothing for rows that never had a gradient.

use super::UpdateRule;
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, simd_fn};
use core::ops::RangeInclusive;

/// An optimizer whose dense form moves a row also in steps in which the row has no gradient.
pub trait Replay {
    /// Whether neither step `step` nor any later one can move a weight of the row while its gradient is zero.
    fn at_rest(&self, step: u32, weights: &[f32], slots: &[f32]) -> bool;

    /// What `steps` steps without a gradient make of the slots.
    fn decay(&self, steps: u32, slots: &mut [f32]);
}

simd_fn! {
    /// Brings the weights of a row that missed these steps to where the dense form has them after the last one, and gives the last
    /// step that was replayed: that one, or the one before the row came to rest.
    ///
    /// `rule` gives the rule of a step; `zeros` is a gradient of zeros.
    ///
    /// # Errors
    /// If `zeros` is not as long as `weights`, or `slots` not as long as the rule keeps them. Nothing has been written then.
    pub fn catch_up_row, catch_up_row_at[O: Replay, R: UpdateRule, F: Fn(u32) -> R](
        optimizer: &O, rule: F, missed: RangeInclusive<u32>, weights: &mut [f32], slots: &mut [f32], zeros: &[f32]
    ) -> Result<u32, ShapeMismatch> = catch_up_row_body;
}

#[inline(always)]
fn catch_up_row_body<L: Lanes, O: Replay, R: UpdateRule, F: Fn(u32) -> R>(
    _: L,
    optimizer: &O,
    rule: F,
    missed: RangeInclusive<u32>,
    weights: &mut [f32],
    slots: &mut [f32],
    zeros: &[f32],
) -> Result<u32, ShapeMismatch> {
    const REST: u32 = 8;
    ShapeMismatch::check("length of zeros", weights.len(), zeros.len())?;
    ShapeMismatch::check("slots length", R::slots(weights.len()), slots.len())?;
    let until = *missed.end();
    for step in missed {
        if step.is_multiple_of(REST) && optimizer.at_rest(step, weights, slots) {
            return Ok(step - 1);
        }
        rule(step).apply(weights, zeros, zeros.iter().copied(), slots);
    }
    Ok(until)
}

/// Whether subtracting a number of this size from `weight` gives `weight` back: below a quarter of its unit in the last
/// place, which is half the distance to its smaller neighbour even at a power of two.
#[inline(always)]
pub fn leaves_unmoved(weight: f32, size: f32) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    const QUARTER_ULP_OF_ONE: f32 = 1.0 / (1_u32 << 25) as f32;
    let power = f32::from_bits(weight.to_bits() & EXPONENT);
    size == 0.0 || size.abs() < power * QUARTER_ULP_OF_ONE
}
