//! A folded classifier: the integers of a bag's rows are the scores of the classes.

use crate::slices::copy;
use crate::table::{IntegerFormat, Pooling, Table};
use zerocopy::{FromBytes, IntoBytes};

/// Which rows are kept: for each 32 rows a bit each, and how many are kept before them.
pub(crate) type Kept = [[u32; 2]];

/// What the bias of a mean is divided by, which is the answer to an empty bag alone: a text without a row that was
/// kept. So it has twelve bits more than the scores.
pub(crate) const EMPTY_COUNT: u16 = 1 << 12;

/// Rows of scores, as a layer lends them.
#[derive(Clone, Copy)]
pub(crate) struct Folded<'a, F: IntegerFormat> {
    /// Scores `[kept, classes]`.
    pub(crate) codes: Table<'a, F>,
    /// Which rows they are of; `None` if of all.
    pub(crate) kept: Option<&'a Kept>,
    /// What a sum starts from; or [`EMPTY_COUNT`] times the mean of nothing, `[classes]`.
    pub(crate) bias: &'a [i32],
    /// `Mean` or `Sum`.
    pub(crate) pooling: Pooling,
}

/// Where a row stands among those that are kept.
#[inline]
fn place(kept: &Kept, row: usize) -> Option<usize> {
    let [bits, before] = *kept.get(row / 32)?;
    let bit = 1_u32 << (row % 32);
    if bits & bit == 0 {
        None
    } else {
        Some((before as usize).wrapping_add((bits & (bit - 1)).count_ones() as usize))
    }
}

impl<F: IntegerFormat> Folded<'_, F> {
    /// Writes the sum of the scores of these rows to `sums` `[classes]`; gives what a mean divides by.
    #[inline]
    pub(crate) fn sum(&self, rows: impl Iterator<Item = usize>, sums: &mut [i32]) -> u32 {
        let is_mean = matches!(self.pooling, Pooling::Mean);
        let mut count = 0_u32;
        if is_mean {
            sums.fill(0);
        } else {
            copy(self.bias, sums);
        }
        // Not a `for` loop: the ids of a text have a quicker one.
        rows.for_each(|row| {
            let place = match self.kept {
                None => Some(row),
                Some(kept) => place(kept, row),
            };
            let Some(codes) = place.and_then(|place| self.codes.row(place)) else { return };
            F::add(codes, sums);
            count = count.wrapping_add(1);
        });
        match count {
            _ if !is_mean => 1,
            0 => {
                copy(self.bias, sums);
                EMPTY_COUNT.into()
            }
            count => count,
        }
    }

    /// y = scale · Σ q, divided by the count if it is a mean.
    pub(crate) fn logits(&self, rows: impl Iterator<Item = usize>, y: &mut [f32]) {
        // The sums are made where the logits will be: they are words, too.
        let Ok(sums) = <[i32]>::mut_from_bytes(y.as_mut_bytes()) else { return };
        let count = self.sum(rows, sums) as f32;
        for sum in sums {
            *sum = (self.codes.scale() * *sum as f32 / count).to_bits() as i32;
        }
    }
}
