//! What the benches share: a case of several candidates and its line in the table, numbers on a cache line, and the limits of
//! processor and memory.

pub(crate) mod limits;
pub(crate) mod memory;

use core::hint::black_box;
use criterion::{Criterion, SamplingMode};
use nanoembed::simd::Level;
use std::collections::BTreeMap;
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
}

/// What bounds a case.
pub(crate) enum Limit {
    /// The slowest of these loops, each measured by [`Bench::measure`] under this name and candidate.
    Slowest(String, &'static [&'static str]),
    /// So many multiplications and as many additions.
    MultiplyAdds(usize),
    /// So many bytes read from the first cache.
    BytesRead(usize),
    None,
}

/// What one line of the table is about.
struct Case {
    name: String,
    /// What a call does that many times: calls, rows, ids.
    items: usize,
    limit: Limit,
}

/// Criterion, with its times by name of case and candidate.
pub(crate) struct Bench {
    criterion: Criterion,
    /// Seconds a call: first those of the warm-up, then those of the samples.
    times: BTreeMap<String, Vec<f64>>,
    cases: Vec<Case>,
}

impl Bench {
    /// Short runs: a family is done within a minute or so.
    pub(crate) fn new() -> Self {
        let criterion = Criterion::default()
            .sample_size(SAMPLES)
            .warm_up_time(Duration::from_millis(50))
            .measurement_time(Duration::from_millis(150))
            .nresamples(1000)
            .configure_from_args();
        Self { criterion, times: BTreeMap::new(), cases: Vec::new() }
    }

    /// Times `call`, which is told how many calls came before it.
    pub(crate) fn measure(&mut self, name: &str, candidate: &str, mut call: impl FnMut(usize)) {
        let times = self.times.entry(format!("{name}/{candidate}")).or_default();
        let mut before = 0;
        let mut group = self.criterion.benchmark_group(name);
        // As many calls in each sample, so that the fastest sample is one of equals.
        group.sampling_mode(SamplingMode::Flat);
        group.bench_function(candidate, |bencher| {
            bencher.iter_custom(|calls| {
                let start = Instant::now();
                for _ in 0..calls {
                    call(before);
                    before += 1;
                }
                let time = start.elapsed();
                times.push(time.as_secs_f64() / calls as f64);
                time
            });
        });
        group.finish();
    }

    /// The fastest of the samples in seconds a call; `None` if the case was not run, or only tested. Candidates are timed one after the
    /// other, and other work of the machine, which only adds to a time, would show in their ratios.
    pub(crate) fn time_of(&self, name: &str, candidate: &str) -> Option<f64> {
        let samples = self.times.get(&format!("{name}/{candidate}"))?.last_chunk::<SAMPLES>()?;
        samples.iter().copied().reduce(f64::min)
    }

    /// Compares the bits of every level with the reference's, then times the levels and the naive loop. `work` is told how many
    /// calls came before it and writes into the slice, which holds what the last call left.
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

    /// Times the levels and the naive loop.
    pub(crate) fn time(&mut self, name: &str, items: usize, limit: Limit, mut work: impl FnMut(Who, usize)) {
        for level in Level::available() {
            self.measure(name, level.name(), |before| work(Who::Kernel(level), before));
        }
        self.measure(name, "naive", |before| work(Who::Naive, before));
        self.cases.push(Case { name: name.to_owned(), items, limit });
    }

    /// The least seconds that a call can take.
    fn limit(&self, limit: &Limit, level: Level) -> Option<f64> {
        match limit {
            Limit::Slowest(name, loops) => {
                let times = loops.iter().map(|candidate| self.time_of(name, candidate));
                times.reduce(|slowest, time| Some(slowest?.max(time?)))?
            }
            Limit::MultiplyAdds(count) => Some(*count as f64 / limits::multiply_adds(self, level)?),
            Limit::BytesRead(count) => Some(*count as f64 / limits::read(self, level)?),
            Limit::None => None,
        }
    }

    /// Whether there are times, which there are not after a mere test.
    pub(crate) fn has_times(&self) -> bool {
        self.times.values().any(|times| times.len() >= SAMPLES)
    }

    /// One line a case and level: nanoseconds for one of its `items`, and speed in parts of others' (above 1: faster).
    pub(crate) fn print(&mut self, items: &str) {
        self.criterion.final_summary();
        if !self.has_times() {
            return;
        }
        println!("\n{:36} {:8} {:>12}  of naive  of limit  of levels below", "", "", format!("ns {items}"));
        for case in &self.cases {
            let naive = self.time_of(&case.name, "naive");
            let mut below: Option<f64> = None;
            for level in Level::available() {
                let Some(time) = self.time_of(&case.name, level.name()) else { continue };
                let ratio =
                    |other: Option<f64>| other.map_or("-".to_owned(), |other| format!("{:.2}", other / time));
                let slower = below.is_some_and(|below| time > below * SLOWER);
                println!(
                    "{:36} {:8} {:12.1} {:>9} {:>9} {:>16}{}",
                    case.name,
                    level.name(),
                    time * 1e9 / case.items as f64,
                    ratio(naive),
                    ratio(self.limit(&case.limit, level)),
                    ratio(below),
                    if slower { "  slower" } else { "" }
                );
                below = Some(below.map_or(time, |best| best.min(time)));
            }
        }
    }
}
