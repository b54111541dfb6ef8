//! Which classes are taken for which.

use crate::memory::assert_fits_on_stack;
use zerocopy::FromZeros;

/// How often examples of each class were taken for each class.
///
/// Parts of nothing (the precision of a class that was never predicted) are 0, as in scikit-learn.
///
/// ```
/// use nanoembed::metrics::ConfusionMatrix;
/// let mut matrix = ConfusionMatrix::<3>::new();
/// for (class, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 0), (2, 2)] {
///     matrix.add(class, predicted);
/// }
/// assert_eq!(matrix.count(0, 1), 1);
/// assert_eq!(matrix.precision(1), 0.5);
/// assert_eq!(matrix.recall(0), 2.0 / 3.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, FromZeros)]
pub struct ConfusionMatrix<const CLASSES: usize> {
    /// By class, then by prediction.
    counts: [[u32; CLASSES]; CLASSES],
}

impl<const CLASSES: usize> ConfusionMatrix<CLASSES> {
    /// No example yet: for a `static` of any size.
    pub const EMPTY: Self = Self { counts: [[0; CLASSES]; CLASSES] };

    /// No example yet.
    ///
    /// One of more than [256 KiB](crate::memory) does not compile: use `boxed`, or [`EMPTY`](Self::EMPTY) in
    /// a `static`.
    pub const fn new() -> Self {
        const {
            assert_fits_on_stack::<Self>(
                "a confusion matrix",
                "`boxed` (feature `alloc`), or `EMPTY` in a static",
            );
        };
        Self::EMPTY
    }

    /// The same on the heap, without passing over the stack.
    #[cfg(feature = "alloc")]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        crate::memory::boxed()
    }

    /// Counts an example of `class` that was taken for `predicted`; a class or prediction that does not exist is not counted.
    pub fn add(&mut self, class: usize, predicted: usize) {
        if let Some(count) = self.counts.get_mut(class).and_then(|row| row.get_mut(predicted)) {
            *count = count.saturating_add(1);
        }
    }

    /// How many examples of `class` were taken for `predicted`.
    pub fn count(&self, class: usize, predicted: usize) -> u32 {
        self.counts.get(class).and_then(|row| row.get(predicted)).copied().unwrap_or_default()
    }

    /// How many examples are of this class.
    fn of_class(&self, class: usize) -> u64 {
        self.counts.get(class).into_iter().flatten().map(|count| u64::from(*count)).sum()
    }

    /// How many examples were taken for this class.
    fn predicted(&self, class: usize) -> u64 {
        self.counts.iter().filter_map(|row| row.get(class)).map(|count| u64::from(*count)).sum()
    }

    fn right(&self, class: usize) -> u64 {
        u64::from(self.count(class, class))
    }

    /// The part of all examples that were taken for what they are; 0 of none.
    pub fn accuracy(&self) -> f32 {
        part(
            (0..CLASSES).map(|class| self.right(class)).sum(),
            (0..CLASSES).map(|class| self.of_class(class)).sum(),
        )
    }

    /// The part of those taken for `class` that are of it.
    pub fn precision(&self, class: usize) -> f32 {
        part(self.right(class), self.predicted(class))
    }

    /// The part of those of `class` that were taken for it.
    pub fn recall(&self, class: usize) -> f32 {
        part(self.right(class), self.of_class(class))
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self, class: usize) -> f32 {
        part(2 * self.right(class), self.predicted(class) + self.of_class(class))
    }

    /// The mean of [`f1`](Self::f1) over the classes that occur, as class or as prediction: each counts the same, however rare. 0 of none.
    pub fn macro_f1(&self) -> f32 {
        let occurs = |class: &usize| self.of_class(*class) + self.predicted(*class) > 0;
        let (total, classes) =
            (0..CLASSES).filter(occurs).fold((0.0, 0), |(total, n), class| (total + self.f1(class), n + 1));
        if classes == 0 { 0.0 } else { total / classes as f32 }
    }
}

impl<const CLASSES: usize> Default for ConfusionMatrix<CLASSES> {
    fn default() -> Self {
        Self::new()
    }
}

/// `some` of `all`; 0 of none.
fn part(some: u64, all: u64) -> f32 {
    if all == 0 { 0.0 } else { some as f32 / all as f32 }
}
