//! Half floats: 16 bits for memory, `f32` for arithmetic.
//!
//! `f16` is IEEE binary16 (5 bits of exponent, 10 of mantissa), `bf16` the upper half of an `f32`. Widening
//! is exact, so every way of doing it gives the same bits; here it is done with integers and one exact
//! subtraction, without a branch, so that a loop is vectorised. Rows are widened by the processor's
//! instructions where it has them (`Lanes::load_f16`).
//!
//! Narrowing is written once for both roundings: an addend below the last kept bit, then truncation. The
//! addend is just under half of that bit for the nearest (ties to even), or random bits for stochastic
//! rounding, which the processor's instructions cannot do.

/// The `f32` with the value of this `f16`; NaN becomes quiet.
#[inline(always)]
pub(crate) fn f16_to_f32(half: u16) -> f32 {
    const SMALLEST_NORMAL: u32 = 113 << 23; // 2⁻¹⁴
    let sign = u32::from(half & 0x8000) << 16;
    let magnitude = u32::from(half & 0x7fff) << 13;
    let bits = if magnitude > 31 << 23 {
        (magnitude + (224 << 23)) | 1 << 22
    } else if magnitude == 31 << 23 {
        255 << 23
    } else if magnitude < 1 << 23 {
        // 2⁻¹⁴ (1 + m) − 2⁻¹⁴: a subnormal half is a normal `f32`, and the difference is exact.
        (f32::from_bits(magnitude + SMALLEST_NORMAL) - f32::from_bits(SMALLEST_NORMAL)).to_bits()
    } else {
        magnitude + (112 << 23)
    };
    f32::from_bits(sign | bits)
}

/// The `f32` with the value of this `bf16`.
#[inline(always)]
pub(crate) fn bf16_to_f32(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// What is added below the last kept bit of `bits`, of which `dropped` (1 to 31) go: for the nearest value,
/// or `random`.
#[inline(always)]
fn addend(bits: u32, dropped: u32, random: Option<u32>) -> u32 {
    match random {
        None => (1 << (dropped - 1)) - 1 + (bits >> dropped & 1),
        Some(random) => random >> (32 - dropped),
    }
}

/// The `f16` nearest to `x`, ties to even; or with 32 random bits one of the two around it, the nearer one
/// more often, so that the mean is `x`. NaN becomes quiet. Rounded at random, a finite number stays finite.
#[inline(always)]
pub(crate) fn f32_to_f16(x: f32, random: Option<u32>) -> u16 {
    const INFINITE: u32 = 0x7c00;
    let sign = x.to_bits() >> 16 & 0x8000;
    let magnitude = x.to_bits() & 0x7fff_ffff;
    let exponent = magnitude >> 23;
    // Below 2⁻¹⁴ the halves stand 2⁻²⁴ apart, and the more bits go the smaller the number is.
    let small = 113_u32.saturating_sub(exponent);
    let far = small.saturating_sub(18);
    let mantissa = magnitude & 0x007f_ffff | if exponent == 0 { 0 } else { 1 << 23 };
    let mantissa = mantissa >> far.min(31);
    let dropped = 13 + small - far;
    let kept = (mantissa + addend(mantissa, dropped, random)) >> dropped;
    // The leading one of a normal number's mantissa adds one to its exponent.
    let normal = exponent.saturating_sub(113) << 10;
    let most = if random.is_some() { INFINITE - 1 } else { INFINITE };
    let bits = if magnitude > 255 << 23 {
        INFINITE | 1 << 9
    } else if exponent == 255 {
        INFINITE
    } else if normal + kept > most {
        most
    } else {
        normal + kept
    };
    (sign | bits) as u16
}

/// The `bf16` nearest to `x`, ties to even; or with 32 random bits one of the two around it, the nearer one
/// more often, so that the mean is `x`. NaN becomes quiet. Rounded at random, a finite number stays finite.
#[inline(always)]
pub(crate) fn f32_to_bf16(x: f32, random: Option<u32>) -> u16 {
    const INFINITE: u32 = 0x7f80;
    let sign = x.to_bits() >> 16 & 0x8000;
    let magnitude = x.to_bits() & 0x7fff_ffff;
    let kept = (magnitude + addend(magnitude, 16, random)) >> 16;
    let most = if random.is_some() { INFINITE - 1 } else { INFINITE };
    let bits = if magnitude > 255 << 23 {
        INFINITE | 1 << 6
    } else if magnitude == 255 << 23 {
        INFINITE
    } else if kept > most {
        most
    } else {
        kept
    };
    (sign | bits) as u16
}

#[cfg(test)]
mod tests {
    use super::{bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16};

    /// Value of a half by its definition.
    fn value(half: u16) -> f64 {
        let (exponent, mantissa) = (i32::from(half >> 10 & 31), f64::from(half & 0x3ff));
        let magnitude = match exponent {
            0 => mantissa * 2_f64.powi(-24),
            31 if mantissa == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1024.0 + mantissa) * 2_f64.powi(exponent - 25),
        };
        if half >> 15 == 1 { -magnitude } else { magnitude }
    }

    #[test]
    fn every_half_has_its_value_and_returns() {
        for half in 0..=u16::MAX {
            let x = f16_to_f32(half);
            if value(half).is_nan() {
                assert!(x.is_nan() && x.to_bits() & 1 << 22 != 0 && f16_to_f32(f32_to_f16(x, None)).is_nan());
            } else {
                assert_eq!(f64::from(x).to_bits(), value(half).to_bits(), "{half:#x}");
                assert_eq!(f32_to_f16(x, None), half, "{half:#x}");
                assert_eq!(f32_to_f16(x, Some(u32::MAX)), half, "{half:#x} is not rounded");
            }
            let x = bf16_to_f32(half);
            if !x.is_nan() {
                assert_eq!((f32_to_bf16(x, None), f32_to_bf16(x, Some(u32::MAX))), (half, half), "{half:#x}");
            }
        }
        assert!(bf16_to_f32(f32_to_bf16(f32::from_bits(0x7f80_0001), None)).is_nan());
    }

    #[test]
    fn the_nearest_half_is_found_between_any_two() {
        // Around every half up to the largest: the middle, and the numbers next to the middle.
        for low in 0..0x7bff_u16 {
            let high = low + 1;
            let middle = f32::midpoint(f16_to_f32(low), f16_to_f32(high));
            let even = if low % 2 == 0 { low } else { high };
            for (x, expected) in [(middle.next_down(), low), (middle, even), (middle.next_up(), high)] {
                assert_eq!(f32_to_f16(x, None), expected, "{x:e}");
                assert_eq!(f32_to_f16(-x, None), expected | 0x8000, "{x:e}");
            }
        }
        assert_eq!(f32_to_f16(65520.0, None), 0x7c00);
        assert_eq!(f32_to_f16(65520.0_f32.next_down(), None), 0x7bff);
        for (x, expected) in [(f32::MAX, 0x7c00), (f32::INFINITY, 0x7c00), (1e-45, 0), (f32::MIN_POSITIVE, 0)]
        {
            assert_eq!(f32_to_f16(x, None), expected, "{x:e}");
        }
        for low in (0..0x7f7f_u16).step_by(7) {
            let middle = f32::from_bits((u32::from(low) << 16) + 0x8000);
            let even = if low % 2 == 0 { low } else { low + 1 };
            for (x, expected) in [(middle.next_down(), low), (middle, even), (middle.next_up(), low + 1)] {
                assert_eq!(f32_to_bf16(x, None), expected, "{x:e}");
            }
        }
        assert_eq!(f32_to_bf16(f32::MAX, None), 0x7f80);
    }

    #[test]
    fn random_rounding_takes_the_upper_half_as_often_as_it_is_near() {
        for (low, share) in [(0x3c00_u16, 0.25_f32), (0x0001, 0.5), (0x0000, 0.125), (0x7bfe, 0.75)] {
            let (a, b) = (f16_to_f32(low), f16_to_f32(low + 1));
            let x = a + (b - a) * share;
            let steps = 1 << 12;
            let random = |step: u32| Some(step << 20 | step);
            let upper = (0..steps).filter(|&step| f32_to_f16(x, random(step)) == low + 1).count() as f32;
            assert!((upper - share * steps as f32).abs() <= 1.0, "{low:#x}: {upper} of {steps}");
        }
        assert_eq!(f32_to_f16(1e30, Some(u32::MAX)), 0x7bff, "finite");
        assert_eq!(f32_to_f16(f32::INFINITY, Some(7)), 0x7c00);
        assert_eq!(f32_to_bf16(f32::MAX, Some(u32::MAX)), 0x7f7f, "finite");
        assert_eq!(f32_to_bf16(f32::NEG_INFINITY, Some(7)), 0xff80);
    }
}
