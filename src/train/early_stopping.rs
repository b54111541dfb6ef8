//! Training that ends when nothing is gained any more, with the best weights.

use crate::layers::Bytes;
use crate::slices::copy;
use core::ops::ControlFlow;

/// Keras' `EarlyStopping(patience, min_delta, restore_best_weights=True)`: keeps the best weights so far and
/// says when to stop.
///
/// It watches one number an epoch, the smaller the better: the loss of examples that are not learnt from, or
/// `-accuracy`, as [`Trainer::evaluate`](super::Trainer::evaluate) finds it after the epoch (an epoch's own
/// report is of the weights before each step, and does not see what the last one did). An epoch is better if
/// it is below the best so far by more than `min_delta`, which NaN never is; after `patience` epochs in a row
/// that are not, training should stop.
///
/// The weights are kept in a second model, the caller's (or, where sizes are values, in a slice as long as the
/// parameters): on the stack, in a `static`, or on the heap
/// (`Layer::boxed_zeroed`, feature `alloc`). They are also what training that broke down goes back to
/// ([`TrainError::NotFinite`](super::TrainError::NotFinite)).
///
/// ```
/// use nanoembed::{layers::*, loss::BinaryCrossEntropy, optim::Adam, sequential};
/// use nanoembed::train::{EarlyStopping, Trainer};
/// use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
///
/// type Model = sequential![Embedding<2, 10, 4>, Flatten<2, 4, 8>, Dense<8, 1, Sigmoid>];
/// let (ids, labels) = ([[4, 7], [9, 3]], [[1.0], [0.0]]);
/// let (other_ids, other_labels) = ([[4, 1]], [[1.0]]);
/// let mut model = Model::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
/// let mut best = Model::zeroed();
/// let mut trainer = Trainer::<Model, _, _, 2>::new(Adam::default(), BinaryCrossEntropy::default());
///
/// let mut stopping = EarlyStopping::new(&mut best, 3);
/// for _ in 0..100 {
///     if let Err(error) = trainer.epoch(&mut model, &ids, &labels) {
///         eprintln!("{error}");
///         break;
///     }
///     let report = trainer.evaluate(&model, &other_ids, &other_labels)?;
///     if stopping.observe(&model, report.loss).is_break() {
///         break;
///     }
/// }
/// stopping.restore(&mut model);
/// # Ok::<(), nanoembed::train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct EarlyStopping<'a, M: ?Sized> {
    weights: &'a mut M,
    patience: u32,
    min_delta: f32,
    best: f32,
    epoch: u32,
    best_epoch: u32,
}

impl<'a, M: Weights + ?Sized> EarlyStopping<'a, M> {
    /// Stops after `patience` epochs that are no better than the best one before (a patience of 0 is one of
    /// 1); `weights` is memory for the best weights, and what it holds is lost at the first epoch.
    pub fn new(weights: &'a mut M, patience: u32) -> Self {
        Self { weights, patience, min_delta: 0.0, best: f32::INFINITY, epoch: 0, best_epoch: 0 }
    }

    /// Only what is better by more than this counts: Keras' `min_delta`.
    #[must_use]
    pub fn with_min_delta(self, min_delta: f32) -> Self {
        Self { min_delta: min_delta.abs(), ..self }
    }

    /// Takes note of an epoch, whose number to watch is `value`, and of its weights if it is the best one so
    /// far; says whether to stop.
    pub fn observe(&mut self, model: &M, value: f32) -> ControlFlow<()> {
        self.epoch = self.epoch.saturating_add(1);
        if value < self.best - self.min_delta {
            self.best = value;
            self.best_epoch = self.epoch;
            self.weights.copy_from(model);
        }
        let waited = self.epoch - self.best_epoch;
        if waited > 0 && waited >= self.patience { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Puts the best weights into `model`, which stays as it is if no epoch was better than infinitely bad.
    /// The state of a trainer's optimizer is still that of the last epoch.
    pub fn restore(&self, model: &mut M) {
        if self.best_epoch > 0 {
            model.copy_from(self.weights);
        }
    }

    /// The number and the value of the best epoch, counted from 1; `None` if there is none.
    pub fn best(&self) -> Option<(u32, f32)> {
        if self.best_epoch > 0 { Some((self.best_epoch, self.best)) } else { None }
    }
}

/// What early stopping keeps: a model, or the parameters of one whose sizes are values.
pub trait Weights {
    /// Takes over all numbers.
    fn copy_from(&mut self, from: &Self);
}

impl<M: Bytes> Weights for M {
    // Part after part: there are few.
    fn copy_from(&mut self, from: &Self) {
        let mut number = 0;
        self.visit_mut(&mut |to| {
            let mut of_part = 0;
            from.visit(&mut |from| {
                if of_part == number {
                    copy(from, to);
                }
                of_part += 1;
            });
            number += 1;
        });
    }
}

impl Weights for [f32] {
    fn copy_from(&mut self, from: &Self) {
        copy(from, self);
    }
}
