//! Bags of rows pooled into one row each, and the way back, at every level, beside the loop that one would write first and beside
//! memory.
//!
//! Tables of 10,000 to 1,000,000 rows of 64 floats (2.5 to 256 MB), and of 32 and 128 at 1,000,000; batches of 512 bags of 20
//! uniform ids. Each call takes the next of many batches, so that its rows are not in the cache from the call before unless the
//! whole table is. Before a kernel is timed, its bits are compared with `reference`.
//!
//! The limits are measured in the same run (`common/memory.rs`): *lines* of what reads rows, *touch* of what adds to them.
//!
//! Printed at the end, from medians: the time of an id, and its speed in parts of the naive loop's (above 1: faster), of the
//! limit's (1: as fast as memory), and of the best level below.

#[allow(dead_code)]
mod common;

use common::memory::Memory;
use common::{Bench, Limit, Numbers, Who};
use nanoembed::internals::{self, reference};
use nanoembed::simd::Level;
use nanoembed::table::{Bags, Indices, Pooling, Reject, TableMut};

const BAGS: usize = 512;
const BAG: usize = 20;
const IDS: usize = BAGS * BAG;
const LINES: Limit = Limit::Loops(&["lines"]);

/// Where the bags start and end, and weights of their ids.
struct Layout {
    offsets: Vec<u32>,
    weights: Numbers,
}

impl Layout {
    fn bags<'a>(&'a self, ids: &'a [u32], rows: usize, weighted: bool) -> Bags<'a, u32, Reject, u32> {
        let bags = Bags::new(Indices::new(ids, rows).unwrap(), &self.offsets).unwrap();
        if weighted { bags.with_weights(self.weights.get()).unwrap() } else { bags }
    }
}

/// The row that the id names.
fn row(table: &[f32], dim: usize, id: u32) -> &[f32] {
    &table[id as usize * dim..][..dim]
}

fn naive_pool(table: &[f32], dim: usize, ids: &[u32], divisor: Option<f32>, out: &mut [f32]) {
    for (out, ids) in out.chunks_exact_mut(dim).zip(ids.chunks_exact(BAG)) {
        out.fill(0.0);
        for &id in ids {
            out.iter_mut().zip(row(table, dim, id)).for_each(|(out, x)| *out += x);
        }
        if let Some(divisor) = divisor {
            for out in out {
                *out /= divisor;
            }
        }
    }
}

fn naive_weighted(table: &[f32], dim: usize, ids: &[u32], weights: &[f32], out: &mut [f32]) {
    let bags = ids.chunks_exact(BAG).zip(weights.chunks_exact(BAG));
    for (out, (ids, weights)) in out.chunks_exact_mut(dim).zip(bags) {
        out.fill(0.0);
        for (&id, weight) in ids.iter().zip(weights) {
            out.iter_mut().zip(row(table, dim, id)).for_each(|(out, x)| *out += weight * x);
        }
    }
}

fn naive_max(table: &[f32], dim: usize, ids: &[u32], out: &mut [f32], arg_max: &mut [u32]) {
    let outs = out.chunks_exact_mut(dim).zip(arg_max.chunks_exact_mut(dim));
    for (bag, ((out, arg_max), ids)) in outs.zip(ids.chunks_exact(BAG)).enumerate() {
        for (place, &id) in ids.iter().enumerate() {
            for ((out, arg_max), x) in out.iter_mut().zip(&mut *arg_max).zip(row(table, dim, id)) {
                if place == 0 || x > out {
                    (*out, *arg_max) = (*x, (bag * BAG + place) as u32);
                }
            }
        }
    }
}

fn naive_scatter_add(d_out: &[f32], dim: usize, ids: &[u32], table: &mut [f32]) {
    for (d, ids) in d_out.chunks_exact(dim).zip(ids.chunks_exact(BAG)) {
        for &id in ids {
            let row = &mut table[id as usize * dim..][..dim];
            row.iter_mut().zip(d).for_each(|(x, d)| *x += d);
        }
    }
}

fn naive_weight_gradients(table: &[f32], dim: usize, ids: &[u32], d_out: &[f32], d_weights: &mut [f32]) {
    let bags = d_weights.chunks_exact_mut(BAG).zip(ids.chunks_exact(BAG));
    for ((d_weights, ids), d) in bags.zip(d_out.chunks_exact(dim)) {
        for (d_weight, &id) in d_weights.iter_mut().zip(ids) {
            *d_weight = row(table, dim, id).iter().zip(d).map(|(x, d)| x * d).sum();
        }
    }
}

fn pool(bench: &mut Bench, memory: &Memory, layout: &Layout, pooling: Pooling, weighted: bool) {
    let name = match (pooling, weighted) {
        (Pooling::Sum, true) => "pool sum, weights".to_owned(),
        _ => format!("pool {pooling:?}").to_lowercase(),
    };
    #[allow(clippy::disallowed_methods, reason = "what we compare ourselves with")]
    let divisor = match pooling {
        Pooling::Mean => Some(BAG as f32),
        Pooling::SqrtN => Some((BAG as f32).sqrt()),
        _ => None,
    };
    let (table, dim) = (memory.table(), memory.dim);
    let length = BAGS * dim;
    bench.case(&memory.name(&name), IDS, LINES, length, |who, before, out| {
        let ids = memory.ids(before);
        let bags = layout.bags(ids, memory.rows, weighted);
        match who {
            Who::Reference => reference::pool(table, &bags, pooling, out),
            Who::Naive if weighted => {
                naive_weighted(memory.numbers(), dim, ids, layout.weights.get(), out);
            }
            Who::Naive => naive_pool(memory.numbers(), dim, ids, divisor, out),
            Who::Kernel(level) => internals::pool_at(level, table, &bags, pooling, out).unwrap(),
            Who::Limit(_) => memory.lines(before),
        }
    });
}

fn pool_max(bench: &mut Bench, memory: &Memory, layout: &Layout) {
    let (table, dim) = (memory.table(), memory.dim);
    let length = BAGS * dim;
    let (mut arg_max, mut expected) = (vec![0; length], vec![0; length]);
    let name = memory.name("pool max");
    bench.case(&name, IDS, LINES, length, |who, before, out| {
        let ids = memory.ids(before);
        let bags = layout.bags(ids, memory.rows, false);
        match who {
            Who::Reference => reference::pool_max(table, &bags, out, &mut expected),
            Who::Naive => naive_max(memory.numbers(), dim, ids, out, &mut arg_max),
            Who::Kernel(level) => {
                internals::pool_max_at(level, table, &bags, out, &mut arg_max).unwrap();
            }
            Who::Limit(_) => memory.lines(before),
        }
    });
    let (bags, mut out) = (layout.bags(memory.ids(0), memory.rows, false), vec![0.0; length]);
    for level in Level::available() {
        internals::pool_max_at(level, table, &bags, &mut out, &mut arg_max).unwrap();
        assert_eq!(arg_max, expected, "{name} at {}", level.name());
    }
}

fn scatter_add_bags(bench: &mut Bench, memory: &Memory, layout: &Layout) {
    let (rows, dim) = (memory.rows, memory.dim);
    let d_out = Numbers::any(BAGS * dim);
    let (name, limit) = (memory.name("scatter_add_bags"), Limit::Loops(&["touch"]));
    bench.case(&name, IDS, limit, rows * dim, |who, before, table| {
        let (d_out, ids) = (d_out.get(), memory.ids(before));
        let bags = layout.bags(ids, rows, false);
        let view = |table| TableMut::new(table, rows, dim).unwrap();
        match who {
            Who::Reference => reference::scatter_add_bags(d_out, &bags, Pooling::Sum, &mut view(table)),
            Who::Naive => naive_scatter_add(d_out, dim, ids, table),
            Who::Kernel(level) => {
                let mut table = view(table);
                internals::scatter_add_bags_at(level, d_out, &bags, Pooling::Sum, &mut table).unwrap();
            }
            Who::Limit(_) => memory.touch(before, table),
        }
    });
}

fn weight_gradients(bench: &mut Bench, memory: &Memory, layout: &Layout) {
    let (table, dim) = (memory.table(), memory.dim);
    let d_out = Numbers::any(BAGS * dim);
    let name = memory.name("weight_gradients");
    bench.case(&name, IDS, LINES, IDS, |who, before, d_weights| {
        let (d_out, ids) = (d_out.get(), memory.ids(before));
        let bags = layout.bags(ids, memory.rows, true);
        match who {
            Who::Reference => reference::weight_gradients(table, &bags, Pooling::Sum, d_out, d_weights),
            Who::Naive => naive_weight_gradients(memory.numbers(), dim, ids, d_out, d_weights),
            Who::Kernel(level) => {
                internals::weight_gradients_at(level, table, &bags, Pooling::Sum, d_out, d_weights).unwrap();
            }
            Who::Limit(_) => memory.lines(before),
        }
    });
}

fn main() {
    let mut bench = Bench::new("bags");
    let layout =
        Layout { offsets: (0..=BAGS).map(|bag| (bag * BAG) as u32).collect(), weights: Numbers::any(IDS) };
    for (rows, dim) in [(10_000, 64), (100_000, 64), (1_000_000, 32), (1_000_000, 64), (1_000_000, 128)] {
        let memory = Memory::new(rows, dim, IDS);
        pool(&mut bench, &memory, &layout, Pooling::Sum, false);
        scatter_add_bags(&mut bench, &memory, &layout);
        if dim != 64 {
            continue;
        }
        pool(&mut bench, &memory, &layout, Pooling::Sum, true);
        pool(&mut bench, &memory, &layout, Pooling::Mean, false);
        pool(&mut bench, &memory, &layout, Pooling::SqrtN, false);
        pool_max(&mut bench, &memory, &layout);
        weight_gradients(&mut bench, &memory, &layout);
    }
    bench.print("an id");
}
