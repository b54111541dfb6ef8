//! Training of a model whose sizes are values.

use super::batch::{as_ids_mut, check_bags, load};
use super::blocks::BatchSize;
use super::kind::{Input, Kind, Kinds, Visit};
use super::kinds::{AnyActivation, activate};
use super::learn::{Gradients, Learning, Loaded, catch_up, flush, squares, step};
use super::memory::{Memory, Parts, TrainingLengths, UnfitTraining};
use super::pass::{Flow, backward, forward};
use super::recipe::{Place, Recipe};
use super::run::check_inputs;
use crate::error::{CapacityExceeded, InputError, NotFinite, ShapeMismatch};
use crate::layers::{ActivationKind, CLOSED_BIAS, Context};
use crate::loss::{AnyLoss, Labels};
use crate::optim::AnyOptimizer;
use crate::random::mix;
use crate::slices::{part, part_mut};
use crate::train::{Progress, Report, Totals, TrainError};
use core::ops::Range;

/// Trains a model whose sizes are values, with the bits of the typed [`Trainer`](crate::train::Trainer).
///
/// It is made for a recipe, an optimizer and a loss, which are values as well. The caller brings the memory,
/// whose lengths [`lengths`](Self::lengths) tells, and the parameters.
pub struct Trainer<'t, K> {
    recipe: Recipe<'t, K>,
    pub(super) optimizer: &'t dyn AnyOptimizer,
    pub(super) loss: AnyLoss<'t>,
    pub(super) size: BatchSize,
    pub(super) in_order: bool,
    pub(super) lags: bool,
    pub(super) progress: Progress,
    pub(super) flow: Flow<'t>,
    pub(super) learning: Learning<'t>,
    inputs: &'t mut [f32],
    order: &'t mut [u32],
    pub(super) loss_scratch: &'t mut [f32],
}

/// Whether the inputs that a layer takes can be used.
struct CheckInputs<'a> {
    place: &'a Place<'a>,
    inputs: &'a [Input<'a>],
    examples: usize,
}

impl Visit for CheckInputs<'_> {
    type Output = Result<(), InputError>;

    fn visit<K: Kind>(self) -> Self::Output {
        let Self { place, inputs, examples } = self;
        check_inputs(place.record, place.number, place.spec.takes, inputs, examples, &K::check)
    }
}

impl<K: Kinds> Recipe<'_, K> {
    /// `Ok` if the inputs are those of so many examples, and every id can be used; of those that cannot, the
    /// first of the first example is named.
    fn check(&self, inputs: &[Input<'_>], examples: usize) -> Result<(), InputError> {
        let mut first = Ok(());
        for place in self.places() {
            let check = CheckInputs { place: &place, inputs, examples };
            match (K::with(place.record, check), first) {
                (Ok(Err(InputError::Id { example, .. })), Err(InputError::Id { example: of_first, .. }))
                    if example >= of_first => {}
                (Ok(Err(id @ InputError::Id { .. })), _) => first = Err(id),
                (Ok(other), _) => other?,
                (Err(_), _) => {}
            }
        }
        first
    }
}

impl<'t, K: Kinds> Trainer<'t, K> {
    /// How much memory a trainer takes; `None` if it is more than can be counted.
    pub fn lengths(
        recipe: Recipe<'_, K>,
        optimizer: &dyn AnyOptimizer,
        loss: AnyLoss<'_>,
        size: BatchSize,
    ) -> Option<TrainingLengths> {
        Parts::of(recipe, optimizer, loss, size)?.lengths(size)
    }

    /// A trainer before its first step.
    ///
    /// # Errors
    /// If the loss does not fit the model, or the memory is too short. Nothing has been written then.
    pub fn new(
        recipe: Recipe<'t, K>,
        optimizer: &'t dyn AnyOptimizer,
        loss: AnyLoss<'t>,
        size: BatchSize,
        memory: Memory<'t>,
    ) -> Result<Self, UnfitTraining> {
        let output = recipe.sizes.output;
        if output.steps() > 0 || output.numbers() == 0 {
            return Err(UnfitTraining::Output);
        }
        let (activation, last, has_biases) = recipe.ending();
        loss.check(output.numbers(), activation, last, has_biases)?;
        let parts = Parts::of(recipe, optimizer, loss, size).filter(|_| size.examples > 0);
        let parts = parts.ok_or(UnfitTraining::BatchSize(size))?;
        let lengths = parts.lengths(size).ok_or(UnfitTraining::BatchSize(size))?;
        let Memory { mut numbers, mut masks, slots } = memory;
        CapacityExceeded::check("numbers of the trainer (Trainer::lengths)", numbers.len(), lengths.numbers)?;
        CapacityExceeded::check("masks of the trainer (Trainer::lengths)", masks.len(), lengths.masks)?;
        CapacityExceeded::check("slots of the trainer (Trainer::lengths)", slots.len(), lengths.slots)?;
        let mut cut = |length| {
            let part = numbers.split_off_mut(..length).unwrap_or_default();
            part.fill(0.0);
            part
        };
        let flow = Flow {
            values: cut(parts.outputs),
            d_values: cut(parts.outputs),
            kept: cut(parts.kept),
            valid: masks.split_off_mut(..parts.valid).unwrap_or_default(),
            masks: masks.split_off_mut(..parts.masks).unwrap_or_default(),
        };
        flow.valid.fill(true);
        flow.masks.fill(false);
        let slots = part_mut(slots, 0, parts.slots);
        slots.fill(0.0);
        let (gradients, lists, scratch) = (cut(parts.gradients), cut(parts.lists), cut(parts.scratch));
        Ok(Self {
            recipe,
            optimizer,
            loss,
            size,
            in_order: false,
            lags: false,
            progress: Progress::default(),
            flow,
            learning: Learning { gradients, lists, slots, scratch },
            inputs: cut(parts.inputs),
            order: as_ids_mut(cut(size.examples)),
            loss_scratch: cut(parts.loss),
        })
    }

    /// The recipe of the model.
    pub fn recipe(&self) -> Recipe<'t, K> {
        self.recipe
    }

    /// Where the random numbers of training start: the order of examples, dropout.
    pub fn set_seed(&mut self, seed: u64) {
        self.progress.seed = seed;
    }

    /// Whether epochs shuffle the examples, the default.
    pub fn set_shuffle(&mut self, shuffle: bool) {
        self.in_order = !shuffle;
    }

    /// Steps that were taken.
    pub fn steps(&self) -> u32 {
        self.progress.step
    }

    /// Epochs that were trained.
    pub fn epochs(&self) -> u32 {
        self.progress.epoch
    }

    /// Loads the next examples in this order, as many as a batch has; gives how many they are.
    pub(super) fn load_next(
        &mut self,
        order: &mut dyn Iterator<Item = usize>,
        inputs: &[Input<'_>],
    ) -> usize {
        let mut n = 0;
        for (slot, example) in self.order.iter_mut().zip(order) {
            *slot = example as u32;
            n += 1;
        }
        load(self.recipe, self.size, inputs, part(self.order, 0, n), self.inputs);
        n
    }

    /// One step on a batch of examples.
    ///
    /// # Errors
    /// As the typed [`step`](crate::train::Trainer::step).
    pub fn step(
        &mut self,
        parameters: &mut [f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
    ) -> Result<Report, TrainError> {
        self.check_to_learn(parameters, inputs, labels, examples)?;
        CapacityExceeded::check("examples of a batch (BatchSize::examples)", self.size.examples, examples)?;
        let n = self.load_next(&mut (0..examples), inputs);
        let mut totals = Totals::default();
        self.step_on_batch(parameters, inputs, labels, n, &mut totals)?;
        Ok(totals.report())
    }

    /// The loss and the accuracy of examples, of which nothing is learnt.
    ///
    /// # Errors
    /// As the typed [`evaluate`](crate::train::Trainer::evaluate).
    pub fn evaluate(
        &mut self,
        parameters: &[f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
    ) -> Result<Report, TrainError> {
        self.evaluate_with(parameters, inputs, labels, examples, |_, _| {})
    }

    /// The same; shows the number of each example and its output, activation applied.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_with(
        &mut self,
        parameters: &[f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
        mut show: impl FnMut(usize, &[f32]),
    ) -> Result<Report, TrainError> {
        self.evaluate_of(parameters, inputs, labels, (0..examples, examples), &mut show)
    }

    /// The evaluation of some of the examples, of which there are so many in all.
    pub(super) fn evaluate_of(
        &mut self,
        parameters: &[f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        (mut order, examples): (Range<usize>, usize),
        show: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<Report, TrainError> {
        self.check_flushed()?;
        self.check(parameters, inputs, labels, examples)?;
        let mut totals = Totals::default();
        let (fused, (activation, ..)) = (self.is_fused(), self.recipe.ending());
        loop {
            let n = self.load_next(&mut order, inputs);
            if n == 0 {
                return Ok(totals.report());
            }
            let batch = Loaded { memory: self.inputs, n };
            forward(self.recipe, self.size, parameters, batch, &mut self.flow, Context::EVALUATION, fused);
            let (start, units) = self.outputs(n);
            for (example, y) in
                self.order.iter().zip(part_mut(self.flow.values, start, n * units).chunks_exact_mut(units))
            {
                let example = *example as usize;
                let value = self.loss.value(y, labels, example, self.loss_scratch);
                totals.add(value, self.loss.accuracy(y, labels, example));
                if fused {
                    activate::<AnyActivation>(activation, units, y);
                }
                show(example, y);
            }
        }
    }

    /// Where the outputs of the model for `n` examples start, and how many there are for one.
    fn outputs(&self, n: usize) -> (usize, usize) {
        let units = self.recipe.sizes.output.numbers();
        ((self.recipe.sizes.outputs - units) * n, units.max(1))
    }

    /// Brings all rows to where the optimizer's dense form has them after the last step: needed before a
    /// model that was trained by [`step`](Self::step) is used.
    pub fn flush(&mut self, parameters: &mut [f32]) {
        let until = self.progress.step;
        flush(self.recipe, self.optimizer, self.size, until, parameters, self.learning.slots);
        self.lags = false;
    }

    fn is_fused(&self) -> bool {
        self.loss.fused_activation() != ActivationKind::Identity
    }

    fn check_flushed(&self) -> Result<(), TrainError> {
        if self.lags { Err(TrainError::NotFlushed) } else { Ok(()) }
    }

    pub(super) fn check_to_learn(
        &self,
        parameters: &[f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
    ) -> Result<(), TrainError> {
        self.optimizer.check()?;
        self.check(parameters, inputs, labels, examples)?;
        if self.progress.step == 0 && self.recipe.stalls_at_zero() && self.recipe.are_zero(parameters) {
            return Err(TrainError::NotInitialised);
        }
        Ok(())
    }

    fn check(
        &self,
        parameters: &[f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        examples: usize,
    ) -> Result<(), TrainError> {
        ShapeMismatch::check("parameters of the model", self.recipe.sizes.parameters, parameters.len())?;
        ShapeMismatch::check("number of inputs", self.recipe.sizes.inputs, inputs.len())?;
        CapacityExceeded::check("examples", u32::MAX as usize, examples)?;
        if examples == 0 {
            return Err(TrainError::NoExamples);
        }
        self.recipe.check(inputs, examples)?;
        check_bags(inputs, self.size)?;
        let units = self.recipe.sizes.output.numbers();
        self.loss
            .check_labels(labels, examples, units)
            .map_err(|(position, error)| TrainError::Label { position, error })
    }

    pub(super) fn step_on_batch(
        &mut self,
        parameters: &mut [f32],
        inputs: &[Input<'_>],
        labels: &Labels<'_>,
        n: usize,
        totals: &mut Totals,
    ) -> Result<(), TrainError> {
        let (recipe, optimizer, size, fused) = (self.recipe, self.optimizer, self.size, self.is_fused());
        let number = self.progress.step.checked_add(1).ok_or(TrainError::TooManySteps)?;
        self.close_outputs(parameters);
        let batch = Loaded { memory: self.inputs, n };
        catch_up(recipe, optimizer, size, batch, self.progress.step, parameters, &mut self.learning);
        let context = Context { training: true, seed: mix(self.progress.seed, u64::from(number)), layer: 0 };
        forward(recipe, size, parameters, batch, &mut self.flow, context, fused);
        let (start, units) = self.outputs(n);
        let y = part(self.flow.values, start, n * units).chunks_exact(units);
        let d_y = part_mut(self.flow.d_values, start, n * units).chunks_exact_mut(units);
        for ((example, y), d_y) in self.order.iter().zip(y).zip(d_y) {
            let example = *example as usize;
            let value = self.loss.value_and_gradient(y, labels, example, n as f32, d_y, self.loss_scratch);
            totals.add(value, self.loss.accuracy(y, labels, example));
        }
        if !totals.report().loss.is_finite() {
            return Err(TrainError::NotFinite {
                step: number,
                place: self.not_finite(parameters, inputs, n),
            });
        }
        let gradients = &mut *self.learning.gradients;
        backward(recipe, size, parameters, batch, &mut self.flow, gradients, (context, fused));
        let learning = &mut self.learning;
        let mut all = Gradients { learning, d_values: self.flow.d_values, parameters: &mut *parameters, n };
        optimizer.take_step(
            number,
            &mut all,
            |all, keras3_duplicates| squares(recipe, optimizer, size, all, keras3_duplicates),
            |all, taken| step(recipe, optimizer, size, all, taken),
        );
        self.close_outputs(parameters);
        self.progress.step = number;
        self.lags = optimizer.lags();
        Ok(())
    }

    /// Closes the outputs of classes that the data does not have.
    fn close_outputs(&self, parameters: &mut [f32]) {
        if let Some(classes) = self.loss.known_classes() {
            let (start, units) = self.recipe.biases();
            for bias in part_mut(parameters, start, units).iter_mut().skip(classes) {
                *bias = CLOSED_BIAS;
            }
        }
    }

    /// The first number that is not finite, of the last forward pass.
    pub(super) fn not_finite(&self, parameters: &[f32], inputs: &[Input<'_>], n: usize) -> NotFinite {
        let is_finite = |numbers: &[f32]| numbers.iter().all(|x| x.is_finite());
        for place in self.recipe.places() {
            let kind = place.kind_name();
            if let Some(parameter) = place.parameter_not_finite(parameters) {
                return parameter;
            }
            let outputs = place.spec.gives.numbers() * n;
            if !is_finite(part(self.flow.values, place.outputs * n, outputs)) {
                let of_input = self.recipe.input_not_finite(inputs);
                return match of_input {
                    Some(example) => NotFinite::Input { example },
                    None => NotFinite::Output { layer: place.number, kind },
                };
            }
        }
        NotFinite::Loss
    }
}
