//! Blocks of columns.
//!
//! A row of any length is taken in blocks of 64, 32, 16, 8, 4 and 1 columns. The width of a block is a constant, so that an array of
//! it lies in registers and a loop over it becomes a few vector instructions without a tail. Columns do not mix, so the
//! blocks change no bit.

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

/// The block of a row that starts at `column`, to be written.
#[inline(always)]
pub(crate) fn columns_mut<const WIDTH: usize>(row: &mut [f32], column: usize) -> Option<&mut [f32; WIDTH]> {
    row.get_mut(column..)?.first_chunk_mut()
}
