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

use crate::error::{CapacityExceeded, ShapeMismatch};
use crate::simd::{Lanes, simd_fn};
use crate::table::{Bags, Index, Indices, Policy, Table, TableMut};
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

/// Lists the occurrences of the ids that name a row: the gradient of the id at a position is row `position` of the gradient matrix.
/// Gives the list, the front of `out`.
///
/// # Errors
/// If `out` is shorter than the ids, or there are more than `u32::MAX` rows or ids.
pub fn occurrences<'o, I: Index, P: Policy>(
    indices: Indices<'_, I, P>,
    out: &'o mut [Occurrence],
) -> Result<&'o mut [Occurrence], CapacityExceeded> {
    if indices.rows() as u64 > u64::from(u32::MAX) || indices.len() as u64 > u64::from(u32::MAX) {
        return Err(CapacityExceeded { what: "row numbers of 32 bits", capacity: u32::MAX as usize });
    }
    if out.len() < indices.len() {
        return Err(CapacityExceeded { what: "occurrences", capacity: out.len() });
    }
    let mut count = 0;
    let named = indices.iter().enumerate().filter_map(|(position, row)| Some((row?, position)));
    for (slot, (row, position)) in out.iter_mut().zip(named) {
        *slot = Occurrence { row: row as u32, source: position as u32 };
        count += 1;
    }
    Ok(out.get_mut(..count).unwrap_or_default())
}

/// Lists the occurrences of the ids of bags: all ids of a bag share one gradient, row `bag` of the gradient matrix. Gives the list,
/// the front of `out`.
///
/// The gradient matrix is that of the pooled bags, `[bags, dim]`: the gradient of an id is never written.
///
/// # Errors
/// If `out` is shorter than the ids, or there are more than `u32::MAX` rows or bags.
pub fn occurrences_of_bags<'o, I: Index, P: Policy, O: Index>(
    bags: &Bags<'_, I, P, O>,
    out: &'o mut [Occurrence],
) -> Result<&'o mut [Occurrence], CapacityExceeded> {
    if bags.rows() as u64 > u64::from(u32::MAX) || bags.len() as u64 > u64::from(u32::MAX) {
        return Err(CapacityExceeded { what: "row numbers of 32 bits", capacity: u32::MAX as usize });
    }
    if out.len() < bags.indices().len() {
        return Err(CapacityExceeded { what: "occurrences", capacity: out.len() });
    }
    let mut count = 0;
    for (number, bag) in bags.iter().enumerate() {
        let slots = out.get_mut(count..).unwrap_or_default();
        for (slot, row) in slots.iter_mut().zip(bag.indices().iter().flatten()) {
            *slot = Occurrence { row: row as u32, source: number as u32 };
            count += 1;
        }
    }
    Ok(out.get_mut(..count).unwrap_or_default())
}

simd_fn! {
    /// Sums the gradients of each row that occurs: PyTorch's `coalesce` of a sparse gradient.
    ///
    /// Writes the distinct rows, ascending, to the front of `rows` and the sum of
    /// the gradients of each, in order of occurrence, to the same row of `sums`; gives how many there are.
    ///
    /// # Shapes
    /// `gradients` `[sources, dim]`, `rows` `[occurrences]`, `sums` `[occurrences, dim]`.
    ///
    /// ```
    /// use nanoembed::kernels::{Occurrence, coalesce, occurrences, sort_by_row};
    /// use nanoembed::table::{Indices, Table, TableMut};
    /// let gradients = [[1.0, 0.5], [2.0, 0.5], [4.0, 0.5]];
    /// let mut list = [Occurrence::default(); 3];
    /// let list = occurrences(Indices::new(&[7_u8, 2, 7], 10)?, &mut list)?;
    /// let sorted = sort_by_row(list, &mut [Occurrence::default(); 3])?;
    ///
    /// let (mut rows, mut sums) = ([0; 3], [[0.0; 2]; 3]);
    /// let distinct = coalesce(sorted, Table::from_rows(&gradients), &mut rows, &mut TableMut::from_rows(&mut sums))?;
    /// assert_eq!(rows[..distinct], [2, 7]);
    /// assert_eq!(sums[..distinct], [[2.0, 0.5], [5.0, 1.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If `gradients` lacks a row that an occurrence names, `rows` or `sums` has fewer rows than there are occurrences, or `sums`
    /// another dim than `gradients`. Nothing has been written then.
    pub fn coalesce, coalesce_at(
        occurrences: SortedOccurrences<'_>, gradients: Table<'_>, rows: &mut [u32], sums: &mut TableMut<'_>
    ) -> Result<usize, ShapeMismatch> = coalesce_body;
}

#[inline(always)]
fn coalesce_body<L: Lanes>(
    _: L,
    occurrences: SortedOccurrences<'_>,
    gradients: Table<'_>,
    rows: &mut [u32],
    sums: &mut TableMut<'_>,
) -> Result<usize, ShapeMismatch> {
    ShapeMismatch::check("dim of sums", gradients.dim(), sums.dim())?;
    occurrences.check(usize::MAX, gradients.rows())?;
    let list = occurrences.as_slice();
    for (what, found) in [("length of rows, at least", rows.len()), ("rows of sums, at least", sums.rows())] {
        if found < list.len() {
            return Err(ShapeMismatch { what, expected: list.len(), found });
        }
    }
    let mut distinct = 0;
    for (first, repeats) in occurrences.by_row() {
        let Some(gradient) = gradients.row(first.source as usize) else { continue };
        let (Some(row), Some(sum)) = (rows.get_mut(distinct), sums.row_mut(distinct)) else { break };
        *row = first.row;
        for (sum, g) in sum.iter_mut().zip(gradient) {
            *sum = *g;
        }
        for gradient in repeats.iter().filter_map(|o| gradients.row(o.source as usize)) {
            for (sum, g) in sum.iter_mut().zip(gradient) {
                *sum += g;
            }
        }
        if occurrences.by_frequency && !repeats.is_empty() {
            let count = (repeats.len() + 1) as f32;
            for sum in sum {
                *sum /= count;
            }
        }
        distinct += 1;
    }
    Ok(distinct)
}

/// Occurrences that [`sort_by_row`] sorted: those of one row stand together, in order of occurrence.
///
/// They remember how many rows and sources they need, so that kernels compare that with their tables in O(1).
#[derive(Clone, Copy, Debug, Default)]
pub struct SortedOccurrences<'a> {
    list: &'a [Occurrence],
    rows: usize,
    sources: usize,
    by_frequency: bool,
}

impl<'a> SortedOccurrences<'a> {
    /// The same, with the gradient of each occurrence divided by the number of occurrences of its row, wherever gradients are summed:
    /// PyTorch's `scale_grad_by_freq`. Words that fill a batch then learn no faster than rare ones.
    ///
    /// ```
    /// use nanoembed::kernels::{Occurrence, coalesce, sort_by_row};
    /// use nanoembed::table::{Table, TableMut};
    /// let mut list = [Occurrence { row: 7, source: 0 }, Occurrence { row: 7, source: 1 }];
    /// let sorted = sort_by_row(&mut list, &mut [Occurrence::default(); 2])?.by_frequency();
    /// let (mut rows, mut sums) = ([0; 2], [[0.0]; 2]);
    /// coalesce(sorted, Table::from_rows(&[[3.0], [5.0]]), &mut rows, &mut TableMut::from_rows(&mut sums))?;
    /// assert_eq!(sums[0], [4.0]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    #[must_use]
    pub fn by_frequency(self) -> Self {
        Self { by_frequency: true, ..self }
    }

    /// For each row: its first occurrence, and the others.
    #[inline(always)]
    pub(super) fn by_row(&self) -> impl Iterator<Item = (&'a Occurrence, &'a [Occurrence])> + use<'a> {
        let mut rest = self.list;
        core::iter::from_fn(move || {
            let (first, others) = rest.split_first()?;
            let repeats = others.iter().take_while(|o| o.row == first.row).count();
            let (repeats, after) = others.split_at_checked(repeats)?;
            rest = after;
            Some((first, repeats))
        })
    }

    #[inline(always)]
    pub(super) fn is_by_frequency(&self) -> bool {
        self.by_frequency
    }

    /// The occurrences, by row.
    #[inline]
    pub fn as_slice(&self) -> &'a [Occurrence] {
        self.list
    }

    /// Whether a table of `rows` rows and a gradient matrix of `sources` rows have all that occurs.
    #[inline]
    pub(super) fn check(&self, rows: usize, sources: usize) -> Result<(), ShapeMismatch> {
        for (what, expected, found) in
            [("rows, at least", self.rows, rows), ("rows of gradients, at least", self.sources, sources)]
        {
            if found < expected {
                return Err(ShapeMismatch { what, expected, found });
            }
        }
        Ok(())
    }
}

/// Lists up to this length are sorted by insertion.
const SHORT: usize = 32;
const DIGIT_BITS: u32 = 8;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Sorts occurrences by row; those of one row keep their order. `scratch` is at least as long as the list and holds
/// nothing of use afterwards.
///
/// ```
/// use nanoembed::kernels::{Occurrence, sort_by_row};
/// let at = |row, source| Occurrence { row, source };
/// let mut list = [at(7, 0), at(2, 1), at(7, 2), at(0, 3)];
/// let sorted = sort_by_row(&mut list, &mut [Occurrence::default(); 4])?;
/// assert_eq!(sorted.as_slice(), [at(0, 3), at(2, 1), at(7, 0), at(7, 2)]);
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
///
/// # Errors
/// If `scratch` is shorter than `list`.
pub fn sort_by_row<'a>(
    list: &'a mut [Occurrence],
    scratch: &mut [Occurrence],
) -> Result<SortedOccurrences<'a>, ShapeMismatch> {
    let short =
        ShapeMismatch { what: "scratch length, at least", expected: list.len(), found: scratch.len() };
    let scratch = scratch.get_mut(..list.len()).ok_or(short)?;
    if list.len() <= SHORT {
        sort_by_insertion(list);
    } else {
        sort_by_digits(list, scratch);
    }
    let rows = list.last().map_or(0, |o| o.row as usize + 1);
    let sources =
        list.iter().fold(0, |most, o| if o.source as usize >= most { o.source as usize + 1 } else { most });
    Ok(SortedOccurrences { list, rows, sources, by_frequency: false })
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
