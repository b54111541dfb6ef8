//! Means of many numbers.

use crate::error::ShapeMismatch;
use crate::math;

/// Kahan's compensated sum: millions of small numbers are not lost beside their total.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) total: f32,
    /// What the last addition rounded away.
    excess: f32,
}

impl Sum {
    pub(crate) fn add(&mut self, x: f32) {
        let x = x - self.excess;
        let total = self.total + x;
        self.excess = (total - self.total) - x;
        self.total = total;
    }
}

/// The root mean square error of numbers, √(Σ (y − t)² / n).
///
/// Of a model with one output and [`MeanSquaredError`](crate::loss::MeanSquaredError) it is the root of a report's loss.
///
/// ```
/// use nanoembed::metrics::root_mean_squared_error;
/// assert_eq!(root_mean_squared_error(&[3.0, 1.0], &[0.0, 5.0])?, 12.5_f32.sqrt());
/// # Ok::<(), nanoembed::error::ShapeMismatch>(())
/// ```
///
/// # Errors
/// If there are not as many labels as numbers, or none at all: no numbers have no error of 0.
pub fn root_mean_squared_error(y: &[f32], labels: &[f32]) -> Result<f32, ShapeMismatch> {
    ShapeMismatch::check("number of labels", y.len(), labels.len())?;
    if y.is_empty() {
        return Err(ShapeMismatch { what: "length of the numbers, at least", expected: 1, found: 0 });
    }
    let mut sum = Sum::default();
    for (y, t) in y.iter().zip(labels) {
        sum.add((y - t) * (y - t));
    }
    Ok(math::sqrt(sum.total / y.len() as f32))
}
