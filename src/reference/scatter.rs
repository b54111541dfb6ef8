//! Gradients of rows back into a table of gradients.

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

/// `table[row(id)] += weight(id) * d_out[bag]`, with `d_out[bag]` divided by the number of ids that contribute for a mean.
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
                if pooling == Pooling::Mean {
                    d /= bag.count() as f32;
                }
                let gradient = if bag.is_weighted() { entry.weight * d } else { d };
                table.row_mut(entry.row).expect("a checked row")[column] += gradient;
            }
        }
    }
}
