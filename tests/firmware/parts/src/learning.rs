//! Several inputs, dropout, weights, schedules and early stopping in whole trainings; metrics.

use super::data::{Data, Fold};
use super::optimizers::ADAM;
use super::reviews::{self, LABELS, REVIEWS};
use super::training::{fold_parameters, initialised};
use nanoembed::layers::{
    Activation, Bag, BiasedDot, Branches, Dense, Dot, Dropout, Embedding, EmbeddingBag, Flatten, Frozen,
    Input, Layer, Sigmoid, Tanh,
};
use nanoembed::loss::{
    BinaryCrossEntropy, ClassWeights, MeanAbsoluteError, MeanSquaredError, SampleWeights, Weighted,
};
use nanoembed::metrics::{ConfusionMatrix, auc, root_mean_squared_error};
use nanoembed::optim::{CosineDecay, DecoupledDecay, Exact, L2Decay, Scheduled, Sgd};
use nanoembed::sparse::Occurrence;
use nanoembed::train::{EarlyStopping, Trainer};
use nanoembed::{concatenate, pairs, sequential};

pub(crate) const PARTS: &[super::Part] = &[
    ("train columns, dropout, early stopping", train_columns),
    ("train ratings", train_ratings),
    ("metrics", metrics),
];

type Column = sequential![Embedding<1, 50, 5>, Flatten<1, 5, 5>];
type Columns = sequential![
    concatenate![Column, EmbeddingBag<3, 50, 4>, Input<[f32; 2]>],
    Dense<11, 17>,
    Activation<[f32; 17], Tanh>,
    Dropout<[f32; 17], 300>,
    Dense<17, 1, Sigmoid>
];
type Ratings = sequential![Branches<Column, Column>, Frozen<BiasedDot<5>>];
type Biased = sequential![Branches<Column, Column>, BiasedDot<5>];
type Likes = sequential![Branches<Column, Column>, Dot<5>];

fn train_columns() -> u64 {
    let rows = REVIEWS.map(|text| {
        let [first, rest @ ..] = reviews::encode(text);
        pairs![[first], Bag::<3>::from_first(rest), [text.len() as f32 / 20.0, -0.5]]
    });
    let mut labels = LABELS.map(Weighted::from);
    labels[3].weight = 2.5;
    let (mut model, mut best) = (initialised::<Columns>(), Columns::zeroed());
    let schedule = CosineDecay { initial_learning_rate: 0.05, decay_steps: 90, alpha: 0.1 };
    let optimizer = Scheduled { optimizer: ADAM, schedule };
    let optimizer = Exact(DecoupledDecay { optimizer, weight_decay: 0.01 });
    let loss = SampleWeights(ClassWeights { loss: BinaryCrossEntropy::default(), weights: [1.0, 0.7] });
    let mut trainer = Trainer::<_, _, _, 4>::new(optimizer, loss);
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

fn train_ratings() -> u64 {
    let mut data = Data::new(15);
    let pairs = [(); 30].map(|()| pairs![data.ids::<1>(50), data.ids::<1>(50)]);
    let ratings: [[f32; 1]; 30] = [(); 30].map(|()| data.floats());
    let mut fold = Fold::new();
    let mut model = initialised::<Ratings>();
    model.second.0.mean = [0.25];
    let sgd = L2Decay { optimizer: Sgd { learning_rate: 0.1 }, weight_decay: 0.1 };
    let mut trainer = Trainer::<_, _, _, 1>::new(sgd, MeanSquaredError);
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
