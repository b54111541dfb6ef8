//! Layers of integers: sums of products of 8 bits in 32 bits, and how they become 8 bits again.
//!
//! Everything here is exact or rounded by a rule that is told, so the order of a sum changes no bit. No sum
//! overflows: layers have at most 65,536 products in one, means at most 2²⁴ codes, and calibration keeps
//! biases within ±2³⁰. Bytes that calibration did not write may wrap round.

use super::convolution::Convolution;
use crate::slices::{copy, first, part, parts, parts_mut};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Products of one sum, at most: with a bias within ±2³⁰ it cannot overflow.
pub(crate) const MOST_PRODUCTS: usize = 1 << 16;

/// Codes of one mean, at most: their sum cannot overflow.
pub(crate) const MOST_STEPS: usize = 1 << 24;

/// How the sum of one output becomes a number of the next layer: see [`scaled`](Self::scaled).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Channel {
    /// What the sum starts from, in the units of its products.
    pub bias: i32,
    /// The factor, in units of 2^−`shift`: from 2³⁰ on, as long as `shift` is below 62.
    pub multiplier: i32,
    /// 1 to 62; a channel of zeros gives 0.
    pub shift: u32,
}

impl Channel {
    /// ⌊(sum · multiplier + 2^(shift − 1)) / 2^shift⌋, that is rounded to the nearest, halves up; within the 32
    /// bits.
    ///
    /// ```
    /// use nanoembed::layers::integer::Channel;
    /// let half = Channel { bias: 0, multiplier: 1 << 30, shift: 31 };
    /// assert_eq!([5, 4, -4, -5].map(|sum| half.scaled(sum)), [3, 2, -2, -2]);
    /// ```
    #[inline]
    pub const fn scaled(&self, sum: i32) -> i32 {
        // One bit more than is wanted, by which it is rounded: the same as with half of 2^shift added before.
        let doubled = (sum as i64 * self.multiplier as i64).wrapping_shr(self.shift.wrapping_sub(1));
        let rounded = (doubled + 1) >> 1;
        if rounded > i32::MAX as i64 {
            i32::MAX
        } else if rounded < i32::MIN as i64 {
            i32::MIN
        } else {
            rounded as i32
        }
    }
}

/// The sum `start` + Σ x w.
#[inline]
pub(crate) fn dot(x: &[i8], w: &[i8], start: i32) -> i32 {
    x.iter().zip(w).fold(start, |sum, (x, w)| sum.wrapping_add(i32::from(*x) * i32::from(*w)))
}

/// Within ±127.
#[inline]
pub(crate) fn identity(x: i32) -> i8 {
    if x > 127 {
        127
    } else if x < -127 {
        -127
    } else {
        x as i8
    }
}

/// From 0 to 127.
#[inline]
pub(crate) fn relu(x: i32) -> i8 {
    if x < 0 { 0 } else { identity(x) }
}

/// σ(x) in 1/127, of x in 2⁻¹².
#[inline]
pub(crate) fn sigmoid(x: i32) -> i8 {
    ((sigmoid_fixed(x) * 127 + (1 << 14)) >> 15) as i8
}

/// tanh x in 1/127, of x in 2⁻¹².
#[inline]
pub(crate) fn tanh(x: i32) -> i8 {
    ((tanh_fixed(x) * 127 + (1 << 14)) >> 15) as i8
}

/// σ(i / 32) in 2⁻¹⁵, from i = 0 to 256.
const SIGMOID: [u16; 257] = {
    // e^(−1/32)
    const FACTOR: f64 = 0.969_233_234_476_344_1;
    let (mut table, mut power, mut i) = ([0; 257], 1.0, 0);
    while i < table.len() {
        table[i] = (32_768.0 / (1.0 + power) + 0.5) as u16;
        power *= FACTOR;
        i += 1;
    }
    table
};

/// σ(x) in 2⁻¹⁵, of x in 2⁻¹²: on a line between two numbers of the table, within 2 of the exact one up to ±8;
/// beyond as at ±8.
// One body on a device: it is called from several places.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub(crate) fn sigmoid_fixed(x: i32) -> i32 {
    let distance = x.unsigned_abs();
    let distance = if distance < 1 << 15 { distance } else { 1 << 15 };
    let (place, rest) = ((distance >> 7) as usize, (distance & 127) as i32);
    let at = |place: usize| SIGMOID.get(place).map_or(const { SIGMOID[256] as i32 }, |y| i32::from(*y));
    let (low, high) = (at(place), at(place + 1));
    let y = low + (((high - low) * rest + 64) >> 7);
    if x < 0 { (1 << 15) - y } else { y }
}

/// tanh x = 2 σ(2x) − 1 in 2⁻¹⁵, of x in 2⁻¹².
#[inline]
pub(crate) fn tanh_fixed(x: i32) -> i32 {
    2 * sigmoid_fixed(x.saturating_add(x)) - (1 << 15)
}

/// y\[t\] = table\[rows\[t\]\]; zeros where there is no row.
pub(crate) fn gather<const DIM: usize>(
    table: &[[i8; DIM]],
    rows: impl Iterator<Item = Option<usize>>,
    y: &mut [[i8; DIM]],
) {
    for (row, y) in rows.zip(y) {
        *y = match row.and_then(|row| table.get(row)) {
            Some(row) => *row,
            None => [0; DIM],
        };
    }
}

/// scaled(x W + b), unit by unit; so is the kernel, `[out, in]`.
#[inline]
pub(crate) fn dense(x: &[i8], kernel: &[i8], channels: &[Channel]) -> impl Iterator<Item = i32> {
    let units = channels.iter().zip(parts(kernel, x.len()));
    units.map(|(channel, weights)| channel.scaled(dot(x, weights, channel.bias)))
}

/// A convolution over one sequence x `[len, in]`, the kernel filter by filter, `[filters, taps · in]`, to
/// y `[out, filters]` and its mask. An output that is not valid by a strict mask is that of a sum of 0.
#[inline]
pub(crate) fn convolve(
    pass: Convolution,
    (x, dim): (&[i8], usize),
    mask: &[bool],
    (kernel, channels): (&[i8], &[Channel]),
    activate: impl Fn(i32) -> i8,
    (y, y_mask): (&mut [i8], &mut [bool]),
) {
    let windows = pass.windows;
    for ((output, valid), y) in y_mask.iter_mut().enumerate().zip(parts_mut(y, channels.len())) {
        *valid = pass.is_valid(output, mask);
        if pass.strict && !*valid {
            y.fill(activate(0));
            continue;
        }
        for ((channel, filter), y) in channels.iter().zip(parts(kernel, windows.taps * dim)).zip(y) {
            let sum = parts(filter, dim).enumerate().fold(channel.bias, |sum, (tap, weights)| match windows
                .valid_step(output, tap, mask)
            {
                Some(step) => dot(part(x, step * dim, dim), weights, sum),
                None => sum,
            });
            *y = activate(channel.scaled(sum));
        }
    }
}

/// The greatest of each column over the valid steps of x `[len, dim]`; zeros if there are none.
pub(crate) fn max_over_steps(x: &[i8], valid: &[bool], y: &mut [i8]) {
    let mut steps = parts(x, y.len()).zip(valid).filter(|(_, valid)| **valid);
    match steps.next() {
        Some((step, _)) => copy(step, y),
        None => y.fill(0),
    }
    for (step, _) in steps {
        for (x, y) in step.iter().zip(&mut *y) {
            *y = if *x > *y { *x } else { *y };
        }
    }
}

/// The mean of each column over the n valid steps of x `[len, dim]`: ⌊scaled(Σ x) / n + 1/2⌋ within ±127; zeros if
/// there are none. `sums` `[dim]` is scratch.
pub(crate) fn mean_over_steps(x: &[i8], valid: &[bool], channel: &Channel, sums: &mut [i32], y: &mut [i8]) {
    sums.fill(0);
    let mut count = 0_i32;
    for (step, _) in parts(x, y.len()).zip(valid).filter(|(_, valid)| **valid) {
        count = count.wrapping_add(1);
        for (x, sum) in step.iter().zip(&mut *sums) {
            *sum = sum.wrapping_add(i32::from(*x));
        }
    }
    for (sum, y) in sums.iter().zip(y) {
        let sum = channel.scaled(*sum);
        *y = match (sum.checked_div_euclid(count), sum.checked_rem_euclid(count)) {
            (Some(mean), Some(rest)) if rest >= count - rest => identity(mean.saturating_add(1)),
            (Some(mean), _) => identity(mean),
            _ => 0,
        };
    }
}

/// Makes zeros of the steps x `[len, dim]` whose masks are false.
pub(crate) fn clear_masked<const DIM: usize>(steps: &mut [[i8; DIM]], masks: &[bool]) {
    for (step, valid) in steps.iter_mut().zip(masks) {
        if !*valid {
            *step = [0; DIM];
        }
    }
}

/// The greatest shift of c, with which it stays within ±2048.
pub(crate) const MOST_CELL_SHIFT: u32 = 8;

/// The weights of an LSTM, gate by gate, and how it reads sequences.
#[derive(Clone, Copy)]
pub(crate) struct Lstm<'a> {
    /// W `[4 · units, in]`.
    pub(crate) kernel: &'a [i8],
    /// U `[4 · units, units]`.
    pub(crate) recurrent_kernel: &'a [i8],
    /// Of the sums of x W and b, to 2⁻¹².
    pub(crate) channels: &'a [Channel],
    /// Of the sums of h U, to 2⁻¹².
    pub(crate) recurrent_channels: &'a [Channel],
    /// Of o · tanh c in 2⁻³⁰ to h.
    pub(crate) output: &'a Channel,
    /// c is in 2^(this − 12): at most [`MOST_CELL_SHIFT`], and more is as that.
    pub(crate) cell_shift: u32,
    /// From the last step to the first.
    pub(crate) backwards: bool,
    /// Whether the outputs of all steps are given, or the last.
    pub(crate) sequences: bool,
}

/// h and c of one sequence, and the h that is next.
#[derive(FromZeros)]
pub struct State<const UNITS: usize> {
    h: [i8; UNITS],
    next: [i8; UNITS],
    c: [i16; UNITS],
}

impl Lstm<'_> {
    /// A logit in 2⁻¹².
    #[inline]
    fn logit(&self, row: usize, x: &[i8], h: &[i8]) -> i32 {
        let (Some(of_x), Some(of_h)) = (self.channels.get(row), self.recurrent_channels.get(row)) else {
            return 0;
        };
        let w = part(self.kernel, row * x.len(), x.len());
        let u = part(self.recurrent_kernel, row * h.len(), h.len());
        of_x.scaled(dot(x, w, of_x.bias)).saturating_add(of_h.scaled(dot(h, u, of_h.bias)))
    }

    /// The outputs of one sequence x `[len, in]`, as rows of units.
    pub(crate) fn infer<const UNITS: usize>(
        &self,
        (x, dim): (&[i8], usize),
        mask: &[bool],
        state: &mut State<UNITS>,
        y: &mut [i8],
    ) {
        let State { h, next, c } = state;
        (*h, *c) = ([0; UNITS], [0; UNITS]);
        let mut outputs = parts_mut(y, UNITS);
        let len = mask.len();
        let shift = if self.cell_shift < MOST_CELL_SHIFT { self.cell_shift } else { MOST_CELL_SHIFT };
        for number in 0..len {
            let t = if self.backwards { len - 1 - number } else { number };
            if mask.get(t) == Some(&true) {
                let x = part(x, t * dim, dim);
                for ((unit, c), next) in c.iter_mut().enumerate().zip(next.iter_mut()) {
                    let logit = |gate: usize| self.logit(gate * UNITS + unit, x, h);
                    let (i, f) = (sigmoid_fixed(logit(0)), sigmoid_fixed(logit(1)));
                    let (g, o) = (tanh_fixed(logit(2)), sigmoid_fixed(logit(3)));
                    // f · c in 2^(shift − 27), i · g in 2⁻³⁰: both below 2³⁰.
                    let sum = f * i32::from(*c) + ((i * g + (4 << shift)) >> (3 + shift));
                    let sum = (sum + (1 << 14)) >> 15;
                    *c = if sum > 32_767 {
                        32_767
                    } else if sum < -32_767 {
                        -32_767
                    } else {
                        sum as i16
                    };
                    *next = identity(self.output.scaled(o * tanh_fixed(i32::from(*c) << shift)));
                }
                *h = *next;
            }
            if (self.sequences || number + 1 == len)
                && let Some(y) = outputs.next()
            {
                copy(first(h, UNITS), y);
            }
        }
    }
}
