//! Tables of many rows, ids that miss the caches, and what no walk over the rows can exceed.
//!
//! - *lines*: reading one number of every cache line of the rows, in the order of the ids. Nothing waits for such a read, so the
//!   processor has as many of them under way as it can; a row asked for ahead of its use comes no sooner.
//! - *copy*: copying as many bytes from consecutive to consecutive addresses, which costs the writing and the cheapest reading.
//! - *touch*: reading and writing one number of every cache line of the rows. To read some rows ahead of the writing, or to ask for them
//!   ahead as the kernels do, is slower: nothing waits here either.
//!
//! They say nothing about arithmetic. In a table that fits the caches a kernel is bound by its loads instead, one to four of a line
//! where these loops have one.

use super::Numbers;
use core::hint::black_box;
use nanoembed::table::Table;

/// Floats in a cache line.
const LINE: usize = 16;

/// All ids that a case takes in turn. Their rows together are larger than the caches, if the table is.
const IDS: usize = 409_600;

/// Numbers in 0..1 that no prefetcher guesses.
pub(crate) fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

pub(crate) fn uniform_ids(count: usize, rows: usize) -> Vec<u32> {
    let mut state = 1;
    (0..count).map(|_| (random(&mut state) * rows as f64) as u32).collect()
}

/// Rank r with probability in proportion to r^-1.05, ranks scattered over the table.
pub(crate) fn zipf_ids(count: usize, rows: usize) -> Vec<u32> {
    let mut state = 2;
    let mut total = 0.0;
    let sums: Vec<f64> = (1..=rows)
        .map(|rank| {
            total += (rank as f64).powf(-1.05);
            total
        })
        .collect();
    let rank = |state: &mut u64| {
        let drawn = random(state) * total;
        sums.partition_point(|sum| *sum < drawn)
    };
    (0..count).map(|_| (rank(&mut state) * 611_953 % rows) as u32).collect()
}

/// The batches of `length` ids in turn.
pub(crate) fn batch(ids: &[u32], length: usize, before: usize) -> &[u32] {
    &ids[before % (ids.len() / length) * length..][..length]
}

/// Calls `$loop::<DIM>`: what the loop does for a line must be few instructions, so that as many lines as possible are under way.
macro_rules! with_dim {
    ($dim:expr, $loop:ident($($argument:expr),*)) => {
        match $dim {
            1 => $loop::<1>($($argument),*),
            16 => $loop::<16>($($argument),*),
            32 => $loop::<32>($($argument),*),
            64 => $loop::<64>($($argument),*),
            128 => $loop::<128>($($argument),*),
            other => panic!("no loop for rows of {other} numbers"),
        }
    };
}

pub(crate) fn lines(values: &[f32], dim: usize, ids: &[u32]) -> u32 {
    with_dim!(dim, lines_of(values, ids))
}

fn lines_of<const DIM: usize>(values: &[f32], ids: &[u32]) -> u32 {
    let (rows, _) = values.as_chunks::<DIM>();
    let mut all = 0;
    for &id in ids {
        for line in rows[id as usize].chunks(LINE) {
            all |= line[0].to_bits();
        }
    }
    all
}

pub(crate) fn touch(values: &mut [f32], dim: usize, ids: &[u32]) {
    with_dim!(dim, touch_of(values, ids));
}

fn touch_of<const DIM: usize>(values: &mut [f32], ids: &[u32]) {
    let (rows, _) = values.as_chunks_mut::<DIM>();
    for &id in ids {
        for line in rows[id as usize].chunks_mut(LINE) {
            line[0] += 1.0;
        }
    }
}

/// A table and uniform ids into it.
pub(crate) struct Memory {
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    numbers: Numbers,
    ids: Vec<u32>,
    /// Ids that a call works on.
    pub(crate) batch: usize,
}

impl Memory {
    pub(crate) fn new(rows: usize, dim: usize, batch: usize) -> Self {
        let ids = uniform_ids(IDS.max(batch), rows);
        Self { rows, dim, numbers: Numbers::any(rows * dim), ids, batch }
    }

    /// `"gather 4096 of 10000x64"`.
    pub(crate) fn name(&self, kernel: &str) -> String {
        format!("{kernel} {} of {}x{}", self.batch, self.rows, self.dim)
    }

    pub(crate) fn table(&self) -> Table<'_> {
        Table::new(self.numbers.get(), self.rows, self.dim).expect("rows * dim numbers")
    }

    pub(crate) fn numbers(&self) -> &[f32] {
        self.numbers.get()
    }

    /// The ids of a call: not those of the call before.
    pub(crate) fn ids(&self, before: usize) -> &[u32] {
        batch(&self.ids, self.batch, before)
    }

    pub(crate) fn lines(&self, before: usize) {
        black_box(lines(self.numbers.get(), self.dim, self.ids(before)));
    }

    /// Copies as many bytes as `out` holds.
    pub(crate) fn copy(&self, before: usize, out: &mut [f32]) {
        // More rows than the table has are copied in parts.
        for out in out.chunks_mut(self.rows * self.dim) {
            let from = before * out.len() % (self.rows * self.dim - out.len() + 1);
            out.copy_from_slice(&self.numbers.get()[from..][..out.len()]);
        }
    }

    /// Touches the rows of `table`, which is of the same shape.
    pub(crate) fn touch(&self, before: usize, table: &mut [f32]) {
        touch(table, self.dim, self.ids(before));
    }
}
