//! A row rests only when no step would move it any more.

use super::exact::Replayed;
use super::{Occurring, State};
use nanoembed::internals::leaves_unmoved;
use nanoembed::optim::{Adam, Exact, Nadam, Optimizer};
use nanoembed::sparse::SparseGradient;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

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

/// No step moves NaN: a row that diverged rests, and costs nothing however long it is away.
#[test]
fn rows_that_diverged_rest() {
    let exact = Exact(Adam::default());
    let mut state = State { dim: 1, weights: vec![f32::NAN], slots: vec![f32::NAN; 2], last_steps: vec![1] };
    let (mut weights, mut slots, last_steps) = state.views();
    exact.catch_up(4_000_000_000, 0..1, &mut weights, &mut slots, last_steps).unwrap();
    assert!(state.last_steps[0] < 10 && state.weights[0].is_nan(), "{state:?}");
}
