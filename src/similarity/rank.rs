//! How well one order agrees with another.

use crate::error::ShapeMismatch;
use crate::sparse::{Occurrence, SortedOccurrences};

/// Spearman's correlation of two lists of numbers: Pearson's correlation of their ranks, where equal numbers
/// share the mean of theirs. 1 if both ascend together, −1 if one descends as the other ascends.
///
/// `None` if all numbers of a list are equal, there are fewer than two, or one is NaN. Word-similarity sets
/// (WordSim-353, SimLex) are scored so: the cosines of the pairs against what people said. Ranks and their
/// sums are integers, so the result is rounded once at each of a product, a root and a division of 64 bits,
/// then to 32. Each half of `scratch` has room for an entry a number.
///
/// ```
/// use nanoembed::{similarity::spearman, sparse::Occurrence};
/// let (cosines, said) = ([0.9, 0.2, 0.4, 0.1], [9.5, 3.0, 3.0, 1.0]);
/// let mut scratch = [[Occurrence::default(); 4]; 2];
/// let [list, other] = &mut scratch;
/// let agreement = spearman(&cosines, &said, [list, other])?.unwrap();
/// assert!((agreement - 0.9487).abs() < 1e-4);
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
///
/// # Errors
/// If the lists differ in length, or there are too few entries in `scratch`.
///
/// # Cost
/// Two sorts by digits.
pub fn spearman(x: &[f32], y: &[f32], scratch: [&mut [Occurrence]; 2]) -> Result<Option<f32>, ShapeMismatch> {
    ShapeMismatch::check("length of y", x.len(), y.len())?;
    let [list, other] = scratch;
    let room = ShapeMismatch { what: "scratch length, at least", expected: x.len(), found: list.len() };
    let list = list.get_mut(..x.len()).ok_or(room)?;
    for ((entry, x), source) in list.iter_mut().zip(x).zip(0..) {
        *entry = Occurrence { row: in_order(*x), source };
    }
    SortedOccurrences::sort(list, other)?;
    if x.iter().chain(y).any(|x| x.is_nan()) {
        return Ok(None);
    }
    // Twice the rank, less twice the mean rank: a whole number.
    let middle = x.len() as i64 + 1;
    for_ties(list, |entry, rank| {
        let y = y.get(entry.source as usize).copied().unwrap_or(0.0);
        *entry = Occurrence { row: in_order(y), source: rank as u32 };
    });
    SortedOccurrences::sort(list, other)?;
    let (mut products, mut squares_x, mut squares_y) = (0_i128, 0_i128, 0_i128);
    for_ties(list, |entry, rank| {
        let (x, y) = (i128::from(i64::from(entry.source) - middle), i128::from(rank - middle));
        products += x * y;
        squares_x += x * x;
        squares_y += y * y;
    });
    let squares = squares_x as f64 * squares_y as f64;
    Ok(if squares > 0.0 { Some((products as f64 / libm::sqrt(squares)) as f32) } else { None })
}

/// Shows each entry of a sorted list with twice its rank, counted from 1; those with one key share the mean.
fn for_ties(mut list: &mut [Occurrence], mut show: impl FnMut(&mut Occurrence, i64)) {
    let mut before = 0;
    while let Some(first) = list.first() {
        let key = first.row;
        let ties = list.iter().take_while(|entry| entry.row == key).count();
        let Some((tied, rest)) = list.split_at_mut_checked(ties) else { return };
        for entry in tied {
            show(entry, 2 * before + ties as i64 + 1);
        }
        (list, before) = (rest, before + ties as i64);
    }
}

/// A number that is greater for a greater `x`, and the same for −0 and +0.
fn in_order(x: f32) -> u32 {
    let bits = (x + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}
