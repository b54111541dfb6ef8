//! The gates of an LSTM, one step of one sequence, and their gradients.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`lstm_gates`].

use crate::error::ShapeMismatch;
use crate::math;
use crate::simd::{LANES, Lanes, simd_fn};

simd_fn! {
    /// One step of an LSTM from the scores `z` of its gates, blocks i, f, c, o: c ← σ(z_f) · c + σ(z_i) ·
    /// tanh(z_c), then h ← σ(z_o) · tanh(c). Leaves in `z` what σ and tanh made of it, which the gradient
    /// needs.
    ///
    /// ```
    /// use nanoembed::internals::lstm_gates;
    /// // One unit that keeps half of its cell and takes in half of tanh 0.
    /// let (mut z, mut c, mut h) = ([0.0; 4], [2.0], [7.0]);
    /// lstm_gates(&mut z, &mut c, &mut h)?;
    /// assert_eq!((z, c), ([0.5, 0.5, 0.0, 0.5], [1.0]));
    /// assert_eq!(h, [0.5 * nanoembed::math::tanh(1.0)]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If `h` is not as long as `c`, or `z` not four times as long. Nothing has been written then.
    ///
    /// # How it is computed
    /// ```text
    /// lstm_gates:           i, f, g, o = σ(z0), σ(z1), tanh(z2), σ(z3)
    ///                       c = f * c + i * g;  h = o * tanh(c)
    /// lstm_gates_backward:  t = tanh(f * c + i * g);  d_c = d_c + d_h * (o * (1 - t * t))
    ///                       d_z0 = d_c * (g * (i * (1 - i)));  d_z1 = d_c * (c * (f * (1 - f)))
    ///                       d_z2 = d_c * (i * (1 - g * g));    d_z3 = d_h * (t * (o * (1 - o)));  d_c = d_c * f
    /// ```
    ///
    /// This is done for each unit. Here c in the backward pass is the cell before the step: the one after it
    /// is computed again, which costs a multiplication and an addition where keeping it would cost memory.
    /// What the code does otherwise than these lines, and why:
    ///
    /// - It makes several loops over the units, each of which writes one or two of the blocks: one that wrote
    ///   all of them would need more checks for overlap than the compiler is willing to make, and would not
    ///   be vectorised. What they hand on (t) stands in a block of sixty-four numbers.
    ///
    /// # Cost
    /// For U units 44 U bytes are moved forward and 48 U backward, all in the first cache. The time is that
    /// of the exponentials.
    pub fn lstm_gates, lstm_gates_at(z: &mut [f32], c: &mut [f32], h: &mut [f32]) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of h", c.len(), h.len())?;
            ShapeMismatch::check("length of z", 4 * c.len(), z.len())
        } = gates_loops;

    /// The gradient of [`lstm_gates`] from the `gates` that it left, the cell `c` before the step, and the
    /// gradients `d_h` and `d_c` with respect to what the step gave. Leaves in `gates` the gradient with
    /// respect to its scores, in `d_c` the one with respect to `c`.
    ///
    /// # Errors
    /// If `d_h` or `d_c` is not as long as `c`, or `gates` not four times as long. Nothing has been written
    /// then.
    ///
    /// # Cost
    /// [`lstm_gates`] tells how it is computed and what it costs.
    pub fn lstm_gates_backward, lstm_gates_backward_at(
        gates: &mut [f32], c: &[f32], d_h: &[f32], d_c: &mut [f32],
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("length of d_h", c.len(), d_h.len())?;
            ShapeMismatch::check("length of d_c", c.len(), d_c.len())?;
            ShapeMismatch::check("length of gates", 4 * c.len(), gates.len())
        } = gates_backward_loops;
}

/// Numbers handed on from loop to loop.
const BLOCK: usize = 4 * LANES;

/// The blocks i, f, c, o of so many units each.
#[inline(always)]
fn of_gates(z: &mut [f32], units: usize) -> Option<[&mut [f32]; 4]> {
    let (i, z) = z.split_at_mut_checked(units)?;
    let (f, z) = z.split_at_mut_checked(units)?;
    let (g, o) = z.split_at_mut_checked(units)?;
    Some([i, f, g, o])
}

#[inline(always)]
fn gates_loops<L: Lanes>(_: L, z: &mut [f32], c: &mut [f32], h: &mut [f32]) {
    let [i, f, g, o] = of_gates(z, c.len()).unwrap_or_default();
    for i in i.iter_mut() {
        *i = math::sigmoid(*i);
    }
    for f in f.iter_mut() {
        *f = math::sigmoid(*f);
    }
    for g in g.iter_mut() {
        *g = math::tanh(*g);
    }
    for o in o.iter_mut() {
        *o = math::sigmoid(*o);
    }
    for (((c, i), f), g) in c.iter_mut().zip(&*i).zip(&*f).zip(&*g) {
        *c = f * *c + i * g;
    }
    for ((h, o), c) in h.iter_mut().zip(&*o).zip(&*c) {
        *h = o * math::tanh(*c);
    }
}

#[inline(always)]
fn gates_backward_loops<L: Lanes>(_: L, gates: &mut [f32], c: &[f32], d_h: &[f32], d_c: &mut [f32]) {
    let [i, f, g, o] = of_gates(gates, c.len()).unwrap_or_default();
    let gates =
        i.chunks_mut(BLOCK).zip(f.chunks_mut(BLOCK)).zip(g.chunks_mut(BLOCK)).zip(o.chunks_mut(BLOCK));
    let cells = c.chunks(BLOCK).zip(d_h.chunks(BLOCK)).zip(d_c.chunks_mut(BLOCK));
    let mut block = [0.0; BLOCK];
    for ((((i, f), g), o), ((c, d_h), d_c)) in gates.zip(cells) {
        let t = block.get_mut(..c.len()).unwrap_or_default();
        for ((((t, i), f), g), c) in t.iter_mut().zip(&*i).zip(&*f).zip(&*g).zip(c) {
            *t = math::tanh(f * c + i * g);
        }
        for (((d_c, d_h), o), t) in d_c.iter_mut().zip(d_h).zip(&*o).zip(&*t) {
            *d_c += d_h * (o * (1.0 - t * t));
        }
        for ((o, d_h), t) in o.iter_mut().zip(d_h).zip(&*t) {
            *o = d_h * (t * (*o * (1.0 - *o)));
        }
        for ((i, g), d_c) in i.iter_mut().zip(g).zip(&*d_c) {
            (*i, *g) = (d_c * (*g * (*i * (1.0 - *i))), d_c * (*i * (1.0 - *g * *g)));
        }
        for ((f, d_c), c) in f.iter_mut().zip(d_c).zip(c) {
            (*f, *d_c) = (*d_c * (c * (*f * (1.0 - *f))), *d_c * *f);
        }
    }
}
