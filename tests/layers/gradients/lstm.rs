//! `Lstm` in every form, under masks of every kind.

use super::{BATCH, Pass, assert_close, backward, set_parameters, wide};
use crate::common::{Random, draw, parameters, vector};
use nanoembed::internals::{Direction, Returned};
use nanoembed::layers::options::{GoBackwards, GoForwards, ReturnLast, ReturnSequences};
use nanoembed::layers::{Layer, Lstm};
use rand_core::SeedableRng;
use zerocopy::FromZeros;

/// h after each step that is read, one after the other.
fn plain<const LEN: usize, const IN: usize, const UNITS: usize>(
    parameters: &[f64],
    x: &[f64],
    mask: &[bool; LEN],
    backwards: bool,
) -> Vec<f64> {
    let (kernel, rest) = parameters.split_at(IN * 4 * UNITS);
    let (recurrent, bias) = rest.split_at(UNITS * 4 * UNITS);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (mut h, mut c, mut y) = ([0.0; UNITS], [0.0; UNITS], Vec::new());
    for number in 0..LEN {
        let t = if backwards { LEN - 1 - number } else { number };
        if mask[t] {
            let z = |gate: usize, j: usize| {
                let column = gate * UNITS + j;
                let from_x = (0..IN).map(|p| x[t * IN + p] * kernel[p * 4 * UNITS + column]).sum::<f64>();
                let from_h = (0..UNITS).map(|p| h[p] * recurrent[p * 4 * UNITS + column]).sum::<f64>();
                bias[column] + from_x + from_h
            };
            let gates: [[f64; 4]; UNITS] = std::array::from_fn(|j| std::array::from_fn(|gate| z(gate, j)));
            for (j, [i, f, g, o]) in gates.into_iter().enumerate() {
                c[j] = sigmoid(f) * c[j] + sigmoid(i) * g.tanh();
                h[j] = sigmoid(o) * c[j].tanh();
            }
        }
        y.extend(h);
    }
    y
}

/// The rows of the outputs that are given.
fn given<const LEN: usize, const UNITS: usize, R: Returned>(y: &R::Output<LEN, UNITS>) -> Vec<f32> {
    let rows = R::rows::<LEN, UNITS>(std::slice::from_ref(y));
    (0..rows.rows()).filter_map(|row| rows.row(row)).flatten().copied().collect()
}

fn check<const LEN: usize, const IN: usize, const UNITS: usize, R: Returned, D: Direction>(
    masks: &[[bool; LEN]; BATCH],
) {
    let random = &mut Random::seed_from_u64(LEN as u64);
    let mut layer = Lstm::<LEN, IN, UNITS, R, D>::zeroed();
    set_parameters(&mut layer, || draw(random));
    let x: [[[f32; IN]; LEN]; BATCH] = std::array::from_fn(|_| std::array::from_fn(|_| vector(random)));
    let mut c = [R::Output::<LEN, UNITS>::new_zeroed(); BATCH];
    let mut rows = R::rows_mut::<LEN, UNITS>(&mut c);
    for row in 0..rows.rows() {
        rows.row_mut(row).unwrap().copy_from_slice(&vector::<UNITS>(random));
    }
    let what = format!("Lstm<{LEN}, {IN}, {UNITS}, {}>, backwards {}, {masks:?}", R::NAME, D::BACKWARDS);
    let Pass { y, gradient, d_x, .. } = backward(&layer, &x, masks, &c);
    let numbers = wide(&parameters(&layer));
    let x: Vec<Vec<f64>> = x.iter().map(|x| wide(x.as_flattened())).collect();
    let value = |numbers: &[f64], x: &[f64], b: usize| -> f64 {
        let all = plain::<LEN, IN, UNITS>(numbers, x, &masks[b], D::BACKWARDS);
        let c = given::<LEN, UNITS, R>(&c[b]);
        all[all.len() - c.len()..].iter().zip(c).map(|(y, c)| y * f64::from(c)).sum()
    };
    for b in 0..BATCH {
        let all = plain::<LEN, IN, UNITS>(&numbers, &x[b], &masks[b], D::BACKWARDS);
        let found = given::<LEN, UNITS, R>(&y[b]);
        assert_close(&format!("{what}: output {b}"), &found, &all[all.len() - found.len()..]);
        let expected = super::differences(&x[b], |x| value(&numbers, x, b));
        assert_close(&format!("{what}: input {b}"), d_x[b].as_flattened(), &expected);
    }
    let expected = super::differences(&numbers, |numbers| (0..BATCH).map(|b| value(numbers, &x[b], b)).sum());
    assert_close(&what, &gradient, &expected);
}

fn check_forms<const LEN: usize, const IN: usize, const UNITS: usize>(masks: &[[bool; LEN]; BATCH]) {
    check::<LEN, IN, UNITS, ReturnLast, GoForwards>(masks);
    check::<LEN, IN, UNITS, ReturnSequences, GoForwards>(masks);
    check::<LEN, IN, UNITS, ReturnLast, GoBackwards>(masks);
    check::<LEN, IN, UNITS, ReturnSequences, GoBackwards>(masks);
}

#[test]
fn lstm_layers() {
    check_forms::<1, 1, 1>(&[[true], [false], [true], [true]]);
    check_forms::<4, 3, 2>(&[[true; 4]; BATCH]);
    let (no, yes) = (false, true);
    check_forms::<4, 2, 3>(&[[no; 4], [yes, no, yes, yes], [no, no, yes, no], [yes, yes, yes, no]]);
    check_forms::<3, 2, 5>(&[[no, yes, yes], [no, yes, no], [no; 3], [no, yes, yes]]);
    check_forms::<2, 5, 17>(&[[yes; 2], [no, yes], [yes, no], [yes; 2]]);
    check_forms::<3, 4, 2>(&[[no; 3]; BATCH]);
}
