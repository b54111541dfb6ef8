//! Groups of checked ids, each pooled into one row: the words of a text, the items of a basket.
//!
//! However the groups are given, every id belongs to exactly one bag and the bags follow each other, so that
//! kernels can walk the ids from the first to the last and look ahead across the border of a bag.

use super::indices::{Index, Indices, Policy, Reject};
use crate::error::{BagError, RowOutOfRange, ShapeMismatch};
use crate::math;
use core::ops::Range;

/// How the rows of a bag become one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pooling {
    /// The sum of the rows, each times its weight if there are weights, in the order of the ids.
    Sum,
    /// That sum divided by the number of ids that entered it; with weights too, as FBGEMM does.
    Mean,
    /// That sum divided by the sum of the weights: the weighted mean of TensorFlow (`combiner="mean"`). Zeros
    /// if the weights sum to 0.
    WeightedMean,
    /// That sum divided by the root of the sum of the squared weights, √(number of ids) without weights:
    /// TensorFlow's `combiner="sqrtn"`. Zeros if the sum of the squares is 0 in `f32`; squares of weights
    /// above 1e19 overflow, and of weights below 1e-18 lose accuracy.
    SqrtN,
}

impl Pooling {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sum, Self::Mean, Self::WeightedMean, Self::SqrtN];

    /// What the sum of `count` rows without weights is divided by; `None` for [`Sum`](Self::Sum).
    #[inline(always)]
    pub(crate) fn divisor(self, count: usize) -> Option<f32> {
        // The sum of ones, which stays where one more is no more.
        let ones = || count.min(1 << f32::MANTISSA_DIGITS) as f32;
        match self {
            Self::Sum => None,
            Self::Mean => Some(count as f32),
            Self::WeightedMean => Some(ones()),
            Self::SqrtN => Some(math::sqrt(ones())),
        }
    }
}

/// Checked ids in groups.
///
/// An id contributes nothing if its policy leaves it out or if it names the padding row; it does not count in
/// a mean either. A bag in which nothing contributes pools to zeros.
///
/// ```
/// use nanoembed::table::{Bags, Indices};
/// let indices = Indices::new(&[4_u16, 1, 0, 1], 5)?;
/// let bags = Bags::new(indices, &[0_u32, 3, 3, 4])?.with_padding(0)?;
/// let rows = |bag| bags.bag(bag).unwrap().iter().map(|entry| entry.row).collect::<Vec<_>>();
/// assert_eq!([rows(0), rows(1), rows(2)], [vec![4, 1], vec![], vec![1]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bags<'a, I, P = Reject, O = usize> {
    indices: Indices<'a, I, P>,
    split: Split<'a, O>,
    count: usize,
    weights: Option<&'a [f32]>,
}

/// Where the bags start.
#[derive(Clone, Copy, Debug)]
enum Split<'a, O> {
    /// Each at its offset, up to the next offset or to the last id. Offsets count from the list that these
    /// ids were cut from, whose id number `first` is the first here.
    Offsets { offsets: &'a [O], first: usize },
    /// One after the other, all of this length.
    Length(usize),
}

/// One group of ids, in [`Bags`].
#[derive(Clone, Copy, Debug)]
pub struct BagView<'a, I, P = Reject> {
    indices: Indices<'a, I, P>,
    weights: Option<&'a [f32]>,
    start: usize,
}

/// An id that contributes to its bag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The row it names, below the table's number of rows.
    pub row: usize,
    /// Its weight, or 1.
    pub weight: f32,
    /// Where it stands in the whole list of ids.
    pub position: usize,
}

/// The rules of both forms: they start at 0, do not decrease, and end within the indices. Gives the last.
fn check_offsets<O: Index>(offsets: &[O], indices: usize) -> Result<usize, BagError> {
    let mut previous = 0;
    for (position, offset) in offsets.iter().enumerate() {
        let shown = offset.to_i64();
        if position == 0 && shown != 0 {
            return Err(BagError::OffsetsStart { offset: shown });
        }
        match offset.to_usize() {
            Some(start) if start <= indices && start >= previous => previous = start,
            end if end.is_some_and(|end| end <= indices) || shown < 0 => {
                return Err(BagError::OffsetsDecrease { bag: position - 1, start: previous, end: shown });
            }
            _ => return Err(BagError::OffsetsBeyond { position, offset: shown, indices }),
        }
    }
    Ok(previous)
}

impl<'a, I: Index, P: Policy, O: Index> Bags<'a, I, P, O> {
    /// Bags by `bags + 1` offsets: bag b holds the ids `offsets[b]..offsets[b + 1]`. The last offset is the
    /// number of ids. (In PyTorch: `include_last_offset=True`.)
    ///
    /// # Errors
    /// If the offsets do not start at 0, decrease, or do not end at the number of ids.
    pub fn new(indices: Indices<'a, I, P>, offsets: &'a [O]) -> Result<Self, BagError> {
        let count = offsets.len().checked_sub(1).ok_or(BagError::OffsetsMissing)?;
        let end = check_offsets(offsets, indices.len())?;
        if end != indices.len() {
            return Err(BagError::OffsetsEnd { offset: end, indices: indices.len() });
        }
        Ok(Self { indices, split: Split::Offsets { offsets, first: 0 }, count, weights: None })
    }

    /// Bags by the offset at which each starts; the last bag ends with the ids. (In PyTorch:
    /// `include_last_offset=False`.)
    ///
    /// # Errors
    /// If the offsets do not start at 0, decrease, or exceed the number of ids; if there are ids but no bag
    /// for them.
    pub fn from_starts(indices: Indices<'a, I, P>, starts: &'a [O]) -> Result<Self, BagError> {
        if starts.is_empty() && !indices.is_empty() {
            return Err(BagError::OffsetsMissing);
        }
        check_offsets(starts, indices.len())?;
        Ok(Self {
            indices,
            split: Split::Offsets { offsets: starts, first: 0 },
            count: starts.len(),
            weights: None,
        })
    }
}

impl<'a, I: Index, P: Policy> Bags<'a, I, P> {
    /// `bags` bags of `length` ids each: ids of shape `[bags, length]`.
    ///
    /// # Errors
    /// If there are not `bags * length` ids.
    pub fn fixed(indices: Indices<'a, I, P>, bags: usize, length: usize) -> Result<Self, ShapeMismatch> {
        ShapeMismatch::check("number of ids", bags.saturating_mul(length), indices.len())?;
        Ok(Self::of_length(indices, bags, length))
    }

    /// The same of so many ids as it takes.
    #[inline]
    pub(crate) fn of_length(indices: Indices<'a, I, P>, bags: usize, length: usize) -> Self {
        Self { indices, split: Split::Length(length), count: bags, weights: None }
    }

    /// All ids as one bag.
    #[inline]
    pub(crate) fn one(indices: Indices<'a, I, P>) -> Self {
        Self::of_length(indices, 1, indices.len())
    }
}

impl<'a, I: Index, P: Policy, O: Index> Bags<'a, I, P, O> {
    /// The same bags, where each id's row counts `weights[position]` times.
    ///
    /// # Errors
    /// If there is not one weight for each id.
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self, ShapeMismatch> {
        ShapeMismatch::check("per-sample weights", self.indices.len(), weights.len())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The same bags, where ids that name `row` are left out. (In PyTorch: `padding_idx`.)
    ///
    /// # Errors
    /// If the table has no such row.
    pub fn with_padding(self, row: usize) -> Result<Self, RowOutOfRange> {
        Ok(Self { indices: self.indices.with_padding(row)?, ..self })
    }

    /// The ids that bag number `bag` holds, as a range of positions.
    #[inline(always)]
    pub(crate) fn positions(&self, bag: usize) -> Option<Range<usize>> {
        if bag >= self.count {
            return None;
        }
        match self.split {
            Split::Offsets { offsets, first } => {
                let start = offsets.get(bag)?.to_usize()? - first;
                let end = match offsets.get(bag + 1) {
                    Some(end) => end.to_usize()? - first,
                    None => self.indices.len(),
                };
                Some(start..end)
            }
            Split::Length(length) => Some(bag * length..(bag + 1) * length),
        }
    }

    /// Bag number `bag`, or `None` if there are fewer.
    #[inline(always)]
    pub fn bag(&self, bag: usize) -> Option<BagView<'a, I, P>> {
        let positions = self.positions(bag)?;
        let weights = match self.weights {
            Some(weights) => Some(weights.get(positions.clone())?),
            None => None,
        };
        let start = positions.start;
        Some(BagView { indices: self.indices.slice(positions)?, weights, start })
    }

    /// These bags and their ids alone, which need no second check; `None` if there are fewer. Positions count
    /// from the first of their ids.
    ///
    /// Bags do not need each other: threads that take some each, with the part of the output that is theirs,
    /// write the bits that one thread would.
    ///
    /// ```
    /// use nanoembed::table::{Bags, Indices};
    /// let bags = Bags::new(Indices::new(&[4_u16, 1, 0, 1], 5)?, &[0_u32, 1, 3, 4])?;
    /// let part = bags.slice(1..3).unwrap();
    /// assert_eq!((part.len(), part.indices().ids()), (2, &[1, 0, 1][..]));
    /// assert!(bags.slice(1..4).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn slice(&self, bags: Range<usize>) -> Option<Self> {
        let count = bags.end.checked_sub(bags.start)?;
        let start =
            if bags.start == self.count { self.indices.len() } else { self.positions(bags.start)?.start };
        let end = if count == 0 { start } else { self.positions(bags.end - 1)?.end };
        let split = match self.split {
            Split::Offsets { offsets, first } => {
                Split::Offsets { offsets: offsets.get(bags)?, first: first + start }
            }
            length @ Split::Length(_) => length,
        };
        let weights = match self.weights {
            Some(weights) => Some(weights.get(start..end)?),
            None => None,
        };
        Some(Self { indices: self.indices.slice(start..end)?, split, count, weights })
    }

    /// All bags in order. A bag has `iter` over the ids that contribute, each with its `row`, `weight` and
    /// `position`; also `indices`, `weights`, `start`, `count`, `len`, `is_empty`, and `divisor` for a
    /// [`Pooling`].
    #[inline(always)]
    pub fn iter(&self) -> impl Iterator<Item = BagView<'a, I, P>> + use<'a, I, P, O> {
        let bags = *self;
        (0..bags.count).filter_map(move |bag| bags.bag(bag))
    }

    /// Number of bags.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The ids of all bags.
    #[inline]
    pub fn indices(&self) -> Indices<'a, I, P> {
        self.indices
    }

    /// The weight of each id, if there are weights.
    #[inline]
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.weights
    }

    /// The number of rows of the tables that these bags may be used with.
    #[inline]
    pub fn rows(&self) -> usize {
        self.indices.rows()
    }
}

impl<'a, I: Index, P: Policy> BagView<'a, I, P> {
    /// The ids that contribute, in order.
    #[inline(always)]
    pub fn iter(&self) -> impl Iterator<Item = Entry> + use<'a, I, P> {
        let Self { indices, weights, start } = *self;
        indices.iter().enumerate().filter_map(move |(i, row)| {
            let row = row?;
            let weight = weights.and_then(|weights| weights.get(i)).copied().unwrap_or(1.0);
            Some(Entry { row, weight, position: start + i })
        })
    }

    /// Its ids, also those that do not contribute.
    #[inline(always)]
    pub fn indices(&self) -> Indices<'a, I, P> {
        self.indices
    }

    /// The weight of each id, if there are weights.
    #[inline(always)]
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.weights
    }

    /// Where its first id stands in the whole list of ids.
    #[inline(always)]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Number of ids that contribute: the divisor of a mean.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// What the sum of the bag is divided by; `None` for [`Pooling::Sum`]. If it is 0, the bag pools to zeros
    /// and its ids have no gradient.
    #[inline(always)]
    pub fn divisor(&self, pooling: Pooling) -> Option<f32> {
        let weights = || self.iter().map(|entry| entry.weight);
        match pooling {
            Pooling::Sum => None,
            Pooling::Mean => pooling.divisor(self.count()),
            _ if self.weights.is_none() => pooling.divisor(self.count()),
            Pooling::WeightedMean => Some(weights().fold(0.0, |sum, weight| sum + weight)),
            Pooling::SqrtN => Some(math::sqrt(weights().fold(0.0, |sum, weight| sum + weight * weight))),
        }
    }

    /// Number of ids, with those that do not contribute.
    #[inline]
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are no ids.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Bags, Entry};
    use crate::error::{BagError, RowOutOfRange, ShapeMismatch};
    use crate::table::{Index, Indices};
    use std::vec::Vec;

    const IDS: [u8; 5] = [3, 1, 9, 0, 1];

    fn error<O: Index>(offsets: &[O]) -> (Option<BagError>, Option<BagError>) {
        let indices = Indices::skipping(&IDS, 4);
        (Bags::new(indices, offsets).err(), Bags::from_starts(indices, offsets).err())
    }

    fn positions<O: Index>(bags: &Bags<'_, u8, super::super::Skip, O>) -> Vec<Vec<usize>> {
        bags.iter().map(|bag| bag.iter().map(|entry| entry.position).collect()).collect()
    }

    #[test]
    fn offsets_with_and_without_the_last_one_and_fixed_lengths() {
        let indices = Indices::skipping(&IDS, 10);
        let expected = [[].as_slice(), &[0, 1], &[], &[2, 3, 4]];
        assert_eq!(positions(&Bags::new(indices, &[0_i32, 0, 2, 2, 5]).unwrap()), expected);
        assert_eq!(positions(&Bags::from_starts(indices, &[0_u8, 0, 2, 2]).unwrap()), expected);
        assert_eq!(
            positions(&Bags::from_starts(indices, &[0_u64, 5]).unwrap()),
            [[0, 1, 2, 3, 4].as_slice(), &[]]
        );
        assert_eq!(positions(&Bags::fixed(indices, 5, 1).unwrap()), [[0], [1], [2], [3], [4]]);
        assert_eq!(positions(&Bags::fixed(indices.slice(0..0).unwrap(), 2, 0).unwrap()), [[0; 0]; 2]);
    }

    /// Each slice of the bags against the bags themselves, and each slice of a slice.
    fn check_slices<O: Index>(bags: &Bags<'_, u8, super::super::Skip, O>, depth: usize) {
        let entries = |bags: &Bags<'_, u8, super::super::Skip, O>, shift: usize| -> Vec<Vec<Entry>> {
            let shifted = |entry: Entry| Entry { position: entry.position + shift, ..entry };
            bags.iter().map(|bag| bag.iter().map(shifted).collect()).collect()
        };
        let all = entries(bags, 0);
        for start in 0..=bags.len() {
            let before = bags.iter().take(start).map(|bag| bag.len()).sum();
            for end in start..=bags.len() {
                let part = bags.slice(start..end).unwrap();
                assert_eq!(entries(&part, before), all[start..end]);
                assert_eq!(part.indices().len(), part.iter().map(|bag| bag.len()).sum::<usize>());
                assert_eq!(part.weights().map(<[f32]>::len), bags.weights().map(|_| part.indices().len()));
                if depth > 0 {
                    check_slices(&part, depth - 1);
                }
            }
            assert!(bags.slice(start..bags.len() + 1).is_none());
        }
        assert!(bags.slice(bags.len() + 1..bags.len() + 1).is_none());
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = bags.slice(1..0);
        assert!(reversed.is_none());
    }

    #[test]
    fn a_slice_has_the_bags_of_the_whole() {
        let (indices, weights) = (Indices::skipping(&IDS, 4), [0.5, 1.5, 2.5, 3.5, 4.5]);
        check_slices(&Bags::new(indices, &[0_u8, 0, 2, 3, 5]).unwrap(), 1);
        check_slices(&Bags::new(indices, &[0_u8, 1, 5, 5]).unwrap().with_weights(&weights).unwrap(), 1);
        check_slices(
            &Bags::from_starts(indices, &[0_u8, 2, 2, 5]).unwrap().with_weights(&weights).unwrap(),
            1,
        );
        check_slices(&Bags::fixed(indices, 5, 1).unwrap().with_padding(1).unwrap(), 1);
        check_slices(&Bags::fixed(indices.slice(0..0).unwrap(), 2, 0).unwrap(), 1);
    }

    #[test]
    fn wrong_offsets_are_named() {
        use BagError::{OffsetsBeyond, OffsetsDecrease, OffsetsEnd, OffsetsMissing, OffsetsStart};
        assert_eq!(error::<u8>(&[]), (Some(OffsetsMissing), Some(OffsetsMissing)));
        assert_eq!(error(&[0_i64]), (Some(OffsetsEnd { offset: 0, indices: 5 }), None));
        assert_eq!(error(&[0_i64, 5]), (None, None));
        for (offsets, expected) in [
            ([1_i64, 2, 5], OffsetsStart { offset: 1 }),
            ([-1, 2, 5], OffsetsStart { offset: -1 }),
            ([0, 3, 2], OffsetsDecrease { bag: 1, start: 3, end: 2 }),
            ([0, -1, 5], OffsetsDecrease { bag: 0, start: 0, end: -1 }),
            ([0, 6, 5], OffsetsBeyond { position: 1, offset: 6, indices: 5 }),
            ([0, 1, i64::MAX], OffsetsBeyond { position: 2, offset: i64::MAX, indices: 5 }),
        ] {
            assert_eq!(error(&offsets), (Some(expected), Some(expected)), "{offsets:?}");
        }
        assert_eq!(
            error(&[0, u64::MAX]).0,
            Some(OffsetsBeyond { position: 1, offset: i64::MAX, indices: 5 }),
            "a number that no usize or i64 holds"
        );
    }

    #[test]
    fn no_ids_need_no_bags() {
        let none = Indices::<u8>::new(&[], 0).unwrap();
        assert!(Bags::from_starts(none, &[0_u8; 0]).unwrap().is_empty());
        assert_eq!(Bags::new(none, &[0_u8; 3]).unwrap().len(), 2);
    }

    #[test]
    fn wrong_lengths_weights_and_padding_are_refused() {
        let indices = Indices::skipping(&IDS, 4);
        let what = "number of ids";
        assert_eq!(Bags::fixed(indices, 2, 2).unwrap_err(), ShapeMismatch { what, expected: 4, found: 5 });
        assert_eq!(
            Bags::fixed(indices, usize::MAX, 2).unwrap_err(),
            ShapeMismatch { what, expected: usize::MAX, found: 5 }
        );
        let bags = Bags::fixed(indices, 1, 5).unwrap();
        assert!(bags.with_weights(&[1.0; 4]).is_err());
        assert_eq!(bags.with_padding(4).unwrap_err(), RowOutOfRange { row: 4, rows: 4 });
    }

    #[test]
    fn entries_leave_out_bad_ids_and_padding_and_carry_their_weight() {
        let indices = Indices::skipping(&IDS, 4);
        let bags = Bags::fixed(indices, 1, 5).unwrap();
        let weighted = bags.with_padding(1).unwrap().with_weights(&[0.5, 1.5, 2.5, 3.5, 4.5]).unwrap();
        let bag = weighted.bag(0).unwrap();
        let expected =
            [Entry { row: 3, weight: 0.5, position: 0 }, Entry { row: 0, weight: 3.5, position: 3 }];
        assert!(bag.iter().eq(expected));
        assert_eq!((bag.count(), bag.len(), weighted.indices().padding()), (2, 5, Some(1)));
        assert!(weighted.bag(1).is_none());
        let plain = bags.bag(0).unwrap();
        assert_eq!((plain.count(), plain.weights().is_some(), bags.indices().padding()), (4, false, None));
        assert!(plain.iter().all(|entry| entry.weight == 1.0));
    }
}
