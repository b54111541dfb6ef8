//! An optimizer as a value takes the steps of its type, bit for bit.

use crate::common::bits;
use crate::sparse_updates::{Occurring, State, draws};

use nanoembed::internals::sum_of_squares;
use nanoembed::keras::Keras;
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AdamW, AmsGrad, AnyOptimizer, CenteredRmsProp, Clip, Clipped, DecoupledDecay,
    Exact, ExponentialDecay, L2Decay, Momentum, MomentumRmsProp, Nadam, NamedRows, Optimizer, RmsProp,
    RowwiseAdagrad, Scheduled, Sgd,
};
use nanoembed::sparse::Occurrence;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

const NUMBERS: usize = 21;
const ROWS: usize = 40;
const DIM: usize = 5;
/// Rows 3 and 35 are frozen.
const FROZEN: [u32; 2] = [1 << 3, 1 << 3];

fn is_frozen(row: usize) -> bool {
    [3, 35].contains(&row)
}

/// A block and a table, with their state.
#[derive(Clone)]
struct Model {
    block: Vec<f32>,
    slots: Vec<f32>,
    table: State,
}

impl Model {
    fn new(random: &mut Xoshiro128PlusPlus, block_slots: usize, row_slots: usize) -> Self {
        let mut table = State::new(random, ROWS, DIM, 0);
        table.slots = vec![0.0; ROWS * row_slots];
        Self { block: draws(random, NUMBERS), slots: vec![0.0; block_slots], table }
    }

    fn bits(&self) -> [Vec<u32>; 5] {
        let State { weights, slots, last_steps, .. } = &self.table;
        [bits(&self.block), bits(&self.slots), bits(weights), bits(slots), last_steps.clone()]
    }
}

/// The gradients of a step.
struct Gradients {
    block: Vec<f32>,
    rows: Occurring,
}

impl Gradients {
    fn sum_of_squares(&self, keras3_duplicates: bool) -> f32 {
        let rows = self.rows.touched(DIM, |gradient| gradient.sum_of_squares(keras3_duplicates));
        sum_of_squares(&self.block) + rows.expect("shapes that agree")
    }

    fn occurrences(&self) -> Vec<Occurrence> {
        self.rows.pairs().into_iter().map(|(row, source)| Occurrence { row, source }).collect()
    }
}

/// The step by the type, through the functions that check.
fn typed_step<O: Optimizer>(optimizer: &O, number: u32, model: &mut Model, gradients: &Gradients) {
    let frozen = |row: &usize| !is_frozen(*row);
    let rows = gradients.rows.rows.iter().map(|row| *row as usize).filter(frozen);
    let (mut table, mut slots, last_steps) = model.table.views();
    optimizer.catch_up(number - 1, rows, &mut table, &mut slots, last_steps).unwrap();
    let step = optimizer.with_all_gradients(optimizer.step(number), |keras3_duplicates| {
        gradients.sum_of_squares(keras3_duplicates)
    });
    optimizer.update_block(step, &mut model.block, &gradients.block, &mut model.slots).unwrap();
    gradients
        .rows
        .touched(DIM, |gradient| optimizer.update_rows(step, &mut table, &mut slots, last_steps, gradient))
        .unwrap();
}

/// The same by the value.
fn step_by_value(optimizer: &dyn AnyOptimizer, number: u32, model: &mut Model, gradients: &mut Gradients) {
    let (mut table, mut slots, last_steps) = model.table.views();
    let occurrences = gradients.occurrences();
    let rows = NamedRows::of(&occurrences).without(&FROZEN);
    optimizer.replay(number - 1, rows, &mut table, &mut slots, last_steps);
    let mut calls = (0, 0);
    optimizer.take_step(
        number,
        gradients,
        |gradients, keras3_duplicates| {
            calls.0 += 1;
            gradients.sum_of_squares(keras3_duplicates)
        },
        |gradients, step| {
            calls.1 += 1;
            step.step_block(&mut model.block, &gradients.block, &mut model.slots);
            gradients.rows.touched(DIM, |gradient| {
                step.step_rows(&mut table, &mut slots, last_steps, gradient);
            });
        },
    );
    assert!(calls.0 <= 1 && calls.1 == 1);
}

fn same_bits<O: Optimizer>(optimizer: &O) {
    let value: &dyn AnyOptimizer = optimizer;
    assert_eq!(value.name(), O::NAME);
    assert_eq!(value.check(), optimizer.check());
    assert_eq!(value.check(), Ok(()));
    assert_eq!(value.block_slots(NUMBERS) * size_of::<f32>(), size_of::<O::Slots<[f32; NUMBERS]>>());
    assert_eq!(value.row_slots(DIM) * size_of::<f32>(), size_of::<O::RowSlots<DIM>>());
    assert_eq!(value.keeps_last_steps(), size_of::<O::LastSteps<1>>() > 0);
    assert_eq!(value.lags(), O::LAGS);

    let random = &mut Xoshiro128PlusPlus::seed_from_u64(11);
    let mut typed = Model::new(random, value.block_slots(NUMBERS), value.row_slots(DIM));
    let mut by_value = typed.clone();
    let before = typed.bits();
    // Rows repeat within a step and come back after a gap.
    for (number, rows) in (1..).zip([vec![7, 2, 7, 39, 35], vec![2, 2, 11, 3], vec![39, 7, 12, 7, 7, 35]]) {
        let rows = Occurring::new(random, rows, DIM);
        let mut gradients = Gradients { block: draws(random, NUMBERS), rows };
        assert_eq!(value.learning_rate(number).to_bits(), optimizer.learning_rate(number).to_bits());
        typed_step(optimizer, number, &mut typed, &gradients);
        step_by_value(value, number, &mut by_value, &mut gradients);
        assert_eq!(typed.bits(), by_value.bits(), "{} step {number}", O::NAME);
    }
    let (mut table, mut slots, last_steps) = typed.table.views();
    let rows = (0..ROWS).filter(|row| !is_frozen(*row));
    optimizer.catch_up(3, rows, &mut table, &mut slots, last_steps).unwrap();
    let (mut table, mut slots, last_steps) = by_value.table.views();
    value.replay(3, NamedRows::all(ROWS).without(&FROZEN), &mut table, &mut slots, last_steps);
    assert_eq!(typed.bits(), by_value.bits(), "{} at the end", O::NAME);
    assert_ne!(typed.bits()[0], before[0]);
    assert_ne!(typed.bits()[2], before[2]);
}

/// The optimizer as it is, exact, clipped in three ways, decayed, with a schedule, and as Keras has it.
macro_rules! all_forms {
    ($($test:ident: $optimizer:expr;)*) => {$(
        #[test]
        fn $test() {
            let optimizer = $optimizer;
            same_bits(&optimizer);
            same_bits(&Exact(optimizer));
            for clip in [Clip::Norm(0.5), Clip::GlobalNorm(0.5), Clip::Value(0.25)] {
                for keras3_duplicates in [false, true] {
                    let clipped = Clipped { optimizer, clip, keras3_duplicates };
                    same_bits(&clipped);
                    same_bits(&Exact(clipped));
                }
                same_bits(&Keras::new(optimizer).clip(clip));
                same_bits(&Keras::new(optimizer).clip(clip).weight_decay(0.1));
            }
            same_bits(&DecoupledDecay { optimizer, weight_decay: 0.1 });
            same_bits(&Exact(DecoupledDecay { optimizer, weight_decay: 0.1 }));
            same_bits(&L2Decay { optimizer, weight_decay: 0.1 });
            same_bits(&Keras::new(optimizer));
            let schedule = ExponentialDecay {
                initial_learning_rate: 0.1, decay_steps: 2, decay_rate: 0.5, staircase: false,
            };
            same_bits(&Scheduled { optimizer, schedule });
            same_bits(&Exact(Scheduled { optimizer, schedule }));
        }
    )*};
}
each_optimizer!(all_forms);

#[test]
fn row_wise_adagrad_and_adamw() {
    same_bits(&RowwiseAdagrad::default());
    same_bits(&Clipped {
        optimizer: RowwiseAdagrad::default(),
        clip: Clip::GlobalNorm(0.5),
        keras3_duplicates: false,
    });
    same_bits(&AdamW { weight_decay: 0.05, ..AdamW::default() });
    same_bits(&Exact(AdamW { weight_decay: 0.05, ..AdamW::default() }));
}

/// The value names what is out of range, as the type does.
#[test]
fn bad_hyperparameters() {
    let adam = Adam { beta_1: 1.0, ..Adam::default() };
    let optimizer: &dyn AnyOptimizer = &Exact(adam);
    assert_eq!(optimizer.check(), adam.check());
    assert_eq!(optimizer.check().unwrap_err().what, "beta_1");
}

/// Values of several kinds stand in one list.
#[test]
fn chosen_by_name() {
    let all: [&dyn AnyOptimizer; 3] = [&Sgd::default(), &Exact(Adam::default()), &RowwiseAdagrad::default()];
    let found = all.iter().find(|optimizer| optimizer.name() == "adam").unwrap();
    assert!(found.lags() && found.keeps_last_steps() && found.row_slots(8) == 16);
    assert_eq!(all.map(|optimizer| optimizer.row_slots(8)), [0, 16, 1]);
    assert_eq!(all.map(|optimizer| optimizer.block_slots(usize::MAX)), [0, usize::MAX, 1]);
}
