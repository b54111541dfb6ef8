//! How a convolution continues a sequence, as a type.

use crate::table::Padding;

/// How a sequence is continued beyond its ends for a convolution: [`Valid`], [`Same`] or [`Causal`].
pub trait ConvPadding: Copy + sealed::Sealed {
    /// Which one it is.
    const KIND: Padding;
}

/// No window reaches beyond the sequence: fewer outputs than inputs.
#[derive(Clone, Copy, Debug)]
pub struct Valid;
/// Zeros at both ends, so that with a stride of 1 there are as many outputs as inputs; an odd one is at the
/// end.
#[derive(Clone, Copy, Debug)]
pub struct Same;
/// Zeros before the start, so that no output depends on a later input.
#[derive(Clone, Copy, Debug)]
pub struct Causal;

impl sealed::Sealed for Valid {}
impl ConvPadding for Valid {
    const KIND: Padding = Padding::Valid;
}
impl sealed::Sealed for Same {}
impl ConvPadding for Same {
    const KIND: Padding = Padding::Same;
}
impl sealed::Sealed for Causal {}
impl ConvPadding for Causal {
    const KIND: Padding = Padding::Causal;
}

mod sealed {
    pub trait Sealed {}
}
