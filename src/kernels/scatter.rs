//! Gradients of rows back into a table of gradients.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`scatter_add`].

use super::{Columns, column_blocks, columns_mut, row_ahead, worth_prefetching};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, simd_fn};
use crate::table::{BagView, Bags, Index, Indices, Policy, Pooling, TableMut};

simd_fn! {
    /// Adds each gradient to the row that its id names: `table[row(position)] += gradients[position]`, in
    /// order.
    ///
    /// The gradient of an id that its policy leaves out is dropped. Rows that no id names do not change.
    ///
    /// # Shapes
    /// `gradients` `[len, dim]`, `indices` `[len]`, `table` `[rows, dim]`.
    ///
    /// # Errors
    /// If the ids were checked against another number of rows, or there are not `len * dim` gradients;
    /// `table` is then as it was.
    ///
    /// ```
    /// use nanoembed::{kernels::scatter_add, table::{Indices, TableMut}};
    /// let mut d_rows = [[0.0; 2]; 3];
    /// let indices = Indices::new(&[2_u8, 0, 2], 3)?;
    /// scatter_add(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], indices, &mut TableMut::from_rows(&mut d_rows))?;
    /// assert_eq!(d_rows, [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # How it is computed
    /// ```text
    /// scatter_add:       for position in 0..len:
    ///                        table[row(position)] += gradients[position]
    ///
    /// scatter_add_bags:  for bag in 0..bags:
    ///                        d = d_out[bag]                              or d_out[bag] / divisor: see Pooling
    ///                        for id in bag, if it contributes:
    ///                            table[row(id)] += weight(id) * d
    ///
    /// scatter_add_max:   for bag in 0..bags, for c in 0..dim:
    ///                        id = the id at position arg_max[bag][c]
    ///                        table[row(id)][c] += weight(id) * d_out[bag][c]
    /// ```
    ///
    /// They are the derivatives of gather, pool and pool_max. A repeated row is summed in the order of
    /// occurrence: one serial sum for each number of the table, so blocks and levels change no bit.
    ///
    /// Deviations from these loops:
    ///
    /// - The columns are taken in blocks of 64, 32, 16, 8, 4 and 1, for bags each over the whole bag, so that
    ///   `d` stays in registers and is divided once. A block is read, added and written as a whole (see
    ///   `add_block`).
    /// - Rows of tables above the size of the caches are asked for ahead of their use.
    /// - Without weights nothing is multiplied.
    ///
    /// # Cost
    /// For each id `4 dim` bytes of the table are read and written again. `scatter_add` reads `4 dim` bytes
    /// of gradients besides.
    pub fn scatter_add, scatter_add_at[I: Index, P: Policy](
        gradients: &[f32],
        indices: Indices<'_, I, P>,
        table: &mut TableMut<'_>,
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of the indices", table.rows(), indices.rows())?;
            ShapeMismatch::check("gradients", indices.len().saturating_mul(table.dim()), gradients.len())
        } = scatter_add_loops;

    /// Adds the gradient of each pooled bag to the rows that entered it: the derivative of
    /// [`pool`](super::pool()).
    ///
    /// `table[row(id)] += weight(id) * d_out[bag]`, in the order of the ids, with `d_out[bag]` divided as
    /// [`Pooling`] says. Rows that did not enter a bag do not change.
    ///
    /// # Shapes
    /// `d_out` `[bags, dim]`, `table` `[rows, dim]`.
    ///
    /// # Errors
    /// If the ids were checked against another number of rows, or there are not `bags * dim` gradients;
    /// `table` is then as it was.
    ///
    /// ```
    /// use nanoembed::{kernels::scatter_add_bags, table::{Bags, Indices, Pooling, TableMut}};
    /// let mut d_rows = [[0.0; 2]; 3];
    /// let bags = Bags::new(Indices::new(&[2_u8, 0, 2], 3)?, &[0_u8, 2, 3])?;
    /// scatter_add_bags(&[2.0, 4.0, 5.0, 6.0], &bags, Pooling::Mean, &mut TableMut::from_rows(&mut d_rows))?;
    /// assert_eq!(d_rows, [[1.0, 2.0], [0.0, 0.0], [6.0, 8.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Cost
    /// [`scatter_add`] tells how it is computed and what it costs.
    pub fn scatter_add_bags, scatter_add_bags_at[I: Index, P: Policy, O: Index](
        d_out: &[f32],
        bags: &Bags<'_, I, P, O>,
        pooling: Pooling,
        table: &mut TableMut<'_>,
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of the indices", table.rows(), bags.rows())?;
            ShapeMismatch::check("gradients", bags.len().saturating_mul(table.dim()), d_out.len())
        } = scatter_add_bags_loops;
}

impl<I: Index, P: Policy, O: Index> Bags<'_, I, P, O> {
    /// The gradients of the bags' sums, which are the gradients of all their rows, from those of the pooled
    /// bags: `d_sums[bag] = d_out[bag] / divisor`, with the divisor of [`Pooling`]; zeros where it is 0.
    ///
    /// A fused update of bags starts with it: see [`occurrences`](Self::occurrences).
    ///
    /// # Shapes
    /// `d_out` and `d_sums` `[bags, dim]`.
    ///
    /// # Errors
    /// If `d_out` does not have the same number of gradients for each bag, or `d_sums` has another length;
    /// `d_sums` is then as it was.
    ///
    /// ```
    /// use nanoembed::table::{Bags, Indices, Pooling};
    /// let bags = Bags::new(Indices::new(&[2_u8, 0, 2], 3)?, &[0_u8, 2, 3])?;
    /// let mut d_sums = [0.0; 4];
    /// bags.divide(&[2.0, 4.0, 5.0, 6.0], Pooling::Mean, &mut d_sums)?;
    /// assert_eq!(d_sums, [1.0, 2.0, 5.0, 6.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn divide(&self, d_out: &[f32], pooling: Pooling, d_sums: &mut [f32]) -> Result<(), ShapeMismatch> {
        let dim = d_out.len().checked_div(self.len()).unwrap_or_default();
        ShapeMismatch::check("gradients", self.len().saturating_mul(dim), d_out.len())?;
        ShapeMismatch::check("gradients of the sums", d_out.len(), d_sums.len())?;
        let mut rest = (d_out, d_sums);
        for bag in self.iter() {
            let (Some((d_out, d_out_rest)), Some((d_sum, d_sums_rest))) =
                (rest.0.split_at_checked(dim), rest.1.split_at_mut_checked(dim))
            else {
                break;
            };
            rest = (d_out_rest, d_sums_rest);
            let divisor = bag.divisor(pooling).unwrap_or(1.0);
            for (sum, d) in d_sum.iter_mut().zip(d_out) {
                *sum = if divisor == 0.0 { 0.0 } else { d / divisor };
            }
        }
        Ok(())
    }
}

/// Adds the gradient of each number that [`pool_max`](super::pool_max()) gave to the number that it came
/// from: the derivative of `pool_max`, which wrote `arg_max` for the same bags.
///
/// `table[row(id)][c] += weight(id) * d_out[bag][c]` for the id at position `arg_max[bag][c]`, bag by bag; a
/// position without an id, like [`NO_ID`](super::NO_ID), drops its gradient. The positions must be those of
/// the same bags: those of a slice count from its first id. It follows the ids, one number of a row at a
/// time, and is the same at every level.
///
/// The gradient of a big table is wanted as a row for each id instead, for
/// [`SparseGradient`](crate::sparse::SparseGradient): it is what this gives for bags of the ids 0, 1, 2, ...
/// without weights, with `d_out` times the weight, and a `table` of zeros with a row for each.
///
/// # Shapes
/// `d_out` and `arg_max` `[bags, dim]`, `table` `[rows, dim]`.
///
/// # Errors
/// If the ids were checked against another number of rows, or there are not `bags * dim` gradients or
/// positions; `table` is then as it was.
///
/// ```
/// use nanoembed::{kernels::{pool_max, scatter_add_max}, table::{Bags, Indices, Table, TableMut}};
/// let rows = [[1.0, 2.0], [3.0, -4.0], [5.0, -6.0]];
/// let bags = Bags::fixed(Indices::new(&[2_u8, 1, 0], 3)?, 1, 3)?;
/// let (mut out, mut arg_max, mut d_rows) = ([0.0; 2], [0; 2], [[0.0; 2]; 3]);
/// pool_max(Table::from_rows(&rows), &bags, &mut out, &mut arg_max)?;
/// scatter_add_max(&[0.5, 0.25], &arg_max, &bags, &mut TableMut::from_rows(&mut d_rows))?;
/// assert_eq!(d_rows, [[0.0, 0.25], [0.0, 0.0], [0.5, 0.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Cost
/// [`scatter_add`] tells how it is computed and what it costs.
pub fn scatter_add_max<I: Index, P: Policy, O: Index>(
    d_out: &[f32],
    arg_max: &[u32],
    bags: &Bags<'_, I, P, O>,
    table: &mut TableMut<'_>,
) -> Result<(), ShapeMismatch> {
    let (dim, indices) = (table.dim(), bags.indices());
    let length = bags.len().saturating_mul(dim);
    ShapeMismatch::check("rows of the indices", table.rows(), bags.rows())?;
    ShapeMismatch::check("gradients", length, d_out.len())?;
    ShapeMismatch::check("arg_max length", length, arg_max.len())?;
    let columns = (0..dim).cycle();
    for ((d, position), column) in d_out.iter().zip(arg_max).zip(columns) {
        let position = *position as usize;
        let weight = bags.weights().and_then(|weights| weights.get(position));
        let row = indices.row(position).and_then(|row| table.row_mut(row));
        if let Some(x) = row.and_then(|row| row.get_mut(column)) {
            *x += weight.map_or(*d, |weight| weight * d);
        }
    }
    Ok(())
}

#[inline(always)]
fn scatter_add_loops<L: Lanes, I: Index, P: Policy>(
    _: L,
    gradients: &[f32],
    indices: Indices<'_, I, P>,
    table: &mut TableMut<'_>,
) {
    if worth_prefetching(table.as_table()) {
        add_rows::<L, true, _, _>(gradients, indices, table.reborrow());
    } else {
        add_rows::<L, false, _, _>(gradients, indices, table.reborrow());
    }
}

// The table is a value, so that its extents stay in registers.
#[inline(always)]
fn add_rows<L: Lanes, const PREFETCH: bool, I: Index, P: Policy>(
    gradients: &[f32],
    indices: Indices<'_, I, P>,
    mut table: TableMut<'_>,
) {
    let mut rest = gradients;
    for (position, row) in indices.iter().enumerate() {
        let ahead = row_ahead::<PREFETCH, _, _>(indices, position);
        Columns::new(table.as_table(), 0).prefetch(table.dim(), ahead);
        let Some((gradient, after)) = rest.split_at_checked(table.dim()) else { break };
        rest = after;
        if let Some(row) = row.and_then(|row| table.row_mut(row)) {
            column_blocks!(L, as_chunks(gradient), |block, column| add_block(row, column, block));
        }
    }
}

#[inline(always)]
fn scatter_add_bags_loops<L: Lanes, I: Index, P: Policy, O: Index>(
    _: L,
    d_out: &[f32],
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    table: &mut TableMut<'_>,
) {
    if worth_prefetching(table.as_table()) {
        add_bags::<L, true, _, _, _>(d_out, bags, pooling, table.reborrow());
    } else {
        add_bags::<L, false, _, _, _>(d_out, bags, pooling, table.reborrow());
    }
}

#[inline(always)]
fn add_bags<L: Lanes, const PREFETCH: bool, I: Index, P: Policy, O: Index>(
    d_out: &[f32],
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    mut table: TableMut<'_>,
) {
    let mut rest = d_out;
    for bag in bags.iter() {
        let Some((d, after)) = rest.split_at_checked(table.dim()) else { break };
        rest = after;
        let divisor = bag.divisor(pooling);
        if divisor == Some(0.0) {
            continue;
        }
        column_blocks!(L, as_chunks(d), |block, column| {
            scatter_block::<_, PREFETCH, _, _, _>(block, divisor, bags, &bag, column, &mut table);
        });
    }
}

/// `WIDTH` columns of one bag's gradient.
#[inline(always)]
fn scatter_block<const WIDTH: usize, const PREFETCH: bool, I: Index, P: Policy, O: Index>(
    d: &[f32; WIDTH],
    divisor: Option<f32>,
    bags: &Bags<'_, I, P, O>,
    bag: &BagView<'_, I, P>,
    column: usize,
    table: &mut TableMut<'_>,
) {
    let mut d = *d;
    if let Some(divisor) = divisor {
        for d in &mut d {
            *d /= divisor;
        }
    }
    for entry in bag.iter() {
        let ahead = row_ahead::<PREFETCH, _, _>(bags.indices(), entry.position);
        Columns::new(table.as_table(), column).prefetch(WIDTH, ahead);
        let Some(row) = table.row_mut(entry.row) else { continue };
        if bag.weights().is_some() {
            add_block(row, column, &d.map(|d| entry.weight * d));
        } else {
            add_block(row, column, &d);
        }
    }
}

/// Adds `d` to the columns of `row` from `column` on. All is read before anything is written: in place the
/// compiler would have to know that the two do not overlap, and without that knowledge it adds one number
/// after the other.
#[inline(always)]
fn add_block<const WIDTH: usize>(row: &mut [f32], column: usize, d: &[f32; WIDTH]) {
    if let Some(row) = columns_mut::<WIDTH>(row, column) {
        let mut sum = *row;
        for (sum, d) in sum.iter_mut().zip(d) {
            *sum += d;
        }
        *row = sum;
    }
}
