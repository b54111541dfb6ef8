//! `Lstm`: what masks, directions and initial values promise.

use crate::common::pass as both_ways;
use crate::common::{Random, draw};
use nanoembed::internals::{Direction, Returned};
use nanoembed::layers::options::{GoBackwards, GoForwards, MaskZero, ReturnLast, ReturnSequences};
use nanoembed::layers::{Embedding, Layer, LayerSummary, Lstm, Parameters, Value};
use nanoembed::math;
use nanoembed::optim::{Optimizer, Sgd};
use nanoembed::sequential;
use nanoembed::table::Numbers;
use rand_core::SeedableRng;
use zerocopy::FromZeros;

/// A layer of any length and form with the same parameters, which do not depend on either.
fn layer<const LEN: usize, R: Returned, D: Direction>() -> Lstm<LEN, 3, 5, R, D> {
    let random = &mut Random::seed_from_u64(2);
    let mut layer = Lstm::new(random);
    layer.bias.as_numbers_mut().iter_mut().for_each(|b| *b = draw(random));
    layer
}

fn sequence<const LEN: usize>() -> [[f32; 3]; LEN] {
    let random = &mut Random::seed_from_u64(3);
    std::array::from_fn(|_| std::array::from_fn(|_| draw(random)))
}

/// What one pass over one example gives; the output's gradient is all ones.
struct Pass<const LEN: usize, R: Returned> {
    y: R::Output<LEN, 5>,
    y_mask: <R::Output<LEN, 5> as Value>::Mask,
    d_x: [[f32; 3]; LEN],
    /// All parameters after a step of size 1 from zero.
    stepped: Vec<f32>,
}

fn pass<const LEN: usize, R: Returned, D: Direction>(x: [[f32; 3]; LEN], mask: [bool; LEN]) -> Pass<LEN, R> {
    type Of<const LEN: usize, R, D> = Lstm<LEN, 3, 5, R, D>;
    let layer = layer::<LEN, R, D>();
    let mut gradient = <Of<LEN, R, D> as Parameters>::Gradient::<1>::new_zeroed();
    let mut d_y = [R::Output::<LEN, 5>::new_zeroed()];
    let mut rows = R::rows_mut::<LEN, 5>(&mut d_y);
    for row in 0..rows.rows() {
        rows.row_mut(row).unwrap().fill(1.0);
    }
    let both_ways::Pass { y, y_masks, d_x } =
        both_ways::pass::<Of<LEN, R, D>, 1>(&layer, &[x], &[mask], &d_y, Some(&mut gradient));
    let (mut stepped, mut slots) =
        (Of::<LEN, R, D>::zeroed(), <Of<LEN, R, D> as Parameters>::Slots::<Sgd>::new_zeroed());
    let sgd = Sgd { learning_rate: 1.0 };
    stepped.step::<Sgd, 1>(&sgd, sgd.step(1), &mut gradient, &mut slots);
    let parts =
        [stepped.kernel.as_numbers(), stepped.recurrent_kernel.as_numbers(), stepped.bias.as_numbers()];
    Pass { y: y[0], y_mask: y_masks[0], d_x: d_x[0], stepped: parts.concat() }
}

/// A sequence with holes gives the bits of the sequence without the masked steps, whatever stands in them.
#[test]
fn masked_steps_are_as_if_they_were_not_there() {
    let short = sequence::<3>();
    let expected = pass::<3, ReturnLast, GoForwards>(short, [true; 3]);
    for hole in [0.0, 1.0, 1e30, f32::NAN] {
        let hole = [hole; 3];
        for (x, mask) in [
            ([hole, short[0], hole, short[1], short[2]], [false, true, false, true, true]),
            ([hole, hole, short[0], short[1], short[2]], [false, false, true, true, true]),
            ([short[0], short[1], short[2], hole, hole], [true, true, true, false, false]),
        ] {
            let found = pass::<5, ReturnLast, GoForwards>(x, mask);
            assert_eq!(found.y, expected.y, "{mask:?}");
            assert_eq!(found.stepped, expected.stepped, "{mask:?}");
            let mut d_short = expected.d_x.iter();
            for (d_x, valid) in found.d_x.iter().zip(mask) {
                assert_eq!(d_x, if valid { d_short.next().unwrap() } else { &[0.0; 3] }, "{mask:?}");
            }
        }
    }
}

/// In a sequence of outputs a masked step repeats the one before it, zeros if there is none; the mask goes on.
#[test]
fn masked_steps_repeat_the_output() {
    let mask = [false, true, false, false, true];
    let found = pass::<5, ReturnSequences, GoForwards>(sequence(), mask);
    assert_eq!(found.y[0], [0.0; 5]);
    assert_ne!(found.y[1], [0.0; 5]);
    assert_eq!([found.y[2], found.y[3]], [found.y[1]; 2]);
    assert_ne!(found.y[4], found.y[3]);
    assert_eq!(found.y_mask, mask);
    // Read from the end, the last step gives the first output, and the mask is turned round with it.
    let found = pass::<5, ReturnSequences, GoBackwards>(sequence(), mask);
    assert_ne!(found.y[0], [0.0; 5]);
    assert_eq!([found.y[1], found.y[2]], [found.y[0]; 2]);
    assert_eq!(found.y[4], found.y[3]);
    assert_eq!(found.y_mask, [true, false, false, true, false]);
}

#[test]
fn a_sequence_without_a_valid_step_gives_zeros_and_learns_nothing() {
    fn check<const LEN: usize, R: Returned, D: Direction>() {
        let found = pass::<LEN, R, D>(sequence(), [false; LEN]);
        let y = R::rows::<LEN, 5>(std::slice::from_ref(&found.y));
        assert!((0..y.rows()).all(|row| y.row(row).unwrap() == [0.0; 5]));
        assert_eq!(found.d_x, [[0.0; 3]; LEN]);
        assert!(found.stepped.iter().all(|x| *x == 0.0));
    }
    check::<4, ReturnLast, GoForwards>();
    check::<4, ReturnSequences, GoForwards>();
    check::<4, ReturnLast, GoBackwards>();
    check::<1, ReturnSequences, GoBackwards>();
    // Through a chain: padding alone is such a sequence.
    let model = <sequential![Embedding<4, 9, 3, u16, MaskZero>, Lstm<4, 3, 5>]>::zeroed();
    assert_eq!(model.predict(&[0; 4]), Ok([0.0; 5]));
}

#[test]
fn going_backwards_reads_the_reversed_sequence() {
    let (x, mask) = (sequence::<6>(), [true, false, true, true, true, false]);
    let (mut reversed, mut reversed_mask) = (x, mask);
    reversed.reverse();
    reversed_mask.reverse();
    let expected = pass::<6, ReturnSequences, GoForwards>(reversed, reversed_mask);
    let found = pass::<6, ReturnSequences, GoBackwards>(x, mask);
    assert_eq!((found.y, found.y_mask), (expected.y, expected.y_mask));
    let mut d_x = found.d_x;
    d_x.reverse();
    assert_eq!(d_x, expected.d_x);
    let last = pass::<6, ReturnLast, GoBackwards>(x, mask);
    assert_eq!(last.y, expected.y[5]);
}

/// One step from nothing: no product with U, and its gradient is zero.
#[test]
fn a_sequence_of_one_step() {
    let found = pass::<1, ReturnLast, GoForwards>(sequence(), [true]);
    assert_eq!(found.y, pass::<1, ReturnSequences, GoBackwards>(sequence(), [true]).y[0]);
    assert!(found.stepped[3 * 20..][..5 * 20].iter().all(|d| *d == 0.0));
    assert!(found.stepped[..3 * 20].iter().any(|d| *d != 0.0));
}

#[test]
fn initial_values_are_those_of_keras() {
    fn check<const IN: usize, const UNITS: usize>() {
        let layer = Lstm::<4, IN, UNITS>::new(&mut Random::seed_from_u64(7));
        let limit = math::sqrt(6.0 / (IN + 4 * UNITS) as f32);
        let kernel = layer.kernel.as_numbers();
        assert!(kernel.iter().all(|w| w.abs() <= limit));
        assert_eq!(layer.bias, [[0.0; UNITS], [1.0; UNITS], [0.0; UNITS], [0.0; UNITS]]);
        let rows: Vec<&[f32]> = layer.recurrent_kernel.iter().map(Numbers::as_numbers).collect();
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                let product: f64 = a.iter().zip(*b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                let difference = (product - f64::from(u8::from(i == j))).abs();
                assert!(difference <= 1e-6, "rows {i} and {j}: {product}");
            }
        }
    }
    check::<1, 1>();
    check::<3, 5>();
    check::<32, 100>();
}

/// Orthogonal rows are normal numbers before they are turned: no direction is preferred.
#[test]
fn the_first_row_is_normally_distributed() {
    let (mut sum, mut squares, mut fourths) = (0.0, 0.0, 0.0);
    for seed in 0..50 {
        let layer = Lstm::<1, 1, 64>::new(&mut Random::seed_from_u64(seed));
        for x in layer.recurrent_kernel[0].as_numbers() {
            // Of 256 numbers that make up length 1.
            let x = f64::from(*x) * 16.0;
            (sum, squares, fourths) = (sum + x, squares + x * x, fourths + x.powi(4));
        }
    }
    let n = 50.0 * 256.0;
    assert!((sum / n).abs() < 0.03, "mean {}", sum / n);
    assert!((squares / n - 1.0).abs() < 1e-4, "variance {}", squares / n);
    assert!((fourths / n - 3.0).abs() < 0.2, "fourth moment {}", fourths / n);
}

#[test]
fn a_summary_counts_all_parameters() {
    let mut seen = Vec::new();
    Lstm::<500, 32, 100>::describe(&mut |layer| seen.push(layer));
    Lstm::<500, 32, 100, ReturnSequences>::describe(&mut |layer| seen.push(layer));
    let LayerSummary { name, shape, parameters, bytes, .. } = seen[0];
    assert_eq!((name, shape, parameters, bytes), ("LSTM", [100, 0], 53_200, 4 * 53_200));
    assert_eq!(seen[1].shape, [500, 100]);
}

#[test]
fn forms_have_fingerprints_of_their_own() {
    let prints = [
        Lstm::<4, 3, 5>::FINGERPRINT,
        Lstm::<4, 3, 5, ReturnSequences>::FINGERPRINT,
        Lstm::<4, 3, 5, ReturnLast, GoBackwards>::FINGERPRINT,
        Lstm::<4, 3, 6>::FINGERPRINT,
        Lstm::<4, 2, 5>::FINGERPRINT,
    ];
    for (i, a) in prints.iter().enumerate() {
        assert!(prints[..i].iter().all(|b| a != b), "{i}");
    }
}
