//! The exact form has the weights of an update of the whole table, however long a row is away and whenever it is looked at.

use super::{Occurring, State, adam, momentum};
use crate::common::{Random, bits};
use nanoembed::internals;
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AmsGrad, CenteredRmsProp, Clip, Clipped, CosineDecay, DecoupledDecay, Exact,
    L2Decay, Momentum, MomentumRmsProp, Nadam, Optimizer, PiecewiseConstantDecay, RmsProp, RowwiseAdagrad,
    Scheduled, Sgd,
};
use nanoembed::sparse::{Moves, Replay, SparseGradient, UpdateRule};
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};

/// A table and its dense form, side by side, through a list of batches.
struct Race<O: Optimizer> {
    optimizer: Exact<O>,
    sparse: State,
    dense: State,
    step: u32,
    /// Whether rows are caught up before a step that needs them, as they are when a model reads them.
    catch_up_first: bool,
}

/// What has an exact form.
pub(crate) trait Replayed: Optimizer + Replay<Step = <Self as Optimizer>::Rule> + Copy {}

impl<O: Optimizer + Replay<Step = <O as Optimizer>::Rule> + Copy> Replayed for O {}

impl<O: Replayed> Race<O> {
    fn new(optimizer: O, random: &mut Random, rows: usize, dim: usize) -> Self {
        let mut sparse = State::new(random, rows, dim, 0);
        sparse.slots = vec![0.0; rows * <O as Optimizer>::Rule::slots(dim)];
        Self { optimizer: Exact(optimizer), dense: sparse.clone(), sparse, step: 0, catch_up_first: true }
    }

    /// One step, in which these rows have a gradient.
    fn step(&mut self, random: &mut Random, rows: Vec<u32>) {
        let dim = self.sparse.dim;
        let batch = Occurring::new(random, rows, dim);
        if self.catch_up_first {
            self.catch_up(batch.rows.iter().map(|row| *row as usize));
        }
        self.step += 1;
        let Self { optimizer, sparse, dense, step, .. } = self;
        let (mut weights, mut slots, last_steps) = sparse.views();
        let update = |touched: &mut SparseGradient<'_>| {
            optimizer.update_rows(optimizer.step(*step), &mut weights, &mut slots, last_steps, touched)
        };
        batch.touched(dim, update).expect("shapes that agree");

        let mut gradients = vec![0.0; dense.weights.len()];
        for (row, gradient) in batch.rows.iter().zip(batch.gradients.chunks(dim)) {
            let sum = &mut gradients[*row as usize * dim..][..dim];
            sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
        }
        let (mut weights, mut slots, _) = dense.views();
        for (row, gradient) in gradients.chunks(dim).enumerate() {
            let (weights, slots) = (weights.row_mut(row).expect("a row"), slots.row_mut(row).expect("a row"));
            // A row for itself, as if it were the table: the norm of a gradient is that of one row in these tests.
            optimizer
                .update_block(optimizer.step(*step), weights, gradient, slots)
                .expect("shapes that agree");
        }
    }

    fn catch_up(&mut self, rows: impl Iterator<Item = usize> + Clone) {
        let (mut weights, mut slots, last_steps) = self.sparse.views();
        self.optimizer.catch_up(self.step, rows, &mut weights, &mut slots, last_steps).expect("shapes");
    }

    fn flush(&mut self) {
        self.catch_up(0..self.sparse.rows());
    }

    /// The slots as the next gradient finds them: those of rows that rest decay at once.
    fn slots(&self) -> Vec<f32> {
        let mut sparse = self.sparse.clone();
        let rows = sparse.rows();
        let (_, mut slots, last_steps) = sparse.views();
        internals::decay_rows(&self.optimizer.0, self.step + 1, 0..rows, &mut slots, last_steps)
            .expect("shapes");
        sparse.slots
    }

    /// The largest difference of the slots, relative to the dense one; numbers below the normal ones count as zero.
    fn slot_difference(&self) -> f32 {
        let normal = |x: f32| if x.abs() < 1e-30 { 0.0 } else { x };
        let slots = self.slots();
        let pairs = slots.iter().zip(&self.dense.slots).map(|(a, b)| (normal(*a), normal(*b)));
        pairs
            .filter(|(a, b)| a != b)
            .map(|(a, b)| ((a - b) / b).abs())
            .fold(0.0, |a, b| if b > a { b } else { a })
    }
}

/// Gaps short enough that no row comes to rest: weights and state have the bits of the dense form, wherever rows are flushed.
fn check_short_gaps<O: Replayed>(optimizer: O, seed: u64) {
    let random = &mut Random::seed_from_u64(seed);
    let mut race = Race::new(optimizer, random, 6, 5);
    for _ in 0..80 {
        let rows = (0..random.next_u32() % 4).map(|_| random.next_u32() % 5).collect();
        race.step(random, rows);
        if random.next_u32() % 16 == 0 {
            race.flush();
            assert_eq!(bits(&race.sparse.weights), bits(&race.dense.weights), "step {}", race.step);
        }
    }
    race.flush();
    assert_eq!(bits(&race.sparse.weights), bits(&race.dense.weights));
    assert!(race.slot_difference() <= 2e-5);
    if O::MOVES != Moves::Every {
        assert_eq!(race.sparse.last_steps[5], 0, "row 5 never occurs");
    }
}

/// After the last gradient of a row: the bits of the weights of the dense form, however many steps follow and wherever the row
/// is flushed. Gives the difference of the slots.
fn check_long_gap<O: Replayed>(optimizer: O, seed: u64, gap: u32) -> f32 {
    let random = &mut Random::seed_from_u64(seed);
    let mut race = Race::new(optimizer, random, 4, 5);
    for _ in 0..20 {
        let repeated = random.next_u32() % 3;
        race.step(random, vec![0, 1, 2, repeated]);
    }
    let flush_at = random.next_u32() % gap;
    for step in 0..gap {
        race.step(random, vec![]);
        if step == flush_at {
            race.flush();
            assert_eq!(bits(&race.sparse.weights), bits(&race.dense.weights), "after {step} steps");
        }
    }
    race.flush();
    assert_eq!(bits(&race.sparse.weights), bits(&race.dense.weights), "after {gap} steps");
    race.slot_difference()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn short_gaps_of_exact_adam(seed: u64, adam in adam()) {
        prop_assume!(adam.beta_1 >= 0.9);
        check_short_gaps(adam, seed);
        check_short_gaps(AmsGrad(adam), seed);
    }

    #[test]
    fn short_gaps_of_exact_momentum(seed: u64, momentum in momentum()) {
        prop_assume!(momentum.momentum >= 0.9);
        check_short_gaps(momentum, seed);
        check_short_gaps(MomentumRmsProp { rms: RmsProp::default(), momentum: momentum.momentum }, seed);
        check_short_gaps(CenteredRmsProp { rms: RmsProp::default(), momentum: momentum.momentum }, seed);
    }

    #[test]
    fn short_gaps_of_exact_nadam(seed: u64) {
        check_short_gaps(Nadam { learning_rate: 0.01, ..Nadam::default() }, seed);
    }

    /// Rows come to rest at once, and their averages decay as they do in the dense form.
    #[test]
    fn short_gaps_without_momentum(seed: u64, rate in 1e-4..0.1_f32) {
        check_short_gaps(Sgd { learning_rate: rate }, seed);
        check_short_gaps(Adagrad { learning_rate: rate, ..Adagrad::default() }, seed);
        check_short_gaps(RowwiseAdagrad { learning_rate: rate, ..RowwiseAdagrad::default() }, seed);
        check_short_gaps(RmsProp { learning_rate: rate, ..RmsProp::default() }, seed);
        check_short_gaps(Adadelta { learning_rate: rate, ..Adadelta::default() }, seed);
    }

    /// Rows that never occur decay too.
    #[test]
    fn short_gaps_with_weight_decay(seed: u64, weight_decay in 1e-3..0.5_f32, adam in adam()) {
        prop_assume!(adam.beta_1 >= 0.9);
        let sgd = Sgd { learning_rate: 0.1 };
        check_short_gaps(DecoupledDecay { optimizer: sgd, weight_decay }, seed);
        check_short_gaps(DecoupledDecay { optimizer: adam, weight_decay }, seed);
        check_short_gaps(DecoupledDecay { optimizer: RmsProp::default(), weight_decay }, seed);
        check_short_gaps(L2Decay { optimizer: sgd, weight_decay }, seed);
        check_short_gaps(L2Decay { optimizer: adam, weight_decay }, seed);
        check_short_gaps(L2Decay { optimizer: Adagrad::default(), weight_decay }, seed);
        let optimizer = DecoupledDecay { optimizer: adam, weight_decay };
        check_short_gaps(Clipped { optimizer, clip: Clip::Value(0.3), keras3_duplicates: false }, seed);
    }

    /// A rate that falls, and one that rises when rows would have come to rest at the rate before.
    #[test]
    fn gaps_of_exact_schedules(seed: u64, adam in adam(), gap in 1..3000_u32, falls: bool) {
        let later = if falls { 1e-6 } else { 0.5 };
        let schedule = PiecewiseConstantDecay { boundaries: [24, 60], values: [1e-6, 1e-3], last_value: later };
        let adam = Scheduled { optimizer: adam, schedule };
        check_short_gaps(Scheduled { optimizer: Momentum::default(), schedule }, seed);
        check_short_gaps(Scheduled { optimizer: RmsProp::default(), schedule }, seed);
        check_short_gaps(DecoupledDecay { optimizer: adam, weight_decay: 0.2 }, seed);
        let sgd = Scheduled { optimizer: Sgd::default(), schedule };
        check_long_gap(DecoupledDecay { optimizer: sgd, weight_decay: 1e-4 }, seed, gap);
        let cosine = CosineDecay { initial_learning_rate: 0.01, decay_steps: 100, alpha: 0.1 };
        check_long_gap(Scheduled { optimizer: Nadam::default(), schedule: cosine }, seed, gap);
        let difference = check_long_gap(adam, seed, gap);
        prop_assert!(difference <= 2e-5, "moments differ by {}", difference);
    }

    #[test]
    fn long_gaps_of_exact_adam(seed: u64, adam in adam(), gap in 1..5000_u32) {
        for difference in [check_long_gap(adam, seed, gap), check_long_gap(AmsGrad(adam), seed, gap)] {
            prop_assert!(difference <= 2e-5, "moments differ by {}", difference);
        }
    }

    #[test]
    fn long_gaps_of_exact_nadam(seed: u64, gap in 1..5000_u32) {
        let difference = check_long_gap(Nadam::default(), seed, gap);
        prop_assert!(difference <= 2e-5, "moments differ by {}", difference);
    }

    #[test]
    fn long_gaps_of_exact_momentum(seed: u64, momentum in momentum(), gap in 1..5000_u32) {
        let rms = MomentumRmsProp { rms: RmsProp::default(), momentum: momentum.momentum };
        for difference in [check_long_gap(momentum, seed, gap), check_long_gap(rms, seed, gap)] {
            prop_assert!(difference <= 2e-5, "velocities differ by {}", difference);
        }
    }

    #[test]
    fn long_gaps_without_momentum(seed: u64, gap in 1..5000_u32) {
        for difference in [
            check_long_gap(RmsProp::default(), seed, gap),
            check_long_gap(Adadelta::default(), seed, gap),
            check_long_gap(Adagrad::default(), seed, gap),
        ] {
            prop_assert!(difference <= 2e-5, "averages differ by {}", difference);
        }
    }
}

/// To look at a table changes nothing of what is learnt: rows that are caught up in between, before they rest, while they rest or
/// never, have the same bits at the end.
#[test]
fn catching_up_in_between_changes_no_bit() {
    for seed in 0..20 {
        let finish = |flush_every: u32, catch_up_first: bool| {
            let random = &mut Random::seed_from_u64(seed);
            let mut race = Race::new(Adam { learning_rate: 0.01, ..Adam::default() }, random, 4, 5);
            race.catch_up_first = catch_up_first;
            for round in 0..4 {
                race.step(random, vec![0, 1, 1 + round % 3]);
                for step in 0..=random.next_u32() % 900 {
                    race.step(random, vec![]);
                    if step % flush_every == flush_every - 1 {
                        race.flush();
                    }
                }
            }
            race.step(random, vec![0, 1, 2]);
            race.flush();
            (bits(&race.sparse.weights), bits(&race.sparse.slots), race.sparse.last_steps)
        };
        let quiet = finish(u32::MAX, true);
        for flush_every in [1, 7, 8, 100] {
            assert!(finish(flush_every, true) == quiet, "flushed every {flush_every} steps, seed {seed}");
        }
        assert!(finish(u32::MAX, false) == quiet, "not caught up before the step, seed {seed}");
    }
}

/// A gradient after a rest meets moments that decayed by powers, equal to the dense ones within 2e-5, so that the weights are
/// no longer equal by bits: measured, and far below what training notices.
#[test]
fn gradients_after_long_gaps() {
    let mut largest = 0.0;
    for seed in 0..20 {
        let random = &mut Random::seed_from_u64(seed);
        let mut race = Race::new(Adam::default(), random, 4, 5);
        for _ in 0..6 {
            for _ in 0..10 {
                let rows = (0..random.next_u32() % 4).map(|_| random.next_u32() % 4).collect();
                race.step(random, rows);
            }
            for _ in 0..random.next_u32() % 5000 {
                race.step(random, vec![]);
            }
        }
        race.flush();
        for (a, b) in race.sparse.weights.iter().zip(&race.dense.weights) {
            let difference = (a - b).abs() / Adam::default().learning_rate;
            largest = if difference > largest { difference } else { largest };
            assert!(difference <= 1e-3, "{a} and {b}: {difference} of a step");
        }
        assert!(race.slot_difference() <= 2e-5, "{}", race.slot_difference());
    }
    println!("largest difference of a weight: {largest:e} of a step");
}
