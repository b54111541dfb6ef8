//! A step has the bits of the plain formula at every level, and leaves the rows alone that do not occur.

use super::{Occurring, State, adam, dims, draws, ids, momentum};
use crate::common::{Random, bits};
use nanoembed::internals::reference;
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AmsGrad, BaseOptimizer, CenteredRmsProp, Clip, Clipped, DecoupledDecay, Epsilon,
    L2Decay, Momentum, MomentumRmsProp, Nadam, Optimizer, RmsProp, RowwiseAdagrad, Sgd,
};
use nanoembed::simd::Level;
use nanoembed::sparse::SparseGradient;
use nanoembed::table::TableMut;
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};

/// An optimizer beside its plain formula.
trait Formula<const N: usize>: Optimizer + Copy {
    fn formula(&self, step: u32, w: &mut f32, g: f32, square: f32, slots: &mut [f32; N]);
}

impl Formula<0> for Sgd {
    fn formula(&self, _: u32, w: &mut f32, g: f32, _: f32, _: &mut [f32; 0]) {
        reference::sgd(self.learning_rate, w, g);
    }
}

impl Formula<1> for Momentum {
    fn formula(&self, step: u32, w: &mut f32, g: f32, _: f32, [v]: &mut [f32; 1]) {
        let part = if step > 1 { 1.0 - self.dampening } else { 1.0 };
        reference::momentum(self.learning_rate * part, self.momentum, self.nesterov, w, g, v);
    }
}

/// The scalars of Adam.
fn scalars(adam: &Adam) -> [f32; 4] {
    let Epsilon::OutsideRoot(epsilon) = adam.epsilon else { panic!("epsilon is outside in these tests") };
    [adam.learning_rate, adam.beta_1, adam.beta_2, epsilon]
}

impl Formula<2> for Adam {
    fn formula(&self, step: u32, w: &mut f32, g: f32, square: f32, [m, v]: &mut [f32; 2]) {
        reference::adam(scalars(self), step, w, g, square, m, v);
    }
}

impl Formula<3> for AmsGrad {
    fn formula(&self, step: u32, w: &mut f32, g: f32, square: f32, [m, v, most]: &mut [f32; 3]) {
        reference::amsgrad(scalars(&self.0), step, w, g, square, m, v, most);
    }
}

impl Formula<2> for Nadam {
    fn formula(&self, step: u32, w: &mut f32, g: f32, square: f32, [m, v]: &mut [f32; 2]) {
        let scalars = [self.learning_rate, self.beta_1, self.beta_2, 1e-7];
        reference::nadam(scalars, step, w, g, square, m, v);
    }
}

impl Formula<1> for Adagrad {
    fn formula(&self, step: u32, w: &mut f32, g: f32, square: f32, [a]: &mut [f32; 1]) {
        let Epsilon::InsideRoot(epsilon) = self.epsilon else { panic!("inside in these tests") };
        let rate = self.learning_rate / (1.0 + (step - 1) as f32 * self.learning_rate_decay);
        reference::adagrad(rate, [self.initial_accumulator + epsilon, 0.0], w, g, square, a);
    }
}

fn rms_scalars(rms: &RmsProp, momentum: f32) -> [f32; 4] {
    let Epsilon::InsideRoot(epsilon) = rms.epsilon else { panic!("inside in these tests") };
    [rms.learning_rate, rms.rho, epsilon, momentum]
}

impl Formula<1> for RmsProp {
    fn formula(&self, _: u32, w: &mut f32, g: f32, square: f32, [v]: &mut [f32; 1]) {
        reference::rmsprop(rms_scalars(self, 0.0), w, g, square, v, None, None);
    }
}

impl Formula<2> for MomentumRmsProp {
    fn formula(&self, _: u32, w: &mut f32, g: f32, square: f32, [v, b]: &mut [f32; 2]) {
        reference::rmsprop(rms_scalars(&self.rms, self.momentum), w, g, square, v, Some(b), None);
    }
}

impl Formula<3> for CenteredRmsProp {
    fn formula(&self, _: u32, w: &mut f32, g: f32, square: f32, [v, b, a]: &mut [f32; 3]) {
        reference::rmsprop(rms_scalars(&self.rms, self.momentum), w, g, square, v, Some(b), Some(a));
    }
}

impl Formula<2> for Adadelta {
    fn formula(&self, _: u32, w: &mut f32, g: f32, square: f32, [a, d]: &mut [f32; 2]) {
        reference::adadelta([self.learning_rate, self.rho, self.epsilon], w, g, square, a, d);
    }
}

impl<O: Formula<N> + BaseOptimizer, const N: usize> Formula<N> for DecoupledDecay<O> {
    fn formula(&self, step: u32, w: &mut f32, g: f32, square: f32, slots: &mut [f32; N]) {
        *w -= *w * self.weight_decay * self.optimizer.learning_rate(step);
        self.optimizer.formula(step, w, g, square, slots);
    }
}

impl<O: Formula<N> + BaseOptimizer, const N: usize> Formula<N> for L2Decay<O> {
    fn formula(&self, step: u32, w: &mut f32, g: f32, _: f32, slots: &mut [f32; N]) {
        let g = g + self.weight_decay * *w;
        self.optimizer.formula(step, w, g, g * g, slots);
    }
}

/// By value; norms have tests of their own.
impl<O: Formula<N> + BaseOptimizer, const N: usize> Formula<N> for Clipped<O> {
    fn formula(&self, step: u32, w: &mut f32, g: f32, _: f32, slots: &mut [f32; N]) {
        let Clip::Value(most) = self.clip else { panic!("by value in these tests") };
        let g = if g > most { most } else { g };
        let g = if g < -most { -most } else { g };
        self.optimizer.formula(step, w, g, g * g, slots);
    }
}

/// A step on some rows, at each level, has the bits of the plain loop and leaves the other rows alone.
fn check_step<O: Formula<N>, const N: usize>(
    optimizer: O,
    seed: u64,
    rows: usize,
    dim: usize,
    ids: &[u32],
    keras3: bool,
) {
    let random = &mut Random::seed_from_u64(seed);
    let mut before = State::new(random, rows, dim, N);
    // State as after some steps; second moments are not negative.
    before.slots = draws(random, rows * dim * N).into_iter().map(f32::abs).collect();
    let batch = Occurring::new(random, ids.iter().map(|id| id % rows as u32).collect(), dim);
    let step = 1 + random.next_u32() % 1000;

    let mut expected = before.clone();
    let (mut weights, mut slots, _) = expected.views();
    let formula = |w: &mut f32, g, square, slots: &mut [f32; N]| optimizer.formula(step, w, g, square, slots);
    reference::update_rows(&batch.pairs(), batch.table(dim), keras3, &mut weights, &mut slots, formula);

    for level in Level::available() {
        let mut found = before.clone();
        let (mut weights, mut slots, _) = found.views();
        let update = |touched: &mut SparseGradient<'_>| {
            nanoembed::internals::update_rows_at(
                level,
                optimizer.rule(step),
                &mut weights,
                &mut slots,
                touched,
            )
        };
        batch.touched(dim, update).expect("shapes that agree");
        assert_eq!(bits(&found.weights), bits(&expected.weights), "weights at {}", level.name());
        assert_eq!(bits(&found.slots), bits(&expected.slots), "slots at {}", level.name());
        for row in (0..rows as u32).filter(|row| !batch.rows.contains(row)) {
            assert_eq!(found.row(row as usize), before.row(row as usize), "row {row} does not occur");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_step_of_sgd(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), rate in 1e-4..1.0_f32) {
        check_step(Sgd { learning_rate: rate }, seed, rows, dim, &ids, false);
    }

    #[test]
    fn a_step_of_momentum(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), momentum in momentum()) {
        check_step(momentum, seed, rows, dim, &ids, false);
    }

    #[test]
    fn a_step_of_adam(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), adam in adam(), keras3: bool) {
        check_step(Adam { keras3_duplicates: keras3, ..adam }, seed, rows, dim, &ids, keras3);
    }

    #[test]
    fn a_step_of_amsgrad(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), adam in adam(), keras3: bool) {
        check_step(AmsGrad(Adam { keras3_duplicates: keras3, ..adam }), seed, rows, dim, &ids, keras3);
    }

    #[test]
    fn a_step_of_nadam(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), keras3: bool) {
        check_step(Nadam { keras3_duplicates: keras3, ..Nadam::default() }, seed, rows, dim, &ids, keras3);
    }

    #[test]
    fn a_step_of_adagrad(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), fall in 0.0..0.1_f32, keras3: bool) {
        let adagrad = Adagrad { learning_rate_decay: fall, keras3_duplicates: keras3, ..Adagrad::default() };
        check_step(adagrad, seed, rows, dim, &ids, keras3);
    }

    #[test]
    fn a_step_of_rmsprop(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), keras3: bool) {
        let rms = RmsProp { keras3_duplicates: keras3, ..RmsProp::default() };
        check_step(rms, seed, rows, dim, &ids, keras3);
        check_step(MomentumRmsProp { rms, momentum: 0.5 }, seed, rows, dim, &ids, keras3);
        check_step(CenteredRmsProp { rms, momentum: 0.5 }, seed, rows, dim, &ids, keras3);
    }

    #[test]
    fn a_step_of_adadelta(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), keras3: bool) {
        check_step(Adadelta { keras3_duplicates: keras3, ..Adadelta::default() }, seed, rows, dim, &ids, keras3);
    }

    #[test]
    fn a_step_with_decay_and_clipping(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids(), adam in adam(), keras3: bool) {
        let keras = Adam { keras3_duplicates: keras3, ..adam };
        check_step(DecoupledDecay { optimizer: keras, weight_decay: 0.1 }, seed, rows, dim, &ids, keras3);
        check_step(L2Decay { optimizer: keras, weight_decay: 0.1 }, seed, rows, dim, &ids, keras3);
        let optimizer = DecoupledDecay { optimizer: adam, weight_decay: 0.1 };
        let clip = Clip::Value(0.25);
        check_step(Clipped { optimizer, clip, keras3_duplicates: false }, seed, rows, dim, &ids, false);
    }

    #[test]
    fn a_step_of_rowwise_adagrad(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids()) {
        let random = &mut Random::seed_from_u64(seed);
        let weights = draws(random, rows * dim);
        let slots: Vec<f32> = draws(random, rows).into_iter().map(f32::abs).collect();
        let batch = Occurring::new(random, ids.iter().map(|id| id % rows as u32).collect(), dim);
        let (mut expected, mut expected_slots) = (weights.clone(), slots.clone());
        for row in 0..rows {
            let of_row = || batch.rows.iter().enumerate().filter(|(_, r)| **r as usize == row);
            if of_row().next().is_none() {
                continue;
            }
            let gradient = |source: usize, column: usize| batch.gradients[source * dim + column];
            let g: Vec<f32> = (0..dim)
                .map(|column| of_row().map(|(source, _)| gradient(source, column)).reduce(|a, b| a + b).unwrap())
                .collect();
            let w = &mut expected[row * dim..][..dim];
            reference::rowwise_adagrad(0.01, [0.0, 1e-8], w, &g, &mut expected_slots[row]);
        }
        for level in Level::available() {
            let (mut found, mut found_slots) = (weights.clone(), slots.clone());
            let mut table = TableMut::new(&mut found, rows, dim).unwrap();
            let mut state = TableMut::new(&mut found_slots, rows, 1).unwrap();
            let rule = RowwiseAdagrad::default().rule(1);
            batch.touched(dim, |touched| nanoembed::internals::update_rows_at(level, rule, &mut table, &mut state, touched)).unwrap();
            prop_assert_eq!(bits(&found), bits(&expected), "{}", level.name());
            prop_assert_eq!(bits(&found_slots), bits(&expected_slots), "{}", level.name());
        }
    }

    #[test]
    fn a_step_on_a_whole_variable(seed: u64, n in 0..100_usize, adam in adam(), step in 1..5000_u32) {
        let random = &mut Random::seed_from_u64(seed);
        let (mut weights, gradient) = (draws(random, n), draws(random, n));
        let mut slots: Vec<f32> = draws(random, 2 * n).into_iter().map(f32::abs).collect();
        let before = (weights.clone(), slots.clone());
        let (m, v) = slots.split_at_mut(n);
        for (((w, g), m), v) in weights.iter_mut().zip(&gradient).zip(m).zip(v) {
            let mut state = [*m, *v];
            adam.formula(step, w, *g, g * g, &mut state);
            [*m, *v] = state;
        }
        for level in Level::available() {
            let (mut found, mut found_slots) = before.clone();
            nanoembed::internals::update_block_at(level, adam.rule(step), &mut found, &gradient, &mut found_slots).unwrap();
            prop_assert_eq!(bits(&found), bits(&weights), "{}", level.name());
            prop_assert_eq!(bits(&found_slots), bits(&slots), "{}", level.name());
        }
    }
}

#[test]
fn clipping_by_value_clips_the_square_too() {
    let adam = Adam { keras3_duplicates: true, ..Adam::default() };
    let clipped = Clipped { optimizer: adam, clip: Clip::Value(1.0), keras3_duplicates: true };
    let (mut expected, mut expected_slots) = ([0.5], [0.0; 2]);
    adam.update_block(adam.step(1), &mut expected, &[1.0], &mut expected_slots).unwrap();
    let (mut weights, mut slots) = ([0.5], [0.0; 2]);
    clipped.update_block(clipped.step(1), &mut weights, &[100.0], &mut slots).unwrap();
    assert_eq!((weights, slots), (expected, expected_slots));
}

/// Keras 3 lets a row that occurs twice enter the second moment by the sum of the squares of its gradients.
#[test]
fn keras3_duplicates_sum_squares() {
    for keras3_duplicates in [false, true] {
        let adam = Adam { keras3_duplicates, ..Adam::default() };
        let mut state = State { dim: 1, weights: vec![0.5], slots: vec![0.0; 2], last_steps: vec![0] };
        let batch = Occurring { rows: vec![0, 0], gradients: vec![3.0, -1.0] };
        let (mut weights, mut slots, _) = state.views();
        let update = |touched: &mut SparseGradient<'_>| {
            adam.update_rows(adam.step(1), &mut weights, &mut slots, &mut [], touched)
        };
        batch.touched(1, update).unwrap();
        let square = if keras3_duplicates { 10.0 } else { 4.0 };
        assert_eq!(state.slots, [2.0 * (1.0 - 0.9), square * (1.0 - 0.999)]);
    }
}
