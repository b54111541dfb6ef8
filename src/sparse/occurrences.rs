//! Which rows occur in a batch, and which gradient each occurrence has.
//!
//! How threads share the work, and what that costs, is told at [`Indices::occurrences_in`].

use crate::error::{CapacityExceeded, InputError, ShapeMismatch};
use crate::table::{Bags, Index, Indices, NO_ROW, Policy};
use core::hint::select_unpredictable;
use core::ops::Range;
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

impl<I: Index, P: Policy> Indices<'_, I, P> {
    /// Lists the occurrences of the ids that name a row: the gradient of the id at a position is row
    /// `position` of the gradient matrix. Gives the list, the front of `out`.
    ///
    /// # Errors
    /// If `out` is shorter than the list, or there are more than `u32::MAX` rows or ids. Nothing has been
    /// written then.
    ///
    /// # Cost
    /// [`occurrences_in`](Self::occurrences_in) tells how threads share the work and what that costs.
    pub fn occurrences<'o>(
        &self,
        out: &'o mut [Occurrence],
    ) -> Result<&'o mut [Occurrence], CapacityExceeded> {
        self.occurrences_in(0..self.rows(), out)
    }

    /// Lists the occurrences of the ids that name a row in `rows`, numbered from the start of the range: what
    /// [`occurrences`](Self::occurrences) lists, for the part of a table that holds these rows. The gradient
    /// of the id at a position is row `position` of the gradient matrix. Gives the list, the front of `out`.
    ///
    /// ```
    /// use nanoembed::sparse::Occurrence;
    /// use nanoembed::table::Indices;
    /// let mut list = [Occurrence::default(); 2];
    /// let list = Indices::new(&[7_u8, 2, 7, 9], 10)?.occurrences_in(5..9, &mut list)?;
    /// assert_eq!(list, [Occurrence { row: 2, source: 0 }, Occurrence { row: 2, source: 2 }]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If `out` is shorter than the list, or there are more than `u32::MAX` rows in the range or ids. Nothing
    /// has been written then.
    ///
    /// # Parts of a table
    /// Two threads must not write one row, and the gradients of a row must be summed in order of occurrence
    /// whoever sums them. So a table is shared by ranges of rows, and each thread, by itself,
    ///
    /// ```text
    /// lists the occurrences of its rows, in order             row - start of the range, source as in the whole batch
    /// sorts them                                              SortedOccurrences::sort
    /// updates its rows                                        update_rows, on its part of the table
    /// ```
    ///
    /// A row sees the same gradients in the same order as with one thread: the bits do not depend on the
    /// number of threads. No thread waits for another, and sorting is shared too.
    ///
    /// # Cost
    /// Each thread reads all ids: one or two nanoseconds an id, whatever share of the rows its range holds.
    pub fn occurrences_in<'o>(
        &self,
        rows: Range<usize>,
        out: &'o mut [Occurrence],
    ) -> Result<&'o mut [Occurrence], CapacityExceeded> {
        check_numbers(&rows, self.len())?;
        let named = || self.iter().enumerate().map(|(position, row)| (row.unwrap_or(NO_ROW), position));
        list(named, self.len(), rows, out)
    }
}

impl<I: Index, P: Policy, O: Index> Bags<'_, I, P, O> {
    /// Lists the occurrences of the ids of bags: all ids of a bag share a gradient, row `bag` of the gradient
    /// matrix. Gives the list, the front of `out`.
    ///
    /// The gradient matrix is that of the bags' sums, `[bags, dim]` (see [`divide`](Self::divide)): the
    /// gradient of an id is never written. In bags with weights each id has a gradient of its own: for them
    /// see [`SortedOccurrences::weighted`](super::SortedOccurrences::weighted).
    ///
    /// # Errors
    /// If the ids have weights; if `out` is shorter than the list, or there are more than `u32::MAX` rows or
    /// bags. Nothing has been written then.
    ///
    /// # Cost
    /// [`Indices::occurrences_in`] tells how threads share the work and what that costs.
    pub fn occurrences<'o>(&self, out: &'o mut [Occurrence]) -> Result<&'o mut [Occurrence], InputError> {
        self.occurrences_in(0..self.rows(), out)
    }

    /// Lists the occurrences of the ids in bags that name a row in `rows`, numbered from the start of the
    /// range: what [`occurrences`](Self::occurrences) lists, for the part of a table that holds these rows.
    /// Gives the list, the front of `out`.
    ///
    /// ```
    /// use nanoembed::sparse::Occurrence;
    /// use nanoembed::table::{Bags, Indices};
    /// let bags = Bags::new(Indices::new(&[7_u8, 2, 7, 2], 10)?, &[0_u8, 3, 4])?;
    /// let mut list = [Occurrence::default(); 4];
    /// let list = bags.occurrences_in(0..5, &mut list)?;
    /// assert_eq!(list, [Occurrence { row: 2, source: 0 }, Occurrence { row: 2, source: 1 }]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the ids have weights, which give each id a gradient of its own; if `out` is shorter than the list,
    /// or there are more than `u32::MAX` rows in the range or bags. Nothing has been written then.
    ///
    /// # Cost
    /// [`Indices::occurrences_in`] tells how threads share the work and what that costs.
    pub fn occurrences_in<'o>(
        &self,
        rows: Range<usize>,
        out: &'o mut [Occurrence],
    ) -> Result<&'o mut [Occurrence], InputError> {
        ShapeMismatch::check("per-sample weights", 0, self.weights().map_or(0, <[f32]>::len))?;
        check_numbers(&rows, self.len())?;
        let named = || {
            let bags = self.iter().enumerate();
            bags.flat_map(|(number, bag)| {
                bag.indices().iter().map(move |row| (row.unwrap_or(NO_ROW), number))
            })
        };
        Ok(list(named, self.indices().len(), rows, out)?)
    }

    /// The number of the bag of each id.
    ///
    /// # Errors
    /// If `out` is not as long as the ids, or there are more than `u32::MAX` bags; `out` is then as it was.
    pub fn numbers(&self, out: &mut [u32]) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("bag numbers", self.indices().len(), out.len())?;
        let most = u32::MAX as usize;
        if self.len() > most {
            return Err(ShapeMismatch { what: "number of bags, at most", expected: most, found: self.len() });
        }
        let mut rest = out;
        for (number, bag) in self.iter().enumerate() {
            let Some((numbers, after)) = rest.split_at_mut_checked(bag.len()) else { break };
            rest = after;
            numbers.fill(number as u32);
        }
        Ok(())
    }
}

fn check_numbers(rows: &Range<usize>, sources: usize) -> Result<(), CapacityExceeded> {
    let most = u32::MAX as usize;
    CapacityExceeded::check("rows, of which 32 bits name one", most, rows.len())?;
    CapacityExceeded::check("gradient rows, of which 32 bits name one", most, sources)
}

/// Lists those of the `named` rows, of which there are at most `most`, that lie in `rows`.
///
/// Each is written, and the next one over it if it does not count: which ids belong to a range cannot be
/// foreseen, so that a branch would be taken wrongly as often as not.
fn list<N: Iterator<Item = (usize, usize)>>(
    named: impl Fn() -> N,
    most: usize,
    rows: Range<usize>,
    out: &mut [Occurrence],
) -> Result<&mut [Occurrence], CapacityExceeded> {
    let is_inside = |row: usize| row.wrapping_sub(rows.start) < rows.len();
    if out.len() < most {
        let needed = named().map(|(row, _)| usize::from(is_inside(row))).sum();
        CapacityExceeded::check("occurrences", out.len(), needed)?;
    }
    let mut count = 0;
    named().for_each(|(row, source)| {
        if let Some(slot) = out.get_mut(count) {
            let here = Occurrence { row: row.wrapping_sub(rows.start) as u32, source: source as u32 };
            *slot = select_unpredictable(is_inside(row), here, *slot);
            count += usize::from(is_inside(row));
        }
    });
    Ok(out.get_mut(..count).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::Occurrence;
    use crate::error::{CapacityExceeded, InputError, ShapeMismatch};
    use crate::table::{Bags, Indices, even_ranges};
    use std::vec::Vec;

    const IDS: [i64; 9] = [4, 0, -1, 4, 2, 7, 4, 0, 6];
    const NONE: Occurrence = Occurrence { row: 9, source: 9 };

    #[test]
    fn the_parts_hold_what_the_whole_does() {
        let indices = Indices::skipping(&IDS, 7).with_padding(2).unwrap();
        let bags = Bags::new(indices, &[0_u8, 3, 3, 8, 9]).unwrap();
        let all = indices.occurrences(&mut [NONE; 9]).unwrap().to_vec();
        let bag_of = |source: u32| [0, 0, 0, 2, 2, 2, 2, 2, 3][source as usize];
        for parts in 1..9 {
            for rows in even_ranges(7, parts) {
                let inside = all.iter().filter(|o| rows.contains(&(o.row as usize)));
                let expected: Vec<_> =
                    inside.map(|o| Occurrence { row: o.row - rows.start as u32, ..*o }).collect();
                let of_bags: Vec<_> =
                    expected.iter().map(|o| Occurrence { source: bag_of(o.source), ..*o }).collect();
                for length in expected.len()..10 {
                    let mut out = [NONE; 10];
                    assert_eq!(indices.occurrences_in(rows.clone(), &mut out[..length]).unwrap(), expected);
                    assert!(out[expected.len()..].iter().all(|o| *o == NONE));
                    assert_eq!(bags.occurrences_in(rows.clone(), &mut out[..length]).unwrap(), of_bags);
                }
                if let Some(short) = expected.len().checked_sub(1) {
                    let (mut out, full) = (
                        [NONE; 9],
                        CapacityExceeded { what: "occurrences", capacity: short, needed: short + 1 },
                    );
                    assert_eq!(indices.occurrences_in(rows.clone(), &mut out[..short]), Err(full));
                    let found = bags.occurrences_in(rows.clone(), &mut out[..short]);
                    assert_eq!(found, Err(InputError::Capacity(full)));
                    assert_eq!(out, [NONE; 9]);
                }
            }
        }
    }

    #[test]
    fn weighted_bags_and_too_many_rows_are_refused() {
        let indices = Indices::new(&[1_u8, 0], usize::MAX).unwrap();
        let bags = Bags::fixed(indices, 1, 2).unwrap();
        let weighted = bags.with_weights(&[0.5, 2.0]).unwrap();
        let shape = ShapeMismatch { what: "per-sample weights", expected: 0, found: 2 };
        assert_eq!(weighted.occurrences_in(0..2, &mut [NONE; 2]), Err(InputError::Shape(shape)));
        #[cfg(target_pointer_width = "64")]
        {
            assert!(indices.occurrences_in(0..usize::MAX, &mut [NONE; 2]).is_err());
            assert!(bags.occurrences_in(0..usize::MAX, &mut [NONE; 2]).is_err());
        }
        let first = Occurrence { row: 0, source: 0 };
        assert_eq!(indices.occurrences_in(1..2, &mut [NONE; 1]).unwrap(), [first]);
    }
}
