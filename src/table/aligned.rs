//! Storage that starts on a cache line.

use core::ops::{Deref, DerefMut};
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// A value that starts at a multiple of 64 bytes: the cache line of the processors that have one.
///
/// A table whose first row starts on a cache line and whose rows fill whole lines (`stride` a multiple of 16
/// floats) is read with the fewest lines moved; rows of 32 to 128 floats that straddle lines cost up to twice
/// the time. It works in a `static`, so also in flash. Its size is rounded up to a multiple of 64 bytes.
///
/// ```
/// use nanoembed::table::{Aligned, Table};
/// static ROWS: Aligned<[[f32; 16]; 50]> = Aligned([[0.5; 16]; 50]);
/// let table = Table::from_rows(&*ROWS);
/// assert_eq!((table.rows(), table.dim()), (50, 16));
/// assert!(std::ptr::from_ref(&ROWS).addr().is_multiple_of(64));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub struct Aligned<T>(pub T);

/// Sixteen numbers that fill a cache line.
pub type Line = Aligned<[f32; 16]>;

impl<T> Deref for Aligned<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Aligned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Aligned;
    use zerocopy::FromZeros;

    #[test]
    fn starts_on_a_cache_line_and_fills_whole_lines() {
        let values = [Aligned([1.0_f32; 3]), Aligned([2.0; 3])];
        for value in &values {
            assert!(core::ptr::from_ref(value).addr().is_multiple_of(64));
        }
        assert_eq!(size_of_val(&values), 128);
    }

    #[test]
    fn derefs_to_the_value_and_can_be_made_of_zeros() {
        let mut value = Aligned::<[[f32; 4]; 5]>::new_zeroed();
        value[4][3] = 1.0;
        assert_eq!(value.as_flattened().iter().sum::<f32>(), 1.0);
        assert_eq!(value.len(), 5);
    }
}
