//! What a recurrent layer gives, and in which direction it reads.

use super::Value;
use crate::table::{Table, TableMut};

/// What a recurrent layer gives, as a type parameter: [`ReturnLast`] or [`ReturnSequences`].
pub trait Returned: Copy + sealed::Sealed {
    /// The outputs of one example.
    type Output<const LEN: usize, const UNITS: usize>: Value;
    /// Its name.
    const NAME: &'static str;

    /// Whether the outputs of all steps are given.
    const SEQUENCES: bool;

    /// The outputs of examples as rows of `UNITS` numbers.
    fn rows<const LEN: usize, const UNITS: usize>(y: &[Self::Output<LEN, UNITS>]) -> Table<'_>;

    /// The same, to write.
    fn rows_mut<const LEN: usize, const UNITS: usize>(y: &mut [Self::Output<LEN, UNITS>]) -> TableMut<'_>;

    /// The mask of the outputs, from the one of the steps in the order in which they are read.
    fn mask<const LEN: usize, const UNITS: usize>(
        mask: [bool; LEN],
    ) -> <Self::Output<LEN, UNITS> as Value>::Mask;

    /// The outputs of one example as codes: of [`integer::Lstm`](super::integer::Lstm).
    type Codes<const LEN: usize, const UNITS: usize>: Value<Mask = <Self::Output<LEN, UNITS> as Value>::Mask>;

    /// All codes of one example, to write.
    fn codes_mut<const LEN: usize, const UNITS: usize>(y: &mut Self::Codes<LEN, UNITS>) -> &mut [i8];
}

/// The output of the last step, `[f32; UNITS]`: Keras' `return_sequences=False`.
#[derive(Clone, Copy, Debug)]
pub struct ReturnLast;
/// The outputs of all steps, `[[f32; UNITS]; LEN]`, in the order in which they are read: Keras'
/// `return_sequences=True`.
#[derive(Clone, Copy, Debug)]
pub struct ReturnSequences;

/// The direction in which a recurrent layer reads, as a type parameter: [`GoForwards`] or [`GoBackwards`].
pub trait Direction: Copy + sealed::Sealed {
    /// Keras' `go_backwards`.
    const BACKWARDS: bool;
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
    const SEQUENCES: bool = false;

    fn rows<const LEN: usize, const UNITS: usize>(y: &[[f32; UNITS]]) -> Table<'_> {
        Table::from_rows(y)
    }

    fn rows_mut<const LEN: usize, const UNITS: usize>(y: &mut [[f32; UNITS]]) -> TableMut<'_> {
        TableMut::from_rows(y)
    }

    fn mask<const LEN: usize, const UNITS: usize>(_: [bool; LEN]) {}

    type Codes<const LEN: usize, const UNITS: usize> = [i8; UNITS];

    fn codes_mut<const LEN: usize, const UNITS: usize>(y: &mut [i8; UNITS]) -> &mut [i8] {
        y
    }
}

impl sealed::Sealed for ReturnSequences {}
impl Returned for ReturnSequences {
    type Output<const LEN: usize, const UNITS: usize> = [[f32; UNITS]; LEN];
    const NAME: &'static str = "sequences";
    const SEQUENCES: bool = true;

    fn rows<const LEN: usize, const UNITS: usize>(y: &[[[f32; UNITS]; LEN]]) -> Table<'_> {
        Table::from_rows(y.as_flattened())
    }

    fn rows_mut<const LEN: usize, const UNITS: usize>(y: &mut [[[f32; UNITS]; LEN]]) -> TableMut<'_> {
        TableMut::from_rows(y.as_flattened_mut())
    }

    fn mask<const LEN: usize, const UNITS: usize>(mask: [bool; LEN]) -> [bool; LEN] {
        mask
    }

    type Codes<const LEN: usize, const UNITS: usize> = [[i8; UNITS]; LEN];

    fn codes_mut<const LEN: usize, const UNITS: usize>(y: &mut [[i8; UNITS]; LEN]) -> &mut [i8] {
        y.as_flattened_mut()
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
