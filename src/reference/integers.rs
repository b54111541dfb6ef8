//! Layers of integers, number by number, in 64 bits.
//!
//! A channel is its bias, multiplier and shift.

/// A bias, a multiplier, a shift.
pub type ChannelSpec = (i32, i32, u32);

/// sum · multiplier / 2^shift to the nearest, halves up, within 32 bits.
pub fn scaled(sum: i64, (_, multiplier, shift): ChannelSpec) -> i64 {
    let twice = (i128::from(sum) * i128::from(multiplier)).div_euclid(1 << (shift - 1));
    let rounded = (twice + 1).div_euclid(2);
    rounded.clamp(i128::from(i32::MIN), i128::from(i32::MAX)) as i64
}

/// Within ±127.
fn code(x: i64) -> i64 {
    x.clamp(-127, 127)
}

/// An activation by its number in an image; of σ (2) and tanh (4) of x in 2⁻¹², with σ in 2⁻¹⁵.
pub fn activated(x: i64, activation: u16, sigmoid: &dyn Fn(i64) -> i64) -> i64 {
    match activation {
        0 => code(x),
        1 => code(x.max(0)),
        2 => (sigmoid(x) * 127 + (1 << 14)).div_euclid(1 << 15),
        _ => (tanh(x, sigmoid) * 127 + (1 << 14)).div_euclid(1 << 15),
    }
}

/// σ(x) in 2⁻¹⁵ of x in 2⁻¹², on lines between the numbers of `table`, σ(i / 32).
pub fn sigmoid_fixed(x: i64, table: &dyn Fn(i64) -> i64) -> i64 {
    let (place, rest) = (x.abs().min(1 << 15) / 128, x.abs().min(1 << 15) % 128);
    let (low, high) = (table(place), table((place + 1).min(256)));
    let y = low + ((high - low) * rest + 64).div_euclid(128);
    if x < 0 { 32_768 - y } else { y }
}

/// 2 σ(2x) − 1.
fn tanh(x: i64, sigmoid: &dyn Fn(i64) -> i64) -> i64 {
    2 * sigmoid((2 * x).clamp(i64::from(i32::MIN), i64::from(i32::MAX))) - 32_768
}

/// The scaled sum of one unit: b + Σ x w, of those x for which `valid` says so.
pub fn unit(x: &[i8], w: &[i8], channel: ChannelSpec, valid: &dyn Fn(usize) -> bool) -> i64 {
    let mut sum = i64::from(channel.0);
    for i in 0..x.len() {
        if valid(i) {
            sum += i64::from(x[i]) * i64::from(w[i]);
        }
    }
    scaled(sum, channel)
}

/// The mean of `x`, scaled; 0 of none.
pub fn mean(x: &[i64], channel: ChannelSpec) -> i64 {
    let n = x.len() as i64;
    if n == 0 { 0 } else { code((2 * scaled(x.iter().sum(), channel) + n).div_euclid(2 * n)) }
}

/// c and h of one unit after a step, from its logits in 2⁻¹², gates i, f, c, o, and the c before it, both c
/// in 2^(shift − 12).
pub fn lstm_unit(
    logits: [i64; 4],
    (c, shift): (i64, u32),
    output: ChannelSpec,
    sigmoid: &dyn Fn(i64) -> i64,
) -> (i64, i64) {
    let [i, f, g, o] = logits;
    let (i, f, g, o) = (sigmoid(i), sigmoid(f), tanh(g, sigmoid), sigmoid(o));
    let sum = f * c + (i * g + 4 * (1 << shift)).div_euclid(8 * (1 << shift));
    let c = (sum + (1 << 14)).div_euclid(1 << 15).clamp(-32_767, 32_767);
    (c, code(scaled(o * tanh(c * (1 << shift), sigmoid), output)))
}
