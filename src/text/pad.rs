//! Sequences of any length to one length, as Keras' `pad_sequences` does.

use crate::error::ShapeMismatch;

/// Where the padding stands in a sequence that is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Before the sequence: the default of Keras' `pad_sequences`.
    Pre,
    /// After the sequence.
    Post,
}

/// Which end of a sequence that is too long is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncating {
    /// The start, so that the last items stay: the default of Keras' `pad_sequences`.
    Pre,
    /// The end, so that the first items stay.
    Post,
}

/// Writes `sequence` to `out`, padded with `value` or truncated to its length.
///
/// An empty sequence gives nothing but padding.
///
/// ```
/// use nanoembed::text::{Padding, Truncating, pad};
/// let mut out = [9; 4];
/// pad(&[1, 2], Padding::Post, Truncating::Pre, 0, &mut out);
/// assert_eq!(out, [1, 2, 0, 0]);
/// pad(&[1, 2, 3, 4, 5], Padding::Post, Truncating::Pre, 0, &mut out);
/// assert_eq!(out, [2, 3, 4, 5]);
/// ```
pub fn pad<T: Copy>(sequence: &[T], padding: Padding, truncating: Truncating, value: T, out: &mut [T]) {
    arrange(sequence.iter().copied(), sequence.len(), padding, truncating, value, out);
}

/// Writes each of `sequences` to a row of `out`, padded or truncated to `maxlen` items.
///
/// Keras takes the length of the longest sequence where no `maxlen` is given.
///
/// # Shapes
/// `out`: `[sequences, maxlen]`.
///
/// # Errors
/// If `out` has another length; nothing is written then.
///
/// ```
/// use nanoembed::text::{Padding, Truncating, pad_sequences};
/// let sequences = [&[1][..], &[], &[2, 3]];
/// let longest = sequences.iter().map(|ids| ids.len()).max().unwrap_or(0);
/// let mut out = [9; 6];
/// pad_sequences(&sequences, longest, Padding::Pre, Truncating::Pre, 0, &mut out)?;
/// assert_eq!(out, [0, 1, 0, 0, 2, 3]);
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
pub fn pad_sequences<T: Copy>(
    sequences: &[impl AsRef<[T]>],
    maxlen: usize,
    padding: Padding,
    truncating: Truncating,
    value: T,
    out: &mut [T],
) -> Result<(), ShapeMismatch> {
    let expected = sequences.len().saturating_mul(maxlen);
    ShapeMismatch::check("output length", expected, out.len())?;
    let mut rest = out;
    for sequence in sequences {
        let Some((row, behind)) = rest.split_at_mut_checked(maxlen) else { break };
        pad(sequence.as_ref(), padding, truncating, value, row);
        rest = behind;
    }
    Ok(())
}

/// The length of the longest sequence, 0 if there is none.
pub fn longest<T>(sequences: &[impl AsRef<[T]>]) -> usize {
    sequences.iter().map(|sequence| sequence.as_ref().len()).max().unwrap_or(0)
}

/// [`pad`] for `items` of which there are `length`.
#[inline]
pub(super) fn arrange<T: Copy>(
    items: impl Iterator<Item = T>,
    length: usize,
    padding: Padding,
    truncating: Truncating,
    value: T,
    out: &mut [T],
) {
    let leading = match padding {
        Padding::Pre => out.len().saturating_sub(length),
        Padding::Post => 0,
    };
    let cut = match truncating {
        Truncating::Pre => length.saturating_sub(out.len()),
        Truncating::Post => 0,
    };
    out.fill(value);
    // One loop, and not `skip`: what makes the items stands in the code once.
    for (index, item) in items.enumerate() {
        let Some(place) = (leading + index).checked_sub(cut) else { continue };
        let Some(to) = out.get_mut(place) else { break };
        *to = item;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Padding::{Post as PadPost, Pre as PadPre};
    use Truncating::{Post as CutPost, Pre as CutPre};

    #[test]
    fn all_ways() {
        let padded = |sequence: &[u8], padding, truncating| {
            let mut out = [7; 3];
            pad(sequence, padding, truncating, 0, &mut out);
            out
        };
        for cut in [CutPre, CutPost] {
            assert_eq!(padded(&[], PadPre, cut), [0, 0, 0]);
            assert_eq!(padded(&[], PadPost, cut), [0, 0, 0]);
            assert_eq!(padded(&[1, 2], PadPre, cut), [0, 1, 2]);
            assert_eq!(padded(&[1, 2], PadPost, cut), [1, 2, 0]);
            assert_eq!(padded(&[1, 2, 3], PadPre, cut), [1, 2, 3]);
        }
        for padding in [PadPre, PadPost] {
            assert_eq!(padded(&[1, 2, 3, 4, 5], padding, CutPre), [3, 4, 5]);
            assert_eq!(padded(&[1, 2, 3, 4, 5], padding, CutPost), [1, 2, 3]);
        }
    }

    #[test]
    fn a_wrong_output_is_refused_and_left_alone() {
        let sequences = [[1, 2], [3, 4]];
        let mut out = [9; 5];
        let error = pad_sequences(&sequences, 3, PadPre, CutPre, 0, &mut out);
        assert_eq!(error, Err(ShapeMismatch { what: "output length", expected: 6, found: 5 }));
        assert_eq!(out, [9; 5]);
        assert!(pad_sequences(&sequences, usize::MAX, PadPre, CutPre, 0, &mut out).is_err());
    }

    #[test]
    fn nothing_is_padded_to_nothing() {
        assert_eq!(pad_sequences(&[[1, 2]], 0, PadPre, CutPre, 0, &mut []), Ok(()));
        assert_eq!(pad_sequences::<u8>(&[[]; 0], 4, PadPre, CutPre, 0, &mut []), Ok(()));
        assert_eq!(longest::<u8>(&[[]; 0]), 0);
    }
}
