//! How well scores tell two classes apart.

use crate::error::ShapeMismatch;
use crate::sparse::{Occurrence, SortedOccurrences};

/// The area under the receiver operating characteristic, exactly: how likely an example of the class (`true`) has a higher score
/// than one that is not of it, ties counting half. Probabilities and scores give the same.
///
/// `None` if there is one class only, or a score is NaN. Each half of `scratch` has room for an entry a score:
///
/// ```
/// use nanoembed::{sparse::Occurrence, metrics::auc};
/// let mut scratch = [[Occurrence::default(); 4]; 2];
/// let [list, other] = &mut scratch;
/// assert_eq!(auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true], [list, other])?, Some(0.75));
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
///
/// # Errors
/// If there are not as many labels as scores, or too few entries in `scratch`.
pub fn auc(
    scores: &[f32],
    labels: &[bool],
    scratch: [&mut [Occurrence]; 2],
) -> Result<Option<f32>, ShapeMismatch> {
    ShapeMismatch::check("number of labels", scores.len(), labels.len())?;
    let [list, other] = scratch;
    let room = ShapeMismatch { what: "scratch length, at least", expected: scores.len(), found: list.len() };
    let list = list.get_mut(..scores.len()).ok_or(room)?;
    for (entry, (score, label)) in list.iter_mut().zip(scores.iter().zip(labels)) {
        *entry = Occurrence { row: in_order(*score), source: u32::from(*label) };
    }
    let sorted = SortedOccurrences::sort(list, other)?;
    if scores.iter().any(|score| score.is_nan()) {
        return Ok(None);
    }
    // Twice the number of pairs in which the one of the class has the higher score, a tie counting half: as the second of each pair comes.
    let (mut pairs, mut of_class, mut not) = (0_u64, 0_u64, 0_u64);
    let (mut tied_of_class, mut tied_not, mut tie) = (0, 0, None);
    for entry in sorted.as_slice() {
        if tie != Some(entry.row) {
            (tied_of_class, tied_not, tie) = (0, 0, Some(entry.row));
        }
        if entry.source == 1 {
            pairs += 2 * not - tied_not;
            tied_of_class += 1;
            of_class += 1;
        } else {
            pairs += tied_of_class;
            tied_not += 1;
            not += 1;
        }
    }
    let all = 2 * of_class * not;
    Ok(if all == 0 { None } else { Some(pairs as f32 / all as f32) })
}

/// A number that is greater for a greater score, and the same for −0 and +0.
fn in_order(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}
