//! Blocks of numbers as tables: all blocks of a list, or one step of each sequence.

use crate::simd::prefetch;
use crate::table::{Numbers, Table, TableMut};
use zerocopy::{FromBytes, IntoBytes};

/// Numbers in a block.
const fn dim<T>() -> usize {
    size_of::<T>() / size_of::<f32>()
}

/// All numbers of these blocks.
fn numbers<T: Numbers>(blocks: &[T]) -> &[f32] {
    // As in `Numbers`, the cast cannot fail.
    <[f32]>::ref_from_bytes(blocks.as_bytes()).unwrap_or_default()
}

/// The same, to write.
fn numbers_mut<T: Numbers>(blocks: &mut [T]) -> &mut [f32] {
    <[f32]>::mut_from_bytes(blocks.as_mut_bytes()).unwrap_or_default()
}

/// A row for each block. Always there.
pub(super) fn rows<T: Numbers>(blocks: &[T]) -> Option<Table<'_>> {
    Table::new(numbers(blocks), blocks.len(), dim::<T>()).ok()
}

/// The same, to write.
pub(super) fn rows_mut<T: Numbers>(blocks: &mut [T]) -> Option<TableMut<'_>> {
    let count = blocks.len();
    TableMut::new(numbers_mut(blocks), count, dim::<T>()).ok()
}

/// A row for step `step` of each sequence. `None` only if there is no such step or no sequence.
pub(super) fn at<T: Numbers, const LEN: usize>(sequences: &[[T; LEN]], step: usize) -> Option<Table<'_>> {
    let numbers = numbers(sequences).get(step * dim::<T>()..)?;
    Table::with_stride(numbers, sequences.len(), dim::<T>(), LEN * dim::<T>()).ok()
}

/// The same, to write.
pub(super) fn at_mut<T: Numbers, const LEN: usize>(
    sequences: &mut [[T; LEN]],
    step: usize,
) -> Option<TableMut<'_>> {
    let count = sequences.len();
    let numbers = numbers_mut(sequences).get_mut(step * dim::<T>()..)?;
    TableMut::with_stride(numbers, count, dim::<T>(), LEN * dim::<T>()).ok()
}

/// Asks for a step of a sequence to be brought near, if there is one.
///
/// The steps that follow each other in time lie a whole sequence apart for each example, too many places for the processor to see
/// a pattern in.
#[inline(always)]
pub(super) fn announce<T: Numbers, const LEN: usize>(sequence: &[T; LEN], step: usize) {
    if let Some(block) = sequence.get(step) {
        prefetch(block.as_numbers(), 0, dim::<T>());
    }
}
