//! Row-major views: `rows` rows of `dim` numbers, the start of one row `stride` numbers after the start of the last.

use crate::error::ShapeMismatch;

/// A borrowed table of `f32` rows, shape `[rows, dim]`; also the matrix type of the dense kernels.
///
/// ```
/// use nanoembed::table::Table;
/// let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let table = Table::new(&values, 3, 2)?;
/// assert_eq!(table.row(1), Some(&[3.0, 4.0][..]));
/// assert_eq!(table.row(3), None);
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    values: &'a [f32],
    rows: usize,
    dim: usize,
    stride: usize,
}

/// A borrowed table whose rows can be written, shape `[rows, dim]`.
///
/// ```
/// use nanoembed::table::TableMut;
/// let mut values = [0.0; 6];
/// let mut table = TableMut::new(&mut values, 3, 2)?;
/// table.row_mut(2).unwrap()[0] = 1.0;
/// assert_eq!(values, [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
#[derive(Debug)]
pub struct TableMut<'a> {
    values: &'a mut [f32],
    rows: usize,
    dim: usize,
    stride: usize,
}

/// Numbers that a table of this shape reaches over: the last row needs no gap after it.
fn reach(rows: usize, dim: usize, stride: usize) -> Option<usize> {
    match rows.checked_sub(1) {
        None => Some(0),
        Some(before) => before.checked_mul(stride)?.checked_add(dim),
    }
}

/// The shape rules that both views share: rows do not overlap and all lie within `length` numbers.
fn check_shape(length: usize, rows: usize, dim: usize, stride: usize) -> Result<(), ShapeMismatch> {
    if stride < dim {
        return Err(ShapeMismatch { what: "stride", expected: dim, found: stride });
    }
    match reach(rows, dim, stride) {
        Some(reach) if reach <= length => Ok(()),
        reach => {
            Err(ShapeMismatch { what: "table length", expected: reach.unwrap_or(usize::MAX), found: length })
        }
    }
}

/// A table without gaps fills its slice.
fn check_contiguous(length: usize, rows: usize, dim: usize) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("table length", rows.saturating_mul(dim), length)
}

impl<'a> Table<'a> {
    /// The table whose rows stand one after the other in `values`.
    ///
    /// # Errors
    /// If `values` does not hold `rows * dim` numbers.
    pub fn new(values: &'a [f32], rows: usize, dim: usize) -> Result<Self, ShapeMismatch> {
        check_contiguous(values.len(), rows, dim)?;
        Ok(Self { values, rows, dim, stride: dim })
    }

    /// A table whose rows start `stride` numbers apart; what lies between the rows is left alone.
    ///
    /// # Errors
    /// If `stride < dim`, or `values` ends before the last row does.
    pub fn with_stride(
        values: &'a [f32],
        rows: usize,
        dim: usize,
        stride: usize,
    ) -> Result<Self, ShapeMismatch> {
        check_shape(values.len(), rows, dim, stride)?;
        Ok(Self { values, rows, dim, stride })
    }

    /// The table of these arrays.
    #[inline]
    pub fn from_rows<const DIM: usize>(rows: &'a [[f32; DIM]]) -> Self {
        Self { values: rows.as_flattened(), rows: rows.len(), dim: DIM, stride: DIM }
    }

    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers in a row.
    #[inline]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Numbers from the start of a row to the start of the next.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Row `index`, or `None` if the table has no such row.
    #[inline(always)]
    pub fn row(&self, index: usize) -> Option<&'a [f32]> {
        if index >= self.rows {
            return None;
        }
        self.values.get(index * self.stride..)?.get(..self.dim)
    }

    /// The numbers from element (0, `column`) on; those below it follow in steps of the stride.
    #[inline(always)]
    pub(crate) fn starting_at(&self, column: usize) -> &'a [f32] {
        self.values.get(column..).unwrap_or_default()
    }

    /// All numbers, if no gaps stand between the rows.
    #[inline]
    pub fn as_contiguous(&self) -> Option<&'a [f32]> {
        if self.stride == self.dim { self.values.get(..self.rows * self.dim) } else { None }
    }
}

impl<'a> TableMut<'a> {
    /// The table whose rows stand one after the other in `values`.
    ///
    /// # Errors
    /// If `values` does not hold `rows * dim` numbers.
    pub fn new(values: &'a mut [f32], rows: usize, dim: usize) -> Result<Self, ShapeMismatch> {
        check_contiguous(values.len(), rows, dim)?;
        Ok(Self { values, rows, dim, stride: dim })
    }

    /// A table whose rows start `stride` numbers apart; what lies between the rows is left alone.
    ///
    /// # Errors
    /// If `stride < dim`, or `values` ends before the last row does.
    pub fn with_stride(
        values: &'a mut [f32],
        rows: usize,
        dim: usize,
        stride: usize,
    ) -> Result<Self, ShapeMismatch> {
        check_shape(values.len(), rows, dim, stride)?;
        Ok(Self { values, rows, dim, stride })
    }

    /// The table of these arrays.
    #[inline]
    pub fn from_rows<const DIM: usize>(rows: &'a mut [[f32; DIM]]) -> Self {
        let count = rows.len();
        Self { values: rows.as_flattened_mut(), rows: count, dim: DIM, stride: DIM }
    }

    /// The same rows, to read.
    #[inline(always)]
    pub fn as_table(&self) -> Table<'_> {
        Table { values: self.values, rows: self.rows, dim: self.dim, stride: self.stride }
    }

    /// The same rows for a shorter time, to pass on without giving the view away.
    #[inline(always)]
    pub fn reborrow(&mut self) -> TableMut<'_> {
        TableMut { values: self.values, rows: self.rows, dim: self.dim, stride: self.stride }
    }

    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers in a row.
    #[inline]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Numbers from the start of a row to the start of the next.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Row `index`, or `None` if the table has no such row.
    #[inline(always)]
    pub fn row_mut(&mut self, index: usize) -> Option<&mut [f32]> {
        if index >= self.rows {
            return None;
        }
        self.values.get_mut(index * self.stride..)?.get_mut(..self.dim)
    }
}
