//! Rows out of a table.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`gather`].

use super::{Columns, column_blocks, row_ahead, worth_prefetching};
use crate::error::ShapeMismatch;
use crate::simd::{Lanes, copy_past_caches, finish_stream, simd_fn};
use crate::table::{Format, Index, Indices, Policy, Table};

simd_fn! {
    /// Copies the row that each id names: `out[position] = table[row(position)]`, as `f32` from whatever
    /// [`Format`].
    ///
    /// # Shapes
    /// `table` `[rows, dim]`, `indices` `[len]`, `out` `[len, dim]`.
    ///
    /// An id that its policy leaves out gives a row of zeros.
    ///
    /// # Errors
    /// If the ids were checked against another number of rows, or `out` does not hold `len * dim` numbers;
    /// `out` is then as it was.
    ///
    /// ```
    /// use nanoembed::{kernels::gather, table::{Indices, Table}};
    /// let table = Table::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let indices = Indices::new(&[2_u8, 0, 2], table.rows())?;
    /// let mut out = [0.0; 6];
    /// gather(table, indices, &mut out)?;
    /// assert_eq!(out, [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # How it is computed
    /// ```text
    /// for position in 0..len:
    ///     out[position] = table[row(position)]                or zeros where the policy leaves the id out
    ///                     scale * q + bias                    in packed formats
    /// ```
    ///
    /// Deviations from this loop:
    ///
    /// - Rows of tables above the size of the near caches are asked for ahead of their use.
    /// - Stores are ordinary ones: what is gathered is read next, by the layer that follows. `gather_stream`
    ///   stores past the caches, for an output that is larger than they are and is not read soon: it leaves
    ///   the caches to others.
    /// - A row of `f32` is copied by a loop over its numbers. In tables above the caches that loop costs 5 ns
    ///   a row too much, a quarter of the time of a row of 32 floats, so the usual lengths of rows, 16, 32
    ///   and 64, are constants there; copies of 128 floats at once were slower. (A checked `copy_from_slice`,
    ///   as fast, has a panic in it.)
    /// - A row of another format is converted in blocks of columns.
    ///
    /// # Cost
    /// For each id the bytes of a row are read from the table, `4 dim` are written, and the id itself is
    /// read. The only arithmetic is the conversion. With a big table the time is that of memory: random lines
    /// are read and consecutive lines written.
    pub fn gather, gather_at[F: Format, I: Index, P: Policy](table: Table<'_, F>, indices: Indices<'_, I, P>, out: &mut [f32]) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of the indices", table.rows(), indices.rows())?;
            ShapeMismatch::check("output length", indices.len().saturating_mul(table.dim()), out.len())
        } = gather_loops;

    /// [`gather`], with stores that go past the caches: for an output larger than the caches that is not read
    /// soon.
    ///
    /// Rows of `f32` alone are stored so; those of other formats are converted with ordinary stores.
    ///
    /// It is faster than `gather` for rows of whole cache lines (`out` at a multiple of 64 bytes, see
    /// [`Aligned`](crate::table::Aligned), `dim` a multiple of 16), slower for an output that is read at
    /// once; the values are the same.
    ///
    /// # Errors
    /// As `gather`.
    ///
    /// # Cost
    /// [`gather`] tells how it is computed and what it costs.
    pub fn gather_stream, gather_stream_at[F: Format, I: Index, P: Policy](table: Table<'_, F>, indices: Indices<'_, I, P>, out: &mut [f32]) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of the indices", table.rows(), indices.rows())?;
            ShapeMismatch::check("output length", indices.len().saturating_mul(table.dim()), out.len())
        } = gather_stream_loops;
}

#[inline(always)]
fn gather_loops<L: Lanes, F: Format, I: Index, P: Policy>(
    lanes: L,
    table: Table<'_, F>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) {
    gather_rows::<_, false, _, _, _>(lanes, table, indices, out);
}

#[inline(always)]
fn gather_stream_loops<L: Lanes, F: Format, I: Index, P: Policy>(
    lanes: L,
    table: Table<'_, F>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) {
    gather_rows::<_, true, _, _, _>(lanes, table, indices, out);
    finish_stream();
}

#[inline(always)]
fn gather_rows<L: Lanes, const STREAM: bool, F: Format, I: Index, P: Policy>(
    lanes: L,
    table: Table<'_, F>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) {
    if worth_prefetching(table) {
        match table.dim() {
            _ if F::SCALE_AND_BIAS > 0 => copy_rows::<_, true, STREAM, _, _, _>(lanes, table, indices, out),
            16 => copy_rows_of::<_, 16, STREAM, _, _, _>(lanes, table, indices, out),
            32 => copy_rows_of::<_, 32, STREAM, _, _, _>(lanes, table, indices, out),
            64 => copy_rows_of::<_, 64, STREAM, _, _, _>(lanes, table, indices, out),
            128 if STREAM => copy_rows_of::<_, 128, STREAM, _, _, _>(lanes, table, indices, out),
            _ => copy_rows::<_, true, STREAM, _, _, _>(lanes, table, indices, out),
        }
    } else {
        copy_rows::<_, false, STREAM, _, _, _>(lanes, table, indices, out);
    }
}

/// Rows of `DIM` numbers, known to the compiler, of a format without scale and bias.
#[inline(always)]
fn copy_rows_of<L: Lanes, const DIM: usize, const STREAM: bool, F: Format, I: Index, P: Policy>(
    lanes: L,
    table: Table<'_, F>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) {
    let columns = Columns::new(table, 0);
    for ((position, row), to) in indices.iter().enumerate().zip(out.as_chunks_mut::<DIM>().0) {
        columns.prefetch(DIM, row_ahead::<true, _, _>(indices, position));
        let Some(row) = row else {
            *to = [0.0; DIM];
            continue;
        };
        match columns.floats::<DIM>(row) {
            Some(from) if STREAM => copy_past_caches(lanes, from, to),
            Some(from) => *to = *from,
            None => *to = columns.numbers(lanes, row, columns.table_scale()).unwrap_or([0.0; DIM]),
        }
    }
}

#[inline(always)]
fn copy_rows<L: Lanes, const PREFETCH: bool, const STREAM: bool, F: Format, I: Index, P: Policy>(
    lanes: L,
    table: Table<'_, F>,
    indices: Indices<'_, I, P>,
    out: &mut [f32],
) {
    let columns = Columns::new(table, 0);
    let mut rest = out;
    for (position, row) in indices.iter().enumerate() {
        columns.prefetch(table.dim(), row_ahead::<PREFETCH, _, _>(indices, position));
        let Some((to, after)) = rest.split_at_mut_checked(table.dim()) else { break };
        rest = after;
        match row.and_then(|row| table.row(row)) {
            Some(from) => convert::<L, STREAM, F>(lanes, table.scale(), from, to),
            None => to.fill(0.0),
        }
    }
}

/// The numbers of a row as `f32`, of a table with this scale.
#[inline(always)]
pub(crate) fn convert<L: Lanes, const STREAM: bool, F: Format>(
    lanes: L,
    table_scale: f32,
    from: &[F::Element],
    to: &mut [f32],
) {
    match F::as_floats(from) {
        Some(from) if STREAM => return copy_past_caches(lanes, from, to),
        Some(from) => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
            return;
        }
        None => {}
    }
    let Some((codes, end)) = from.split_at_checked(from.len().wrapping_sub(F::SCALE_AND_BIAS)) else {
        return;
    };
    let (scale, bias) = F::scale_and_bias(lanes, end).unwrap_or((table_scale, 0.0));
    column_blocks!(L, as_chunks_mut(to), |block, column| {
        if let Some(codes) = codes.get(column / F::NUMBERS..)
            && let Some(numbers) = F::block(lanes, codes, column, scale)
        {
            *block = numbers;
            if F::SCALE_AND_BIAS > 0 {
                for x in block {
                    *x += bias;
                }
            }
        }
    });
}
