//! Which rows of a sequence stand under a kernel that is moved along it.

/// The windows of a convolution: under tap k of the window of output step o stands input step
/// o · `stride` + k · `dilation` − `before`, if the sequence has it.
///
/// ```
/// use nanoembed::table::Windows;
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
    /// The input step under `tap` in the window of `output`, which may lie behind the end; `None` before the start and beyond all numbers.
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
}
