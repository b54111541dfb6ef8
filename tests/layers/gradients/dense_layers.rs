//! Dense layers, and those that only lay numbers side by side.

use super::{BATCH, assert_close, backward, check_parameters, dense, differences, set_parameters, wide};
use crate::common::{Random, draw, parameters, vector};
use nanoembed::layers::options::IgnoreMask;
use nanoembed::layers::{ActivationFunction, Dense, Flatten, Identity, Layer, Relu, Sigmoid, Softmax, Tanh};
use rand_core::SeedableRng;

fn check_dense<const IN: usize, const OUT: usize, A: ActivationFunction>() {
    let what = format!("Dense<{IN}, {OUT}, {}>", A::KIND.name());
    for seed in 0..6 {
        let random = &mut Random::seed_from_u64(seed);
        let x: Vec<[f32; IN]> = (0..=seed as usize % BATCH).map(|_| vector(random)).collect();
        let forward = |parameters: &[f64], x: &[f32; IN]| dense(A::KIND, parameters, &wide(x), OUT);
        check_parameters::<Dense<IN, OUT, A>>(&what, random, &x, forward);

        let mut layer = Dense::<IN, OUT, A>::zeroed();
        set_parameters(&mut layer, || draw(random));
        let c: Vec<[f32; OUT]> = x.iter().map(|_| vector(random)).collect();
        let pass = backward(&layer, &x, &vec![(); x.len()], &c);
        let parameters = wide(&parameters(&layer));
        for ((x, c), d_x) in x.iter().zip(&c).zip(&pass.d_x) {
            let value = |x: &[f64]| {
                let y = dense(A::KIND, &parameters, x, OUT);
                y.iter().zip(c).map(|(y, c)| y * f64::from(*c)).sum()
            };
            assert_close(&format!("{what}: gradient of the input"), d_x, &differences(&wide(x), value));
        }
    }
}

#[test]
fn dense_layers() {
    macro_rules! with_each {
        ($($activation:ty)*) => {$(
            check_dense::<3, 2, $activation>();
            check_dense::<17, 5, $activation>();
            check_dense::<4, 33, $activation>();
        )*};
    }
    with_each!(Identity Relu Sigmoid Softmax Tanh);
    check_dense::<1, 1, Identity>();
    check_dense::<1, 1, Relu>();
    check_dense::<1, 1, Sigmoid>();
    check_dense::<1, 1, Tanh>();
    check_dense::<1, 2, Softmax>();
}

#[test]
fn flatten_layers() {
    let random = &mut Random::seed_from_u64(1);
    let x: [[[f32; 3]; 4]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| vector(random)));
    let c: [[f32; 12]; 2] = std::array::from_fn(|_| vector(random));
    for masks in [[[true; 4]; 2], [[true, false, true, false], [false; 4]]] {
        let honoured = |values: &[f32; 12], mask: &[bool; 4]| {
            let mut values = *values;
            for (step, _) in mask.iter().enumerate().filter(|(_, valid)| !**valid) {
                values[3 * step..][..3].fill(0.0);
            }
            values
        };
        let pass = backward(&Flatten::<4, 3, 12>::zeroed(), &x, &masks, &c);
        let ignoring = backward(&Flatten::<4, 3, 12, IgnoreMask>::zeroed(), &x, &masks, &c);
        for b in 0..2 {
            let flat: [f32; 12] = x[b].as_flattened().try_into().expect("4 * 3 numbers");
            assert_eq!(pass.y[b], honoured(&flat, &masks[b]));
            assert_eq!(pass.d_x[b].as_flattened(), honoured(&c[b], &masks[b]));
            assert_eq!(ignoring.y[b], flat);
            assert_eq!(ignoring.d_x[b].as_flattened(), c[b]);
        }
        assert!(pass.gradient.is_empty() && ignoring.gradient.is_empty());
    }
}
