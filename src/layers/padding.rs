//! Where the windows of a convolution lie, and how many there are.

use crate::table::Windows;

/// How a sequence is continued beyond its ends for a convolution: [`Valid`], [`Same`] or [`Causal`].
pub trait ConvPadding: Copy + sealed::Sealed {
    /// Which one it is.
    const KIND: PaddingKind;
}

/// No window reaches beyond the sequence: fewer outputs than inputs.
#[derive(Clone, Copy, Debug)]
pub struct Valid;
/// Zeros at both ends, so that with a stride of 1 there are as many outputs as inputs; an odd one is at the end.
#[derive(Clone, Copy, Debug)]
pub struct Same;
/// Zeros before the start, so that no output depends on a later input.
#[derive(Clone, Copy, Debug)]
pub struct Causal;

impl sealed::Sealed for Valid {}
impl ConvPadding for Valid {
    const KIND: PaddingKind = PaddingKind::Valid;
}
impl sealed::Sealed for Same {}
impl ConvPadding for Same {
    const KIND: PaddingKind = PaddingKind::Same;
}
impl sealed::Sealed for Causal {}
impl ConvPadding for Causal {
    const KIND: PaddingKind = PaddingKind::Causal;
}

mod sealed {
    pub trait Sealed {}
}

/// The paddings of Keras' `Conv1D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaddingKind {
    /// None.
    Valid,
    /// At both ends.
    Same,
    /// Before the start.
    Causal,
}

impl PaddingKind {
    /// Its name, as in Keras.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Same => "same",
            Self::Causal => "causal",
        }
    }

    /// Steps of output for `len` steps of input, in which the ends of a window lie `reach` steps apart; 0 if no window fits.
    ///
    /// ```
    /// use nanoembed::layers::PaddingKind;
    /// assert_eq!(PaddingKind::Valid.output_length(100, 4, 1), 96);
    /// assert_eq!(PaddingKind::Same.output_length(9, 3, 2), 5);
    /// assert_eq!(PaddingKind::Valid.output_length(4, 4, 1), 0);
    /// ```
    pub const fn output_length(self, len: usize, reach: usize, stride: usize) -> usize {
        let reach = if matches!(self, Self::Valid) { reach } else { 0 };
        if len > reach && stride > 0 { (len - reach - 1) / stride + 1 } else { 0 }
    }

    /// The windows of a kernel of `taps` taps.
    pub const fn windows(self, len: usize, taps: usize, stride: usize, dilation: usize) -> Windows {
        let reach = dilation * taps.saturating_sub(1);
        let before = match self {
            Self::Valid => 0,
            Self::Causal => reach,
            Self::Same => {
                let last = self.output_length(len, reach, stride).saturating_sub(1) * stride;
                (last + reach + 1).saturating_sub(len) / 2
            }
        };
        Windows { taps, stride, dilation, before }
    }

    /// The step that an output step is at, which is under the start, the middle or the end of its window, whose ends lie `reach` apart:
    /// `None` if it is before the sequence.
    pub(super) const fn own_step(self, output: usize, reach: usize, windows: Windows) -> Option<usize> {
        let within = match self {
            Self::Valid => 0,
            Self::Same => reach / 2,
            Self::Causal => reach,
        };
        (output * windows.stride + within).checked_sub(windows.before)
    }
}
