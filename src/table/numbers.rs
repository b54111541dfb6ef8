//! Nested arrays of `f32` as one slice.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A number or an array, of any depth, of numbers: the blocks that models and optimizer slots are made of.
///
/// ```
/// use nanoembed::table::Numbers;
/// let kernel = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// assert_eq!(kernel.as_numbers(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// ```
pub trait Numbers:
    FromBytes + IntoBytes + KnownLayout + Immutable + Sized + sealed::Sealed + 'static
{
    /// The extents, outermost first; 0 ends the list.
    const EXTENTS: [usize; 4];

    /// All numbers in order.
    // Nested arrays of `f32` are aligned for `f32` and a multiple of its size, so the cast cannot fail.
    #[inline(always)]
    fn as_numbers(&self) -> &[f32] {
        <[f32]>::ref_from_bytes(self.as_bytes()).unwrap_or_default()
    }

    /// All numbers in order, to write.
    #[inline(always)]
    fn as_numbers_mut(&mut self) -> &mut [f32] {
        <[f32]>::mut_from_bytes(self.as_mut_bytes()).unwrap_or_default()
    }
}

/// All numbers of these blocks.
// As in `Numbers`, the cast cannot fail.
#[inline(always)]
pub(crate) fn of_blocks<T: Numbers>(blocks: &[T]) -> &[f32] {
    <[f32]>::ref_from_bytes(blocks.as_bytes()).unwrap_or_default()
}

/// The same, to write.
#[inline(always)]
pub(crate) fn of_blocks_mut<T: Numbers>(blocks: &mut [T]) -> &mut [f32] {
    <[f32]>::mut_from_bytes(blocks.as_mut_bytes()).unwrap_or_default()
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for f32 {}
impl<T: Numbers, const N: usize> sealed::Sealed for [T; N] {}

impl Numbers for f32 {
    const EXTENTS: [usize; 4] = [0; 4];
}
impl<T: Numbers, const N: usize> Numbers for [T; N] {
    const EXTENTS: [usize; 4] = {
        let [a, b, c, d] = T::EXTENTS;
        assert!(d == 0, "arrays have at most 4 extents");
        [N, a, b, c]
    };
}
