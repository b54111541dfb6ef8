//! Blocks of columns.
//!
//! A row of any length is taken in blocks of 64, 32, 16, 8, 4 and 1 columns. The width of a block is a
//! constant, so that an array of it lies in registers and a loop over it becomes a few vector instructions
//! without a tail. Columns do not mix, so the blocks change no bit.

use crate::simd::{CACHE_LINE, Lanes, prefetch};
use crate::table::{F32, Format, Scale, Table};

/// Runs `work` on each block of a row, given as `as_chunks(row)` or `as_chunks_mut(row)`: the block is an
/// array, and its width a constant that the functions in `work` infer from it. Blocks wider than
/// `L::MAX_BLOCK` are not compiled in.
macro_rules! column_blocks {
    ($lanes:ident, $chunks:ident($row:expr), |$block:ident, $column:ident| $work:expr) => {
        let (mut $column, rest) = (0, $row);
        column_blocks!(@64 $lanes, $chunks, rest, $block, $column, $work);
        column_blocks!(@32 $lanes, $chunks, rest, $block, $column, $work);
        column_blocks!(@16 $lanes, $chunks, rest, $block, $column, $work);
        column_blocks!(@8 $lanes, $chunks, rest, $block, $column, $work);
        column_blocks!(@4 $lanes, $chunks, rest, $block, $column, $work);
        column_blocks!(@1 $lanes, $chunks, rest, $block, $column, $work);
        let _ = ($column, rest);
    };
    (@$width:literal $lanes:ident, $chunks:ident, $rest:ident, $block:ident, $column:ident, $work:expr) => {
        let mut $rest = $rest;
        if $width <= $lanes::MAX_BLOCK {
            let (blocks, after) = $rest.$chunks::<$width>();
            for $block in blocks {
                $work;
                $column += $width;
            }
            $rest = after;
        }
    };
}
pub(crate) use column_blocks;

/// The columns of a table from one on, to read blocks of many rows.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a, F: Format = F32> {
    elements: &'a [F::Element],
    /// From scale and bias of the first row on.
    ends: &'a [F::Element],
    stride: usize,
    column: usize,
    /// The elements of a whole row.
    row: usize,
    /// Of the whole table.
    scale: F::Scale,
}

impl<'a, F: Format> Columns<'a, F> {
    #[inline(always)]
    pub(crate) fn new(table: Table<'a, F>, column: usize) -> Self {
        let row = F::row_length(table.dim());
        Self {
            elements: table.starting_at(column / F::NUMBERS),
            ends: table.starting_at(row - F::SCALE_AND_BIAS),
            stride: table.stride(),
            column,
            row,
            scale: table.table_scale(),
        }
    }

    /// The numbers of a block of a row, which is below the table's number of rows: the ids were checked
    /// against it, so this is the only test in a loop over them. Of a packed row scale · q, to which the bias
    /// is still to come.
    #[inline(always)]
    pub(crate) fn numbers<const WIDTH: usize, L: Lanes>(
        self,
        lanes: L,
        row: usize,
        scale: f32,
    ) -> Option<[f32; WIDTH]> {
        F::block(lanes, self.block::<WIDTH>(row)?, self.column, scale)
    }

    /// The integers of a block of a row.
    #[inline(always)]
    pub(crate) fn integers<const WIDTH: usize>(self, row: usize) -> Option<[i8; WIDTH]> {
        F::integers(self.block::<WIDTH>(row)?, self.column)
    }

    /// A block of a row, as it lies.
    #[inline(always)]
    fn block<const WIDTH: usize>(self, row: usize) -> Option<&'a [F::Element]> {
        let start = row * self.stride;
        self.elements.get(start..start.wrapping_add(WIDTH.div_ceil(F::NUMBERS)))
    }

    /// The elements of a row from these columns on, `count` of them; `None` where the table ends before. In a
    /// loop this is one test, as the length less `count` does not change there, which the compiler sees of a
    /// reference, not of a copy. Short [blocks](Self::block) take longer with it.
    #[inline(always)]
    pub(crate) fn elements(&self, row: usize, count: usize) -> Option<&'a [F::Element]> {
        let start = row * self.stride;
        if start > self.elements.len().checked_sub(count)? {
            return None;
        }
        self.elements.get(start..)?.get(..count)
    }

    /// Where scale and bias of a row stand among these elements.
    #[inline(always)]
    pub(crate) fn end(self) -> usize {
        self.row - F::SCALE_AND_BIAS - self.column / F::NUMBERS
    }

    /// The numbers of a block of a row, where they lie, if they need no conversion.
    #[inline(always)]
    pub(crate) fn floats<const WIDTH: usize>(self, row: usize) -> Option<&'a [f32; WIDTH]> {
        let start = row * self.stride;
        F::as_floats(self.elements.get(start..start.wrapping_add(WIDTH))?)?.first_chunk()
    }

    /// What the whole table is scaled by.
    #[inline(always)]
    pub(crate) fn table_scale(self) -> f32 {
        self.scale.value()
    }

    /// Scale and bias of a packed row.
    #[inline(always)]
    pub(crate) fn scale_and_bias<L: Lanes>(self, lanes: L, row: usize) -> Option<(f32, f32)> {
        let start = row * self.stride;
        F::scale_and_bias(lanes, self.ends.get(start..start.wrapping_add(F::SCALE_AND_BIAS))?)
    }

    /// Asks for the first `count` elements of a row, and for its element `last`: rows that are no multiple of
    /// a line lie across one more than they fill.
    #[inline(always)]
    pub(crate) fn prefetch_ends(self, row: Option<usize>, count: usize, last: usize) {
        let Some(row) = row else { return };
        let start = row.wrapping_mul(self.stride);
        prefetch(self.elements, start, count);
        prefetch(self.elements, start.wrapping_add(last), 1);
    }

    /// Asks for a block that will be needed soon. Packed rows and those of integers are short and lie across
    /// cache lines: the first block asks for the whole row, and by its last byte for its last line.
    #[inline(always)]
    pub(crate) fn prefetch(self, width: usize, row: Option<usize>) {
        let Some(start) = row.map(|row| row * self.stride) else { return };
        if F::SCALE_AND_BIAS == 0 && !F::Scale::IS_ONE {
            prefetch(self.elements, start, width.div_ceil(F::NUMBERS));
        } else if self.column == 0 {
            self.prefetch_ends(row, self.row.saturating_sub(CACHE_LINE + 7).max(1), self.row - 1);
        }
    }
}

/// The block of a row that starts at `column`, to be written.
#[inline(always)]
pub(crate) fn columns_mut<const WIDTH: usize>(row: &mut [f32], column: usize) -> Option<&mut [f32; WIDTH]> {
    row.get_mut(column..)?.first_chunk_mut()
}
