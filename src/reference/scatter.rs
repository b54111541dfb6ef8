//! Gradients of rows back into a table of gradients.

use super::divisor;
use crate::table::{Bags, Index, Indices, Policy, Pooling, TableMut};

/// `table[row(position)] += gradients[position]`, in order.
#[allow(clippy::missing_panics_doc)]
pub fn scatter_add<I: Index, P: Policy>(
    gradients: &[f32],
    indices: Indices<'_, I, P>,
    table: &mut TableMut<'_>,
) {
    for position in 0..indices.len() {
        for column in 0..table.dim() {
            if let Some(row) = indices.row(position) {
                let gradient = gradients[position * table.dim() + column];
                table.row_mut(row).expect("a checked row")[column] += gradient;
            }
        }
    }
}

/// `table[row(id)] += weight(id) * d_out[bag]`, with `d_out[bag]` divided as the pooling says; nothing if the
/// divisor is 0.
#[allow(clippy::missing_panics_doc)]
pub fn scatter_add_bags<I: Index, P: Policy, O: Index>(
    d_out: &[f32],
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    table: &mut TableMut<'_>,
) {
    for (number, bag) in bags.iter().enumerate() {
        for entry in bag.iter() {
            for column in 0..table.dim() {
                let mut d = d_out[number * table.dim() + column];
                match divisor(pooling, bag.iter().map(|entry| entry.weight)) {
                    None => {}
                    Some(0.0) => continue,
                    Some(divisor) => d /= divisor,
                }
                let gradient = if bag.weights().is_some() { entry.weight * d } else { d };
                table.row_mut(entry.row).expect("a checked row")[column] += gradient;
            }
        }
    }
}

/// `table[row(id)][c] += weight(id) * d_out[bag][c]` for the id at position `arg_max[bag][c]`.
#[allow(clippy::missing_panics_doc)]
pub fn scatter_add_max<I: Index, P: Policy, O: Index>(
    d_out: &[f32],
    arg_max: &[u32],
    bags: &Bags<'_, I, P, O>,
    table: &mut TableMut<'_>,
) {
    let dim = table.dim();
    for bag in 0..bags.len() {
        for column in 0..dim {
            let (d, position) = (d_out[bag * dim + column], arg_max[bag * dim + column] as usize);
            if position == u32::MAX as usize {
                continue;
            }
            let gradient = bags.weights().map_or(d, |weights| weights[position] * d);
            let row = bags.indices().row(position).expect("an id that contributes");
            table.row_mut(row).expect("a checked row")[column] += gradient;
        }
    }
}
