//! `exp`, `ln`, `sigmoid`, `tanh` and roots for `f32`, with the same bits on every processor.
//!
//! The functions of a C library differ from one system to the next in the last bit. These do not. They are
//! made of +, −, × and ÷ (each rounded by itself, never fused), of comparisons that select one of two values,
//! and of integer operations. IEEE 754 fixes all of these. The functions have no branches and no tables, so a
//! loop that calls them is vectorised.
//!
//! | function | error at most | defined at the ends | monotone |
//! |---|---|---|---|
//! | [`exp`] | 0.99 ulp | +∞ above 88.722839, correct subnormals, 0 below −103.97208 | yes |
//! | [`ln`] | 0.96 ulp | −∞ at ±0, NaN below 0 | yes |
//! | [`ln_1p`] | 1 ulp | −∞ at −1, NaN below −1, ±0 at ±0 | yes |
//! | [`sigmoid`] | 2.5 ulp | 1 above 17, correct subnormals, 0 below −103.97208 | yes |
//! | [`tanh`] | 1.46 ulp | ±1 beyond 9.02, ±0 at ±0, odd | yes |
//! | [`sqrt`] | 0.5 ulp (correctly rounded) | NaN below 0, −0 at −0 | yes |
//! | [`rsqrt`] | 1.5 ulp | ±∞ at ±0, NaN below 0, 0 at ∞ | yes, falling |
//!
//! One ulp is the distance of two neighbouring `f32` at the exact result. The errors and the monotony were
//! measured on all 2³² values. The tests sample them; with `NANOEMBED_FULL_SWEEP=1` they visit all. NaN gives
//! NaN, whose sign and payload are not fixed.
//!
//! The polynomials are our own weighted minimax fits. They were found by Remez' exchange algorithm on some
//! thousand Chebyshev nodes, with values of 40 digits, for the smallest *relative* error of the whole
//! function. The leading coefficients (1 and x; x and −x²/2; x) are exact and were left out of the fit. After
//! the coefficients are rounded to `f32`, the relative errors are 2⁻²⁸·² (`exp`), 2⁻²⁷ (`ln`) and 2⁻²⁹·⁷
//! (`tanh`). Half an ulp is at least 2⁻²⁵.

use crate::simd;

/// ln 2 in two parts. The upper one has 15 bits, so its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_145_75;
const LN_2_LOW: f32 = 1.428_606_8e-6;

/// 1.5 · 2²³: added to a small number, it leaves no bits for the fraction, so the sum is rounded to a whole
/// number, which stands in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;

const EXPONENT_ONE: u32 = 1 << 23;

/// 2ⁿ for −127 < n < 128.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// eˣ.
///
/// With n = x / ln 2 rounded to a whole number and r = x − n ln 2, the result is eʳ · 2ⁿ. The factor 2ⁿ is
/// applied in two halves, so that results beyond the range become +∞ and those below the normal numbers are
/// rounded to subnormals, once.
///
/// ```
/// use nanoembed::math::exp;
/// assert_eq!(exp(0.0), 1.0);
/// assert_eq!(exp(1.0), core::f32::consts::E);
/// assert_eq!(exp(f32::NEG_INFINITY), 0.0);
/// ```
// Loops over lanes are vectorised with what is in them; a small processor has one, and each copy is flash.
#[cfg_attr(all(target_os = "none", target_pointer_width = "32"), inline(never))]
#[cfg_attr(not(all(target_os = "none", target_pointer_width = "32")), inline(always))]
pub fn exp(x: f32) -> f32 {
    // Beyond these the result is +∞ or 0 in any case; a NaN passes both comparisons.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (p, shifted) = reduced(x, ROUND);
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = n >> 1;
    p * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// e to the power of what x is above n ln 2, and n + `round`, for n = x / ln 2 rounded to a whole number.
///
/// `round` is [`ROUND`], or that plus an even number, so that halves are rounded to the same n.
#[inline(always)]
fn reduced(x: f32, round: f32) -> (f32, f32) {
    let shifted = x * core::f32::consts::LOG2_E + round;
    let n = shifted - round;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let q = 0.001_383_832_5;
    let q = q * r + 0.008_369_165;
    let q = q * r + 0.041_668_102;
    let q = q * r + 0.166_665_17;
    let q = q * r + 0.499_999_94;
    (1.0 + (r + r * r * q), shifted)
}

/// Whether functions share the code of [`exp`] where a shorter form of it would do: a small processor has
/// little flash, and no lanes.
const SHARED: bool = cfg!(all(target_os = "none", target_pointer_width = "32"));

/// [`exp`] up to 20, the same bits.
///
/// There n + 63 is the exponent of a normal number, which is made by a shift alone: its bias, 127, is in what
/// is added. The factor 2⁻⁶³ then rounds subnormals, once.
#[inline(always)]
fn exp_up_to_20(x: f32) -> f32 {
    if SHARED {
        return exp(x);
    }
    let x = if x < -104.0 { -104.0 } else { x };
    // 127 + 63.
    let (p, shifted) = reduced(x, ROUND + 190.0);
    p * f32::from_bits(shifted.to_bits() << 23) * (1.0 / 9_223_372_036_854_775_808.0)
}

/// ½ [`exp`] from 0 to 40, the same bits; what it is at 40 beyond that.
#[inline(always)]
fn half_exp_up_to_40(x: f32) -> f32 {
    let x = if x > 40.0 { 40.0 } else { x };
    if SHARED {
        return 0.5 * exp(x);
    }
    // 127 − 1.
    let (p, shifted) = reduced(x, ROUND + 126.0);
    p * f32::from_bits(shifted.to_bits() << 23)
}

/// ln(u + c) − shift · ln 2 for a positive normal u and a c far below u, given as c / u.
///
/// With u = 2ᵏ(1 + f), f between √½ − 1 and √2 − 1, the result is k ln 2 + ln(1 + f); the rounding error of
/// the largest sum is computed and put back.
#[inline(always)]
fn ln_normal(u: f32, correction: f32, shift: i32) -> f32 {
    const SQRT_HALF: u32 = core::f32::consts::FRAC_1_SQRT_2.to_bits();
    let above = u.to_bits().wrapping_sub(SQRT_HALF);
    let k = ((above as i32 >> 23).wrapping_sub(shift)) as f32;
    let f = f32::from_bits((above & (EXPONENT_ONE - 1)).wrapping_add(SQRT_HALF)) - 1.0;
    let p = -0.076_344_87;
    let p = p * f + 0.127_619_62;
    let p = p * f - 0.131_603_64;
    let p = p * f + 0.142_017_19;
    let p = p * f - 0.166_233_36;
    let p = p * f + 0.200_012_28;
    let p = p * f - 0.250_008_23;
    let p = p * f + 0.333_333_3;
    let tail = f * f * (f * p - 0.5) + (k * LN_2_LOW + correction);
    let high = k * LN_2_HIGH;
    let sum = high + f;
    let lost = (high - sum) + f;
    sum + (lost + tail)
}

/// The natural logarithm ln x.
///
/// ```
/// use nanoembed::math::ln;
/// assert_eq!(ln(1.0), 0.0);
/// assert_eq!(ln(0.0), f32::NEG_INFINITY);
/// assert!(ln(-1.0).is_nan());
/// ```
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let u = if subnormal { x * 8_388_608.0 } else { x };
    let inside = ln_normal(u, 0.0, if subnormal { 23 } else { 0 });
    let outside = if x == 0.0 { f32::NEG_INFINITY } else { f32::NAN };
    let positive = if x > 0.0 { inside } else { outside };
    if x == f32::INFINITY { x } else { positive }
}

/// ln(1 + x), exact to the last bits also where 1 + x is not.
///
/// ```
/// use nanoembed::math::ln_1p;
/// assert_eq!(ln_1p(1e-10), 1e-10);
/// assert_eq!(ln_1p(-1.0), f32::NEG_INFINITY);
/// ```
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    // u is 1 + x rounded; `lost` is what the rounding took away, exactly: ln(1 + x) = ln u + lost / u + ...
    let u = 1.0 + x;
    let part = u - x;
    let lost = (1.0 - part) + (x - (u - part));
    let inside = ln_normal(u, lost / u, 0);
    let outside = if x == -1.0 { f32::NEG_INFINITY } else { f32::NAN };
    let above = if x > -1.0 { inside } else { outside };
    // ±0 keeps its sign, +∞ has no finite parts.
    if x == 0.0 || x == f32::INFINITY { x } else { above }
}

/// The logistic function 1 / (1 + e⁻ˣ).
///
/// Monotone by construction: exp, +, ÷ are. Far below zero 1 + e⁻ˣ is e⁻ˣ, and eˣ is taken, which does not
/// overflow.
///
/// ```
/// use nanoembed::math::sigmoid;
/// assert_eq!(sigmoid(0.0), 0.5);
/// assert_eq!(sigmoid(100.0), 1.0);
/// assert!(sigmoid(-100.0) > 0.0);
/// ```
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp_up_to_20(if x < -20.0 { x } else { -x });
    // The same question of the bits: if it were asked in the same words, the compiler would compute the
    // exponential of x and that of −x.
    if x.to_bits() > (-20.0_f32).to_bits() { e } else { 1.0 / (1.0 + e) }
}

/// The hyperbolic tangent.
///
/// Up to 0.55, where the result passes ½, x + x³ · polynomial(x²); beyond it 1 − 2 / (e²ˣ + 1), which loses
/// no bits there.
///
/// ```
/// use nanoembed::math::tanh;
/// assert_eq!(tanh(0.5), -tanh(-0.5));
/// assert_eq!(tanh(-10.0), -1.0);
/// ```
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let s = a * a;
    let p = -0.006_242_849_4;
    let p = p * s + 0.021_050_714;
    let p = p * s - 0.053_847_548;
    let p = p * s + 0.133_325_44;
    let p = p * s - 0.333_333_16;
    let near = a + a * (s * p);
    // Both sides of 2 / (e²ᵃ + 1) are halved, which changes no bits. Beyond 40 the
    // quotient is lost beside 1.
    let far = 1.0 - 1.0 / (half_exp_up_to_40(2.0 * a) + 0.5);
    let magnitude = if a < 0.55 { near } else { far };
    magnitude.copysign(x)
}

/// √x, correctly rounded.
///
/// ```
/// use nanoembed::math::sqrt;
/// assert_eq!(sqrt(2.0), core::f32::consts::SQRT_2);
/// ```
#[inline(always)]
pub fn sqrt(x: f32) -> f32 {
    simd::sqrt(x)
}

/// 1 / √x: a square root and a division, each correctly rounded.
///
/// ```
/// use nanoembed::math::rsqrt;
/// assert_eq!(rsqrt(16.0), 0.25);
/// ```
#[inline(always)]
pub fn rsqrt(x: f32) -> f32 {
    1.0 / sqrt(x)
}

#[cfg(test)]
mod tests {
    use super::{exp, ln, ln_1p, rsqrt, sigmoid, sqrt, tanh};
    use std::println;

    /// The error of `y` in units of the distance of two neighbouring `f32` at `exact`. What lies beyond the
    /// greatest `f32` counts as 2^128, as in rounding; NaN where one of the two is NaN.
    fn ulps(y: f32, exact: f64) -> f64 {
        let top = 2_f64.powi(128);
        let within = |v: f64| {
            if v > top {
                top
            } else if v < -top {
                -top
            } else {
                v
            }
        };
        let (y, exact) = (within(f64::from(y)), within(exact));
        let exponent = ((exact.to_bits() >> 52 & 0x7ff) as i32 - 1023).clamp(-126, 127);
        (y - exact).abs() / 2_f64.powi(exponent - 23)
    }

    /// Compares with the exact function at every 251st `f32` (at all of them if `NANOEMBED_FULL_SWEEP` is
    /// set) and looks whether the next greater `f32` gives less. `falling` turns the order round.
    fn sweep(
        name: &str,
        bound: f64,
        falling: bool,
        function: impl Fn(f32) -> f32,
        exact: impl Fn(f64) -> f64,
    ) {
        let stride = if std::env::var_os("NANOEMBED_FULL_SWEEP").is_some() { 1 } else { 251 };
        let (mut worst, mut worst_at) = (0.0, 0.0);
        for bits in (0..=u32::MAX).step_by(stride) {
            let x = f32::from_bits(bits);
            let (y, want) = (function(x), exact(f64::from(x)));
            if want.is_nan() {
                assert!(y.is_nan(), "{name}({x:e}) = {y:e}, not NaN");
                continue;
            }
            let error = ulps(y, want);
            assert!(error <= bound, "{name}({x:e}) = {y:e}, exact {want:e}: {error} ulp");
            if error > worst {
                (worst, worst_at) = (error, x);
            }
            if x.to_bits() == (-0.0_f32).to_bits() {
                continue; // rsqrt jumps from -inf to +inf
            }
            let next = function(x.next_up());
            let ascends = if falling { next <= y } else { y <= next };
            assert!(ascends || next.is_nan(), "{name} turns at {x:e}: {y:e}, {next:e}");
        }
        println!("{name}: {worst:.4} ulp at {worst_at:e}");
    }

    #[test]
    fn exp_is_within_its_bound_and_monotone() {
        sweep("exp", 0.99, false, exp, f64::exp);
    }

    #[test]
    fn ln_is_within_its_bound_and_monotone() {
        sweep("ln", 0.96, false, ln, f64::ln);
    }

    #[test]
    fn ln_1p_is_within_its_bound_and_monotone() {
        sweep("ln_1p", 1.0, false, ln_1p, f64::ln_1p);
    }

    #[test]
    fn sigmoid_is_within_its_bound_and_monotone() {
        sweep("sigmoid", 2.5, false, sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
    }

    #[test]
    fn tanh_is_within_its_bound_and_monotone() {
        sweep("tanh", 1.46, false, tanh, f64::tanh);
    }

    #[test]
    fn sqrt_is_correctly_rounded() {
        sweep("sqrt", 0.5, false, sqrt, f64::sqrt);
    }

    #[test]
    fn rsqrt_is_within_its_bound_and_monotone() {
        sweep("rsqrt", 1.5, true, rsqrt, |x| 1.0 / x.sqrt());
    }

    #[test]
    fn ends_are_defined() {
        let (inf, tiny) = (f32::INFINITY, f32::from_bits(1));
        let bits = |table: &[(f32, f32)]| {
            for (i, (found, expected)) in table.iter().enumerate() {
                assert_eq!(found.to_bits(), expected.to_bits(), "case {i}: {found:e}, expected {expected:e}");
            }
        };
        bits(&[(exp(0.0), 1.0), (exp(-0.0), 1.0), (exp(inf), inf), (exp(-inf), 0.0), (exp(-f32::MAX), 0.0)]);
        bits(&[(exp(88.722_84), inf), (exp(f32::MAX), inf), (exp(-103.0), tiny), (exp(-103.972_09), 0.0)]);
        bits(&[(ln(1.0), 0.0), (ln(0.0), -inf), (ln(-0.0), -inf), (ln(inf), inf), (ln(tiny), -103.278_93)]);
        bits(&[(ln_1p(0.0), 0.0), (ln_1p(-0.0), -0.0), (ln_1p(-1.0), -inf), (ln_1p(inf), inf)]);
        bits(&[(ln_1p(tiny), tiny), (ln_1p(-tiny), -tiny), (ln_1p(f32::MAX), ln(f32::MAX))]);
        bits(&[(sigmoid(0.0), 0.5), (sigmoid(-0.0), 0.5), (sigmoid(inf), 1.0), (sigmoid(-inf), 0.0)]);
        bits(&[
            (tanh(0.0), 0.0),
            (tanh(-0.0), -0.0),
            (tanh(inf), 1.0),
            (tanh(-inf), -1.0),
            (tanh(-tiny), -tiny),
        ]);
        bits(&[(sqrt(0.0), 0.0), (sqrt(-0.0), -0.0), (sqrt(inf), inf), (sqrt(4.0), 2.0)]);
        bits(&[(rsqrt(0.0), inf), (rsqrt(-0.0), -inf), (rsqrt(inf), 0.0), (rsqrt(0.25), 2.0)]);
        for function in [exp, ln, ln_1p, sigmoid, tanh, sqrt, rsqrt] {
            assert!(function(f32::NAN).is_nan() && function(-f32::NAN).is_nan());
        }
        for function in [ln, sqrt, rsqrt] {
            assert!(function(-tiny).is_nan() && function(-1.0).is_nan() && function(-inf).is_nan());
        }
        assert!(ln_1p((-1.0_f32).next_down()).is_nan() && ln_1p(-inf).is_nan());
    }
}
