//! Numbers left out at random.

use crate::error::ShapeMismatch;

/// The last step of MurmurHash3 x86 32.
fn mix(h: u32) -> u32 {
    let h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    let h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// yᵢ ← 0 if the hash of (`seed`, i) is below `rate` · 2³², else xᵢ / (1 − `rate`), as a product.
///
/// # Errors
/// If the lengths differ.
pub fn dropout(seed: u64, rate: f32, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("length of y", x.len(), y.len())?;
    let (low, high) = (seed as u32, (seed >> 32) as u32);
    let key = mix(low ^ mix(high));
    for i in 0..x.len() {
        let hash = mix(key.wrapping_add((i as u32).wrapping_mul(0x9e37_79b9)));
        y[i] = x[i] * (1.0 / (1.0 - rate));
        if hash < (rate * 4_294_967_296.0) as u32 {
            y[i] = 0.0;
        }
    }
    Ok(())
}
