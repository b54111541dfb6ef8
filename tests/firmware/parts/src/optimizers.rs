//! Optimizer steps on rows and blocks, rows that catch up, rows that are shortened.

use super::data::{Data, Fold};
use super::rows::{DIMS, MAX_DIM, MAX_LEN, ROWS};
use nanoembed::internals;
use nanoembed::internals::{Lagging, max_norm};
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AmsGrad, CenteredRmsProp, Clip, Clipped, CosineDecay, DecoupledDecay, Epsilon,
    ExponentialDecay, InverseTimeDecay, L2Decay, Momentum, MomentumRmsProp, Nadam, Optimizer,
    PiecewiseConstantDecay, PolynomialDecay, RmsProp, RowwiseAdagrad, Schedule, Scheduled, Series, Sgd,
};
use nanoembed::sparse::{Occurrence, Replay, RowNorm, SortedOccurrences, SparseGradient, UpdateRule};
use nanoembed::table::{Indices, Table, TableMut};

pub(crate) const ADAM: Adam = Adam {
    learning_rate: 0.01,
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: Epsilon::OutsideRoot(1e-7),
    keras3_duplicates: false,
};
const MOMENTUM: Momentum = Momentum { learning_rate: 0.01, momentum: 0.9, dampening: 0.0, nesterov: false };
const RMS: RmsProp =
    RmsProp { learning_rate: 0.01, rho: 0.9, epsilon: Epsilon::InsideRoot(1e-7), keras3_duplicates: false };
const CENTERED: CenteredRmsProp = CenteredRmsProp { rms: RMS, momentum: 0.5 };
const WITH_MOMENTUM: MomentumRmsProp = MomentumRmsProp { rms: RMS, momentum: 0.5 };

const COSINE: CosineDecay = CosineDecay { initial_learning_rate: 0.01, decay_steps: 20, alpha: 0.1 };

/// The rates of every schedule.
fn schedules() -> u64 {
    fn rates(fold: &mut Fold, schedule: impl Schedule) {
        (0..200).for_each(|steps| fold.float(schedule.rate(steps)));
        fold.float(schedule.largest());
    }
    let (initial_learning_rate, decay_steps) = (0.1, 37);
    let mut fold = Fold::new();
    rates(&mut fold, COSINE);
    for staircase in [false, true] {
        let decay_rate = 0.7;
        rates(&mut fold, ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase });
        rates(&mut fold, InverseTimeDecay { initial_learning_rate, decay_steps, decay_rate, staircase });
    }
    let (end_learning_rate, power) = (0.01, 1.5);
    rates(&mut fold, PolynomialDecay { initial_learning_rate, decay_steps, end_learning_rate, power });
    rates(&mut fold, PiecewiseConstantDecay { boundaries: [3, 50], values: [0.1, 0.3], last_value: 0.2 });
    fold.hash()
}

fn decoupled() -> DecoupledDecay<Adam> {
    DecoupledDecay { optimizer: ADAM, weight_decay: 0.1 }
}

fn l2() -> L2Decay<Momentum> {
    L2Decay { optimizer: Momentum { dampening: 0.5, ..MOMENTUM }, weight_decay: 0.1 }
}

fn clipped(clip: Clip) -> Clipped<DecoupledDecay<Adam>> {
    Clipped { optimizer: decoupled(), clip, keras3_duplicates: false }
}

pub(crate) const PARTS: &[super::Part] = &[
    ("update_rows sgd", || update_rows(Sgd::default())),
    ("update_rows momentum", || update_rows(MOMENTUM)),
    ("update_rows nesterov", || update_rows(Momentum { nesterov: true, ..MOMENTUM })),
    ("update_rows adagrad", || update_rows(Adagrad::default())),
    ("update_rows rowwise_adagrad", || update_rows(RowwiseAdagrad::default())),
    ("update_rows rmsprop", || update_rows(RMS)),
    ("update_rows rmsprop, momentum", || update_rows(WITH_MOMENTUM)),
    ("update_rows rmsprop, centered", || update_rows(CENTERED)),
    ("update_rows adadelta", || update_rows(Adadelta::default())),
    ("update_rows adam", || update_rows(ADAM)),
    ("update_rows adam, keras 3", || update_rows(Adam { keras3_duplicates: true, ..ADAM })),
    ("update_rows amsgrad", || update_rows(AmsGrad(ADAM))),
    ("update_rows nadam", || update_rows(Nadam::default())),
    ("update_rows adamw", || update_rows(decoupled())),
    ("update_rows l2", || update_rows(l2())),
    ("update_rows clipped by norm", || update_rows(clipped(Clip::Norm(1.0)))),
    ("update_rows clipped by value", || update_rows(clipped(Clip::Value(0.5)))),
    ("update_block sgd", || update_block(Sgd::default())),
    ("update_block momentum", || update_block(MOMENTUM)),
    ("update_block adagrad", || update_block(Adagrad::default())),
    ("update_block rowwise_adagrad", || update_block(RowwiseAdagrad::default())),
    ("update_block rmsprop", || update_block(RMS)),
    ("update_block rmsprop, centered", || update_block(CENTERED)),
    ("update_block adadelta", || update_block(Adadelta::default())),
    ("update_block adam", || update_block(ADAM)),
    ("update_block amsgrad", || update_block(AmsGrad(ADAM))),
    ("update_block nadam", || update_block(Nadam::default())),
    ("update_block adamw", || update_block(decoupled())),
    ("update_block l2", || update_block(l2())),
    ("update_block clipped by norm", || update_block(clipped(Clip::Norm(1.0)))),
    ("schedules", schedules),
    ("update_rows scheduled", || update_rows(Scheduled { optimizer: ADAM, schedule: COSINE })),
    ("catch_up_rows scheduled", || catch_up(Scheduled { optimizer: ADAM, schedule: COSINE })),
    ("catch_up_rows momentum", || catch_up(MOMENTUM)),
    ("catch_up_rows adam", || catch_up(ADAM)),
    ("catch_up_rows amsgrad", || catch_up(AmsGrad(ADAM))),
    ("catch_up_rows nadam", || catch_up(Nadam::default())),
    ("catch_up_rows rmsprop", || catch_up(RMS)),
    ("catch_up_rows rmsprop, centered", || catch_up(CENTERED)),
    ("catch_up_rows adadelta", || catch_up(Adadelta::default())),
    ("catch_up_rows adamw", || catch_up(decoupled())),
    ("catch_up_rows l2", || catch_up(l2())),
    ("close_gaps adam", || close_gaps(ADAM)),
    ("close_gaps adam, corrected root", || {
        close_gaps(Adam { epsilon: Epsilon::OutsideCorrectedRoot(1e-8), ..ADAM })
    }),
    ("close_gaps adam, replayed", || close_gaps(Adam { beta_2: 0.95, ..ADAM })),
    ("close_gaps adamw", || close_gaps(decoupled())),
    ("close_gaps amsgrad", || close_gaps(AmsGrad(ADAM))),
    ("close_gaps nadam", || close_gaps(Nadam::default())),
    ("close_gaps scheduled", || close_gaps(Scheduled { optimizer: ADAM, schedule: COSINE })),
    ("max_norm", norms),
];

/// The most numbers of state that an optimizer keeps for a weight.
const SLOTS: usize = 3;

fn update_rows<O: Optimizer>(optimizer: O) -> u64 {
    let (mut data, mut fold) = (Data::new(11), Fold::new());
    let mut weights = data.floats::<{ ROWS * MAX_DIM }>();
    for dim in DIMS {
        let (weights, slot_dim) = (&mut weights[..ROWS * dim], O::Rule::slots(dim));
        let mut slots = [0.0; SLOTS * ROWS * MAX_DIM];
        let slots = &mut slots[..ROWS * slot_dim];
        for len in 0..=MAX_LEN {
            let gradients = data.floats::<{ MAX_LEN * MAX_DIM }>();
            let mut occurrences = [Occurrence::default(); MAX_LEN];
            for (source, occurrence) in occurrences.iter_mut().enumerate() {
                *occurrence = Occurrence { row: data.below(ROWS) as u32, source: source as u32 };
            }
            let scratch = &mut [Occurrence::default(); MAX_LEN];
            let sorted = SortedOccurrences::sort(&mut occurrences[..len], scratch).unwrap();
            let mut touched = SparseGradient {
                occurrences: if len % 2 == 0 { sorted } else { sorted.by_frequency() },
                gradients: Table::new(&gradients[..MAX_LEN * dim], MAX_LEN, dim).unwrap(),
                scratch: &mut [0.0; 2 * MAX_DIM][..2 * dim],
            };
            let mut table = TableMut::new(weights, ROWS, dim).unwrap();
            let mut slots = TableMut::new(slots, ROWS, slot_dim).unwrap();
            let step = optimizer.step(1 + len as u32);
            optimizer.update_rows(step, &mut table, &mut slots, &mut [], &mut touched).unwrap();
        }
        fold.floats(weights);
        fold.floats(slots);
    }
    fold.hash()
}

fn update_block<O: Optimizer>(optimizer: O) -> u64 {
    let (mut data, mut fold) = (Data::new(12), Fold::new());
    for length in 0..=MAX_LEN {
        let mut weights = data.floats::<MAX_LEN>();
        // A row-wise optimizer keeps a number also for a variable of none.
        let mut slots = [0.0; SLOTS * MAX_LEN];
        let (weights, slots) = (&mut weights[..length], &mut slots[..O::Rule::slots(length)]);
        for step in 1..=10 {
            let gradient = data.floats::<MAX_LEN>();
            optimizer.update_block(optimizer.step(step), weights, &gradient[..length], slots).unwrap();
        }
        fold.floats(weights);
        fold.floats(slots);
    }
    fold.hash()
}

/// Short gaps, and gaps after which no weight moves any more.
fn catch_up<O>(optimizer: O) -> u64
where
    O: Replay<Step = <O as Optimizer>::Rule> + Optimizer,
{
    const LAGGING: usize = 5;
    let (mut data, mut fold) = (Data::new(13), Fold::new());
    for dim in DIMS {
        let slot_dim = <O as Optimizer>::Rule::slots(dim);
        for gap in [0, 1, 2, 7, 50, 400] {
            let mut weights = data.floats::<{ LAGGING * MAX_DIM }>();
            // Second moments are not negative.
            let mut slots = data.floats::<{ SLOTS * LAGGING * MAX_DIM }>().map(|x| x * x);
            let (weights, slots) = (&mut weights[..LAGGING * dim], &mut slots[..LAGGING * slot_dim]);
            let mut last_steps = [0, 1, 2, 3, 3 + gap];
            let lagging = Lagging {
                table: TableMut::new(weights, LAGGING, dim).unwrap(),
                slots: TableMut::new(slots, LAGGING, slot_dim).unwrap(),
                last_steps: &mut last_steps,
            };
            let rule = |step| optimizer.rule(step);
            internals::catch_up_rows(&optimizer, rule, 3 + gap, 0..LAGGING, lagging).unwrap();
            for last in last_steps {
                fold.number(last as usize);
            }
            let rows = &mut TableMut::new(slots, LAGGING, slot_dim).unwrap();
            internals::decay_rows(&optimizer, 4 + gap, 0..LAGGING, rows, &mut last_steps).unwrap();
            fold.floats(weights);
            fold.floats(slots);
        }
    }
    fold.hash()
}

/// Short gaps, long ones, and gaps too long to be kept.
fn close_gaps<O>(optimizer: O) -> u64
where
    O: Optimizer,
    Series<O>: Optimizer<Rule = O::Rule>,
{
    const LAGGING: usize = 5;
    let (mut data, mut fold) = (Data::new(15), Fold::new());
    let series = Series(optimizer);
    for dim in DIMS {
        let slot_dim = O::Rule::slots(dim);
        for gap in [0, 1, 2, 7, 50, 400] {
            let mut weights = data.floats::<{ LAGGING * MAX_DIM }>();
            // Second moments are not negative.
            let mut slots = data.floats::<{ SLOTS * LAGGING * MAX_DIM }>().map(|x| x * x);
            let (weights, slots) = (&mut weights[..LAGGING * dim], &mut slots[..LAGGING * slot_dim]);
            let mut last_steps = [0, 1, 2, 300, 300 + gap];
            let table = &mut TableMut::new(weights, LAGGING, dim).unwrap();
            let rows = &mut TableMut::new(slots, LAGGING, slot_dim).unwrap();
            series.catch_up(300 + gap, 0..LAGGING, table, rows, &mut last_steps).unwrap();
            for last in last_steps {
                fold.number(last as usize);
            }
            fold.floats(weights);
            fold.floats(slots);
        }
    }
    fold.hash()
}

/// Rows that are too long.
fn norms() -> u64 {
    let (mut data, mut fold) = (Data::new(14), Fold::new());
    for dim in DIMS {
        for norm in [RowNorm::L1, RowNorm::L2, RowNorm::Max] {
            let mut weights = data.floats::<{ ROWS * MAX_DIM }>();
            let weights = &mut weights[..ROWS * dim];
            let ids = data.ids::<MAX_LEN>(ROWS);
            let ids = Indices::new(&ids, ROWS).unwrap();
            max_norm(ids, 1.5, norm, &mut TableMut::new(weights, ROWS, dim).unwrap()).unwrap();
            fold.floats(weights);
        }
    }
    fold.hash()
}
