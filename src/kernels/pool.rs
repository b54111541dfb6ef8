//! Bags of rows, each pooled into one row.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`pool`].

use super::blocks::sum_in_blocks;
use super::groups::InGroups;
use super::integers::check_sums;
use super::sums::Ids;
use super::{Columns, column_blocks, row_ahead, worth_prefetching};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, LevelLanes, level_fn, simd_fn};
use crate::table::{BagView, Bags, Format, Index, Policy, Pooling, Scale, Table};
use core::ops::Range;

simd_fn! {
    /// Pools each bag of rows into one row.
    ///
    /// `out[bag] = Σ weight(id) * table[row(id)]` over the ids of the bag that contribute, divided as
    /// [`Pooling`] says. A bag in which nothing contributes gives zeros. The table may have any [`Format`];
    /// it is never expanded.
    ///
    /// # Shapes
    /// `table` `[rows, dim]`, `out` `[bags, dim]`.
    ///
    /// # Errors
    /// If the ids were checked against another number of rows, or `out` does not hold `bags * dim` numbers;
    /// of rows of integers, if a bag has so many ids (16,777,216) that 32 bits may not hold their sum. `out` is
    /// then as it was.
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
    ///
    /// # How it is computed
    /// ```text
    /// pool:      for bag in 0..bags:
    ///                sum = 0
    ///                for id in bag, if it contributes:
    ///                    sum += weight(id) * table[row(id)]
    ///                out[bag] = sum                              or sum / divisor: see Pooling
    ///
    ///            of packed rows:
    ///                sum = 0, bias_sum = 0
    ///                for id in bag, if it contributes:
    ///                    sum += (scale(row) * weight(id)) * q(row), bias_sum += bias(row) * weight(id)
    ///                out[bag] = sum + bias_sum                   or that / divisor
    ///
    ///            of rows of integers:
    ///                sum = 0                                     an i32; with weights, an f32
    ///                for id in bag, if it contributes:
    ///                    sum += weight(id) * q(row)
    ///                out[bag] = scale(table) * sum               or that / divisor
    ///
    /// pool_max:  for bag in 0..bags:
    ///                for id in bag, if it contributes:
    ///                    x = weight(id) * table[row(id)]
    ///                    where first or x > out[bag]:  out[bag] = x, arg_max[bag] = position(id)
    /// ```
    ///
    /// Deviations from these loops:
    ///
    /// - The columns are taken in blocks of 64, 32, 16, 8, 4 and 1, each over the whole bag, so that the sums
    ///   stay in registers and `out` is written once. A sum in memory would be loaded and stored again for
    ///   every row.
    /// - On x86-64 with AVX2 all rows but those of integers without weights are taken in groups of sixteen
    ///   columns, up to four in one pass over the bag, or eight with AVX-512. The last group is that of the
    ///   last sixteen columns, or what follows the row is read with it: so are packed rows, and those of 16
    ///   bits below sixteen columns. A bag with a row at the end of the table, where that cannot be, is summed
    ///   again in blocks. Packed codes of 4 bits are summed in the order in which they are unpacked, and come
    ///   into that of the columns at the end. Rows of less than sixteen `f32` are taken as their first and
    ///   their last columns, some of which may be the same.
    /// - Rows of tables above the size of the near caches are asked for ahead of their use, across the
    ///   borders of bags, each block of columns for itself.
    /// - Without weights nothing is multiplied by them.
    /// - The codes of packed rows are unpacked, converted, multiplied and added sixteen at a time; that the
    ///   biases are summed apart saves an addition for each number.
    /// - The integers of up to 256 rows are added in 16 bits, which hold their sum, then in 32: twice as many
    ///   in a register, and so blocks of 128 columns where those of floats have 64. Those of 4 bits are summed
    ///   apart, the ones in the low bits of a byte and the ones in the high bits, and come into the order of
    ///   the columns at the end.
    ///
    /// Each column is one serial sum (or maximum) in the order of the ids, so blocks and levels change no
    /// bit; a sum of integers is the same in any order.
    ///
    /// # Cost
    /// For each id the bytes of a row are read from the table, and the id itself once for each block of
    /// columns; for each bag `4 dim` bytes are written. There is one addition for each four bytes of `f32`,
    /// so the time is that of reading the rows, from whichever cache or memory they lie in. Packed rows in
    /// the caches take the time of the arithmetic, four to six vector operations for each register of
    /// numbers.
    pub fn pool, pool_at[F: Format, I: Index, P: Policy, O: Index](
        table: Table<'_, F>,
        bags: &Bags<'_, I, P, O>,
        pooling: Pooling,
        out: &mut [f32],
    ) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of the indices", table.rows(), bags.rows())?;
            check_sums::<F, _, _, _>(bags)?;
            ShapeMismatch::check("output length", bags.len().saturating_mul(table.dim()), out.len())
        } = pool_loops;

    /// The greatest number of each column of each bag, and which id it comes from: PyTorch's `mode="max"`.
    ///
    /// `out[bag][c] = max weight(id) * table[row(id)][c]` over the ids of the bag that contribute, and
    /// `arg_max[bag][c]` is the position of the first id with that value in the list of all ids. A bag in
    /// which nothing contributes gives zeros and [`NO_ID`]. A NaN counts as the greatest only if it comes
    /// first.
    ///
    /// # Shapes
    /// `table` `[rows, dim]`, `out` and `arg_max` `[bags, dim]`.
    ///
    /// # Errors
    /// If the ids were checked against another number of rows, there are more than `u32::MAX` of them, or
    /// `out` or `arg_max` does not hold `bags * dim` numbers; both are then as they were.
    ///
    /// ```
    /// use nanoembed::{kernels::pool_max, table::{Bags, Indices, Table}};
    /// let table = Table::from_rows(&[[1.0, 2.0], [3.0, -4.0], [5.0, -6.0]]);
    /// let bags = Bags::new(Indices::new(&[2_u8, 1, 0], table.rows())?, &[0_u8, 2, 3])?;
    /// let (mut out, mut arg_max) = ([0.0; 4], [0; 4]);
    /// pool_max(table, &bags, &mut out, &mut arg_max)?;
    /// assert_eq!((out, arg_max), ([5.0, -4.0, 1.0, 2.0], [0, 1, 2, 2]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Cost
    /// [`pool`] tells how it is computed and what it costs.
    pub fn pool_max, pool_max_at[F: Format, I: Index, P: Policy, O: Index](
        table: Table<'_, F>,
        bags: &Bags<'_, I, P, O>,
        out: &mut [f32],
        arg_max: &mut [u32],
    ) -> Result<(), ShapeMismatch>
        where {
            let length = bags.len().saturating_mul(table.dim());
            ShapeMismatch::check("rows of the indices", table.rows(), bags.rows())?;
            ShapeMismatch::check("output length", length, out.len())?;
            ShapeMismatch::check("arg_max length", length, arg_max.len())?;
            check_positions(bags.indices().len())
        } = pool_max_loops;
}

/// Stands in `arg_max` where no id of the bag contributes.
pub const NO_ID: u32 = u32::MAX;

/// Whether 32 bits name the positions of so many ids.
#[inline(always)]
fn check_positions(ids: usize) -> Result<(), ShapeMismatch> {
    if ids as u64 > u64::from(NO_ID) {
        return Err(ShapeMismatch { what: "number of ids, at most", expected: NO_ID as usize, found: ids });
    }
    Ok(())
}

#[inline(always)]
fn pool_loops<L: LevelLanes, F: Format, I: Index, P: Policy, O: Index>(
    lanes: L,
    table: Table<'_, F>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) {
    let prefetch = worth_prefetching(table);
    // Rows of integers without weights have loops of their own.
    match (prefetch, F::Scale::IS_ONE && bags.weights().is_none()) {
        (true, true) => pool_bags::<_, true, true, _, _, _, _>(lanes, table, bags, pooling, out),
        (true, false) => pool_bags::<_, true, false, _, _, _, _>(lanes, table, bags, pooling, out),
        (false, true) => pool_bags::<_, false, true, _, _, _, _>(lanes, table, bags, pooling, out),
        (false, false) => pool_bags::<_, false, false, _, _, _, _>(lanes, table, bags, pooling, out),
    }
}

#[inline(always)]
fn pool_bags<
    L: LevelLanes,
    const PREFETCH: bool,
    const CODES: bool,
    F: Format,
    I: Index,
    P: Policy,
    O: Index,
>(
    lanes: L,
    table: Table<'_, F>,
    bags: &Bags<'_, I, P, O>,
    pooling: Pooling,
    out: &mut [f32],
) {
    let in_groups =
        if CODES { None } else { InGroups::new::<PREFETCH, _>(lanes, table, bags.weights().is_some()) };
    // A loop over bags for each: in one loop both would not find room in the registers.
    if let Some(in_groups) = in_groups {
        each_bag(
            bags,
            table.dim(),
            pooling,
            out,
            #[inline(always)]
            |ids, bag, to| {
                if !in_groups.sum(ids, bag.clone(), to) {
                    sum_late(lanes.level(), table, ids, bag, to);
                }
            },
        );
    } else {
        each_bag(
            bags,
            table.dim(),
            pooling,
            out,
            #[inline(always)]
            |ids, bag, to| sum_in_blocks::<PREFETCH, CODES, _, _, _, _>(lanes, table, ids, bag, to),
        );
    }
}

/// Writes what `sum` gives for each bag, divided as the pooling says.
#[inline(always)]
fn each_bag<I: Index, P: Policy, O: Index>(
    bags: &Bags<'_, I, P, O>,
    dim: usize,
    pooling: Pooling,
    out: &mut [f32],
    sum: impl Fn(&Ids<'_, I, P>, Range<usize>, &mut [f32]),
) {
    let ids = Ids { indices: bags.indices(), weights: bags.weights() };
    let mut rest = out;
    // Not `iter`, whose closure is not always inlined: what is known of the bags would then be lost.
    for number in 0..bags.len() {
        let Some(bag) = bags.positions(number) else { continue };
        let Some((to, after)) = rest.split_at_mut_checked(dim) else { break };
        rest = after;
        sum(&ids, bag, to);
        if pooling != Pooling::Sum {
            divide(to, bags.bag(number).and_then(|bag| bag.divisor(pooling)));
        }
    }
}

level_fn! {
    /// The sums of a bag with a [late](super::groups) row, whose loops would take registers from the others.
    fn sum_late[F: Format, I: Index, P: Policy](
        table: Table<'_, F>,
        ids: &Ids<'_, I, P>,
        bag: Range<usize>,
        to: &mut [f32]
    ) = sum_late_in_blocks, inline(never)
}

#[inline(always)]
fn sum_late_in_blocks<L: Lanes, F: Format, I: Index, P: Policy>(
    lanes: L,
    table: Table<'_, F>,
    ids: &Ids<'_, I, P>,
    bag: Range<usize>,
    to: &mut [f32],
) {
    sum_in_blocks::<false, false, _, _, _, _>(lanes, table, ids, bag, to);
}

/// Sums to what the pooling makes of them.
#[inline(always)]
fn divide(sums: &mut [f32], divisor: Option<f32>) {
    match divisor {
        None => {}
        Some(0.0) => sums.fill(0.0),
        Some(divisor) => {
            for sum in sums {
                *sum /= divisor;
            }
        }
    }
}

#[inline(always)]
fn pool_max_loops<L: Lanes, F: Format, I: Index, P: Policy, O: Index>(
    lanes: L,
    table: Table<'_, F>,
    bags: &Bags<'_, I, P, O>,
    out: &mut [f32],
    arg_max: &mut [u32],
) {
    if worth_prefetching(table) {
        max_of_bags::<_, true, _, _, _, _>(lanes, table, bags, out, arg_max);
    } else {
        max_of_bags::<_, false, _, _, _, _>(lanes, table, bags, out, arg_max);
    }
}

#[inline(always)]
fn max_of_bags<L: Lanes, const PREFETCH: bool, F: Format, I: Index, P: Policy, O: Index>(
    lanes: L,
    table: Table<'_, F>,
    bags: &Bags<'_, I, P, O>,
    out: &mut [f32],
    arg_max: &mut [u32],
) {
    let (mut rest, mut rest_positions) = (out, arg_max);
    for bag in bags.iter() {
        let Some((to, after)) = rest.split_at_mut_checked(table.dim()) else { break };
        let Some((positions, positions_after)) = rest_positions.split_at_mut_checked(table.dim()) else {
            break;
        };
        (rest, rest_positions) = (after, positions_after);
        let ahead = |position: usize| row_ahead::<PREFETCH, _, _>(bags.indices(), position);
        column_blocks!(L, as_chunks_mut(to), |block, column| {
            if let Some(positions) = positions.get_mut(column..).and_then(<[u32]>::first_chunk_mut) {
                (*block, *positions) = max_block(lanes, Columns::new(table, column), &bag, ahead);
            }
        });
    }
}

/// The maxima of `WIDTH` columns of one bag and their positions.
#[inline(always)]
fn max_block<const WIDTH: usize, L: Lanes, F: Format, I: Index, P: Policy>(
    lanes: L,
    columns: Columns<'_, F>,
    bag: &BagView<'_, I, P>,
    ahead: impl Fn(usize) -> Option<usize>,
) -> ([f32; WIDTH], [u32; WIDTH]) {
    let weighted = bag.weights().is_some();
    let (mut max, mut positions) = ([0.0; WIDTH], [NO_ID; WIDTH]);
    let mut is_first = true;
    for entry in bag.iter() {
        columns.prefetch(WIDTH, ahead(entry.position));
        let (scale, bias) = columns.scale_and_bias(lanes, entry.row).unwrap_or((columns.table_scale(), 0.0));
        let Some(mut numbers) = columns.numbers::<WIDTH, L>(lanes, entry.row, scale) else { continue };
        if F::SCALE_AND_BIAS > 0 {
            for x in &mut numbers {
                *x += bias;
            }
        }
        if weighted {
            for x in &mut numbers {
                *x *= entry.weight;
            }
        }
        let position = entry.position as u32;
        if is_first {
            (max, positions, is_first) = (numbers, [position; WIDTH], false);
            continue;
        }
        // Two loops with one comparison each: together they are not vectorised without masks.
        for ((at, max), x) in positions.iter_mut().zip(&max).zip(&numbers) {
            *at = if x > max { position } else { *at };
        }
        for (max, x) in max.iter_mut().zip(numbers) {
            *max = if x > *max { x } else { *max };
        }
    }
    (max, positions)
}
