//! What the benches share: numbers on a cache line, times by name, and the limits of the processor.

pub(crate) mod limits;

use criterion::Criterion;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

pub(crate) const SAMPLES: usize = 10;

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

/// Seconds a call, of each case: first those of the warm-up, then those of the samples.
#[derive(Default)]
pub(crate) struct Times(RefCell<BTreeMap<String, Vec<f64>>>);

impl Times {
    pub(crate) fn measure(&self, criterion: &mut Criterion, name: &str, mut call: impl FnMut()) {
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|calls| {
                let start = Instant::now();
                for _ in 0..calls {
                    call();
                }
                let time = start.elapsed();
                let mut times = self.0.borrow_mut();
                times.entry(name.to_owned()).or_default().push(time.as_secs_f64() / calls as f64);
                time
            });
        });
    }

    /// The median of the samples; `None` if the case was not run.
    pub(crate) fn median(&self, name: &str) -> Option<f64> {
        let times = self.0.borrow();
        let mut samples: Vec<f64> = times.get(name)?.iter().rev().take(SAMPLES).copied().collect();
        samples.sort_by(f64::total_cmp);
        samples.get(samples.len() / 2).copied()
    }
}
