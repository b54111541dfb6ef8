//! Dense kernels at every level, beside the loop that one would write first. Equality is asserted before anything is timed.

use core::hint::black_box;
use core::time::Duration;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nanoembed::kernels;
use nanoembed::reference;
use nanoembed::simd::Level;
use nanoembed::table::{Table, TableMut};

/// Numbers in −1..1, the same each time.
fn numbers(length: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    core::iter::repeat_with(next).take(length).collect()
}

fn assert_bits(found: &[f32], expected: &[f32]) {
    assert!(found.iter().map(|x| x.to_bits()).eq(expected.iter().map(|x| x.to_bits())));
}

/// 1024 elements that stay in the first cache: ours at every level, libm's and the standard library's in a loop.
fn activations(criterion: &mut Criterion) {
    type Case = (&'static str, fn(Level, &mut [f32]), fn(&mut [f32]), fn(f32) -> f32, fn(f32) -> f32);
    #[allow(clippy::disallowed_methods, reason = "what we compare ourselves with")]
    let cases: [Case; 3] = [
        (
            "sigmoid",
            kernels::sigmoid_at,
            reference::sigmoid,
            |x| 1.0 / (1.0 + libm::expf(-x)),
            |x| 1.0 / (1.0 + (-x).exp()),
        ),
        ("tanh", kernels::tanh_at, reference::tanh, libm::tanhf, f32::tanh),
        ("softmax", kernels::softmax_at, reference::softmax, libm::expf, f32::exp),
    ];
    let x = numbers(1024);
    for (name, kernel_at, reference, libm, std) in cases {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(x.len() as u64));
        let mut expected = x.clone();
        reference(&mut expected);
        for level in Level::available() {
            let mut y = x.clone();
            kernel_at(level, &mut y);
            assert_bits(&y, &expected);
            group.bench_function(level.name(), |bencher| {
                bencher.iter(|| {
                    y.clone_from_slice(&x);
                    kernel_at(level, black_box(&mut y));
                });
            });
        }
        for (name, function) in [("libm", libm), ("std", std)] {
            let mut y = x.clone();
            group.bench_function(name, |bencher| {
                bencher.iter(|| y.iter_mut().zip(&x).for_each(|(y, x)| *y = function(black_box(*x))));
            });
        }
    }
}

fn dot(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dot");
    for length in [64, 256, 1024] {
        let (a, b) = (numbers(length), numbers(2 * length).split_off(length));
        let expected = reference::dot(&a, &b).unwrap();
        group.throughput(Throughput::Elements(length as u64));
        for level in Level::available() {
            assert_bits(&[kernels::dot_at(level, &a, &b).unwrap()], &[expected]);
            group.bench_function(BenchmarkId::new(level.name(), length), |bencher| {
                bencher.iter(|| kernels::dot_at(level, black_box(&a), black_box(&b)));
            });
        }
        group.bench_function(BenchmarkId::new("naive", length), |bencher| {
            bencher.iter(|| black_box(&a).iter().zip(black_box(&b)).map(|(a, b)| a * b).sum::<f32>());
        });
    }
}

/// C += A B as three nested loops, the inner one over a row of B.
fn naive_gemm(a: &[f32], b: &[f32], c: &mut [f32], k: usize, n: usize) {
    for (a, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
        for (a, b) in a.iter().zip(b.chunks_exact(n)) {
            for (c, b) in c.iter_mut().zip(b) {
                *c += a * b;
            }
        }
    }
}

/// A hidden layer on a batch, a logit on a batch, a logit on one example.
fn products(criterion: &mut Criterion) {
    type Kernel = (
        &'static str,
        fn(Level, Table<'_>, Table<'_>, &mut TableMut<'_>) -> Result<(), nanoembed::error::ShapeMismatch>,
    );
    let kernels: [Kernel; 3] =
        [("gemm", kernels::gemm_at), ("gemm_tn", kernels::gemm_tn_at), ("gemm_nt", kernels::gemm_nt_at)];
    for (name, kernel_at) in kernels {
        let mut group = criterion.benchmark_group(name);
        for (m, k, n) in [(64, 132, 400), (64, 32, 1), (1, 32, 1), (64, 32, 10)] {
            let (a, b) = (numbers(m * k), numbers(k * n));
            let a_shape = if name == "gemm_tn" { (k, m) } else { (m, k) };
            let b_shape = if name == "gemm_nt" { (n, k) } else { (k, n) };
            let (a_table, b_table) = (
                Table::new(&a, a_shape.0, a_shape.1).unwrap(),
                Table::new(&b, b_shape.0, b_shape.1).unwrap(),
            );
            let mut c = vec![0.0; m * n];
            let id = |candidate: &str| BenchmarkId::new(candidate, format!("{m}x{k}x{n}"));
            group.throughput(Throughput::Elements((m * k * n) as u64));
            let mut expected = None;
            for level in Level::available() {
                c.fill(0.0);
                kernel_at(level, a_table, b_table, &mut TableMut::new(&mut c, m, n).unwrap()).unwrap();
                assert_bits(&c, expected.get_or_insert_with(|| c.clone()));
                group.bench_function(id(level.name()), |bencher| {
                    bencher.iter(|| {
                        kernel_at(
                            level,
                            black_box(a_table),
                            black_box(b_table),
                            &mut TableMut::new(&mut c, m, n).unwrap(),
                        )
                    });
                });
            }
            if name == "gemm" {
                c.fill(0.0);
                naive_gemm(&a, &b, &mut c, k, n);
                assert_bits(&c, &expected.unwrap());
                group.bench_function(id("naive"), |bencher| {
                    bencher.iter(|| naive_gemm(black_box(&a), black_box(&b), &mut c, k, n));
                });
            }
        }
    }
}

fn configuration() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
}

criterion_group! { name = benches; config = configuration(); targets = activations, dot, products }
criterion_main!(benches);
