//! What is timed: each case sets up its tables and gives one call.

use crate::ids::Sets;
use crate::memory::Memory;
use crate::{Settings, Times, time};
use clap::ValueEnum;
use nanoembed::kernels::{gather, gather_stream, pool};
use nanoembed::optim::{Adagrad, Adam, AdamSeries, Exact, Optimizer, RowwiseAdagrad, Sgd};
use nanoembed::rand_core::{Rng, SeedableRng};
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient, UpdateRule};
use nanoembed::table::{Bags, Bf16, F16, F32, Format, I4, I8, Indices, Pooling, Table, TableMut, U2, U4, U8};
use std::hint::black_box;

/// Lookups, and training steps of a table: forward, backward, update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Case {
    /// A row an id
    Gather,
    /// The same, with stores past the caches
    GatherStream,
    /// The sum of the rows of each bag
    Bag,
    /// The same, of rows of 8 bits
    BagU8,
    /// The same, of rows of 4 bits
    BagU4,
    /// The same, of rows of 2 bits
    BagU2,
    /// The same, of integers of 8 bits
    BagI8,
    /// The same, of integers of 4 bits
    BagI4,
    /// The same, of rows of f16
    BagF16,
    /// The same, of rows of bf16
    BagBf16,
    /// A step of plain gradient descent
    UpdateSgd,
    /// A step of Adagrad
    UpdateAdagrad,
    /// A step of Adagrad with one accumulator a row
    UpdateRowwiseAdagrad,
    /// A step of Adam, on the rows that occur
    UpdateAdam,
    /// A step of Adam, equal to the update of all rows
    UpdateAdamExact,
    /// The same by the sum of the steps that a row missed
    UpdateAdamSeries,
}

impl Case {
    pub(crate) const ALL: &[Self] = &[
        Self::Gather,
        Self::GatherStream,
        Self::Bag,
        Self::BagU8,
        Self::BagU4,
        Self::BagU2,
        Self::BagI8,
        Self::BagI4,
        Self::BagF16,
        Self::BagBf16,
        Self::UpdateSgd,
        Self::UpdateAdagrad,
        Self::UpdateRowwiseAdagrad,
        Self::UpdateAdam,
        Self::UpdateAdamExact,
        Self::UpdateAdamSeries,
    ];

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(crate) fn has_bags(self) -> bool {
        !matches!(self, Self::Gather | Self::GatherStream)
    }

    /// Bytes of a row of the table.
    pub(crate) fn row_bytes(self, dim: usize) -> usize {
        fn of<F: Format>(dim: usize) -> usize {
            F::row_length(dim) * size_of::<F::Element>()
        }
        match self {
            Self::BagU8 => of::<U8>(dim),
            Self::BagU4 => of::<U4>(dim),
            Self::BagU2 => of::<U2>(dim),
            Self::BagI8 => of::<I8>(dim),
            Self::BagI4 => of::<I4>(dim),
            Self::BagF16 => of::<F16>(dim),
            Self::BagBf16 => of::<Bf16>(dim),
            _ => of::<F32>(dim),
        }
    }

    pub(crate) fn run(self, settings: &Settings) -> std::io::Result<Times> {
        match self {
            Self::Gather => gathers(settings, gather),
            Self::GatherStream => gathers(settings, gather_stream),
            Self::Bag => bags::<F32>(settings),
            Self::BagU8 => bags::<U8>(settings),
            Self::BagU4 => bags::<U4>(settings),
            Self::BagU2 => bags::<U2>(settings),
            Self::BagI8 => bags::<I8>(settings),
            Self::BagI4 => bags::<I4>(settings),
            Self::BagF16 => bags::<F16>(settings),
            Self::BagBf16 => bags::<Bf16>(settings),
            Self::UpdateSgd => step(settings, &Sgd::default()),
            Self::UpdateAdagrad => step(settings, &Adagrad::default()),
            Self::UpdateRowwiseAdagrad => step(settings, &RowwiseAdagrad::default()),
            Self::UpdateAdam => step(settings, &Adam::default()),
            Self::UpdateAdamExact => step(settings, &Exact::<Adam>::default()),
            Self::UpdateAdamSeries => step(settings, &AdamSeries::default()),
        }
    }
}

/// Numbers in [-0.5, 0.5).
fn filled(length: usize, huge: bool) -> std::io::Result<Memory<f32>> {
    let mut random = Xoshiro128PlusPlus::seed_from_u64(length as u64);
    let mut numbers = Memory::zeros(length, huge)?;
    numbers.fill_with(|| (random.next_u32() >> 8) as f32 / (1 << 24) as f32 - 0.5);
    Ok(numbers)
}

type Gather<E> = fn(Table<'_>, Indices<'_, u32>, &mut [f32]) -> Result<(), E>;

fn gathers<E: std::error::Error>(settings: &Settings, gather: Gather<E>) -> std::io::Result<Times> {
    let &Settings { rows, dim, batch, huge, .. } = settings;
    let sets = Sets::new(settings.ids, rows, batch, 32, huge)?;
    let values = filled(rows * dim, huge)?;
    let table = Table::new(&values, rows, dim).expect("rows * dim");
    let mut out = Memory::zeros(batch * dim, huge)?;
    Ok(time(settings.seconds, |call| {
        let indices = Indices::new(sets.get(call), rows).expect("ids below rows");
        gather(table, indices, black_box(&mut out)).expect("shapes fit");
    }))
}

fn bags<F: Format>(settings: &Settings) -> std::io::Result<Times> {
    let &Settings { rows, dim, batch, bag, huge, .. } = settings;
    let sets = bag_sets(settings)?;
    let offsets = offsets(batch, bag);
    let mut elements = Memory::zeros(rows * F::row_length(dim), huge)?;
    let mut table = TableMut::<F>::packed(&mut elements, rows, dim).expect("rows of dim numbers");
    let numbers = filled(dim + 1000, false)?;
    for row in 0..rows {
        table.quantise_row(row, &numbers[row % 1000..][..dim]).expect("shapes fit");
    }
    let table = Table::<F>::packed(&elements, rows, dim).expect("rows of dim numbers");
    let mut out = Memory::zeros(batch * dim, huge)?;
    Ok(time(settings.seconds, |call| {
        let bags = checked(sets.get(call), rows, &offsets);
        pool(table, &bags, Pooling::Sum, black_box(&mut out)).expect("shapes fit");
    }))
}

/// A step of an optimizer, with a gradient that is given.
fn step<O: Optimizer>(settings: &Settings, optimizer: &O) -> std::io::Result<Times> {
    let &Settings { rows, dim, batch, bag, huge, .. } = settings;
    let sets = bag_sets(settings)?;
    let offsets = offsets(batch, bag);
    let slots = O::Rule::slots(dim);
    let mut weights = filled(rows * dim, huge)?;
    let mut state = Memory::zeros(rows * slots, huge)?;
    let mut last_steps = Memory::zeros(rows, huge)?;
    let mut out = Memory::zeros(batch * dim, huge)?;
    let gradients = filled(batch * dim, huge)?;
    let gradients = Table::new(&gradients, batch, dim).expect("batch * dim");
    let mut list = vec![Occurrence::default(); batch * bag];
    let mut scratch = list.clone();
    let mut sum = vec![0.0; 2 * dim];
    Ok(time(settings.seconds, |call| {
        let bags = checked(sets.get(call), rows, &offsets);
        let mut table = TableMut::new(&mut weights, rows, dim).expect("rows * dim");
        let mut state = TableMut::new(&mut state, rows, slots).expect("rows * slots");
        let touched = bags.indices().iter().flatten();
        optimizer
            .catch_up(call as u32, touched, &mut table, &mut state, &mut last_steps)
            .expect("shapes fit");
        pool(table.as_table(), &bags, Pooling::Sum, black_box(&mut out)).expect("shapes fit");
        let list = bags.occurrences(&mut list).expect("room for all ids");
        let occurrences = SortedOccurrences::sort(list, &mut scratch).expect("room for all ids");
        let mut touched = SparseGradient { occurrences, gradients, scratch: &mut sum };
        let step = optimizer.step(call as u32 + 1);
        optimizer
            .update_rows(step, &mut table, &mut state, &mut last_steps, &mut touched)
            .expect("shapes fit");
    }))
}

fn bag_sets(settings: &Settings) -> std::io::Result<Sets> {
    Sets::new(settings.ids, settings.rows, settings.batch * settings.bag, 12, settings.huge)
}

/// Bags of one length, by offsets: as for bags of any length.
fn offsets(batch: usize, bag: usize) -> Vec<u32> {
    (0..=batch).map(|number| (number * bag) as u32).collect()
}

fn checked<'a>(
    ids: &'a [u32],
    rows: usize,
    offsets: &'a [u32],
) -> Bags<'a, u32, nanoembed::table::Reject, u32> {
    let indices = Indices::new(ids, rows).expect("ids below rows");
    Bags::new(indices, offsets).expect("offsets that rise to the number of ids")
}
