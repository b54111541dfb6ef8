//! Even shares of work.

use core::ops::Range;

/// The ranges in which `parts` threads share `length` bags or rows: consecutive, of lengths that differ by at
/// most one, the longer ones first.
///
/// ```
/// use nanoembed::table::even_ranges;
/// assert!(even_ranges(7, 3).eq([0..3, 3..5, 5..7]));
/// assert!(even_ranges(2, 3).eq([0..1, 1..2, 2..2]));
/// assert!(even_ranges(5, 0).eq([]));
/// ```
pub fn even_ranges(length: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let (each, longer) = (length.checked_div(parts).unwrap_or(0), length.checked_rem(parts).unwrap_or(0));
    let mut start = 0;
    (0..parts).map(move |part| {
        let end = start + each + usize::from(part < longer);
        core::mem::replace(&mut start, end)..end
    })
}
