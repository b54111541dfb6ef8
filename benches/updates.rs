//! Exact Adam against lazy Adam, and against the throughput of division and square root.
//!
//! A table of 1,000,000 rows of 64 floats; a batch is 2048 bags of 20 ids, and twelve batches take turns, so that a row that comes back has
//! missed about eleven steps. A step is what training does to the table: rows are caught up, pooled, and updated. Ids are uniform or follow
//! Zipf's law with exponent 1.05.
//!
//! A replayed step of a row is 64 divisions and 64 square roots. The *floor* is the time of as many of both on numbers in registers: what
//! the exact form cannot go below, whatever else it does.
//!
//! Printed: milliseconds a step, from the median of the rounds, of which each runs both forms in turn.

use nanoembed::kernels::{Occurrence, Touched, pool, sort_by_row};
use nanoembed::optim::{Adam, Exact, Optimizer};
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut};
use std::hint::black_box;
use std::time::Instant;

const ROWS: usize = 1_000_000;
const DIM: usize = 64;
const BAGS: usize = 2048;
const BAG: usize = 20;
const IDS: usize = BAGS * BAG;
const BATCHES: usize = 12;
const ROUNDS: usize = 7;

/// Numbers below 1 that no prefetcher guesses.
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

fn uniform_ids() -> Vec<u32> {
    let mut state = 1;
    (0..IDS * BATCHES).map(|_| (random(&mut state) * ROWS as f64) as u32).collect()
}

/// Rank r with probability in proportion to r^-1.05, ranks scattered over the table.
fn zipf_ids() -> Vec<u32> {
    let mut state = 2;
    let mut total = 0.0;
    let sums: Vec<f64> = (1..=ROWS)
        .map(|rank| {
            total += (rank as f64).powf(-1.05);
            total
        })
        .collect();
    let rank = |state: &mut u64| {
        let drawn = random(state) * total;
        sums.partition_point(|sum| *sum < drawn)
    };
    (0..IDS * BATCHES).map(|_| (rank(&mut state) * 611_953 % ROWS) as u32).collect()
}

/// What a step works on.
struct Training<O> {
    optimizer: O,
    weights: Vec<f32>,
    slots: Vec<f32>,
    last_steps: Vec<u32>,
    step: u32,
    occurrences: Vec<Occurrence>,
    scratch: Vec<Occurrence>,
    pooled: Vec<f32>,
}

impl<O: Optimizer> Training<O> {
    fn new(optimizer: O) -> Self {
        Self {
            optimizer,
            weights: (0..ROWS * DIM).map(|i| (i % 1000) as f32 * 1e-3 + 0.01).collect(),
            slots: vec![0.0; ROWS * DIM * 2],
            last_steps: vec![0; ROWS],
            step: 0,
            occurrences: vec![Occurrence::default(); IDS],
            scratch: vec![Occurrence::default(); IDS],
            pooled: vec![0.0; BAGS * DIM],
        }
    }

    fn step(&mut self, ids: &[u32], gradients: &[f32]) {
        let batch = self.step as usize % BATCHES;
        let ids = &ids[batch * IDS..][..IDS];
        let mut table = TableMut::new(&mut self.weights, ROWS, DIM).expect("rows * dim");
        let mut slots = TableMut::new(&mut self.slots, ROWS, 2 * DIM).expect("rows * slots");
        let rows = ids.iter().map(|id| *id as usize);
        self.optimizer
            .catch_up(self.step, rows, &mut table, &mut slots, &mut self.last_steps)
            .expect("shapes that agree");
        let bags = Bags::fixed(Indices::new(ids, ROWS).expect("valid ids"), BAGS, BAG).expect("bags");
        pool(table.as_table(), &bags, Pooling::Sum, &mut self.pooled).expect("shapes that agree");
        black_box(&mut self.pooled);
        for (place, (occurrence, id)) in self.occurrences.iter_mut().zip(ids).enumerate() {
            *occurrence = Occurrence { row: *id, source: (place / BAG) as u32 };
        }
        let mut touched = Touched {
            occurrences: sort_by_row(&mut self.occurrences, &mut self.scratch).expect("one length"),
            gradients: Table::new(gradients, BAGS, DIM).expect("a gradient a bag"),
            sum: &mut [0.0; 2 * DIM],
        };
        self.step += 1;
        self.optimizer
            .update_rows(
                self.optimizer.step(self.step),
                &mut table,
                &mut slots,
                &mut self.last_steps,
                &mut touched,
            )
            .expect("shapes that agree");
    }

    /// Milliseconds a step.
    fn time(&mut self, ids: &[u32], gradients: &[f32]) -> f64 {
        let start = Instant::now();
        for _ in 0..BATCHES {
            self.step(ids, gradients);
        }
        start.elapsed().as_secs_f64() * 1e3 / BATCHES as f64
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Nanoseconds of a division and a square root for each of 64 numbers that depend on nothing: as one replayed step of a row.
fn floor() -> f64 {
    let mut weights = vec![[0.5_f32; DIM]; 16];
    let mut slots = vec![[[0.0_f32; DIM], [1.0; DIM]]; 16];
    let adam = Adam::default();
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        for step in 1..1000 {
            let rule = adam.step(step);
            for (weights, slots) in weights.iter_mut().zip(&mut slots) {
                let slots = slots.as_flattened_mut();
                adam.update_block(rule, weights, &[1e-3; DIM], slots).expect("shapes that agree");
            }
        }
        start.elapsed().as_secs_f64() * 1e9 / (999.0 * 16.0)
    });
    let time = median(times.collect());
    black_box((weights, slots));
    time
}

/// Nanoseconds a replayed step of a row, of rows in the cache that missed eleven steps.
fn replay() -> f64 {
    const CACHED: usize = 128;
    let exact = Exact(Adam::default());
    let (mut weights, mut slots) = (vec![0.5; CACHED * DIM], vec![0.01; CACHED * DIM * 2]);
    let mut table = TableMut::new(&mut weights, CACHED, DIM).expect("rows * dim");
    let mut slots = TableMut::new(&mut slots, CACHED, 2 * DIM).expect("rows * slots");
    let mut last_steps = vec![1; CACHED];
    let mut times = Vec::new();
    for _ in 0..100 * ROUNDS {
        // Moments that still move the weights.
        (0..CACHED).for_each(|row| slots.row_mut(row).expect("a row").fill(0.01));
        last_steps.fill(20);
        let start = Instant::now();
        exact.catch_up(31, 0..CACHED, &mut table, &mut slots, &mut last_steps).expect("shapes that agree");
        times.push(start.elapsed().as_secs_f64() * 1e9 / (11.0 * CACHED as f64));
    }
    median(times)
}

fn main() {
    // Criterion's arguments are of no use here, but `cargo test --benches` must stay quick.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let mut state = 3;
    let gradients: Vec<f32> = (0..BAGS * DIM).map(|_| random(&mut state) as f32 - 0.5).collect();
    println!("a step of a row from the cache: {:.1} ns, replayed {:.1} ns", floor(), replay());
    for (name, ids) in [("uniform", uniform_ids()), ("zipf 1.05", zipf_ids())] {
        let distinct = |ids: &[u32]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids.dedup();
            ids.len()
        };
        let distinct = distinct(&ids[..IDS]);
        let (mut lazy, mut exact) = (Training::new(Adam::default()), Training::new(Exact(Adam::default())));
        // Every row is in memory, and has a gradient behind it.
        lazy.time(&ids, &gradients);
        exact.time(&ids, &gradients);
        let (mut lazy_times, mut exact_times) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            lazy_times.push(lazy.time(&ids, &gradients));
            exact_times.push(exact.time(&ids, &gradients));
        }
        let (lazy, exact) = (median(lazy_times), median(exact_times));
        println!(
            "{name}: {distinct} distinct rows of {IDS} ids; lazy {lazy:.2} ms, exact {exact:.2} ms: {:.2} times; {:.0} ns more a row",
            exact / lazy,
            (exact - lazy) * 1e6 / distinct as f64,
        );
    }
}
