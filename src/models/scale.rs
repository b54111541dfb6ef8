//! The scale with which the scores of a folded classifier become integers.
//!
//! A row of scores may be moved as a whole: a softmax sees differences alone. So the codes of a row that has a
//! few great scores and many small ones below 0 need not leave one half of their range unused. Scores beyond
//! the range are cut. How much is cut is a choice that the texts make: of 32 scales the one with which their
//! probabilities come nearest.

use crate::kernels::log_sum_exp;
use crate::math;
use crate::slices::{part, parts, parts_mut};
use crate::table::{nearest_code, scales_to_try};
use alloc::vec;
use alloc::vec::Vec;

/// Texts that are looked at, at most: every k-th of more.
const MOST_TEXTS: usize = 1 << 13;

/// Scores `[rows, classes]`, and what becomes of them.
#[derive(Clone, Copy)]
pub(super) struct Scores<'a> {
    pub(super) rows: &'a [f32],
    /// What the sum of a text's rows starts from, `[classes]`.
    pub(super) start: &'a [f32],
    /// Codes lie within ± this.
    pub(super) most: i8,
    /// Whether a softmax follows; else each logit counts by itself.
    pub(super) softmax: bool,
}

/// The places of the rows of some texts, text after text.
pub(super) struct Texts {
    rows: Vec<usize>,
    ends: Vec<usize>,
    is_mean: bool,
}

impl Texts {
    /// Of bags of ids; `place` says where an id's row stands, if it is kept.
    pub(super) fn new(
        ids: &[u32],
        offsets: &[u32],
        is_mean: bool,
        place: impl Fn(u32) -> Option<usize>,
    ) -> Self {
        let bags = offsets.windows(2).filter_map(|ends| match ends {
            [start, end] => ids.get(*start as usize..*end as usize),
            _ => None,
        });
        let step = offsets.len().div_ceil(MOST_TEXTS).max(1);
        let (mut rows, mut ends) = (Vec::new(), Vec::new());
        for bag in bags.step_by(step) {
            rows.extend(bag.iter().filter_map(|id| place(*id)));
            ends.push(rows.len());
        }
        Self { rows, ends, is_mean }
    }

    /// Writes the logits that rows of scores give to `to` `[texts, classes]`.
    fn logits(&self, rows: &[f32], start: &[f32], to: &mut [f32]) {
        let mut first = 0;
        for (end, to) in self.ends.iter().zip(parts_mut(to, start.len())) {
            let text = part(&self.rows, first, end - first);
            first = *end;
            to.copy_from_slice(start);
            for row in text {
                for (to, x) in to.iter_mut().zip(part(rows, row * start.len(), start.len())) {
                    *to += x;
                }
            }
            if self.is_mean && !text.is_empty() {
                for to in to {
                    *to /= text.len() as f32;
                }
            }
        }
    }
}

impl Scores<'_> {
    /// x as it will be read back.
    fn rounded(&self, x: f32, scale: f32) -> f32 {
        scale * f32::from(nearest_code(x, scale, self.most))
    }

    /// The rows as they are rounded with a scale: each moved, if a softmax follows, by what leaves it the least
    /// error: not at all, so that its range lies around 0, or so that one of its ends is just not cut.
    pub(super) fn moved(&self, scale: f32) -> Vec<f32> {
        let mut rows = self.rows.to_vec();
        if !self.softmax {
            return rows;
        }
        for row in parts_mut(&mut rows, self.start.len()) {
            let low = row.iter().fold(f32::INFINITY, |low, x| if *x < low { *x } else { low });
            let high = row.iter().fold(f32::NEG_INFINITY, |high, x| if *x > high { *x } else { high });
            let end = scale * f32::from(self.most);
            let (mut by, mut least) = (0.0, f32::INFINITY);
            for candidate in [0.0, low + (high - low) / 2.0, high - end, low + end] {
                let error = |x: f32| x - candidate - self.rounded(x - candidate, scale);
                let error = row.iter().map(|x| error(*x) * error(*x)).sum();
                if error < least {
                    (by, least) = (candidate, error);
                }
            }
            for x in row {
                *x -= by;
            }
        }
        rows
    }

    /// The scale with which the texts' probabilities come nearest: Σ p (ln p − ln q) over texts and classes is
    /// least, p before and q after rounding; without a softmax the sum of the squared errors of the logits.
    /// `first` if none is better.
    ///
    /// # Cost
    /// All texts are scored 34 times.
    pub(super) fn best_scale(&self, texts: &Texts, first: f32) -> f32 {
        let classes = self.start.len();
        let mut exact = vec![0.0; texts.ends.len() * classes];
        texts.logits(self.rows, self.start, &mut exact);
        let mut found = exact.clone();
        let mut error_of = |scale: f32| -> f64 {
            let mut rows = self.moved(scale);
            for x in &mut rows {
                *x = self.rounded(*x, scale);
            }
            texts.logits(&rows, self.start, &mut found);
            let error = if self.softmax { divergence } else { squared_error };
            parts(&exact, classes).zip(parts(&found, classes)).map(|(exact, found)| error(exact, found)).sum()
        };
        let (mut best, mut least) = (first, error_of(first));
        for scale in scales_to_try(self.rows.iter(), self.most) {
            let error = error_of(scale);
            if error < least {
                (best, least) = (scale, error);
            }
        }
        best
    }
}

/// Σ (x − y)².
fn squared_error(exact: &[f32], found: &[f32]) -> f64 {
    exact.iter().zip(found).map(|(x, y)| f64::from(x - y) * f64::from(x - y)).sum()
}

/// Σ p (ln p − ln q) of the probabilities that a softmax makes of logits.
fn divergence(exact: &[f32], found: &[f32]) -> f64 {
    let (of_exact, of_found) = (log_sum_exp(exact), log_sum_exp(found));
    let term =
        |x: f32, y: f32| f64::from(math::exp(x - of_exact)) * f64::from((x - of_exact) - (y - of_found));
    exact.iter().zip(found).map(|(x, y)| term(*x, *y)).sum()
}
