//! Products of two vectors.

use crate::kernels::shaped::dot;

/// Writes to `d_a` and `d_b`, of which either may be empty, the gradients of d · Σⱼ aⱼ bⱼ.
pub(crate) fn dot_backward(d: f32, a: &[f32], b: &[f32], d_a: &mut [f32], d_b: &mut [f32]) {
    for (d_a, b) in d_a.iter_mut().zip(b) {
        *d_a = d * b;
    }
    for (d_b, a) in d_b.iter_mut().zip(a) {
        *d_b = d * a;
    }
}

/// Σⱼ aⱼ bⱼ + bias of a + bias of b + mean; the last number of a and of b is its bias.
pub(crate) fn biased_dot(a: &[f32], b: &[f32], mean: f32) -> Option<f32> {
    let ([a @ .., a_bias], [b @ .., b_bias]) = (a, b) else { return None };
    Some(dot(a, b) + a_bias + b_bias + mean)
}

/// Writes to `d_a` and `d_b` the gradients of d times that.
pub(crate) fn biased_dot_backward(d: f32, a: &[f32], b: &[f32], d_a: &mut [f32], d_b: &mut [f32]) {
    dot_backward(d, a, b, d_a, d_b);
    for d_bias in [d_a.last_mut(), d_b.last_mut()].into_iter().flatten() {
        *d_bias = d;
    }
}
