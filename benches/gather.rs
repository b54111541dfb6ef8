//! Rows out of a table and back into one, at every level, beside the loop that one would write first and beside memory.
//!
//! Tables of 10,000 to 1,000,000 rows of 64 floats (2.5 to 256 MB), and of 32 and 128 at 1,000,000; batches of 4096 uniform
//! ids, and for `gather_stream`, which is made for outputs larger than the caches, of 131,072, with `gather` beside it. Each call takes
//! the next of many batches, so that its rows are not in the cache from the call before unless the whole table is. Before a kernel is
//! timed, its bits are compared with `reference`.
//!
//! The limits are measured in the same run (`common/memory.rs`): of gather the larger of *lines* and *copy*, of `scatter_add`
//! *touch*.
//!
//! Printed at the end, from medians: the time of a row, and its speed in parts of the naive loop's (above 1: faster), of the
//! limit's (1: as fast as memory), and of the best level below.

#[allow(dead_code)]
mod common;

use common::memory::Memory;
use common::{Bench, Limit, Numbers, Who};
use nanoembed::error::ShapeMismatch;
use nanoembed::internals::{self, reference};
use nanoembed::simd::Level;
use nanoembed::table::{Indices, Table, TableMut};

fn naive_gather(table: &[f32], dim: usize, ids: &[u32], out: &mut [f32]) {
    for (out, &id) in out.chunks_exact_mut(dim).zip(ids) {
        out.copy_from_slice(&table[id as usize * dim..][..dim]);
    }
}

fn naive_scatter_add(gradients: &[f32], dim: usize, ids: &[u32], table: &mut [f32]) {
    for (gradient, &id) in gradients.chunks_exact(dim).zip(ids) {
        for (x, gradient) in table[id as usize * dim..][..dim].iter_mut().zip(gradient) {
            *x += gradient;
        }
    }
}

type GatherAt = fn(Level, Table<'_>, Indices<'_, u32>, &mut [f32]) -> Result<(), ShapeMismatch>;

fn gather(bench: &mut Bench, memory: &Memory, name: &str, kernel_at: GatherAt) {
    let limit = Limit::Loops(&["lines", "copy"]);
    let length = memory.batch * memory.dim;
    bench.case(&memory.name(name), memory.batch, limit, length, |who, before, out| {
        let ids = memory.ids(before);
        let indices = Indices::new(ids, memory.rows).unwrap();
        match who {
            Who::Reference => reference::gather(memory.table(), indices, out),
            Who::Naive => naive_gather(memory.numbers(), memory.dim, ids, out),
            Who::Kernel(level) => kernel_at(level, memory.table(), indices, out).unwrap(),
            Who::Limit("copy") => memory.copy(before, out),
            Who::Limit(_) => memory.lines(before),
        }
    });
}

fn scatter_add(bench: &mut Bench, memory: &Memory) {
    let limit = Limit::Loops(&["touch"]);
    let gradients = Numbers::any(memory.batch * memory.dim);
    let length = memory.rows * memory.dim;
    bench.case(&memory.name("scatter_add"), memory.batch, limit, length, |who, before, table| {
        let (gradients, ids) = (gradients.get(), memory.ids(before));
        let indices = Indices::new(ids, memory.rows).unwrap();
        let view = |table| TableMut::new(table, memory.rows, memory.dim).unwrap();
        match who {
            Who::Reference => reference::scatter_add(gradients, indices, &mut view(table)),
            Who::Naive => naive_scatter_add(gradients, memory.dim, ids, table),
            Who::Kernel(level) => {
                internals::scatter_add_at(level, gradients, indices, &mut view(table)).unwrap();
            }
            Who::Limit(_) => memory.touch(before, table),
        }
    });
}

fn main() {
    let mut bench = Bench::new("gather");
    for (rows, dim) in [(10_000, 64), (100_000, 64), (1_000_000, 32), (1_000_000, 64), (1_000_000, 128)] {
        let memory = Memory::new(rows, dim, 4096);
        gather(&mut bench, &memory, "gather", internals::gather_at);
        scatter_add(&mut bench, &memory);
    }
    let memory = Memory::new(1_000_000, 64, 131_072);
    gather(&mut bench, &memory, "gather", internals::gather_at);
    gather(&mut bench, &memory, "gather_stream", internals::gather_stream_at);
    bench.print("a row");
}
