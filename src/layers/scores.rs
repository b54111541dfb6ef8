//! The scores of classes as integers, and what is made of them without a float.

use super::Value;
use crate::message::Message;
use core::num::NonZero;
use zerocopy::FromZeros;

/// The scores of the classes as integers: what [`Folded::scores`](super::Folded::scores) gives, and the last
/// layer of a model of [`integer`](super::integer) layers.
///
/// ```
/// use nanoembed::layers::Scores;
/// let scores = Scores { sums: [-300, 500], count: 1, scale: 0.01 };
/// assert_eq!(scores.class(), 1);
/// assert_eq!(scores.probabilities(), [22, 65_513]); // of 65,535: a softmax of [-3, 5]
/// assert_eq!(scores.sigmoids(), [3107, 65_096]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
pub struct Scores<const CLASSES: usize> {
    /// The sum of each class.
    pub sums: [i32; CLASSES],
    /// How many rows a mean is of; of a sum, 1.
    pub count: u32,
    /// What a sum is multiplied by to be a logit.
    pub scale: f32,
}

impl<const CLASSES: usize> Scores<CLASSES> {
    /// The class with the greatest score, the first of several. Of one score, 1 if it is above 0, else 0: whether
    /// the probability is above a half.
    pub fn class(&self) -> usize {
        if let [sum] = self.sums.as_slice() {
            return usize::from(*sum > 0);
        }
        let (mut best, mut most) = (0, i32::MIN);
        for (class, sum) in self.sums.iter().enumerate() {
            if *sum > most {
                (best, most) = (class, *sum);
            }
        }
        best
    }

    /// The softmax of the logits in shares of 65,535, by integers alone: within 8 of the exact share for a scale
    /// below 32,768. For a model that ends with a softmax.
    pub fn probabilities(&self) -> [u16; CLASSES] {
        let most = self.sums.iter().fold(i32::MIN, |most, sum| if *sum > most { *sum } else { most });
        let powers = self.sums.map(|sum| power(most.abs_diff(sum), self.count, self.scale.to_bits()));
        let total = powers.iter().fold(0_u64, |total, power| total + u64::from(*power));
        powers.map(|power| share(power, total))
    }

    /// The sigmoid of each logit in shares of 65,535, by integers alone: within 8 of the exact share for a scale
    /// below 32,768. For a model that ends with a sigmoid.
    pub fn sigmoids(&self) -> [u16; CLASSES] {
        self.sums.map(|sum| {
            // e^−|x| in 2⁻¹⁵, so that 32 bits hold the products.
            let power = (power(sum.unsigned_abs(), self.count, self.scale.to_bits()) + (1 << 14)) >> 15;
            let total = (1 << 15) + power;
            let part = if sum < 0 { power } else { 1 << 15 };
            ((part * 65_535 + total / 2) / total) as u16
        })
    }
}

impl<const CLASSES: usize> Value for Scores<CLASSES> {
    type Mask = ();
    const VALID: () = ();
    const SHAPE: [usize; 2] = [CLASSES, 0];
    const WORDS: Message<64> = Message::new().text("scores of ").number(CLASSES).text(" classes");
}

/// 2⁻ʳ = Σ ± cᵢ rⁱ for r from 0 to 1: the cᵢ in 2⁻³⁰, the last one first.
const POLYNOMIAL: [u32; 5] = [7_346_532, 57_151_877, 257_095_898, 744_157_487, 1_073_739_778];

/// A distance at which [`power`] is 0 in any case, in 2⁻²⁴.
const MOST: u32 = 1 << 30;

/// e^(−scale · below / count) in 2⁻³⁰, for the bits of a finite scale of at least 0: as an `f32` it would
/// pass through a register for floats.
fn power(below: u32, count: u32, scale: u32) -> u32 {
    // scale = mantissa · 2^(exponent − 150).
    let exponent = scale >> 23 & 0xff;
    let mantissa = scale & 0x7f_ffff | 0x80_0000;
    // Times log₂ e, which is 94,548 in 2⁻¹⁶.
    let log2_e = (u64::from(mantissa) * 94_548) >> 16;
    // At most 2⁶⁴: seven places more before the division.
    let quotient = divided((u64::from(below) * log2_e) << 7, count);
    // In 2⁻²⁴: whole powers of two above, the rest below.
    let narrow = |x| if x < u64::from(MOST) { x as u32 } else { MOST };
    let shifted = match exponent {
        0..70 => 0,
        70..133 => narrow(quotient >> (133 - exponent)),
        _ => (133..exponent).fold(narrow(quotient), |x, _| if x < MOST { x << 1 } else { x }),
    };
    let (whole, rest) = (shifted >> 24, shifted & 0xff_ffff);
    // 2⁻ʳ by a polynomial in 2⁻³⁰, r in 2⁻²⁴.
    let power = POLYNOMIAL
        .iter()
        .fold(0, |power: u32, term| term.wrapping_sub(((u64::from(power) * u64::from(rest)) >> 24) as u32));
    if whole < 32 { power >> whole } else { 0 }
}

/// part / total in shares of 65,535, to the nearest, halves up. Bit by bit, as [`divided`] goes byte by byte.
fn share(part: u32, total: u64) -> u16 {
    let mut rest = (u64::from(part) << 16) - u64::from(part) + total / 2;
    let mut share = 0;
    for bit in (0..16).rev() {
        if let Some(less) = rest.checked_sub(total << bit) {
            (rest, share) = (less, share | 1 << bit);
        }
    }
    share
}

/// x / count, for a count below 2²⁴; by 0 as by 1. Byte by byte: a device would have to link a division of 64 bits.
fn divided(x: u64, count: u32) -> u64 {
    let Some(count) = NonZero::new(count) else { return x };
    let (mut quotient, mut rest) = (0, 0);
    for byte in x.to_be_bytes() {
        rest = rest << 8 | u32::from(byte);
        quotient = quotient << 8 | u64::from(rest / count);
        rest %= count;
    }
    quotient
}
