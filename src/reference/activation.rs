//! Activations and their gradients.

use super::lane_sum;
use crate::error::ShapeMismatch;
use crate::math;

/// x ← eˣ.
pub fn exp(x: &mut [f32]) {
    for x in x {
        *x = math::exp(*x);
    }
}

/// x ← ln x.
pub fn ln(x: &mut [f32]) {
    for x in x {
        *x = math::ln(*x);
    }
}

/// x ← 1 / (1 + e⁻ˣ).
pub fn sigmoid(x: &mut [f32]) {
    for x in x {
        *x = math::sigmoid(*x);
    }
}

/// x ← tanh x.
pub fn tanh(x: &mut [f32]) {
    for x in x {
        *x = math::tanh(*x);
    }
}

/// x ← 0 where x ≤ 0, else x.
pub fn relu(x: &mut [f32]) {
    for x in x {
        *x = if *x <= 0.0 { 0.0 } else { *x };
    }
}

/// The greatest element by compare and select from the first one; −∞ of none.
fn greatest(row: &[f32]) -> f32 {
    let mut max = row.first().copied().unwrap_or(f32::NEG_INFINITY);
    for &x in row {
        max = if x > max { x } else { max };
    }
    max
}

/// xᵢ ← exp(xᵢ − max) / Σⱼ exp(xⱼ − max).
pub fn softmax(row: &mut [f32]) {
    let max = greatest(row);
    for x in row.iter_mut() {
        *x = math::exp(*x - max);
    }
    let sum = lane_sum(row.iter().copied());
    for x in row {
        *x /= sum;
    }
}

/// max + ln Σⱼ exp(xⱼ − max).
pub fn log_sum_exp(row: &[f32]) -> f32 {
    let max = greatest(row);
    max + math::ln(lane_sum(row.iter().map(|x| math::exp(x - max))))
}

/// d ← d · (y (1 − y)).
///
/// # Errors
/// If the lengths differ.
pub fn sigmoid_backward(y: &[f32], d: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of d", y.len(), d.len())?;
    for (d, y) in d.iter_mut().zip(y) {
        *d *= y * (1.0 - y);
    }
    Ok(())
}

/// d ← d · (1 − y²).
///
/// # Errors
/// If the lengths differ.
pub fn tanh_backward(y: &[f32], d: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of d", y.len(), d.len())?;
    for (d, y) in d.iter_mut().zip(y) {
        *d *= 1.0 - y * y;
    }
    Ok(())
}

/// d ← 0 where y ≤ 0, else d.
///
/// # Errors
/// If the lengths differ.
pub fn relu_backward(y: &[f32], d: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of d", y.len(), d.len())?;
    for (d, y) in d.iter_mut().zip(y) {
        *d = if *y <= 0.0 { 0.0 } else { *d };
    }
    Ok(())
}

/// dᵢ ← yᵢ (dᵢ − Σⱼ yⱼ dⱼ).
///
/// # Errors
/// If the lengths differ.
pub fn softmax_backward(y: &[f32], d: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of d", y.len(), d.len())?;
    let common = lane_sum(y.iter().zip(&*d).map(|(y, d)| y * d));
    for (d, y) in d.iter_mut().zip(y) {
        *d = y * (*d - common);
    }
    Ok(())
}
