//! A training step of Embedding, Lstm and Dense, and the kernels that it is made of.
//!
//! The shape is that of the Keras literature for film reviews: 64 texts of 500 words, 5000 words of 32 numbers,
//! 100 units. Printed at the end, from medians: the gates at every level (as `dense` prints its kernels); then,
//! for each level, each part of a step, how often it occurs, its time in milliseconds a step and what the
//! processor can do at most (multiplications and additions in registers, unfused, measured in the same samples)
//! in parts of it; then the whole step beside the sum of its parts.

#[allow(dead_code)]
mod common;

use common::{Bench, Limit, Numbers, Who, limits};
use core::hint::black_box;
use nanoembed::internals::{self, reference};
use nanoembed::kernels;
use nanoembed::layers::{Dense, Embedding, Layer, Lstm, Sigmoid};
use nanoembed::loss::BinaryCrossEntropy;
use nanoembed::optim::Adam;
use nanoembed::rand_core::{Rng, SeedableRng};
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sequential;
use nanoembed::simd::Level;
use nanoembed::table::{Table, TableMut};
use nanoembed::train::Trainer;

const BATCH: usize = 64;
const LEN: usize = 500;
const IN: usize = 32;
const UNITS: usize = 100;
/// Steps whose gradients are added at once.
const CHUNK: usize = 64;

type Model = sequential![Embedding<LEN, 5000, IN>, Lstm<LEN, IN, UNITS>, Dense<UNITS, 1, Sigmoid>];

/// The loop that one would write first, with the standard library's functions.
#[allow(clippy::disallowed_methods, reason = "what we compare ourselves with")]
fn naive_gates(z: &mut [f32], c: &mut [f32], h: &mut [f32]) {
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let units = c.len();
    for j in 0..units {
        let (i, f) = (sigmoid(z[j]), sigmoid(z[units + j]));
        let (g, o) = (z[2 * units + j].tanh(), sigmoid(z[3 * units + j]));
        c[j] = f * c[j] + i * g;
        h[j] = o * c[j].tanh();
        (z[j], z[units + j], z[2 * units + j], z[3 * units + j]) = (i, f, g, o);
    }
}

#[allow(clippy::disallowed_methods, reason = "what we compare ourselves with")]
fn naive_backward(gates: &mut [f32], c: &[f32], d_h: &[f32], d_c: &mut [f32]) {
    let units = c.len();
    for j in 0..units {
        let (i, f, g, o) = (gates[j], gates[units + j], gates[2 * units + j], gates[3 * units + j]);
        let t = (f * c[j] + i * g).tanh();
        let d = d_c[j] + d_h[j] * o * (1.0 - t * t);
        (gates[j], gates[units + j]) = (d * g * i * (1.0 - i), d * c[j] * f * (1.0 - f));
        (gates[2 * units + j], gates[3 * units + j]) = (d * i * (1.0 - g * g), d_h[j] * t * o * (1.0 - o));
        d_c[j] = d * f;
    }
}

fn gates(bench: &mut Bench) {
    for units in [16, UNITS, 128] {
        let z = Numbers::any(4 * units);
        let start = Numbers::any(2 * units);
        bench.case(&format!("lstm_gates {units}"), 1, Limit::None, 6 * units, |who, _, out| {
            let (gates, state) = out.split_at_mut(4 * units);
            gates.copy_from_slice(black_box(z.get()));
            state.copy_from_slice(black_box(start.get()));
            let (c, h) = state.split_at_mut(units);
            match who {
                Who::Reference => reference::lstm_gates(gates, c, h).unwrap(),
                Who::Naive => naive_gates(gates, c, h),
                Who::Kernel(level) => internals::lstm_gates_at(level, gates, c, h).unwrap(),
                Who::Limit(_) => {}
            }
        });
        let (c, d_h) = start.get().split_at(units);
        bench.case(&format!("lstm_gates_backward {units}"), 1, Limit::None, 5 * units, |who, _, out| {
            let (gates, d_c) = out.split_at_mut(4 * units);
            gates.copy_from_slice(black_box(z.get()));
            d_c.copy_from_slice(black_box(d_h));
            match who {
                Who::Reference => reference::lstm_gates_backward(gates, c, d_h, d_c).unwrap(),
                Who::Naive => naive_backward(gates, c, d_h, d_c),
                Who::Kernel(level) => internals::lstm_gates_backward_at(level, gates, c, d_h, d_c).unwrap(),
                Who::Limit(_) => {}
            }
        });
    }
}

/// One kind of product in a step.
struct Part {
    name: &'static str,
    /// Rows and columns of C and the extent that A and B share.
    extents: (usize, usize, usize),
    /// How often it occurs.
    count: usize,
}

const PARTS: [Part; 6] = [
    Part { name: "x W", extents: (BATCH, 4 * UNITS, IN), count: LEN },
    Part { name: "h U", extents: (BATCH, 4 * UNITS, UNITS), count: LEN },
    Part { name: "d_z Uᵀ", extents: (BATCH, UNITS, 4 * UNITS), count: LEN },
    Part { name: "d_z Wᵀ", extents: (CHUNK, IN, 4 * UNITS), count: BATCH * LEN / CHUNK },
    Part { name: "xᵀ d_z", extents: (IN, 4 * UNITS, CHUNK), count: BATCH * LEN / CHUNK },
    Part { name: "hᵀ d_z", extents: (UNITS, 4 * UNITS, CHUNK), count: BATCH * LEN / CHUNK },
];

impl Part {
    fn run(&self, a: &Numbers, b: &Numbers, c: &mut Numbers) {
        let (m, n, k) = self.extents;
        let (a, b) = black_box((&a.get()[..m * k], &b.get()[..k * n]));
        let c = &mut TableMut::new(&mut c.get_mut()[..m * n], m, n).unwrap();
        let product = |a, b, c: &mut TableMut<'_>| match self.name {
            "x W" | "h U" => kernels::gemm(Table::new(a, m, k)?, Table::new(b, k, n)?, c),
            "d_z Uᵀ" | "d_z Wᵀ" => internals::gemm_nt(Table::new(a, m, k)?, Table::new(b, n, k)?, c),
            _ => internals::gemm_tn(Table::new(a, k, m)?, Table::new(b, k, n)?, c),
        };
        product(a, b, c).unwrap();
    }
}

/// A step at each level.
fn steps(bench: &mut Bench) {
    let best = Level::current();
    for level in Level::available() {
        level.set_current();
        step(bench, level);
    }
    best.set_current();
}

fn step(bench: &mut Bench, level: Level) {
    let mut random = Xoshiro128PlusPlus::seed_from_u64(1);
    let mut model = Model::boxed(&mut random);
    let mut trainer = Trainer::<Model, Adam, _, BATCH>::boxed(Adam::default(), BinaryCrossEntropy::default());
    let ids: Vec<[u16; LEN]> =
        (0..BATCH).map(|_| std::array::from_fn(|_| (random.next_u32() % 5000) as u16)).collect();
    let labels: Vec<[f32; 1]> = (0..BATCH).map(|n| [(n % 2) as f32]).collect();
    let (a, b, mut c) = (Numbers::any(40_000), Numbers::any(40_000), Numbers::any(40_000));
    let mut z = Numbers::any(4 * UNITS);
    let (mut state, d_h) = (Numbers::any(2 * UNITS), Numbers::any(UNITS));
    // The step; the limit; the products; the gates, backward and forward.
    let candidates = 2 + PARTS.len() + 2;
    let times = bench.compare(&format!("step at {}", level.name()), candidates, |candidate, _| {
        if candidate == 0 {
            black_box(trainer.step(&mut model, &ids, &labels).unwrap());
        } else if candidate == 1 {
            limits::multiply_add(level);
        } else if let Some(part) = PARTS.get(candidate - 2) {
            part.run(&a, &b, &mut c);
        } else {
            let (c, h) = state.get_mut().split_at_mut(UNITS);
            z.get_mut().copy_from_slice(&a.get()[..4 * UNITS]);
            if candidate == candidates - 1 {
                internals::lstm_gates(z.get_mut(), c, h).unwrap();
            } else {
                internals::lstm_gates_backward(z.get_mut(), c, d_h.get(), h).unwrap();
            }
        }
    });
    let Some(times) = times else { return };
    let one_multiply_add = times.of(1) / limits::multiply_adds(level);
    let (mut sum, mut least) = (0.0, 0.0);
    println!("\n{:24} {:>8} {:>10} {:>9}", format!("at {}", level.name()), "times", "ms a step", "of limit");
    for (part, place) in PARTS.iter().zip(2..) {
        let (m, n, k) = part.extents;
        let time = part.count as f64 * times.of(place);
        let limit = (part.count * m * n * k) as f64 * one_multiply_add;
        println!("{:24} {:8} {:10.2} {:9.2}", part.name, part.count, time * 1e3, limit / time);
        (sum, least) = (sum + time, least + limit);
    }
    for (name, place) in [("gates backward", candidates - 2), ("gates", candidates - 1)] {
        let time = (BATCH * LEN) as f64 * times.of(place);
        println!("{name:24} {:8} {:10.2} {:>9}", BATCH * LEN, time * 1e3, "-");
        sum += time;
    }
    println!("{:24} {:8} {:10.2} {:9.2}", "sum of the parts", "", sum * 1e3, least / sum);
    println!("{:24} {:8} {:10.2} {:9.2}", "step", "", times.of(0) * 1e3, least / times.of(0));
}

fn main() {
    let mut bench = Bench::new("recurrent");
    gates(&mut bench);
    steps(&mut bench);
    bench.print("a call");
}
