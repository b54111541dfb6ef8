//! Bringing the occurrences of a row together.
//!
//! A batch of ids names some rows several times. Before an optimizer may step, the gradients of a row must be summed, so the
//! occurrences are sorted by row; those of one row then stand side by side, still in order of occurrence:
//!
//! ```text
//! for each digit of the row number, the lowest first:
//!     count the occurrences with each value of the digit
//!     turn the counts into the places where each value starts
//!     move each occurrence to its place        (from the list to the scratch, or back)
//! ```
//!
//! Deviations: digits that all rows share are passed over, so that the cost follows the size of the table's row numbers; a
//! short list is sorted by insertion, which needs no counts. Both are stable, so sums keep the order of occurrence, and
//! neither can fail. Cost: at most four passes over 8 bytes an occurrence.

use crate::error::ShapeMismatch;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One use of a row: the gradient numbered `source` belongs to row `row`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Occurrence {
    /// The row of the table.
    pub row: u32,
    /// The row of the gradient matrix.
    pub source: u32,
}

/// Lists up to this length are sorted by insertion.
const SHORT: usize = 32;
const DIGIT_BITS: u32 = 8;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Sorts occurrences by row; those of one row keep their order. `scratch` is as long as the list and holds nothing of use
/// afterwards.
///
/// ```
/// use nanoembed::kernels::{Occurrence, sort_by_row};
/// let at = |row, source| Occurrence { row, source };
/// let mut list = [at(7, 0), at(2, 1), at(7, 2), at(0, 3)];
/// sort_by_row(&mut list, &mut [Occurrence::default(); 4])?;
/// assert_eq!(list, [at(0, 3), at(2, 1), at(7, 0), at(7, 2)]);
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
///
/// # Errors
/// If `scratch` has another length than `list`.
pub fn sort_by_row(list: &mut [Occurrence], scratch: &mut [Occurrence]) -> Result<(), ShapeMismatch> {
    ShapeMismatch::check("scratch length", list.len(), scratch.len())?;
    if list.len() <= SHORT {
        sort_by_insertion(list);
    } else {
        sort_by_digits(list, scratch);
    }
    Ok(())
}

fn sort_by_insertion(list: &mut [Occurrence]) {
    for end in 1..list.len() {
        let mut place = end;
        while let Some([before, moved]) = place.checked_sub(1).and_then(|before| list.get_mut(before..=place))
        {
            if before.row <= moved.row {
                break;
            }
            core::mem::swap(before, moved);
            place -= 1;
        }
    }
}

fn sort_by_digits(list: &mut [Occurrence], scratch: &mut [Occurrence]) {
    let (some, all) = list.iter().fold((0, u32::MAX), |(some, all), o| (some | o.row, all & o.row));
    let differing = some ^ all;
    let (mut from, mut to) = (list, scratch);
    let mut in_scratch = false;
    for digit in 0..u32::BITS / DIGIT_BITS {
        let shift = digit * DIGIT_BITS;
        if ((differing >> shift) as usize).is_multiple_of(DIGITS) {
            continue;
        }
        let value = |o: &Occurrence| (o.row >> shift) as usize % DIGITS;
        let mut places = [0_u32; DIGITS];
        for occurrence in from.iter() {
            if let Some(count) = places.get_mut(value(occurrence)) {
                *count += 1;
            }
        }
        let mut start = 0;
        for place in &mut places {
            start += core::mem::replace(place, start);
        }
        for occurrence in from.iter() {
            if let Some(place) = places.get_mut(value(occurrence))
                && let Some(slot) = to.get_mut(*place as usize)
            {
                *slot = *occurrence;
                *place += 1;
            }
        }
        (from, to) = (to, from);
        in_scratch = !in_scratch;
    }
    if in_scratch {
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
    }
}
