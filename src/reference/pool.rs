//! Bags of rows, each pooled into one row.

use super::{FormatSpec, divisor};
use crate::table::{Bags, Index, Policy, Pooling, Scale, Table};

/// `out[bag] = Σ weight(id) * table[row(id)]`, the biases of packed rows summed apart, rows of integers summed
/// as integers and scaled once, divided as the pooling says; zeros if nothing contributes or the divisor is 0.
#[allow(clippy::missing_panics_doc)]
pub fn pool<F: FormatSpec, I: Index, P: Policy, O: Index>(
    table: Table<'_, F>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) {
    for (number, bag) in bags.iter().enumerate() {
        for column in 0..table.dim() {
            let (mut sum, mut bias_sum, mut integers) = (0.0, None, 0_i64);
            for entry in bag.iter() {
                let row = table.row(entry.row).expect("a checked row");
                let x = F::code(row, column);
                if F::Scale::IS_ONE {
                    integers += x as i64;
                }
                let weighted = |x: f32| if bag.weights().is_some() { x * entry.weight } else { x };
                sum += match F::affine(row) {
                    None => weighted(x),
                    Some((scale, bias)) => {
                        bias_sum = Some(bias_sum.unwrap_or(0.0) + weighted(bias));
                        weighted(scale) * x
                    }
                };
            }
            sum += bias_sum.unwrap_or(-0.0);
            if F::Scale::IS_ONE {
                sum = table.scale() * if bag.weights().is_some() { sum } else { integers as f32 };
            }
            if let Some(divisor) = divisor(pooling, bag.iter().map(|entry| entry.weight)) {
                sum = if divisor == 0.0 { 0.0 } else { sum / divisor };
            }
            out[number * table.dim() + column] = sum;
        }
    }
}

/// `out[bag] = max weight(id) * table[row(id)]` and the position of the first id with it; zeros and
/// `u32::MAX` if none contributes.
#[allow(clippy::missing_panics_doc)]
pub fn pool_max<F: FormatSpec, I: Index, P: Policy, O: Index>(
    table: Table<'_, F>,
    bags: &Bags<'_, I, P, O>,
    out: &mut [f32],
    arg_max: &mut [u32],
) {
    for (number, bag) in bags.iter().enumerate() {
        for column in 0..table.dim() {
            let (mut max, mut position) = (0.0, u32::MAX);
            for entry in bag.iter() {
                let x = F::number(table, entry.row, column);
                let x = if bag.weights().is_some() { entry.weight * x } else { x };
                if position == u32::MAX || x > max {
                    (max, position) = (x, entry.position as u32);
                }
            }
            out[number * table.dim() + column] = max;
            arg_max[number * table.dim() + column] = position;
        }
    }
}
