//! The occurrences of a row brought together.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at
//! [`SortedOccurrences::sort`].

use super::Occurrence;
use crate::error::ShapeMismatch;
use crate::slices::copy;

/// Occurrences that [`sort`](Self::sort) sorted: those of one row stand together, in order of occurrence.
///
/// They remember how many rows and sources they need, so that kernels compare that with their tables in O(1).
#[derive(Clone, Copy, Debug, Default)]
pub struct SortedOccurrences<'a> {
    list: &'a [Occurrence],
    rows: usize,
    sources: usize,
    /// How many positions of ids the sources are, where they have weights.
    positions: usize,
    by_frequency: bool,
    weighted: Option<Weighted<'a>>,
}

/// How the sources of weighted occurrences name gradients.
#[derive(Clone, Copy, Debug)]
struct Weighted<'a> {
    /// The row of the gradient matrix.
    rows: &'a [u32],
    weights: &'a [f32],
}

impl<'a> SortedOccurrences<'a> {
    /// Sorts occurrences by row; those of one row keep their order. `scratch` is at least as long as the list
    /// and holds nothing of use afterwards.
    ///
    /// ```
    /// use nanoembed::sparse::{Occurrence, SortedOccurrences};
    /// let at = |row, source| Occurrence { row, source };
    /// let mut list = [at(7, 0), at(2, 1), at(7, 2), at(0, 3)];
    /// let sorted = SortedOccurrences::sort(&mut list, &mut [Occurrence::default(); 4])?;
    /// assert_eq!(sorted.as_slice(), [at(0, 3), at(2, 1), at(7, 0), at(7, 2)]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If `scratch` is shorter than `list`.
    ///
    /// # How it is computed
    /// A batch of ids names some rows several times. Before an optimizer may step, the gradients of a row
    /// must be summed, so the occurrences are sorted by row; those of one row then stand side by side, still
    /// in order of occurrence:
    ///
    /// ```text
    /// for each digit of the row number, the lowest first:
    ///     count the occurrences with each value of the digit
    ///     turn the counts into the places where each value starts
    ///     move each occurrence to its place        (from the list to the scratch, or back)
    /// ```
    ///
    /// Deviations: digits that all rows share are passed over, so that the cost follows the size of the
    /// table's row numbers; a short list is sorted by insertion, which needs no counts. Both are stable, so
    /// sums keep the order of occurrence, and neither can fail. A list that is in order is left as it is (on
    /// hosts).
    ///
    /// Each digit is counted in a reading of its own. To count all digits in one saved 4 to 11 % of the time of
    /// a sort of 40,960 occurrences (0.075 ms), for 16 KB more of stack.
    ///
    /// # Cost
    /// There are at most four passes over 8 bytes an occurrence, three on processors of 64 bits.
    pub fn sort(list: &'a mut [Occurrence], scratch: &mut [Occurrence]) -> Result<Self, ShapeMismatch> {
        check_scratch(list, scratch)?;
        Ok(shaped::sort_by_row(list, scratch))
    }

    /// The same, where the gradient of an occurrence is `weights[source] * gradients[rows[source]]`: for ids
    /// of bags with weights, whose `source` is the position of the id, `rows` the number of its bag (see
    /// [`Bags::numbers`](crate::table::Bags::numbers)) and `weights` those of the bags. The list is one of
    /// [`Indices::occurrences`](crate::table::Indices::occurrences), not of
    /// [`Bags::occurrences`](crate::table::Bags::occurrences), whose sources are numbers of bags already:
    /// read as positions, they would name other ids' gradients.
    ///
    /// ```
    /// use nanoembed::sparse::{Occurrence, SortedOccurrences};
    /// use nanoembed::table::{Bags, Indices, Table, TableMut};
    /// let indices = Indices::new(&[7_u8, 2, 7], 10)?;
    /// let weights = [1.0, 2.0, 0.5];
    /// let bags = Bags::new(indices, &[0_u8, 2, 3])?.with_weights(&weights)?;
    ///
    /// let (mut list, mut scratch, mut numbers) = ([Occurrence::default(); 3], [Occurrence::default(); 3], [0; 3]);
    /// bags.numbers(&mut numbers)?;
    /// let sorted = SortedOccurrences::sort(indices.occurrences(&mut list)?, &mut scratch)?.weighted(&weights, &numbers)?;
    ///
    /// let d_bags = [[1.0], [10.0]];
    /// let (mut rows, mut sums) = ([0; 3], [[0.0]; 3]);
    /// let distinct = sorted.coalesce(Table::from_rows(&d_bags), &mut rows, &mut TableMut::from_rows(&mut sums))?;
    /// assert_eq!((&rows[..distinct], &sums[..distinct]), (&[2, 7][..], &[[2.0], [6.0]][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the lists do not have one length, or are too short for the sources.
    pub fn weighted(self, weights: &'a [f32], rows: &'a [u32]) -> Result<Self, ShapeMismatch> {
        ShapeMismatch::check("length of weights", rows.len(), weights.len())?;
        if rows.len() < self.positions {
            let what = "length of weights, at least";
            return Err(ShapeMismatch { what, expected: self.positions, found: rows.len() });
        }
        let sources = rows.iter().fold(0, |most, row| above(*row, most));
        Ok(Self { sources, weighted: Some(Weighted { rows, weights }), ..self })
    }

    #[inline(always)]
    pub(super) fn is_weighted(&self) -> bool {
        self.weighted.is_some()
    }

    /// Whether the sum of several occurrences is divided by their number.
    #[inline(always)]
    pub(super) fn is_by_frequency(&self) -> bool {
        self.by_frequency
    }

    /// The row of the gradient matrix that is an occurrence's, and the weight that it counts with.
    #[inline(always)]
    pub(super) fn gradient(&self, occurrence: Occurrence) -> Option<(usize, f32)> {
        let source = occurrence.source as usize;
        match self.weighted {
            None => Some((source, 1.0)),
            Some(Weighted { rows, weights }) => Some((*rows.get(source)? as usize, *weights.get(source)?)),
        }
    }

    /// The same, with the gradient of each occurrence divided by the number of occurrences of its row,
    /// wherever gradients are summed: PyTorch's `scale_grad_by_freq`. Words that fill a batch then learn no
    /// faster than rare ones.
    ///
    /// ```
    /// use nanoembed::sparse::{Occurrence, SortedOccurrences};
    /// use nanoembed::table::{Table, TableMut};
    /// let mut list = [Occurrence { row: 7, source: 0 }, Occurrence { row: 7, source: 1 }];
    /// let sorted = SortedOccurrences::sort(&mut list, &mut [Occurrence::default(); 2])?.by_frequency();
    /// let (mut rows, mut sums) = ([0; 2], [[0.0]; 2]);
    /// sorted.coalesce(Table::from_rows(&[[3.0], [5.0]]), &mut rows, &mut TableMut::from_rows(&mut sums))?;
    /// assert_eq!(sums[0], [4.0]);
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    #[must_use]
    pub fn by_frequency(self) -> Self {
        Self { by_frequency: true, ..self }
    }

    /// For each row: its first occurrence, and the others.
    #[inline(always)]
    pub(super) fn by_row(&self) -> impl Iterator<Item = (Occurrence, &'a [Occurrence])> + use<'a> {
        let mut rest = self.list;
        core::iter::from_fn(move || {
            let (first, others) = rest.split_first()?;
            let repeats = others.iter().take_while(|o| o.row == first.row).count();
            let (repeats, after) = others.split_at_checked(repeats)?;
            rest = after;
            Some((*first, repeats))
        })
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
/// Eleven bits take two passes over the row numbers of a table of up to four million rows, and 8 KB of stack;
/// eight take 1 KB. Four take 64 bytes: on a microcontroller the stack is scarcer than the passes.
const DIGIT_BITS: u32 = match usize::BITS {
    64.. => 11,
    _ if cfg!(target_os = "none") => 4,
    _ => 8,
};
const DIGITS: usize = 1 << DIGIT_BITS;

fn check_scratch(list: &[Occurrence], scratch: &[Occurrence]) -> Result<(), ShapeMismatch> {
    let (expected, found) = (list.len(), scratch.len());
    if found < expected {
        return Err(ShapeMismatch { what: "scratch length, at least", expected, found });
    }
    Ok(())
}

/// For lists that are known to fit.
pub(crate) mod shaped {
    use super::{Occurrence, SortedOccurrences, check_scratch, sort};

    /// The same, for a scratch that is known to be long enough.
    pub(crate) fn sort_by_row<'a>(
        list: &'a mut [Occurrence],
        scratch: &mut [Occurrence],
    ) -> SortedOccurrences<'a> {
        debug_assert_eq!(check_scratch(list, scratch), Ok(()), "sort_by_row");
        sort(list, scratch)
    }
}

fn sort<'a>(list: &'a mut [Occurrence], scratch: &mut [Occurrence]) -> SortedOccurrences<'a> {
    let scratch = scratch.get_mut(..list.len()).unwrap_or_default();
    if cfg!(not(target_os = "none")) && list.is_sorted_by_key(|o| o.row) {
        // The ids of one bag may have been sorted once and for all.
    } else if list.len() <= SHORT {
        sort_by_insertion(list);
    } else {
        sort_by_digits(list, scratch);
    }
    let rows = list.last().map_or(0, |o| above(o.row, 0));
    let sources = list.iter().fold(0, |most, o| above(o.source, most));
    SortedOccurrences { list, rows, sources, positions: sources, by_frequency: false, weighted: None }
}

/// How many there are at least, if there is this number and were `most` before.
#[inline(always)]
fn above(number: u32, most: usize) -> usize {
    let count = (number as usize).saturating_add(1);
    if count > most { count } else { most }
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
    for digit in 0..u32::BITS.div_ceil(DIGIT_BITS) {
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
        copy(from, to);
    }
}
