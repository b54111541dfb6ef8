//! Which rows of a sequence stand under a kernel that is moved along it.

use super::Table;
use core::ops::Range;

/// The windows of a convolution: under tap k of the window of output step o stands input step
/// o · `stride` + k · `dilation` − `before`, if the sequence has it.
///
/// ```
/// use nanoembed::internals::Windows;
/// let windows = Windows { taps: 3, stride: 2, dilation: 1, before: 1 };
/// assert_eq!(windows.step(0, 0), None); // before the first step
/// assert_eq!(windows.step(0, 1), Some(0));
/// assert_eq!(windows.step(4, 2), Some(9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The length of the kernel.
    pub taps: usize,
    /// Input steps from one window to the next.
    pub stride: usize,
    /// Input steps from one tap to the next.
    pub dilation: usize,
    /// Steps of padding before the first input step.
    pub before: usize,
}

impl Windows {
    /// The input step under `tap` in the window of `output`, which may lie behind the end; `None` before the
    /// start and beyond all numbers.
    #[inline(always)]
    pub fn step(self, output: usize, tap: usize) -> Option<usize> {
        let (window, tap) = (output.checked_mul(self.stride)?, tap.checked_mul(self.dilation)?);
        window.checked_add(tap)?.checked_sub(self.before)
    }

    /// The same if the sequence has the step and the step is valid: where a term of a sum comes from.
    #[inline(always)]
    pub fn valid_step(self, output: usize, tap: usize, valid: &[bool]) -> Option<usize> {
        self.step(output, tap).filter(|step| valid.get(*step) == Some(&true))
    }

    /// Calls `work` for each run of outputs that have a valid step under the tap: with the outputs, and the
    /// first of the [`steps`](Self::steps).
    #[inline(always)]
    pub(crate) fn each_run(
        self,
        tap: usize,
        outputs: usize,
        valid: &[bool],
        mut work: impl FnMut(Range<usize>, usize),
    ) {
        let mut output = 0;
        while output < outputs {
            let is_there = |output: &usize| self.valid_step(*output, tap, valid).is_some();
            let run = (output..outputs).take_while(is_there).count();
            if let Some(first) = self.valid_step(output, tap, valid) {
                work(output..output + run, first);
            }
            // Behind a run stands a window without a valid step.
            output += run + 1;
        }
    }

    /// The steps under one tap of as many windows side by side, from step `first` on: rows that lie a stride
    /// apart. `None` if the sequence has fewer.
    #[inline(always)]
    pub(crate) fn steps(self, x: Table<'_>, first: usize, windows: usize) -> Option<Table<'_>> {
        let from = x.starting_at(first * x.stride());
        Table::with_stride(from, windows, x.dim(), self.stride.saturating_mul(x.stride())).ok()
    }
}

/// The paddings of Keras' `Conv1D`. Images hold the numbers, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Padding {
    /// None.
    Valid = 0,
    /// At both ends.
    Same = 1,
    /// Before the start.
    Causal = 2,
}

impl Padding {
    /// Its name, as in Keras.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Same => "same",
            Self::Causal => "causal",
        }
    }

    /// Steps of output for `len` steps of input, in which the ends of a window lie `reach` steps apart; 0 if
    /// no window fits.
    ///
    /// ```
    /// use nanoembed::internals::Padding;
    /// assert_eq!(Padding::Valid.output_length(100, 4, 1), 96);
    /// assert_eq!(Padding::Same.output_length(9, 3, 2), 5);
    /// assert_eq!(Padding::Valid.output_length(4, 4, 1), 0);
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

    /// The step that an output step is at, which is under the start, the middle or the end of its window,
    /// whose ends lie `reach` apart: `None` if it is before the sequence.
    pub(crate) const fn own_step(self, output: usize, reach: usize, windows: Windows) -> Option<usize> {
        let within = match self {
            Self::Valid => 0,
            Self::Same => reach / 2,
            Self::Causal => reach,
        };
        (output * windows.stride + within).checked_sub(windows.before)
    }
}
