//! Several inputs, dropout, weights, schedules and early stopping in whole trainings; metrics.

use super::data::{Data, Fold};
use super::optimizers::ADAM;
use super::reviews::{self, LABELS, REVIEWS};
use super::run_time::{self, Examples, How, Opened};
use super::training::{fold_parameters, initialised};
use nanoembed::image::{self, Contents};
use nanoembed::layers;
use nanoembed::layers::options::Mean;
use nanoembed::layers::{
    Activation, Add, Bag, BiasedDot, Branches, Corrected, Dense, Dot, Dropout, Embedding, EmbeddingBag,
    Flatten, Frozen, Layer, OverlayBag, Pair, Sigmoid, Softmax, Tanh,
};
use nanoembed::loss::{
    AnyLoss, BinaryCrossEntropy, ClassWeights, Labels, MeanAbsoluteError, MeanSquaredError, SampleWeights,
    SparseCategoricalCrossEntropy, Weighted,
};
use nanoembed::metrics::{ConfusionMatrix, auc, root_mean_squared_error};
use nanoembed::models::{Fit, Input};
use nanoembed::optim::{Adam, CosineDecay, DecoupledDecay, Exact, L2Decay, RowwiseAdagrad, Scheduled, Sgd};
use nanoembed::sparse::Occurrence;
use nanoembed::train::{EarlyStopping, Trainer};
use nanoembed::zerocopy::IntoBytes;
use nanoembed::{concatenate, pairs, sequential};

pub(crate) const PARTS: &[super::Part] = &[
    ("train columns, dropout, early stopping", train_columns),
    ("train ratings", train_ratings),
    ("run-time train columns, dropout, early stopping", train_columns_at_run_time),
    ("run-time train ratings", train_ratings_at_run_time),
    ("corrections, pages", corrections),
    ("metrics", metrics),
];

type Column = sequential![Embedding<1, 50, 5>, Flatten<1, 5, 5>];
type Columns = sequential![
    concatenate![Column, EmbeddingBag<3, 50, 4>, layers::Input<[f32; 2]>],
    Dense<11, 17>,
    Activation<[f32; 17], Tanh>,
    Dropout<[f32; 17], 300>,
    Dense<17, 1, Sigmoid>
];
type Ratings = sequential![Branches<Column, Column>, Frozen<BiasedDot<5>>];
type Biased = sequential![Branches<Column, Column>, BiasedDot<5>];
type Likes = sequential![Branches<Column, Column>, Dot<5>];

fn numbers_of(text: &str) -> [f32; 2] {
    [text.len() as f32 / 20.0, -0.5]
}

fn optimizer_of_columns() -> Exact<DecoupledDecay<Scheduled<Adam, CosineDecay>>> {
    let schedule = CosineDecay { initial_learning_rate: 0.05, decay_steps: 90, alpha: 0.1 };
    let optimizer = Scheduled { optimizer: ADAM, schedule };
    Exact(DecoupledDecay { optimizer, weight_decay: 0.01 })
}

fn train_columns_at_run_time() -> u64 {
    let (mut first, mut rest, mut offsets) = ([0; 10], [[0; 3]; 10], [0; 11]);
    for (i, text) in REVIEWS.into_iter().enumerate() {
        let [a, b, c, d] = reviews::encode(text).map(u32::from);
        (first[i], rest[i], offsets[i + 1]) = (a, [b, c, d], 3 * (i as u32 + 1));
    }
    let numbers = REVIEWS.map(numbers_of);
    let (mut weights, optimizer) = ([1.0; 10], optimizer_of_columns());
    weights[3] = 2.5;
    let labels = Labels::numbers(LABELS.as_flattened()).with_weights(&weights);
    let inputs = [
        Input::Ids(&first),
        Input::Bags { ids: rest.as_flattened(), offsets: &offsets },
        Input::Numbers(numbers.as_flattened()),
    ];
    let loss = AnyLoss::from(BinaryCrossEntropy::default()).with_class_weights(&[1.0, 0.7]);
    let mut fold = Fold::new();
    run_time::open(&initialised::<Columns>(), &mut |mut opened| {
        let Opened { recipe, parameters } = &mut opened;
        let mut best = [0.0; 2000];
        let mut stopping = EarlyStopping::new(&mut best[..parameters.len()], 3);
        let how = How { optimizer: &optimizer, loss, batch: 4 };
        run_time::with_trainer(*recipe, how, &mut |trainer| {
            let fit = Fit { epochs: 40, held_out: 3 };
            let fitted = trainer.fit(parameters, &inputs, &labels, 10, fit, |epoch, parameters| {
                fold.float(epoch.training.loss);
                stopping.observe(parameters, epoch.loss())
            });
            fitted.unwrap();
        });
        stopping.restore(parameters);
        fold.bytes(parameters.as_bytes());
        run_time::fold_predictions(&opened, Examples { inputs: &inputs, labels, count: 10 }, &mut fold);
    });
    fold.hash()
}

fn train_columns() -> u64 {
    let rows = REVIEWS.map(|text| {
        let [first, rest @ ..] = reviews::encode(text);
        pairs![[first], Bag::<3>::from_first(rest), numbers_of(text)]
    });
    let mut labels = LABELS.map(Weighted::from);
    labels[3].weight = 2.5;
    let (mut model, mut best) = (initialised::<Columns>(), Columns::zeroed());
    let loss = SampleWeights(ClassWeights { loss: BinaryCrossEntropy::default(), weights: [1.0, 0.7] });
    let mut trainer = Trainer::<_, _, _, 4>::new(optimizer_of_columns(), loss);
    let mut stopping = EarlyStopping::new(&mut best, 3);
    let mut fold = Fold::new();
    for _ in 0..40 {
        fold.float(trainer.epoch(&mut model, &rows[..7], &labels[..7]).unwrap().loss);
        let report = trainer.evaluate(&model, &rows[7..], &labels[7..]).unwrap();
        if stopping.observe(&model, report.loss).is_break() {
            break;
        }
    }
    stopping.restore(&mut model);
    fold_parameters(&model, &mut fold);
    rows.iter().for_each(|row| fold.floats(&model.predict(row).unwrap()));
    fold.hash()
}

/// Users and items.
type Pairs = [Pair<[u16; 1], [u16; 1]>; 30];

/// Who rated what, and how.
fn ratings() -> (Pairs, [[f32; 1]; 30]) {
    let mut data = Data::new(15);
    let pairs = [(); 30].map(|()| pairs![data.ids::<1>(50), data.ids::<1>(50)]);
    (pairs, [(); 30].map(|()| data.floats()))
}

/// Ratings around a mean that does not learn.
fn model_of_ratings() -> Ratings {
    let mut model = initialised::<Ratings>();
    model.second.0.mean = [0.25];
    model
}

const L2: L2Decay<Sgd> = L2Decay { optimizer: Sgd { learning_rate: 0.1 }, weight_decay: 0.1 };

fn train_ratings_at_run_time() -> u64 {
    let (pairs, ratings) = ratings();
    let [users, items] = [pairs.map(|pair| pair.first), pairs.map(|pair| pair.second)]
        .map(|ids| ids.map(|[id]| u32::from(id)));
    let inputs = [Input::Ids(&users), Input::Ids(&items)];
    let examples = Examples { inputs: &inputs, labels: Labels::numbers(ratings.as_flattened()), count: 30 };
    let mut fold = Fold::new();
    let squared = AnyLoss::from(MeanSquaredError);
    let mut train = |mut opened: Opened<'_>, how| {
        run_time::train(&mut opened, how, examples, (20, false), &mut fold);
    };
    run_time::open(&model_of_ratings(), &mut |opened| {
        train(opened, How { optimizer: &L2, loss: squared, batch: 1 });
    });
    run_time::open(&initialised::<Biased>(), &mut |opened| {
        train(opened, How { optimizer: &ADAM, loss: squared, batch: 4 });
    });
    run_time::open(&initialised::<Likes>(), &mut |opened| {
        train(opened, How { optimizer: &ADAM, loss: MeanAbsoluteError.into(), batch: 4 });
    });
    fold.hash()
}

fn train_ratings() -> u64 {
    let (pairs, ratings) = ratings();
    let mut fold = Fold::new();
    let mut model = model_of_ratings();
    let mut trainer = Trainer::<_, _, _, 1>::new(L2, MeanSquaredError);
    for _ in 0..20 {
        fold.float(trainer.epoch(&mut model, &pairs, &ratings).unwrap().loss);
    }
    fold_parameters(&model, &mut fold);
    let mut model = initialised::<Biased>();
    let mut trainer = Trainer::<_, _, _, 4>::new(ADAM, MeanSquaredError);
    for _ in 0..20 {
        fold.float(trainer.epoch(&mut model, &pairs, &ratings).unwrap().loss);
    }
    fold_parameters(&model, &mut fold);
    let mut model = initialised::<Likes>();
    let mut trainer = Trainer::<_, _, _, 4>::new(ADAM, MeanAbsoluteError);
    for _ in 0..20 {
        fold.float(trainer.epoch(&mut model, &pairs, &ratings).unwrap().loss);
    }
    fold_parameters(&model, &mut fold);
    fold.hash()
}

/// Corrections beside a model that stays as it is, exact and lazy, and the pages of their image.
fn corrections() -> u64 {
    type Base = sequential![EmbeddingBag<4, 50, 5>, Dense<5, 2>];
    type Correction = sequential![Branches<layers::Input<[f32; 2]>, OverlayBag<4, 12, 2, Mean>>, Add<[f32; 2]>, Dense<2, 2, Softmax>];
    type Step<'a> = dyn FnMut(&mut Correction, Pair<[f32; 2], Bag<4>>, u16) + 'a;
    let mut fold = Fold::new();
    let base = initialised::<Base>();
    let mut train = |trainer: &mut Step<'_>| {
        let mut model = Corrected { base: &base, correction: initialised::<Correction>() };
        for (text, [label]) in REVIEWS.into_iter().zip(LABELS) {
            let bag = Bag::from_ids(reviews::encode(text)).unwrap();
            let ids: Bag<2> = model.least_known(&bag).unwrap();
            // From some text on the overlay is full.
            fold.number(usize::from(model.correction.first.second.admit(ids.ids().iter().copied()).is_ok()));
            let x = model.input(&bag).unwrap();
            for _ in 0..3 {
                trainer(&mut model.correction, x, u16::from(label > 0.5));
            }
            fold.floats(&model.predict(&bag).unwrap());
        }
        fold_parameters(&model.correction, &mut fold);
        let show = |offset, page: &[u8]| {
            fold.number(offset);
            fold.bytes(page);
            Ok::<_, core::convert::Infallible>(())
        };
        image::write_pages(&model.correction, &Contents::default(), &mut [0; 48], show).unwrap();
    };
    let adagrad = RowwiseAdagrad { learning_rate: 0.3, ..RowwiseAdagrad::default() };
    let mut lazy = Trainer::<Correction, _, _, 1>::new(adagrad, SparseCategoricalCrossEntropy);
    train(&mut |model, x, label| {
        lazy.step(model, &[x], &[label]).unwrap();
    });
    let mut exact = Trainer::<Correction, _, _, 1>::new(Exact(ADAM), SparseCategoricalCrossEntropy);
    train(&mut |model, x, label| {
        exact.step(model, &[x], &[label]).unwrap();
        exact.flush(model);
    });
    fold.hash()
}

fn metrics() -> u64 {
    let (mut data, mut fold) = (Data::new(16), Fold::new());
    let (mut matrix, y) = (ConfusionMatrix::<5>::new(), data.floats::<200>());
    (0..200).for_each(|_| matrix.add(data.below(5), data.below(4)));
    fold.floats(&[matrix.accuracy(), matrix.macro_f1(), matrix.precision(2), matrix.recall(2), matrix.f1(2)]);
    let labels = [(); 200].map(|()| data.below(2) == 1);
    let rounded = y.map(|y| (8.0 * y) as i32 as f32);
    let [list, other] = &mut [[Occurrence::default(); 200]; 2];
    fold.float(auc(&y, &labels, [list, other]).unwrap().unwrap());
    fold.float(auc(&rounded, &labels, [list, other]).unwrap().unwrap());
    fold.float(root_mean_squared_error(&y, &data.floats::<200>()).unwrap());
    fold.hash()
}
