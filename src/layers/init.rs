//! Keras' initial values.

use crate::math;
use rand_core::Rng;

/// Keras' `"uniform"`: numbers drawn from U[−limit, limit), the first number first.
///
/// The upper 24 bits of each `next_u32` give one of 2²⁴ evenly spaced values, so every generator gives the same values on
/// every target.
pub fn uniform(values: &mut [f32], limit: f32, random: &mut impl Rng) {
    const STEP: f32 = 1.0 / (1 << 24) as f32;
    for value in values {
        let unit = (random.next_u32() >> 8) as f32 * STEP;
        *value = (2.0 * unit - 1.0) * limit;
    }
}

/// Glorot and Bengio's uniform initialiser, Keras' `glorot_uniform`: U[−l, l) with l = √(6 / (`fan_in` + `fan_out`)).
pub fn glorot_uniform(values: &mut [f32], fan_in: usize, fan_out: usize, random: &mut impl Rng) {
    uniform(values, math::sqrt(6.0 / (fan_in + fan_out) as f32), random);
}
