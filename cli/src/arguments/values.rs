//! The values that arguments have, and how they are read.

use clap::ValueEnum;
use nanoembed::table::RowFormat;
use nanoembed::text::Lowering;
use std::num::NonZero;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClassWeights {
    /// Every line counts the same
    None,
    /// Every class counts the same
    Balanced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lowercase {
    /// Those of ASCII
    Ascii,
    /// Those of all scripts; 57 KB of firmware
    Unicode,
    /// None
    None,
}

impl From<Lowercase> for Lowering {
    fn from(lowercase: Lowercase) -> Self {
        match lowercase {
            Lowercase::Ascii => Self::Ascii,
            Lowercase::Unicode => Self::Unicode,
            Lowercase::None => Self::Unchanged,
        }
    }
}

/// What words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Split {
    /// Runs of letters, runs of digits, and each mark
    Marks,
    /// What spaces and filters leave, as in Keras
    Keras,
}

/// Numbers of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Numbers {
    /// 32 bits
    F32,
    /// 16 bits
    F16,
    /// 16 bits, the range of f32
    Bf16,
    /// 8 bits, scale and bias for each row
    U8,
    /// 4 bits, scale and bias for each row
    U4,
    /// 2 bits, scale and bias for each row
    U2,
    /// 8 bits, one scale
    I8,
    /// 4 bits, one scale
    I4,
}

impl From<Numbers> for RowFormat {
    fn from(numbers: Numbers) -> Self {
        match numbers {
            Numbers::F32 => Self::F32,
            Numbers::F16 => Self::F16,
            Numbers::Bf16 => Self::Bf16,
            Numbers::U8 => Self::U8,
            Numbers::U4 => Self::U4,
            Numbers::U2 => Self::U2,
            Numbers::I8 => Self::I8,
            Numbers::I4 => Self::I4,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Integers {
    /// 8 bits
    I8,
    /// 4 bits
    I4,
}

impl From<Integers> for RowFormat {
    fn from(integers: Integers) -> Self {
        match integers {
            Integers::I8 => Self::I8,
            Integers::I4 => Self::I4,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// The type of the model, and the line that takes the image into a program
    Rust,
    /// The image as an array of C
    C,
    /// The weights as arrays of NumPy
    Npz,
    /// The weights as safetensors
    Safetensors,
    /// A folder with a program for a microcontroller, which an emulator runs
    Firmware,
}

/// A whole number in a range.
fn whole(text: &str, least: u32, most: u32) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("a whole number from {least} to {most}")),
    }
}

/// An extent of a layer.
pub(super) fn extent(text: &str) -> Result<u32, String> {
    whole(text, 1, 1 << 16)
}

/// Rows of a table: row 0 is that of no word.
pub(super) fn rows(text: &str) -> Result<u32, String> {
    whole(text, 2, u32::MAX)
}

/// How often.
pub(super) fn times(text: &str) -> Result<u32, String> {
    whole(text, 1, u32::MAX)
}

/// Words of an n-gram.
pub(super) fn words(text: &str) -> Result<u16, String> {
    Ok(whole(text, 1, 8)? as u16)
}

/// How many answers.
pub(super) fn top(text: &str) -> Result<u16, String> {
    Ok(whole(text, 1, u32::from(u16::MAX))? as u16)
}

/// A number of bytes, such as 65536 or 64k.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let text = text.to_ascii_lowercase();
    let digits = text.trim_end_matches("ib").trim_end_matches('b');
    let (digits, unit) = match (digits.strip_suffix('k'), digits.strip_suffix('m')) {
        (Some(digits), _) => (digits, 1 << 10),
        (None, Some(digits)) => (digits, 1 << 20),
        (None, None) => (digits, 1),
    };
    let number = digits.parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
    number.ok_or_else(|| "a number of bytes, such as 65536, 64k or 1m".to_owned())
}

/// So many threads.
pub(super) fn threads(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().map_err(|_| "a whole number from 1 on".to_owned())
}

/// A learning rate.
pub(super) fn rate(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f32::is_finite(rate) => Ok(rate),
        _ => Err("a number above 0".to_owned()),
    }
}

/// A share of all, such as 1e-4.
pub(super) fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a number from 0 to 1".to_owned()),
    }
}

/// A part of a whole, such as 0.1.
pub(super) fn part(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(part) if (0.0..=0.5).contains(&part) => Ok(part),
        _ => Err("a number from 0 to 0.5".to_owned()),
    }
}

/// A part that is left out, such as 0.5, in thousandths.
pub(super) fn dropout(text: &str) -> Result<u16, String> {
    let part = text.parse().map_or(f64::NAN, |part: f64| (1000.0 * part).round());
    match u16::try_from(part as i64) {
        Ok(thousandths) if (0.0..=900.0).contains(&part) => Ok(thousandths),
        _ => Err("a number from 0 to 0.9".to_owned()),
    }
}

/// Lengths of character n-grams: `5`, `3-6`, or `0` for none.
pub(super) fn characters(text: &str) -> Result<(u16, u16), String> {
    let (min, max) = text.split_once('-').unwrap_or((text, text));
    match (min.parse(), max.parse()) {
        (Ok(0), Ok(0)) => Ok((0, 0)),
        (Ok(min), Ok(max)) if 1 <= min && min <= max => Ok((min, max)),
        _ => Err("a length such as 5, a range such as 3-6, or 0 for none".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_checked() {
        assert_eq!((extent("65536"), rows("2"), words("8")), (Ok(65_536), Ok(2), Ok(8)));
        assert!(extent("0").is_err() && rows("1").is_err() && words("9").is_err() && times("-1").is_err());
        assert_eq!(characters("3-6"), Ok((3, 6)));
        assert_eq!(characters("0"), Ok((0, 0)));
        for wrong in ["6-3", "0-3", "", "a", "3-6-9"] {
            assert!(characters(wrong).is_err(), "{wrong}");
        }
        assert_eq!((size("64k"), size("1MiB"), size("1000")), (Ok(65_536), Ok(1 << 20), Ok(1000)));
        assert!(size("k").is_err() && size("-1").is_err() && size("99999999999999999999m").is_err());
        assert_eq!((dropout("0"), dropout("0.5"), dropout("0.9")), (Ok(0), Ok(500), Ok(900)));
        assert!(dropout("1").is_err() && dropout("-0.1").is_err() && dropout("NaN").is_err());
        assert!(rate("0").is_err() && rate("inf").is_err() && rate("NaN").is_err() && rate("0.1").is_ok());
        assert!(share("2").is_err() && share("NaN").is_err() && share("0").is_ok());
        assert!(threads("0").is_err() && threads("-1").is_err() && threads("2").is_ok());
        assert!(part("0.6").is_err() && part("NaN").is_err() && part("0.1").is_ok());
    }
}
