//! Gradients of the weights of ids in bags.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at
//! [`Bags::weight_gradients`].

use super::{Columns, row_ahead, worth_prefetching};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, dots, simd_fn};
use crate::table::{BagView, Bags, Index, Policy, Pooling, Table};

impl<I: Index, P: Policy, O: Index> Bags<'_, I, P, O> {
    /// The gradient of the weight of each id: the derivative of [`pool`](super::pool()) with respect to the
    /// weights.
    ///
    /// PyTorch's gradient of `per_sample_weights` for [`Pooling::Sum`], for which it has one. Ids that do not
    /// contribute, and those of bags whose divisor is 0, have the gradient 0. Bags without weights have
    /// weights of 1.
    ///
    /// # Shapes
    /// `table` `[rows, dim]`, `d_out` `[bags, dim]`, `d_weights` `[ids]`.
    ///
    /// # Errors
    /// If the ids were checked against another number of rows, there are not `bags * dim` gradients, or
    /// `d_weights` does not hold one number an id; `d_weights` is then as it was.
    ///
    /// ```
    /// use nanoembed::table::{Bags, Indices, Pooling, Table};
    /// let table = Table::from_rows(&[[1.0, 2.0], [3.0, 4.0]]);
    /// let bags = Bags::fixed(Indices::new(&[1_u8, 0], 2)?, 1, 2)?.with_weights(&[0.5, 2.0])?;
    /// let mut d_weights = [0.0; 2];
    /// bags.weight_gradients(table, Pooling::Sum, &[1.0, 10.0], &mut d_weights)?;
    /// assert_eq!(d_weights, [43.0, 21.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # How it is computed
    /// ```text
    /// for bag in 0..bags:
    ///     for id in bag, if it contributes:
    ///         slope(id) = dot(table[row(id)], d_out[bag])         the gradient, if nothing divides
    ///     D = divisor of the bag: see Pooling
    ///     Sum:           d_weight(id) = slope(id)
    ///     Mean:          d_weight(id) = slope(id) / D
    ///     WeightedMean:  d_weight(id) = (slope(id) - Σ weight slope / D) / D
    ///     SqrtN:         d_weight(id) = (slope(id) - weight(id) (Σ weight slope / D²)) / D
    /// ```
    ///
    /// In the last two the weight also stands in the divisor. The slopes are kept in `d_weights` between the
    /// two passes over a bag, so that no row is read twice. Rows of tables above the size of the caches are
    /// asked for ahead of their use.
    ///
    /// # Cost
    /// For each id `4 dim` bytes are read from the table and 4 written; `d_out[bag]` stays in the first
    /// cache.
    pub fn weight_gradients(
        &self,
        table: Table<'_>,
        pooling: Pooling,
        d_out: &[f32],
        d_weights: &mut [f32],
    ) -> Result<(), ShapeMismatch> {
        weight_gradients(table, self, pooling, d_out, d_weights)
    }
}

simd_fn! {
    /// [`Bags::weight_gradients`] tells what it does, how it is computed and what it costs.
    ///
    /// # Errors
    /// As there.
    pub fn weight_gradients, weight_gradients_at[I: Index, P: Policy, O: Index](
        table: Table<'_>,
        bags: &Bags<'_, I, P, O>,
        pooling: Pooling,
        d_out: &[f32],
        d_weights: &mut [f32],
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of the indices", table.rows(), bags.rows())?;
            ShapeMismatch::check("gradients", bags.len().saturating_mul(table.dim()), d_out.len())?;
            ShapeMismatch::check("length of d_weights", bags.indices().len(), d_weights.len())
        } = weight_gradients_loops;
}

#[inline(always)]
fn weight_gradients_loops<L: Lanes, I: Index, P: Policy, O: Index>(
    lanes: L,
    table: Table<'_>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    d_out: &[f32],
    d_weights: &mut [f32],
) {
    if worth_prefetching(table) {
        gradients_of_bags::<_, true, _, _, _>(lanes, table, bags, pooling, d_out, d_weights);
    } else {
        gradients_of_bags::<_, false, _, _, _>(lanes, table, bags, pooling, d_out, d_weights);
    }
}

#[inline(always)]
fn gradients_of_bags<L: Lanes, const PREFETCH: bool, I: Index, P: Policy, O: Index>(
    lanes: L,
    table: Table<'_>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    d_out: &[f32],
    d_weights: &mut [f32],
) {
    let columns = Columns::new(table, 0);
    let (mut rest, mut rest_weights) = (d_out, d_weights);
    for bag in bags.iter() {
        let Some((d, after)) = rest.split_at_checked(table.dim()) else { break };
        let Some((slopes, after_weights)) = rest_weights.split_at_mut_checked(bag.len()) else { break };
        (rest, rest_weights) = (after, after_weights);
        slopes.fill(0.0);
        let mut pooled = 0.0;
        for entry in bag.iter() {
            columns.prefetch(table.dim(), row_ahead::<PREFETCH, _, _>(bags.indices(), entry.position));
            if let Some(row) = table.row(entry.row)
                && let Some([slope]) = dots(lanes, [row], d)
                && let Some(to) = slopes.get_mut(entry.position - bag.start())
            {
                pooled += entry.weight * slope;
                *to = slope;
            }
        }
        divide(&bag, pooling, pooled, slopes);
    }
}

/// Turns the slopes of one bag into the gradients of its weights.
#[inline(always)]
fn divide<I: Index, P: Policy>(bag: &BagView<'_, I, P>, pooling: Pooling, pooled: f32, slopes: &mut [f32]) {
    let Some(divisor) = bag.divisor(pooling) else { return };
    for entry in bag.iter() {
        let Some(slope) = slopes.get_mut(entry.position - bag.start()) else { continue };
        let part = match pooling {
            Pooling::Sum | Pooling::Mean => 0.0,
            Pooling::WeightedMean => pooled / divisor,
            Pooling::SqrtN => entry.weight * (pooled / (divisor * divisor)),
        };
        *slope = if divisor == 0.0 { 0.0 } else { (*slope - part) / divisor };
    }
}
