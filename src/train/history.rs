//! What training reports, epoch by epoch.

/// What came of some steps or of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Mean loss of an example, each before the step that it took part in.
    pub loss: f32,
    /// Mean accuracy of an example, likewise.
    pub accuracy: f32,
    /// How many examples were seen.
    pub examples: usize,
}

impl Report {
    /// This report and a later one as one.
    #[must_use]
    pub(crate) fn and(self, later: Self) -> Self {
        let examples = self.examples + later.examples;
        if examples == 0 {
            return self;
        }
        let mean = |a: f32, b: f32| (a * self.examples as f32 + b * later.examples as f32) / examples as f32;
        Self { loss: mean(self.loss, later.loss), accuracy: mean(self.accuracy, later.accuracy), examples }
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
#[derive(Clone, Debug, PartialEq)]
pub struct History<const CAPACITY: usize> {
    reports: [Report; CAPACITY],
    epochs: usize,
}

impl<const CAPACITY: usize> History<CAPACITY> {
    /// No epoch yet.
    pub const fn new() -> Self {
        const { assert!(CAPACITY > 0, "History<CAPACITY>: must hold at least 1 report") }
        Self { reports: [Report { loss: 0.0, accuracy: 0.0, examples: 0 }; CAPACITY], epochs: 0 }
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
