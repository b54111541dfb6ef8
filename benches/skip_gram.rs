//! Vectors of words: pairs beside a naive loop, and an epoch of each method.
//!
//! - *Pairs*: 4,096 pairs with five negatives each, rows of 112 numbers, 2,048 rows a table. The *naive* loop
//!   takes one target after the other, as one would write it first; the bits of both are compared before
//!   anything is timed.
//! - *An epoch*: 300,000 words of Zipf's law, 10,000 kinds, vectors of 100 numbers, on one thread. The
//!   throughput is in words.

use core::hint::black_box;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nanoembed::internals::{Negatives, learn_groups, learn_pairs, pair};
use nanoembed::math;
use nanoembed::models::skip_gram::{Corpus, Memory, Method, Settings, SkipGram, Task};
use nanoembed::rand_core::{Rng, SeedableRng};
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::table::{Aligned, Line};

const ROWS: usize = 2048;
const LINES: usize = 7;
const PAIRS: usize = 4096;
const RATE: f32 = 0.025;
const WORDS: usize = 300_000;
const KINDS: usize = 10_000;

/// A way to learn from all pairs.
type Way<'w> = (&'w str, &'w dyn Fn(&mut [Line], &mut [Line]));

fn below(random: &mut Xoshiro128PlusPlus, end: usize) -> usize {
    ((u64::from(random.next_u32()) * end as u64) >> 32) as usize
}

fn table(random: &mut Xoshiro128PlusPlus) -> Vec<Line> {
    let mut number = || (random.next_u32() >> 8) as f32 / 16_777_216.0 - 0.5;
    (0..ROWS * LINES).map(|_| Aligned(std::array::from_fn(|_| number()))).collect()
}

/// One target after the other.
fn naive(input: &mut [Line], output: &mut [Line], pairs: &[u64], negatives: Negatives<'_>) {
    for (number, pair) in pairs.iter().enumerate() {
        let x = &mut input[(pair >> 32) as usize * LINES..][..LINES];
        let target = *pair as u32;
        let mut moved = [[0.0; 16]; LINES];
        for (i, row) in [target].into_iter().chain(negatives.rows(number)).enumerate() {
            if i > 0 && row == target {
                continue;
            }
            let t = &mut output[row as usize * LINES..][..LINES];
            let mut lanes = [0.0; 16];
            for (x, t) in x.iter().zip(&*t) {
                for (lane, (x, t)) in lanes.iter_mut().zip(x.0.iter().zip(&t.0)) {
                    *lane += x * t;
                }
            }
            for half in [8, 4, 2, 1] {
                for i in 0..half {
                    lanes[i] += lanes[i + half];
                }
            }
            let score = math::sigmoid(lanes[0]);
            let step = RATE * (if i == 0 { 1.0 } else { 0.0 } - score);
            for ((moved, t), x) in moved.iter_mut().zip(t).zip(&*x) {
                for ((moved, t), x) in moved.iter_mut().zip(&mut t.0).zip(&x.0) {
                    *moved += step * *t;
                    *t += step * x;
                }
            }
        }
        for (x, moved) in x.iter_mut().zip(&moved) {
            for (x, moved) in x.0.iter_mut().zip(moved) {
                *x += moved;
            }
        }
    }
}

fn pairs(criterion: &mut Criterion) {
    let mut random = Xoshiro128PlusPlus::seed_from_u64(7);
    let (input, output) = (table(&mut random), table(&mut random));
    let mut row = || below(&mut random, ROWS) as u32;
    let list: Vec<u64> = (0..PAIRS).map(|_| pair(row(), row())).collect();
    // Each row with the same probability.
    let slots: Vec<u64> = (0..ROWS as u64).map(|row| (u64::from(u32::MAX) << 32) | row).collect();
    let negatives = Negatives { slots: &slots, count: 5, seed: 1 };

    // A pair without a row that occurs twice has the bits of the naive loop.
    let drawn = |number| negatives.rows(number).collect::<Vec<_>>();
    for pair in &list[..100] {
        let mut rows = drawn(0);
        rows.push(*pair as u32);
        rows.sort_unstable();
        if rows.windows(2).any(|two| two[0] == two[1]) {
            continue;
        }
        let (mut a, mut b) = ((input.clone(), output.clone()), (input.clone(), output.clone()));
        naive(&mut a.0, &mut a.1, &[*pair], negatives);
        learn_pairs(&mut b.0, &mut b.1, LINES, &[*pair], negatives, RATE);
        assert!(a == b, "pair {pair:x}");
    }

    let mut group = criterion.benchmark_group("pairs of five negatives");
    group.throughput(Throughput::Elements(PAIRS as u64));
    let ways: [Way<'_>; 3] = [
        ("naive", &|input, output| naive(input, output, &list, negatives)),
        ("learn_pairs", &|input, output| learn_pairs(input, output, LINES, &list, negatives, RATE)),
        ("learn_groups", &|input, output| learn_groups(input, output, LINES, &list, negatives, RATE)),
    ];
    for (name, learn) in ways {
        let (mut input, mut output) = (input.clone(), output.clone());
        group.bench_function(name, |bencher| {
            bencher.iter(|| learn(black_box(&mut input), black_box(&mut output)));
        });
    }
    group.finish();
}

fn epoch(criterion: &mut Criterion) {
    let mut random = Xoshiro128PlusPlus::seed_from_u64(7);
    let mut counts = vec![0; KINDS];
    let ids: Vec<u32> = (0..WORDS).map(|_| (KINDS / (1 + below(&mut random, KINDS)) - 1) as u32).collect();
    for id in &ids {
        counts[*id as usize] += 1;
    }
    let offsets: Vec<usize> = (0..=WORDS / 30).map(|sentence| 30 * sentence).collect();
    let corpus = Corpus::new(&ids, &offsets, &counts).expect("a corpus");

    let mut group = criterion.benchmark_group("an epoch");
    group.throughput(Throughput::Elements(WORDS as u64));
    group.sample_size(10);
    for method in [Method::SkipGram, Method::SharedNegatives, Method::ContinuousBag] {
        let settings = Settings { method, epochs: 1, ..Settings::default() };
        let lengths = settings.lengths(KINDS).expect("settings");
        let mut lines = vec![Aligned([0.0; 16]); lengths.lines];
        let (mut words, mut pairs) = (vec![0; lengths.words], vec![0; lengths.pairs]);
        group.bench_function(format!("{method:?}"), |bencher| {
            bencher.iter(|| {
                let memory = Memory { lines: &mut lines, words: &mut words, pairs: &mut pairs };
                let mut training = SkipGram::new(settings, corpus, memory).expect("memory");
                while let Some(tasks) = training.next_round() {
                    tasks.for_each(Task::run);
                }
                training.words()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, pairs, epoch);
criterion_main!(benches);
