//! Row-major views: `rows` rows of `dim` numbers, the start of one row `stride` elements after the start of
//! the last.

use super::format::{OneScale, Scale};
use super::{F32, Format, Numbers, even_ranges, numbers};
use crate::error::ShapeMismatch;
use core::ops::Range;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A borrowed table of rows, shape `[rows, dim]`, in the format `F`; in `f32`, the default, also the matrix
/// type of the dense kernels.
///
/// ```
/// use nanoembed::table::{Table, U8};
/// let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let table = Table::new(&values, 3, 2)?;
/// assert_eq!(table.row(1), Some(&[3.0, 4.0][..]));
/// assert_eq!(table.row(3), None);
///
/// // Rows of 3 numbers in 8 bits each: the bytes q, then scale and bias; here 0.5 q - 1.
/// let bytes = [0, 2, 4, 0, 0, 0, 63, 0, 0, 128, 191];
/// let packed = Table::<U8>::packed(&bytes, 1, 3)?;
/// let mut row = [0.0; 3];
/// packed.dequantise_row(0, &mut row)?;
/// assert_eq!(row, [-1.0, 0.0, 1.0]);
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Table<'a, F: Format = F32> {
    values: &'a [F::Element],
    rows: usize,
    dim: usize,
    stride: usize,
    scale: F::Scale,
}

/// A borrowed table whose rows can be written, shape `[rows, dim]`, in the format `F`.
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
pub struct TableMut<'a, F: Format = F32> {
    values: &'a mut [F::Element],
    rows: usize,
    dim: usize,
    stride: usize,
    scale: F::Scale,
}

/// Elements that a table of this shape reaches over: the last row needs no gap after it.
fn reach(rows: usize, row: usize, stride: usize) -> Option<usize> {
    match rows.checked_sub(1) {
        None => Some(0),
        Some(before) => before.checked_mul(stride)?.checked_add(row),
    }
}

/// The shape rules that both views share: rows of `row` elements do not overlap and all lie within `length`
/// elements.
fn check_shape(length: usize, rows: usize, row: usize, stride: usize) -> Result<(), ShapeMismatch> {
    if stride < row {
        return Err(ShapeMismatch { what: "stride", expected: row, found: stride });
    }
    match reach(rows, row, stride) {
        Some(reach) if reach <= length => Ok(()),
        reach => {
            Err(ShapeMismatch { what: "table length", expected: reach.unwrap_or(usize::MAX), found: length })
        }
    }
}

/// A table without gaps fills its slice.
fn check_contiguous(length: usize, rows: usize, row: usize) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("table length", rows.saturating_mul(row), length)
}

impl<'a> Table<'a> {
    /// The table whose rows stand one after the other in `values`.
    ///
    /// # Errors
    /// If `values` does not hold `rows * dim` numbers.
    pub fn new(values: &'a [f32], rows: usize, dim: usize) -> Result<Self, ShapeMismatch> {
        Self::packed(values, rows, dim)
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
        Self::packed_with_stride(values, rows, dim, stride)
    }

    /// The table of these arrays.
    #[inline]
    pub fn from_rows<const DIM: usize>(rows: &'a [[f32; DIM]]) -> Self {
        Self { values: rows.as_flattened(), rows: rows.len(), dim: DIM, stride: DIM, scale: () }
    }

    /// The rows of `dim` numbers that `values` holds, whole ones.
    pub(crate) fn of_dim(values: &'a [f32], dim: usize) -> Self {
        Self::of_elements(values, dim)
    }

    /// The rows in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a [f32]> + Clone + use<'a> {
        let table = *self;
        (0..table.rows).filter_map(move |row| table.row(row))
    }

    /// Rows `first`, `first + step`, and so on.
    pub(crate) fn every(&self, first: usize, step: usize) -> Self {
        let rows = self.rows.saturating_sub(first).div_ceil(step.max(1));
        Self {
            values: self.starting_at(first * self.stride),
            rows,
            stride: self.stride * step.max(1),
            ..*self
        }
    }

    /// A row for each block.
    pub(crate) fn from_blocks<T: Numbers>(blocks: &'a [T]) -> Self {
        let dim = size_of::<T>() / size_of::<f32>();
        Self { values: numbers::of_blocks(blocks), rows: blocks.len(), dim, stride: dim, scale: () }
    }

    /// All numbers, if no gaps stand between the rows.
    #[inline]
    pub fn as_contiguous(&self) -> Option<&'a [f32]> {
        if self.stride == self.dim { self.values.get(..self.rows * self.dim) } else { None }
    }
}

impl<'a, F: Format> Table<'a, F> {
    /// The rows of `dim` numbers that `values` holds, whole ones.
    pub(crate) fn of_elements(values: &'a [F::Element], dim: usize) -> Self {
        let stride = F::row_length(dim);
        Self {
            values,
            rows: values.len().checked_div(stride).unwrap_or(0),
            dim,
            stride,
            scale: F::Scale::default(),
        }
    }

    /// Rows that are types of their own, of `dim` numbers each.
    pub(crate) fn from_packed<R: IntoBytes + Immutable>(rows: &'a [R], dim: usize) -> Self {
        // Elements are bytes, or numbers that the rows are made of: the cast cannot fail.
        let values = <[F::Element]>::ref_from_bytes(rows.as_bytes()).unwrap_or_default();
        Self {
            values,
            rows: rows.len(),
            dim,
            stride: size_of::<R>() / size_of::<F::Element>(),
            scale: F::Scale::default(),
        }
    }

    /// The table whose rows stand one after the other in `elements`: [`new`](Table::new) for a named format.
    ///
    /// # Errors
    /// If `elements` does not hold `rows` rows of [`F::row_length(dim)`](Format::row_length) elements.
    pub fn packed(elements: &'a [F::Element], rows: usize, dim: usize) -> Result<Self, ShapeMismatch> {
        check_contiguous(elements.len(), rows, F::row_length(dim))?;
        Ok(Self { values: elements, rows, dim, stride: F::row_length(dim), scale: F::Scale::default() })
    }

    /// A table whose rows start `stride` elements apart; what lies between the rows is left alone.
    ///
    /// # Errors
    /// If `stride` is less than [`F::row_length(dim)`](Format::row_length), or `elements` ends before the
    /// last row does.
    pub fn packed_with_stride(
        elements: &'a [F::Element],
        rows: usize,
        dim: usize,
        stride: usize,
    ) -> Result<Self, ShapeMismatch> {
        check_shape(elements.len(), rows, F::row_length(dim), stride)?;
        Ok(Self { values: elements, rows, dim, stride, scale: F::Scale::default() })
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

    /// Elements from the start of a row to the start of the next.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The table itself, if its numbers need no conversion.
    #[inline(always)]
    pub(crate) fn as_floats(self) -> Option<Table<'a>> {
        let Self { values, rows, dim, stride, .. } = self;
        Some(Table { values: F::as_floats(values)?, rows, dim, stride, scale: () })
    }

    /// `count` rows from `first` on; fewer where the table ends.
    #[inline(always)]
    pub(crate) fn part(&self, first: usize, count: usize) -> Self {
        let rows = self.rows.saturating_sub(first).min(count);
        Self { values: self.starting_at(first * self.stride), rows, ..*self }
    }

    /// The elements from number `element` of the first row on; those below it follow in steps of the stride.
    #[inline(always)]
    pub(crate) fn starting_at(&self, element: usize) -> &'a [F::Element] {
        self.values.get(element..).unwrap_or_default()
    }

    /// The elements of row `index`, or `None` if the table has no such row.
    #[inline(always)]
    pub fn row(&self, index: usize) -> Option<&'a [F::Element]> {
        if index >= self.rows {
            return None;
        }
        self.values.get(index * self.stride..)?.get(..F::row_length(self.dim))
    }
}

impl<F: Format<Scale = OneScale>> Table<'_, F> {
    /// The same rows, each number times `scale`: what the integers of an [`I8`](super::I8) or
    /// [`I4`](super::I4) table mean. It is 1 if nothing is said.
    #[must_use]
    pub fn with_scale(self, scale: f32) -> Self {
        self.scaled(OneScale(scale))
    }
}

impl<F: Format> Table<'_, F> {
    /// What all numbers of the table are scaled by: 1 in formats whose rows have scales of their own.
    #[inline(always)]
    pub fn scale(&self) -> f32 {
        self.scale.value()
    }

    /// What the whole table is scaled by, as its format has it.
    #[inline(always)]
    pub(crate) fn table_scale(&self) -> F::Scale {
        self.scale
    }

    /// With what its format scales a whole table by.
    #[inline(always)]
    pub(crate) fn scaled(self, scale: F::Scale) -> Self {
        Self { scale, ..self }
    }
}

impl<F: Format<Scale = OneScale>> TableMut<'_, F> {
    /// The same rows with this scale: see [`Table::with_scale`]. [`I8::scale_of`](super::I8::scale_of) finds
    /// one for numbers that are to be quantised.
    #[must_use]
    pub fn with_scale(self, scale: f32) -> Self {
        self.scaled(OneScale(scale))
    }
}

impl<F: Format> TableMut<'_, F> {
    /// With what its format scales a whole table by.
    pub(crate) fn scaled(self, scale: F::Scale) -> Self {
        Self { scale, ..self }
    }
}

impl<'a> TableMut<'a> {
    /// The table whose rows stand one after the other in `values`.
    ///
    /// # Errors
    /// If `values` does not hold `rows * dim` numbers.
    pub fn new(values: &'a mut [f32], rows: usize, dim: usize) -> Result<Self, ShapeMismatch> {
        Self::packed(values, rows, dim)
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
        Self::packed_with_stride(values, rows, dim, stride)
    }

    /// The table of these arrays.
    #[inline]
    pub fn from_rows<const DIM: usize>(rows: &'a mut [[f32; DIM]]) -> Self {
        let count = rows.len();
        Self { values: rows.as_flattened_mut(), rows: count, dim: DIM, stride: DIM, scale: () }
    }

    /// The rows of `dim` numbers that `values` holds, whole ones.
    pub(crate) fn of_dim(values: &'a mut [f32], dim: usize) -> Self {
        Self::of_elements(values, dim)
    }

    /// `rows` rows of `dim` numbers, which `values` holds.
    pub(crate) fn of_rows(values: &'a mut [f32], rows: usize, dim: usize) -> Self {
        Self { values, rows, dim, stride: dim, scale: () }
    }

    /// Rows `first`, `first + step`, and so on.
    pub(crate) fn every_mut(&mut self, first: usize, step: usize) -> TableMut<'_> {
        let rows = self.rows.saturating_sub(first).div_ceil(step.max(1));
        let (dim, stride) = (self.dim, self.stride);
        TableMut {
            values: self.starting_at_row_mut(first),
            rows,
            dim,
            stride: stride * step.max(1),
            scale: (),
        }
    }

    /// `count` rows from `first` on; fewer where the table ends.
    pub(crate) fn part_mut(&mut self, first: usize, count: usize) -> TableMut<'_> {
        let rows = self.rows.saturating_sub(first).min(count);
        let (dim, stride) = (self.dim, self.stride);
        TableMut { values: self.starting_at_row_mut(first), rows, dim, stride, scale: () }
    }

    /// A row for each block.
    pub(crate) fn from_blocks<T: Numbers>(blocks: &'a mut [T]) -> Self {
        let (rows, dim) = (blocks.len(), size_of::<T>() / size_of::<f32>());
        Self { values: numbers::of_blocks_mut(blocks), rows, dim, stride: dim, scale: () }
    }
}

impl<'a, F: Format> TableMut<'a, F> {
    /// The rows of `dim` numbers that `values` holds, whole ones.
    pub(crate) fn of_elements(values: &'a mut [F::Element], dim: usize) -> Self {
        let stride = F::row_length(dim);
        let rows = values.len().checked_div(stride).unwrap_or(0);
        Self { values, rows, dim, stride, scale: F::Scale::default() }
    }

    /// Rows that are types of their own, of `dim` numbers each.
    pub(crate) fn from_packed<R: FromBytes + IntoBytes + Immutable>(rows: &'a mut [R], dim: usize) -> Self {
        let count = rows.len();
        let values = <[F::Element]>::mut_from_bytes(rows.as_mut_bytes()).unwrap_or_default();
        Self {
            values,
            rows: count,
            dim,
            stride: size_of::<R>() / size_of::<F::Element>(),
            scale: F::Scale::default(),
        }
    }

    /// The table whose rows stand one after the other in `elements`: [`new`](TableMut::new) for a named
    /// format.
    ///
    /// # Errors
    /// If `elements` does not hold `rows` rows of [`F::row_length(dim)`](Format::row_length) elements.
    pub fn packed(elements: &'a mut [F::Element], rows: usize, dim: usize) -> Result<Self, ShapeMismatch> {
        check_contiguous(elements.len(), rows, F::row_length(dim))?;
        Ok(Self { values: elements, rows, dim, stride: F::row_length(dim), scale: F::Scale::default() })
    }

    /// A table whose rows start `stride` elements apart; what lies between the rows is left alone.
    ///
    /// # Errors
    /// If `stride` is less than [`F::row_length(dim)`](Format::row_length), or `elements` ends before the
    /// last row does.
    pub fn packed_with_stride(
        elements: &'a mut [F::Element],
        rows: usize,
        dim: usize,
        stride: usize,
    ) -> Result<Self, ShapeMismatch> {
        check_shape(elements.len(), rows, F::row_length(dim), stride)?;
        Ok(Self { values: elements, rows, dim, stride, scale: F::Scale::default() })
    }

    /// The same rows, to read.
    #[inline(always)]
    pub fn as_table(&self) -> Table<'_, F> {
        Table { values: self.values, rows: self.rows, dim: self.dim, stride: self.stride, scale: self.scale }
    }

    /// The same rows for a shorter time, to pass on without giving the view away.
    #[inline(always)]
    pub fn reborrow(&mut self) -> TableMut<'_, F> {
        TableMut {
            values: self.values,
            rows: self.rows,
            dim: self.dim,
            stride: self.stride,
            scale: self.scale,
        }
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

    /// Elements from the start of a row to the start of the next.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The elements of row `index`, or `None` if the table has no such row.
    #[inline(always)]
    pub fn row_mut(&mut self, index: usize) -> Option<&mut [F::Element]> {
        if index >= self.rows {
            return None;
        }
        self.values.get_mut(index * self.stride..)?.get_mut(..F::row_length(self.dim))
    }

    /// The numbers from row `first` on; the rows after it follow in steps of the stride.
    #[inline(always)]
    pub(crate) fn starting_at_row_mut(&mut self, first: usize) -> &mut [F::Element] {
        self.values.get_mut(first * self.stride..).unwrap_or_default()
    }
}

impl<F: Format> TableMut<'_, F> {
    /// The rows before `row` and the rows from it on, each part numbered from 0; `None` if there are fewer
    /// rows.
    ///
    /// ```
    /// use nanoembed::table::TableMut;
    /// let mut values = [[0.0; 2]; 5];
    /// let (mut first, mut second) = TableMut::from_rows(&mut values).split_at_row(3).unwrap();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| first.row_mut(2).unwrap().fill(1.0));
    ///     scope.spawn(|| second.row_mut(0).unwrap().fill(2.0));
    /// });
    /// assert_eq!(values[2..4], [[1.0; 2], [2.0; 2]]);
    /// ```
    pub fn split_at_row(self, row: usize) -> Option<(Self, Self)> {
        let Self { values, rows, dim, stride, scale } = self;
        let after = rows.checked_sub(row)?;
        // No gap needs to follow the last row.
        let place = if after == 0 { values.len() } else { row * stride };
        let (first, second) = values.split_at_mut_checked(place)?;
        Some((
            Self { values: first, rows: row, dim, stride, scale },
            Self { values: second, rows: after, dim, stride, scale },
        ))
    }

    /// The table in `parts` parts, for as many threads, with the rows that each holds: see
    /// [`even_ranges`](super::even_ranges).
    pub fn split_rows(self, parts: usize) -> impl Iterator<Item = (Range<usize>, Self)> {
        let mut rest = Some(self);
        even_ranges(rest.as_ref().map_or(0, Self::rows), parts).map_while(move |rows| {
            let (part, after) = rest.take()?.split_at_row(rows.len())?;
            rest = Some(after);
            Some((rows, part))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, TableMut};
    use crate::error::ShapeMismatch;

    #[test]
    fn rows_lie_a_stride_apart_and_the_last_needs_no_gap() {
        let values = [0.0, 1.0, -1.0, 3.0, 4.0, -1.0, 6.0, 7.0];
        let table = Table::with_stride(&values, 3, 2, 3).unwrap();
        assert_eq!(table.row(0), Some(&[0.0, 1.0][..]));
        assert_eq!(table.row(2), Some(&[6.0, 7.0][..]));
        assert_eq!((table.row(3), table.row(usize::MAX), table.as_contiguous()), (None, None, None));
    }

    #[test]
    fn a_written_row_leaves_its_neighbours_alone() {
        let mut values = [0.0; 8];
        let mut table = TableMut::with_stride(&mut values, 3, 2, 3).unwrap();
        table.reborrow().row_mut(1).unwrap().fill(1.0);
        assert!(table.row_mut(3).is_none());
        assert_eq!(table.as_table().row(1), Some(&[1.0, 1.0][..]));
        assert_eq!(values, [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_table_splits_between_any_two_rows() {
        let mut values = [0.0, 1.0, -1.0, 3.0, 4.0, -1.0, 6.0, 7.0];
        for row in 0..=3 {
            let table = TableMut::with_stride(&mut values, 3, 2, 3).unwrap();
            let (first, second) = table.split_at_row(row).unwrap();
            assert_eq!((first.rows(), second.rows()), (row, 3 - row));
            for i in 0..3 {
                let part = if i < row { first.as_table().row(i) } else { second.as_table().row(i - row) };
                assert_eq!(part, Some(&[3.0 * i as f32, 3.0 * i as f32 + 1.0][..]));
            }
        }
        assert!(TableMut::with_stride(&mut values, 3, 2, 3).unwrap().split_at_row(4).is_none());
        for count in 1..6 {
            let mut before = 0;
            for (rows, part) in TableMut::with_stride(&mut values, 3, 2, 3).unwrap().split_rows(count) {
                assert_eq!((rows.start, rows.len()), (before, part.rows()));
                assert_eq!(
                    part.as_table().row(0).map(|row| row[0]),
                    rows.clone().next().map(|i| 3.0 * i as f32)
                );
                before = rows.end;
            }
            assert_eq!(before, 3);
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let values = [0.0; 8];
        let length = |expected| ShapeMismatch { what: "table length", expected, found: 8 };
        for (rows, dim, expected) in [(3, 2, 6), (9, 1, 9), (usize::MAX, 2, usize::MAX), (8, 0, 0)] {
            assert_eq!(Table::new(&values, rows, dim).unwrap_err(), length(expected));
        }
        for (rows, dim, stride, expected) in [(3, 3, 3, 9), (4, 2, 3, 11), (usize::MAX, 1, 2, usize::MAX)] {
            assert_eq!(Table::with_stride(&values, rows, dim, stride).unwrap_err(), length(expected));
        }
        let overlap = Table::with_stride(&values, 2, 3, 2).unwrap_err();
        assert_eq!(overlap, ShapeMismatch { what: "stride", expected: 3, found: 2 });
    }

    #[test]
    fn tables_without_rows_or_without_columns() {
        let none = Table::with_stride(&[], 0, 5, 7).unwrap();
        assert_eq!((none.row(0), none.as_contiguous()), (None, None));
        let thin = Table::new(&[], usize::MAX, 0).unwrap();
        assert_eq!(thin.row(usize::MAX - 1), Some(&[][..]));
        assert_eq!((thin.row(usize::MAX), thin.as_contiguous()), (None, Some(&[][..])));
        assert_eq!(Table::from_rows(&[[0.5; 3]; 2]).as_contiguous(), Some(&[0.5; 6][..]));
        let (first, second) = TableMut::new(&mut [], usize::MAX, 0).unwrap().split_at_row(7).unwrap();
        assert_eq!((first.rows(), second.rows()), (7, usize::MAX - 7));
    }
}
