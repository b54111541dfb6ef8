//! Initial values, losses, the order of examples, images, checkpoints, whole trainings.

use super::data::{Data, Fold};
use super::optimizers::ADAM;
use super::reviews::{self, LABELS, REVIEWS, Reviews};
use super::run_time::{self, Examples, How};
use core::mem::MaybeUninit;
use nanoembed::image;
use nanoembed::internals::{glorot_uniform, uniform};
use nanoembed::layers::options::{GoBackwards, MaskZero, Multiplied, ReturnSequences, Sum};
use nanoembed::layers::{
    Bag, Dense, Embedding, EmbeddingBag, Flatten, Frozen, FrozenRows, HashedEmbedding, Layer, Lstm,
    QuotientRemainder, Relu, Sigmoid, Softmax, Tanh,
};
use nanoembed::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, FromLogits, Labels, Loss, MeanAbsoluteError,
    MeanSquaredError, OnProbabilities, SparseCategoricalCrossEntropy,
};
use nanoembed::models::Input;
use nanoembed::optim::{Adam, AdamW, Clip, Clipped, Exact, Momentum, Optimizer, RowwiseAdagrad, Series, Sgd};
use nanoembed::sequential;
use nanoembed::text::HashingTokenizer;
use nanoembed::train::{Shuffle, Trainer};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

pub(crate) const PARTS: &[super::Part] = &[
    ("init uniform", || initial(|values, random| uniform(values, 0.05, random))),
    ("init glorot_uniform", || initial(|values, random| glorot_uniform(values, 32, 17, random))),
    ("loss binary", || {
        let label_smoothing = 0.1;
        binary::<1>(BinaryCrossEntropy::default()) ^ binary::<17>(BinaryCrossEntropy { label_smoothing })
    }),
    ("loss categorical", || {
        let label_smoothing = 0.1;
        categorical::<3>(CategoricalCrossEntropy::default())
            ^ categorical::<33>(CategoricalCrossEntropy { label_smoothing })
    }),
    ("loss sparse categorical", || {
        sparse::<3>(SparseCategoricalCrossEntropy) ^ sparse::<33>(SparseCategoricalCrossEntropy)
    }),
    ("loss on probabilities, binary", || binary::<17>(OnProbabilities(BinaryCrossEntropy::default()))),
    ("loss on probabilities, categorical", || {
        categorical::<33>(OnProbabilities(CategoricalCrossEntropy::default()))
    }),
    ("loss on probabilities, sparse", || sparse::<33>(OnProbabilities(SparseCategoricalCrossEntropy))),
    ("loss squared", || binary::<1>(MeanSquaredError) ^ binary::<17>(MeanSquaredError)),
    ("loss absolute", || binary::<1>(MeanAbsoluteError) ^ binary::<17>(MeanAbsoluteError)),
    ("shuffle", shuffle),
    ("init models", || {
        let mut fold = Fold::new();
        fold_parameters(&initialised::<Reviews>(), &mut fold);
        fold_parameters(&initialised::<Deep>(), &mut fold);
        fold_parameters(&initialised::<Bags>(), &mut fold);
        fold.hash()
    }),
    ("format image", model_image),
    ("format checkpoint", checkpoint),
    ("train reviews", || {
        let (mut model, mut place) = (Reviews::zeroed(), MaybeUninit::uninit());
        reviews::train(&mut model, reviews::trainer_in(&mut place)).unwrap()
            ^ reviews::predictions(&model).unwrap()
    }),
    ("train reviews, adam", || train_reviews::<Reviews, _>(ADAM)),
    ("train reviews, adam exact", || train_reviews::<Reviews, Exact<Adam>>(Exact(ADAM))),
    ("train reviews, adam series", || train_reviews::<Reviews, Series<Adam>>(Series(ADAM))),
    ("train reviews, momentum", || train_reviews::<Reviews, _>(Momentum::default())),
    ("train reviews, momentum exact", || {
        train_reviews::<Reviews, Exact<Momentum>>(Exact(Momentum { nesterov: true, ..Momentum::default() }))
    }),
    ("train reviews, adamw exact, clipped by global norm", || {
        let optimizer = AdamW { optimizer: ADAM, weight_decay: 0.05 };
        let clip = Clip::GlobalNorm(0.1);
        train_reviews::<Reviews, _>(Exact(Clipped { optimizer, clip, keras3_duplicates: false }))
    }),
    ("train reviews, rowwise_adagrad", || train_reviews::<Reviews, _>(RowwiseAdagrad::default())),
    ("train reviews, deep and masked", || {
        let adam = Adam { keras3_duplicates: true, ..ADAM };
        train_with::<Deep, _, _>(adam, FromLogits(BinaryCrossEntropy::default()))
    }),
    ("train reviews, frozen rows", || train_reviews::<Tuned, _>(Sgd { learning_rate: 0.5 })),
    ("train reviews, some rows frozen", train_partly_frozen),
    ("train reviews, recurrent", || train_reviews::<Recurrent, Exact<Adam>>(Exact(ADAM))),
    ("train bags, softmax", train_bags),
    ("train reviews, hashed rows", || train_reviews::<Hashed, Exact<Adam>>(Exact(ADAM))),
    ("train reviews, quotient and remainder", || train_reviews::<Divided, _>(ADAM)),
    ("run-time init models", || {
        let mut fold = Fold::new();
        run_time::init::<Reviews>(&mut fold);
        run_time::init::<Deep>(&mut fold);
        run_time::init::<Bags>(&mut fold);
        fold.hash()
    }),
    ("run-time format checkpoint", || run_time::checkpoint(&Exact(ADAM))),
    ("run-time train reviews", run_time::example),
    ("run-time train reviews, adam", || run_time::reviews::<Reviews>(&ADAM)),
    ("run-time train reviews, adam exact", || run_time::reviews::<Reviews>(&Exact(ADAM))),
    ("run-time train reviews, adam series", || run_time::reviews::<Reviews>(&Series(ADAM))),
    ("run-time train reviews, momentum", || run_time::reviews::<Reviews>(&Momentum::default())),
    ("run-time train reviews, momentum exact", || {
        run_time::reviews::<Reviews>(&Exact(Momentum { nesterov: true, ..Momentum::default() }))
    }),
    ("run-time train reviews, adamw exact, clipped by global norm", || {
        let optimizer = AdamW { optimizer: ADAM, weight_decay: 0.05 };
        let clip = Clip::GlobalNorm(0.1);
        run_time::reviews::<Reviews>(&Exact(Clipped { optimizer, clip, keras3_duplicates: false }))
    }),
    ("run-time train reviews, rowwise_adagrad", || run_time::reviews::<Reviews>(&RowwiseAdagrad::default())),
    ("run-time train reviews, deep and masked", || {
        let adam = Adam { keras3_duplicates: true, ..ADAM };
        run_time::reviews_with::<Deep>(&adam, FromLogits(BinaryCrossEntropy::default()).into())
    }),
    ("run-time train reviews, frozen rows", || run_time::reviews::<Tuned>(&Sgd { learning_rate: 0.5 })),
    ("run-time train reviews, some rows frozen", train_partly_frozen_at_run_time),
    ("run-time train reviews, recurrent", || run_time::reviews::<Recurrent>(&Exact(ADAM))),
    ("run-time train bags, softmax", train_bags_at_run_time),
    ("run-time train reviews, hashed rows", || run_time::reviews::<Hashed>(&Exact(ADAM))),
    ("run-time train reviews, quotient and remainder", || run_time::reviews::<Divided>(&ADAM)),
];

type Deep = sequential![
    Embedding<4, 50, 3, u16, MaskZero>,
    Flatten<4, 3, 12>,
    Dense<12, 17, Relu>,
    Dense<17, 5, Tanh>,
    Dense<5, 1>
];
type Tuned = sequential![Frozen<Embedding<4, 50, 8>>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
type PartlyFrozen = sequential![FrozenRows<Embedding<4, 50, 8>, 2>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
type Hashed = sequential![HashedEmbedding<4, 20, 17, 12, u16>, Flatten<4, 17, 68>, Dense<68, 1, Sigmoid>];
type Divided =
    sequential![QuotientRemainder<4, 7, 8, 9, Multiplied, u16>, Flatten<4, 9, 36>, Dense<36, 1, Sigmoid>];
type Recurrent = sequential![
    Embedding<4, 50, 3, u16, MaskZero>,
    Lstm<4, 3, 5, ReturnSequences, GoBackwards>,
    Lstm<4, 5, 3>,
    Dense<3, 1, Sigmoid>
];
type Bags = sequential![EmbeddingBag<6, 60, 17>, Dense<17, 3, Softmax>];
type Sums = sequential![EmbeddingBag<6, 60, 33, Sum>, Dense<33, 3>];

fn initial(init: fn(&mut [f32], &mut Xoshiro128PlusPlus)) -> u64 {
    let mut fold = Fold::new();
    for seed in 0..20 {
        let mut values = [0.0; 500];
        init(&mut values, &mut Xoshiro128PlusPlus::seed_from_u64(seed));
        fold.floats(&values);
    }
    fold.hash()
}

/// The loss of outputs and labels that `example` draws.
fn losses<const N: usize, L: Loss<[f32; N]>>(loss: L, example: fn(&mut Data) -> ([f32; N], L::Label)) -> u64 {
    let (mut data, mut fold) = (Data::new(14), Fold::new());
    for _ in 0..100 {
        let (mut y, label) = example(&mut data);
        if L::FUSED_ACTIVATION == nanoembed::layers::ActivationKind::Identity {
            // Probabilities, some of them 0 or 1 and beyond.
            y = y.map(|y| 0.3 * y + 0.5);
        } else {
            y = y.map(|y| 30.0 * y);
        }
        let mut d_y = [0.0; N];
        fold.float(loss.value_and_gradient(&y, &label, 10.0, &mut d_y));
        fold.floats(&d_y);
        fold.float(loss.accuracy(&y, &label));
    }
    fold.hash()
}

fn binary<const N: usize>(loss: impl Loss<[f32; N], Label = [f32; N]>) -> u64 {
    losses(loss, |data| (data.floats(), data.floats().map(|x: f32| 0.25 * x + 0.5)))
}

fn categorical<const N: usize>(loss: impl Loss<[f32; N], Label = [f32; N]>) -> u64 {
    losses(loss, |data| (data.floats(), data.floats().map(|x: f32| (0.25 * x + 0.5) / N as f32)))
}

fn sparse<const N: usize>(loss: impl Loss<[f32; N], Label = u16>) -> u64 {
    losses(loss, |data| (data.floats(), data.below(N) as u16))
}

fn shuffle() -> u64 {
    let mut fold = Fold::new();
    for len in (0..=40).chain([255, 256, 257, 1000]) {
        Shuffle::new(len, 0x0123_4567_89ab_cdef ^ len as u64).for_each(|place| fold.number(place));
    }
    fold.hash()
}

/// All parameters, whatever an image says of them beside.
pub(crate) fn fold_parameters<M: Layer>(model: &M, fold: &mut Fold) {
    model.visit(&mut |part| fold.bytes(part));
}

/// The bytes of an image, which `Fold` takes as they are: a change of one bit of the format changes the hash.
fn fold_image<M: Layer>(model: &M, fold: &mut Fold) {
    let mut bytes = [0; 20_000];
    let bytes = &mut bytes[..image::size::<M>()];
    image::write(model, bytes).unwrap();
    fold.bytes(bytes);
}

pub(crate) fn initialised<M: Layer>() -> M {
    M::new(&mut random())
}

/// What initial values are drawn from.
pub(crate) fn random() -> Xoshiro128PlusPlus {
    Xoshiro128PlusPlus::seed_from_u64(7)
}

fn model_image() -> u64 {
    let mut fold = Fold::new();
    fold_image(&initialised::<Reviews>(), &mut fold);
    fold_image(&initialised::<Deep>(), &mut fold);
    fold_image(&initialised::<Bags>(), &mut fold);
    fold.hash()
}

fn checkpoint() -> u64 {
    const SIZE: usize = Trainer::<Reviews, Exact<Adam>, BinaryCrossEntropy, 4>::CHECKPOINT_SIZE;
    let mut model = initialised::<Reviews>();
    let mut trainer = Trainer::<_, _, _, 4>::new(Exact(ADAM), BinaryCrossEntropy::default());
    let ids = REVIEWS.map(reviews::encode);
    trainer.epoch(&mut model, &ids, &LABELS).unwrap();
    trainer.step(&mut model, &ids[..3], &LABELS[..3]).unwrap();
    let mut bytes = [0; SIZE];
    trainer.checkpoint(&model, &mut bytes).unwrap();
    let mut fold = Fold::new();
    fold.bytes(&bytes);
    fold.hash()
}

fn train_reviews<M: Layer<Input = [u16; 4], Output = [f32; 1]>, O: Optimizer>(optimizer: O) -> u64 {
    train_with::<M, O, _>(optimizer, BinaryCrossEntropy::default())
}

fn train_with<M, O, L>(optimizer: O, loss: L) -> u64
where
    M: Layer<Input = [u16; 4], Output = [f32; 1]>,
    O: Optimizer,
    L: Loss<[f32; 1], Label = [f32; 1]>,
{
    let mut model = initialised::<M>();
    let mut trainer = Trainer::<M, O, _, 4>::new(optimizer, loss);
    let ids = REVIEWS.map(reviews::encode);
    let mut fold = Fold::new();
    for _ in 0..40 {
        let report = trainer.epoch(&mut model, &ids, &LABELS).unwrap();
        fold.floats(&[report.loss, report.accuracy]);
    }
    let report = trainer.evaluate(&model, &ids, &LABELS).unwrap();
    fold.floats(&[report.loss, report.accuracy]);
    fold_parameters(&model, &mut fold);
    ids.iter().for_each(|ids| fold.floats(&model.predict(ids).unwrap()));
    fold.hash()
}

fn partly_frozen() -> PartlyFrozen {
    let mut model = initialised::<PartlyFrozen>();
    (0..50).step_by(3).for_each(|row| model.first.freeze(row).unwrap());
    model
}

fn train_partly_frozen_at_run_time() -> u64 {
    let mut fold = Fold::new();
    let optimizer = Exact(AdamW { optimizer: ADAM, weight_decay: 0.05 });
    let how = How { optimizer: &optimizer, loss: BinaryCrossEntropy::default().into(), batch: 4 };
    run_time::open(&partly_frozen(), &mut |mut opened| {
        run_time::with_reviews(&mut |examples| {
            run_time::train(&mut opened, how, examples, (40, false), &mut fold);
        });
    });
    fold.hash()
}

fn train_partly_frozen() -> u64 {
    let mut model = partly_frozen();
    let optimizer = AdamW { optimizer: ADAM, weight_decay: 0.05 };
    let mut trainer = Trainer::<_, _, _, 4>::new(Exact(optimizer), BinaryCrossEntropy::default());
    let ids = REVIEWS.map(reviews::encode);
    let mut fold = Fold::new();
    for _ in 0..40 {
        fold.float(trainer.epoch(&mut model, &ids, &LABELS).unwrap().loss);
    }
    fold_parameters(&model, &mut fold);
    fold.hash()
}

/// The reviews as bags of ids, and classes for them.
fn bags() -> ([Bag<6>; 10], [u16; 10]) {
    let tokenizer = HashingTokenizer::new(60).word_ngrams::<2>();
    let bags = REVIEWS.map(|text| Bag::from_first(tokenizer.ids(text).map(|id| id as u16)));
    (bags, REVIEWS.map(|text| (text.len() % 3) as u16))
}

/// The same classes, as numbers.
fn one_hot(labels: [u16; 10]) -> [[f32; 3]; 10] {
    labels.map(|label| [0, 1, 2].map(|class| if class == label { 1.0 } else { 0.0 }))
}

fn train_bags_at_run_time() -> u64 {
    let (bags, classes) = bags();
    let (mut ids, mut offsets, mut end) = ([0; 60], [0; 11], 0);
    for (bag, offset) in bags.iter().zip(&mut offsets[1..]) {
        for id in bag.ids() {
            ids[end] = u32::from(*id);
            end += 1;
        }
        *offset = end as u32;
    }
    let inputs = [Input::Bags { ids: &ids[..end], offsets: &offsets }];
    let mut fold = Fold::new();
    let how = How { optimizer: &ADAM, loss: SparseCategoricalCrossEntropy.into(), batch: 4 };
    let examples = Examples { inputs: &inputs, labels: Labels::classes(&classes), count: 10 };
    run_time::open(&initialised::<Bags>(), &mut |mut opened| {
        run_time::train(&mut opened, how, examples, (40, false), &mut fold);
        run_time::fold_predictions(&opened, examples, &mut fold);
    });
    let loss = FromLogits(CategoricalCrossEntropy { label_smoothing: 0.1 });
    let how = How { optimizer: &Exact(ADAM), loss: loss.into(), batch: 4 };
    let labels = one_hot(classes);
    let examples = Examples { labels: Labels::numbers(labels.as_flattened()), ..examples };
    run_time::open(&initialised::<Sums>(), &mut |mut opened| {
        run_time::train(&mut opened, how, examples, (40, false), &mut fold);
    });
    fold.hash()
}

fn train_bags() -> u64 {
    let (bags, labels) = bags();
    let mut fold = Fold::new();

    let mut model = initialised::<Bags>();
    let mut trainer = Trainer::<_, _, _, 4>::new(ADAM, SparseCategoricalCrossEntropy);
    for _ in 0..40 {
        fold.float(trainer.epoch(&mut model, &bags, &labels).unwrap().loss);
    }
    fold_parameters(&model, &mut fold);
    bags.iter().for_each(|bag| fold.floats(&model.predict(bag).unwrap()));

    let mut model = initialised::<Sums>();
    let loss = FromLogits(CategoricalCrossEntropy { label_smoothing: 0.1 });
    let mut trainer = Trainer::<_, _, _, 4>::new(Exact(ADAM), loss);
    let labels = one_hot(labels);
    for _ in 0..40 {
        fold.float(trainer.epoch(&mut model, &bags, &labels).unwrap().loss);
    }
    fold_parameters(&model, &mut fold);
    fold.hash()
}
