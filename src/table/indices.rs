//! Row numbers that were checked once, and what happens to the bad ones.
//!
//! All ids lie in the table if the smallest and the largest do: one pass with two comparisons an id, without
//! a branch, so that it is vectorised. Ids of 64 bits, for which processors lack these, lie in the table if no
//! sign of `id - first` and `last - id` is negative. Only after a failure a second pass looks for the place to
//! name. What
//! was checked remembers the number of rows it was checked against, and a kernel compares that with its table
//! in O(1).

use crate::error::{IndexOutOfRange, RowOutOfRange, ShapeMismatch};
use crate::simd::{Lanes, simd_fn};
use core::ops::Range;

mod sealed {
    pub trait Sealed {}
}

/// An integer type of ids and offsets: `u8`, `u16`, `u32`, `u64`, `usize`, `i32` or `i64`.
pub trait Index: Copy + Ord + core::fmt::Debug + sealed::Sealed + 'static {
    /// The largest number.
    const MAX: u64;

    /// The number, or `None` if it is negative or above `usize::MAX`.
    fn to_usize(self) -> Option<usize>;

    /// The number modulo `usize::MAX + 1`: the number itself where `to_usize` gives one.
    #[doc(hidden)]
    fn wrap(self) -> usize;

    /// The number; `i64::MAX` for those above.
    fn to_i64(self) -> i64;

    /// Its 64 bits: a negative number as in two's complement.
    #[doc(hidden)]
    fn to_bits64(self) -> u64;
}

macro_rules! impl_index {
    ($($integer:ty)*) => {$(
        impl sealed::Sealed for $integer {}

        impl Index for $integer {
            const MAX: u64 = <$integer>::MAX as u64;

            #[inline(always)]
            fn to_usize(self) -> Option<usize> {
                usize::try_from(self).ok()
            }

            #[inline(always)]
            fn wrap(self) -> usize {
                self as usize
            }

            #[inline]
            #[allow(clippy::cast_lossless, reason = "one body for all integers")]
            fn to_bits64(self) -> u64 {
                self as u64
            }

            #[inline]
            fn to_i64(self) -> i64 {
                i64::try_from(self).unwrap_or(i64::MAX)
            }
        }
    )*};
}
impl_index!(u8 u16 u32 u64 usize i32 i64);

/// What a bad id means: [`Reject`], [`Skip`], [`MapTo`] or [`FromEnd`].
pub trait Policy: Copy + core::fmt::Debug + sealed::Sealed {
    /// The row that `id` names in a table of `rows` rows, below `rows`; `None` if it names none.
    fn row<I: Index>(self, id: I, rows: usize) -> Option<usize>;

    /// Whether negative ids name rows, too.
    #[doc(hidden)]
    const FROM_END: bool = false;

    /// The same as [`row`](Self::row) for an id that is known to name a row if the policy is one that rejects others.
    #[doc(hidden)]
    #[inline(always)]
    fn row_of_checked<I: Index>(self, id: I, rows: usize) -> Option<usize> {
        self.row(id, rows)
    }
}

/// Valid ids are `0..rows`; any other is an error. The default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject;

/// Valid ids are `0..rows`; any other contributes nothing: a gather gives a row of zeros, a bag leaves it out
/// of its sum and of its count, a scatter drops its gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip;

/// Valid ids are `0..rows`; any other names one fixed row, the row of unknown words for example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapTo {
    row: usize,
}

/// Valid ids are `-rows..rows`, negative ones count from the end as in Python: −1 is the last row. Any other
/// is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FromEnd;

impl sealed::Sealed for Reject {}
impl sealed::Sealed for Skip {}
impl sealed::Sealed for MapTo {}
impl sealed::Sealed for FromEnd {}

impl Policy for Reject {
    #[inline(always)]
    fn row<I: Index>(self, id: I, rows: usize) -> Option<usize> {
        id.to_usize().filter(|&row| row < rows)
    }

    #[inline(always)]
    fn row_of_checked<I: Index>(self, id: I, _: usize) -> Option<usize> {
        Some(id.wrap())
    }
}

impl Policy for Skip {
    #[inline(always)]
    fn row<I: Index>(self, id: I, rows: usize) -> Option<usize> {
        Reject.row(id, rows)
    }
}

impl Policy for MapTo {
    #[inline(always)]
    fn row<I: Index>(self, id: I, rows: usize) -> Option<usize> {
        Reject.row(id, rows).or(Some(self.row))
    }
}

impl Policy for FromEnd {
    const FROM_END: bool = true;

    #[inline(always)]
    fn row<I: Index>(self, id: I, rows: usize) -> Option<usize> {
        match id.to_i64() {
            back @ ..0 => rows.checked_sub(usize::try_from(back.unsigned_abs()).ok()?),
            0.. => Reject.row(id, rows),
        }
    }
}

/// Ids that were checked against a table of `rows` rows: every one names a row below `rows`, or none by its
/// policy or because it is padding.
///
/// Any number of rows is handled, up to `usize::MAX`. The ids stay as they are; a position is resolved when
/// it is read.
///
/// ```
/// use nanoembed::error::IndexOutOfRange;
/// use nanoembed::table::Indices;
///
/// let ids = [2_i32, -1, 7];
/// assert_eq!(Indices::new(&ids, 5).unwrap_err(), IndexOutOfRange { position: 1, index: -1, rows: 5 });
/// assert!(Indices::skipping(&ids, 5).iter().eq([Some(2), None, None]));
/// assert!(Indices::mapping(&ids, 5, 0).unwrap().iter().eq([Some(2), Some(0), Some(0)]));
/// assert_eq!(Indices::from_end(&ids, 5).unwrap_err(), IndexOutOfRange { position: 2, index: 7, rows: 5 });
/// assert!(Indices::from_end(&ids[..2], 5).unwrap().iter().eq([Some(2), Some(4)]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Indices<'a, I, P = Reject> {
    ids: &'a [I],
    rows: usize,
    policy: P,
    /// The padding row, or [`NO_ROW`].
    padding: usize,
}

/// No table has this row: row numbers are below `rows`, which is a `usize`. It spares a second test per id.
pub(crate) const NO_ROW: usize = usize::MAX;

impl<'a, I: Index> Indices<'a, I, Reject> {
    /// Ids that all lie in `0..rows`.
    ///
    /// # Errors
    /// The first id that does not.
    #[inline]
    pub fn new(ids: &'a [I], rows: usize) -> Result<Self, IndexOutOfRange> {
        Self { ids, rows, policy: Reject, padding: NO_ROW }.checked()
    }
}

impl<'a, I: Index> Indices<'a, I, Skip> {
    /// Ids of which those outside `0..rows` contribute nothing. Takes no time.
    #[inline]
    pub fn skipping(ids: &'a [I], rows: usize) -> Self {
        Self { ids, rows, policy: Skip, padding: NO_ROW }
    }
}

impl<'a, I: Index> Indices<'a, I, MapTo> {
    /// Ids of which those outside `0..rows` name row `to` instead. Takes no time.
    ///
    /// # Errors
    /// If `to` itself is not below `rows`.
    #[inline]
    pub fn mapping(ids: &'a [I], rows: usize, to: usize) -> Result<Self, RowOutOfRange> {
        RowOutOfRange::check(to, rows)?;
        Ok(Self { ids, rows, policy: MapTo { row: to }, padding: NO_ROW })
    }
}

impl<'a, I: Index> Indices<'a, I, FromEnd> {
    /// Ids that all lie in `-rows..rows`; negative ones count from the end: −1 is the last row.
    ///
    /// # Errors
    /// The first id that does not.
    #[inline]
    pub fn from_end(ids: &'a [I], rows: usize) -> Result<Self, IndexOutOfRange> {
        Self { ids, rows, policy: FromEnd, padding: NO_ROW }.checked()
    }
}

simd_fn! {
    /// The smallest and the largest of an id and a list of ids.
    fn range, range_at[I: Index](first: I, ids: &[I]) -> (I, I) = range_body;
}

#[inline(always)]
fn range_body<L: Lanes, I: Index>(_: L, first: I, ids: &[I]) -> (I, I) {
    let (mut lowest, mut highest) = (first, first);
    for &id in ids {
        lowest = if id < lowest { id } else { lowest };
        highest = if id > highest { id } else { highest };
    }
    (lowest, highest)
}

simd_fn! {
    /// Whether an id of 64 bits is below the lowest or above the highest.
    fn outside, outside_at[I: Index](ids: &[I], lowest: i64, highest: i64) -> bool = outside_body;
}

/// The rows up to which differences of ids within do not wrap.
const MOST_BY_SIGN: i64 = 1 << 62;

/// The differences of an id within are not negative; of an id without, the one to the end that it lies beyond
/// is, and does not wrap.
#[inline(always)]
fn outside_body<L: Lanes, I: Index>(_: L, ids: &[I], lowest: i64, highest: i64) -> bool {
    let mut signs = 0;
    for id in ids {
        let id = id.to_bits64().cast_signed();
        signs |= id.wrapping_sub(lowest) | highest.wrapping_sub(id);
    }
    signs < 0
}

impl<'a, I: Index, P: Policy> Indices<'a, I, P> {
    /// Itself, if every id names a row. The ids with a row are an interval, so the smallest and the largest
    /// decide, or the signs of the differences to its ends.
    fn checked(self) -> Result<Self, IndexOutOfRange> {
        let Some(&first) = self.ids.first() else { return Ok(self) };
        let names_a_row = |id| self.policy.row(id, self.rows).is_some();
        let all_do = match i64::try_from(self.rows) {
            Ok(rows @ ..=MOST_BY_SIGN) if size_of::<I>() == size_of::<i64>() => {
                let is_signed = I::MAX == i64::MAX as u64;
                !outside(self.ids, if P::FROM_END && is_signed { -rows } else { 0 }, rows - 1)
            }
            _ => {
                let (lowest, highest) = range(first, self.ids);
                names_a_row(lowest) && names_a_row(highest)
            }
        };
        if all_do { Ok(self) } else { Err(self.first_bad()) }
    }

    /// The first id without a row; there is one.
    #[cold]
    fn first_bad(&self) -> IndexOutOfRange {
        let bad = self.ids.iter().enumerate().find(|&(_, &id)| self.policy.row(id, self.rows).is_none());
        let (position, index) = bad.map_or((0, 0), |(position, id)| (position, id.to_i64()));
        IndexOutOfRange { position, index, rows: self.rows }
    }

    /// The same ids, of which those that name `row` are padding and contribute nothing: a gather gives a row
    /// of zeros, a bag leaves them out of its sum and of its count, a scatter drops their gradients. (In
    /// PyTorch: `padding_idx`, whose row is read, however; it holds zeros unless it is set.)
    ///
    /// There is one such row; a second call replaces the first.
    ///
    /// # Errors
    /// If the table has no such row.
    ///
    /// ```
    /// use nanoembed::table::Indices;
    /// let indices = Indices::new(&[7_u16, 0, 3, 0], 10)?.with_padding(0)?;
    /// assert!(indices.iter().eq([Some(7), None, Some(3), None]));
    ///
    /// let mut mask = [false; 4];
    /// indices.mask(&mut mask)?;
    /// assert_eq!(mask, [true, false, true, false]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn with_padding(self, row: usize) -> Result<Self, RowOutOfRange> {
        RowOutOfRange::check(row, self.rows)?;
        Ok(Self { padding: row, ..self })
    }

    /// The row that is padding, if there is one.
    #[inline]
    pub fn padding(&self) -> Option<usize> {
        Some(self.padding).filter(|&row| row != NO_ROW)
    }

    /// Whether each id contributes, `[len]`: Keras' mask, for layers that leave steps out.
    ///
    /// # Errors
    /// If `out` is not as long as the ids; it is then as it was.
    pub fn mask(&self, out: &mut [bool]) -> Result<(), ShapeMismatch> {
        ShapeMismatch::check("mask length", self.len(), out.len())?;
        for (valid, row) in out.iter_mut().zip(self.iter()) {
            *valid = row.is_some();
        }
        Ok(())
    }

    #[inline(always)]
    fn resolve(&self, id: I) -> Option<usize> {
        self.policy.row_of_checked(id, self.rows).filter(|&row| row != self.padding)
    }

    /// The row that the id at `position` names: below [`rows`](Self::rows), or `None` if it contributes
    /// nothing. `None` also behind the last position.
    #[inline(always)]
    pub fn row(&self, position: usize) -> Option<usize> {
        self.resolve(*self.ids.get(position)?)
    }

    /// The same but for padding, whose row is named, too: to ask for rows ahead of their use.
    #[inline(always)]
    pub(crate) fn row_to_ask_for(&self, position: usize) -> Option<usize> {
        self.policy.row_of_checked(*self.ids.get(position)?, self.rows)
    }

    /// The row of each position, as [`row`](Self::row) gives it.
    #[inline(always)]
    pub fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = Option<usize>> + DoubleEndedIterator + Clone + use<'a, I, P> {
        let indices = *self;
        indices.ids.iter().map(move |&id| indices.resolve(id))
    }

    /// The ids of these positions, which need no second check; `None` if there are fewer.
    #[inline]
    pub fn slice(&self, positions: Range<usize>) -> Option<Self> {
        Some(Self { ids: self.ids.get(positions)?, ..*self })
    }

    /// The ids as they were given.
    #[inline]
    pub fn ids(&self) -> &'a [I] {
        self.ids
    }

    /// Number of ids.
    #[inline]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The number of rows of the tables that these ids may be used with.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::{Index, Indices};
    use crate::error::{IndexOutOfRange, RowOutOfRange};

    /// Every policy at the ends of a type's range and of the table's.
    fn edges<I: Index>(numbers: &[I]) {
        for rows in
            [0, 1, 2, 127, 128, 255, 256, usize::MAX >> 2, (usize::MAX >> 2) + 1, usize::MAX >> 1, usize::MAX]
        {
            for &id in numbers {
                let number = id.to_i64();
                let inside = id.to_usize().filter(|&row| row < rows);
                let back = if number < 0 { usize::try_from(number.unsigned_abs()).ok() } else { None };
                let from_end = inside.or(back.and_then(|back| rows.checked_sub(back)));
                let error = IndexOutOfRange { position: 1, index: number, rows };
                let good = if rows == 0 {
                    None
                } else {
                    numbers.iter().copied().find(|id| id.to_usize() == Some(0))
                };
                let ids = [good.unwrap_or(id), id, id];
                let error = if good.is_none() { IndexOutOfRange { position: 0, ..error } } else { error };

                let found = Indices::new(&ids, rows).map(|indices| indices.row(2));
                assert_eq!(found, inside.map(Some).ok_or(error), "{id:?} of {rows}");
                let found = Indices::from_end(&ids, rows).map(|indices| indices.row(2));
                assert_eq!(found, from_end.map(Some).ok_or(error), "{id:?} of {rows}");
                assert_eq!(Indices::skipping(&ids, rows).row(1), inside, "{id:?} of {rows}");
                let refused = Indices::mapping(&ids, rows, rows).map(|indices| indices.len());
                assert_eq!(refused, Err(RowOutOfRange { row: rows, rows }));
                if let Some(last) = rows.checked_sub(1) {
                    let mapped = Indices::mapping(&ids, rows, last).unwrap();
                    assert_eq!(mapped.row(1), Some(inside.unwrap_or(last)), "{id:?} of {rows}");
                    assert_eq!(mapped.row(3), None);
                }
            }
        }
    }

    #[test]
    fn every_type_and_policy_at_the_edges() {
        edges(&[0_u8, 1, 127, 128, u8::MAX]);
        edges(&[0_u16, 1, 255, 256, u16::MAX]);
        edges(&[0_u32, 1, 255, 256, u32::MAX]);
        edges(&[0_u64, 1, 255, 256, u64::MAX >> 1, u64::MAX]);
        edges(&[0_usize, 1, 255, 256, usize::MAX - 1, usize::MAX]);
        edges(&[i32::MIN, -256, -128, -2, -1, 0, 1, 255, 256, i32::MAX]);
        edges(&[i64::MIN, -1 << 62, -256, -128, -2, -1, 0, 1, 255, 256, 1 << 62, i64::MAX]);
    }

    #[test]
    fn the_first_bad_id_is_named_wherever_it_stands() {
        let mut ids = [3_u16; 100];
        for bad in (0..100).rev() {
            ids[bad] = 4 + bad as u16;
            let error = Indices::new(&ids, 4).unwrap_err();
            assert_eq!(error, IndexOutOfRange { position: bad, index: 4 + bad as i64, rows: 4 });
        }
    }

    #[test]
    fn no_ids_need_no_rows() {
        assert!(Indices::<u32>::new(&[], 0).unwrap().is_empty());
        assert!(Indices::<i64, _>::from_end(&[], 0).unwrap().is_empty());
    }

    #[test]
    fn a_slice_keeps_what_was_checked() {
        let indices = Indices::new(&[5_u8, 6, 7], 8).unwrap();
        let slice = indices.slice(1..3).unwrap();
        assert_eq!((slice.ids(), slice.rows()), (&[6, 7][..], 8));
        assert!(indices.slice(1..4).is_none());
    }
}
