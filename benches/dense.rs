//! The dense kernels at every level, beside the loop that one would write first and beside what the processor can do at most.
//!
//! Everything stays in the first two caches. Before a kernel is timed, its bits are compared with `reference`. The limits
//! are measured in the same run (`common/limits.rs`), in turn with the kernels:
//!
//! - of a product of matrices: multiplications and additions in registers, unfused, at that level;
//! - of dot and gemv: reading the vector and the weights (and the vector once for four rows of weights) from the first cache.
//!   A single dot product is one chain of additions by contract and cannot reach it.
//!
//! Printed at the end, from medians: the time of a call, and its speed in parts of the naive loop's (above 1: faster), of the
//! limit's, and of the best level below. The naive loop of an activation calls the standard library.

#[allow(dead_code)]
mod common;

use common::{Bench, Limit, Numbers, Who};
use core::hint::black_box;
use nanoembed::error::ShapeMismatch;
use nanoembed::internals::{self, reference};
use nanoembed::simd::Level;
use nanoembed::table::{Table, TableMut};

/// 1024 elements.
fn activations(bench: &mut Bench) {
    type Case = (&'static str, fn(&mut [f32]), fn(Level, &mut [f32]), fn(f32) -> f32);
    #[allow(clippy::disallowed_methods, reason = "what we compare ourselves with")]
    let cases: [Case; 6] = [
        ("exp", reference::exp, internals::exp_at, f32::exp),
        ("ln", reference::ln, internals::ln_at, f32::ln),
        ("sigmoid", reference::sigmoid, internals::sigmoid_at, |x| 1.0 / (1.0 + (-x).exp())),
        ("tanh", reference::tanh, internals::tanh_at, f32::tanh),
        ("relu", reference::relu, internals::relu_at, |x| if x <= 0.0 { 0.0 } else { x }),
        ("softmax", reference::softmax, internals::softmax_at, f32::exp),
    ];
    let x = Numbers::any(1024);
    let x: Vec<f32> = x.get().iter().map(|x| 4.0 * x.abs()).collect();
    for (name, reference, kernel_at, naive) in cases {
        bench.case(name, 1, Limit::None, x.len(), |who, _, y| match who {
            Who::Naive => y.iter_mut().zip(black_box(&x)).for_each(|(y, x)| *y = naive(*x)),
            Who::Reference => {
                y.copy_from_slice(&x);
                reference(y);
            }
            Who::Kernel(level) => {
                y.copy_from_slice(black_box(&x));
                kernel_at(level, y);
            }
            Who::Limit(_) => {}
        });
    }
}

fn naive_dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn vectors(bench: &mut Bench) {
    for n in [64, 256, 1024] {
        let (a, b) = (Numbers::any(n), Numbers::any(n));
        bench.case(&format!("dot {n}"), 1, Limit::BytesRead(8 * n), 1, |who, _, out| {
            let (a, b) = black_box((a.get(), b.get()));
            out[0] = match who {
                Who::Reference => reference::dot(a, b).unwrap(),
                Who::Naive => naive_dot(a, b),
                Who::Kernel(level) => internals::dot_at(level, a, b).unwrap(),
                Who::Limit(_) => return,
            };
        });
    }
    let x = Numbers::any(1024);
    bench.case("axpy 1024", 1, Limit::None, 1024, |who, _, y| {
        let x = black_box(x.get());
        match who {
            Who::Reference => reference::axpy(0.5, x, y).unwrap(),
            Who::Naive => y.iter_mut().zip(x).for_each(|(y, x)| *y += 0.5 * x),
            Who::Kernel(level) => internals::axpy_at(level, 0.5, x, y).unwrap(),
            Who::Limit(_) => {}
        }
    });
    for (m, n) in [(32, 16), (100, 400)] {
        let (x, y) = (Numbers::any(m), Numbers::any(n));
        bench.case(&format!("ger {m}x{n}"), 1, Limit::None, m * n, |who, _, a| {
            let (x, y) = black_box((x.get(), y.get()));
            let mut table = TableMut::new(a, m, n).unwrap();
            match who {
                Who::Reference => reference::ger(0.5, x, y, &mut table).unwrap(),
                Who::Kernel(level) => internals::ger_at(level, 0.5, x, y, &mut table).unwrap(),
                Who::Naive => {
                    for (a, x) in a.chunks_exact_mut(n).zip(x) {
                        a.iter_mut().zip(y).for_each(|(a, y)| *a += 0.5 * x * y);
                    }
                }
                Who::Limit(_) => {}
            }
        });
    }
    for (n, k) in [(32, 1), (4, 1024), (16, 256), (10, 32), (400, 100)] {
        let (w, x) = (Numbers::any(n * k), Numbers::any(k));
        let limit = Limit::BytesRead(4 * n * k + 4 * k * n.div_ceil(4));
        bench.case(&format!("gemv {n}x{k}"), 1, limit, n, |who, _, y| {
            let (w, x) = black_box((w.get(), x.get()));
            let table = Table::new(w, n, k).unwrap();
            match who {
                Who::Reference => reference::gemv(table, x, y).unwrap(),
                Who::Kernel(level) => internals::gemv_at(level, table, x, y).unwrap(),
                Who::Naive => {
                    y.iter_mut().zip(w.chunks_exact(k)).for_each(|(y, w)| *y = naive_dot(w, x));
                }
                Who::Limit(_) => {}
            }
        });
    }
}

/// C += A B and its like as three nested loops, the inner one over a row of B where it stands in one.
fn naive_product(name: &str, a: &[f32], b: &[f32], c: &mut [f32], (m, k, n): (usize, usize, usize)) {
    for (i, c) in c.chunks_exact_mut(n).enumerate() {
        if name == "gemm_nt" {
            c.iter_mut().zip(b.chunks_exact(k)).for_each(|(c, b)| *c = naive_dot(&a[i * k..][..k], b));
            continue;
        }
        for (p, b) in b.chunks_exact(n).enumerate() {
            let a = if name == "gemm" { a[i * k + p] } else { a[p * m + i] };
            c.iter_mut().zip(b).for_each(|(c, b)| *c += a * b);
        }
    }
}

/// A gate of an LSTM, an image as columns, hidden layers, heads of 150, 10, 2 and 1 units, and batches of one.
fn products(bench: &mut Bench) {
    type Product = fn(Table<'_>, Table<'_>, &mut TableMut<'_>) -> Result<(), ShapeMismatch>;
    type ProductAt = fn(Level, Table<'_>, Table<'_>, &mut TableMut<'_>) -> Result<(), ShapeMismatch>;
    let products: [(&str, Product, ProductAt); 3] = [
        ("gemm", reference::gemm, internals::gemm_at),
        ("gemm_tn", reference::gemm_tn, internals::gemm_tn_at),
        ("gemm_nt", reference::gemm_nt, internals::gemm_nt_at),
    ];
    let shapes = [
        (64, 132, 400),
        (64, 320, 128),
        (64, 32, 150),
        (64, 32, 10),
        (64, 32, 2),
        (64, 32, 1),
        (1, 132, 400),
        (1, 32, 16),
        (1, 32, 1),
    ];
    for (name, reference, kernel_at) in products {
        for (m, k, n) in shapes {
            let (a, b) = (Numbers::any(m * k), Numbers::any(k * n));
            let (a_rows, a_dim) = if name == "gemm_tn" { (k, m) } else { (m, k) };
            let (b_rows, b_dim) = if name == "gemm_nt" { (n, k) } else { (k, n) };
            let case = format!("{name} {m}x{k}x{n}");
            bench.case(&case, 1, Limit::MultiplyAdds(m * k * n), m * n, |who, _, c| {
                let (a, b) = black_box((a.get(), b.get()));
                let a_table = Table::new(a, a_rows, a_dim).unwrap();
                let b_table = Table::new(b, b_rows, b_dim).unwrap();
                let mut c_table = TableMut::new(c, m, n).unwrap();
                match who {
                    Who::Reference => reference(a_table, b_table, &mut c_table).unwrap(),
                    Who::Kernel(level) => kernel_at(level, a_table, b_table, &mut c_table).unwrap(),
                    Who::Naive => naive_product(name, a, b, c, (m, k, n)),
                    Who::Limit(_) => {}
                }
            });
        }
    }
}

fn main() {
    let mut bench = Bench::new("dense");
    activations(&mut bench);
    vectors(&mut bench);
    products(&mut bench);
    bench.print("a call");
}
