//! Blocks of columns.
//!
//! A row of any length is taken in blocks of 64, 32, 16, 8, 4 and 1 columns. The width of a block is a constant, so that an array of
//! it lies in registers and a loop over it becomes a few vector instructions without a tail. Columns do not mix, so the
//! blocks change no bit.

use crate::simd::prefetch;
use crate::table::Table;

/// Runs `work` on each block of a row, given as `as_chunks(row)` or `as_chunks_mut(row)`: the block is an array, and its width
/// a constant that the functions in `work` infer from it. Blocks wider than `L::COLUMNS` are not compiled in.
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
        if $width <= $lanes::COLUMNS {
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
pub(crate) struct Columns<'a> {
    values: &'a [f32],
    stride: usize,
}

impl<'a> Columns<'a> {
    #[inline(always)]
    pub(crate) fn new(table: Table<'a>, column: usize) -> Self {
        Self { values: table.starting_at(column), stride: table.stride() }
    }

    /// The block of a row, which is below the table's number of rows: the ids were checked against it, so this is the only test
    /// in a loop over them.
    #[inline(always)]
    pub(crate) fn block<const WIDTH: usize>(self, row: usize) -> Option<&'a [f32; WIDTH]> {
        let start = row * self.stride;
        self.values.get(start..start.wrapping_add(WIDTH))?.first_chunk()
    }

    /// Asks for a block that will be needed soon.
    #[inline(always)]
    pub(crate) fn prefetch(self, width: usize, row: Option<usize>) {
        if let Some(row) = row {
            prefetch(self.values, row * self.stride, width);
        }
    }
}

/// The block of a row that starts at `column`, to be written.
#[inline(always)]
pub(crate) fn columns_mut<const WIDTH: usize>(row: &mut [f32], column: usize) -> Option<&mut [f32; WIDTH]> {
    row.get_mut(column..)?.first_chunk_mut()
}
