//! One step of an LSTM and its gradient, unit by unit.

use crate::error::ShapeMismatch;
use crate::math;

/// c ← σ(z_f) · c + σ(z_i) · tanh(z_c), h ← σ(z_o) · tanh(c); `z` keeps the gates.
///
/// # Errors
/// If the lengths do not fit.
pub fn lstm_gates(z: &mut [f32], c: &mut [f32], h: &mut [f32]) -> Result<(), ShapeMismatch> {
    let units = c.len();
    ShapeMismatch::check("length of h", units, h.len())?;
    ShapeMismatch::check("length of z", 4 * units, z.len())?;
    for j in 0..units {
        let (i, f) = (math::sigmoid(z[j]), math::sigmoid(z[units + j]));
        let (g, o) = (math::tanh(z[2 * units + j]), math::sigmoid(z[3 * units + j]));
        c[j] = f * c[j] + i * g;
        h[j] = o * math::tanh(c[j]);
        (z[j], z[units + j], z[2 * units + j], z[3 * units + j]) = (i, f, g, o);
    }
    Ok(())
}

/// From gates to the gradient with respect to their scores; `d_c` becomes the one with respect to `c`.
///
/// # Errors
/// If the lengths do not fit.
pub fn lstm_gates_backward(
    gates: &mut [f32],
    c: &[f32],
    d_h: &[f32],
    d_c: &mut [f32],
) -> Result<(), ShapeMismatch> {
    let units = c.len();
    ShapeMismatch::check("length of d_h", units, d_h.len())?;
    ShapeMismatch::check("length of d_c", units, d_c.len())?;
    ShapeMismatch::check("length of gates", 4 * units, gates.len())?;
    for j in 0..units {
        let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[gate * units + j]);
        let t = math::tanh(f * c[j] + i * g);
        let d = d_c[j] + d_h[j] * (o * (1.0 - t * t));
        gates[j] = d * (g * (i * (1.0 - i)));
        gates[units + j] = d * (c[j] * (f * (1.0 - f)));
        gates[2 * units + j] = d * (i * (1.0 - g * g));
        gates[3 * units + j] = d_h[j] * (t * (o * (1.0 - o)));
        d_c[j] = d * f;
    }
    Ok(())
}
