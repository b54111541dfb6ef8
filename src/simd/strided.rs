//! Walking down a column of blocks with one check for all of them.

use core::marker::PhantomData;

/// Blocks of C times N neighbouring numbers, the start of one `stride` numbers after the start of the last.
///
/// A tile of a product takes such a block in every turn of its loop, where two comparisons a turn (one for
/// the block, one for what follows it) would take a seventh of the time.
#[derive(Clone)]
pub(crate) struct Strided<'a, const C: usize, const N: usize> {
    next: *const f32,
    stride: usize,
    left: usize,
    values: PhantomData<&'a [f32]>,
}

impl<'a, const C: usize, const N: usize> Strided<'a, C, N> {
    /// `None` if `values` ends before the last of the `count` blocks does.
    #[inline(always)]
    pub(crate) fn new(values: &'a [f32], stride: usize, count: usize) -> Option<Self> {
        if let Some(before) = count.checked_sub(1) {
            let reach = before.checked_mul(stride)?.checked_add(C * N)?;
            values.get(..reach)?;
        }
        Some(Self { next: values.as_ptr(), stride, left: count, values: PhantomData })
    }
}

impl<'a, const C: usize, const N: usize> Iterator for Strided<'a, C, N> {
    type Item = &'a [[f32; N]; C];

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let block = self.next;
        self.next = block.wrapping_add(self.stride);
        // SAFETY: `new` saw that all `count` blocks lie within the borrowed numbers.
        Some(unsafe { &*block.cast() })
    }
}

#[cfg(test)]
mod tests {
    use super::Strided;
    use std::vec::Vec;

    #[test]
    fn blocks_lie_a_stride_apart_and_the_last_needs_no_gap() {
        let values: Vec<f32> = (0..14).map(|i| i as f32).collect();
        let blocks: Vec<_> = Strided::<2, 2>::new(&values, 5, 3).unwrap().collect();
        assert_eq!(
            blocks,
            [&[[0.0, 1.0], [2.0, 3.0]], &[[5.0, 6.0], [7.0, 8.0]], &[[10.0, 11.0], [12.0, 13.0]]]
        );
        assert_eq!(Strided::<1, 3>::new(&values, 0, 2).unwrap().count(), 2);
        assert_eq!(Strided::<2, 2>::new(&[], 5, 0).unwrap().next(), None);
    }

    #[test]
    fn blocks_that_are_not_there_are_refused() {
        let values = [0.0; 13];
        assert!(Strided::<2, 2>::new(&values, 5, 3).is_none());
        assert!(Strided::<1, 1>::new(&[], 5, 1).is_none());
        assert!(Strided::<1, 1>::new(&values, usize::MAX, 3).is_none());
        assert!(Strided::<1, 2>::new(&values, usize::MAX, 2).is_none());
    }
}
