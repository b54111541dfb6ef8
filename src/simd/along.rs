//! Walking along several rows at once with one check for all of them.

use core::marker::PhantomData;

/// Blocks of N neighbouring numbers, one of each of R rows, from the start of the rows to the end of the
/// shortest.
///
/// A tile of a product takes such blocks in every turn of its loop, where a comparison for each row would
/// take as long as a multiplication.
#[derive(Clone)]
pub(crate) struct Along<'a, const R: usize, const N: usize> {
    rows: [*const f32; R],
    next: usize,
    left: usize,
    values: PhantomData<&'a [f32]>,
}

impl<'a, const R: usize, const N: usize> Along<'a, R, N> {
    #[inline(always)]
    pub(crate) fn new(rows: [&'a [f32]; R]) -> Self {
        let (mut starts, mut left) = ([core::ptr::null(); R], usize::MAX);
        for (start, row) in starts.iter_mut().zip(&rows) {
            *start = row.as_ptr();
            let blocks = row.len() / N;
            left = if blocks < left { blocks } else { left };
        }
        Self { rows: starts, next: 0, left: if R > 0 { left } else { 0 }, values: PhantomData }
    }
}

impl<'a, const R: usize, const N: usize> Iterator for Along<'a, R, N> {
    type Item = [&'a [f32; N]; R];

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut blocks = [&[0.0; N]; R];
        for (block, row) in blocks.iter_mut().zip(&self.rows) {
            // SAFETY: `new` saw that each of the borrowed rows holds as many blocks as are taken.
            *block = unsafe { &*row.add(self.next).cast() };
        }
        self.next += N;
        Some(blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::Along;
    use std::vec::Vec;

    #[test]
    fn blocks_lie_side_by_side_up_to_the_end_of_the_shortest_row() {
        let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let blocks: Vec<_> = Along::<2, 2>::new([&values[..7], &values[7..]]).collect();
        assert_eq!(blocks, [[&[0.0, 1.0], &[7.0, 8.0]], [&[2.0, 3.0], &[9.0, 10.0]]]);
        assert_eq!(Along::<3, 1>::new([&values, &values[5..], &values[1..]]).count(), 7);
    }

    #[test]
    fn there_is_no_block_where_a_row_is_too_short() {
        let values = [0.0; 3];
        assert!(Along::<2, 2>::new([&values, &values[2..]]).next().is_none());
        assert!(Along::<2, 1>::new([&values, &[]]).next().is_none());
        assert!(Along::<0, 1>::new([]).next().is_none());
    }
}
