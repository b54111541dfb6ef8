//! Losses: value and gradient, where probabilities are clipped, and at their corners.

use super::{assert_close, differences, wide};
use crate::common::{Random, draw, vector};
use nanoembed::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Loss, MeanAbsoluteError, MeanSquaredError, OnProbabilities,
    SparseCategoricalCrossEntropy,
};
use rand_core::{Rng, SeedableRng};

/// Holds value and gradient of a loss on N outputs to the plain formula `value(y, label)`.
fn check_loss<L, const N: usize>(
    what: &str,
    loss: &L,
    y: [f32; N],
    label: L::Label,
    value: impl Fn(&[f64], &L::Label) -> f64,
) where
    L: Loss<[f32; N]>,
{
    assert!(loss.check_label(&label).is_ok(), "{what}");
    let mut d_y = [f32::NAN; N];
    let found = loss.value_and_gradient(&y, &label, 1.0, &mut d_y);
    assert_close(what, &[found], &[value(&wide(&y), &label)]);
    assert_close(&format!("{what}: gradient"), &d_y, &differences(&wide(&y), |y| value(y, &label)));
    let mut of_eight = [f32::NAN; N];
    let same = loss.value_and_gradient(&y, &label, 8.0, &mut of_eight);
    assert_eq!((found, d_y.map(|d| d / 8.0)), (same, of_eight), "{what}: an eighth of the batch");
}

/// Values and differences of the plain formulas of Keras, in `f64`.
mod naive {
    fn smooth(label: &[f32], smoothing: f32, classes: f64) -> Vec<f64> {
        let a = f64::from(smoothing);
        label.iter().map(|t| f64::from(*t) * (1.0 - a) + a / classes).collect()
    }

    fn softmax(x: &[f64]) -> Vec<f64> {
        let sum: f64 = x.iter().map(|x| x.exp()).sum();
        x.iter().map(|x| x.exp() / sum).collect()
    }

    pub(crate) fn binary(p: &[f64], label: &[f32], smoothing: f32) -> f64 {
        let labels = smooth(label, smoothing, 2.0);
        let one = |(p, t): (&f64, &f64)| -(t * p.ln() + (1.0 - t) * (1.0 - p).ln());
        p.iter().zip(&labels).map(one).sum::<f64>() / p.len() as f64
    }

    pub(crate) fn binary_of_scores(x: &[f64], label: &[f32], smoothing: f32) -> f64 {
        let p: Vec<f64> = x.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect();
        binary(&p, label, smoothing)
    }

    pub(crate) fn categorical(p: &[f64], label: &[f32], smoothing: f32) -> f64 {
        let (labels, total) = (smooth(label, smoothing, p.len() as f64), p.iter().sum::<f64>());
        -p.iter().zip(&labels).map(|(p, t)| t * (p / total).ln()).sum::<f64>()
    }

    pub(crate) fn categorical_of_scores(x: &[f64], label: &[f32], smoothing: f32) -> f64 {
        categorical(&softmax(x), label, smoothing)
    }

    pub(crate) fn mean_of(y: &[f64], label: &[f32], term: impl Fn(f64) -> f64) -> f64 {
        y.iter().zip(label).map(|(y, t)| term(y - f64::from(*t))).sum::<f64>() / y.len() as f64
    }

    pub(crate) fn sparse(p: &[f64], class: u16) -> f64 {
        p.iter().sum::<f64>().ln() - p[usize::from(class)].ln()
    }

    pub(crate) fn sparse_of_scores(x: &[f64], class: u16) -> f64 {
        sparse(&softmax(x), class)
    }
}

fn check_losses<const N: usize>() {
    for seed in 0..10 {
        let random = &mut Random::seed_from_u64(seed);
        let scores: [f32; N] = vector(random).map(|x: f32| 6.0 * x);
        // Probabilities away from the clip, which has no derivative; not normalised either.
        let p: [f32; N] = vector(random).map(|x: f32| 0.5 + 0.48 * x);
        let soft: [f32; N] = vector(random).map(|x: f32| 0.5 + 0.5 * x);
        let hard: [f32; N] = soft.map(|t| f32::from(t > 0.5));
        for (label, label_smoothing) in [(soft, 0.0), (hard, 0.0), (hard, 0.1), (soft, 1.0), (soft, 0.3)] {
            let a = label_smoothing;
            let loss = BinaryCrossEntropy { label_smoothing };
            let what = format!("binary, {N} outputs, smoothing {a}");
            check_loss(&what, &loss, scores, label, |x, t| naive::binary_of_scores(x, t, a));
            let what = format!("binary on probabilities, {N} outputs, smoothing {a}");
            check_loss(&what, &OnProbabilities(loss), p, label, |p, t| naive::binary(p, t, a));
        }
        // Errors away from 0, where the absolute one has no derivative.
        let numbers = scores.map(|x| x + if draw(random) > 0.0 { 0.7 } else { -0.7 });
        check_loss("squared", &MeanSquaredError, scores, numbers, |y, t| naive::mean_of(y, t, |e| e * e));
        check_loss("absolute", &MeanAbsoluteError, scores, numbers, |y, t| naive::mean_of(y, t, f64::abs));
    }
}

/// The same of losses over several classes.
fn check_categorical_losses<const N: usize>() {
    for seed in 0..10 {
        let random = &mut Random::seed_from_u64(seed);
        let scores: [f32; N] = vector(random).map(|x: f32| 6.0 * x);
        let p: [f32; N] = vector(random).map(|x: f32| 0.5 + 0.48 * x);
        let soft: [f32; N] = vector(random).map(|x: f32| 0.5 + 0.5 * x);
        let hard: [f32; N] = soft.map(|t| f32::from(t > 0.5));
        for (label, label_smoothing) in [(soft, 0.0), (hard, 0.0), (hard, 0.1), (soft, 1.0), (soft, 0.3)] {
            let a = label_smoothing;
            let loss = CategoricalCrossEntropy { label_smoothing };
            let what = format!("categorical, {N} outputs, smoothing {a}");
            check_loss(&what, &loss, scores, label, |x, t| naive::categorical_of_scores(x, t, a));
            let what = format!("categorical on probabilities, {N} outputs, smoothing {a}");
            check_loss(&what, &OnProbabilities(loss), p, label, |p, t| naive::categorical(p, t, a));
        }
        let class = (random.next_u32() % N as u32) as u16;
        let loss = SparseCategoricalCrossEntropy;
        check_loss("sparse", &loss, scores, class, |x, class| naive::sparse_of_scores(x, *class));
        check_loss("sparse on probabilities", &OnProbabilities(loss), p, class, |p, class| {
            naive::sparse(p, *class)
        });
    }
}

#[test]
fn losses() {
    check_losses::<1>();
    check_losses::<2>();
    check_losses::<5>();
    check_losses::<17>();
    check_losses::<33>();
    check_categorical_losses::<2>();
    check_categorical_losses::<5>();
    check_categorical_losses::<17>();
    check_categorical_losses::<33>();
}

/// Where the clip of probabilities acts, the gradient of the element is zero and the value is that of the border.
#[test]
fn clipped_probabilities() {
    let loss = OnProbabilities(BinaryCrossEntropy::default());
    for (p, t) in [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (2.0, 0.0), (0.0, 0.0), (1.0, 1.0)] {
        let mut d = [f32::NAN];
        let value = loss.value_and_gradient(&[p], &[t], 1.0, &mut d);
        assert_eq!(d, [0.0], "p {p}, t {t}");
        let expected = if f32::from(p > 0.5) == t { 0.9e-7..1.3e-7 } else { 15.9..16.2 };
        assert!(expected.contains(&value), "p {p}, t {t}: {value}");
    }
    let mut d = [f32::NAN; 3];
    let sparse = OnProbabilities(SparseCategoricalCrossEntropy);
    let value = sparse.value_and_gradient(&[0.0, 0.5, 0.5], &0, 1.0, &mut d);
    assert!((16.0..16.2).contains(&value) && d[0] == 0.0 && d[1] > 0.99, "{value}, {d:?}");
}

/// The gradient is the label's distance to the probability however far the score is: a saturated unit goes on learning.
#[test]
fn saturated_scores() {
    let mut d = [f32::NAN];
    let value = BinaryCrossEntropy::default().value_and_gradient(&[-200.0], &[1.0], 1.0, &mut d);
    assert_eq!((value, d), (200.0, [-1.0]));
    let mut d = [f32::NAN; 2];
    let value = SparseCategoricalCrossEntropy.value_and_gradient(&[300.0, -300.0], &1, 1.0, &mut d);
    assert_eq!((value, d), (600.0, [1.0, -1.0]));
}

/// Where the prediction is right there is nothing to learn, and errors of NaN stay NaN.
#[test]
fn errors_of_numbers_at_their_corners() {
    let mut d = [f32::NAN; 2];
    assert_eq!(MeanAbsoluteError.value_and_gradient(&[3.0, -1.0], &[3.0, 1.0], 1.0, &mut d), 1.0);
    assert_eq!(d, [0.0, -0.5]);
    assert_eq!(MeanSquaredError.value_and_gradient(&[3.0, -1.0], &[3.0, 1.0], 1.0, &mut d), 2.0);
    assert_eq!(d, [0.0, -2.0]);
    for label in [f32::NAN, f32::INFINITY] {
        assert!(MeanAbsoluteError.check_label(&[label]).is_err());
        assert!(MeanSquaredError.check_label(&[label]).is_err());
    }
    assert!(MeanSquaredError.check_label(&[-1e9]).is_ok());
    let mut d = [0.0];
    assert!(MeanAbsoluteError.value_and_gradient(&[f32::NAN], &[1.0], 1.0, &mut d).is_nan() && d[0].is_nan());
    // Keras' accuracy: one number by its side of 1/2, several by their largest.
    assert_eq!(MeanSquaredError.accuracy(&[0.6], &[1.0]), 1.0);
    assert_eq!(MeanSquaredError.accuracy(&[0.4], &[1.0]), 0.0);
    assert_eq!(MeanAbsoluteError.accuracy(&[0.1, 0.2, 0.0], &[0.0, 9.0, 3.0]), 1.0);
}
