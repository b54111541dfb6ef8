//! The weights of units as integers.

use super::ranges;
use crate::layers::integer::Channel;
use crate::passes::integers::MOST_PRODUCTS;
use crate::slices::parts;
use crate::table::nearest_code;
use alloc::vec::Vec;

/// The greatest code of a bias: a quarter of what 32 bits hold.
const MOST_BIAS: f64 = (1 << 29) as f64;
/// The greatest logit in its units.
const MOST_LOGIT: f64 = (1 << 28) as f64;

/// What sums are scaled to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Out {
    /// Codes of this scale.
    Scale(f64),
    /// 2⁻¹², for the table of the sigmoid.
    Fixed,
}

/// The weights of a layer, unit by unit.
pub(super) struct Units<'a> {
    bias: &'a [f32],
    codes: Vec<i8>,
    /// What a product of codes of each unit stands for; 0 if there is neither a weight nor a bias.
    products: Vec<f64>,
}

impl<'a> Units<'a> {
    /// Of a kernel `[in, units]`, the scale of whose inputs is `input`.
    ///
    /// # Errors
    /// The first unit that has too many weights, or one that is not finite.
    pub(super) fn new(kernel: &[f32], bias: &'a [f32], input: f64) -> Result<Self, usize> {
        let units = bias.len();
        let (mut codes, mut products) = (Vec::new(), Vec::new());
        for (unit, bias) in bias.iter().enumerate() {
            let weights: Vec<f32> = kernel.iter().skip(unit).step_by(units).copied().collect();
            if weights.len() > MOST_PRODUCTS {
                return Err(unit);
            }
            let best = if weights.iter().all(|w| *w == 0.0) {
                0.0
            } else {
                ranges::scale(&weights, weights.len()).or(Err(unit))?
            };
            // So large that the bias fits: what weights lose then is little beside it.
            let product = (f64::from(best) * input).max(f64::from(bias.abs()) / MOST_BIAS);
            let scale = (product / input) as f32;
            codes.extend(weights.iter().map(|w| if *w == 0.0 { 0 } else { nearest_code(*w, scale, 127) }));
            products.push(product);
        }
        Ok(Self { bias, codes, products })
    }

    /// W, unit by unit.
    pub(super) fn codes(&self) -> &[i8] {
        &self.codes
    }

    /// Biases, and what scales the sums of each unit.
    ///
    /// # Errors
    /// The first unit whose sums cannot be scaled.
    pub(super) fn channels(&self, out: Out) -> Result<Vec<Channel>, usize> {
        let units = self.bias.iter().zip(&self.products).enumerate();
        units.map(|(unit, (bias, product))| channel_of(*bias, *product, out).ok_or(unit)).collect()
    }

    /// The scale of logits with which none can overflow.
    ///
    /// # Errors
    /// The first unit whose logits are too large for any.
    pub(super) fn scale_of_logits(&self) -> Result<f32, usize> {
        let inner = self.codes.len() / self.bias.len().max(1);
        let units = parts(&self.codes, inner).zip(self.bias).zip(&self.products);
        let mut most = 0.0_f32;
        for (unit, ((codes, bias), product)) in units.enumerate() {
            let sum: f64 = codes.iter().map(|code| 127.0 * f64::from(code.unsigned_abs())).sum();
            let scale = ((sum * product + f64::from(bias.abs())) / MOST_LOGIT) as f32;
            if !scale.is_finite() {
                return Err(unit);
            }
            most = if scale > most { scale } else { most };
        }
        Ok(if most >= f32::MIN_POSITIVE { most } else { 1.0 })
    }
}

/// The channel of a unit with this bias, a product of whose codes stands for `product`; `None` if there is none.
pub(super) fn channel_of(bias: f32, product: f64, out: Out) -> Option<Channel> {
    let out = match out {
        Out::Scale(scale) => scale,
        Out::Fixed => 1.0 / 4096.0,
    };
    if product == 0.0 {
        return Some(Channel { bias: 0, multiplier: 1 << 30, shift: 62 });
    }
    let (mut factor, mut shift) = (product / out, 0_u32);
    while factor < f64::from(1 << 30) && shift < 62 {
        factor *= 2.0;
        shift += 1;
    }
    let multiplier = factor + 0.5;
    // Rounded up to 2³¹ it is 2³⁰, and the shift one less.
    let (multiplier, shift) = if multiplier < 2_147_483_648.0 {
        (multiplier as i32, shift)
    } else {
        (1 << 30, shift.checked_sub(1)?)
    };
    let bias = f64::from(bias) / product;
    let bias = (bias + if bias < 0.0 { -0.5 } else { 0.5 }) as i32;
    (shift > 0 && factor.is_finite()).then_some(Channel { bias, multiplier, shift })
}
