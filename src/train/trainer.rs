//! Steps, epochs, evaluation.

use super::history::Totals;
use super::{Report, Shuffle, TrainError};
use crate::error::{InputError, NotFinite, ShapeMismatch};
use crate::layers::{ActivationKind, Batch, BatchMut, Bytes, Context, Layer, Value, outputs_not_finite};
use crate::loss::Loss;
use crate::memory::assert_fits_on_stack;
use crate::optim::{Optimizer, assert_slots_fit};
use crate::random::mix;
use crate::simd::zeros_in;
use crate::slices::{first, first_mut};
use core::mem::MaybeUninit;
use zerocopy::FromZeros;

/// Where training is: with the parameters and slots, all that it depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromZeros)]
pub(crate) struct Progress {
    /// What the order of examples and the random numbers of layers come from.
    pub(crate) seed: u64,
    /// Steps taken.
    pub(crate) step: u32,
    /// Epochs finished.
    pub(crate) epoch: u32,
}

/// All memory that training a model of type `M` takes beside the model, and the ways to use it.
///
/// `BATCH` is the size of a batch. A step is deterministic: its bits depend on the model, the optimizer's
/// state, the examples and the seed, and on no property of the machine.
///
/// ```
/// use nanoembed::{layers::*, loss::BinaryCrossEntropy, optim::Adam, sequential, train::Trainer};
/// use nanoembed::rand_core::SeedableRng;
/// use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
///
/// type Model = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
/// let ids = [[4, 7, 0, 0], [9, 3, 0, 0]];
/// let labels = [[1.0], [0.0]];
///
/// let mut model = Model::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
/// let adam = Adam { learning_rate: 0.05, ..Adam::default() };
/// let mut trainer = Trainer::<Model, _, _, 2>::new(adam, BinaryCrossEntropy::default());
/// for _ in 0..30 {
///     trainer.epoch(&mut model, &ids, &labels)?;
/// }
/// assert_eq!(trainer.evaluate(&model, &ids, &labels)?.accuracy, 1.0);
/// assert!(model.predict(&ids[0])?[0] > 0.5);
/// # Ok::<(), nanoembed::train::TrainError>(())
/// ```
///
/// Batches of 0 examples are a compile error, as are a loss and a last activation that do not fit: another
/// one, or none where the loss is fused with one, since the model would then predict logits for probabilities
/// ([`FromLogits`](crate::loss::FromLogits)).
///
/// ```compile_fail
/// use nanoembed::{layers::*, loss::BinaryCrossEntropy, optim::Sgd, train::Trainer};
/// let _ = Trainer::<Dense<2, 1, Sigmoid>, _, _, 0>::new(Sgd::default(), BinaryCrossEntropy::default());
/// ```
///
/// ```compile_fail
/// use nanoembed::{layers::*, loss::BinaryCrossEntropy, optim::Sgd, train::Trainer};
/// let _ = Trainer::<Dense<2, 1, Tanh>, _, _, 1>::new(Sgd::default(), BinaryCrossEntropy::default());
/// ```
#[derive(FromZeros)]
pub struct Trainer<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> {
    pub(super) optimizer: O,
    loss: L,
    in_order: bool,
    /// Whether rows may wait for steps of an exact optimizer.
    pub(super) lags: bool,
    pub(super) progress: Progress,
    pub(super) memory: Memory<M, O, L, BATCH>,
}

/// The arrays of a [`Trainer`].
#[derive(FromZeros)]
pub(super) struct Memory<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> {
    pub(super) slots: M::Slots<O>,
    gradient: M::Gradient<BATCH>,
    cache: M::Cache<BATCH>,
    inputs: [M::Input; BATCH],
    labels: [L::Label; BATCH],
}

impl<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> Memory<M, O, L, BATCH> {
    /// Copies up to `BATCH` examples to where a step learns from; gives how many there were.
    fn load<'a>(&mut self, examples: impl Iterator<Item = (&'a M::Input, &'a L::Label)>) -> usize
    where
        M::Input: 'a,
        L::Label: 'a,
    {
        let mut n = 0;
        for ((input, label), (x, t)) in self.inputs.iter_mut().zip(&mut self.labels).zip(examples) {
            (*input, *label) = (*x, *t);
            n += 1;
        }
        n
    }

    /// Copies up to `BATCH` inputs to where a pass may overwrite them.
    fn load_inputs(&mut self, inputs: &[M::Input]) {
        for (input, x) in self.inputs.iter_mut().zip(inputs) {
            *input = *x;
        }
    }
}

impl<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> Trainer<M, O, L, BATCH> {
    /// That the sizes are right and the loss fits the model's last activation.
    const CHECK: () = {
        assert!(BATCH > 0, "Trainer: BATCH must be at least 1");
        assert_slots_fit::<O>();
        // The assertions of a layer's sizes stand in its fingerprint.
        let _: u64 = M::FINGERPRINT.value();
        assert!(
            M::ACTIVATION.is_among(L::ACTIVATIONS) && M::LAST_ACTIVATION.is_among(L::ACTIVATIONS),
            "Trainer: the loss does not fit the model's last activation: end the model with the loss's activation (Sigmoid for \
            BinaryCrossEntropy, Softmax for the categorical ones), or put FromLogits around the loss of a model that gives logits"
        );
    };

    /// `BATCH`, which is not 0.
    const CHUNK: usize = if BATCH > 0 { BATCH } else { 1 };

    /// A trainer that has taken no step.
    ///
    /// It is as large as its arrays. One of more than [256 KiB](crate::memory) does not compile: use
    /// `boxed` (feature `alloc`).
    // Inlined, and the memory made where it stands: else its zeros are made on the stack and copied.
    #[inline(always)]
    pub fn new(optimizer: O, loss: L) -> Self {
        const {
            assert_fits_on_stack::<Self>("a trainer", "`Trainer::boxed` (feature `alloc`)");
        };
        const { Self::CHECK };
        let progress = Progress::default();
        Self { optimizer, loss, in_order: false, lags: false, progress, memory: Memory::new_zeroed() }
    }

    /// The same as [`new`](Self::new) in memory that is there, such as a `static`, of any size and without
    /// passing over the stack.
    ///
    /// ```
    /// use core::mem::MaybeUninit;
    /// use nanoembed::{layers::*, loss::MeanSquaredError, optim::Sgd, train::Trainer};
    /// use std::sync::Mutex;
    /// type Line = Dense<1, 1>;
    /// type LineTrainer = Trainer<Line, Sgd, MeanSquaredError, 2>;
    /// static MODEL: Mutex<Line> = Mutex::new(Line::ZEROED);
    /// // Without a value: with the optimizer's numbers all of it would lie in flash too.
    /// static TRAINER: Mutex<MaybeUninit<LineTrainer>> = Mutex::new(MaybeUninit::uninit());
    ///
    /// let (mut model, mut place) = (MODEL.lock()?, TRAINER.lock()?);
    /// let trainer = Trainer::new_in(&mut place, Sgd { learning_rate: 0.1 }, MeanSquaredError);
    /// for _ in 0..200 {
    ///     trainer.step(&mut model, &[[1.0], [2.0]], &[[3.0], [5.0]])?;
    /// }
    /// assert!((model.predict(&[3.0])?[0] - 7.0).abs() < 0.01);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new_in(place: &mut MaybeUninit<Self>, optimizer: O, loss: L) -> &mut Self
    where
        Self: FromZeros,
    {
        const { Self::CHECK };
        let trainer = zeros_in(place);
        trainer.optimizer = optimizer;
        trainer.loss = loss;
        trainer
    }

    /// Draws the order of examples, and what layers draw in training, from this seed instead of 0.
    pub fn set_seed(&mut self, seed: u64) {
        self.progress.seed = seed;
    }

    /// Whether the examples of an epoch are taken in a random order (the default) or as they are given:
    /// Keras' `shuffle`.
    pub fn set_shuffle(&mut self, shuffle: bool) {
        self.in_order = !shuffle;
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u32 {
        self.progress.step
    }

    /// Epochs finished so far.
    pub fn epochs(&self) -> u32 {
        self.progress.epoch
    }

    /// Learns from all examples once, in batches of `BATCH` in an order of its own; the last batch may be
    /// shorter.
    ///
    /// # Errors
    /// If there are no examples, an input, a label or a hyperparameter cannot be used, or the model is all
    /// zero, before anything is learnt; or at the first batch whose loss is not finite.
    pub fn epoch(
        &mut self,
        model: &mut M,
        inputs: &[M::Input],
        labels: &[L::Label],
    ) -> Result<Report, TrainError> {
        self.epoch_with(model, inputs, labels, |_| {})
    }

    /// The same, and calls `after_step` with the report of the epoch so far: to show progress.
    ///
    /// # Errors
    /// As [`epoch`](Self::epoch). An epoch that ends with an error is not counted: the next one has the same
    /// order.
    pub fn epoch_with(
        &mut self,
        model: &mut M,
        inputs: &[M::Input],
        labels: &[L::Label],
        mut after_step: impl FnMut(Report),
    ) -> Result<Report, TrainError> {
        self.check_to_learn(model, inputs, labels)?;
        let result = self.steps_of_epoch(model, inputs, labels, &mut after_step);
        self.flush(model);
        let report = result?;
        self.progress.epoch = self.progress.epoch.saturating_add(1);
        Ok(report)
    }

    /// The steps of one epoch.
    fn steps_of_epoch(
        &mut self,
        model: &mut M,
        inputs: &[M::Input],
        labels: &[L::Label],
        after_step: &mut dyn FnMut(Report),
    ) -> Result<Report, TrainError> {
        let mut shuffled =
            Shuffle::new(inputs.len(), mix(self.progress.seed, u64::from(self.progress.epoch)));
        let mut in_order = 0..inputs.len();
        let mut totals = Totals::default();
        loop {
            let order: &mut dyn Iterator<Item = usize> =
                if self.in_order { &mut in_order } else { &mut shuffled };
            let examples =
                order.take(BATCH).filter_map(|place| Some((inputs.get(place)?, labels.get(place)?)));
            let n = self.memory.load(examples);
            if n == 0 {
                return Ok(totals.report());
            }
            self.step_on_batch(model, n, &mut totals)
                .map_err(|error| with_place_of_input::<M>(error, inputs))?;
            after_step(totals.report());
        }
    }

    /// Learns from these examples, at most `BATCH`, in one step.
    ///
    /// With an exact optimizer, [`flush`](Self::flush) before the model is used for anything but further
    /// steps: the trainer refuses to evaluate it and to predict with it, but the model's own `predict`, an
    /// image of it and weights written from it cannot know.
    ///
    /// # Errors
    /// If there are no examples or too many, an input, a label or a hyperparameter cannot be used, the model
    /// is all zero, or the loss is not finite: nothing has been learnt.
    pub fn step(
        &mut self,
        model: &mut M,
        inputs: &[M::Input],
        labels: &[L::Label],
    ) -> Result<Report, TrainError> {
        self.check_to_learn(model, inputs, labels)?;
        InputError::check_batch(inputs.len(), BATCH, labels.len())?;
        let n = self.memory.load(inputs.iter().zip(labels));
        let mut totals = Totals::default();
        self.step_on_batch(model, n, &mut totals).map_err(|error| with_place_of_input::<M>(error, inputs))?;
        Ok(totals.report())
    }

    /// Loss and accuracy of these examples; learns nothing. What acts in training alone does not act:
    /// dropout, [`ClassWeights`](crate::loss::ClassWeights).
    ///
    /// # Errors
    /// If there are no examples, or an input, a label or a number of the loss cannot be used; after
    /// [`step`](Self::step) with an exact optimizer until [`flush`](Self::flush).
    pub fn evaluate(
        &mut self,
        model: &M,
        inputs: &[M::Input],
        labels: &[L::Label],
    ) -> Result<Report, TrainError> {
        self.evaluate_with(model, inputs, labels, |_, _| {})
    }

    /// The same, and shows each output, activation applied, beside its label: to [`metrics`](crate::metrics).
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), before anything is shown.
    pub fn evaluate_with(
        &mut self,
        model: &M,
        inputs: &[M::Input],
        labels: &[L::Label],
        mut show: impl FnMut(&M::Output, &L::Label),
    ) -> Result<Report, TrainError> {
        self.check_flushed()?;
        self.check(inputs, labels)?;
        let mut totals = Totals::default();
        for (inputs, labels) in inputs.chunks(Self::CHUNK).zip(labels.chunks(Self::CHUNK)) {
            self.memory.load_inputs(inputs);
            let Memory { cache, inputs, .. } = &mut self.memory;
            let mut masks = [const { <M::Input as Value>::VALID }; BATCH];
            let mut x = all_valid::<M, BATCH>(inputs, &mut masks, labels.len());
            forward::<M, L, BATCH>(model, x.reborrow(), cache, Context::EVALUATION);
            add_losses::<M, L, BATCH>(&self.loss, labels, x.reborrow(), cache, &mut totals);
            let y = M::outputs::<BATCH>(x, cache).values;
            if is_fused::<M, L>() {
                M::activate(y);
            }
            y.iter().zip(labels).for_each(|(y, label)| show(y, label));
        }
        Ok(totals.report())
    }

    /// The model's outputs, activation applied, in batches of `BATCH`: Keras' `predict`.
    ///
    /// # Errors
    /// If an input cannot be used, or there are not as many outputs as inputs; after [`step`](Self::step)
    /// with an exact optimizer until [`flush`](Self::flush). Nothing has been written then.
    pub fn predict(
        &mut self,
        model: &M,
        inputs: &[M::Input],
        outputs: &mut [M::Output],
    ) -> Result<(), TrainError> {
        self.check_flushed()?;
        M::check(inputs)?;
        ShapeMismatch::check("number of outputs", inputs.len(), outputs.len())?;
        for (inputs, outputs) in inputs.chunks(Self::CHUNK).zip(outputs.chunks_mut(Self::CHUNK)) {
            self.memory.load_inputs(inputs);
            let Memory { cache, inputs, .. } = &mut self.memory;
            let mut masks = [const { <M::Input as Value>::VALID }; BATCH];
            let mut x = all_valid::<M, BATCH>(inputs, &mut masks, outputs.len());
            model.forward::<BATCH>(x.reborrow(), cache, Context::EVALUATION);
            for (output, y) in outputs.iter_mut().zip(M::outputs::<BATCH>(x, cache).values) {
                *output = *y;
            }
        }
        Ok(())
    }

    /// Brings every row to where the optimizer's dense form has it: the one call that visits all rows.
    ///
    /// [`epoch`](Self::epoch) and [`resume`](Self::resume) end with it. Lazy optimizers have nothing to do.
    pub fn flush(&mut self, model: &mut M) {
        model.flush(&self.optimizer, self.progress.step, &mut self.memory.slots);
        self.lags = false;
    }

    /// Whether the model is what it has learnt.
    pub(super) fn check_flushed(&self) -> Result<(), TrainError> {
        if self.lags { Err(TrainError::NotFlushed) } else { Ok(()) }
    }

    /// Whether these examples, with this model, optimizer and loss, can be learnt from.
    pub(super) fn check_to_learn(
        &self,
        model: &M,
        inputs: &[M::Input],
        labels: &[L::Label],
    ) -> Result<(), TrainError> {
        self.optimizer.check()?;
        self.check(inputs, labels)?;
        if M::STALLS_AT_ZERO && self.progress.step == 0 && is_zero(model) {
            return Err(TrainError::NotInitialised);
        }
        Ok(())
    }

    fn check(&self, inputs: &[M::Input], labels: &[L::Label]) -> Result<(), TrainError> {
        self.loss.check()?;
        ShapeMismatch::check("number of labels", inputs.len(), labels.len())?;
        if inputs.is_empty() {
            return Err(TrainError::NoExamples);
        }
        M::check(inputs)?;
        labels.iter().enumerate().try_for_each(|(position, label)| {
            self.loss.check_label(label).map_err(|error| TrainError::Label { position, error })
        })
    }

    /// One step on the first `n` examples in memory, of which there is one at least.
    fn step_on_batch(&mut self, model: &mut M, n: usize, totals: &mut Totals) -> Result<(), TrainError> {
        let Memory { slots, gradient, cache, inputs, labels } = &mut self.memory;
        let step = self.progress.step.checked_add(1).ok_or(TrainError::TooManySteps)?;
        let mut masks = [const { <M::Input as Value>::VALID }; BATCH];
        let mut x = all_valid::<M, BATCH>(inputs, &mut masks, n);
        let labels = first(labels, n);
        self.loss.prepare(model);
        model.catch_up(x.values, &self.optimizer, self.progress.step, slots);
        let context = Context { training: true, seed: mix(self.progress.seed, u64::from(step)), layer: 0 };
        forward::<M, L, BATCH>(model, x.reborrow(), cache, context);
        let x = Batch::from(x);
        learn_losses::<M, L, BATCH>(&self.loss, labels, x, cache, gradient, totals);
        if !totals.report().loss.is_finite() {
            return Err(TrainError::NotFinite { step, place: not_finite::<M, BATCH>(model, x, cache) });
        }
        if is_fused::<M, L>() {
            model.backward_logits::<BATCH>(x, cache, Some(gradient), None);
        } else {
            model.backward::<BATCH>(x, cache, Some(gradient), None);
        }
        let all = self.optimizer.with_all_gradients(self.optimizer.step(step), |keras3| {
            M::sum_of_squares::<BATCH>(gradient, keras3, 0.0)
        });
        model.step::<O, BATCH>(&self.optimizer, all, gradient, slots);
        self.loss.prepare(model);
        self.progress.step = step;
        self.lags = O::LAGS;
        Ok(())
    }
}

#[cfg(feature = "alloc")]
impl<M, O, L, const BATCH: usize> Trainer<M, O, L, BATCH>
where
    M: Layer,
    O: Optimizer,
    L: Loss<M::Output>,
    Self: FromZeros,
{
    /// The same as [`new`](Self::new) on the heap, without passing over the stack.
    pub fn boxed(optimizer: O, loss: L) -> alloc::boxed::Box<Self> {
        const { Self::CHECK };
        let mut trainer = crate::memory::boxed::<Self>();
        trainer.optimizer = optimizer;
        trainer.loss = loss;
        trainer
    }
}

/// The first `n` inputs, none of them masked.
fn all_valid<'a, M: Layer, const BATCH: usize>(
    inputs: &'a mut [M::Input; BATCH],
    masks: &'a mut [<M::Input as Value>::Mask; BATCH],
    n: usize,
) -> BatchMut<'a, M::Input> {
    BatchMut { values: first_mut(inputs, n), masks: first_mut(masks, n) }
}

/// The outputs, as the loss takes them.
fn forward<M: Layer, L: Loss<M::Output>, const BATCH: usize>(
    model: &M,
    x: BatchMut<'_, M::Input>,
    cache: &mut M::Cache<BATCH>,
    context: Context,
) {
    if is_fused::<M, L>() {
        model.forward_logits::<BATCH>(x, cache, context);
    } else {
        model.forward::<BATCH>(x, cache, context);
    }
}

/// Whether all parameters are 0: as numbers, beside which a model may say which rows are frozen, or else as
/// bytes.
fn is_zero<M: Bytes>(model: &M) -> bool {
    let mut zero = true;
    if M::IN_ARRAYS {
        model.arrays("parameters", &mut |_, numbers| zero &= are_zero(numbers));
    } else {
        model.visit(&mut |part| zero = zero && part.iter().all(|byte| *byte == 0));
    }
    zero
}

/// Whether all these numbers are 0.
// Once, not beside each array of each layer.
#[inline(never)]
fn are_zero(numbers: &[f32]) -> bool {
    numbers.iter().all(|x| *x == 0.0)
}

/// The error, with the place of an input that is not finite, if there is one.
fn with_place_of_input<M: Layer>(error: TrainError, inputs: &[M::Input]) -> TrainError {
    match (error, inputs.iter().position(|x| !x.is_finite())) {
        (
            TrainError::NotFinite { step, place: NotFinite::Output { .. } | NotFinite::Loss },
            Some(example),
        ) => TrainError::NotFinite { step, place: NotFinite::Input { example } },
        _ => error,
    }
}

/// Where the first number of the last forward pass is that is not finite.
fn not_finite<M: Layer, const BATCH: usize>(
    model: &M,
    x: Batch<'_, M::Input>,
    cache: &mut M::Cache<BATCH>,
) -> NotFinite {
    if let Some(place) = model.not_finite::<BATCH>(x, cache) {
        return place;
    }
    match outputs_not_finite::<M>(M::flows::<BATCH>(x, cache, None, None).0.values) {
        Some(place) => place,
        None => NotFinite::Loss,
    }
}

/// Whether the loss takes logits, from before the model's last activation.
const fn is_fused<M: Layer, L: Loss<M::Output>>() -> bool {
    !matches!(L::FUSED_ACTIVATION, ActivationKind::Identity)
}

/// Adds the losses and accuracies of the outputs of these labels to `totals`.
fn add_losses<M: Layer, L: Loss<M::Output>, const BATCH: usize>(
    loss: &L,
    labels: &[L::Label],
    x: BatchMut<'_, M::Input>,
    cache: &mut M::Cache<BATCH>,
    totals: &mut Totals,
) {
    let mut scratch = M::Output::new_zeroed();
    for (y, label) in M::outputs::<BATCH>(x, cache).values.iter().zip(labels) {
        totals.add(loss.value(y, label, &mut scratch), loss.accuracy(y, label));
    }
}

/// The same, and writes the gradient of their mean loss with respect to what the loss takes.
fn learn_losses<M: Layer, L: Loss<M::Output>, const BATCH: usize>(
    loss: &L,
    labels: &[L::Label],
    x: Batch<'_, M::Input>,
    cache: &mut M::Cache<BATCH>,
    gradient: &mut M::Gradient<BATCH>,
    totals: &mut Totals,
) {
    let n = labels.len() as f32;
    let (y, d_y) = M::flows::<BATCH>(x, cache, Some(gradient), None);
    let mut d_y = d_y.into_iter().flatten();
    for (y, label) in y.values.iter().zip(labels) {
        // No one needs the gradient of a model without parameters.
        let mut nowhere = M::Output::new_zeroed();
        let d_y = match d_y.next() {
            Some(d_y) => d_y,
            None => &mut nowhere,
        };
        totals.add(loss.value_and_gradient(y, label, n, d_y), loss.accuracy(y, label));
    }
}
