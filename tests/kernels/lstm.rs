//! The gates of an LSTM have the bits of `reference` at every level, for every number of units and every value.

use crate::common::bits_with_one_nan;
use nanoembed::error::ShapeMismatch;
use nanoembed::internals::{self, reference};
use nanoembed::simd::Level;
use proptest::prelude::*;

/// Units at the edges of lanes and blocks (16, 64), and any others.
fn units() -> impl Strategy<Value = usize> {
    let edges = vec![0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129];
    prop_oneof![prop::sample::select(edges), 0..150_usize]
}

/// Numbers where σ and tanh bend and where they are flat; or, in some cases, ones that are rare and dangerous.
fn numbers(length: usize) -> impl Strategy<Value = Vec<f32>> {
    let ordinary = prop_oneof![4 => -2.0..2.0_f32, 1 => -30.0..30.0_f32, 1 => -1e-6..1e-6_f32];
    let special = prop_oneof![
        8 => -10.0..10.0_f32,
        2 => prop::sample::select(vec![
            0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 1e-42, -1e-45, f32::NAN, -100.0
        ]),
        1 => any::<u32>().prop_map(f32::from_bits),
    ];
    prop_oneof![3 => prop::collection::vec(ordinary, length), 1 => prop::collection::vec(special, length)]
}

/// Gates, and two vectors beside them.
fn step() -> impl Strategy<Value = (Vec<f32>, Vec<f32>, Vec<f32>, Vec<f32>)> {
    units().prop_flat_map(|n| (numbers(4 * n), numbers(n), numbers(n), numbers(n)))
}

type Forward<'a> = &'a dyn Fn(&mut [f32], &mut [f32], &mut [f32]) -> Result<(), ShapeMismatch>;
type Backward<'a> = &'a dyn Fn(&mut [f32], &[f32], &[f32], &mut [f32]) -> Result<(), ShapeMismatch>;

proptest! {
    #[test]
    fn gates_have_the_bits_of_the_reference((z, c, h, _) in step()) {
        let run = |gates: Forward<'_>| {
            let (mut z, mut c, mut h) = (z.clone(), c.clone(), h.clone());
            gates(&mut z, &mut c, &mut h).unwrap();
            [bits_with_one_nan(&z), bits_with_one_nan(&c), bits_with_one_nan(&h)]
        };
        let expected = run(&reference::lstm_gates);
        assert_eq!(run(&internals::lstm_gates), expected);
        for level in Level::available() {
            let found = run(&|z, c, h| internals::lstm_gates_at(level, z, c, h));
            assert_eq!(found, expected, "{}", level.name());
        }
    }

    #[test]
    fn gradients_have_the_bits_of_the_reference((gates, c, d_h, d_c) in step()) {
        let run = |backward: Backward<'_>| {
            let (mut gates, mut d_c) = (gates.clone(), d_c.clone());
            backward(&mut gates, &c, &d_h, &mut d_c).unwrap();
            [bits_with_one_nan(&gates), bits_with_one_nan(&d_c)]
        };
        let expected = run(&reference::lstm_gates_backward);
        assert_eq!(run(&internals::lstm_gates_backward), expected);
        for level in Level::available() {
            let found = run(&|gates, c, d_h, d_c| internals::lstm_gates_backward_at(level, gates, c, d_h, d_c));
            assert_eq!(found, expected, "{}", level.name());
        }
    }
}

#[test]
fn lengths_that_do_not_fit_are_refused_before_anything_is_written() {
    let error = |what, expected, found| Err(ShapeMismatch { what, expected, found });
    let (mut z, mut c, mut h) = ([0.5; 12], [0.5; 3], [0.5; 3]);
    for level in Level::available() {
        assert_eq!(internals::lstm_gates_at(level, &mut z, &mut c, &mut h[..2]), error("length of h", 3, 2));
        assert_eq!(
            internals::lstm_gates_at(level, &mut z[..11], &mut c, &mut h),
            error("length of z", 12, 11)
        );
        let backward = internals::lstm_gates_backward_at;
        assert_eq!(backward(level, &mut z, &c, &h[..2], &mut [0.5; 3]), error("length of d_h", 3, 2));
        assert_eq!(backward(level, &mut z, &c, &h, &mut [0.5; 4]), error("length of d_c", 3, 4));
        assert_eq!(backward(level, &mut z[1..], &c, &h, &mut [0.5; 3]), error("length of gates", 12, 11));
    }
    assert_eq!((z, c, h), ([0.5; 12], [0.5; 3], [0.5; 3]));
}
