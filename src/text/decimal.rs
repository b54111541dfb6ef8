//! Decimal numbers in text.
//!
//! ```text
//! m = the digits as a whole number, e = the exponent less the digits behind the point
//! x = m · 10^e:   one product or quotient where |e| ≤ 10, else one for each ten
//! ```
//!
//! A number of up to 7 digits with |e| ≤ 10 is rounded once, so correctly: m and the power are exact in `f32`
//! (Clinger, 1990). Any other is within a few units in the last place. The standard library's is always
//! exact, by a table of 10 KB and code that can panic, which firmware does not link.

/// 10^0 to 10^10: the powers of ten that `f32` holds exactly.
const POWERS: [f32; 11] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
/// The greatest m that another digit can follow.
const MOST: u32 = (u32::MAX - 9) / 10;

/// The number that `text` is, in a form that `f32` reads in Rust, such as `-2`, `.5`, `1e-3`, `inf`, `nan`;
/// `None` if it is none.
pub(super) fn parse(text: &str) -> Option<f32> {
    let (is_negative, text) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    let x = match text {
        _ if is("inf") || is("infinity") => f32::INFINITY,
        _ if is("nan") => f32::NAN,
        _ => unsigned(text)?,
    };
    Some(if is_negative { -x } else { x })
}

fn unsigned(text: &[u8]) -> Option<f32> {
    let (mut mantissa, mut exponent) = (0_u32, 0_i32);
    let (mut has_digits, mut has_point) = (false, false);
    let mut bytes = text.iter();
    for byte in bytes.by_ref() {
        match byte {
            b'0'..=b'9' => {
                has_digits = true;
                let fits = mantissa <= MOST;
                if fits {
                    mantissa = mantissa.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
                }
                // A digit that does not fit moves the point, too.
                exponent = exponent.saturating_add(i32::from(!fits)).saturating_sub(i32::from(has_point));
            }
            b'.' if !has_point => has_point = true,
            b'e' | b'E' if has_digits => {
                exponent = exponent.saturating_add(whole(bytes.as_slice())?);
                return Some(scaled(mantissa, exponent));
            }
            _ => return None,
        }
    }
    has_digits.then(|| scaled(mantissa, exponent))
}

/// A whole number with or without a sign, cut off at what 32 bits hold.
fn whole(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        all => (1, all),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_i32, |number, byte| match byte {
        b'0'..=b'9' => Some(number.saturating_mul(10).saturating_add(sign * i32::from(byte - b'0'))),
        _ => None,
    })
}

fn scaled(mantissa: u32, mut exponent: i32) -> f32 {
    let mut x = mantissa as f32;
    while exponent != 0 && x != 0.0 && x < f32::INFINITY {
        let step = exponent.unsigned_abs().min(10);
        let power = POWERS.get(step as usize).copied().unwrap_or(1.0);
        if exponent > 0 {
            x *= power;
            exponent = exponent.saturating_sub_unsigned(step);
        } else {
            x /= power;
            exponent = exponent.saturating_add_unsigned(step);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::parse;
    use proptest::prelude::*;
    use std::format;

    /// How many numbers of `f32` lie between two.
    fn apart(a: f32, b: f32) -> u32 {
        let place = |x: f32| if x < 0.0 { -i64::from((-x).to_bits()) } else { i64::from(x.to_bits()) };
        (place(a) - place(b)).unsigned_abs() as u32
    }

    #[test]
    fn forms() {
        for text in [
            "0",
            "-0",
            "+3",
            "1.",
            ".5",
            "-.5e1",
            "00012.500",
            "1e-3",
            "1E+5",
            "inf",
            "-Infinity",
            "+INF",
            "1e99",
            "1e-99",
            "1e9999999999",
            "1e-9999999999",
            "340282350000000000000000000000000000000",
            "1e38",
            "1.4e-45",
            "4294967295",
            "4294967296",
            "0.0000000000000000000001",
            "12345678901234567890",
            "0e999999999999",
        ] {
            let (found, expected) = (parse(text).unwrap(), text.parse::<f32>().unwrap());
            assert!(found == expected || apart(found, expected) <= 4, "{text}: {found} {expected}");
            assert_eq!(found.is_sign_negative(), expected.is_sign_negative(), "{text}");
        }
        assert!(parse("NaN").unwrap().is_nan());
        for text in [
            "", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "1 2", "0x10", "1e5.0", "--1", "in", "infi",
            "1_000", "٣",
        ] {
            assert!(parse(text).is_none() && text.parse::<f32>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn short_numbers_are_rounded_correctly(m in 0_u32..=1 << 24, point in 0..8_usize, negative: bool) {
            let digits = format!("{m:08}");
            let (whole, part) = digits.split_at(8 - point);
            let text = format!("{}{whole}.{part}", if negative { "-" } else { "" });
            prop_assert_eq!(parse(&text).unwrap().to_bits(), text.parse::<f32>().unwrap().to_bits());
        }

        #[test]
        fn long_numbers_are_near(x: u64, e in -60_i32..40) {
            let text = format!("{x}e{e}");
            let (found, expected) = (parse(&text).unwrap(), text.parse::<f32>().unwrap());
            prop_assert!(found == expected || apart(found, expected) <= 8, "{} {} {}", text, found, expected);
        }

        #[test]
        fn what_is_no_number_is_refused(text in "[-+.e0-9nai]{0,6}") {
            prop_assert_eq!(parse(&text).is_some(), text.parse::<f32>().is_ok());
        }
    }
}
