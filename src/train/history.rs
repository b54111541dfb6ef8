//! What training reports, epoch by epoch.

use crate::memory::assert_fits_on_stack;
use crate::metrics::Sum;
use zerocopy::FromZeros;

/// What came of some steps or of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Report {
    /// Mean loss of an example, each before the step that it took part in.
    pub loss: f32,
    /// Mean accuracy of an example, likewise.
    pub accuracy: f32,
    /// How many examples were seen, at least 1.
    pub examples: usize,
}

/// Sums over examples, one after the other: the same bits in whatever batches they come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    loss: Sum,
    accuracy: Sum,
    examples: usize,
}

impl Totals {
    pub(crate) fn add(&mut self, loss: f32, accuracy: f32) {
        self.loss.add(loss);
        self.accuracy.add(accuracy);
        self.examples += 1;
    }

    /// The means; zeros of no examples.
    pub(crate) fn report(&self) -> Report {
        let count = if self.examples == 0 { 1.0 } else { self.examples as f32 };
        Report {
            loss: self.loss.total / count,
            accuracy: self.accuracy.total / count,
            examples: self.examples,
        }
    }
}

/// The reports of the last `CAPACITY` epochs, the oldest first.
///
/// ```
/// use nanoembed::train::{History, Report};
/// let mut history = History::<2>::new();
/// for loss in [0.9, 0.6, 0.4] {
///     history.push(Report { loss, ..Report::default() });
/// }
/// assert!(history.iter().map(|report| report.loss).eq([0.6, 0.4]));
/// assert_eq!(history.epochs(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, FromZeros)]
pub struct History<const CAPACITY: usize> {
    reports: [Report; CAPACITY],
    epochs: usize,
}

impl<const CAPACITY: usize> History<CAPACITY> {
    /// No epoch yet: for a `static` of any size.
    pub const EMPTY: Self = {
        assert!(CAPACITY > 0, "History<CAPACITY>: must hold at least 1 report");
        Self { reports: [Report { loss: 0.0, accuracy: 0.0, examples: 0 }; CAPACITY], epochs: 0 }
    };

    /// No epoch yet.
    ///
    /// One of more than [256 KiB](crate::memory) does not compile: use `boxed`, or [`EMPTY`](Self::EMPTY) in
    /// a `static`.
    pub const fn new() -> Self {
        const {
            assert_fits_on_stack::<Self>("a history", "`boxed` (feature `alloc`), or `EMPTY` in a static");
        };
        Self::EMPTY
    }

    /// The same on the heap, without passing over the stack.
    #[cfg(feature = "alloc")]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        const { assert!(CAPACITY > 0, "History<CAPACITY>: must hold at least 1 report") }
        crate::memory::boxed()
    }

    /// Adds the report of the next epoch; the oldest one goes if there is no more room.
    pub fn push(&mut self, report: Report) {
        if let Some(slot) = self.reports.get_mut(self.epochs % CAPACITY) {
            *slot = report;
        }
        self.epochs += 1;
    }

    /// How many epochs were reported in all.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The reports that are kept, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Report> + '_ {
        let oldest = self.epochs.saturating_sub(CAPACITY);
        (oldest..self.epochs).filter_map(|epoch| self.reports.get(epoch % CAPACITY).copied())
    }

    /// The report of the last epoch.
    pub fn last(&self) -> Option<Report> {
        self.reports.get(self.epochs.checked_sub(1)? % CAPACITY).copied()
    }
}

impl<const CAPACITY: usize> Default for History<CAPACITY> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Totals;

    #[test]
    fn means_of_many_examples_do_not_drift() {
        let mut totals = Totals::default();
        for i in 0..20_000_000_u32 {
            totals.add(1.1, if i % 3 == 0 { 0.0 } else { 1.0 });
        }
        let report = totals.report();
        assert!((report.loss - 1.1).abs() <= 1e-6, "{report:?}");
        assert!((report.accuracy - 2.0 / 3.0).abs() <= 1e-6, "{report:?}");
    }
}
