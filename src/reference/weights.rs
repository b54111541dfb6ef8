//! Gradients of the weights of ids in bags.

use super::{divisor, lane_sum};
use crate::table::{Bags, Index, Policy, Pooling, Table};

/// `d_weights[position] = ∂(Σ d_out[bag] · out[bag]) / ∂weight(id)`; 0 for ids that do not contribute.
#[allow(clippy::missing_panics_doc)]
pub fn weight_gradients<I: Index, P: Policy, O: Index>(
    table: Table<'_>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    d_out: &[f32],
    d_weights: &mut [f32],
) {
    let dim = table.dim();
    d_weights.fill(0.0);
    for (number, bag) in bags.iter().enumerate() {
        let d = &d_out[number * dim..][..dim];
        let slope = |row| {
            let row = table.row(row).expect("a checked row");
            lane_sum(row.iter().zip(d).map(|(x, d)| x * d))
        };
        let divisor = divisor(pooling, bag.iter().map(|entry| entry.weight));
        let mut pooled = 0.0;
        for entry in bag.iter() {
            pooled += entry.weight * slope(entry.row);
        }
        for entry in bag.iter() {
            let slope = slope(entry.row);
            d_weights[entry.position] = match (pooling, divisor) {
                (_, None) => slope,
                (_, Some(0.0)) => 0.0,
                (Pooling::WeightedMean, Some(divisor)) => (slope - pooled / divisor) / divisor,
                (Pooling::SqrtN, Some(divisor)) => {
                    (slope - entry.weight * (pooled / (divisor * divisor))) / divisor
                }
                (Pooling::Sum | Pooling::Mean, Some(divisor)) => slope / divisor,
            };
        }
    }
}
