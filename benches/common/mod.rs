//! What the benches share: a case of several candidates and its line in the table, numbers on a cache line, and the limits of
//! processor and memory.

pub(crate) mod limits;
pub(crate) mod memory;

use core::hint::black_box;
use criterion::{Criterion, SamplingMode};
use nanoembed::simd::Level;
use std::time::{Duration, Instant};

const SAMPLES: usize = 10;

/// A level is slower than one below it, and marked, if it takes more than this many times as long.
const SLOWER: f64 = 1.1;

/// Numbers that start on a cache line.
pub(crate) struct Numbers {
    values: Vec<f32>,
    start: usize,
    length: usize,
}

impl Numbers {
    pub(crate) fn new(length: usize, number: impl FnMut() -> f32) -> Self {
        let mut values = vec![0.0; length + 16];
        let start = values.as_ptr().align_offset(64);
        values[start..start + length].fill_with(number);
        Self { values, start, length }
    }

    /// Numbers in −1..1, the same each time.
    pub(crate) fn any(length: usize) -> Self {
        let mut state = 1_u32;
        Self::new(length, || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
    }

    pub(crate) fn get(&self) -> &[f32] {
        &self.values[self.start..self.start + self.length]
    }

    pub(crate) fn get_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..self.start + self.length]
    }
}

/// Panics unless both hold the same bits.
pub(crate) fn assert_equal(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let equal = found.iter().zip(expected).all(|(x, y)| x.to_bits() == y.to_bits());
    assert!(equal, "{what}");
}

/// Whose work a call does.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    Reference,
    Naive,
    Kernel(Level),
    /// A loop that no kernel can be faster than, by its name in [`Limit::Loops`].
    Limit(&'static str),
}

/// What bounds a case.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// The slowest of these loops of the case.
    Loops(&'static [&'static str]),
    /// So many multiplications and as many additions.
    MultiplyAdds(usize),
    /// So many bytes read from the first cache.
    BytesRead(usize),
    None,
}

/// Seconds a call of several candidates, which took turns.
pub(crate) struct Times {
    /// One list a sample, in the order of the candidates.
    samples: Vec<Vec<f64>>,
}

impl Times {
    fn median(&self, number: impl Fn(&[f64]) -> f64) -> f64 {
        let mut numbers: Vec<f64> = self.samples.iter().map(|sample| number(sample)).collect();
        numbers.sort_by(f64::total_cmp);
        numbers[numbers.len() / 2]
    }

    /// Of a candidate.
    pub(crate) fn of(&self, candidate: usize) -> f64 {
        self.median(|sample| sample[candidate])
    }
}

/// What a part of the table is about.
struct Case {
    name: String,
    /// What a call does that many times: calls, rows, ids.
    items: usize,
    limit: Limit,
    times: Times,
}

/// Criterion, and the times of its cases.
pub(crate) struct Bench {
    criterion: Criterion,
    family: &'static str,
    cases: Vec<Case>,
}

impl Bench {
    /// Short runs: a family is done within a minute or so.
    pub(crate) fn new(family: &'static str) -> Self {
        let criterion = Criterion::default()
            .sample_size(SAMPLES)
            .warm_up_time(Duration::from_millis(50))
            .measurement_time(Duration::from_millis(100))
            .nresamples(2000)
            .configure_from_args();
        Self { criterion, family, cases: Vec::new() }
    }

    /// Times so many candidates. `call` is told which, and how many calls of that one came before. `None` if the case was left out, or
    /// only tested.
    ///
    /// Criterion sees the first candidate. In each of its samples the others are timed as well, for about as long, so that what
    /// disturbs the machine disturbs all, and ratios hold.
    pub(crate) fn compare(
        &mut self,
        name: &str,
        candidates: usize,
        mut call: impl FnMut(usize, usize),
    ) -> Option<Times> {
        let mut samples: Vec<Vec<f64>> = Vec::new();
        let mut before = vec![0; candidates];
        let mut turn = |candidate: usize, calls: usize| {
            // What the last candidate left in the caches is not this one's affair.
            call(candidate, before[candidate]);
            let start = Instant::now();
            for number in 1..=calls {
                call(candidate, before[candidate] + number);
            }
            before[candidate] += 1 + calls;
            start.elapsed()
        };
        let mut group = self.criterion.benchmark_group(self.family);
        // As many calls in each sample, so that samples are equals.
        group.sampling_mode(SamplingMode::Flat);
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|calls| {
                let first = turn(0, calls as usize);
                let mut sample = vec![first.as_secs_f64() / calls as f64];
                for candidate in 1..candidates {
                    let last = samples.last().map_or(f64::INFINITY, |sample| sample[candidate]);
                    let calls = ((first.as_secs_f64() / last) as usize).max(1);
                    sample.push(turn(candidate, calls).as_secs_f64() / calls as f64);
                }
                samples.push(sample);
                first
            });
        });
        group.finish();
        let warm_up = samples.len().checked_sub(SAMPLES)?;
        Some(Times { samples: samples.split_off(warm_up) })
    }

    /// Compares the bits of every level with the reference's, then times as [`time`](Self::time) does. `work` is told how many calls
    /// came before it and writes into the slice, which holds what the last call left.
    pub(crate) fn case(
        &mut self,
        name: &str,
        items: usize,
        limit: Limit,
        out: usize,
        mut work: impl FnMut(Who, usize, &mut [f32]),
    ) {
        let mut expected = Numbers::any(out);
        work(Who::Reference, 0, expected.get_mut());
        for level in Level::available() {
            let mut found = Numbers::any(out);
            work(Who::Kernel(level), 0, found.get_mut());
            assert_equal(found.get(), expected.get(), &format!("{name} at {}", level.name()));
        }
        drop(expected);
        let mut out = Numbers::any(out);
        self.time(name, items, limit, |who, before| work(who, before, black_box(out.get_mut())));
    }

    /// Times the levels, the best one first, the naive loop and the limits.
    pub(crate) fn time(&mut self, name: &str, items: usize, limit: Limit, mut work: impl FnMut(Who, usize)) {
        let levels = levels();
        let mut candidates: Vec<Who> = levels.iter().rev().map(|level| Who::Kernel(*level)).collect();
        candidates.push(Who::Naive);
        if let Limit::Loops(loops) = limit {
            candidates.extend(loops.iter().map(|name| Who::Limit(name)));
        }
        let of_processor = match limit {
            Limit::MultiplyAdds(_) | Limit::BytesRead(_) => levels.len(),
            Limit::Loops(_) | Limit::None => 0,
        };
        let numbers = limits::numbers();
        let times = self.compare(name, candidates.len() + of_processor, |candidate, before| {
            match (candidates.get(candidate), limit) {
                (Some(who), _) => work(*who, before),
                (None, Limit::MultiplyAdds(_)) => limits::multiply_add(levels[candidate - candidates.len()]),
                (None, _) => limits::read(levels[candidate - candidates.len()], &numbers),
            }
        });
        if let Some(times) = times {
            self.cases.push(Case { name: name.to_owned(), items, limit, times });
        }
    }

    /// Seconds a call of a case at the best level.
    pub(crate) fn best(&self, name: &str) -> Option<f64> {
        Some(self.cases.iter().find(|case| case.name == name)?.times.of(0))
    }

    /// One line a case and level: nanoseconds for one of its `items`, and speed in parts of others' (above 1: faster).
    pub(crate) fn print(&mut self, items: &str) {
        self.criterion.final_summary();
        if !self.cases.is_empty() {
            println!(
                "\n{:37} {:8} {:>10}  of naive  of limit  of levels below",
                "",
                "",
                format!("ns {items}")
            );
        }
        for case in &self.cases {
            for number in 0..levels().len() {
                case.print(number);
            }
        }
    }
}

impl Case {
    /// The line of a level, counted from the lowest.
    fn print(&self, number: usize) {
        let levels = levels();
        // The places of levels and naive loop in a sample; behind them stand the limits.
        let (place, naive) = (|number: usize| levels.len() - 1 - number, levels.len());
        let own = place(number);
        let limit = |sample: &[f64]| {
            let limits = &sample[naive + 1..];
            match self.limit {
                Limit::Loops(_) => limits.iter().copied().fold(0.0, f64::max),
                Limit::MultiplyAdds(count) => {
                    count as f64 / limits::multiply_adds(levels[number]) * limits[number]
                }
                Limit::BytesRead(count) => count as f64 / limits::READ_BYTES * limits[number],
                Limit::None => f64::NAN,
            }
        };
        let of = |other: &dyn Fn(&[f64]) -> f64| self.times.median(|sample| other(sample) / sample[own]);
        let below = of(&|sample| (0..number).map(|below| sample[place(below)]).fold(f64::NAN, f64::min));
        let shown = |ratio: f64| if ratio.is_nan() { "-".to_owned() } else { format!("{ratio:.2}") };
        println!(
            "{:37} {:8} {:10.1} {:>9} {:>9} {:>16}{}",
            self.name,
            levels[number].name(),
            self.times.of(own) * 1e9 / self.items as f64,
            shown(of(&|sample| sample[naive])),
            shown(of(&limit)),
            shown(below),
            if below * SLOWER < 1.0 { "  slower" } else { "" }
        );
    }
}

/// The levels of the processor, the lowest first.
fn levels() -> Vec<Level> {
    Level::available().collect()
}
