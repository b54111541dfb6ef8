//! What a recurrent layer gives, and in which direction it reads.

use super::Value;

/// What a recurrent layer gives, as a type parameter: [`ReturnLast`] or [`ReturnSequences`].
pub trait Returned: Copy + sealed::Sealed {
    /// The outputs of one example.
    type Output<const LEN: usize, const UNITS: usize>: Value;
    /// Its name.
    const NAME: &'static str;

    /// Where the output of the `number`-th step that is read belongs, if it is given.
    fn row_mut<const LEN: usize, const UNITS: usize>(
        y: &mut Self::Output<LEN, UNITS>,
        number: usize,
    ) -> Option<&mut [f32; UNITS]>;

    /// The same, to read.
    fn row<const LEN: usize, const UNITS: usize>(
        y: &Self::Output<LEN, UNITS>,
        number: usize,
    ) -> Option<&[f32; UNITS]>;

    /// The mask of the outputs, from the one of the steps in the order in which they are read.
    fn mask<const LEN: usize, const UNITS: usize>(
        mask: [bool; LEN],
    ) -> <Self::Output<LEN, UNITS> as Value>::Mask;
}

/// The output of the last step, `[f32; UNITS]`: Keras' `return_sequences=False`.
#[derive(Clone, Copy, Debug)]
pub struct ReturnLast;
/// The outputs of all steps, `[[f32; UNITS]; LEN]`, in the order in which they are read: Keras' `return_sequences=True`.
#[derive(Clone, Copy, Debug)]
pub struct ReturnSequences;

/// The direction in which a recurrent layer reads, as a type parameter: [`GoForwards`] or [`GoBackwards`].
pub trait Direction: Copy + sealed::Sealed {
    /// Keras' `go_backwards`.
    const BACKWARDS: bool;

    /// Which of `len` steps is the `number`-th that is read; its own inverse.
    fn step(number: usize, len: usize) -> usize {
        if Self::BACKWARDS { len.saturating_sub(number).saturating_sub(1) } else { number }
    }
}

/// From the first step to the last.
#[derive(Clone, Copy, Debug)]
pub struct GoForwards;
/// From the last step to the first: Keras' `go_backwards=True`.
#[derive(Clone, Copy, Debug)]
pub struct GoBackwards;

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for ReturnLast {}
impl Returned for ReturnLast {
    type Output<const LEN: usize, const UNITS: usize> = [f32; UNITS];
    const NAME: &'static str = "last";

    fn row_mut<const LEN: usize, const UNITS: usize>(
        y: &mut [f32; UNITS],
        number: usize,
    ) -> Option<&mut [f32; UNITS]> {
        (number + 1 == LEN).then_some(y)
    }

    fn row<const LEN: usize, const UNITS: usize>(y: &[f32; UNITS], number: usize) -> Option<&[f32; UNITS]> {
        (number + 1 == LEN).then_some(y)
    }

    fn mask<const LEN: usize, const UNITS: usize>(_: [bool; LEN]) {}
}

impl sealed::Sealed for ReturnSequences {}
impl Returned for ReturnSequences {
    type Output<const LEN: usize, const UNITS: usize> = [[f32; UNITS]; LEN];
    const NAME: &'static str = "sequences";

    fn row_mut<const LEN: usize, const UNITS: usize>(
        y: &mut [[f32; UNITS]; LEN],
        number: usize,
    ) -> Option<&mut [f32; UNITS]> {
        y.get_mut(number)
    }

    fn row<const LEN: usize, const UNITS: usize>(
        y: &[[f32; UNITS]; LEN],
        number: usize,
    ) -> Option<&[f32; UNITS]> {
        y.get(number)
    }

    fn mask<const LEN: usize, const UNITS: usize>(mask: [bool; LEN]) -> [bool; LEN] {
        mask
    }
}

impl sealed::Sealed for GoForwards {}
impl Direction for GoForwards {
    const BACKWARDS: bool = false;
}

impl sealed::Sealed for GoBackwards {}
impl Direction for GoBackwards {
    const BACKWARDS: bool = true;
}
