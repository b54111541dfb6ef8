//! gather and pool against the naive loop and against memory.
//!
//! Tables of 10,000 rows (2.5 MB) and 1,000,000 rows (256 MB) of 64 floats; batches of 4096 random ids for gather and of 512
//! bags of 20 for pool. Each call takes the next of many batches, so that its rows are not in the cache from the call before
//! unless the whole table is.
//!
//! The memory limit is measured in the same run. No kernel can be faster than
//!
//! - *lines*: reading one number of every cache line of the same rows in the same order. Nothing waits for such a read, so the
//!   processor has as many of them under way as it can; a row asked for ahead of its use comes no sooner.
//! - *copy*, for gather: copying as many bytes from consecutive to consecutive addresses, which costs the writing and the
//!   cheapest reading.
//!
//! The limit is the larger of the two. It says nothing about arithmetic, of which gather has none and pool one addition per number: in
//! a table that fits the caches pool is bound by loads instead, four numbers of a line where *lines* reads one.
//!
//! Printed at the end: time per row, and the ratio to the naive loop (above 1: faster) and to the limit (1: as fast as memory), from the
//! fastest sample of each.

use criterion::Criterion;
use nanoembed::kernels::{gather_at, pool_at};
use nanoembed::reference;
use nanoembed::simd::Level;
use nanoembed::table::{Bags, Indices, Pooling, Table};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

const DIM: usize = 64;
const LINE: usize = 16;
const BAG: usize = 20;
const GATHERED: usize = 4096;
const BAGS: usize = 512;
const BATCHES: usize = 100;
const SAMPLES: usize = 10;

/// Numbers that start on a cache line.
struct Numbers {
    values: Vec<f32>,
    start: usize,
    length: usize,
}

impl Numbers {
    fn new(length: usize, number: impl Fn(usize) -> f32) -> Self {
        let mut values = vec![0.0; length + LINE];
        let start = values.as_ptr().align_offset(64);
        for (i, value) in values[start..start + length].iter_mut().enumerate() {
            *value = number(i);
        }
        Self { values, start, length }
    }

    fn get(&self) -> &[f32] {
        &self.values[self.start..self.start + self.length]
    }

    fn get_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..self.start + self.length]
    }
}

/// Row numbers that no prefetcher guesses.
fn random_ids(count: usize, rows: usize) -> Vec<u32> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((state >> 32) * rows as u64) >> 32) as u32
    };
    (0..count).map(|_| next()).collect()
}

fn naive_gather(table: &[f32], ids: &[u32], out: &mut [f32]) {
    for (out, &id) in out.chunks_exact_mut(DIM).zip(ids) {
        out.copy_from_slice(&table[id as usize * DIM..][..DIM]);
    }
}

fn naive_pool(table: &[f32], ids: &[u32], out: &mut [f32]) {
    for (out, bag) in out.chunks_exact_mut(DIM).zip(ids.chunks_exact(BAG)) {
        out.fill(0.0);
        for &id in bag {
            for (out, x) in out.iter_mut().zip(&table[id as usize * DIM..][..DIM]) {
                *out += x;
            }
        }
    }
}

/// One number of each cache line of the rows.
fn lines(table: &[f32], ids: &[u32]) -> u32 {
    let mut all = 0;
    for &id in ids {
        for line in table[id as usize * DIM..][..DIM].chunks_exact(LINE) {
            all |= line[0].to_bits();
        }
    }
    all
}

/// Seconds a call, of each case: first those of the warm-up, then those of the samples.
#[derive(Default)]
struct Times(RefCell<BTreeMap<String, Vec<f64>>>);

impl Times {
    /// Times `call` on one batch after the other.
    fn measure(&self, criterion: &mut Criterion, name: &str, mut call: impl FnMut(usize)) {
        let mut batch = 0;
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|calls| {
                let start = Instant::now();
                for _ in 0..calls {
                    call(batch);
                    batch = (batch + 1) % BATCHES;
                }
                let time = start.elapsed();
                self.0
                    .borrow_mut()
                    .entry(name.to_owned())
                    .or_default()
                    .push(time.as_secs_f64() / calls as f64);
                time
            });
        });
    }

    /// The fastest sample.
    fn get(&self, name: &str) -> Option<f64> {
        self.0.borrow().get(name)?.iter().rev().take(SAMPLES).copied().reduce(f64::min)
    }

    /// One line a kernel and level.
    fn print(&self, kernel: &str, rows: usize, ids: usize, limits: &[&str]) {
        let case = format!("{kernel}/{rows}");
        let naive = self.get(&format!("{case}/naive"));
        let limits = limits.iter().map(|limit| self.get(&format!("{case}/{limit}")));
        let limit = limits.reduce(|worst, limit| Some(worst?.max(limit?))).flatten();
        for level in Level::available() {
            let time = self.get(&format!("{case}/{}", level.name()));
            let (Some(time), Some(naive), Some(limit)) = (time, naive, limit) else { continue };
            println!(
                "{:8} {:>9} rows {:8} {:7.2} ns a row {:7.2} of naive's speed {:7.2} of the limit's",
                kernel,
                rows,
                level.name(),
                time / ids as f64 * 1e9,
                naive / time,
                limit / time,
            );
        }
    }
}

fn bench_gather(criterion: &mut Criterion, times: &Times, rows: usize, numbers: &Numbers) {
    let table = Table::new(numbers.get(), rows, DIM).expect("rows * DIM numbers");
    let ids = random_ids(GATHERED * BATCHES, rows);
    let batch = |batch: usize| &ids[batch * GATHERED..][..GATHERED];
    let mut out = Numbers::new(GATHERED * DIM, |_| 0.0);
    let mut expected = vec![0.0; GATHERED * DIM];
    let checked = |number| Indices::new(batch(number), rows).expect("ids below rows");

    reference::gather(table, checked(0), &mut expected);
    naive_gather(numbers.get(), batch(0), out.get_mut());
    assert_eq!(out.get(), expected, "naive");
    for level in Level::available() {
        out.get_mut().fill(f32::NAN);
        gather_at(level, table, checked(0), out.get_mut()).expect("shapes fit");
        assert_eq!(out.get(), expected, "{}", level.name());
    }

    for level in Level::available() {
        times.measure(criterion, &format!("gather/{rows}/{}", level.name()), |number| {
            gather_at(level, table, checked(number), black_box(out.get_mut())).expect("shapes fit");
        });
    }
    times.measure(criterion, &format!("gather/{rows}/naive"), |number| {
        naive_gather(numbers.get(), batch(number), black_box(out.get_mut()));
    });
    times.measure(criterion, &format!("gather/{rows}/lines"), |number| {
        black_box(lines(numbers.get(), batch(number)));
    });
    times.measure(criterion, &format!("gather/{rows}/copy"), |number| {
        let from = number * GATHERED * DIM % (numbers.length - GATHERED * DIM);
        black_box(out.get_mut()).copy_from_slice(&numbers.get()[from..][..GATHERED * DIM]);
    });
}

fn bench_pool(criterion: &mut Criterion, times: &Times, rows: usize, numbers: &Numbers) {
    let table = Table::new(numbers.get(), rows, DIM).expect("rows * DIM numbers");
    let ids = random_ids(BAGS * BAG * BATCHES, rows);
    let offsets: Vec<u32> = (0..=BAGS).map(|bag| (bag * BAG) as u32).collect();
    let batch = |batch: usize| &ids[batch * BAGS * BAG..][..BAGS * BAG];
    let mut out = Numbers::new(BAGS * DIM, |_| 0.0);
    let mut expected = vec![0.0; BAGS * DIM];
    let checked = |number| {
        let indices = Indices::new(batch(number), rows).expect("ids below rows");
        Bags::new(indices, &offsets).expect("offsets that rise to the number of ids")
    };

    reference::pool(table, &checked(0), Pooling::Sum, &mut expected);
    naive_pool(numbers.get(), batch(0), out.get_mut());
    assert_eq!(out.get(), expected, "naive");
    for level in Level::available() {
        out.get_mut().fill(f32::NAN);
        pool_at(level, table, &checked(0), Pooling::Sum, out.get_mut()).expect("shapes fit");
        assert_eq!(out.get(), expected, "{}", level.name());
    }

    for level in Level::available() {
        times.measure(criterion, &format!("pool/{rows}/{}", level.name()), |number| {
            pool_at(level, table, &checked(number), Pooling::Sum, black_box(out.get_mut()))
                .expect("shapes fit");
        });
    }
    times.measure(criterion, &format!("pool/{rows}/naive"), |number| {
        naive_pool(numbers.get(), batch(number), black_box(out.get_mut()));
    });
    times.measure(criterion, &format!("pool/{rows}/lines"), |number| {
        black_box(lines(numbers.get(), batch(number)));
    });
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(SAMPLES)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700))
        .configure_from_args();
    let times = Times::default();
    for rows in [10_000, 1_000_000] {
        let numbers = Numbers::new(rows * DIM, |i| (i % 1009) as f32 - 504.0);
        bench_gather(&mut criterion, &times, rows, &numbers);
        bench_pool(&mut criterion, &times, rows, &numbers);
    }
    criterion.final_summary();
    println!();
    for rows in [10_000, 1_000_000] {
        times.print("gather", rows, GATHERED, &["lines", "copy"]);
        times.print("pool", rows, BAGS * BAG, &["lines"]);
    }
}
