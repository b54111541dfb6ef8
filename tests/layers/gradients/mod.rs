//! Gradients of every layer and every loss against central differences of a plain forward pass in `f64`.
#![allow(clippy::disallowed_methods)]

mod chains;
mod dense_layers;
mod losses;
mod lstm;
mod sequences;
mod tables;

use crate::common::pass as both_ways;
use crate::common::{Random, draw, parameters};
use nanoembed::layers::{ActivationKind, Layer, Value};
use nanoembed::optim::{Optimizer, Sgd};
use nanoembed::table::Numbers;
use rand_core::Rng;
use zerocopy::FromZeros;

pub(crate) const BATCH: usize = 4;

/// Step of the differences: their error is about 1e-10 in `f64`.
pub(crate) const STEP: f64 = 1e-5;

/// Fails unless every number is the expected one up to rounding in `f32`; NaN fails.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let difference = (f64::from(found) - expected).abs();
        assert!(
            difference <= 2e-6 + 1e-5 * expected.abs(),
            "{what}[{i}]: found {found}, expected {expected}"
        );
    }
}

/// The derivatives of `f` at `x`.
pub(crate) fn differences(x: &[f64], mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let middle = x[i];
            x[i] = middle + STEP;
            let above = f(&x);
            x[i] = middle - STEP;
            let below = f(&x);
            x[i] = middle;
            (above - below) / (2.0 * STEP)
        })
        .collect()
}

pub(crate) fn set_parameters<M: Layer>(model: &mut M, mut number: impl FnMut() -> f32) {
    model.visit_mut(&mut |part| {
        for bytes in part.as_chunks_mut().0 {
            *bytes = number().to_le_bytes();
        }
    });
}

pub(crate) fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// Everything that one pass over a batch gives.
pub(crate) struct Pass<M: Layer> {
    pub(crate) y: Vec<M::Output>,
    pub(crate) y_masks: Vec<<M::Output as Value>::Mask>,
    pub(crate) gradient: Vec<f32>,
    pub(crate) d_x: Vec<M::InputGradient>,
}

/// The gradient of Σ c · y with respect to parameters and inputs.
pub(crate) fn backward<M: Layer>(
    model: &M,
    x: &[M::Input],
    masks: &[<M::Input as Value>::Mask],
    c: &[M::Output],
) -> Pass<M> {
    let mut gradient = M::Gradient::<BATCH>::new_zeroed();
    let both_ways::Pass { y, y_masks, d_x } =
        both_ways::pass::<M, BATCH>(model, x, masks, c, Some(&mut gradient));
    // A step of size 1 from zero leaves the negative gradient.
    let (mut stepped, mut slots) = (M::zeroed(), M::Slots::<Sgd>::new_zeroed());
    let sgd = Sgd { learning_rate: 1.0 };
    stepped.step::<Sgd, BATCH>(&sgd, sgd.step(1), &mut gradient, &mut slots);
    let gradient = parameters(&stepped).into_iter().map(|x| -x).collect();
    Pass { y, y_masks, gradient, d_x }
}

/// Holds a layer without inputs to differentiate; `forward` is the plain pass of one example.
pub(crate) fn check_parameters<M>(
    what: &str,
    random: &mut Random,
    x: &[M::Input],
    forward: impl Fn(&[f64], &M::Input) -> Vec<f64>,
) where
    M: Layer,
    M::Output: Numbers,
{
    let mut model = M::zeroed();
    set_parameters(&mut model, || draw(random));
    let mut c = vec![M::Output::new_zeroed(); x.len()];
    c.iter_mut().flat_map(Numbers::as_numbers_mut).for_each(|c| *c = draw(random));
    let pass = backward(&model, x, &vec![M::Input::VALID; x.len()], &c);
    let parameters = wide(&parameters(&model));
    for ((y, x), number) in pass.y.iter().zip(x).zip(0..) {
        assert_close(&format!("{what}: output {number}"), y.as_numbers(), &forward(&parameters, x));
    }
    let value = |parameters: &[f64]| {
        let product = |(x, c): (&M::Input, &M::Output)| -> f64 {
            forward(parameters, x).iter().zip(c.as_numbers()).map(|(y, c)| y * f64::from(*c)).sum()
        };
        x.iter().zip(&c).map(product).sum()
    };
    assert_close(&format!("{what}: gradient"), &pass.gradient, &differences(&parameters, value));
}

pub(crate) fn activate(kind: ActivationKind, z: &[f64]) -> Vec<f64> {
    match kind {
        ActivationKind::Identity => z.to_vec(),
        ActivationKind::Relu => z.iter().map(|z| z.max(0.0)).collect(),
        ActivationKind::Sigmoid => z.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect(),
        ActivationKind::Softmax => {
            let sum: f64 = z.iter().map(|z| z.exp()).sum();
            z.iter().map(|z| z.exp() / sum).collect()
        }
        ActivationKind::Tanh => z.iter().map(|z| z.tanh()).collect(),
        kind => unreachable!("{kind:?}"),
    }
}

/// `parameters`: the kernel row by row, then the bias.
pub(crate) fn dense(kind: ActivationKind, parameters: &[f64], x: &[f64], units: usize) -> Vec<f64> {
    let (kernel, bias) = parameters.split_at(x.len() * units);
    let z = |j: usize| bias[j] + x.iter().enumerate().map(|(i, x)| x * kernel[i * units + j]).sum::<f64>();
    activate(kind, &(0..units).map(z).collect::<Vec<_>>())
}

/// The rows of a sequence one after the other, zeros where `valid` says no.
pub(crate) fn embed(rows: &[f64], ids: &[u16], dim: usize, valid: impl Fn(u16) -> bool) -> Vec<f64> {
    let row = |&id: &u16| {
        let row = &rows[usize::from(id) * dim..][..dim];
        row.iter().map(|x| if valid(id) { *x } else { 0.0 }).collect::<Vec<_>>()
    };
    ids.iter().flat_map(row).collect()
}

pub(crate) fn pool(rows: &[f64], ids: &[u16], dim: usize, mean: bool) -> Vec<f64> {
    let divisor = if mean { ids.len().max(1) as f64 } else { 1.0 };
    (0..dim).map(|j| ids.iter().map(|id| rows[usize::from(*id) * dim + j]).sum::<f64>() / divisor).collect()
}

/// Ids below 6, many of them repeated, and some zeros.
pub(crate) fn ids<const LEN: usize>(random: &mut Random) -> [u16; LEN] {
    std::array::from_fn(|_| (random.next_u32() % 6) as u16)
}

#[test]
#[should_panic(expected = "found NaN")]
fn the_tolerance_catches_nan() {
    assert_close("checker", &[f32::NAN], &[1.0]);
}

#[test]
#[should_panic(expected = "found 1.0001")]
fn the_tolerance_catches_a_difference() {
    assert_close("checker", &[1.0001], &[1.0]);
}
