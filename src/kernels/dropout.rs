//! Numbers left out at random.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`dropout`].

use crate::error::ShapeMismatch;
use crate::random::Key;
use crate::simd::{Lanes, simd_fn};

simd_fn! {
    /// y ← x with about every (1 / `rate`)-th number 0 and the others multiplied by 1 / (1 − `rate`), for a
    /// rate in [0, 1).
    ///
    /// ```
    /// use nanoembed::internals::dropout;
    /// let mut y = [7.0; 8];
    /// dropout(3, 0.5, &[1.0; 8], &mut y)?;
    /// assert!(y.iter().all(|y| *y == 0.0 || *y == 2.0));
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If the lengths differ; `y` is then as it was.
    ///
    /// # How it is computed
    /// ```text
    /// for i:  y[i] = 0 if hash(seed, i) < rate · 2³², else x[i] · 1 / (1 − rate)
    /// ```
    ///
    /// The loop is the code. Which numbers are left out is a function of the seed and the place alone, a hash
    /// of 32-bit integers that is vectorised with the rest, so nothing is kept for the backward pass: it
    /// calls the same kernel on the gradient.
    ///
    /// # Cost
    /// 8 n bytes are moved for n numbers. The hash takes two multiplications a number.
    pub fn dropout, dropout_at(seed: u64, rate: f32, x: &[f32], y: &mut [f32]) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("length of y", x.len(), y.len()) } = dropout_loops;
}

#[inline(always)]
fn dropout_loops<L: Lanes>(_: L, seed: u64, rate: f32, x: &[f32], y: &mut [f32]) {
    let key = Key::new(seed);
    let (below, scale) = ((rate * 4_294_967_296.0) as u32, 1.0 / (1.0 - rate));
    for (i, (y, x)) in (0_u32..).zip(y.iter_mut().zip(x)) {
        let kept = x * scale;
        *y = if key.at(i) < below { 0.0 } else { kept };
    }
}
