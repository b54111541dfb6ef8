//! Tables, and what looks them up, drawn at random: for kernels of numbers and of rows.

use nanoembed::table::{Pooling, Table, TableMut};
use proptest::prelude::*;
use proptest::sample::select;

/// The numbers of a table, whose rows may lie apart.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    pub(crate) values: Vec<f32>,
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    pub(crate) stride: usize,
}

impl Matrix {
    pub(crate) fn table(&self) -> Table<'_> {
        Table::with_stride(&self.values, self.rows, self.dim, self.stride).unwrap()
    }

    pub(crate) fn table_mut(&mut self) -> TableMut<'_> {
        TableMut::with_stride(&mut self.values, self.rows, self.dim, self.stride).unwrap()
    }

    pub(crate) fn row(&self, i: usize) -> &[f32] {
        self.table().row(i).unwrap()
    }
}

/// A table, and ids in bags that look up its rows.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    pub(crate) gap: usize,
    /// In -2 rows .. 2 rows: each policy has its bad ones.
    pub(crate) ids: Vec<i64>,
    /// Lengths of bags, cut to the number of ids.
    pub(crate) lengths: Vec<usize>,
    pub(crate) weighted: bool,
    pub(crate) padding: Option<usize>,
    pub(crate) pooling: Pooling,
}

/// Tables of fewer rows than `rows`, of one of the dims; fewer than `ids` ids, fewer than `bags` bags.
pub(crate) fn cases(
    dims: &'static [usize],
    rows: usize,
    ids: usize,
    bags: usize,
) -> impl Strategy<Value = Case> {
    (1..rows).prop_flat_map(move |rows| {
        let bound = rows as i64;
        let id = prop_oneof![8 => -bound..bound, 2 => Just(bound - 1), 1 => -2 * bound..2 * bound];
        (
            any::<u64>(),
            select(dims),
            prop_oneof![Just(0_usize), 1_usize..20],
            prop::collection::vec(id, 0..ids),
            prop::collection::vec(prop_oneof![2 => 0_usize..8, 1 => Just(0_usize)], 1..bags),
            any::<bool>(),
            prop::option::of(0..rows),
            select(&Pooling::ALL[..]),
        )
            .prop_map(move |(seed, dim, gap, ids, lengths, weighted, padding, pooling)| Case {
                seed,
                rows,
                dim,
                gap,
                ids,
                lengths,
                weighted,
                padding,
                pooling,
            })
    })
}

impl Case {
    /// Offsets of the bags; the last bag takes the ids that are left.
    pub(crate) fn offsets(&self) -> Vec<usize> {
        let mut offsets = vec![0];
        for length in &self.lengths {
            offsets.push(self.ids.len().min(offsets[offsets.len() - 1] + length));
        }
        offsets.push(self.ids.len());
        offsets
    }
}
