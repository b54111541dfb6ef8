//! Optimizer steps: on one number, and on the rows that have a gradient.

use super::lane_sum;
use crate::math;
use crate::table::{Table, TableMut};

/// FormatSpec gradient descent.
pub fn sgd(learning_rate: f32, w: &mut f32, g: f32) {
    *w -= learning_rate * g;
}

/// Gradient descent with momentum, as in Keras.
pub fn momentum(learning_rate: f32, momentum: f32, nesterov: bool, w: &mut f32, g: f32, v: &mut f32) {
    *v = momentum * *v - learning_rate * g;
    if nesterov {
        *w += momentum * *v - learning_rate * g;
    } else {
        *w += *v;
    }
}

/// Adam as in Keras, of step `step`, for a gradient whose square is `square`.
#[allow(clippy::too_many_arguments)]
pub fn adam(
    [learning_rate, beta_1, beta_2, epsilon]: [f32; 4],
    step: u32,
    w: &mut f32,
    g: f32,
    square: f32,
    m: &mut f32,
    v: &mut f32,
) {
    let (power_1, power_2) = (libm::powf(beta_1, step as f32), libm::powf(beta_2, step as f32));
    let rate = learning_rate * math::sqrt(1.0 - power_2) / (1.0 - power_1);
    *m += (g - *m) * (1.0 - beta_1);
    *v += (square - *v) * (1.0 - beta_2);
    *w -= rate * *m / (math::sqrt(*v) + epsilon);
}

/// AMSGrad as in Keras: Adam by the largest v so far. The scalars and the step are Adam's.
#[allow(clippy::too_many_arguments)]
pub fn amsgrad(
    [learning_rate, beta_1, beta_2, epsilon]: [f32; 4],
    step: u32,
    w: &mut f32,
    g: f32,
    square: f32,
    m: &mut f32,
    v: &mut f32,
    most: &mut f32,
) {
    let (power_1, power_2) = (libm::powf(beta_1, step as f32), libm::powf(beta_2, step as f32));
    let rate = learning_rate * math::sqrt(1.0 - power_2) / (1.0 - power_1);
    *m += (g - *m) * (1.0 - beta_1);
    *v += (square - *v) * (1.0 - beta_2);
    *most = if *v > *most { *v } else { *most };
    *w -= rate * *m / (math::sqrt(*most) + epsilon);
}

/// Nadam as in Keras, of step `step`.
#[allow(clippy::too_many_arguments)]
pub fn nadam(
    [learning_rate, beta_1, beta_2, epsilon]: [f32; 4],
    step: u32,
    w: &mut f32,
    g: f32,
    square: f32,
    m: &mut f32,
    v: &mut f32,
) {
    // Powers of 0.96 that no longer change 1 − power / 2 are left out, and their factors, beta_1, are one
    // power.
    let (mut power, mut product, mut steps) = (0.96_f32, beta_1 * (1.0 - 0.5 * 0.96), 1);
    while steps < step && power > 1.0 / (1_u32 << 25) as f32 {
        power *= 0.96;
        product *= beta_1 * (1.0 - 0.5 * power);
        steps += 1;
    }
    if steps < step {
        product *= libm::powf(beta_1, (step - steps) as f32);
    }
    let (u, next) = (beta_1 * (1.0 - 0.5 * power), beta_1 * (1.0 - 0.5 * (power * 0.96)));
    let correction = 1.0 - libm::powf(beta_2, step as f32);
    let rate = learning_rate * math::sqrt(correction);
    *m += (g - *m) * (1.0 - beta_1);
    *v += (square - *v) * (1.0 - beta_2);
    let step = rate * next / (1.0 - product * next) * *m + rate * (1.0 - u) / (1.0 - product) * g;
    *w -= step / (math::sqrt(*v) + epsilon * math::sqrt(correction));
}

/// Adagrad; `inside` and `outside` the root stand the initial accumulator and epsilon.
pub fn adagrad(rate: f32, [inside, outside]: [f32; 2], w: &mut f32, g: f32, square: f32, a: &mut f32) {
    *a += square;
    *w -= rate * g / (math::sqrt(*a + inside) + outside);
}

/// Row-wise Adagrad on a row.
pub fn rowwise_adagrad(rate: f32, [inside, outside]: [f32; 2], w: &mut [f32], g: &[f32], a: &mut f32) {
    *a += lane_sum(g.iter().map(|g| g * g)) / if g.is_empty() { 1.0 } else { g.len() as f32 };
    let rate = rate / (math::sqrt(*a + inside) + outside);
    for (w, g) in w.iter_mut().zip(g) {
        *w -= rate * g;
    }
}

/// RMSprop with epsilon inside the root; by the variance if there is an average `a` of the gradient, with
/// momentum if there is a `b`.
#[allow(clippy::too_many_arguments)]
pub fn rmsprop(
    [learning_rate, rho, epsilon, momentum]: [f32; 4],
    w: &mut f32,
    g: f32,
    square: f32,
    v: &mut f32,
    b: Option<&mut f32>,
    a: Option<&mut f32>,
) {
    *v = rho * *v + (1.0 - rho) * square;
    let mut moment = *v;
    if let Some(a) = a {
        *a = rho * *a + (1.0 - rho) * g;
        moment = *v - *a * *a;
        moment = if moment < 0.0 { 0.0 } else { moment };
    }
    let step = learning_rate * g / math::sqrt(moment + epsilon);
    *w -= match b {
        Some(b) => {
            *b = momentum * *b + step;
            *b
        }
        None => step,
    };
}

/// Adadelta as in Keras.
pub fn adadelta(
    [learning_rate, rho, epsilon]: [f32; 3],
    w: &mut f32,
    g: f32,
    square: f32,
    a: &mut f32,
    d: &mut f32,
) {
    *a = rho * *a + (1.0 - rho) * square;
    let ratio = math::sqrt(*d + epsilon) / math::sqrt(*a + epsilon);
    *d = rho * *d + (1.0 - rho) * (ratio * ratio * square);
    *w -= learning_rate * (ratio * g);
}

/// `step(w, g, square, slots)` on each number of each row that occurs, once: g is the sum of the gradients
/// `source` of the occurrences `(row, source)`, in order, and `square` is g², or for Keras 3 the sum of their
/// squares. `slots` are `N` numbers, those of column c at c, dim + c, 2 dim + c of the row's slots.
#[allow(clippy::missing_panics_doc)]
pub fn update_rows<const N: usize>(
    occurrences: &[(u32, u32)],
    gradients: Table<'_>,
    keras3_duplicates: bool,
    table: &mut TableMut<'_>,
    slots: &mut TableMut<'_>,
    mut step: impl FnMut(&mut f32, f32, f32, &mut [f32; N]),
) {
    let dim = table.dim();
    for row in 0..table.rows() {
        let of_row = || occurrences.iter().filter(|(r, _)| *r as usize == row);
        if of_row().next().is_none() {
            continue;
        }
        for column in 0..dim {
            let gradients =
                || of_row().map(|(_, source)| gradients.row(*source as usize).expect("a gradient")[column]);
            let (mut g, mut squares) = (None, 0.0);
            for gradient in gradients() {
                g = Some(g.map_or(gradient, |sum: f32| sum + gradient));
                squares += gradient * gradient;
            }
            let g = g.unwrap_or_default();
            let square = if keras3_duplicates { squares } else { g * g };
            let state = slots.row_mut(row).expect("slots of the row");
            let mut of_column = core::array::from_fn(|slot| state[slot * dim + column]);
            step(&mut table.row_mut(row).expect("the row")[column], g, square, &mut of_column);
            for (slot, value) in of_column.into_iter().enumerate() {
                state[slot * dim + column] = value;
            }
        }
    }
}
