//! Pooling of all steps of a sequence.

use crate::table::{Table, TableMut};

/// Element c of each valid step.
fn column<'a>(x: Table<'a>, valid: &'a [bool], c: usize) -> impl Iterator<Item = f32> + Clone + 'a {
    let steps = valid.iter().enumerate().filter(|(_, valid)| **valid);
    steps.filter_map(move |(s, _)| x.row(s)?.get(c).copied())
}

/// The greatest by compare and select from the first one, NaN if there is one; 0 of none.
fn greatest(mut numbers: impl Iterator<Item = f32>) -> f32 {
    let first = numbers.next().unwrap_or(0.0);
    numbers.fold(first, |max, x| if max.is_nan() || x <= max { max } else { x })
}

/// y\[c\] = the greatest x\[s\]\[c\] over the valid steps; 0 of none.
pub fn max_over_steps(x: Table<'_>, valid: &[bool], y: &mut [f32]) {
    for (c, y) in y.iter_mut().enumerate() {
        *y = greatest(column(x, valid, c));
    }
}

/// The gradient of [`max_over_steps`], shared evenly among the maxima.
pub fn max_over_steps_backward(x: Table<'_>, valid: &[bool], d_y: &[f32], d_x: &mut TableMut<'_>) {
    for (c, d_y) in d_y.iter().enumerate() {
        let max = greatest(column(x, valid, c));
        let count = column(x, valid, c).filter(|x| *x == max).count() as f32;
        for (s, valid) in valid.iter().enumerate() {
            let is_max = *valid && x.row(s).is_some_and(|row| row.get(c) == Some(&max));
            if let Some(d_x) = d_x.row_mut(s).and_then(|row| row.get_mut(c)) {
                *d_x = if is_max { d_y / count } else { 0.0 };
            }
        }
    }
}

/// y\[c\] = the mean of x\[s\]\[c\] over the valid steps; 0 of none.
pub fn mean_over_steps(x: Table<'_>, valid: &[bool], y: &mut [f32]) {
    for (c, y) in y.iter_mut().enumerate() {
        let numbers = column(x, valid, c);
        let count = numbers.clone().count();
        let sum = numbers.fold(0.0, |sum, x| sum + x);
        *y = if count > 0 { sum / count as f32 } else { 0.0 };
    }
}

/// The gradient of [`mean_over_steps`].
pub fn mean_over_steps_backward(valid: &[bool], d_y: &[f32], d_x: &mut TableMut<'_>) {
    let count = valid.iter().filter(|valid| **valid).count() as f32;
    for (s, valid) in valid.iter().enumerate() {
        for (d_x, d_y) in d_x.row_mut(s).into_iter().flatten().zip(d_y) {
            *d_x = if *valid { d_y / count } else { 0.0 };
        }
    }
}
