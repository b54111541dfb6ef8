//! The training of a model: epochs of steps, at a learning rate that falls to 0, of which the best is kept.

use crate::examples::Examples;
use crate::failure::{Failure, Kind};
use crate::measure::{Measure, Tally};
use crate::memory;
use nanoembed::loss::AnyLoss;
use nanoembed::models::{All, BatchSize, Recipe, Trainer};
use nanoembed::optim::{Adam, AnyOptimizer, PolynomialDecay, RowwiseAdagrad, Scheduled, Sgd};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::train::{Report, TrainError};
use std::ops::ControlFlow;

/// Numbers of a cache line.
const LINE: usize = 16;

/// What the accumulators of Adagrad start from: rare rows step farther than frequent ones, but not without limit.
const ACCUMULATOR: f32 = 1e-5;

/// What makes a training smaller.
const SIZES: &str = "--rows, --dim, --units, --length or --batch";

/// What is trained, and how.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) recipe: Recipe<'a, All>,
    pub(crate) loss: AnyLoss<'a>,
    /// What says which epoch is best, of texts that are held out.
    pub(crate) measure: Measure,
    pub(crate) epochs: u32,
    /// Examples of a step.
    pub(crate) batch: usize,
    pub(crate) optimizer: Optimizer,
    /// Of Adagrad and Adam that of a step; of gradient descent that of each example of a step, as in fastText.
    pub(crate) learning_rate: f32,
    pub(crate) seed: u64,
}

/// How weights step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Optimizer {
    /// Rows step less the more they have learnt, so rare ones step farther: row-wise, as FBGEMM's
    Adagrad,
    /// Every row steps as far, however rare its words are
    Adam,
    /// Frequent rows step farther: fastText's
    Sgd,
}

impl Optimizer {
    /// Examples of a step, if no one says otherwise.
    pub(crate) fn usual_batch(self) -> u32 {
        match self {
            Self::Adam => 32,
            Self::Adagrad => 8,
            Self::Sgd => 1,
        }
    }
}

/// Who watches a training, and may end it.
pub(crate) trait Watch {
    /// Called after each step, with the means of the epoch so far; the training ends if it says so.
    fn after_step(&mut self, epoch: u32, so_far: Report) -> bool;

    /// Called after each epoch.
    fn after_epoch(&mut self, epoch: u32, learnt: Report, held_out: Option<Judged>);
}

/// What came of the texts that are held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) report: Report,
    pub(crate) macro_f1: f64,
}

/// What a training came to.
#[derive(Debug)]
pub(crate) struct Learnt {
    pub(crate) parameters: Vec<f32>,
    /// The epoch that they are of.
    pub(crate) epoch: u32,
    /// Whether it was ended before its last epoch.
    pub(crate) was_ended: bool,
}

/// Numbers that start at a cache line, so that no row of a table lies in one line more than it must.
struct Aligned {
    memory: Vec<f32>,
    start: usize,
    length: usize,
}

impl Aligned {
    fn of(numbers: &[f32]) -> Self {
        let mut memory = vec![0.0; numbers.len() + LINE - 1];
        // The address is only asked for speed: any start will do.
        let start = memory.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE - 1);
        let length = numbers.len();
        if let Some(to) = memory.get_mut(start..start + length) {
            to.copy_from_slice(numbers);
        }
        Self { memory, start, length }
    }

    fn numbers(&mut self) -> &mut [f32] {
        self.memory.get_mut(self.start..self.start + self.length).unwrap_or_default()
    }
}

fn failure(error: TrainError) -> Failure {
    match error {
        TrainError::NotFinite { .. } => {
            Failure::new(Kind::Training, format!("{error}; try a lower --learning-rate"))
        }
        TrainError::OutOfRange(error) => Failure::usage(error),
        other => Failure::new(Kind::Training, other),
    }
}

/// Parameters to start from.
pub(crate) fn initial(recipe: Recipe<'_, All>, seed: u64) -> Result<Vec<f32>, Failure> {
    memory::check(recipe.parameters().saturating_mul(size_of::<f32>()), SIZES)?;
    let mut parameters = vec![0.0; recipe.parameters()];
    recipe.init(&mut parameters, &mut Xoshiro128PlusPlus::seed_from_u64(seed)).map_err(Failure::model)?;
    Ok(parameters)
}

/// Trains from these parameters on. The same plan and examples give the same bits, unless the training is ended.
pub(crate) fn learn(
    plan: Plan<'_>,
    start: &[f32],
    learning: &Examples,
    held_out: Option<&Examples>,
    watch: &mut dyn Watch,
) -> Result<Learnt, Failure> {
    let Plan { recipe, loss, epochs, batch, .. } = plan;
    let steps = learning.len().div_ceil(batch);
    let all_steps = u32::try_from(steps).ok().and_then(|steps| steps.checked_mul(epochs));
    let schedule = PolynomialDecay {
        initial_learning_rate: match plan.optimizer {
            Optimizer::Adagrad | Optimizer::Adam => plan.learning_rate,
            Optimizer::Sgd => plan.learning_rate * batch as f32,
        },
        decay_steps: all_steps
            .ok_or_else(|| Failure::usage("more steps than can be counted: train fewer epochs"))?,
        end_learning_rate: 0.0,
        power: 1.0,
    };
    let adagrad = RowwiseAdagrad { initial_accumulator: ACCUMULATOR, ..RowwiseAdagrad::default() };
    let adagrad = Scheduled { optimizer: adagrad, schedule };
    let adam = Scheduled { optimizer: Adam::default(), schedule };
    let sgd = Scheduled { optimizer: Sgd::default(), schedule };
    let optimizer: &dyn AnyOptimizer = match plan.optimizer {
        Optimizer::Adagrad => &adagrad,
        Optimizer::Adam => &adam,
        Optimizer::Sgd => &sgd,
    };
    let ids_per_bag = learning.longest().max(held_out.map_or(0, Examples::longest));
    let size = BatchSize { examples: batch, ids_per_bag };
    let lengths = Trainer::lengths(recipe, optimizer, loss, size)
        .ok_or_else(|| Failure::usage("more memory than can be counted: take smaller --batch or --rows"))?;
    // The best epoch is kept beside what learns.
    let numbers = [start.len(), start.len(), lengths.numbers, lengths.slots];
    let numbers = numbers.into_iter().fold(0, usize::saturating_add);
    memory::check(numbers.saturating_mul(size_of::<f32>()).saturating_add(lengths.masks), SIZES)?;
    let mut parameters = Aligned::of(start);
    let parameters = parameters.numbers();
    let mut buffers = lengths.buffers();
    let mut trainer = Trainer::new(recipe, optimizer, loss, size, buffers.memory())
        .map_err(|e| Failure::new(Kind::Training, e))?;
    trainer.set_seed(plan.seed);

    let mut best: Option<(f32, u32, Vec<f32>)> = None;
    let (inputs, labels) = ([learning.input()], learning.labels());
    for epoch in 1..=epochs {
        let mut was_ended = false;
        let learnt = trainer.epoch_until(parameters, &inputs, &labels, learning.len(), |so_far| {
            was_ended = watch.after_step(epoch, so_far);
            if was_ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let learnt = learnt.map_err(failure)?;
        if was_ended {
            // Nothing better is known before an epoch has been judged.
            let (_, epoch, parameters) = best.unwrap_or_else(|| (0.0, epoch, parameters.to_vec()));
            return Ok(Learnt { parameters, epoch, was_ended });
        }
        let mut tally = Tally::default();
        let judged = match held_out {
            Some(examples) => {
                let inputs = [examples.input()];
                let count = |number: usize, outputs: &[f32]| tally.add(examples, number, outputs);
                let labels = examples.labels();
                let report = trainer.evaluate_with(parameters, &inputs, &labels, examples.len(), count);
                Some(Judged { report: report.map_err(failure)?, macro_f1: tally.macro_f1() })
            }
            None => None,
        };
        watch.after_epoch(epoch, learnt, judged);
        if let Some(judged) = judged {
            let score = plan.measure.of_epoch(judged);
            // Of equally good epochs the last, which has the lower learning rate.
            if best.as_ref().is_none_or(|(most, ..)| score >= *most) {
                best = Some((score, epoch, parameters.to_vec()));
            }
        }
    }
    let (_, epoch, parameters) = best.unwrap_or_else(|| (0.0, epochs, parameters.to_vec()));
    Ok(Learnt { parameters, epoch, was_ended: false })
}

/// Weights with which each class counts as much as each other: texts / (classes · texts of the class).
pub(crate) fn balanced_weights(frequencies: &[usize]) -> Vec<f32> {
    let (texts, classes) = (frequencies.iter().sum::<usize>(), frequencies.len());
    let weight = |of_class: &usize| texts as f64 / (classes * of_class.max(&1)) as f64;
    frequencies.iter().map(|of_class| weight(of_class) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labelled;
    use crate::recipe::{Architecture, Extents};
    use nanoembed::loss::SparseCategoricalCrossEntropy;
    use nanoembed::text::{HashKind, Pipeline};

    /// Ends a training after so many steps.
    struct After(usize, Vec<u32>);

    impl Watch for After {
        fn after_step(&mut self, _: u32, so_far: Report) -> bool {
            assert!(so_far.loss.is_finite() && so_far.examples > 0);
            self.0 = self.0.saturating_sub(1);
            self.0 == 0
        }

        fn after_epoch(&mut self, epoch: u32, _: Report, held_out: Option<Judged>) {
            assert!(held_out.is_some());
            self.1.push(epoch);
        }
    }

    fn train(steps: usize) -> (Learnt, Vec<u32>) {
        let texts: Vec<String> = (0..40).map(|i| format!("{} number {i}", ["good", "bad"][i % 2])).collect();
        let labels = (0..40).map(|i| vec![i % 2]).collect();
        let all = Labelled { texts, labels, names: vec!["a".into(), "b".into()], ..Labelled::default() };
        let pipeline = Pipeline::hashing(64, HashKind::Native).expect("a pipeline");
        let learning = Examples::encode(&all, 0..30, false, &pipeline).expect("examples");
        let held_out = Examples::encode(&all, 30..40, false, &pipeline).expect("examples");
        let extents = Extents { rows: 64, dim: 4, classes: 2, ..Extents::default() };
        let records = Architecture::Bag.records(extents).expect("records");
        let recipe = Recipe::new(&records).expect("a recipe");
        let loss = SparseCategoricalCrossEntropy.into();
        let plan = Plan {
            recipe,
            loss,
            measure: Measure::Accuracy,
            epochs: 20,
            batch: 8,
            optimizer: Optimizer::Adam,
            learning_rate: 0.05,
            seed: 3,
        };
        let mut watch = After(steps, Vec::new());
        let start = initial(recipe, 3).expect("parameters");
        let learnt = learn(plan, &start, &learning, Some(&held_out), &mut watch).expect("a training");
        (learnt, watch.1)
    }

    #[test]
    fn the_best_epoch_is_kept() {
        let (learnt, epochs) = train(usize::MAX);
        assert_eq!(epochs, (1..=20).collect::<Vec<_>>());
        assert!(!learnt.was_ended);
        // All is right from some epoch on, so the last is kept.
        assert_eq!(learnt.epoch, 20);
        assert_eq!(learnt.parameters, train(usize::MAX).0.parameters);
    }

    #[test]
    fn it_can_be_ended() {
        let (learnt, epochs) = train(2);
        assert_eq!((learnt.was_ended, learnt.epoch, epochs), (true, 1, vec![]));
        // Four steps are an epoch.
        let (learnt, epochs) = train(6);
        assert_eq!((learnt.was_ended, learnt.epoch, epochs), (true, 1, vec![1]));
    }

    #[test]
    fn rare_classes_weigh_more() {
        assert_eq!(balanced_weights(&[30, 10]), [40.0 / 60.0, 2.0]);
        assert!(balanced_weights(&[3, 0]).iter().all(|weight| weight.is_finite()));
    }
}
