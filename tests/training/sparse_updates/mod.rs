//! Optimizer steps on the rows that occur: tables, batches and optimizers for the tests of each promise.

mod cost;
mod exact;
mod norms;
mod occurrences;
mod rest;
mod series;
mod shapes;
mod steps;

use crate::common::{Random, bits, draw};

use nanoembed::optim::{Adam, Epsilon, Momentum};
use nanoembed::sparse::{Occurrence, SortedOccurrences, SparseGradient};
use nanoembed::table::{Table, TableMut};
use proptest::prelude::*;

pub(crate) fn draws(random: &mut Random, n: usize) -> Vec<f32> {
    (0..n).map(|_| draw(random)).collect()
}

/// Weights and state of a small table.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) dim: usize,
    pub(crate) weights: Vec<f32>,
    pub(crate) slots: Vec<f32>,
    pub(crate) last_steps: Vec<u32>,
}

impl State {
    pub(crate) fn new(random: &mut Random, rows: usize, dim: usize, slots: usize) -> Self {
        Self {
            dim,
            weights: draws(random, rows * dim),
            slots: vec![0.0; rows * dim * slots],
            last_steps: vec![0; rows],
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.last_steps.len()
    }

    pub(crate) fn views(&mut self) -> (TableMut<'_>, TableMut<'_>, &mut [u32]) {
        let (rows, slot_dim) = (self.last_steps.len(), self.slots.len() / self.last_steps.len());
        let weights = TableMut::new(&mut self.weights, rows, self.dim).expect("rows * dim");
        let slots = TableMut::new(&mut self.slots, rows, slot_dim).expect("rows * slots");
        (weights, slots, &mut self.last_steps)
    }

    pub(crate) fn row(&self, row: usize) -> (Vec<u32>, Vec<u32>) {
        let slots = self.slots.len() / self.rows();
        (bits(&self.weights[row * self.dim..][..self.dim]), bits(&self.slots[row * slots..][..slots]))
    }
}

/// The rows of a batch, with their gradients, one an occurrence.
#[derive(Clone, Debug)]
pub(crate) struct Occurring {
    pub(crate) rows: Vec<u32>,
    pub(crate) gradients: Vec<f32>,
}

impl Occurring {
    pub(crate) fn new(random: &mut Random, rows: Vec<u32>, dim: usize) -> Self {
        let gradients = draws(random, rows.len() * dim);
        Self { rows, gradients }
    }

    pub(crate) fn pairs(&self) -> Vec<(u32, u32)> {
        self.rows.iter().copied().zip(0..).collect()
    }

    pub(crate) fn table(&self, dim: usize) -> Table<'_> {
        Table::new(&self.gradients, self.rows.len(), dim).expect("a gradient an occurrence")
    }

    /// Calls `update` with the sorted occurrences.
    pub(crate) fn touched<T>(&self, dim: usize, update: impl FnOnce(&mut SparseGradient<'_>) -> T) -> T {
        let mut occurrences: Vec<_> =
            self.pairs().into_iter().map(|(row, source)| Occurrence { row, source }).collect();
        let mut scratch = occurrences.clone();
        let occurrences = SortedOccurrences::sort(&mut occurrences, &mut scratch).expect("one length");
        let (gradients, sum) = (self.table(dim), &mut vec![f32::NAN; 2 * dim]);
        update(&mut SparseGradient { occurrences, gradients, scratch: sum })
    }
}

pub(crate) fn adam() -> impl Strategy<Value = Adam> {
    let betas = prop::sample::select(vec![(0.9, 0.999), (0.0, 0.9), (0.5, 0.5), (0.99, 0.99)]);
    (1e-4..0.1_f32, betas, prop::sample::select(vec![1e-7_f32, 1e-3])).prop_map(
        |(learning_rate, (beta_1, beta_2), epsilon)| Adam {
            learning_rate,
            beta_1,
            beta_2,
            epsilon: Epsilon::OutsideRoot(epsilon),
            keras3_duplicates: false,
        },
    )
}

pub(crate) fn momentum() -> impl Strategy<Value = Momentum> {
    let momentum = prop::sample::select(vec![0.0_f32, 0.5, 0.9, 0.99]);
    (1e-4..0.1_f32, momentum, any::<bool>()).prop_map(|(learning_rate, momentum, nesterov)| Momentum {
        learning_rate,
        momentum,
        dampening: if nesterov { 0.0 } else { 0.25 },
        nesterov,
    })
}

pub(crate) fn dims() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![0_usize, 1, 3, 15, 16, 17, 31, 32, 33])
}

/// Few distinct rows, so that they repeat; also more than are sorted by insertion.
pub(crate) fn ids() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![prop::collection::vec(any::<u32>(), 0..8), prop::collection::vec(any::<u32>(), 30..80)]
}
