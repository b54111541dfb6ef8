//! Rows that occur more than once in a table, so that work on them is done once.
//!
//! The loops, the reasons for what the code does otherwise, and the cost are told at [`distinct_rows`].

use crate::error::ShapeMismatch;
use crate::simd::{LANES, Lanes, simd_fn};
use crate::table::Table;

/// Sequences, one after the other, of which it is known which steps are the same: see [`distinct_rows`].
#[derive(Clone, Copy, Debug)]
pub struct Repeats<'a> {
    /// How many sequences, all of one length.
    pub sequences: usize,
    /// Their steps, `[sequences · len, dim]`.
    pub steps: Table<'a>,
    /// Which of the steps count, `[sequences · len]`.
    pub valid: &'a [bool],
    /// For each step, which of the distinct steps it is.
    pub numbers: &'a [u32],
    /// The distinct steps, each by where it stands first.
    pub firsts: &'a [u32],
}

/// How many places of the hash table are looked at for a row.
const PROBES: usize = 8;

simd_fn! {
    /// Numbers the distinct rows of `x` in the order in which they occur, and gives how many there are;
    /// `None` if they are more than `firsts` holds.
    ///
    /// Rows are the same if their bits are. Rows that differ never share a number; two that are the same may
    /// be told apart where `slots`, the scratch, is short: it should hold twice as many as `firsts`.
    ///
    /// ```
    /// use nanoembed::table::Table;
    /// use nanoembed::internals::distinct_rows;
    /// let x = [[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]];
    /// let (mut numbers, mut firsts, mut slots) = ([0; 3], [0; 2], [0; 4]);
    /// assert_eq!(distinct_rows(Table::from_rows(&x), &mut numbers, &mut firsts, &mut slots)?, Some(2));
    /// assert_eq!((numbers, firsts), ([0, 1, 0], [0, 1]));
    /// # Ok::<(), nanoembed::error::ShapeMismatch>(())
    /// ```
    ///
    /// # Errors
    /// If `numbers` has not one number for each row, or there are more than `u32::MAX` rows.
    ///
    /// # How it is computed
    /// ```text
    /// count = 0
    /// for each row s of x:
    ///     number[s] = the number of an earlier row with the same bits
    ///                 or, if there is none:  first[count] = s,  number[s] = count,  count += 1
    /// ```
    ///
    /// Behind an embedding the rows of a batch are words: 6,400 steps over a vocabulary of 1,000 have at most
    /// 1,000 distinct rows.
    ///
    /// Deviations from this loop:
    ///
    /// - Rows are looked up in a hash table with open addressing. The hash is made in sixteen lanes over the
    ///   whole row; where it leads, the bits of the rows are compared, so that a hash decides nothing by
    ///   itself.
    /// - After eight full places a row is taken for a new one. Rows that are taken for distinct although they
    ///   are the same cost time and change no result, and no input can make the search long.
    /// - It stops as soon as there are more distinct rows than the caller finds worth it.
    ///
    /// # Cost
    /// x is read once, and for each repeated row its first occurrence, from the caches.
    pub fn distinct_rows, distinct_rows_at(
        x: Table<'_>,
        numbers: &mut [u32],
        firsts: &mut [u32],
        slots: &mut [u32],
    ) -> Result<Option<usize>, ShapeMismatch>
        where {
            ShapeMismatch::check("length of numbers", x.rows(), numbers.len())?;
            check_number(x.rows())
        } = distinct_rows_loops;
}

/// Whether 32 bits number so many rows.
#[inline(always)]
fn check_number(rows: usize) -> Result<(), ShapeMismatch> {
    let limit = u32::MAX as usize;
    if rows > limit {
        return Err(ShapeMismatch { what: "number of rows, at most", expected: limit, found: rows });
    }
    Ok(())
}

#[inline(always)]
fn distinct_rows_loops<L: Lanes>(
    _: L,
    x: Table<'_>,
    numbers: &mut [u32],
    firsts: &mut [u32],
    slots: &mut [u32],
) -> Option<usize> {
    slots.fill(0);
    let mut count = 0;
    for (s, number) in numbers.iter_mut().enumerate() {
        let row = x.row(s).unwrap_or_default();
        match look_up(x, row, firsts, slots) {
            Found::Number(found) => *number = found,
            Found::Free(slot) => {
                let first = firsts.get_mut(count)?;
                (*first, *number) = (s as u32, count as u32);
                count += 1;
                // A slot holds 1 + the number of its row, or 0.
                if let Some(slot) = slots.get_mut(slot) {
                    *slot = count as u32;
                }
            }
        }
    }
    Some(count)
}

enum Found {
    /// The row has this number.
    Number(u32),
    /// It has none; here it may be noted, if there is such a slot.
    Free(usize),
}

#[inline(always)]
fn look_up(x: Table<'_>, row: &[f32], firsts: &[u32], slots: &[u32]) -> Found {
    let home = ((u64::from(hash(row)) * slots.len() as u64) >> 32) as usize;
    for place in home..home + PROBES {
        let Some(slot) = slots.get(place) else { break };
        let Some(number) = slot.checked_sub(1) else { return Found::Free(place) };
        let first = firsts.get(number as usize).and_then(|first| x.row(*first as usize));
        if first.is_some_and(|first| same_bits(first, row)) {
            return Found::Number(number);
        }
    }
    Found::Free(usize::MAX)
}

/// A hash of the bits: sixteen chains of exclusive or and multiplication, so that they run side by side, and
/// a weighted sum of them.
#[inline(always)]
fn hash(row: &[f32]) -> u32 {
    const GOLDEN: u32 = 0x9e37_79b1;
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [GOLDEN; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = (*lane ^ x.to_bits()).wrapping_mul(GOLDEN);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = (*lane ^ x.to_bits()).wrapping_mul(GOLDEN);
    }
    let mut sum: u32 = 0;
    for (weight, lane) in (1..).step_by(2).zip(lanes) {
        sum = sum.wrapping_add(GOLDEN.wrapping_mul(weight).wrapping_mul(lane ^ (lane >> 15)));
    }
    (sum ^ (sum >> 16)).wrapping_mul(GOLDEN)
}

/// Without an early exit, so that it is vectorised.
#[inline(always)]
fn same_bits(a: &[f32], b: &[f32]) -> bool {
    let mut difference = 0;
    for (a, b) in a.iter().zip(b) {
        difference |= a.to_bits() ^ b.to_bits();
    }
    difference == 0
}
