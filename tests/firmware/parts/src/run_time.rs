//! The trainings of the other parts by models whose sizes are values: each hash is that of the typed part.
//!
//! Memory comes from arrays, since there is no other on bare metal.

use super::data::Fold;
use super::reviews::{self, LABELS, REVIEWS};
use super::training::initialised;
use nanoembed::image;
use nanoembed::layers::Layer;
use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, Labels};
use nanoembed::models::{self, All, BatchSize, Input, Memory, Model, Recipe, Trainer, Workspace};
use nanoembed::optim::AnyOptimizer;
use nanoembed::table::Aligned;
use nanoembed::zerocopy::IntoBytes;

/// What is learnt from.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a> {
    pub(crate) inputs: &'a [Input<'a>],
    pub(crate) labels: Labels<'a>,
    pub(crate) count: usize,
}

/// How it is learnt from.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) optimizer: &'a dyn AnyOptimizer,
    pub(crate) loss: AnyLoss<'a>,
    pub(crate) batch: usize,
}

/// A recipe with its parameters, and a fold to show what comes of it.
pub(crate) struct Opened<'a> {
    pub(crate) recipe: Recipe<'a, All>,
    pub(crate) parameters: &'a mut [f32],
}

/// Opens the image of a typed model, whatever its type.
pub(crate) fn open<M: Layer>(model: &M, act: &mut dyn FnMut(Opened<'_>)) {
    let mut bytes = Aligned([0; 20_000]);
    let bytes = &mut bytes[..image::size::<M>()];
    image::write(model, bytes).unwrap();
    act_on(bytes, act);
}

fn act_on(bytes: &[u8], act: &mut dyn FnMut(Opened<'_>)) {
    let model = models::open::<All>(bytes).unwrap();
    let mut parameters = [0.0; 4000];
    let parameters = &mut parameters[..model.parameters().len()];
    parameters.copy_from_slice(model.parameters());
    act(Opened { recipe: model.recipe(), parameters });
}

/// A trainer in memory of arrays. What they hold does not matter.
pub(crate) fn with_trainer(
    recipe: Recipe<'_, All>,
    How { optimizer, loss, batch }: How<'_>,
    act: &mut dyn FnMut(&mut Trainer<'_, All>),
) {
    let (mut numbers, mut masks, mut slots) = ([f32::NAN; 16_000], [true; 600], [f32::NAN; 9_000]);
    let size = BatchSize { examples: batch, ids_per_bag: 6 };
    let memory = Memory { numbers: &mut numbers, masks: &mut masks, slots: &mut slots };
    act(&mut Trainer::new(recipe, optimizer, loss, size, memory).unwrap());
}

/// The outputs of all examples.
pub(crate) fn fold_predictions(opened: &Opened<'_>, examples: Examples<'_>, fold: &mut Fold) {
    let (mut numbers, mut masks, mut y) = ([f32::NAN; 12_000], [false; 600], [f32::NAN; 64]);
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut masks };
    let y = &mut y[..examples.count * opened.recipe.output().numbers()];
    let model = Model::new(opened.recipe, opened.parameters).unwrap();
    model.predict(examples.inputs, &mut workspace, y).unwrap();
    fold.floats(y);
}

/// Trains for some epochs; shows the loss of each, the accuracy if it is asked for, and the parameters.
pub(crate) fn train(
    Opened { recipe, parameters }: &mut Opened<'_>,
    how: How<'_>,
    examples: Examples<'_>,
    (epochs, accuracy): (u32, bool),
    fold: &mut Fold,
) {
    let Examples { inputs, labels, count } = examples;
    with_trainer(*recipe, how, &mut |trainer| {
        for _ in 0..epochs {
            let report = trainer.epoch(parameters, inputs, &labels, count).unwrap();
            fold.float(report.loss);
            if accuracy {
                fold.float(report.accuracy);
            }
        }
    });
    fold.bytes(parameters.as_bytes());
}

/// The ids of all reviews, and what they are labelled with.
pub(crate) fn with_reviews(act: &mut dyn FnMut(Examples<'_>)) {
    let ids = REVIEWS.map(|text| reviews::encode(text).map(u32::from));
    let inputs = [Input::Ids(ids.as_flattened())];
    act(Examples { inputs: &inputs, labels: Labels::numbers(LABELS.as_flattened()), count: REVIEWS.len() });
}

/// The part of a typed model that learns the reviews in batches of four, by this optimizer.
pub(crate) fn reviews<M: Layer>(optimizer: &dyn AnyOptimizer) -> u64 {
    reviews_with::<M>(optimizer, BinaryCrossEntropy::default().into())
}

/// The same with any loss.
pub(crate) fn reviews_with<M: Layer>(optimizer: &dyn AnyOptimizer, loss: AnyLoss<'_>) -> u64 {
    let mut fold = Fold::new();
    open(&initialised::<M>(), &mut |mut opened| {
        with_reviews(&mut |examples| {
            learn_reviews(&mut opened, How { optimizer, loss, batch: 4 }, examples, &mut fold);
        });
    });
    fold.hash()
}

fn learn_reviews(opened: &mut Opened<'_>, how: How<'_>, examples: Examples<'_>, fold: &mut Fold) {
    let Examples { inputs, labels, count } = examples;
    let Opened { recipe, parameters } = opened;
    with_trainer(*recipe, how, &mut |trainer| {
        for _ in 0..40 {
            let report = trainer.epoch(parameters, inputs, &labels, count).unwrap();
            fold.floats(&[report.loss, report.accuracy]);
        }
        let report = trainer.evaluate(parameters, inputs, &labels, count).unwrap();
        fold.floats(&[report.loss, report.accuracy]);
    });
    fold.bytes(parameters.as_bytes());
    fold_predictions(opened, examples, fold);
}

/// The training of the example: what it comes to, and what it then says.
pub(crate) fn example() -> u64 {
    let (mut fold, mut predictions) = (Fold::new(), Fold::new());
    let (optimizer, loss) = (reviews::adam(), BinaryCrossEntropy::default().into());
    let how = How { optimizer: &optimizer, loss, batch: reviews::BATCH };
    open(&reviews::Reviews::zeroed(), &mut |mut opened| {
        opened.recipe.init(opened.parameters, &mut reviews::random()).unwrap();
        with_reviews(&mut |examples| {
            train(&mut opened, how, examples, (reviews::EPOCHS as u32, true), &mut fold);
            fold_predictions(&opened, examples, &mut predictions);
        });
    });
    fold.hash() ^ predictions.hash()
}

/// Initial values.
pub(crate) fn init<M: Layer>(fold: &mut Fold) {
    open(&M::zeroed(), &mut |opened| {
        opened.recipe.init(opened.parameters, &mut super::training::random()).unwrap();
        fold.bytes(opened.parameters.as_bytes());
    });
}

/// The checkpoint of the reviews after an epoch and a step, as the typed part has it.
pub(crate) fn checkpoint(optimizer: &dyn AnyOptimizer) -> u64 {
    let mut fold = Fold::new();
    let how = How { optimizer, loss: BinaryCrossEntropy::default().into(), batch: 4 };
    open(&initialised::<reviews::Reviews>(), &mut |Opened { recipe, parameters }| {
        with_reviews(&mut |Examples { inputs, labels, count }| {
            with_trainer(recipe, how, &mut |trainer| {
                trainer.epoch(parameters, inputs, &labels, count).unwrap();
                let Input::Ids(ids) = inputs[0] else { unreachable!("reviews are ids") };
                let first = Labels::numbers(LABELS[..3].as_flattened());
                trainer.step(parameters, &[Input::Ids(&ids[..12])], &first, 3).unwrap();
                let mut bytes = [0; 20_000];
                let bytes = &mut bytes[..trainer.checkpoint_size()];
                trainer.checkpoint(parameters, bytes).unwrap();
                fold.bytes(bytes);
            });
        });
    });
    fold.hash()
}
