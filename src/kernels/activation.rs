//! Activations in place, and their gradients from the output y.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`softmax`].

use core::hint::black_box;

use crate::error::ShapeMismatch;
use crate::math;
use crate::simd::{LANES, Lanes, dots, simd_fn, sum};

simd_fn! {
    /// x ← eˣ, element by element: [`math::exp`].
    ///
    /// ```
    /// let mut x = [0.0, 1.0, f32::NEG_INFINITY];
    /// nanoembed::internals::exp(&mut x);
    /// assert_eq!(x, [1.0, core::f32::consts::E, 0.0]);
    /// ```
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn exp, exp_at(x: &mut [f32]) = exp_body;

    /// x ← ln x, element by element: [`math::ln`].
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn ln, ln_at(x: &mut [f32]) = ln_body;

    /// x ← 1 / (1 + e⁻ˣ), element by element: [`math::sigmoid`].
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn sigmoid, sigmoid_at(x: &mut [f32]) = sigmoid_body;

    /// x ← tanh x, element by element: [`math::tanh`].
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn tanh, tanh_at(x: &mut [f32]) = tanh_body;

    /// x ← +0 where x ≤ 0, else x; so −0 becomes +0, and NaN stays, to be seen in the loss.
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn relu, relu_at(x: &mut [f32]) = relu_body;

    /// xᵢ ← exp(xᵢ − max) / Σⱼ exp(xⱼ − max) over one row.
    ///
    /// All NaN if the row has a NaN or +∞, or nothing but −∞.
    ///
    /// ```
    /// let mut row = [1.0, 1.0, f32::NEG_INFINITY];
    /// nanoembed::internals::softmax(&mut row);
    /// assert_eq!(row, [0.5, 0.5, 0.0]);
    /// ```
    ///
    /// # How it is computed
    /// ```text
    /// exp, ln:              for i:  x[i] = f(x[i])
    /// sigmoid, tanh, relu:  for i:  x[i] = f(x[i])
    /// softmax:              max = greatest x;  for i: x[i] = exp(x[i] - max);  sum = lane_sum(x);  for i: x[i] /= sum
    /// log_sum_exp:          max + ln(lane_sum over i of exp(x[i] - max))
    /// *_backward:           for i:  d[i] = d[i] * f'(y[i])                        softmax: d[i] = y[i] * (d[i] - dot(y, d))
    /// ```
    ///
    /// `f` is one of [`math`], which has no branches, so the loops are the code: they are vectorised as they
    /// stand. What the code does otherwise than the loops above, and why:
    ///
    /// - The greatest element is looked for in sixteen lanes, for a chain of comparisons is slower than the
    ///   exponentials. Of two equal numbers it is no matter which is taken (ex − max is the same for −0 and
    ///   +0), and a NaN makes all results NaN.
    /// - relu hides from the compiler that a kept number is the old one: see `rectified`.
    /// - `log_sum_exp` keeps no exponentials but 64 at a time, as long as four times the lanes, so that the
    ///   loop which makes them is long enough to be vectorised.
    ///
    /// # Cost
    /// In place 8 n bytes are moved for n numbers, 12 n backward. Softmax reads the row twice more, then from
    /// the first cache.
    pub fn softmax, softmax_at(row: &mut [f32]) = softmax_body;

    /// ln Σⱼ exp(xⱼ), as max + ln Σⱼ exp(xⱼ − max), summed in the order of [`softmax`]: x − this is its
    /// logarithm.
    ///
    /// −∞ for an empty row; NaN where [`softmax`] gives NaN.
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn log_sum_exp, log_sum_exp_at(row: &[f32]) -> f32 = log_sum_exp_body;
}

simd_fn! {
    /// d ← d · (y (1 − y)): the gradient of [`sigmoid`] with output y.
    /// `d` comes in as `d_y` and goes out as `d_x`.
    ///
    /// # Errors
    /// If the lengths differ; `d` is then as it was.
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn sigmoid_backward, sigmoid_backward_at(y: &[f32], d: &mut [f32]) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("length of d", y.len(), d.len()) } = sigmoid_backward_loops;

    /// d ← d · (1 − y²): the gradient of [`tanh`] with output y.
    /// `d` comes in as `d_y` and goes out as `d_x`.
    ///
    /// # Errors
    /// If the lengths differ; `d` is then as it was.
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn tanh_backward, tanh_backward_at(y: &[f32], d: &mut [f32]) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("length of d", y.len(), d.len()) } = tanh_backward_loops;

    /// d ← +0 where y ≤ 0, else d: the gradient of [`relu`] with output y.
    /// `d` comes in as `d_y` and goes out as `d_x`.
    ///
    /// # Errors
    /// If the lengths differ; `d` is then as it was.
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn relu_backward, relu_backward_at(y: &[f32], d: &mut [f32]) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("length of d", y.len(), d.len()) } = relu_backward_loops;

    /// dᵢ ← yᵢ (dᵢ − Σⱼ yⱼ dⱼ): the gradient of [`softmax`] with output y.
    /// `d` comes in as `d_y` and goes out as `d_x`.
    ///
    /// # Errors
    /// If the lengths differ; `d` is then as it was.
    ///
    /// # Cost
    /// [`softmax`] tells how it is computed and what it costs.
    pub fn softmax_backward, softmax_backward_at(y: &[f32], d: &mut [f32]) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("length of d", y.len(), d.len()) } = softmax_backward_loops;
}

#[inline(always)]
fn exp_body<L: Lanes>(_: L, x: &mut [f32]) {
    for x in x {
        *x = math::exp(*x);
    }
}

#[inline(always)]
fn ln_body<L: Lanes>(_: L, x: &mut [f32]) {
    for x in x {
        *x = math::ln(*x);
    }
}

#[inline(always)]
fn sigmoid_body<L: Lanes>(_: L, x: &mut [f32]) {
    for x in x {
        *x = math::sigmoid(*x);
    }
}

#[inline(always)]
fn tanh_body<L: Lanes>(_: L, x: &mut [f32]) {
    for x in x {
        *x = math::tanh(*x);
    }
}

/// +0 where x ≤ 0, else `value`.
///
/// `hidden` is zero. If the compiler saw that, it would find that only the zeros change and store them under
/// a mask, which takes AVX2 three times as long as storing everything.
#[inline(always)]
fn rectified(x: f32, value: f32, hidden: u32) -> f32 {
    let value = f32::from_bits(value.to_bits() ^ hidden);
    if x <= 0.0 { 0.0 } else { value }
}

#[inline(always)]
fn relu_body<L: Lanes>(_: L, x: &mut [f32]) {
    let hidden = black_box(0);
    for x in x {
        *x = rectified(*x, *x, hidden);
    }
}

/// The greatest element; −∞ of none. Where a NaN stands, some element.
#[inline(always)]
fn greatest(row: &[f32]) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [row.first().copied().unwrap_or(f32::NEG_INFINITY); LANES];
    for chunk in chunks {
        for (max, x) in lanes.iter_mut().zip(chunk) {
            *max = if *x > *max { *x } else { *max };
        }
    }
    let [mut max, others @ ..] = lanes;
    for x in others.iter().chain(rest) {
        max = if *x > max { *x } else { max };
    }
    max
}

#[inline(always)]
fn softmax_body<L: Lanes>(lanes: L, row: &mut [f32]) {
    let max = greatest(row);
    for x in row.iter_mut() {
        *x = math::exp(*x - max);
    }
    let sum = sum(lanes, row);
    for x in row {
        *x /= sum;
    }
}

#[inline(always)]
fn log_sum_exp_body<L: Lanes>(lanes: L, row: &[f32]) -> f32 {
    let max = greatest(row);
    let mut exponentials = [0.0; 4 * LANES];
    let mut total = lanes.splat(0.0);
    for part in row.chunks(exponentials.len()) {
        for (e, x) in exponentials.iter_mut().zip(part) {
            *e = math::exp(*x - max);
        }
        let (chunks, rest) = exponentials.get(..part.len()).unwrap_or_default().as_chunks();
        for e in chunks {
            total = lanes.add(total, lanes.load(e));
        }
        if !rest.is_empty() {
            total = lanes.add(total, lanes.load_part(rest));
        }
    }
    max + math::ln(lanes.sum(total))
}

#[inline(always)]
fn sigmoid_backward_loops<L: Lanes>(_: L, y: &[f32], d: &mut [f32]) {
    for (d, y) in d.iter_mut().zip(y) {
        *d *= y * (1.0 - y);
    }
}

#[inline(always)]
fn tanh_backward_loops<L: Lanes>(_: L, y: &[f32], d: &mut [f32]) {
    for (d, y) in d.iter_mut().zip(y) {
        *d *= 1.0 - y * y;
    }
}

#[inline(always)]
fn relu_backward_loops<L: Lanes>(_: L, y: &[f32], d: &mut [f32]) {
    let hidden = black_box(0);
    for (d, y) in d.iter_mut().zip(y) {
        *d = rectified(*y, *d, hidden);
    }
}

#[inline(always)]
fn softmax_backward_loops<L: Lanes>(lanes: L, y: &[f32], d: &mut [f32]) {
    let [common] = dots(lanes, [y], d).unwrap_or_default();
    for (d, y) in d.iter_mut().zip(y) {
        *d = y * (*d - common);
    }
}
