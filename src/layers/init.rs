//! Keras' initial values.

use crate::kernels::shaped::{axpy, dot};
use crate::kernels::sum_of_squares;
use crate::math;
use rand_core::Rng;

/// Keras' `"uniform"`: numbers drawn from U[−limit, limit), the first number first.
///
/// The upper 24 bits of each `next_u32` give one of 2²⁴ evenly spaced values, so every generator gives the
/// same values on every target.
pub fn uniform(values: &mut [f32], limit: f32, random: &mut impl Rng) {
    for value in values {
        *value = (2.0 * unit(random) - 1.0) * limit;
    }
}

/// A number from U[0, 1).
fn unit(random: &mut impl Rng) -> f32 {
    const STEP: f32 = 1.0 / (1 << 24) as f32;
    (random.next_u32() >> 8) as f32 * STEP
}

/// Glorot and Bengio's uniform initialiser, Keras' `glorot_uniform`: U[−l, l) with l = √(6 / (`fan_in` +
/// `fan_out`)).
pub fn glorot_uniform(values: &mut [f32], fan_in: usize, fan_out: usize, random: &mut impl Rng) {
    uniform(values, math::sqrt(6.0 / (fan_in + fan_out) as f32), random);
}

/// Keras' `orthogonal` for at most as many rows as columns: rows of normally distributed numbers, made
/// orthogonal to each other and of length 1.
///
/// Keras takes the Q of a QR decomposition and turns the signs so that the diagonal of R is positive. That is
/// the Gram-Schmidt process, done here row by row, in its modified form and each row twice, which leaves
/// rounding errors alone ("twice is enough": Giraud, Langou and Rozložník, 2005). The normal numbers are Box
/// and Muller's, the cosine of one draw each.
pub(crate) fn orthogonal(values: &mut [f32], columns: usize, random: &mut impl Rng) {
    let mut done = 0;
    while let Some((before, rest)) = values.split_at_mut_checked(done) {
        let Some(row) = rest.get_mut(..columns).filter(|row| !row.is_empty()) else { return };
        for value in row.iter_mut() {
            *value = normal(random);
        }
        for _ in 0..2 {
            for other in before.chunks_exact(columns) {
                axpy(-dot(other, row), other, row);
            }
        }
        let length = math::sqrt(sum_of_squares(row));
        for value in row {
            *value /= length;
        }
        done += columns;
    }
}

/// A number from N(0, 1).
fn normal(random: &mut impl Rng) -> f32 {
    const TURN: f32 = core::f32::consts::TAU;
    // 1 − u is never 0, so its logarithm is finite.
    math::sqrt(-2.0 * math::ln(1.0 - unit(random))) * libm::cosf(TURN * unit(random))
}
