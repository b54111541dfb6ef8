//! A big table, trained by any number of threads with the bits of one.
//!
//! The crate starts no threads; its views split. Forward, each thread pools a range of the bags into its part of the output. Backward
//! and update, each thread takes a range of the rows: it lists their occurrences, sorts them and steps on its part of the
//! table, so that no two threads write a row and each row sums its gradients in order of occurrence.
//!
//! ```text
//! cargo run --release --example threads -- 1
//! cargo run --release --example threads -- 2 1000000      the table's rows; 500000 if left out
//! ```
//!
//! prints one digest of all weights and slots, whatever the first number.

use nanoembed::kernels::pool;
use nanoembed::optim::{Adam, Optimizer};
use nanoembed::rand_core::{Rng, SeedableRng};
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient};
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut, even_ranges};
use std::error::Error;
use std::hint::black_box;
use std::thread;
use std::time::Instant;

const DIM: usize = 64;
const BATCH: usize = 2048;
const BAG: usize = 20;
const IDS: usize = BATCH * BAG;
const STEPS: u32 = 50;

/// What a thread needs besides the tables: memory that it keeps from step to step.
struct Scratch {
    list: Vec<Occurrence>,
    sorting: Vec<Occurrence>,
    sum: [f32; 2 * DIM],
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let threads: usize = arguments.next().ok_or("how many threads?")?.parse()?;
    let rows: usize = arguments.next().map_or(Ok(500_000), |rows| rows.parse())?;
    if threads == 0 || rows == 0 {
        return Err("threads and rows must be at least 1".into());
    }

    let mut random = Xoshiro128PlusPlus::seed_from_u64(1);
    let mut draw = || (random.next_u32() >> 8) as f32 / (1 << 24) as f32 - 0.5;
    let mut weights: Vec<f32> = (0..rows * DIM).map(|_| draw()).collect();
    let targets: Vec<f32> = (0..BATCH * DIM).map(|_| draw()).collect();
    let mut slots = vec![0.0; 2 * rows * DIM];
    // The system gives memory when it is first written: that is not part of a step.
    black_box(&mut slots).fill(0.0);
    let mut pooled = vec![0.0; BATCH * DIM];
    let empty = || Scratch {
        list: vec![Occurrence::default(); IDS],
        sorting: vec![Occurrence::default(); IDS],
        sum: [0.0; 2 * DIM],
    };
    let mut scratch: Vec<Scratch> = (0..threads).map(|_| empty()).collect();
    let adam = Adam::default();

    let start = Instant::now();
    let mut ids = vec![0_u32; IDS];
    for number in 1..=STEPS {
        ids.fill_with(|| ((u64::from(random.next_u32()) * rows as u64) >> 32) as u32);
        let bags = Bags::fixed(Indices::new(&ids, rows)?, BATCH, BAG)?;

        forward(Table::new(&weights, rows, DIM)?, bags, threads, &mut pooled);
        // Half the squared distance to the targets; its gradient takes the place of the output.
        for (y, target) in pooled.iter_mut().zip(&targets) {
            *y = (*y - target) / BATCH as f32;
        }

        let gradients = Table::new(&pooled, BATCH, DIM)?;
        let table = TableMut::new(&mut weights, rows, DIM)?.split_rows(threads);
        let slots = TableMut::new(&mut slots, rows, 2 * DIM)?.split_rows(threads);
        let step = adam.step(number);
        thread::scope(|scope| {
            for (((range, mut table), (_, mut slots)), scratch) in table.zip(slots).zip(&mut scratch) {
                scope.spawn(move || {
                    let list = bags.occurrences_in(range, &mut scratch.list).expect("room for all ids");
                    let occurrences =
                        SortedOccurrences::sort(list, &mut scratch.sorting).expect("room for all ids");
                    let mut touched = SparseGradient { occurrences, gradients, scratch: &mut scratch.sum };
                    adam.update_rows(step, &mut table, &mut slots, &mut [], &mut touched)
                        .expect("parts of the same rows");
                });
            }
        });
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(STEPS);

    println!("{rows} rows of {DIM}, {BATCH} bags of {BAG}, {STEPS} steps of Adam, {threads} threads");
    println!("{:.2} ms a step", seconds * 1e3);
    println!("digest {:016x}", digest(weights.iter().chain(&slots)));
    Ok(())
}

/// Pools each bag, each thread its share of them.
fn forward(table: Table<'_>, bags: Bags<'_, u32>, threads: usize, mut pooled: &mut [f32]) {
    thread::scope(|scope| {
        for share in even_ranges(BATCH, threads) {
            let out = pooled.split_off_mut(..share.len() * DIM).expect("a row a bag");
            let bags = bags.slice(share).expect("a range of the bags");
            scope.spawn(move || pool(table, &bags, Pooling::Sum, out).expect("shapes fit"));
        }
    });
}

/// FNV-1a of all bits, a number at a time.
fn digest<'a>(numbers: impl Iterator<Item = &'a f32>) -> u64 {
    let bits = numbers.map(|x| u64::from(x.to_bits()));
    bits.fold(0xcbf2_9ce4_8422_2325, |hash, bits| (hash ^ bits).wrapping_mul(0x0100_0000_01b3))
}
