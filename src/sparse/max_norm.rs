//! Rows that are too long are shortened, in place: PyTorch's `max_norm`.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`RowNorm::limit_rows`].

use crate::error::ShapeMismatch;
use crate::math;
use crate::simd::{LANES, Lanes, dots, simd_fn};
use crate::table::{Index, Indices, Policy, TableMut};

/// The length of a row: which norm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowNorm {
    /// The sum of the absolute values, PyTorch's `norm_type=1`.
    L1,
    /// The root of the sum of squares, PyTorch's default.
    #[default]
    L2,
    /// The largest absolute value, PyTorch's `norm_type=inf`.
    Max,
}

impl RowNorm {
    /// Shortens each row that an id names and that is longer than `limit`: `row *= limit / (norm + 1e-7)`, in
    /// order of the ids.
    ///
    /// PyTorch does so before each lookup with `max_norm`. Rows that no id names do not change. `limit` is
    /// not negative, which is not checked: a negative one turns the signs of rows, and NaN shortens none.
    /// Squares above the largest `f32` make the norm infinite and the row zero.
    ///
    /// ```
    /// use nanoembed::sparse::RowNorm;
    /// use nanoembed::table::{Indices, TableMut};
    /// use nanoembed::internals::max_norm;
    /// let mut rows = [[3.0, 4.0], [30.0, 40.0], [300.0, 400.0]];
    /// let ids = Indices::new(&[1_u8, 0], 3)?;
    /// RowNorm::L2.limit_rows(ids, 5.0, &mut TableMut::from_rows(&mut rows))?;
    /// assert_eq!(rows, [[3.0, 4.0], [3.0, 4.0], [300.0, 400.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the ids were checked against another number of rows; `table` is then as it was.
    ///
    /// # How it is computed
    /// ```text
    /// for id in ids, if it names a row:
    ///     norm = (Σ |x|ᵖ)^(1/p) of the row                   by lanes; max |x| for p = ∞
    ///     if norm > max_norm:  row *= max_norm / (norm + 1e-7)
    /// ```
    ///
    /// A row that is named again has its new length by then, which is at most `max_norm` but for rounding:
    /// for limits well above 1e-7 at most the last bits of the row change again. The padding row is not
    /// named; PyTorch shortens it too.
    ///
    /// # Cost
    /// `4 dim` bytes are read for each id, and written for a row that is too long.
    pub fn limit_rows<I: Index, P: Policy>(
        self,
        indices: Indices<'_, I, P>,
        limit: f32,
        table: &mut TableMut<'_>,
    ) -> Result<(), ShapeMismatch> {
        max_norm(indices, limit, self, table)
    }
}

simd_fn! {
    /// [`RowNorm::limit_rows`] tells what it does, how it is computed and what it costs.
    ///
    /// # Errors
    /// As there.
    pub fn max_norm, max_norm_at[I: Index, P: Policy](
        indices: Indices<'_, I, P>, limit: f32, norm: RowNorm, table: &mut TableMut<'_>
    ) -> Result<(), ShapeMismatch>
        where { ShapeMismatch::check("rows of the indices", table.rows(), indices.rows()) } = max_norm_loops;
}

#[inline(always)]
fn max_norm_loops<L: Lanes, I: Index, P: Policy>(
    lanes: L,
    indices: Indices<'_, I, P>,
    limit: f32,
    norm: RowNorm,
    table: &mut TableMut<'_>,
) {
    for row in indices.iter().flatten() {
        let Some(row) = table.row_mut(row) else { continue };
        let length = match norm {
            RowNorm::L1 => sum_of_sizes(lanes, row),
            RowNorm::L2 => math::sqrt(dots(lanes, [&*row], row).map_or(0.0, |[squares]| squares)),
            RowNorm::Max => row.iter().fold(0.0, |most, x| if x.abs() > most { x.abs() } else { most }),
        };
        if length > limit {
            let factor = limit / (length + 1e-7);
            for x in row {
                *x *= factor;
            }
        }
    }
}

/// Σ |x|.
#[inline(always)]
fn sum_of_sizes<L: Lanes>(lanes: L, x: &[f32]) -> f32 {
    let mut total = lanes.splat(0.0);
    let (blocks, rest) = x.as_chunks::<LANES>();
    for x in blocks {
        let mut sizes = *x;
        for size in &mut sizes {
            *size = size.abs();
        }
        total = lanes.add(total, lanes.load(&sizes));
    }
    if !rest.is_empty() {
        let mut sizes = [0.0; LANES];
        for (size, x) in sizes.iter_mut().zip(rest) {
            *size = x.abs();
        }
        total = lanes.add(total, lanes.load(&sizes));
    }
    lanes.sum(total)
}
