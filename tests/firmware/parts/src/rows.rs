//! The kernels of tables: rows out, rows in, rows of a batch brought together.

use super::data::{Data, Fold};
use nanoembed::internals;

use nanoembed::kernels;
use nanoembed::sparse::{Occurrence, SortedOccurrences};
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut};

pub(crate) const PARTS: &[super::Part] = &[
    ("gather", gather),
    ("pool sum", || pool(Pooling::Sum)),
    ("pool mean", || pool(Pooling::Mean)),
    ("pool weighted mean", || pool(Pooling::WeightedMean)),
    ("pool sqrt n", || pool(Pooling::SqrtN)),
    ("pool_max", pool_max),
    ("weight_gradients", weight_gradients),
    ("scatter_add", scatter_add),
    ("scatter_add_bags", scatter_add_bags),
    ("sort_by_row", sort),
    ("coalesce", coalesce),
];

pub(crate) const ROWS: usize = 23;
/// Around the edges of every column block.
pub(crate) const DIMS: [usize; 6] = [1, 3, 8, 17, 33, 100];
pub(crate) const MAX_DIM: usize = 100;
/// The longest list of ids; all lengths up to it are run.
pub(crate) const MAX_LEN: usize = 40;
const MAX_STRIDE: usize = MAX_DIM + 5;

fn gather() -> u64 {
    let (mut data, mut fold) = (Data::new(2), Fold::new());
    let values = data.floats::<{ ROWS * MAX_STRIDE }>();
    for dim in DIMS {
        for stride in [dim, dim + 5] {
            let table = Table::with_stride(&values, ROWS, dim, stride).unwrap();
            for len in 0..=MAX_LEN {
                let ids = data.ids::<MAX_LEN>(ROWS + 3);
                let mut out = [7.0; MAX_LEN * MAX_DIM];
                let out = &mut out[..len * dim];
                kernels::gather(table, Indices::skipping(&ids[..len], ROWS), out).unwrap();
                fold.floats(out);
                kernels::gather(table, Indices::mapping(&ids[..len], ROWS, 4).unwrap(), out).unwrap();
                fold.floats(out);
            }
        }
    }
    fold.hash()
}

/// Bags of 0, 1, 2, ... ids: their borders for this many ids in all.
fn offsets(len: usize) -> ([u16; 12], usize) {
    let (mut offsets, mut end) = ([len as u16; 12], 0);
    for (bag, offset) in offsets.iter_mut().enumerate() {
        end += bag;
        *offset = end.min(len) as u16;
    }
    let [.., last] = &mut offsets;
    *last = len as u16;
    (offsets, 11)
}

fn pool(pooling: Pooling) -> u64 {
    let (mut data, mut fold) = (Data::new(3), Fold::new());
    let values = data.floats::<{ ROWS * MAX_DIM }>();
    let weights = data.floats::<MAX_LEN>();
    for dim in DIMS {
        let table = Table::new(&values[..ROWS * dim], ROWS, dim).unwrap();
        for len in 0..=MAX_LEN {
            let ids = data.ids::<MAX_LEN>(ROWS + 3);
            let (offsets, bags) = offsets(len);
            let plain = Bags::new(Indices::skipping(&ids[..len], ROWS), &offsets).unwrap();
            let weighted = plain.with_weights(&weights[..len]).unwrap().with_padding(2).unwrap();
            for bags_of_ids in [plain, weighted] {
                let mut out = [7.0; 11 * MAX_DIM];
                let out = &mut out[..bags * dim];
                kernels::pool(table, &bags_of_ids, pooling, out).unwrap();
                fold.floats(out);
            }
        }
    }
    fold.hash()
}

fn pool_max() -> u64 {
    let (mut data, mut fold) = (Data::new(8), Fold::new());
    let values = data.floats::<{ ROWS * MAX_DIM }>();
    let weights = data.floats::<MAX_LEN>();
    for dim in DIMS {
        let table = Table::new(&values[..ROWS * dim], ROWS, dim).unwrap();
        for len in 0..=MAX_LEN {
            let ids = data.ids::<MAX_LEN>(ROWS + 3);
            let (offsets, bags) = offsets(len);
            let plain = Bags::new(Indices::skipping(&ids[..len], ROWS), &offsets).unwrap();
            let weighted = plain.with_weights(&weights[..len]).unwrap().with_padding(2).unwrap();
            for bags_of_ids in [plain, weighted] {
                let (mut out, mut positions) = ([7.0; 11 * MAX_DIM], [7; 11 * MAX_DIM]);
                let (out, positions) = (&mut out[..bags * dim], &mut positions[..bags * dim]);
                kernels::pool_max(table, &bags_of_ids, out, positions).unwrap();
                fold.floats(out);
                positions.iter().for_each(|position| fold.number(*position as usize));
                let mut d_rows = [0.0; ROWS * MAX_DIM];
                let d_rows = &mut d_rows[..ROWS * dim];
                let mut to = TableMut::new(d_rows, ROWS, dim).unwrap();
                kernels::scatter_add_max(out, positions, &bags_of_ids, &mut to).unwrap();
                fold.floats(d_rows);
            }
        }
    }
    fold.hash()
}

fn weight_gradients() -> u64 {
    let (mut data, mut fold) = (Data::new(9), Fold::new());
    let values = data.floats::<{ ROWS * MAX_DIM }>();
    let d_out = data.floats::<{ 11 * MAX_DIM }>();
    let weights = data.floats::<MAX_LEN>();
    for dim in DIMS {
        let table = Table::new(&values[..ROWS * dim], ROWS, dim).unwrap();
        for len in 0..=MAX_LEN {
            let ids = data.ids::<MAX_LEN>(ROWS + 3);
            let (offsets, bags) = offsets(len);
            let plain = Bags::new(Indices::skipping(&ids[..len], ROWS), &offsets).unwrap();
            let weighted = plain.with_weights(&weights[..len]).unwrap().with_padding(2).unwrap();
            for (bags_of_ids, pooling) in
                [plain, weighted].into_iter().flat_map(|b| Pooling::ALL.map(|p| (b, p)))
            {
                let mut d_weights = [7.0; MAX_LEN];
                let (d_out, d_weights) = (&d_out[..bags * dim], &mut d_weights[..len]);
                internals::weight_gradients(table, &bags_of_ids, pooling, d_out, d_weights).unwrap();
                fold.floats(d_weights);
            }
        }
    }
    fold.hash()
}

fn scatter_add() -> u64 {
    let (mut data, mut fold) = (Data::new(4), Fold::new());
    let gradients = data.floats::<{ MAX_LEN * MAX_DIM }>();
    let mut values = data.floats::<{ ROWS * MAX_DIM }>();
    for dim in DIMS {
        let values = &mut values[..ROWS * dim];
        for len in 0..=MAX_LEN {
            let ids = data.ids::<MAX_LEN>(ROWS + 3);
            let mut table = TableMut::new(values, ROWS, dim).unwrap();
            kernels::scatter_add(&gradients[..len * dim], Indices::skipping(&ids[..len], ROWS), &mut table)
                .unwrap();
        }
        fold.floats(values);
    }
    fold.hash()
}

fn scatter_add_bags() -> u64 {
    let (mut data, mut fold) = (Data::new(5), Fold::new());
    let d_out = data.floats::<{ 11 * MAX_DIM }>();
    let weights = data.floats::<MAX_LEN>();
    let mut values = data.floats::<{ ROWS * MAX_DIM }>();
    for dim in DIMS {
        let values = &mut values[..ROWS * dim];
        for len in 0..=MAX_LEN {
            let ids = data.ids::<MAX_LEN>(ROWS + 3);
            let (offsets, bags) = offsets(len);
            let plain = Bags::new(Indices::skipping(&ids[..len], ROWS), &offsets).unwrap();
            let weighted = plain.with_weights(&weights[..len]).unwrap().with_padding(2).unwrap();
            for (bags_of_ids, pooling) in
                [(plain, Pooling::Sum), (plain, Pooling::Mean), (weighted, Pooling::Mean)]
            {
                let mut table = TableMut::new(values, ROWS, dim).unwrap();
                kernels::scatter_add_bags(&d_out[..bags * dim], &bags_of_ids, pooling, &mut table).unwrap();
            }
        }
        fold.floats(values);
    }
    fold.hash()
}

fn sort() -> u64 {
    let (mut data, mut fold) = (Data::new(6), Fold::new());
    for rows in [1, 23, 300, 70_000] {
        for len in (0..=MAX_LEN).chain([200]) {
            let mut list = [Occurrence::default(); 200];
            for (source, occurrence) in list.iter_mut().enumerate() {
                *occurrence = Occurrence { row: data.below(rows) as u32, source: source as u32 };
            }
            SortedOccurrences::sort(&mut list[..len], &mut [Occurrence::default(); 200][..len]).unwrap();
            for Occurrence { row, source } in &list[..len] {
                fold.number(*row as usize);
                fold.number(*source as usize);
            }
        }
    }
    fold.hash()
}

fn coalesce() -> u64 {
    let (mut data, mut fold) = (Data::new(7), Fold::new());
    let (mut rows, mut sums) = ([0; MAX_LEN], [0.0; MAX_LEN * MAX_DIM]);
    for dim in DIMS {
        for len in 0..=MAX_LEN {
            let gradients = data.floats::<{ MAX_LEN * MAX_DIM }>();
            let gradients = Table::new(&gradients[..len * dim], len, dim).unwrap();
            let ids = data.ids::<MAX_LEN>(ROWS + 3);
            let mut list = [Occurrence::default(); MAX_LEN];
            let list = Indices::skipping(&ids[..len], ROWS).occurrences(&mut list).unwrap();
            let sorted = SortedOccurrences::sort(list, &mut [Occurrence::default(); MAX_LEN]).unwrap();
            let mut sums = TableMut::new(&mut sums[..len * dim], len, dim).unwrap();
            let distinct = internals::coalesce(sorted, gradients, &mut rows, &mut sums).unwrap();
            for (i, row) in rows[..distinct].iter().enumerate() {
                fold.number(*row as usize);
                fold.floats(sums.as_table().row(i).unwrap());
            }
        }
    }
    fold.hash()
}
