//! Values of zeros in constants and in memory that is there, which zerocopy has not.

use core::mem::MaybeUninit;
use zerocopy::FromZeros;

/// `T::new_zeroed()` for constants.
pub(crate) const fn zeros<T: FromZeros>() -> T {
    // SAFETY: `FromZeros` says that zeros are a value of the type.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// Fills the place with zeros: a value that never was on the stack.
pub(crate) fn zeros_in<T: FromZeros>(place: &mut MaybeUninit<T>) -> &mut T {
    // SAFETY: the pointer is a reference's, to one place.
    unsafe { place.as_mut_ptr().write_bytes(0, 1) };
    // SAFETY: it holds zeros, and `FromZeros` says that they are a value of the type.
    unsafe { place.assume_init_mut() }
}

#[cfg(test)]
mod tests {
    use super::{zeros, zeros_in};
    use core::mem::MaybeUninit;

    const ZEROS: [[u16; 3]; 2] = zeros();

    #[test]
    fn all_of_it_is_zero() {
        assert_eq!(ZEROS, [[0; 3]; 2]);
        let mut place = MaybeUninit::new([[7_u16; 3]; 2]);
        let value = zeros_in(&mut place);
        assert_eq!(*value, ZEROS);
        value[1][2] = 5;
        assert_eq!(value.as_flattened(), [0, 0, 0, 0, 0, 5]);
    }
}
