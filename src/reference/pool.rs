//! Bags of rows summed.

use crate::table::{Bags, Index, Policy, Pooling, Table};

/// `out[bag] = Σ weight(id) * table[row(id)]`, divided by the number of ids that contribute for a mean; zeros if none does.
#[allow(clippy::missing_panics_doc)]
pub fn pool<I: Index, P: Policy, O: Index>(
    table: Table<'_>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) {
    for (number, bag) in bags.iter().enumerate() {
        for column in 0..table.dim() {
            let mut sum = 0.0;
            for entry in bag.iter() {
                let x = table.row(entry.row).expect("a checked row")[column];
                sum += if bag.is_weighted() { entry.weight * x } else { x };
            }
            if pooling == Pooling::Mean && bag.count() > 0 {
                sum /= bag.count() as f32;
            }
            out[number * table.dim() + column] = sum;
        }
    }
}
