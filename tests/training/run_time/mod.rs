//! Models whose sizes are values learn with the bits of the typed ones: reports, parameters, checkpoints.

mod bags;
mod errors;
mod kinds;
mod losses;
mod optimizers;
mod plain;
mod random;
mod short_lists;

use crate::common::run_time::{Column, Given, GivenLabel, Slices, records_of, words_of};
use crate::common::{Random, bits, checkpoint_of};
use nanoembed::layers::Layer;
use nanoembed::loss::{AnyLoss, Loss};
use nanoembed::models::{All, BatchSize, Input, Memory, Model, Recipe, Trainer, Workspace};
use nanoembed::optim::{AnyOptimizer, Optimizer};
use nanoembed::train;
use rand_core::SeedableRng;
use zerocopy::{Immutable, IntoBytes};

/// Examples that are learnt from: not a multiple of any batch here.
const EXAMPLES: usize = 7;

/// Ids of a bag, at most.
const BAG: usize = 9;

/// Memory of a trainer at run time, of exactly the length that it asks for. What it holds must not matter.
struct Owned {
    numbers: Vec<f32>,
    masks: Vec<bool>,
    slots: Vec<f32>,
}

impl Owned {
    fn new(
        recipe: Recipe<'_, All>,
        optimizer: &dyn AnyOptimizer,
        loss: AnyLoss<'_>,
        size: BatchSize,
    ) -> Self {
        let lengths = Trainer::lengths(recipe, optimizer, loss, size).expect("a small model");
        Self {
            numbers: vec![f32::NAN; lengths.numbers],
            masks: vec![true; lengths.masks],
            slots: vec![f32::NAN; lengths.slots],
        }
    }

    fn memory(&mut self) -> Memory<'_> {
        let Self { numbers, masks, slots } = self;
        Memory { numbers, masks, slots }
    }
}

/// Both ways of training one model, on the same examples.
struct Both<'t, M: Layer, O, L: Loss<M::Output>, const BATCH: usize>
where
    O: Optimizer,
{
    model: Box<M>,
    typed: train::Trainer<M, O, L, BATCH>,
    parameters: Vec<f32>,
    trainer: Trainer<'t, All>,
    x: &'t [M::Input],
    inputs: &'t [Input<'t>],
    labels: &'t [L::Label],
    slices: &'t Slices,
}

impl<M, O, L, const BATCH: usize> Both<'_, M, O, L, BATCH>
where
    M: Layer,
    M::Input: Given,
    M::Output: IntoBytes + Immutable,
    O: Optimizer,
    L: Loss<M::Output>,
    L::Label: GivenLabel,
{
    fn set_seed(&mut self, seed: u64) {
        self.typed.set_seed(seed);
        self.trainer.set_seed(seed);
    }

    fn epoch(&mut self) {
        let expected = self.typed.epoch(&mut self.model, self.x, self.labels);
        let found =
            self.trainer.epoch(&mut self.parameters, self.inputs, &self.slices.labels(), self.x.len());
        assert_eq!(found, expected);
        assert!(found.is_ok());
        self.compare();
    }

    /// One step on the first examples, after which rows may wait to be brought up to date.
    fn step(&mut self, examples: usize) {
        let (x, labels) = (&self.x[..examples], &self.labels[..examples]);
        let expected = self.typed.step(&mut self.model, x, labels);
        let (columns, slices) = (M::Input::columns(x), Slices::of(labels));
        let inputs: Vec<_> = columns.iter().map(Column::input).collect();
        let found = self.trainer.step(&mut self.parameters, &inputs, &slices.labels(), examples);
        assert_eq!(found, expected);
        assert!(found.is_ok());
        self.compare();
    }

    fn flush(&mut self) {
        self.typed.flush(&mut self.model);
        self.trainer.flush(&mut self.parameters);
        self.compare();
    }

    /// What the model gives of each example, and what it comes to.
    fn evaluate(&mut self) {
        let (mut expected, mut found): (Vec<u8>, Vec<u8>) = (vec![], vec![]);
        let reports = [
            self.typed.evaluate_with(&self.model, self.x, self.labels, |y, _| expected.extend(y.as_bytes())),
            self.trainer.evaluate_with(
                &self.parameters,
                self.inputs,
                &self.slices.labels(),
                self.x.len(),
                |example, y| {
                    assert_eq!(example * size_of::<M::Output>(), found.len());
                    found.extend(y.as_bytes());
                },
            ),
        ];
        assert_eq!(reports[1], reports[0]);
        assert!(reports[0].is_ok());
        assert_eq!(found, expected);
    }

    /// That all of both is equal.
    fn compare(&self) {
        assert_eq!(bits(&self.parameters), bits(&words_of(&*self.model)));
        assert_eq!((self.trainer.steps(), self.trainer.epochs()), (self.typed.steps(), self.typed.epochs()));
        assert!(self.checkpoint() == checkpoint_of(&self.typed, &*self.model), "the same checkpoint");
    }

    fn checkpoint(&self) -> Vec<u8> {
        let mut bytes = vec![7; self.trainer.checkpoint_size()];
        self.trainer.checkpoint(&self.parameters, &mut bytes).expect("the right length");
        bytes
    }
}

/// Trains both ways, from the same parameters on the same examples, and compares all that there is to see.
fn learns<M, O, L, const BATCH: usize>(optimizer: O, loss: L, any: AnyLoss<'_>, prepare: impl Fn(&mut M))
where
    M: Layer,
    M::Input: Given,
    M::Output: IntoBytes + Immutable,
    O: Optimizer + Copy,
    L: Loss<M::Output> + Copy,
    L::Label: GivenLabel,
{
    let random = &mut Random::seed_from_u64(M::FINGERPRINT.value());
    let mut model = M::boxed(&mut random.clone());
    let records = records_of(&*model);
    let recipe = Recipe::<All>::new(&records).expect("layers that fit");
    assert_eq!(recipe.fingerprint(), M::FINGERPRINT);
    let mut initial = vec![0.0; recipe.parameters()];
    recipe.init(&mut initial, random).expect("as many as the recipe says");
    assert_eq!(bits(&initial), bits(&words_of(&*model)), "initial values");
    prepare(&mut model);
    let x: Vec<M::Input> = (0..EXAMPLES).map(|_| M::Input::draw(random)).collect();
    let units = recipe.output().numbers();
    let classes = any.known_classes().unwrap_or(units);
    let labels: Vec<L::Label> = (0..EXAMPLES).map(|_| L::Label::draw(random, classes)).collect();
    let (columns, slices) = (M::Input::columns(&x), Slices::of(&labels));
    let inputs: Vec<_> = columns.iter().map(Column::input).collect();

    let (size, by_value) = (BatchSize { examples: BATCH, ids_per_bag: BAG }, &optimizer as &dyn AnyOptimizer);
    let mut memory = Owned::new(recipe, by_value, any, size);
    let mut both = Both {
        parameters: words_of(&*model),
        model,
        typed: train::Trainer::<M, O, L, BATCH>::new(optimizer, loss),
        trainer: Trainer::new(recipe, by_value, any, size, memory.memory()).expect("a loss that fits"),
        x: &x,
        inputs: &inputs,
        labels: &labels,
        slices: &slices,
    };
    both.compare();
    for seed in [3, 4] {
        both.set_seed(seed);
        both.epoch();
        both.epoch();
        both.evaluate();
    }
    both.step(BATCH);
    both.step(1);
    let stored = both.checkpoint();
    both.flush();
    both.evaluate();

    // What was stored between two steps goes on in a trainer that is new, with the bits of the typed one.
    let mut other = Owned::new(recipe, by_value, any, size);
    both.trainer = Trainer::new(recipe, by_value, any, size, other.memory()).expect("a loss that fits");
    both.parameters.fill(0.5);
    both.trainer.resume(&mut both.parameters, &stored).expect("the trainer's own checkpoint");
    both.typed.resume(&mut both.model, &stored).expect("the same bytes");
    both.compare();
    both.epoch();

    let lengths = recipe.workspace(x.len()).expect("a small model");
    let (mut numbers, mut masks) = (vec![f32::NAN; lengths.numbers], vec![false; lengths.masks]);
    let mut y = vec![f32::NAN; x.len() * units];
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
    let at_run_time = Model::new(recipe, &both.parameters).expect("all parameters");
    at_run_time.predict(&inputs, &mut workspace, &mut y).expect("good inputs");
    for (x, y) in x.iter().zip(y.chunks(units)) {
        assert_eq!(both.model.predict(x).expect("good inputs").as_bytes(), y.as_bytes());
    }
}
