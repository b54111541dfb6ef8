//! A matrix on its side.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`transpose`].

use crate::error::ShapeMismatch;
use crate::simd::{LANES, Lanes, simd_fn};
use crate::table::{Table, TableMut};

simd_fn! {
    /// B = Aᵀ for A `[m, n]`, B `[n, m]`.
    ///
    /// ```
    /// use nanoembed::table::{Table, TableMut};
    /// use nanoembed::internals::transpose;
    /// let a = Table::from_rows(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let mut b = [[0.0; 2]; 3];
    /// transpose(a, &mut TableMut::from_rows(&mut b))?;
    /// assert_eq!(b, [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If the shapes do not fit; B is then as it was.
    ///
    /// # How it is computed
    /// ```text
    /// for i, j:  b[j][i] = a[i][j]
    /// ```
    ///
    /// Deviation: it goes in squares of sixteen, so that each cache line of B that a column of A is written
    /// across is still at hand for the columns beside it.
    ///
    /// # Cost
    /// 4 m n bytes are read and 4 m n written.
    pub fn transpose, transpose_at(a: Table<'_>, b: &mut TableMut<'_>) -> Result<(), ShapeMismatch>
        where {
            ShapeMismatch::check("rows of b", a.dim(), b.rows())?;
            ShapeMismatch::check("dim of b", a.rows(), b.dim())
        } = transpose_loops;
}

#[inline(always)]
fn transpose_loops<L: Lanes>(_: L, a: Table<'_>, b: &mut TableMut<'_>) {
    for i in (0..a.rows()).step_by(LANES) {
        for j in (0..a.dim()).step_by(LANES) {
            square(a, b, i, j);
        }
    }
}

/// Rows i to i + 15 and columns j to j + 15 of A, as far as it has them.
#[inline(always)]
fn square(a: Table<'_>, b: &mut TableMut<'_>, i: usize, j: usize) {
    let stride = b.stride();
    let to = b.starting_at_row_mut(j);
    for (row, i) in (i..a.rows()).take(LANES).filter_map(|i| Some((a.row(i)?.get(j..)?, i))) {
        let mut place = i;
        for x in row.iter().take(LANES) {
            if let Some(to) = to.get_mut(place) {
                *to = *x;
            }
            place += stride;
        }
    }
}
