//! Embedding lookups of burn and candle beside this crate's: the same ids, one thread, in turns within one process.
//!
//! Prints a JSON line for each peer and case, and last how many times as long as nanoembed each peer took. See README.md.

use burn::tensor::module::embedding;
use burn::tensor::{Device, Int, Tensor, TensorData};
use candle_core::Tensor as Candle;
use nanoembed::kernels::{gather, pool};
use nanoembed::table::{Bags, Indices, Pooling, Table};
use serde_json::json;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

/// Rounds; in each, every peer has one sample.
const ROUNDS: usize = 15;
/// How long a sample is, in seconds.
const SAMPLE: f64 = 0.03;
/// Sets of bags, of which each call takes the next, so that a big table's rows are not in the caches from the call before. Gathers
/// take a part of a set each, so that their rounds are as long.
const SETS: usize = 12;

/// The extents of a case.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    dim: usize,
    batch: usize,
    bag: usize,
}

/// Somebody's way of computing a case, from a set of ids, whose number it is told.
struct Peer<'a> {
    name: &'static str,
    call: Box<dyn FnMut(usize) + 'a>,
    sets: usize,
    calls: usize,
    samples: Vec<f64>,
}

impl<'a> Peer<'a> {
    fn new(name: &'static str, sets: usize, call: impl FnMut(usize) + 'a) -> Self {
        Self { name, call: Box::new(call), sets, calls: 0, samples: Vec::new() }
    }

    /// Seconds a call, of this many calls.
    fn sample(&mut self, count: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..count {
            (self.call)(self.calls % self.sets);
            self.calls += 1;
        }
        start.elapsed().as_secs_f64() / count as f64
    }

    /// The median sample.
    fn median(&self) -> f64 {
        self.samples[ROUNDS / 2]
    }
}

/// Times the peers in turns and prints their lines; the first is the one that the others are compared with.
fn compare(case: &str, shape: Shape, ids: usize, peers: &mut [Peer<'_>]) {
    let counts: Vec<usize> = peers
        .iter_mut()
        .map(|peer| {
            peer.sample(2);
            1 + (SAMPLE / peer.sample(1)) as usize
        })
        .collect();
    for _ in 0..ROUNDS {
        for (peer, &count) in peers.iter_mut().zip(&counts) {
            let sample = peer.sample(count);
            peer.samples.push(sample);
        }
    }
    let Shape { rows, dim, batch, bag } = shape;
    for peer in &mut *peers {
        peer.samples.sort_by(f64::total_cmp);
        let seconds = peer.median();
        let line = json!({
            "peer": peer.name, "case": case, "rows": rows, "dim": dim, "batch": batch,
            "bag": if ids == batch { None } else { Some(bag) }, "threads": 1, "ids": "uniform",
            "seconds": rounded(seconds), "best_seconds": rounded(peer.samples[0]),
            "spread": rounded((peer.samples[ROUNDS - 1] - peer.samples[0]) / seconds),
            "rows_per_s": rounded(ids as f64 / seconds),
            "gb_per_s": rounded((ids * dim * size_of::<f32>()) as f64 / seconds / 1e9),
        });
        println!("{line}");
    }
    if let [own, others @ ..] = peers {
        for other in others {
            let ratio = rounded(other.median() / own.median());
            println!(
                "{}",
                json!({ "case": case, "peer": other.name, "times_as_long_as": own.name, "ratio": ratio })
            );
        }
    }
}

/// To four digits.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

/// Numbers that no prefetcher guesses.
fn random() -> impl FnMut() -> u32 {
    let mut state = 1_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    }
}

/// Nothing is timed that computes something else. Sums may be made in another order.
fn check(name: &str, found: &[f32], expected: &[f32]) -> Result<(), Box<dyn Error>> {
    let close = |(found, expected): (&f32, &f32)| (found - expected).abs() <= 1e-4;
    if found.len() == expected.len() && found.iter().zip(expected).all(close) {
        Ok(())
    } else {
        Err(format!("{name} gives other numbers").into())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<usize> = std::env::args().skip(1).map(|size| size.parse()).collect::<Result<_, _>>()?;
    let shape = match sizes[..] {
        [] => Shape { rows: 1_000_000, dim: 64, batch: 2048, bag: 20 },
        [rows, dim, batch, bag] => Shape { rows, dim, batch, bag },
        _ => return Err("either no sizes or ROWS DIM BATCH BAG".into()),
    };
    let Shape { rows, dim, batch, bag } = shape;
    let mut random = random();
    let values: Vec<f32> = (0..rows * dim).map(|_| random() as f32 / u32::MAX as f32 - 0.5).collect();
    let mut row = || ((u64::from(random()) * rows as u64) >> 32) as u32;
    let sets: Vec<Vec<u32>> = (0..SETS).map(|_| (0..batch * bag).map(|_| row()).collect()).collect();

    let (burn_device, candle_device) = (Device::flex(), candle_core::Device::Cpu);
    let table = Table::new(&values, rows, dim)?;
    let burn_table = Tensor::<2>::from_data(TensorData::new(values.clone(), [rows, dim]), &burn_device);
    let candle_table = Candle::from_vec(values.clone(), (rows, dim), &candle_device)?;
    // Each peer has its ids in its own form before the clock starts.
    let burn_ids = |ids: &[u32], shape: [usize; 2]| {
        let ids: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
        Tensor::<2, Int>::from_data(TensorData::new(ids, shape), &burn_device)
    };
    let candle_ids = |ids: &[u32]| Candle::from_vec(ids.to_vec(), ids.len(), &candle_device);

    // A row an id.
    let parts: Vec<&[u32]> = sets.iter().flat_map(|ids| ids.chunks(batch)).collect();
    let burn_sets: Vec<_> = parts.iter().map(|ids| burn_ids(ids, [1, batch])).collect();
    let candle_sets: Vec<Candle> = parts.iter().map(|ids| candle_ids(ids)).collect::<Result<_, _>>()?;
    let mut out = vec![0.0; batch * dim];
    let own = |set: usize, out: &mut [f32]| {
        let indices = Indices::new(parts[set], rows).expect("ids below rows");
        gather(table, indices, out).expect("shapes fit");
    };
    let by_burn = |set: usize| embedding(burn_table.clone(), burn_sets[set].clone());
    let by_candle = |set: usize| candle_table.embedding(&candle_sets[set]).expect("shapes fit");
    own(0, &mut out);
    check("burn's gather", &by_burn(0).into_data().try_to_vec::<f32>()?, &out)?;
    check("candle's gather", &by_candle(0).flatten_all()?.to_vec1()?, &out)?;
    let mut peers = [
        Peer::new("nanoembed", parts.len(), |set| own(set, black_box(&mut out))),
        Peer::new("burn-flex", parts.len(), |set| drop(black_box(by_burn(set)))),
        Peer::new("candle", parts.len(), |set| drop(black_box(by_candle(set)))),
    ];
    compare("gather", shape, batch, &mut peers);
    drop(peers);

    // The sum of a bag.
    let burn_sets: Vec<_> = sets.iter().map(|ids| burn_ids(ids, [batch, bag])).collect();
    let candle_sets: Vec<Candle> = sets.iter().map(|ids| candle_ids(ids)).collect::<Result<_, _>>()?;
    let own = |set: usize, out: &mut [f32]| {
        let indices = Indices::new(&sets[set], rows).expect("ids below rows");
        let bags = Bags::fixed(indices, batch, bag).expect("batch * bag ids");
        pool(table, &bags, Pooling::Sum, out).expect("shapes fit");
    };
    let by_burn = |set: usize| embedding(burn_table.clone(), burn_sets[set].clone()).sum_dim(1);
    let by_candle = |set: usize| {
        let gathered = candle_table.embedding(&candle_sets[set])?;
        gathered.reshape((batch, bag, dim))?.sum(1)
    };
    own(0, &mut out);
    check("burn's bag", &by_burn(0).into_data().try_to_vec::<f32>()?, &out)?;
    check("candle's bag", &by_candle(0)?.flatten_all()?.to_vec1()?, &out)?;
    let mut peers = [
        Peer::new("nanoembed", SETS, |set| own(set, black_box(&mut out))),
        Peer::new("burn-flex", SETS, |set| drop(black_box(by_burn(set)))),
        Peer::new("candle", SETS, |set| drop(black_box(by_candle(set).expect("shapes fit")))),
    ];
    compare("bag", shape, batch * bag, &mut peers);
    Ok(())
}
