//! Any number of threads gives the bits of one: forward by bags, update by rows, no sum that depends on who makes it.

use crate::common::{Random, bits};
use nanoembed::internals::weight_gradients;
use nanoembed::kernels::{gather, pool, pool_max, scatter_add_bags};
use nanoembed::optim::{Adam, Exact, Momentum, Optimizer, RowwiseAdagrad, Sgd};
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient, UpdateRule};
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut, even_ranges};
use rand_core::{Rng, SeedableRng};

const ROWS: usize = 101;
const DIM: usize = 20;
const STRIDE: usize = 23;
const BAGS: usize = 29;
const STEPS: u32 = 12;
const THREADS: [usize; 5] = [1, 2, 3, 7, 150];

/// Numbers of different sizes, so that another order of a sum gives other bits.
fn draws(random: &mut Random, length: usize) -> Vec<f32> {
    let mut draw = || (random.next_u32() >> 8) as f32 - (1 << 23) as f32;
    (0..length).map(|i| draw() / (1_u32 << (i % 30)) as f32).collect()
}

/// The numbers of a table with gaps; the last row has none.
fn table_numbers(random: &mut Random) -> Vec<f32> {
    draws(random, (ROWS - 1) * STRIDE + DIM)
}

/// Ids in bags of 0 to 12, most of them of a few rows, some of no row.
struct Batch {
    ids: Vec<u16>,
    offsets: Vec<u32>,
    weights: Vec<f32>,
}

impl Batch {
    fn new(random: &mut Random) -> Self {
        let mut offsets = vec![0];
        for _ in 0..BAGS {
            offsets.push(offsets[offsets.len() - 1] + random.next_u32() % 13);
        }
        let count = offsets[BAGS] as usize;
        let mut id = || random.next_u32() as u16 % if random.next_u32().is_multiple_of(3) { 120 } else { 9 };
        let ids = (0..count).map(|_| id()).collect();
        Self { ids, offsets, weights: draws(random, count) }
    }

    fn indices(&self) -> Indices<'_, u16, nanoembed::table::Skip> {
        Indices::skipping(&self.ids, ROWS).with_padding(4).expect("a row of the table")
    }

    fn bags(&self) -> Bags<'_, u16, nanoembed::table::Skip, u32> {
        Bags::new(self.indices(), &self.offsets).expect("offsets that rise to the number of ids")
    }
}

/// Everything that is computed by bags, each thread its share of them.
fn forward(batch: &Batch, values: &[f32], pooling: Pooling, threads: usize) -> Vec<Vec<u32>> {
    let table = Table::with_stride(values, ROWS, DIM, STRIDE).expect("rows with gaps");
    let bags = batch.bags();
    let weighted = bags.with_weights(&batch.weights).expect("a weight an id");
    let d_out: Vec<f32> = (0..BAGS * DIM).map(|i| 1.0 / (1 + i) as f32).collect();
    let ids = batch.ids.len();
    let (mut pooled, mut max) = (vec![f32::NAN; BAGS * DIM], vec![f32::NAN; BAGS * DIM]);
    let (mut gathered, mut d_weights) = (vec![f32::NAN; ids * DIM], vec![f32::NAN; ids]);
    std::thread::scope(|scope| {
        let (mut pooled, mut max) = (&mut pooled[..], &mut max[..]);
        let (mut gathered, mut d_weights) = (&mut gathered[..], &mut d_weights[..]);
        for share in even_ranges(BAGS, threads) {
            let (plain, weighted) =
                (bags.slice(share.clone()).expect("bags"), weighted.slice(share.clone()).expect("bags"));
            let (length, ids) = (share.len() * DIM, plain.indices().len());
            let d_out = &d_out[share.start * DIM..][..length];
            let pooled = pooled.split_off_mut(..length).expect("a row a bag");
            let max = max.split_off_mut(..length).expect("a row a bag");
            let gathered = gathered.split_off_mut(..ids * DIM).expect("a row an id");
            let d_weights = d_weights.split_off_mut(..ids).expect("a number an id");
            scope.spawn(move || {
                pool(table, &weighted, pooling, pooled).expect("shapes fit");
                pool_max(table, &plain, max, &mut vec![0; length]).expect("shapes fit");
                gather(table, plain.indices(), gathered).expect("shapes fit");
                weight_gradients(table, &weighted, pooling, d_out, d_weights).expect("shapes fit");
            });
        }
    });
    [pooled, max, gathered, d_weights].iter().map(|numbers| bits(numbers)).collect()
}

#[test]
fn bags_by_threads_have_the_bits_of_one() {
    let random = &mut Random::seed_from_u64(1);
    let values = table_numbers(random);
    for pooling in Pooling::ALL {
        let batch = Batch::new(random);
        let one = forward(&batch, &values, pooling, 1);
        assert!(one.iter().flatten().all(|bits| !f32::from_bits(*bits).is_nan()));
        for threads in THREADS {
            assert_eq!(forward(&batch, &values, pooling, threads), one, "{pooling:?} by {threads}");
        }
    }
}

/// Weights, slots and last steps after some steps, in which each thread updates its share of the rows. `by_bags`: all ids of
/// a bag share a gradient; otherwise each has its own.
fn train<O: Optimizer + Sync>(optimizer: &O, by_bags: bool, threads: usize) -> (Vec<u32>, Vec<u32>, Vec<u32>)
where
    O::Rule: Sync,
{
    let random = &mut Random::seed_from_u64(2);
    let mut values = table_numbers(random);
    let slots_dim = O::Rule::slots(DIM);
    let (mut slots, mut last_steps) = (vec![0.0; ROWS * slots_dim], vec![0; ROWS]);
    for number in 1..=STEPS {
        let batch = Batch::new(random);
        let sources = if by_bags { BAGS } else { batch.ids.len() };
        let gradients = draws(random, sources * DIM);
        let gradients = Table::new(&gradients, sources, DIM).expect("a gradient a source");
        let step = optimizer.step(number);
        let table = TableMut::with_stride(&mut values, ROWS, DIM, STRIDE).expect("rows with gaps");
        let slots = TableMut::new(&mut slots, ROWS, slots_dim).expect("a slot row a row");
        let mut last_steps = &mut last_steps[..];
        std::thread::scope(|scope| {
            for ((rows, mut table), (_, mut slots)) in
                table.split_rows(threads).zip(slots.split_rows(threads))
            {
                let last_steps = last_steps.split_off_mut(..rows.len()).expect("a step a row");
                let (batch, step) = (&batch, &step);
                scope.spawn(move || {
                    let mut list = vec![Occurrence::default(); batch.ids.len()];
                    let list = if by_bags {
                        batch.bags().occurrences_in(rows, &mut list).expect("room for all")
                    } else {
                        batch.indices().occurrences_in(rows, &mut list).expect("room for all")
                    };
                    let scratch = &mut vec![Occurrence::default(); list.len()];
                    let occurrences = SortedOccurrences::sort(list, scratch).expect("one length");
                    let mut touched = SparseGradient { occurrences, gradients, scratch: &mut [0.0; 2 * DIM] };
                    optimizer
                        .update_rows(*step, &mut table, &mut slots, last_steps, &mut touched)
                        .expect("shapes fit");
                });
            }
        });
    }
    (bits(&values), bits(&slots), last_steps)
}

#[test]
fn rows_by_threads_have_the_bits_of_one() {
    fn check<O: Optimizer + Sync>(optimizer: &O)
    where
        O::Rule: Sync,
    {
        for by_bags in [false, true] {
            let one = train(optimizer, by_bags, 1);
            for threads in THREADS {
                assert!(train(optimizer, by_bags, threads) == one, "{} by {threads}", O::NAME);
            }
        }
    }
    check(&Sgd::default());
    check(&Exact(Momentum::default()));
    check(&RowwiseAdagrad::default());
    check(&Adam::default());
    check(&Exact::<Adam>::default());
}

/// The step above by the plain list of occurrences, for the whole table at once, is the one that a single thread makes.
#[test]
fn one_part_is_the_whole_table() {
    let random = &mut Random::seed_from_u64(3);
    let batch = Batch::new(random);
    let mut lists =
        [vec![Occurrence::default(); batch.ids.len()], vec![Occurrence::default(); batch.ids.len()]];
    let [all, part] = &mut lists;
    let all = batch.indices().occurrences(all).expect("room for all");
    assert_eq!(all, batch.indices().occurrences_in(0..ROWS, part).expect("room for all"));

    // Gradients of bags, shared by their ids, sum to what `scatter_add_bags` adds.
    let d_out = draws(random, BAGS * DIM);
    let mut expected = vec![0.0; ROWS * DIM];
    let mut to = TableMut::new(&mut expected, ROWS, DIM).expect("ROWS * DIM");
    scatter_add_bags(&d_out, &batch.bags(), Pooling::Sum, &mut to).expect("shapes fit");
    let list = batch.bags().occurrences_in(0..ROWS, part).expect("room for all");
    let scratch = &mut vec![Occurrence::default(); list.len()];
    let gradients = Table::new(&d_out, BAGS, DIM).expect("a gradient a bag");
    let occurrences = SortedOccurrences::sort(list, scratch).expect("one length");
    let mut touched = SparseGradient { occurrences, gradients, scratch: &mut [0.0; 2 * DIM] };
    let sgd = Sgd { learning_rate: -1.0 };
    let mut found = vec![0.0; ROWS * DIM];
    let mut table = TableMut::new(&mut found, ROWS, DIM).expect("ROWS * DIM");
    let mut slots = TableMut::new(&mut [], ROWS, 0).expect("no slots");
    sgd.update_rows(sgd.step(1), &mut table, &mut slots, &mut [], &mut touched).expect("shapes fit");
    assert_eq!(bits(&found), bits(&expected));
}
