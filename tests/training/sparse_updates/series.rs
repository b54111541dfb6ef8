//! The sum of the steps that a row has missed, against the dense recurrence in `f64`: the bound that the documentation states.

use super::{Occurring, State, draws};
use crate::common::{Random, bits};
use nanoembed::internals::{self, Lagging};
use nanoembed::optim::{
    Adam, AmsGrad, Clip, Clipped, CosineDecay, DecoupledDecay, Epsilon, Exact, InverseTimeDecay, Nadam,
    Optimizer, PiecewiseConstantDecay, Schedule, Scheduled, Series,
};
use nanoembed::simd::Level;
use nanoembed::sparse::{SparseGradient, Summed};
use nanoembed::table::TableMut;
use proptest::prelude::*;
use rand_core::SeedableRng;

/// The formula of a step without a gradient, from its own numbers.
#[derive(Clone, Copy, Debug)]
struct Dense<R> {
    rate: R,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    corrected_root: bool,
    /// The denominator has the largest v so far.
    largest: bool,
    nesterov: bool,
    weight_decay: f64,
}

/// A column: weight, m, v, the largest v, and the way that the weight went.
#[derive(Clone, Copy, Debug)]
struct Column {
    w: f64,
    m: f64,
    v: f64,
    most: f64,
    way: f64,
}

impl<R: Fn(u32) -> f64> Dense<R> {
    fn of(adam: Adam, rate: R) -> Self {
        let (epsilon, corrected_root) = match adam.epsilon {
            Epsilon::OutsideRoot(epsilon) => (epsilon, false),
            Epsilon::OutsideCorrectedRoot(epsilon) => (epsilon, true),
            Epsilon::InsideRoot(_) => unreachable!("has no sum"),
        };
        let [beta_1, beta_2, epsilon] = [adam.beta_1, adam.beta_2, epsilon].map(f64::from);
        Self {
            rate,
            beta_1,
            beta_2,
            epsilon,
            corrected_root,
            largest: false,
            nesterov: false,
            weight_decay: 0.0,
        }
    }

    /// The steps after `last` up to `until`.
    fn steps(&self, last: u32, until: u32, columns: &mut [Column]) {
        let Self { beta_1, beta_2, epsilon, .. } = *self;
        let u = |step: f64| beta_1 * (1.0 - 0.5 * 0.96_f64.powf(step));
        // What more factors would leave of the product is nothing beside 1.
        let known = if self.nesterov { last.min(5000) } else { 0 };
        let mut product: f64 = (1..=known).map(|step| u(f64::from(step))).product();
        for step in last + 1..=until {
            let (number, rate) = (f64::from(step), (self.rate)(step));
            let root = (1.0 - beta_2.powf(number)).sqrt();
            let share = if self.nesterov {
                product *= u(number);
                u(number + 1.0) / (1.0 - product * u(number + 1.0))
            } else {
                1.0 / (1.0 - beta_1.powf(number))
            };
            let [scale, outside] = if self.corrected_root { [root, epsilon] } else { [root, epsilon / root] };
            for column in columns.iter_mut() {
                column.m *= beta_1;
                column.v *= beta_2;
                column.most = column.most.max(column.v);
                let v = if self.largest { column.most } else { column.v };
                let decayed = column.w * self.weight_decay * rate;
                let moved = rate * share * column.m / (v.sqrt() / scale + outside);
                column.w -= decayed + moved;
                column.way += decayed.abs() + moved.abs();
            }
        }
    }
}

/// Rows of all sizes of moments, and the step at which each was up to date.
fn state(random: &mut Random, last: u32, slots: usize, sizes: [f32; 2]) -> State {
    let (rows, dim) = (4, 19);
    let mut state = State::new(random, rows, dim, slots);
    state.last_steps = vec![last; rows];
    let [m_size, v_size] = sizes;
    for slots in state.slots.chunks_mut(slots * dim) {
        let (m, v) = slots.split_at_mut(dim);
        for (m, draw) in m.iter_mut().zip(draws(random, dim)) {
            *m = draw * m_size;
        }
        for v in v.chunks_mut(dim) {
            for (v, draw) in v.iter_mut().zip(draws(random, dim)) {
                *v = draw * draw * v_size;
            }
        }
    }
    // The largest v is not below v.
    if slots == 3 {
        for slots in state.slots.chunks_mut(3 * dim) {
            let (v, most) = slots[dim..].split_at_mut(dim);
            most.iter_mut().zip(v).for_each(|(most, v)| *most = if *v > *most { *v } else { *most });
        }
    }
    state
}

fn ulp(x: f32) -> f64 {
    let x = x.abs();
    f64::from(f32::from_bits(x.to_bits() + 1)) - f64::from(x)
}

/// Catches all rows up and compares: 1e-6 of the way and a unit in the last place of the weight. If a gap `may_be_replayed`, the
/// weights may have the bits of the dense form in `f32` instead.
fn check<O, R: Fn(u32) -> f64>(
    optimizer: O,
    dense: &Dense<R>,
    state: &State,
    until: u32,
    may_be_replayed: bool,
) where
    O: Optimizer + Summed<Step = <O as Optimizer>::Rule> + Copy,
{
    let (dim, last, rows) = (state.dim, state.last_steps[0], state.rows());
    let catch_up = |optimizer: &dyn Fn(&mut TableMut<'_>, &mut TableMut<'_>, &mut [u32])| {
        let mut state = state.clone();
        let (mut weights, mut slots, last_steps) = state.views();
        optimizer(&mut weights, &mut slots, last_steps);
        state
    };
    let found = catch_up(&|weights, slots, last_steps| {
        Series(optimizer).catch_up(until, 0..rows, weights, slots, last_steps).expect("shapes that agree");
    });
    assert!(found.last_steps.iter().all(|last| *last == until));
    if may_be_replayed {
        let replayed = catch_up(&|weights, slots, last_steps| {
            Exact(optimizer).catch_up(until, 0..rows, weights, slots, last_steps).expect("shapes that agree");
        });
        if bits(&found.weights) == bits(&replayed.weights) {
            return;
        }
    }
    let kinds = state.slots.len() / state.weights.len();
    let of = |slots: &[f32], place: usize, kind: usize| {
        f64::from(slots[(place / dim * kinds + kind) * dim + place % dim])
    };
    let mut columns: Vec<Column> = (0..state.weights.len())
        .map(|place| {
            let [m, v, most] = [0, 1, kinds - 1].map(|kind| of(&state.slots, place, kind));
            Column { w: f64::from(state.weights[place]), m, v, most, way: 0.0 }
        })
        .collect();
    dense.steps(last, until, &mut columns);
    for (place, (w, column)) in found.weights.iter().zip(&columns).enumerate() {
        let [m, v, most] = [0, 1, kinds - 1].map(|kind| of(&state.slots, place, kind));
        let difference = (f64::from(*w) - column.w).abs();
        assert!(
            difference <= 1e-6 * column.way + ulp(*w),
            "{} went to {w} for {}, {:e} of the way; m {m:e}, v {v:e}, steps {last} to {until}",
            state.weights[place],
            column.w,
            difference / column.way
        );
        for (kind, before, expected) in [(0, m, column.m), (1, v, column.v)] {
            let found = of(&found.slots, place, kind);
            // What a moment is multiplied by may be subnormal.
            let bound = 2e-7 * expected.abs() + 1e-45 * before.abs() + 1e-44;
            assert!((found - expected).abs() <= bound, "moment {kind}: {found:e} for {expected:e}");
        }
        if kinds == 3 {
            assert_eq!(of(&found.slots, place, 2), most, "the largest v stays");
        }
    }
}

fn sizes() -> impl Strategy<Value = [f32; 2]> {
    // Tiny and huge moments, of one size and of others; also a v that is 0.
    let g = prop::sample::select(vec![1e-18_f32, 1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e9, 1e18]);
    let by = prop::sample::select(vec![0.0_f32, 1e-4, 1e-2, 1.0]);
    (g, by).prop_map(|(g, by)| [g, g * g * by])
}

fn starts() -> impl Strategy<Value = u32> {
    prop_oneof![1..40_u32, 1..3000_u32, 10_000..2_000_000_u32]
}

fn gaps() -> impl Strategy<Value = u32> {
    prop_oneof![1..40_u32, 200..300_u32, 1..=10_000_u32]
}

fn adam() -> impl Strategy<Value = Adam> {
    let beta_2 = prop::sample::select(vec![0.99_f32, 0.999, 0.9999]);
    let epsilon = prop::sample::select(vec![1e-12_f32, 1e-8, 1e-7, 1e-3]);
    (1e-4..0.1_f32, beta_2, epsilon, any::<bool>()).prop_map(|(learning_rate, beta_2, epsilon, corrected)| {
        Adam {
            learning_rate,
            beta_1: 0.9,
            beta_2,
            epsilon: if corrected {
                Epsilon::OutsideCorrectedRoot(epsilon)
            } else {
                Epsilon::OutsideRoot(epsilon)
            },
            keras3_duplicates: false,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_sum_of_a_gap_is_that_of_its_steps(seed: u64, adam in adam(), start in starts(), gap in gaps(), sizes in sizes(), weight_decay in 1e-4..0.5_f64) {
        let random = &mut Random::seed_from_u64(seed);
        let corrected = matches!(adam.epsilon, Epsilon::OutsideCorrectedRoot(_));
        // The correction of the first steps changes the denominators too much.
        let may_be_replayed = corrected && start < 1000;
        let until = start + gap;
        let (two, three) = (state(random, start, 2, sizes), state(random, start, 3, sizes));
        let rate = f64::from(adam.learning_rate);
        let dense = Dense::of(adam, |_| rate);
        check(adam, &dense, &two, until, may_be_replayed);
        check(Clipped { optimizer: adam, clip: Clip::Norm(1.0), keras3_duplicates: false }, &dense, &two, until, may_be_replayed);
        check(AmsGrad(adam), &Dense { largest: true, ..Dense::of(adam, |_| rate) }, &three, until, may_be_replayed);
        let decayed = DecoupledDecay { optimizer: adam, weight_decay: weight_decay as f32 };
        let weight_decay = f64::from(decayed.weight_decay);
        // A weight that decays fast leaves little of the first steps.
        let decays_fast = may_be_replayed || rate * weight_decay > 1e-4;
        check(decayed, &Dense { weight_decay, ..Dense::of(adam, |_| rate) }, &two, until, decays_fast);
        let Adam { learning_rate, beta_1, beta_2, epsilon, keras3_duplicates } = adam;
        let nadam = Nadam { learning_rate, beta_1, beta_2, epsilon, keras3_duplicates };
        check(nadam, &Dense { nesterov: true, ..Dense::of(adam, |_| rate) }, &two, until, may_be_replayed);
    }

    #[test]
    fn rates_by_schedule(seed: u64, adam in adam(), start in 1..3000_u32, gap in gaps(), sizes in sizes(), falls: bool, at in 1..4000_u32) {
        fn each<S: Schedule>(schedule: S, adam: Adam, states: &[State; 2], until: u32, jumps: bool) {
            let rate = |step: u32| f64::from(schedule.rate(step - 1));
            let corrected = matches!(adam.epsilon, Epsilon::OutsideCorrectedRoot(_));
            let may_be_replayed = jumps || corrected && states[0].last_steps[0] < 1000;
            let scheduled = Scheduled { optimizer: adam, schedule };
            check(scheduled, &Dense::of(adam, rate), &states[0], until, may_be_replayed);
            let dense = Dense { weight_decay: 1.0 / 1024.0, ..Dense::of(adam, rate) };
            check(DecoupledDecay { optimizer: scheduled, weight_decay: 1.0 / 1024.0 }, &dense, &states[0], until, may_be_replayed);
            let scheduled = Scheduled { optimizer: AmsGrad(adam), schedule };
            check(scheduled, &Dense { largest: true, ..Dense::of(adam, rate) }, &states[1], until, may_be_replayed);
        }
        let random = &mut Random::seed_from_u64(seed);
        let (states, until) = ([2, 3].map(|slots| state(random, start, slots, sizes)), start + gap);
        each(CosineDecay { initial_learning_rate: 0.01, decay_steps: 2000, alpha: 0.1 }, adam, &states, until, false);
        each(InverseTimeDecay { initial_learning_rate: 0.1, decay_steps: 100, decay_rate: 0.5, staircase: true }, adam, &states, until, false);
        // Also one that rises a million times when the moments have all but vanished.
        let later = if falls { 0.0 } else { 1.0 };
        let schedule = PiecewiseConstantDecay { boundaries: [at, at + 100], values: [1e-6, 1e-3], last_value: later };
        each(schedule, adam, &states, until, true);
    }

    /// Where the second moment decays too fast for the series, the bits are those of the replay.
    #[test]
    fn what_has_no_sum_is_replayed(seed: u64, gap in 30..2000_u32, inside: bool) {
        let epsilon = if inside { Epsilon::InsideRoot(1e-7) } else { Epsilon::OutsideRoot(1e-8) };
        let adam = Adam { beta_2: if inside { 0.999 } else { 0.95 }, epsilon, ..Adam::default() };
        let start = state(&mut Random::seed_from_u64(seed), 100, 2, [1.0, 1.0]);
        let (mut series, mut exact) = (start.clone(), start);
        let (mut weights, mut slots, last_steps) = series.views();
        Series(adam).catch_up(100 + gap, 0..4, &mut weights, &mut slots, last_steps).expect("shapes");
        let (mut weights, mut slots, last_steps) = exact.views();
        Exact(adam).catch_up(100 + gap, 0..4, &mut weights, &mut slots, last_steps).expect("shapes");
        prop_assert_eq!(bits(&series.weights), bits(&exact.weights));
        prop_assert!(series.last_steps.iter().all(|last| *last == 100 + gap));
    }
}

/// The bits of a call do not depend on the level, also in the ragged end of a row.
#[test]
fn all_levels_have_the_same_bits() {
    for (seed, gap) in (0..).zip([1, 2, 11, 100, 256, 257, 3000]) {
        let start = state(&mut Random::seed_from_u64(seed), 700, 2, [1.0, 1.0]);
        let found = Level::available().map(|level| {
            let mut found = start.clone();
            let (table, slots, last_steps) = found.views();
            let (adam, lagging) = (Adam::default(), Lagging { table, slots, last_steps });
            internals::close_gaps_at(level, &adam, |step| adam.rule(step), 700 + gap, 0..4, lagging)
                .expect("shapes that agree");
            (bits(&found.weights), bits(&found.slots))
        });
        let found: Vec<_> = found.collect();
        assert!(found.iter().all(|other| *other == found[0]), "a gap of {gap}");
        assert_ne!(found[0].0, bits(&start.weights));
    }
}

/// Lists of all lengths around those of a group, with rows that come again and rows that the table lacks.
#[test]
fn rows_of_a_list_are_caught_up_as_each_by_itself() {
    fn check(optimizer: &impl Optimizer, start: &State) {
        const LACKING: [usize; 3] = [4, usize::MAX, 9];
        for length in 0..40 {
            let list: Vec<usize> = (0..length)
                .map(|place| if place % 8 < 2 { LACKING[place % 3] } else { (place * place + length) % 4 })
                .collect();
            let (mut together, mut by_itself) = (start.clone(), start.clone());
            let (mut table, mut slots, last_steps) = together.views();
            let rows = list.iter().copied();
            optimizer.catch_up(1000, rows, &mut table, &mut slots, last_steps).expect("shapes that agree");
            for row in list {
                let (mut table, mut slots, last_steps) = by_itself.views();
                let rows = row..row.saturating_add(1);
                optimizer
                    .catch_up(1000, rows, &mut table, &mut slots, last_steps)
                    .expect("shapes that agree");
            }
            assert_eq!(together.last_steps, by_itself.last_steps, "{length} rows");
            assert_eq!(bits(&together.weights), bits(&by_itself.weights), "{length} rows");
            assert_eq!(bits(&together.slots), bits(&by_itself.slots), "{length} rows");
        }
    }
    // One that lags by more than what is kept, one by less, one that is up to date, one that was never touched.
    let last_steps = vec![300, 990, 1000, 0];
    let start = State { last_steps, ..state(&mut Random::seed_from_u64(3), 1, 2, [1.0, 1.0]) };
    check(&Series(Adam::default()), &start);
    check(&Exact(Adam::default()), &start);
    // Gaps of one call with and without a sum.
    check(&Series(Adam { beta_2: 0.95, ..Adam::default() }), &start);
}

/// Also where nothing is moved: a rate of 0, moments that are 0, and rows that never had a gradient.
#[test]
fn what_does_not_move() {
    let start = state(&mut Random::seed_from_u64(1), 5, 2, [1.0, 1.0]);
    let still = |adam: Adam, start: &State| {
        let mut found = start.clone();
        let (mut weights, mut slots, last_steps) = found.views();
        Series(adam).catch_up(20, 0..4, &mut weights, &mut slots, last_steps).expect("shapes that agree");
        assert_eq!(bits(&found.weights), bits(&start.weights));
        found
    };
    let found = still(Adam { learning_rate: 0.0, ..Adam::default() }, &start);
    assert_ne!(bits(&found.slots), bits(&start.slots), "moments decay");
    still(Adam { beta_1: 0.0, ..Adam::default() }, &start);
    still(Adam::default(), &State { slots: vec![0.0; start.slots.len()], ..start.clone() });
    let untouched = State { last_steps: vec![0; 4], ..start };
    let found = still(Adam::default(), &untouched);
    assert_eq!((bits(&found.slots), found.last_steps), (bits(&untouched.slots), vec![0; 4]));
}

/// A training in which rows come and go, beside the replay: their weights stay together.
#[test]
fn a_training_stays_beside_the_replay() {
    fn train(optimizer: &impl Optimizer) -> State {
        let random = &mut Random::seed_from_u64(9);
        let mut state = State::new(random, 30, 19, 2);
        for step in 1..=400 {
            let rows = (0..step % 3).map(|n| (step * 7 + n * step * step) % 30).collect();
            let batch = Occurring::new(random, rows, 19);
            let (mut weights, mut slots, last_steps) = state.views();
            let update = |touched: &mut SparseGradient<'_>| {
                optimizer.update_rows(optimizer.step(step), &mut weights, &mut slots, last_steps, touched)
            };
            batch.touched(19, update).expect("shapes that agree");
        }
        let (mut weights, mut slots, last_steps) = state.views();
        optimizer.catch_up(400, 0..30, &mut weights, &mut slots, last_steps).expect("shapes that agree");
        state
    }
    let (series, exact) = (train(&Series(Adam::default())), train(&Exact(Adam::default())));
    for (series, exact) in series.weights.iter().zip(&exact.weights) {
        // A hundredth of one step of 0.001, after up to 400 of them.
        assert!((series - exact).abs() <= 1e-5, "{series} and {exact}");
    }
    assert_ne!(bits(&series.weights), bits(&exact.weights), "the sum is not the replay");
}
