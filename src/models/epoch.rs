//! Epochs: every example once, in an order of its own.

use super::kind::{Input, Kinds};
use super::trainer::Trainer;
use crate::loss::Labels;
use crate::random::mix;
use crate::train::{Report, Shuffle, Totals, TrainError};
use core::ops::{ControlFlow, Range};

impl<K: Kinds> Trainer<'_, K> {
    /// One epoch: a step on each batch of the examples, in an order that the seed and the epoch choose; then
    /// a [`flush`](Self::flush).
    ///
    /// # Errors
    /// As the typed [`epoch`](crate::train::Trainer::epoch).
    pub fn epoch(
        &mut self,
        parameters: &mut [f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
    ) -> Result<Report, TrainError> {
        self.epoch_with(parameters, inputs, labels, examples, |_| {})
    }

    /// The same; shows the report so far after each step.
    ///
    /// # Errors
    /// As [`epoch`](Self::epoch).
    pub fn epoch_with(
        &mut self,
        parameters: &mut [f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
        mut after_step: impl FnMut(Report),
    ) -> Result<Report, TrainError> {
        self.epoch_until(parameters, inputs, labels, examples, |so_far| {
            after_step(so_far);
            ControlFlow::Continue(())
        })
    }

    /// The same; ends the epoch after the step at which `after_step` breaks. The report is then that of the
    /// steps that were taken, and [`epochs`](Self::epochs) does not count the epoch, whose order the next one
    /// has again.
    ///
    /// ```
    /// use core::ops::ControlFlow;
    /// use nanoembed::layers::ActivationKind;
    /// use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, Labels};
    /// use nanoembed::models::{All, BatchSize, Input, LayerKind, Recipe, Record, Source, Trainer};
    /// use nanoembed::optim::{AnyOptimizer, Sgd};
    /// use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
    ///
    /// let records = [
    ///     Record::new(LayerKind::EmbeddingBag, &[50, 4]).from(Source::Input(0)),
    ///     Record::new(LayerKind::Dense, &[4, 1]).activation(ActivationKind::Sigmoid),
    /// ];
    /// let recipe = Recipe::<All>::new(&records)?;
    /// let (ids, offsets, labels) = ([3, 7, 9, 11], [0, 1, 3, 4], [1.0, 0.0, 1.0]);
    /// let sgd = Sgd { learning_rate: 0.1 };
    /// let (optimizer, loss): (&dyn AnyOptimizer, _) = (&sgd, AnyLoss::from(BinaryCrossEntropy::default()));
    /// let size = BatchSize { examples: 1, ids_per_bag: 2 };
    /// # #[cfg(feature = "alloc")] {
    /// let mut buffers = Trainer::lengths(recipe, optimizer, loss, size).expect("a small model").buffers();
    /// let mut trainer = Trainer::new(recipe, optimizer, loss, size, buffers.memory())?;
    /// let mut parameters = vec![0.0; recipe.parameters()];
    /// recipe.init(&mut parameters, &mut Xoshiro128PlusPlus::seed_from_u64(1))?;
    ///
    /// let bags = [Input::Bags { ids: &ids, offsets: &offsets }];
    /// let report = trainer.epoch_until(&mut parameters, &bags, &Labels::numbers(&labels), 3, |so_far| {
    ///     if so_far.examples == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// })?;
    /// assert_eq!((report.examples, trainer.steps(), trainer.epochs()), (2, 2, 0));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`epoch`](Self::epoch).
    pub fn epoch_until(
        &mut self,
        parameters: &mut [f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
        mut after_step: impl FnMut(Report) -> ControlFlow<()>,
    ) -> Result<Report, TrainError> {
        self.epoch_of(parameters, inputs, labels, (0..examples, examples), &mut after_step)
    }

    /// An epoch on some of the examples, of which there are so many in all.
    pub(super) fn epoch_of(
        &mut self,
        parameters: &mut [f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        (learnt, examples): (Range<usize>, usize),
        after_step: &mut dyn FnMut(Report) -> ControlFlow<()>,
    ) -> Result<Report, TrainError> {
        self.check_to_learn(parameters, inputs, labels, examples)?;
        if learnt.is_empty() {
            return Err(TrainError::NoExamples);
        }
        let result = self.steps_of_epoch(parameters, inputs, labels, learnt, after_step);
        self.flush(parameters);
        let (report, ended) = result?;
        if ended.is_continue() {
            self.progress.epoch = self.progress.epoch.saturating_add(1);
        }
        Ok(report)
    }

    fn steps_of_epoch(
        &mut self,
        parameters: &mut [f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        learnt: Range<usize>,
        after_step: &mut dyn FnMut(Report) -> ControlFlow<()>,
    ) -> Result<(Report, ControlFlow<()>), TrainError> {
        let seed = mix(self.progress.seed, u64::from(self.progress.epoch));
        let mut shuffled = Shuffle::new(learnt.len(), seed).map(|place| learnt.start + place);
        let mut in_order = learnt.clone();
        let order: &mut dyn Iterator<Item = usize> =
            if self.in_order { &mut in_order } else { &mut shuffled };
        if let Some(model) = self.bag_model() {
            return self.steps_on_bags(model, parameters, (inputs, labels), order, after_step);
        }
        let mut totals = Totals::default();
        loop {
            let n = self.load_next(order, inputs);
            if n == 0 {
                return Ok((totals.report(), ControlFlow::Continue(())));
            }
            self.step_on_batch(parameters, inputs, labels, n, &mut totals)?;
            let ended = after_step(totals.report());
            if ended.is_break() {
                return Ok((totals.report(), ended));
            }
        }
    }
}
