//! Embeddings of ids of any size: a hash names several rows of a small table, whose sum it is.

use crate::kernels::shaped::pool;
use crate::table::{Bags, Indices, Pooling, Table};

/// Rows that a hash of 128 bits can name.
pub(crate) const WORDS: usize = 4;

/// How ids name rows.
#[derive(Clone, Copy)]
pub(crate) struct Hashing {
    /// Rows of the table.
    pub(crate) rows: usize,
    /// Rows an id, at most [`WORDS`].
    pub(crate) hashes: usize,
    pub(crate) seed: u32,
}

/// The finaliser of `MurmurHash3` x64 128.
fn finish(mut h: u64) -> u64 {
    h = (h ^ h >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ h >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ h >> 33
}

/// The hash of a 64-bit id as four words: `MurmurHash3_x86_128_uint64` of thinc.
fn hash(id: u64, seed: u32) -> [u32; WORDS] {
    let id = id.wrapping_mul(0x87c3_7b91_1142_53d5).rotate_left(31).wrapping_mul(0x4cf5_ad43_2745_937f);
    let length = 8;
    let mut first = u64::from(seed) ^ id ^ length;
    let mut second = u64::from(seed) ^ length;
    first = first.wrapping_add(second);
    second = second.wrapping_add(first);
    (first, second) = (finish(first), finish(second));
    first = first.wrapping_add(second);
    second = second.wrapping_add(first);
    [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32]
}

impl Hashing {
    /// The rows whose sum is the embedding of `id`.
    #[inline]
    pub(crate) fn rows_of(self, id: u64) -> impl Iterator<Item = usize> + Clone {
        let words = hash(id, self.seed);
        words.into_iter().take(self.hashes).filter_map(move |word| (word as usize).checked_rem(self.rows))
    }

    /// y `[len, dim]`, the embeddings of the `len` ids of one example; `names` `[len · hashes]` is scratch.
    #[inline]
    pub(crate) fn forward(
        self,
        ids: impl Iterator<Item = u64>,
        len: usize,
        table: Table<'_>,
        names: &mut [u32],
        y: &mut [f32],
    ) {
        for (name, row) in names.iter_mut().zip(ids.flat_map(|id| self.rows_of(id))) {
            *name = row as u32;
        }
        let bags = Bags::of_length(Indices::skipping(names, self.rows), len, self.hashes);
        pool(table, &bags, Pooling::Sum, y);
    }
}
