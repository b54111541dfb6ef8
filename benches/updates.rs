//! A step of training on the rows of a table: bags pooled, the rows' gradients brought together, the rows updated.
//!
//! A table of 1,000,000 rows of 64 floats; a batch is 2048 bags of 20 ids, and twelve batches take turns. Ids are uniform or follow
//! Zipf's law with exponent 1.05. Before an optimizer is timed, the bits of what it pools and learns in a few steps on a small table are
//! compared with those of plain loops over the formulas of `reference`.
//!
//! - The *naive* step goes through the ids: it pools their rows, and then takes a step on the row of each. A row that occurs twice
//!   takes two. Of an exact form the naive step is the dense one: gradients are added into a matrix of the size of the table, and all
//!   rows take a step.
//! - The *limit* is the reading and writing of one number of every cache line of the distinct rows and of their slots, once, in
//!   ascending order. Rows have to be read for the pooling and again for the update; the limit lets them stay in a cache meanwhile.
//!
//! Printed at the end, from medians: the time of a step in parts of the number of ids, and its speed in parts of the naive step's (above
//! 1: faster), of the limit's, and of the best level below. Then two tables more:
//!
//! - *Exact Adam beside lazy Adam.* A row that comes back has missed about eleven steps, and a replayed step of a row is 64 divisions and
//!   64 square roots. The floor is the time of as many of both on rows in the cache: what the exact form cannot go below.
//! - *The cost of a step follows the touched rows*, not the table: lazy Adam on tables of 10,000 to 4,000,000 rows of 16 floats, beside the
//!   dense step. What rises is the time of memory, as the table leaves one cache after the other: see the limit.

#[allow(dead_code)]
mod common;

use common::memory::{batch, touch, uniform_ids, zipf_ids};
use common::{Bench, Limit, Numbers, Who, assert_equal};
use core::array::from_fn;
use core::hint::black_box;
use nanoembed::internals::{State, reference};
use nanoembed::kernels::pool;
use nanoembed::optim::{Adagrad, Adam, Exact, Optimizer, RowwiseAdagrad, Series, Sgd};
use nanoembed::simd::Level;
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient, UpdateRule};
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut};

const ROWS: usize = 1_000_000;
const DIM: usize = 64;
const BAGS: usize = 2048;
const BAG: usize = 20;
const IDS: usize = BAGS * BAG;
const BATCHES: usize = 12;

/// Rows of the tables on which the cost of a step is compared.
const TABLES: [usize; 4] = [10_000, 100_000, 1_000_000, 4_000_000];

/// Rows that stay in the cache, and steps that they missed.
const CACHED: usize = 128;
const REPLAYED: u32 = 11;

fn best() -> Level {
    Level::available().last().expect("the baseline")
}

/// The formula of step `number` on a row, from the defaults of an optimizer: weights, gradient, slots.
type Formula = fn(u32, &mut [f32], &[f32], &mut [f32]);

fn sgd(_: u32, weights: &mut [f32], gradient: &[f32], _: &mut [f32]) {
    for (w, g) in weights.iter_mut().zip(gradient) {
        reference::sgd(0.01, w, *g);
    }
}

fn adagrad(_: u32, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]) {
    for ((w, g), a) in weights.iter_mut().zip(gradient).zip(slots) {
        reference::adagrad(0.001, [0.1 + 1e-7, 0.0], w, *g, g * g, a);
    }
}

fn rowwise_adagrad(_: u32, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]) {
    reference::rowwise_adagrad(0.01, [0.0, 1e-8], weights, gradient, &mut slots[0]);
}

fn adam(number: u32, weights: &mut [f32], gradient: &[f32], slots: &mut [f32]) {
    let (m, v) = slots.split_at_mut(weights.len());
    for ((w, g), (m, v)) in weights.iter_mut().zip(gradient).zip(m.iter_mut().zip(v)) {
        reference::adam([0.001, 0.9, 0.999, 1e-7], number, w, *g, g * g, m, v);
    }
}

/// A step on a row as one would write it, whose loop over the columns the compiler may vectorise.
fn naive_row<const N: usize, R: UpdateRule<State = [f32; N]>>(
    rule: R,
    weights: &mut [f32],
    gradient: &[f32],
    slots: &mut [f32],
) where
    [f32; N]: State,
{
    let dim = weights.len();
    let (slots, of_row) = slots.split_at_mut(N * dim);
    let rule = if R::ROW_STATE > 0 {
        rule.of_row(gradient.iter().map(|g| g * g).sum::<f32>() / dim as f32, of_row)
    } else {
        rule
    };
    let mut slots = slots.chunks_exact_mut(dim);
    let mut slots: [&mut [f32]; N] = from_fn(|_| slots.next().unwrap());
    let gradient = &gradient[..dim];
    for column in 0..dim {
        let g = gradient[column];
        let mut state = from_fn(|slot| slots[slot][column]);
        weights[column] = rule.apply(weights[column], g, g * g, &mut state);
        for (slot, state) in slots.iter_mut().zip(state) {
            slot[column] = state;
        }
    }
}

/// The sizes of a training.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    dim: usize,
    bags: usize,
}

/// What a step works on.
struct Training<O> {
    optimizer: O,
    shape: Shape,
    /// One gradient a bag.
    gradients: Numbers,
    weights: Numbers,
    slots: Numbers,
    slots_dim: usize,
    last_steps: Vec<u32>,
    step: u32,
    occurrences: Vec<Occurrence>,
    scratch: Vec<Occurrence>,
    sum: Vec<f32>,
    pooled: Vec<f32>,
    /// The gradients of all rows, for the dense step; or nothing, and the naive step is not dense.
    d_rows: Vec<f32>,
}

impl<const N: usize, O: Optimizer> Training<O>
where
    O::Rule: UpdateRule<State = [f32; N]>,
    [f32; N]: State,
{
    fn new(optimizer: O, shape: Shape, dense: bool) -> Self {
        let Shape { rows, dim, bags } = shape;
        let slots_dim = O::Rule::slots(dim);
        Self {
            optimizer,
            shape,
            gradients: Numbers::any(bags * dim),
            weights: Numbers::any(rows * dim),
            slots: Numbers::new(rows * slots_dim, || 0.0),
            slots_dim,
            last_steps: vec![0; rows],
            step: 0,
            occurrences: vec![Occurrence::default(); bags * BAG],
            scratch: vec![Occurrence::default(); bags * BAG],
            sum: vec![0.0; 2 * dim],
            pooled: vec![0.0; bags * dim],
            d_rows: vec![0.0; if dense { rows * dim } else { 0 }],
        }
    }

    fn fused_step(&mut self, ids: &[u32]) {
        let Shape { rows, dim, bags } = self.shape;
        let mut table = TableMut::new(self.weights.get_mut(), rows, dim).unwrap();
        let mut slots = TableMut::new(self.slots.get_mut(), rows, self.slots_dim).unwrap();
        let bags = Bags::fixed(Indices::new(ids, rows).unwrap(), bags, BAG).unwrap();
        let read = ids.iter().map(|id| *id as usize);
        self.optimizer.catch_up(self.step - 1, read, &mut table, &mut slots, &mut self.last_steps).unwrap();
        pool(table.as_table(), &bags, Pooling::Sum, &mut self.pooled).unwrap();
        black_box(&mut self.pooled);

        let occurrences = bags.occurrences(&mut self.occurrences).unwrap();
        let mut touched = SparseGradient {
            occurrences: SortedOccurrences::sort(occurrences, &mut self.scratch).unwrap(),
            gradients: Table::new(self.gradients.get(), bags.len(), dim).unwrap(),
            scratch: &mut self.sum,
        };
        let step = self.optimizer.step(self.step);
        self.optimizer.update_rows(step, &mut table, &mut slots, &mut self.last_steps, &mut touched).unwrap();
    }

    fn naive_step(&mut self, ids: &[u32]) {
        let (dim, rule, dense) = (self.shape.dim, self.optimizer.rule(self.step), !self.d_rows.is_empty());
        let (weights, slots) = (self.weights.get_mut(), self.slots.get_mut());
        for (pooled, ids) in self.pooled.chunks_exact_mut(dim).zip(ids.chunks_exact(BAG)) {
            pooled.fill(0.0);
            for &id in ids {
                let row = &weights[id as usize * dim..][..dim];
                pooled.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        }
        black_box(&mut self.pooled);

        for (gradient, ids) in self.gradients.get().chunks_exact(dim).zip(ids.chunks_exact(BAG)) {
            for row in ids.iter().map(|id| *id as usize) {
                if dense {
                    let d_row = &mut self.d_rows[row * dim..][..dim];
                    d_row.iter_mut().zip(gradient).for_each(|(d, g)| *d += g);
                } else {
                    let slots = &mut slots[row * self.slots_dim..][..self.slots_dim];
                    naive_row(rule, &mut weights[row * dim..][..dim], gradient, slots);
                }
            }
        }
        let rows = weights.chunks_exact_mut(dim).zip(slots.chunks_exact_mut(self.slots_dim.max(1)));
        for ((weights, slots), d_row) in rows.zip(self.d_rows.chunks_exact_mut(dim)) {
            naive_row(rule, weights, d_row, slots);
            d_row.fill(0.0);
        }
    }

    /// `formula` on each row that occurs, in a dense step on all.
    fn reference_step(&mut self, ids: &[u32], formula: Formula) {
        let Shape { rows, dim, bags } = self.shape;
        let bags = Bags::fixed(Indices::new(ids, rows).unwrap(), bags, BAG).unwrap();
        let table = Table::new(self.weights.get(), rows, dim).unwrap();
        reference::pool(table, &bags, Pooling::Sum, &mut self.pooled);
        for row in 0..rows {
            let of_row = ids.iter().zip(0..).filter(|(id, _)| **id as usize == row);
            let mut of_row =
                of_row.map(|(_, place): (_, usize)| &self.gradients.get()[place / BAG * dim..][..dim]);
            let mut sum = match of_row.next() {
                Some(gradient) => gradient.to_vec(),
                None if self.d_rows.is_empty() => continue,
                None => vec![0.0; dim],
            };
            for gradient in of_row {
                sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
            }
            let slots = &mut self.slots.get_mut()[row * self.slots_dim..][..self.slots_dim];
            formula(self.step, &mut self.weights.get_mut()[row * dim..][..dim], &sum, slots);
        }
    }

    /// Exact forms: all rows, to where the dense form has them.
    fn flush(&mut self) {
        let Shape { rows, dim, .. } = self.shape;
        let mut table = TableMut::new(self.weights.get_mut(), rows, dim).unwrap();
        let mut slots = TableMut::new(self.slots.get_mut(), rows, self.slots_dim).unwrap();
        self.optimizer.catch_up(self.step, 0..rows, &mut table, &mut slots, &mut self.last_steps).unwrap();
    }

    fn step(&mut self, who: Who, ids: &[u32], formula: Formula) {
        self.step += 1;
        match who {
            Who::Reference => self.reference_step(ids, formula),
            Who::Naive => self.naive_step(ids),
            Who::Kernel(level) => {
                level.set_current();
                self.fused_step(ids);
            }
            Who::Limit(_) => {}
        }
    }

    /// The lines of the rows and of their slots, once.
    fn touch(&mut self, rows: &[u32]) {
        touch(self.weights.get_mut(), self.shape.dim, rows);
        if self.slots_dim > 0 {
            touch(self.slots.get_mut(), self.slots_dim, rows);
        }
    }
}

/// The distinct ids of each batch, ascending.
fn distinct(ids: &[u32]) -> Vec<Vec<u32>> {
    let distinct = ids.chunks_exact(IDS).map(|ids| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        ids
    });
    distinct.collect()
}

/// How far the weights of [`Series`] may be from the formula's after a few steps of 0.001.
fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-6 * (1.0 + expected.abs()), "{what}: {found} for {expected}");
    }
}

/// What is pooled and learnt in a few steps, against the formula. With rows of two blocks of columns and a ragged end.
fn check<const N: usize, O: Optimizer + Copy>(optimizer: O, formula: Formula, dense: bool, name: &str)
where
    O::Rule: UpdateRule<State = [f32; N]>,
    [f32; N]: State,
{
    let agree = if O::LOOKS_COUNT { assert_close } else { assert_equal };
    let shape = Shape { rows: 300, dim: 83, bags: 8 };
    let ids = uniform_ids(shape.bags * BAG * 5, shape.rows);
    for level in Level::available() {
        let (mut expected, mut found) =
            (Training::new(optimizer, shape, dense), Training::new(optimizer, shape, dense));
        for ids in ids.chunks_exact(shape.bags * BAG) {
            expected.step(Who::Reference, ids, formula);
            found.step(Who::Kernel(level), ids, formula);
            agree(&found.pooled, &expected.pooled, &format!("{name} at {}: pooled", level.name()));
        }
        found.flush();
        let what = format!("{name} at {}: weights", level.name());
        agree(found.weights.get(), expected.weights.get(), &what);
    }
}

/// Times the steps of an optimizer, and its limit. `dense`: the naive step is.
fn steps<const N: usize, O: Optimizer + Copy>(
    bench: &mut Bench,
    name: &str,
    (optimizer, formula): (O, Formula),
    ids: &[u32],
    dense: bool,
) where
    O::Rule: UpdateRule<State = [f32; N]>,
    [f32; N]: State,
{
    check(optimizer, formula, dense, name);
    let shape = Shape { rows: ROWS, dim: DIM, bags: BAGS };
    // The naive steps have a table of their own: in an exact form, rows would not miss the steps that the naive loop takes.
    let (mut training, mut naive) =
        (Training::new(optimizer, shape, false), Training::new(optimizer, shape, dense));
    // From here on every row that occurs has a gradient behind it.
    for number in 0..BATCHES {
        training.step(Who::Kernel(best()), batch(ids, IDS, number), formula);
    }
    let distinct = distinct(ids);
    bench.time(name, IDS, Limit::Loops(&["touch"]), |who, before| match who {
        Who::Kernel(_) => {
            let ids = batch(ids, IDS, training.step as usize);
            training.step(who, ids, formula);
        }
        Who::Limit(_) => naive.touch(&distinct[before % BATCHES]),
        _ => naive.step(who, batch(ids, IDS, before), formula),
    });
}

/// Nanoseconds of Adam on a row in the cache: a step given its gradient, one of eleven that are replayed, and the sum of eleven.
fn cached_rows(bench: &mut Bench) -> Option<[f64; 3]> {
    let adam = Adam::default();
    let (mut weights, mut slots) = (vec![[0.5; DIM]; CACHED], vec![[0.01; 2 * DIM]; CACHED]);
    let (step, mut last_steps) = (adam.step(7), [0; CACHED]);
    let times = bench.compare("adam, cached rows", 3, |candidate, _| {
        if candidate == 0 {
            for (weights, slots) in weights.iter_mut().zip(&mut slots) {
                adam.update_block(step, weights, &[1e-3; DIM], slots).unwrap();
            }
            return;
        }
        // Moments that still move the weights.
        slots.as_flattened_mut().fill(0.01);
        last_steps.fill(20);
        let (mut table, mut slots) = (TableMut::from_rows(&mut weights), TableMut::from_rows(&mut slots));
        let (until, last_steps) = (20 + REPLAYED, &mut last_steps);
        let done = if candidate == 1 {
            Exact(adam).catch_up(until, 0..CACHED, &mut table, &mut slots, last_steps)
        } else {
            Series(adam).catch_up(until, 0..CACHED, &mut table, &mut slots, last_steps)
        };
        done.unwrap();
    })?;
    let row = 1e9 / CACHED as f64;
    Some([times.of(0) * row, times.of(1) * row / f64::from(REPLAYED), times.of(2) * row])
}

/// Milliseconds of a lazy step of Adam on a table of so many rows of 16 floats, of its limit, and of a dense step.
fn steps_of_table(bench: &mut Bench, rows: usize) -> Option<[f64; 3]> {
    let (ids, shape) = (uniform_ids(IDS * BATCHES, rows), Shape { rows, dim: 16, bags: BAGS });
    let distinct = distinct(&ids);
    let mut training = Training::new(Adam::default(), shape, true);
    let times = bench.compare(&format!("adam, {rows} rows"), 3, |candidate, before| match candidate {
        0 => training.step(Who::Kernel(best()), batch(&ids, IDS, before), adam),
        1 => training.touch(&distinct[before % BATCHES]),
        _ => training.step(Who::Naive, batch(&ids, IDS, before), adam),
    })?;
    Some([0, 1, 2].map(|candidate| times.of(candidate) * 1e3))
}

/// Milliseconds of a step of Adam: lazy, exact and by sums, in turn, at each level from the best down.
fn forms(bench: &mut Bench, distribution: &str, ids: &[u32]) -> Option<Vec<[f64; 3]>> {
    let shape = Shape { rows: ROWS, dim: DIM, bags: BAGS };
    let mut lazy = Training::new(Adam::default(), shape, false);
    let mut exact = Training::new(Exact(Adam::default()), shape, false);
    let mut series = Training::new(Series(Adam::default()), shape, false);
    // From here on every row that occurs has a gradient behind it.
    for _ in 0..BATCHES {
        exact.step(Who::Kernel(best()), batch(ids, IDS, exact.step as usize), adam);
        series.step(Who::Kernel(best()), batch(ids, IDS, series.step as usize), adam);
    }
    let levels: Vec<Level> = Level::available().collect();
    let times =
        bench.compare(&format!("adam, all forms, {distribution}"), 3 * levels.len(), |candidate, _| {
            let who = Who::Kernel(levels[levels.len() - 1 - candidate / 3]);
            // The batches take turns in each form, so that a row misses eleven steps.
            let next = |step: u32| batch(ids, IDS, step as usize);
            match candidate % 3 {
                0 => lazy.step(who, next(lazy.step), adam),
                1 => exact.step(who, next(exact.step), adam),
                _ => series.step(who, next(series.step), adam),
            }
        })?;
    Some((0..levels.len()).map(|level| [0, 1, 2].map(|form| times.of(3 * level + form) * 1e3)).collect())
}

fn print_forms(distribution: &str, ids: &[u32], times: &[[f64; 3]]) {
    let rows = distinct(ids)[0].len();
    let levels: Vec<Level> = Level::available().collect();
    for (level, [lazy, exact, series]) in levels.iter().rev().zip(times) {
        println!(
            "{distribution:8} {:8} {rows} distinct rows of {IDS} ids: lazy {lazy:.2} ms, exact {exact:.2} ms, {:.2} times; by sums {series:.2} ms, {:.2} times",
            level.name(),
            exact / lazy,
            series / lazy,
        );
    }
}

fn main() {
    let mut bench = Bench::new("updates");
    let (uniform, zipf) = (uniform_ids(IDS * BATCHES, ROWS), zipf_ids(IDS * BATCHES, ROWS));
    steps(&mut bench, "sgd uniform", (Sgd::default(), sgd as Formula), &uniform, false);
    steps(&mut bench, "adagrad uniform", (Adagrad::default(), adagrad), &uniform, false);
    let rowwise: Formula = rowwise_adagrad;
    steps(&mut bench, "rowwise adagrad uniform", (RowwiseAdagrad::default(), rowwise), &uniform, false);
    for (ids, distribution) in [(&uniform, "uniform"), (&zipf, "zipf")] {
        let [lazy, exact, series] =
            ["adam", "adam exact", "adam series"].map(|name| format!("{name} {distribution}"));
        steps(&mut bench, &lazy, (Adam::default(), adam), ids, false);
        steps(&mut bench, &exact, (Exact(Adam::default()), adam), ids, true);
        steps(&mut bench, &series, (Series(Adam::default()), adam), ids, true);
    }
    let by_form =
        [("uniform", &uniform), ("zipf", &zipf)].map(|(name, ids)| (name, ids, forms(&mut bench, name, ids)));
    let cached = cached_rows(&mut bench);
    let tables = TABLES.map(|rows| steps_of_table(&mut bench, rows));

    bench.print("an id");
    if let Some([step, replayed, summed]) = cached {
        println!("\nexact Adam beside lazy Adam, {}", best().name());
        println!(
            "a step of a cached row {step:.1} ns, replayed {replayed:.1} ns; the sum of {REPLAYED} {summed:.1} ns"
        );
    }
    for (distribution, ids, times) in by_form {
        if let Some(times) = times {
            print_forms(distribution, ids, &times);
        }
    }
    if tables.iter().any(Option::is_some) {
        println!("\n     rows  touched rows  ms a step  ns a touched row  ms of limit  ms a dense step");
    }
    for (rows, times) in TABLES.into_iter().zip(tables) {
        let Some([step, limit, dense]) = times else { continue };
        let touched = distinct(&uniform_ids(IDS, rows))[0].len();
        let of_row = step * 1e6 / touched as f64;
        println!("{rows:>9} {touched:>13} {step:>10.2} {of_row:>17.0} {limit:>12.2} {dense:>16.2}");
    }
}
