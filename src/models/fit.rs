//! Epoch after epoch, with examples held out to judge by.

use super::kind::{Input, Kinds};
use super::trainer::Trainer;
use crate::loss::Labels;
use crate::train::{Report, TrainError};
use core::ops::ControlFlow;

/// How long to train, and on how many examples not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Epochs, at most.
    pub epochs: u32,
    /// The last `held_out` examples are only evaluated, after each epoch: what Keras' `validation_split` gives
    /// as a share.
    pub held_out: usize,
}

/// What came of an epoch: a row of Keras' history.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: u32,
    /// Of the examples that are learnt from, each before the step that it took part in.
    pub training: Report,
    /// Of the examples that are held out, after the epoch; `None` if none are.
    pub validation: Option<Report>,
}

impl Epoch {
    /// The loss to watch: of the examples that are held out, or else of the others.
    pub fn loss(&self) -> f32 {
        self.validation.unwrap_or(self.training).loss
    }
}

impl<K: Kinds> Trainer<'_, K> {
    /// Trains for some epochs, Keras' `fit`. After each, `after_epoch` sees what came of it and the
    /// parameters, and says whether to go on; [`EarlyStopping`](crate::train::EarlyStopping) is one who does.
    ///
    #[cfg_attr(feature = "alloc", doc = "```")]
    #[cfg_attr(not(feature = "alloc"), doc = "```ignore")]
    /// use core::ops::ControlFlow;
    /// use nanoembed::layers::ActivationKind;
    /// use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, Labels};
    /// use nanoembed::models::{All, BatchSize, Fit, Input, LayerKind, Recipe, Record, Source, Trainer};
    /// use nanoembed::optim::{Adam, AnyOptimizer};
    /// use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus, train::EarlyStopping};
    ///
    /// // Whether the first of two ids is the greater one.
    /// let records = [
    ///     Record::new(LayerKind::Embedding, &[2, 10, 4]).from(Source::Input(0)),
    ///     Record::new(LayerKind::Flatten, &[2, 4]),
    ///     Record::new(LayerKind::Dense, &[8, 1]).activation(ActivationKind::Sigmoid),
    /// ];
    /// let recipe = Recipe::<All>::new(&records)?;
    /// let ids: Vec<u32> = (0..100).flat_map(|i| [i * 7 % 10, i * 3 % 10]).collect();
    /// let labels: Vec<f32> = ids.chunks(2).map(|pair| f32::from(u8::from(pair[0] > pair[1]))).collect();
    ///
    /// let (adam, loss) = (Adam { learning_rate: 0.05, ..Adam::default() }, BinaryCrossEntropy::default());
    /// let (optimizer, loss): (&dyn AnyOptimizer, _) = (&adam, AnyLoss::from(loss));
    /// let size = BatchSize { examples: 8, ids_per_bag: 0 };
    /// let mut buffers = Trainer::lengths(recipe, optimizer, loss, size).expect("a small model").buffers();
    /// let mut trainer = Trainer::new(recipe, optimizer, loss, size, buffers.memory())?;
    /// let mut parameters = vec![0.0; recipe.parameters()];
    /// recipe.init(&mut parameters, &mut Xoshiro128PlusPlus::seed_from_u64(1))?;
    ///
    /// let mut best = vec![0.0; parameters.len()];
    /// let mut stopping = EarlyStopping::new(&mut best[..], 3);
    /// let mut history = Vec::new();
    /// let fit = Fit { epochs: 50, held_out: 20 };
    /// trainer.fit(&mut parameters, &[Input::Ids(&ids)], &Labels::numbers(&labels), 100, fit, |epoch, parameters| {
    ///     history.push(epoch);
    ///     stopping.observe(parameters, epoch.loss())
    /// })?;
    /// stopping.restore(&mut parameters[..]);
    /// assert!(history.last().unwrap().validation.unwrap().loss < history[0].loss());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`epoch`](Self::epoch); [`TrainError::NoExamples`] if all are held out.
    pub fn fit(
        &mut self,
        parameters: &mut [f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
        fit: Fit,
        mut after_epoch: impl FnMut(Epoch, &[f32]) -> ControlFlow<()>,
    ) -> Result<(), TrainError> {
        let learnt = examples.saturating_sub(fit.held_out);
        for number in 1..=fit.epochs {
            let training = self.epoch_of(parameters, inputs, labels, (0..learnt, examples), &mut |_| {
                ControlFlow::Continue(())
            })?;
            let validation = if learnt < examples {
                Some(self.evaluate_of(
                    parameters,
                    inputs,
                    labels,
                    (learnt..examples, examples),
                    &mut |_, _| {},
                )?)
            } else {
                None
            };
            if after_epoch(Epoch { number, training, validation }, parameters).is_break() {
                break;
            }
        }
        Ok(())
    }
}
