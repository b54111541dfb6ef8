//! Optimizer steps on rows and blocks, and rows that catch up.

use crate::data::{Data, Fold};
use crate::rows::{DIMS, MAX_DIM, MAX_LEN, ROWS};
use nanoembed::kernels::{self, Occurrence, Replay, Touched, sort_by_row};
use nanoembed::optim::{Adam, Momentum, Optimizer, Sgd};
use nanoembed::table::{Table, TableMut};

const ADAM: Adam =
    Adam { learning_rate: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, keras3_duplicates: false };
const MOMENTUM: Momentum = Momentum { learning_rate: 0.01, momentum: 0.9, nesterov: false };

pub(crate) const PARTS: &[crate::Part] = &[
    ("update_rows sgd", || update_rows(Sgd::default(), 0)),
    ("update_rows momentum", || update_rows(MOMENTUM, 1)),
    ("update_rows nesterov", || update_rows(Momentum { nesterov: true, ..MOMENTUM }, 1)),
    ("update_rows adam", || update_rows(ADAM, 2)),
    ("update_rows adam, keras 3", || update_rows(Adam { keras3_duplicates: true, ..ADAM }, 2)),
    ("update_block sgd", || update_block(Sgd::default(), 0)),
    ("update_block momentum", || update_block(MOMENTUM, 1)),
    ("update_block adam", || update_block(ADAM, 2)),
    ("catch_up_row momentum", || catch_up(MOMENTUM, 1)),
    ("catch_up_row adam", || catch_up(ADAM, 2)),
];

/// `kept` numbers of state for each weight.
fn update_rows<O: Optimizer>(optimizer: O, kept: usize) -> u64 {
    let (mut data, mut fold) = (Data::new(11), Fold::new());
    let mut weights = data.floats::<{ ROWS * MAX_DIM }>();
    for dim in DIMS {
        let weights = &mut weights[..ROWS * dim];
        let mut slots = [0.0; 2 * ROWS * MAX_DIM];
        let slots = &mut slots[..ROWS * kept * dim];
        for len in 0..=MAX_LEN {
            let gradients = data.floats::<{ MAX_LEN * MAX_DIM }>();
            let mut occurrences = [Occurrence::default(); MAX_LEN];
            for (source, occurrence) in occurrences.iter_mut().enumerate() {
                *occurrence = Occurrence { row: data.below(ROWS) as u32, source: source as u32 };
            }
            let scratch = &mut [Occurrence::default(); MAX_LEN];
            let mut touched = Touched {
                occurrences: sort_by_row(&mut occurrences[..len], scratch).unwrap(),
                gradients: Table::new(&gradients[..MAX_LEN * dim], MAX_LEN, dim).unwrap(),
                sum: &mut [0.0; 2 * MAX_DIM][..2 * dim],
            };
            let mut table = TableMut::new(weights, ROWS, dim).unwrap();
            let mut slots = TableMut::new(slots, ROWS, kept * dim).unwrap();
            kernels::update_rows(optimizer.rule(1 + len as u32), &mut table, &mut slots, &mut touched)
                .unwrap();
        }
        fold.floats(weights);
        fold.floats(slots);
    }
    fold.hash()
}

fn update_block<O: Optimizer>(optimizer: O, kept: usize) -> u64 {
    let (mut data, mut fold) = (Data::new(12), Fold::new());
    for length in 0..=MAX_LEN {
        let mut weights = data.floats::<MAX_LEN>();
        let mut slots = [0.0; 2 * MAX_LEN];
        let (weights, slots) = (&mut weights[..length], &mut slots[..kept * length]);
        for step in 1..=10 {
            let gradient = data.floats::<MAX_LEN>();
            kernels::update_block(optimizer.rule(step), weights, &gradient[..length], slots).unwrap();
        }
        fold.floats(weights);
        fold.floats(slots);
    }
    fold.hash()
}

/// Short gaps, and gaps after which no weight moves any more.
fn catch_up<O: Replay + Optimizer>(optimizer: O, kept: usize) -> u64 {
    let (mut data, mut fold) = (Data::new(13), Fold::new());
    for dim in DIMS {
        for gap in [0, 1, 2, 7, 50, 400] {
            let mut weights = data.floats::<MAX_DIM>();
            // Second moments are not negative.
            let mut slots = data.floats::<{ 2 * MAX_DIM }>().map(|x| x * x);
            let (weights, slots) = (&mut weights[..dim], &mut slots[..kept * dim]);
            let zeros = &[0.0; MAX_DIM][..dim];
            let last = kernels::catch_up_row(
                &optimizer,
                |step| optimizer.rule(step),
                4..=3 + gap,
                weights,
                slots,
                zeros,
            )
            .unwrap();
            optimizer.decay(3 + gap - last, slots);
            fold.number(last as usize);
            fold.floats(weights);
            fold.floats(slots);
        }
    }
    fold.hash()
}
