//! Optimizer steps on the rows that occur: the bits of a plain loop, no trace in any other row, and, in the exact form, the
//! weights of an update of the whole table.

use nanoembed::error::{CapacityExceeded, OutOfRange, Range, ShapeMismatch};
use nanoembed::kernels::{
    self, Moves, Occurrence, Replay, RowNorm, SortedOccurrences, SparseGradient, UpdateRule, bag_numbers,
    divide_by_bags, leaves_unmoved, occurrences, occurrences_of_bags, sort_by_row,
};
use nanoembed::optim::{
    Adadelta, Adagrad, Adam, AmsGrad, BaseOptimizer, CenteredRmsProp, Clip, Clipped, CosineDecay,
    DecoupledDecay, Epsilon, Exact, ExponentialDecay, InverseTimeDecay, L2Decay, Momentum, MomentumRmsProp,
    Nadam, Optimizer, PiecewiseConstantDecay, PolynomialDecay, RmsProp, RowwiseAdagrad, Schedule, Scheduled,
    Sgd,
};
use nanoembed::reference;
use nanoembed::simd::Level;
use nanoembed::table::{Bags, Indices, Pooling, Table, TableMut};
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

type Random = Xoshiro128PlusPlus;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// In [-1, 1).
fn draw(random: &mut Random) -> f32 {
    (random.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
}

fn draws(random: &mut Random, n: usize) -> Vec<f32> {
    (0..n).map(|_| draw(random)).collect()
}

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

/// Weights and state of a small table.
#[derive(Clone, Debug)]
struct State {
    dim: usize,
    weights: Vec<f32>,
    slots: Vec<f32>,
    last_steps: Vec<u32>,
}

impl State {
    fn new(random: &mut Random, rows: usize, dim: usize, slots: usize) -> Self {
        Self {
            dim,
            weights: draws(random, rows * dim),
            slots: vec![0.0; rows * dim * slots],
            last_steps: vec![0; rows],
        }
    }

    fn rows(&self) -> usize {
        self.last_steps.len()
    }

    fn views(&mut self) -> (TableMut<'_>, TableMut<'_>, &mut [u32]) {
        let (rows, slot_dim) = (self.last_steps.len(), self.slots.len() / self.last_steps.len());
        let weights = TableMut::new(&mut self.weights, rows, self.dim).expect("rows * dim");
        let slots = TableMut::new(&mut self.slots, rows, slot_dim).expect("rows * slots");
        (weights, slots, &mut self.last_steps)
    }

    fn row(&self, row: usize) -> (Vec<u32>, Vec<u32>) {
        let slots = self.slots.len() / self.rows();
        (bits(&self.weights[row * self.dim..][..self.dim]), bits(&self.slots[row * slots..][..slots]))
    }
}

/// The rows of a batch, with their gradients, one an occurrence.
#[derive(Clone, Debug)]
struct Occurring {
    rows: Vec<u32>,
    gradients: Vec<f32>,
}

impl Occurring {
    fn new(random: &mut Random, rows: Vec<u32>, dim: usize) -> Self {
        let gradients = draws(random, rows.len() * dim);
        Self { rows, gradients }
    }

    fn pairs(&self) -> Vec<(u32, u32)> {
        self.rows.iter().copied().zip(0..).collect()
    }

    fn table(&self, dim: usize) -> Table<'_> {
        Table::new(&self.gradients, self.rows.len(), dim).expect("a gradient an occurrence")
    }

    /// Calls `update` with the sorted occurrences.
    fn touched<T>(&self, dim: usize, update: impl FnOnce(&mut SparseGradient<'_>) -> T) -> T {
        let mut occurrences: Vec<_> =
            self.pairs().into_iter().map(|(row, source)| Occurrence { row, source }).collect();
        let mut scratch = occurrences.clone();
        let occurrences = sort_by_row(&mut occurrences, &mut scratch).expect("one length");
        let (gradients, sum) = (self.table(dim), &mut vec![f32::NAN; 2 * dim]);
        update(&mut SparseGradient { occurrences, gradients, sum })
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
            kernels::update_rows_at(level, optimizer.rule(step), &mut weights, &mut slots, touched)
        };
        batch.touched(dim, update).expect("shapes that agree");
        assert_eq!(bits(&found.weights), bits(&expected.weights), "weights at {}", level.name());
        assert_eq!(bits(&found.slots), bits(&expected.slots), "slots at {}", level.name());
        for row in (0..rows as u32).filter(|row| !batch.rows.contains(row)) {
            assert_eq!(found.row(row as usize), before.row(row as usize), "row {row} does not occur");
        }
    }
}

fn adam() -> impl Strategy<Value = Adam> {
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

fn momentum() -> impl Strategy<Value = Momentum> {
    let momentum = prop::sample::select(vec![0.0_f32, 0.5, 0.9, 0.99]);
    (1e-4..0.1_f32, momentum, any::<bool>()).prop_map(|(learning_rate, momentum, nesterov)| Momentum {
        learning_rate,
        momentum,
        dampening: if nesterov { 0.0 } else { 0.25 },
        nesterov,
    })
}

fn dims() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![0_usize, 1, 3, 15, 16, 17, 31, 32, 33])
}

/// Few distinct rows, so that they repeat; also more than are sorted by insertion.
fn ids() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![prop::collection::vec(any::<u32>(), 0..8), prop::collection::vec(any::<u32>(), 30..80)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn coalesced_gradients(seed: u64, rows in 1..100_usize, dim in dims(), ids in ids()) {
        let random = &mut Random::seed_from_u64(seed);
        // Ids from `rows` on are left out by their policy.
        let ids: Vec<u32> = ids.into_iter().map(|id| id % (rows as u32 + 3)).collect();
        let batch = Occurring::new(random, ids.clone(), dim);
        let named: Vec<(u32, u32)> = batch.pairs().into_iter().filter(|(row, _)| (*row as usize) < rows).collect();
        let n = named.len();

        let (mut expected_rows, mut expected_sums) = (vec![u32::MAX; n], vec![7.0; n * dim]);
        let sums = &mut TableMut::new(&mut expected_sums, n, dim).unwrap();
        let distinct = reference::coalesce(&named, batch.table(dim), &mut expected_rows, sums);

        let (mut list, mut scratch) = (vec![Occurrence::default(); ids.len()], vec![Occurrence::default(); ids.len()]);
        let list = occurrences(Indices::skipping(&ids, rows), &mut list).unwrap();
        prop_assert!(list.iter().map(|o| (o.row, o.source)).eq(named.iter().copied()));
        let list = sort_by_row(list, &mut scratch).unwrap();
        for level in Level::available() {
            let (mut found_rows, mut found_sums) = (vec![u32::MAX; n], vec![7.0; n * dim]);
            let sums = &mut TableMut::new(&mut found_sums, n, dim).unwrap();
            let found = kernels::coalesce_at(level, list, batch.table(dim), &mut found_rows, sums).unwrap();
            prop_assert_eq!(found, distinct);
            prop_assert_eq!(&found_rows, &expected_rows, "rows at {}", level.name());
            prop_assert_eq!(bits(&found_sums), bits(&expected_sums), "sums at {}", level.name());
        }
    }

    /// The gradients of bags, with and without weights, spread over their ids without being written for each: the bits of gradients
    /// that are.
    #[test]
    fn gradients_of_bags_reach_their_rows(seed: u64, rows in 1..30_usize, dim in dims(), ids in ids(), weighted: bool, keras3: bool) {
        let random = &mut Random::seed_from_u64(seed);
        let ids: Vec<u32> = ids.into_iter().map(|id| id % (rows as u32 + 3)).collect();
        let (count, bags) = (ids.len(), 5);
        let offsets: Vec<usize> = [0, count / 3, count / 3, count / 2, count, count].to_vec();
        let weights = draws(random, count);
        let d_bags = draws(random, bags * dim);
        let indices = Indices::skipping(&ids, rows);
        let list_of_bags = Bags::new(indices, &offsets).unwrap();
        let mut numbers = vec![9; count];
        bag_numbers(&list_of_bags, &mut numbers).unwrap();
        let weight = |position: usize| if weighted { weights[position] } else { 1.0 };
        let d_ids: Vec<f32> = (0..count)
            .flat_map(|position| {
                let d = &d_bags[numbers[position] as usize * dim..][..dim];
                d.iter().map(move |d| weight(position) * d)
            })
            .collect();

        let (mut list, mut written) = (vec![Occurrence::default(); count], vec![Occurrence::default(); count]);
        let (mut scratch, mut scratch_2) = (list.clone(), list.clone());
        let written = sort_by_row(occurrences(indices, &mut written).unwrap(), &mut scratch).unwrap();
        let sorted = if weighted {
            let sorted = sort_by_row(occurrences(indices, &mut list).unwrap(), &mut scratch_2).unwrap();
            sorted.weighted(&weights, &numbers).unwrap()
        } else {
            sort_by_row(occurrences_of_bags(&list_of_bags, &mut list).unwrap(), &mut scratch_2).unwrap()
        };
        let d_ids = Table::new(&d_ids, count, dim).unwrap();
        let d_bags = Table::new(&d_bags, bags, dim).unwrap();

        let before = State::new(random, rows, dim, 2);
        let rule = Adam { keras3_duplicates: keras3, ..Adam::default() }.rule(3);
        for level in Level::available() {
            let step = |occurrences, gradients| {
                let mut state = before.clone();
                let (mut weights, mut slots, _) = state.views();
                let mut touched = SparseGradient { occurrences, gradients, sum: &mut vec![f32::NAN; 2 * dim] };
                kernels::update_rows_at(level, rule, &mut weights, &mut slots, &mut touched).unwrap();
                let norm = kernels::sum_of_squares_of_rows_at(level, &mut touched, keras3).unwrap();
                (bits(&state.weights), bits(&state.slots), norm.to_bits())
            };
            prop_assert!(step(sorted, d_bags) == step(written, d_ids), "{}", level.name());
        }
    }

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
            batch.touched(dim, |touched| kernels::update_rows_at(level, rule, &mut table, &mut state, touched)).unwrap();
            prop_assert_eq!(bits(&found), bits(&expected), "{}", level.name());
            prop_assert_eq!(bits(&found_slots), bits(&expected_slots), "{}", level.name());
        }
    }

    #[test]
    fn norms_of_gradients(seed: u64, rows in 1..9_u32, dim in dims(), ids in ids(), keras3: bool) {
        let random = &mut Random::seed_from_u64(seed);
        let batch = Occurring::new(random, ids.iter().map(|id| id % rows).collect(), dim);
        let expected = reference::sum_of_squares_of_rows(&batch.pairs(), batch.table(dim), keras3);
        for level in Level::available() {
            let found = batch.touched(dim, |touched| kernels::sum_of_squares_of_rows_at(level, touched, keras3));
            prop_assert_eq!(found.unwrap().to_bits(), expected.to_bits(), "{}", level.name());
            let flat = reference::lane_sum(batch.gradients.iter().map(|g| g * g));
            prop_assert_eq!(kernels::sum_of_squares_at(level, &batch.gradients).to_bits(), flat.to_bits());
        }
    }

    #[test]
    fn long_rows_are_shortened(seed: u64, rows in 1..9_usize, dim in dims(), gap in 0..3_usize, ids in ids(), limit in 0.1..3.0_f32) {
        let random = &mut Random::seed_from_u64(seed);
        let stride = dim + gap;
        let before = draws(random, rows * stride);
        // Ids from `rows` on are left out by their policy.
        let ids: Vec<u32> = ids.into_iter().map(|id| id % (rows as u32 + 2)).collect();
        let indices = Indices::skipping(&ids, rows);
        let named: Vec<usize> = indices.iter().flatten().collect();
        for (norm, p) in [(RowNorm::L1, Some(1)), (RowNorm::L2, Some(2)), (RowNorm::Max, None)] {
            let mut expected = before.clone();
            let mut table = TableMut::with_stride(&mut expected, rows, dim, stride).unwrap();
            reference::max_norm(&named, limit, p, &mut table);
            for level in Level::available() {
                let mut found = before.clone();
                let mut table = TableMut::with_stride(&mut found, rows, dim, stride).unwrap();
                kernels::max_norm_at(level, indices, limit, norm, &mut table).unwrap();
                prop_assert_eq!(bits(&found), bits(&expected), "{:?} at {}", norm, level.name());
            }
        }
    }

    /// A row's gradient by its frequency is the mean of its gradients, in the step, in the sum and in the norm.
    #[test]
    fn gradients_by_frequency(seed: u64, rows in 1..9_usize, dim in dims(), ids in ids()) {
        let random = &mut Random::seed_from_u64(seed);
        let batch = Occurring::new(random, ids.iter().map(|id| id % rows as u32).collect(), dim);
        let n = ids.len();
        let (mut named, mut means) = (vec![0; n], vec![0.0; n * dim]);
        let distinct = batch.touched(dim, |touched| {
            let sums = &mut TableMut::new(&mut means, n, dim).unwrap();
            kernels::coalesce(touched.occurrences, touched.gradients, &mut named, sums).unwrap()
        });
        for (row, sum) in named[..distinct].iter().zip(means.chunks_mut(dim.max(1))) {
            let count = batch.rows.iter().filter(|r| *r == row).count();
            for sum in sum.iter_mut() {
                *sum /= if count > 1 { count as f32 } else { 1.0 };
            }
        }
        means.truncate(distinct * dim);
        let coalesced = Occurring { rows: named[..distinct].to_vec(), gradients: means };

        let state = State::new(random, rows, dim, 1);
        let [expected, found] = [(coalesced.clone(), false), (batch, true)].map(|(batch, by_frequency)| {
            let mut state = state.clone();
            let (mut sums, mut found_rows) = (vec![0.0; n * dim], vec![0; n]);
            let rest = batch.touched(dim, |touched| {
                let occurrences = touched.occurrences;
                let occurrences = if by_frequency { occurrences.by_frequency() } else { occurrences };
                let mut touched = SparseGradient { occurrences, gradients: touched.gradients, sum: &mut *touched.sum };
                let (mut weights, mut slots, _) = state.views();
                kernels::update_rows(Adagrad::default().rule(1), &mut weights, &mut slots, &mut touched).unwrap();
                let sums = &mut TableMut::new(&mut sums, n, dim).unwrap();
                let count = kernels::coalesce(occurrences, touched.gradients, &mut found_rows, sums).unwrap();
                (count, kernels::sum_of_squares_of_rows(&mut touched, false).unwrap().to_bits())
            });
            (bits(&state.weights), bits(&state.slots), bits(&sums), rest)
        });
        prop_assert_eq!(found, expected);
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
            kernels::update_block_at(level, adam.rule(step), &mut found, &gradient, &mut found_slots).unwrap();
            prop_assert_eq!(bits(&found), bits(&weights), "{}", level.name());
            prop_assert_eq!(bits(&found_slots), bits(&slots), "{}", level.name());
        }
    }

    /// Sorted by row, and those of one row in order of occurrence, whichever digits the rows differ in.
    #[test]
    fn sorting_is_stable(
        rows in prop::collection::vec(any::<u32>(), 0..200),
        mask in prop::sample::select(vec![0, 1, 7, 0xff, 0x1ff, 0xff00, 0x00ff_0001, 0xff00_0000, 0xff00_00ff, u32::MAX]),
        common: u32,
    ) {
        let row = |row: &u32| row & mask | common & !mask;
        let mut list: Vec<_> = rows.iter().map(row).zip(0..).map(|(row, source)| Occurrence { row, source }).collect();
        let mut expected = list.clone();
        expected.sort_by_key(|occurrence| occurrence.row);
        let mut scratch = vec![Occurrence { row: 9, source: 9 }; list.len()];
        sort_by_row(&mut list, &mut scratch).unwrap();
        prop_assert_eq!(list, expected);
    }

    /// What is said to leave a weight unmoved does so in both directions.
    #[test]
    fn what_leaves_unmoved_leaves_unmoved(weight: u32, ulps in 0.0..2.0_f32) {
        let weight = f32::from_bits(weight);
        prop_assume!(weight.is_finite());
        let size = (f32::from_bits(weight.to_bits() + 1) - weight).abs() * ulps;
        if leaves_unmoved(weight, size) {
            prop_assert_eq!((weight - size).to_bits(), weight.to_bits());
            prop_assert_eq!((weight + size).to_bits(), weight.to_bits());
        }
    }
}

#[test]
fn leaves_unmoved_at_the_edges() {
    let unmoved = |weight: f32, size: f32| {
        let said = leaves_unmoved(weight, size);
        assert_eq!(said, leaves_unmoved(-weight, size), "the sign of {weight}");
        if said {
            assert_eq!([weight - size, weight + size], [weight; 2], "{weight} ± {size}");
        }
        said
    };
    let quarter_ulp = 2.0_f64.powi(-25) as f32;
    for power in [-100, -20, -1, 0, 1, 20, 100] {
        let weight = 2.0_f64.powi(power) as f32;
        let quarter = weight * quarter_ulp;
        for weight in [weight, weight.next_up(), weight * 1.5, (2.0 * weight).next_down()] {
            assert!(!unmoved(weight, quarter), "a tie at 2^{power} is not left to rounding");
            assert!(unmoved(weight, quarter.next_down()));
            assert!(unmoved(weight, 0.0));
        }
        // Half the way to the smaller neighbour and the least bit more is rounded down to it.
        assert_ne!(weight - quarter.next_up(), weight);
    }
    for subnormal in [f32::from_bits(1), f32::from_bits(77), f32::MIN_POSITIVE.next_down(), 0.0] {
        assert!(unmoved(subnormal, 0.0));
        assert!(!unmoved(subnormal, f32::from_bits(1)));
        assert!(!unmoved(subnormal, 1.0));
    }
    assert!(!unmoved(f32::MIN_POSITIVE, f32::from_bits(1)));
    assert!(unmoved(f32::MAX, 1.0));
    assert!(!unmoved(1.0, f32::INFINITY));
    assert!(!leaves_unmoved(1.0, f32::NAN), "what is unknown is replayed");
}

/// A second moment that overflowed is NaN a step later in the dense form, and the weight with it: no row rests on it.
#[test]
fn an_infinite_second_moment_is_no_rest() {
    fn check<O: Replayed>(optimizer: O) {
        let exact = Exact(optimizer);
        // Rest is looked for before step 8, the first step without a gradient.
        let (mut dense, mut dense_slots) = ([0.5], [0.0; 2]);
        let mut state = State { dim: 1, weights: vec![0.5], slots: vec![0.0; 2], last_steps: vec![0] };
        let (mut weights, mut slots, last_steps) = state.views();
        let batch = Occurring { rows: vec![0], gradients: vec![1e20] };
        let update = |touched: &mut SparseGradient<'_>| {
            exact.update_rows(exact.step(7), &mut weights, &mut slots, last_steps, touched)
        };
        batch.touched(1, update).unwrap();
        let (mut weights, mut slots, last_steps) = state.views();
        exact.catch_up(9, 0..1, &mut weights, &mut slots, last_steps).unwrap();
        for (step, g) in [(7, 1e20), (8, 0.0), (9, 0.0)] {
            optimizer.update_block(optimizer.step(step), &mut dense, &[g], &mut dense_slots).unwrap();
        }
        assert!(dense[0].is_nan() && state.weights[0].is_nan(), "{dense:?} and {:?}", state.weights);
    }
    check(Adam::default());
    check(Nadam::default());
}

/// The norm of raw rows, when each occurrence counts a part of its row's frequency.
#[test]
fn raw_gradients_by_frequency_are_divided_before_their_norm() {
    let mut list = [Occurrence { row: 7, source: 0 }, Occurrence { row: 7, source: 1 }];
    let occurrences = sort_by_row(&mut list, &mut [Occurrence::default(); 2]).unwrap().by_frequency();
    let gradients = Table::from_rows(&[[3.0], [5.0]]);
    for (keras3, expected) in [(true, (9.0 + 25.0) / 4.0), (false, 16.0)] {
        let mut touched = SparseGradient { occurrences, gradients, sum: &mut [0.0; 2] };
        assert_eq!(kernels::sum_of_squares_of_rows(&mut touched, keras3).unwrap(), expected);
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

/// The norm of a table is not that of its parts, so it is found first and given to the step.
#[test]
fn parts_are_clipped_to_the_norm_of_the_whole() {
    let clipped =
        Clipped { optimizer: Sgd { learning_rate: 1.0 }, clip: Clip::Norm(1.0), keras3_duplicates: false };
    let gradients = [[3.0], [4.0]];
    let lists = [
        vec![Occurrence { row: 0, source: 0 }, Occurrence { row: 1, source: 1 }],
        vec![Occurrence { row: 0, source: 0 }],
        vec![Occurrence { row: 0, source: 1 }],
    ];
    let step_on = |list: &[Occurrence], step, weights: &mut [[f32; 1]]| {
        let mut list = list.to_vec();
        let mut scratch = list.clone();
        let occurrences = sort_by_row(&mut list, &mut scratch).unwrap();
        let mut touched =
            SparseGradient { occurrences, gradients: Table::from_rows(&gradients), sum: &mut [0.0; 2] };
        let rows = weights.len();
        let mut slots = TableMut::new(&mut [], rows, 0).unwrap();
        clipped
            .update_rows(step, &mut TableMut::from_rows(weights), &mut slots, &mut [], &mut touched)
            .unwrap();
    };
    let mut whole = [[0.0]; 2];
    step_on(&lists[0], clipped.step(1), &mut whole);
    let [mut first, mut second] = [[[0.0]]; 2];
    let step = clipped.with_norm(clipped.step(1), 5.0);
    step_on(&lists[1], step, &mut first);
    step_on(&lists[2], step, &mut second);
    assert_eq!((whole, first, second), ([[-0.6], [-0.8]], [[-0.6]], [[-0.8]]));
}

/// A second set of weights is held against the ids, as the first is.
#[test]
fn weights_that_are_too_few_for_the_ids_are_refused_again() {
    let mut list = [0, 1, 2].map(|source| Occurrence { row: source, source });
    let sorted = sort_by_row(&mut list, &mut [Occurrence::default(); 3]).unwrap();
    let sorted = sorted.weighted(&[1.0; 3], &[0; 3]).unwrap();
    let error = sorted.weighted(&[1.0], &[0]).unwrap_err();
    assert_eq!((error.expected, error.found), (3, 1));
}

/// No step moves NaN: a row that diverged rests, and costs nothing however long it is away.
#[test]
fn rows_that_diverged_rest() {
    let exact = Exact(Adam::default());
    let mut state = State { dim: 1, weights: vec![f32::NAN], slots: vec![f32::NAN; 2], last_steps: vec![1] };
    let (mut weights, mut slots, last_steps) = state.views();
    exact.catch_up(4_000_000_000, 0..1, &mut weights, &mut slots, last_steps).unwrap();
    assert!(state.last_steps[0] < 10 && state.weights[0].is_nan(), "{state:?}");
}

#[test]
fn a_global_norm_whose_square_is_infinite_still_scales() {
    let clipped = Clipped {
        optimizer: Sgd { learning_rate: 1.0 },
        clip: Clip::GlobalNorm(1.0),
        keras3_duplicates: false,
    };
    let step = clipped.with_norm(clipped.step(1), 5e20);
    let mut weights = [0.0; 2];
    clipped.update_block(step, &mut weights, &[3e20, -4e20], &mut []).unwrap();
    assert!(weights.iter().zip([-0.6, 0.8]).all(|(w, expected)| (w - expected).abs() <= 1e-6), "{weights:?}");
}

#[test]
fn hyperparameters_that_exclude_each_other_are_named() {
    let named = |found: Result<(), nanoembed::error::OutOfRange>| found.unwrap_err().what;
    assert_eq!(named(Adam { beta_1: 0.9, beta_2: 0.5, ..Adam::default() }.check()), "beta_2");
    assert_eq!(named(Nadam { beta_1: 0.9, beta_2: 0.5, ..Nadam::default() }.check()), "beta_2");
    let epsilon = Epsilon::OutsideRoot(-3.0);
    assert_eq!(named(Adagrad { initial_accumulator: 4.0, epsilon, ..Adagrad::default() }.check()), "epsilon");
    let both = Momentum { nesterov: true, dampening: 0.5, ..Momentum::default() };
    assert_eq!(named(both.check()), "dampening");
}

#[test]
fn weights_that_do_not_fit_the_occurrences_are_refused() {
    let mut list = [Occurrence { row: 1, source: 0 }, Occurrence { row: 2, source: 2 }];
    let sorted = sort_by_row(&mut list, &mut [Occurrence::default(); 2]).unwrap();
    let error = |what, expected, found| Err(ShapeMismatch { what, expected, found });
    assert_eq!(sorted.weighted(&[1.0; 3], &[0; 2]).map(drop), error("length of weights", 2, 3));
    assert_eq!(sorted.weighted(&[1.0; 2], &[0; 2]).map(drop), error("length of weights, at least", 3, 2));
    let sorted = sorted.weighted(&[1.0; 3], &[0, 5, 0]).unwrap();
    let (mut rows, mut sums) = ([0; 2], [[7.0; 1]; 2]);
    let sums = &mut TableMut::from_rows(&mut sums);
    let found = kernels::coalesce(sorted, Table::from_rows(&[[1.0]; 5]), &mut rows, sums);
    assert_eq!(found, error("rows of gradients, at least", 6, 5).map(|()| 0));
    let bags = Bags::fixed(Indices::new(&[0_u8, 1], 2).unwrap(), 1, 2).unwrap();
    assert_eq!(bag_numbers(&bags, &mut [0; 3]), error("bag numbers", 2, 3));
}

/// The gradients of pooled bags as those of their sums.
#[test]
fn gradients_are_divided_by_bags() {
    let indices = Indices::skipping(&[0_u8, 1, 9, 1], 2);
    let weights = [2.0, 2.0, 7.0, 0.0];
    let bags = Bags::new(indices, &[0_u8, 3, 3, 4]).unwrap().with_weights(&weights).unwrap();
    for (pooling, divisors) in [
        (Pooling::Sum, [1.0; 3]),
        (Pooling::Mean, [2.0, f32::INFINITY, 1.0]),
        (Pooling::WeightedMean, [4.0, f32::INFINITY, f32::INFINITY]),
        (Pooling::SqrtN, [nanoembed::math::sqrt(8.0), f32::INFINITY, f32::INFINITY]),
    ] {
        let (d_out, mut d_sums) = ([3.0, 6.0, 9.0], [7.0; 3]);
        divide_by_bags(&d_out, &bags, pooling, &mut d_sums).unwrap();
        assert_eq!(d_sums, [3.0 / divisors[0], 6.0 / divisors[1], 9.0 / divisors[2]], "{pooling:?}");
        let before = d_sums;
        let uneven = ShapeMismatch { what: "gradients", expected: 3, found: 4 };
        assert_eq!(divide_by_bags(&[1.0; 4], &bags, pooling, &mut d_sums), Err(uneven));
        let short = ShapeMismatch { what: "gradients of the sums", expected: 6, found: 3 };
        assert_eq!(divide_by_bags(&[1.0; 6], &bags, pooling, &mut d_sums), Err(short));
        assert_eq!(d_sums, before);
    }
}

#[test]
fn wrong_shapes_are_named_and_nothing_is_written() {
    let random = &mut Random::seed_from_u64(1);
    let batch = Occurring::new(random, vec![1, 0, 1], 3);
    let before = State::new(random, 2, 3, 2);
    let (rule, exact) = (Adam::default().rule(1), Exact(Adam::default()));
    let mut state = before.clone();
    {
        let (mut weights, mut slots, _) = state.views();
        let error = |what, expected, found| Err(ShapeMismatch { what, expected, found });
        let other = Occurring { rows: vec![0], gradients: vec![1.0; 4] };
        let found = other.touched(4, |touched| kernels::update_rows(rule, &mut weights, &mut slots, touched));
        assert_eq!(found, error("gradient dim", 3, 4));
        let found = batch.touched(3, |touched| {
            kernels::update_rows(
                rule,
                &mut weights,
                &mut TableMut::new(&mut [0.0; 6], 1, 6).unwrap(),
                touched,
            )
        });
        assert_eq!(found, error("rows of slots", 2, 1));
        let found = batch.touched(3, |touched| {
            let mut touched = SparseGradient { sum: &mut [0.0; 5], ..*touched };
            kernels::update_rows(rule, &mut weights, &mut slots, &mut touched)
        });
        assert_eq!(found, error("sum length", 6, 5));
        let found = batch.touched(3, |touched| {
            kernels::update_rows(
                rule,
                &mut weights,
                &mut TableMut::new(&mut [0.0; 6], 2, 3).unwrap(),
                touched,
            )
        });
        assert_eq!(found, error("dim of slots", 6, 3));
        let found = batch.touched(3, |touched| {
            exact.update_rows(exact.step(1), &mut weights, &mut slots, &mut [0; 3], touched)
        });
        assert_eq!(found, error("rows of last steps", 2, 3));
        let mut none = TableMut::new(&mut [], 0, usize::MAX).unwrap();
        let found = kernels::update_rows(
            rule,
            &mut none.reborrow(),
            &mut TableMut::new(&mut [], 0, 2).unwrap(),
            &mut SparseGradient {
                occurrences: SortedOccurrences::default(),
                gradients: Table::new(&[], 0, usize::MAX).unwrap(),
                sum: &mut [],
            },
        );
        assert_eq!(found, error("dim of slots", usize::MAX, 2));
        let occurrences = &mut [Occurrence::default(); 2];
        let found = sort_by_row(occurrences, &mut [Occurrence::default(); 1]).map(drop);
        assert_eq!(found, error("scratch length, at least", 2, 1));
        let found = kernels::update_block(rule, &mut [0.0; 3], &[0.0; 2], &mut [0.0; 6]);
        assert_eq!(found, error("gradient length", 3, 2));
        let found = kernels::update_block(rule, &mut [0.0; 3], &[0.0; 3], &mut [0.0; 5]);
        assert_eq!(found, error("slots length", 6, 5));
    }
    assert_eq!((bits(&state.weights), bits(&state.slots)), (bits(&before.weights), bits(&before.slots)));
}

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
trait Replayed: Optimizer + Replay<Step = <Self as Optimizer>::Rule> + Copy {}

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
        kernels::decay_rows(&self.optimizer.0, self.step + 1, 0..rows, &mut slots, last_steps)
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

/// No row but those that occur is written, and none is visited: a table of four billion rows takes no longer than one of two.
#[test]
fn the_cost_follows_the_rows_that_occur() {
    const ROWS: usize = 1_000_000;
    const DIM: usize = 8;
    let mut table: Vec<f32> = (0..ROWS * DIM).map(|i| i as f32 * 1e-6 + 1.0).collect();
    let mut slots: Vec<f32> = (0..2 * ROWS * DIM).map(|i| i as f32 * 1e-9 + 1e-3).collect();
    let (before, slots_before) = (table.clone(), slots.clone());
    let rows = [3_u32, 999_999, 500_000, 3];
    let batch = Occurring::new(&mut Random::seed_from_u64(1), rows.to_vec(), DIM);
    let mut weights = TableMut::new(&mut table, ROWS, DIM).unwrap();
    let mut state = TableMut::new(&mut slots, ROWS, 2 * DIM).unwrap();
    let adam = Adam::default();
    let update = |touched: &mut SparseGradient<'_>| {
        adam.update_rows(adam.step(7), &mut weights, &mut state, &mut [], touched)
    };
    batch.touched(DIM, update).unwrap();
    for row in 0..ROWS {
        let same = bits(&table[row * DIM..][..DIM]) == bits(&before[row * DIM..][..DIM])
            && bits(&slots[2 * row * DIM..][..2 * DIM]) == bits(&slots_before[2 * row * DIM..][..2 * DIM]);
        assert_eq!(same, !rows.contains(&(row as u32)), "row {row}");
    }

    // Rows of no numbers take no memory: a pass over all of them would not end in the time of the test.
    let rows = usize::MAX >> 1;
    let (mut weights, mut state) =
        (TableMut::new(&mut [], rows, 0).unwrap(), TableMut::new(&mut [], rows, 0).unwrap());
    let batch = Occurring { rows: vec![u32::MAX, 5, u32::MAX], gradients: vec![] };
    let update = |touched: &mut SparseGradient<'_>| {
        adam.update_rows(adam.step(7), &mut weights, &mut state, &mut [], touched)
    };
    batch.touched(0, update).unwrap();
}

#[test]
fn hyperparameters_have_ranges() {
    let found = |optimizer: &dyn Fn() -> Result<(), OutOfRange>| optimizer().unwrap_err().what;
    assert_eq!(found(&|| Sgd { learning_rate: f32::NAN }.check()), "learning_rate");
    assert_eq!(found(&|| Momentum { momentum: 1.0, ..Momentum::default() }.check()), "momentum");
    assert_eq!(found(&|| RmsProp { rho: -0.1, ..RmsProp::default() }.check()), "rho");
    let epsilon = Epsilon::OutsideRoot(0.0);
    assert_eq!(found(&|| AmsGrad(Adam { epsilon, ..Adam::default() }).check()), "epsilon");
    // The accumulator keeps the denominator from 0.
    assert_eq!(Adagrad { epsilon, ..Adagrad::default() }.check(), Ok(()));
    let decayed = DecoupledDecay { optimizer: Nadam::default(), weight_decay: -1.0 };
    assert_eq!(found(&|| Exact(decayed).check()), "weight_decay");
    let (optimizer, clip) = (Adadelta::default(), Clip::Norm(0.0));
    assert_eq!(found(&|| Clipped { optimizer, clip, keras3_duplicates: false }.check()), "clip");
    let error = OutOfRange { what: "rho", value: 1.0, range: Range::Fraction };
    assert_eq!(error.to_string(), "rho is 1, but must be in [0, 1)");
}

#[test]
fn too_little_room_for_occurrences_is_an_error() {
    let ids = [1_u8, 2, 1];
    let indices = Indices::new(&ids, 3).unwrap();
    let mut list = [Occurrence { row: 9, source: 9 }; 2];
    let full = CapacityExceeded { what: "occurrences", capacity: 2, needed: 3 };
    assert_eq!(occurrences(indices, &mut list), Err(full));
    assert_eq!(list, [Occurrence { row: 9, source: 9 }; 2]);

    let mut sorted = [Occurrence { row: 1, source: 0 }, Occurrence { row: 2, source: 1 }];
    let sorted = sort_by_row(&mut sorted, &mut [Occurrence::default(); 2]).unwrap();
    let gradients = [[1.0; 4]; 2];
    let (mut rows, mut sums) = ([7; 1], [[7.0; 4]; 2]);
    let mut coalesce = |rows: &mut [u32]| {
        kernels::coalesce(sorted, Table::from_rows(&gradients), rows, &mut TableMut::from_rows(&mut sums))
    };
    assert_eq!(
        coalesce(&mut rows),
        Err(ShapeMismatch { what: "length of rows, at least", expected: 2, found: 1 })
    );
    assert_eq!(coalesce(&mut [0; 2]), Ok(2));
    assert_eq!((rows, sums), ([7], [[1.0; 4]; 2]));
    let mut short = [[7.0; 3]; 2];
    let sums = &mut TableMut::from_rows(&mut short);
    let found = kernels::coalesce(sorted, Table::from_rows(&gradients), &mut [0; 2], sums);
    assert_eq!(found, Err(ShapeMismatch { what: "dim of sums", expected: 4, found: 3 }));
    let mut right = [[7.0; 4]; 2];
    let one_gradient = Table::from_rows(&gradients[..1]);
    let found = kernels::coalesce(sorted, one_gradient, &mut [0; 2], &mut TableMut::from_rows(&mut right));
    assert_eq!(found, Err(ShapeMismatch { what: "rows of gradients, at least", expected: 2, found: 1 }));
    assert_eq!(right, [[7.0; 4]; 2]);
    assert_eq!(short, [[7.0; 3]; 2]);
}

/// No rate is above the largest, whether rates fall or rise.
#[test]
fn rates_of_schedules_are_bounded() {
    fn hold(schedule: impl Schedule, rises: bool) {
        schedule.check().unwrap();
        let rates: Vec<f32> = (0..300).chain([1 << 20, u32::MAX]).map(|steps| schedule.rate(steps)).collect();
        assert!(rates.iter().all(|rate| *rate <= schedule.largest()), "{} {rates:?}", schedule.largest());
        assert_eq!(rates.windows(2).any(|pair| pair[1] > pair[0]), rises, "{rates:?}");
    }
    let (initial_learning_rate, decay_steps) = (0.1, 97);
    hold(0.3, false);
    for staircase in [false, true] {
        for decay_rate in [0.5, 1.0] {
            hold(ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase }, false);
        }
        hold(ExponentialDecay { initial_learning_rate, decay_steps, decay_rate: 1.1, staircase }, true);
        hold(InverseTimeDecay { initial_learning_rate, decay_steps, decay_rate: 2.0, staircase }, false);
    }
    for power in [0.5, 1.0, 2.0] {
        for end_learning_rate in [0.0, 0.03, 0.3] {
            let schedule = PolynomialDecay { initial_learning_rate, decay_steps, end_learning_rate, power };
            hold(schedule, end_learning_rate > initial_learning_rate);
        }
    }
    for alpha in [0.0, 0.3, 1.0] {
        hold(CosineDecay { initial_learning_rate, decay_steps, alpha }, false);
    }
    let boundaries = [2, 100];
    hold(PiecewiseConstantDecay { boundaries, values: [0.3, 0.2], last_value: 0.1 }, false);
    hold(PiecewiseConstantDecay { boundaries, values: [0.1, 0.3], last_value: 0.2 }, true);
    hold(PiecewiseConstantDecay { boundaries: [], values: [], last_value: 0.2 }, false);

    let named = |found: Result<(), OutOfRange>| found.unwrap_err().what;
    let cosine = CosineDecay { initial_learning_rate, decay_steps, alpha: 1.1 };
    assert_eq!(named(cosine.check()), "alpha");
    let schedule = CosineDecay { decay_steps: 0, alpha: 0.0, ..cosine };
    assert_eq!(named(Exact(Scheduled { optimizer: Adam::default(), schedule }).check()), "decay_steps");
    let falling = PiecewiseConstantDecay { boundaries: [9, 9], values: [0.1; 2], last_value: 0.1 };
    assert_eq!(named(falling.check()), "boundaries");
    let optimizer = Adam { beta_1: 1.0, ..Adam::default() };
    assert_eq!(named(Scheduled { optimizer, schedule: 0.1 }.check()), "beta_1");
}
