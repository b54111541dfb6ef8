//! Bags of rows summed.
//!
//! ```text
//! for bag in 0..bags:
//!     sum = 0, count = 0
//!     for id in bag, if it contributes:
//!         sum += weight(id) * table[row(id)], count += 1
//!     out[bag] = sum                                      or sum / count
//! ```
//!
//! Deviations from this loop:
//!
//! - The columns are taken in blocks of 64, 32, 16, 8, 4 and 1, each over the whole bag, so that the sums stay in registers and
//!   `out` is written once. A sum in memory would be loaded and stored again for every row.
//! - Rows of tables above the size of the caches are asked for sixteen ids ahead, across the borders of bags, in the first
//!   block of columns; the later ones find them in the cache.
//! - Without weights nothing is multiplied.
//!
//! Each column is one serial sum in the order of the ids, so blocks and levels change no bit.
//!
//! Moved per id: `4 dim` bytes read from the table and the id itself, once for each block of columns; per bag `4 dim` bytes
//! written. One addition for each four bytes: the time is that of reading the rows, from whichever cache or memory they lie in.

use super::{Ahead, Look, Never, column_blocks, columns, pays};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, simd_fn};
use crate::table::{BagView, Bags, Index, Policy, Pooling, Table};

simd_fn! {
    /// Pools each bag of rows into one row.
    ///
    /// `out[bag] = Σ weight(id) * table[row(id)]` over the ids of the bag that contribute, divided by their number for
    /// [`Pooling::Mean`]. A bag in which nothing contributes gives zeros.
    ///
    /// # Shapes
    /// `table` `[rows, dim]`, `out` `[bags, dim]`.
    ///
    /// # Errors
    /// If the ids were checked against another number of rows, or `out` does not hold `bags * dim` numbers; `out` is then as it was.
    ///
    /// ```
    /// use nanoembed::{kernels::pool, table::{Bags, Indices, Pooling, Table}};
    /// let table = Table::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let indices = Indices::new(&[2_u8, 0, 1], table.rows())?;
    /// let bags = Bags::new(indices, &[0_u8, 2, 2, 3])?;
    /// let mut out = [0.0; 6];
    /// pool(table, &bags, Pooling::Mean, &mut out)?;
    /// assert_eq!(out, [3.0, 4.0, 0.0, 0.0, 3.0, 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pool, pool_at[I: Index, P: Policy, O: Index](
        table: Table<'_>,
        bags: &Bags<'_, I, P, O>,
        pooling: Pooling,
        out: &mut [f32],
    ) -> Result<(), ShapeMismatch> = pool_body;
}

#[inline(always)]
fn pool_body<L: Lanes, I: Index, P: Policy, O: Index>(
    _: L,
    table: Table<'_>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("rows of the indices", table.rows(), bags.rows())?;
    ShapeMismatch::check("output length", bags.len().saturating_mul(table.dim()), out.len())?;

    if pays(table) {
        pool_bags::<L, _, _, _>(Ahead, table, bags, pooling, out);
    } else {
        pool_bags::<L, _, _, _>(Never, table, bags, pooling, out);
    }
    Ok(())
}

#[inline(always)]
fn pool_bags<L: Lanes, I: Index, P: Policy, O: Index>(
    look: impl Look,
    table: Table<'_>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) {
    let mut rest = out;
    for bag in bags.iter() {
        let Some((to, after)) = rest.split_at_mut_checked(table.dim()) else { break };
        rest = after;
        let ask = |column: usize, position: usize| {
            if column == 0 {
                look.ask(table, bags.indices(), position);
            }
        };
        column_blocks!(L, as_chunks_mut(to), |block, column| {
            pool_block(table, &bag, pooling, column, |position| ask(column, position), block);
        });
    }
}

/// `WIDTH` columns of one bag.
#[inline(always)]
fn pool_block<const WIDTH: usize, I: Index, P: Policy>(
    table: Table<'_>,
    bag: &BagView<'_, I, P>,
    pooling: Pooling,
    column: usize,
    ask: impl Fn(usize),
    out: &mut [f32; WIDTH],
) {
    let mut sum = [0.0; WIDTH];
    let mut count = 0_usize;
    let rows = bag.iter().filter_map(|entry| {
        ask(entry.position);
        Some((entry.weight, columns::<WIDTH>(table.row(entry.row)?, column)?))
    });
    if bag.is_weighted() {
        for (weight, row) in rows {
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += weight * x;
            }
            count += 1;
        }
    } else {
        for (_, row) in rows {
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += x;
            }
            count += 1;
        }
    }
    if pooling == Pooling::Mean && count > 0 {
        for sum in &mut sum {
            *sum /= count as f32;
        }
    }
    *out = sum;
}
