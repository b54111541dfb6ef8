//! When training stops, what it goes back to, which examples count more; and how good predictions are.
#![allow(clippy::disallowed_methods)]

use crate::common::{Random, parameter_bytes};
use nanoembed::error::LabelError;
use nanoembed::internals::Class;
use nanoembed::layers::{Dense, Embedding, Flatten, Layer, Sigmoid, Softmax};
use nanoembed::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, ClassWeights, Loss, MeanSquaredError, OnProbabilities,
    SampleWeights, SparseCategoricalCrossEntropy, Weighted,
};
use nanoembed::metrics::{ConfusionMatrix, argmax, auc, in_top_k, root_mean_squared_error};
use nanoembed::optim::{Adam, Exact, PiecewiseConstantDecay, Scheduled, Sgd};
use nanoembed::sequential;
use nanoembed::sparse::Occurrence;
use nanoembed::train::{EarlyStopping, TrainError, Trainer};
use proptest::prelude::*;
use rand_core::{Rng, SeedableRng};
use std::cmp::Ordering;
use std::mem::MaybeUninit;
use std::sync::Mutex;

type Numbers = sequential![Embedding<4, 10, 3>, Flatten<4, 3, 12>, Dense<12, 1>];
type Classifier = sequential![Embedding<1, 4, 2>, Flatten<1, 2, 2>, Dense<2, 2, Softmax>];
type Reviews = sequential![Embedding<4, 10, 3>, Flatten<4, 3, 12>, Dense<12, 1, Sigmoid>];

fn initial<M: Layer>() -> M {
    M::new(&mut Random::seed_from_u64(1))
}

fn examples() -> (Vec<[u16; 4]>, Vec<[f32; 1]>) {
    let random = &mut Random::seed_from_u64(2);
    let ids: Vec<[u16; 4]> =
        (0..30).map(|_| std::array::from_fn(|_| (random.next_u32() % 10) as u16)).collect();
    let labels = ids.iter().map(|ids| [f32::from(ids[0] > 4)]).collect();
    (ids, labels)
}

/// As Keras' callback: patience counts epochs in a row that are not better by more than the delta, and NaN is never better.
#[test]
fn patience_and_delta() {
    let stops = |patience, min_delta, losses: &[f32]| {
        let (mut best, mut model) = (Reviews::zeroed(), Reviews::zeroed());
        let mut stopping = EarlyStopping::new(&mut best, patience).with_min_delta(min_delta);
        let epoch = losses.iter().zip(1..).find_map(|(loss, epoch)| {
            // Weights by which the epoch is known.
            model.first.rows[9] = [epoch as f32; 3];
            stopping.observe(&model, *loss).is_break().then_some(epoch)
        });
        let best = stopping.best();
        stopping.restore(&mut model);
        assert_eq!(best.map_or(losses.len() as f32, |(epoch, _)| epoch as f32), model.first.rows[9][2]);
        (epoch, best)
    };
    let losses = [0.9, 0.5, 0.6, 0.45, 0.45, 0.46, 0.5];
    assert_eq!(stops(2, 0.0, &losses), (Some(6), Some((4, 0.45))));
    assert_eq!(stops(3, 0.0, &losses), (Some(7), Some((4, 0.45))));
    assert_eq!(stops(4, 0.0, &losses), (None, Some((4, 0.45))));
    assert_eq!(stops(1, 0.0, &losses), (Some(3), Some((2, 0.5))));
    assert_eq!(stops(0, 0.0, &losses), stops(1, 0.0, &losses));
    assert_eq!(stops(2, 0.1, &losses), (Some(4), Some((2, 0.5))), "0.05 is too little");
    assert_eq!(stops(2, -0.1, &losses), stops(2, 0.1, &losses), "as Keras takes the size");
    assert_eq!(stops(2, 0.0, &[0.9, f32::NAN, f32::NAN, 0.1]), (Some(3), Some((1, 0.9))));
    assert_eq!(stops(2, 0.0, &[f32::NAN, f32::INFINITY]), (Some(2), None), "nothing to go back to");
    assert_eq!(stops(5, 0.0, &[]), (None, None));
    assert_eq!(stops(1, 0.0, &[-0.5, -0.6, -0.55]).1, Some((2, -0.6)), "accuracy, negated");
}

/// In a static, whatever stood there before, model and trainer have the bits of those that are made on the stack.
#[test]
fn statics_learn_as_values_do() {
    type InPlace = Trainer<Reviews, Exact<Adam>, BinaryCrossEntropy, 7>;
    static MODEL: Mutex<Reviews> = Mutex::new(Reviews::ZEROED);
    static TRAINER: Mutex<MaybeUninit<InPlace>> = Mutex::new(MaybeUninit::uninit());
    let (ids, labels) = examples();
    let learnt = |model: &mut Reviews, trainer: &mut InPlace| {
        let losses = [(); 3].map(|()| trainer.epoch(model, &ids, &labels).unwrap().loss.to_bits());
        assert_eq!((trainer.steps(), trainer.epochs()), (15, 3));
        (losses, parameter_bytes(model))
    };
    let expected =
        learnt(&mut initial(), &mut Trainer::new(Exact(Adam::default()), BinaryCrossEntropy::default()));

    let (mut model, mut place) = (MODEL.lock().unwrap(), TRAINER.lock().unwrap());
    assert_eq!(parameter_bytes(&*model), parameter_bytes(&Reviews::zeroed()));
    for _ in 0..2 {
        model.init(&mut Random::seed_from_u64(1));
        let trainer = Trainer::new_in(&mut place, Exact(Adam::default()), BinaryCrossEntropy::default());
        assert_eq!((trainer.steps(), trainer.epochs()), (0, 0));
        trainer.set_seed(0);
        assert_eq!(learnt(&mut model, trainer), expected);
        trainer.set_seed(9);
        trainer.set_shuffle(false);
    }
}

/// The weights that come back have the bits of the best epoch and give its loss.
#[test]
fn the_best_weights_come_back() {
    let (ids, labels) = examples();
    let (mut model, mut best) = (initial::<Reviews>(), Reviews::zeroed());
    let adam = Adam { learning_rate: 0.3, ..Adam::default() };
    let mut trainer = Trainer::<_, _, _, 4>::new(Exact(adam), BinaryCrossEntropy::default());
    let mut stopping = EarlyStopping::new(&mut best, 4);
    let mut epochs = Vec::new();
    loop {
        trainer.epoch(&mut model, &ids[..15], &labels[..15]).unwrap();
        let loss = trainer.evaluate(&model, &ids[15..], &labels[15..]).unwrap().loss;
        epochs.push((loss, parameter_bytes(&model)));
        if stopping.observe(&model, loss).is_break() || epochs.len() == 100 {
            break;
        }
    }
    assert!(epochs.len() < 100);
    stopping.restore(&mut model);
    let least = epochs.iter().map(|(loss, _)| *loss).fold(f32::INFINITY, |a, b| if b < a { b } else { a });
    let (_, expected) = epochs.iter().find(|(loss, _)| *loss == least).unwrap();
    assert!(parameter_bytes(&model) == *expected);
    assert_eq!(trainer.evaluate(&model, &ids[15..], &labels[15..]).unwrap().loss, least);
    assert_eq!(epochs.len(), stopping.best().unwrap().0 as usize + 4);
}

/// A rate that becomes far too large breaks training: it says so, and the weights of the last good epoch are there.
#[test]
fn training_that_breaks_down_goes_back() {
    let (ids, labels) = examples();
    let labels: Vec<[f32; 1]> = labels.iter().map(|[label]| [label * 3.0]).collect();
    // Eight steps an epoch: the fourth one breaks at its first step, or at one after it, the last one included.
    let breaks = [23, 24, 26, 29, 30].map(|boundary| [1e4, 1e20, f32::MAX].map(|rate| (boundary, rate)));
    for (boundary, last_value) in breaks.into_iter().flatten() {
        let (mut model, mut best) = (initial::<Numbers>(), Numbers::zeroed());
        let schedule = PiecewiseConstantDecay { boundaries: [boundary], values: [0.02], last_value };
        let sgd = Scheduled { optimizer: Sgd::default(), schedule };
        let mut trainer = Trainer::<_, _, _, 4>::new(sgd, MeanSquaredError);
        let mut stopping = EarlyStopping::new(&mut best, 10);
        let (mut good, mut error) = (Vec::new(), None);
        for _ in 0..30 {
            match trainer.epoch(&mut model, &ids, &labels) {
                Ok(_) => {
                    let loss = trainer.evaluate(&model, &ids, &labels).unwrap().loss;
                    assert!(stopping.observe(&model, loss).is_continue());
                }
                Err(stopped) => {
                    error = Some(stopped);
                    break;
                }
            }
            good.push(parameter_bytes(&model));
        }
        let Some(TrainError::NotFinite { step, .. }) = error else { panic!("{last_value}: {error:?}") };
        assert!(step > 24 && trainer.steps() == step - 1, "{last_value}: step {step}");
        stopping.restore(&mut model);
        assert!(parameter_bytes(&model) == good[2], "{last_value}");
        assert!(trainer.evaluate(&model, &ids, &labels).unwrap().loss < 3.0);
    }
}

/// A weight of two is an example twice as loud, of zero one that is not heard; the mean is over all examples, as in Keras.
#[test]
fn samples_are_weighed() {
    fn check<L: Loss<[f32; 3]> + Copy>(loss: L, label: L::Label) {
        let y = [0.2, 0.5, 0.3];
        let mut d = [0.0; 3];
        let value = loss.value_and_gradient(&y, &label, 4.0, &mut d);
        for weight in [0.0, 0.5, 1.0, 2.0] {
            let mut weighted = [7.0; 3];
            let of = Weighted { label, weight };
            assert_eq!(SampleWeights(loss).value_and_gradient(&y, &of, 4.0, &mut weighted), value * weight);
            assert_eq!(weighted, d.map(|d| d * weight));
            assert_eq!(SampleWeights(loss).accuracy(&y, &of), loss.accuracy(&y, &label));
            assert_eq!(SampleWeights(loss).check_label(&of), Ok(()));
        }
        for weight in [-1.0, f32::NAN, f32::INFINITY] {
            match SampleWeights(loss).check_label(&Weighted { label, weight }) {
                Err(LabelError::SampleWeight { weight: found }) => {
                    assert_eq!(found.to_bits(), weight.to_bits());
                }
                found => panic!("{weight}: {found:?}"),
            }
        }
        assert_eq!(SampleWeights::<L>::FUSED_ACTIVATION, L::FUSED_ACTIVATION);
    }
    check(BinaryCrossEntropy::default(), [0.0, 1.0, 1.0]);
    check(SparseCategoricalCrossEntropy, 2);
    check(OnProbabilities(CategoricalCrossEntropy::default()), [0.0, 1.0, 0.0]);
    check(MeanSquaredError, [3.0, -1.0, 0.5]);

    let (ids, labels) = examples();
    let weighted: Vec<_> =
        labels.iter().zip(0..).map(|(label, i)| Weighted { label: *label, weight: (i % 3) as f32 }).collect();
    let mut trainer =
        Trainer::<Reviews, _, _, 30>::new(Sgd::default(), SampleWeights(BinaryCrossEntropy::default()));
    let mut plain = Trainer::<Reviews, _, _, 1>::new(Sgd::default(), BinaryCrossEntropy::default());
    let mut model = initial::<Reviews>();
    let expected: f64 = ids
        .iter()
        .zip(&labels)
        .zip(&weighted)
        .map(|((ids, label), of)| {
            f64::from(of.weight) * f64::from(plain.evaluate(&model, &[*ids], &[*label]).unwrap().loss)
        })
        .sum();
    let report = trainer.step(&mut model, &ids, &weighted).unwrap();
    assert!((f64::from(report.loss) - expected / 30.0).abs() <= 1e-6, "{report:?}");
    let mut silent = weighted.clone();
    for of in &mut silent {
        of.weight = 0.0;
    }
    let before = parameter_bytes(&model);
    assert_eq!(trainer.step(&mut model, &ids, &silent).unwrap().loss, 0.0);
    assert!(parameter_bytes(&model) == before);
    silent[7].weight = -1.0;
    let error = LabelError::SampleWeight { weight: -1.0 };
    assert_eq!(trainer.epoch(&mut model, &ids, &silent), Err(TrainError::Label { position: 7, error }));
    assert_eq!(Weighted::from([1.0]).weight, 1.0);
}

/// Weights of classes are weights of samples by their class.
#[test]
fn classes_are_weighed() {
    fn check<L: Loss<[f32; 3], Label: Class> + Copy>(loss: L, labels: [L::Label; 3]) {
        let weights = [1.0, 0.25, 4.0];
        let by_class = ClassWeights { loss, weights };
        for (label, weight) in labels.into_iter().zip(weights) {
            let (mut d, mut expected) = ([0.0; 3], [0.0; 3]);
            let y = [0.3, -0.5, 0.9];
            let value =
                SampleWeights(loss).value_and_gradient(&y, &Weighted { label, weight }, 2.0, &mut expected);
            assert_eq!((by_class.value_and_gradient(&y, &label, 2.0, &mut d), d), (value, expected));
            assert_eq!(by_class.accuracy(&y, &label), loss.accuracy(&y, &label));
        }
        let [.., last] = labels;
        assert_eq!(by_class.check_label(&last), Ok(()));
        let error = LabelError::ClassWeight { class: 2, weights: 2 };
        assert_eq!(ClassWeights { loss, weights: [1.0, 1.0] }.check_label(&last), Err(error));
    }
    check(SparseCategoricalCrossEntropy, [0, 1, 2]);
    check(CategoricalCrossEntropy::default(), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    assert_eq!(([0.5].class(), [0.6].class(), [0.1, 0.7, 0.2].class(), 5_u16.class()), (0, 1, 1, 5));

    // A rare class that counts as much as the common one is found.
    let ids: Vec<[u16; 1]> = (0..40).map(|i| [i % 4]).collect();
    let labels: Vec<u16> = (0..40).map(|i| u16::from(i % 4 == 0 && i < 16)).collect();
    let recall = |weights| {
        let mut model = initial::<Classifier>();
        let adam = Adam { learning_rate: 0.05, ..Adam::default() };
        let loss = ClassWeights { loss: SparseCategoricalCrossEntropy, weights };
        let mut trainer = Trainer::<Classifier, _, _, 8>::new(adam, loss);
        for _ in 0..60 {
            trainer.epoch(&mut model, &ids, &labels).unwrap();
        }
        let mut matrix = ConfusionMatrix::<2>::new();
        trainer
            .evaluate_with(&model, &ids, &labels, |y, label| matrix.add(label.class(), argmax(y)))
            .unwrap();
        matrix.recall(1)
    };
    assert_eq!((recall([1.0, 1.0]), recall([1.0, 9.0])), (0.0, 1.0));
}

/// What is shown in evaluation is what the model predicts, whether the loss takes scores or probabilities.
#[test]
fn evaluation_shows_predictions() {
    fn check<L: Loss<[f32; 1], Label = [f32; 1]>>(loss: L) {
        let (ids, labels) = examples();
        let model = initial::<Reviews>();
        let mut trainer = Trainer::<Reviews, _, _, 7>::new(Sgd::default(), loss);
        let mut shown = Vec::new();
        let report =
            trainer.evaluate_with(&model, &ids, &labels, |y, label| shown.push((*y, *label))).unwrap();
        let expected: Vec<_> =
            ids.iter().zip(&labels).map(|(ids, label)| (model.predict(ids).unwrap(), *label)).collect();
        assert_eq!(shown, expected);
        assert_eq!(report, trainer.evaluate(&model, &ids, &labels).unwrap());
        let mut called = false;
        assert!(trainer.evaluate_with(&model, &ids, &labels[1..], |_, _| called = true).is_err() && !called);
    }
    check(BinaryCrossEntropy::default());
    check(OnProbabilities(BinaryCrossEntropy::default()));
    check(MeanSquaredError);
}

#[test]
fn confusion_by_hand() {
    // scikit-learn: precision 2/3, 1/2, 0; recall 2/3, 1, 0; F1 2/3, 2/3, 0, of the three classes that occur.
    let mut matrix = ConfusionMatrix::<4>::new();
    for (class, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (2, 0)] {
        matrix.add(class, predicted);
    }
    let of = |f: fn(&ConfusionMatrix<4>, usize) -> f32| [0, 1, 2, 3].map(|class| f(&matrix, class));
    assert_eq!(of(ConfusionMatrix::precision), [2.0 / 3.0, 0.5, 0.0, 0.0]);
    assert_eq!(of(ConfusionMatrix::recall), [2.0 / 3.0, 1.0, 0.0, 0.0]);
    assert_eq!(of(ConfusionMatrix::f1), [2.0 / 3.0, 2.0 / 3.0, 0.0, 0.0]);
    assert_eq!(matrix.accuracy(), 0.6);
    assert_eq!(matrix.macro_f1(), 4.0 / 9.0);
    let before = matrix.clone();
    matrix.add(4, 0);
    matrix.add(0, 4);
    assert_eq!(matrix, before, "classes that do not exist are not counted");
    assert_eq!(matrix.count(9, 0), 0);
    assert_eq!(matrix.recall(9), 0.0);
    let none = ConfusionMatrix::<4>::default();
    assert_eq!((none.accuracy(), none.macro_f1(), none.precision(0)), (0.0, 0.0, 0.0));
    // One class only.
    let mut one = ConfusionMatrix::<1>::new();
    one.add(0, 0);
    assert_eq!((one.accuracy(), one.macro_f1()), (1.0, 1.0));
}

fn area(scores: &[f32], labels: &[bool]) -> Option<f32> {
    let (mut list, mut other) =
        (vec![Occurrence::default(); scores.len() + 2], vec![Occurrence::default(); scores.len()]);
    auc(scores, labels, [&mut list, &mut other]).unwrap()
}

#[test]
fn areas_by_hand() {
    assert_eq!(area(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), Some(0.75));
    assert_eq!(area(&[0.5; 5], &[true, false, true, false, false]), Some(0.5), "all tie");
    assert_eq!(area(&[-0.0, 0.0], &[true, false]), Some(0.5), "zeros are one number");
    assert_eq!(area(&[f32::NEG_INFINITY, -1.0, 2.0, f32::INFINITY], &[false, false, true, true]), Some(1.0));
    assert_eq!(area(&[3.0, -2.0], &[false, true]), Some(0.0));
    assert_eq!(area(&[0.3, 0.4], &[true, true]), None, "one class only");
    assert_eq!(area(&[], &[]), None);
    assert_eq!(area(&[0.3, f32::NAN], &[true, false]), None);
    let (a, b) = (&mut [Occurrence::default(); 1], &mut [Occurrence::default(); 2]);
    assert!(auc(&[0.1, 0.2], &[true, false], [a, b]).is_err());
    assert!(auc(&[0.1, 0.2], &[true, false], [b, a]).is_err());
    assert!(auc(&[0.1], &[true, false], [b, &mut [Occurrence::default(); 2]]).is_err());
}

proptest! {
    /// Against all pairs.
    #[test]
    fn areas_of_pairs(
        examples in prop::collection::vec((prop_oneof![-3..3_i32, -100..100_i32], any::<bool>()), 0..200)
    ) {
        let scores: Vec<f32> = examples.iter().map(|(score, _)| *score as f32 * 0.37).collect();
        let labels: Vec<bool> = examples.iter().map(|(_, label)| *label).collect();
        let (mut pairs, mut won) = (0.0, 0.0);
        for (a, of_class) in &examples {
            for (b, other) in &examples {
                if *of_class && !other {
                    pairs += 1.0;
                    won += match a.cmp(b) { Ordering::Greater => 1.0, Ordering::Equal => 0.5, Ordering::Less => 0.0 };
                }
            }
        }
        match area(&scores, &labels) {
            None => prop_assert!(pairs == 0.0),
            Some(found) => prop_assert!((f64::from(found) - won / pairs).abs() <= 1e-6, "{found} {}", won / pairs),
        }
    }

    #[test]
    fn top_k_by_sorting(scores in prop::collection::vec(-5..5_i32, 1..12), k in 0..13_usize) {
        let y: Vec<f32> = scores.iter().map(|score| *score as f32).collect();
        let mut sorted = y.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        for (class, score) in y.iter().enumerate() {
            let expected = k > 0 && *score >= sorted[k.min(sorted.len()) - 1];
            prop_assert_eq!(in_top_k(&y, class, k), expected);
        }
        prop_assert!(!in_top_k(&y, y.len(), k));
    }
}

#[test]
fn top_k_without_numbers() {
    assert!(!in_top_k(&[f32::NAN, 1.0], 0, 2));
    assert!(in_top_k(&[f32::NAN, 1.0], 1, 1));
    assert!(!in_top_k(&[1.0], 0, 0));
}

#[test]
fn errors_of_numbers() {
    assert_eq!(root_mean_squared_error(&[1.0, 2.0, 3.0], &[1.0, 4.0, 1.0]).unwrap(), (8.0_f32 / 3.0).sqrt());
    assert!(root_mean_squared_error(&[], &[]).is_err());
    assert!(root_mean_squared_error(&[1.0], &[]).is_err());
    // Millions of examples do not drift.
    let found = root_mean_squared_error(&vec![0.1; 3_000_000], &vec![0.0; 3_000_000]).unwrap();
    assert!((found - 0.1).abs() <= 1e-7, "{found}");
}

/// Between the embedding and the dense layer the numbers of a batch exist twice, as values and as gradients: `Flatten` moves nothing,
/// and the gradient rows of the table are read where the dense layer wrote them.
#[test]
fn a_trainer_is_as_small_as_its_numbers() {
    type Model = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
    let size = size_of::<Trainer<Model, Adam, BinaryCrossEntropy, 10>>();
    let (slots, between) = (2 * size_of::<Model>(), 2 * size_of::<[[[f32; 8]; 4]; 10]>());
    assert!((slots + between..=8200).contains(&size), "{size} bytes");
}
