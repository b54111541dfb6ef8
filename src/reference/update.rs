//! Optimizer steps: on one number, and on the rows that have a gradient.

use crate::math;
use crate::table::{Table, TableMut};

/// Plain gradient descent.
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

/// `step(w, g, square, slots)` on each number of each row that occurs, once: g is the sum of the gradients `source` of the
/// occurrences `(row, source)`, in order, and `square` is g², or for Keras 3 the sum of their squares. `slots` are `N` numbers,
/// those of column c at c, dim + c, 2 dim + c of the row's slots.
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
