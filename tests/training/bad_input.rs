//! Each bad input gives its error or its documented value, and nothing is half-written.

use crate::common::{checkpoint_of, image_of};
use nanoembed::error::{
    BagError, CapacityExceeded, IndexOutOfRange, InputError, LabelError, NotFinite, RowOutOfRange,
    ShapeMismatch,
};
use nanoembed::kernels::{gather, pool};
use nanoembed::layers::options::{MaskZero, Sum};
use nanoembed::layers::{
    ActivationFunction, Bag, Dense, Embedding, EmbeddingBag, Flatten, Identity, Layer, Relu, Sigmoid,
    Softmax, Tanh,
};
use nanoembed::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, ClassWeights, Loss, OnProbabilities, SampleWeights,
    SparseCategoricalCrossEntropy,
};
use nanoembed::optim::{Adam, Exact, Momentum, Optimizer, Sgd};
use nanoembed::sequential;
use nanoembed::table::{Bags, Indices, Pooling, Table};
use nanoembed::text::HashingTokenizer;
use nanoembed::train::{Report, TrainError, Trainer};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;

const BATCH: usize = 4;
const BATCHES: &str = "examples of a batch (BATCH)";

type Reviews = sequential![Embedding<4, 10, 3>, Flatten<4, 3, 12>, Dense<12, 1, Sigmoid>];
type Classes = sequential![EmbeddingBag<4, 10, 3>, Dense<3, 3, Softmax>];

fn initial<M: Layer>() -> M {
    M::new(&mut Xoshiro128PlusPlus::seed_from_u64(7))
}

fn outside(example: usize, position: usize, index: i64) -> InputError {
    InputError::Id { example, branch: None, error: IndexOutOfRange { position, index, rows: 10 } }
}

/// That row 5 of the table in front was found not to be finite before step `step`.
fn row_not_finite(step: u32, kind: &'static str) -> TrainError {
    TrainError::NotFinite { step, place: NotFinite::Parameter { layer: 0, kind, name: "rows", row: 5 } }
}

/// A rate that is no rate is named before anything is learnt, whatever it is wrapped in.
#[test]
fn hyperparameters_outside_their_range_are_named() {
    fn check<O: Optimizer>(optimizer: O, what: &str) {
        let (ids, labels) = ([[1, 2, 0, 0]; 3], [[1.0]; 3]);
        let mut model: Reviews = initial();
        let mut trainer = Trainer::<Reviews, O, _, BATCH>::new(optimizer, BinaryCrossEntropy::default());
        let before = checkpoint_of(&trainer, &model);
        let named = |found: Result<Report, TrainError>| match found {
            Err(TrainError::OutOfRange(error)) => assert_eq!(error.what, what),
            found => panic!("{what}: {found:?}"),
        };
        named(trainer.step(&mut model, &ids, &labels));
        named(trainer.epoch(&mut model, &ids, &labels));
        assert!(checkpoint_of(&trainer, &model) == before, "{what}: nothing is learnt");
    }
    for learning_rate in [f32::NAN, f32::INFINITY, -0.01] {
        check(Sgd { learning_rate }, "learning_rate");
        check(Adam { learning_rate, ..Adam::default() }, "learning_rate");
        check(Exact(Momentum { learning_rate, ..Momentum::default() }), "learning_rate");
    }
    check(Adam { beta_2: 1.0, ..Adam::default() }, "beta_2");
    check(Exact(Momentum { momentum: f32::NAN, ..Momentum::default() }), "momentum");
}

/// A loss whose numbers are out of range is named before anything is learnt.
#[test]
fn losses_outside_their_range_are_named() {
    fn check<L: Loss<[f32; 1], Label = [f32; 1]>>(loss: L, what: &str) {
        let mut model: Reviews = initial();
        let mut trainer = Trainer::<Reviews, _, L, BATCH>::new(Sgd::default(), loss);
        match trainer.step(&mut model, &[[1, 2, 0, 0]; 3], &[[1.0]; 3]) {
            Err(TrainError::OutOfRange(error)) => assert_eq!(error.what, what),
            found => panic!("{what}: {found:?}"),
        }
        assert_eq!(trainer.steps(), 0);
    }
    for label_smoothing in [2.0, -1.0, f32::NAN] {
        let loss = BinaryCrossEntropy { label_smoothing };
        check(loss, "label_smoothing");
        check(OnProbabilities(loss), "label_smoothing");
        check(ClassWeights { loss, weights: [1.0, 1.0] }, "label_smoothing");
        let categorical = CategoricalCrossEntropy { label_smoothing };
        let found = Loss::<[f32; 3]>::check(&SampleWeights(OnProbabilities(categorical)));
        assert_eq!(found.unwrap_err().what, "label_smoothing");
    }
    for weight in [-4.0, f32::NAN, f32::INFINITY] {
        check(ClassWeights { loss: BinaryCrossEntropy::default(), weights: [1.0, weight] }, "class weight");
    }
}

#[test]
fn texts_without_words_are_padding() {
    let tokenizer = HashingTokenizer::new(10);
    for text in ["", " ", "\n\t ", "!?.", "... , !", "\u{a}"] {
        let ids: [u16; 4] = tokenizer.encode(text).expect("u16 holds 10 rows");
        assert_eq!(ids, [0; 4], "{text:?}");
        assert!(initial::<Reviews>().predict(&ids).expect("padding is a valid input")[0].is_finite());
    }
    let empty = initial::<EmbeddingBag<4, 10, 3>>().predict(&Bag::default()).expect("an empty bag");
    assert_eq!(empty, [0.0; 3], "an empty bag gives zeros");
    let masked = sequential_of_padding();
    assert_eq!(masked, 0.5, "only padding: the scores of no word");
}

/// A fully masked text through a layer that honours the mask: the sigmoid of the bias, 0.
fn sequential_of_padding() -> f32 {
    type Masked = sequential![Embedding<4, 10, 3, u16, MaskZero>, Flatten<4, 3, 12>, Dense<12, 1, Sigmoid>];
    initial::<Masked>().predict(&[0; 4]).expect("padding is a valid input")[0]
}

#[test]
fn ids_outside_the_table_by_each_policy() {
    let rows = [[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let table = Table::from_rows(&rows);
    let ids = [2_i32, -1, 3, 0];
    let error = |position, index| IndexOutOfRange { position, index, rows: 3 };
    assert_eq!(Indices::new(&ids, 3).unwrap_err(), error(1, -1));
    assert_eq!(Indices::from_end(&ids, 3).unwrap_err(), error(2, 3));
    assert_eq!(Indices::from_end(&[-4_i32], 3).unwrap_err(), error(0, -4));
    assert_eq!(Indices::mapping(&ids, 3, 3).unwrap_err(), RowOutOfRange { row: 3, rows: 3 });
    let mut out = [7.0; 8];
    gather(table, Indices::skipping(&ids, 3), &mut out).unwrap();
    assert_eq!(out, [5.0, 6.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
    gather(table, Indices::mapping(&ids, 3, 1).unwrap(), &mut out).unwrap();
    assert_eq!(out, [5.0, 6.0, 3.0, 4.0, 3.0, 4.0, 1.0, 2.0]);
    gather(table, Indices::from_end(&ids[..2], 3).unwrap(), &mut out[..4]).unwrap();
    assert_eq!(out[..4], [5.0, 6.0, 5.0, 6.0]);

    // Checked against another table, or with an output of another length: refused before anything is written.
    let mut out = [7.0; 4];
    let found = gather(table, Indices::skipping(&ids, 4), &mut out);
    assert!(matches!(found, Err(ShapeMismatch { .. })));
    let found = gather(table, Indices::skipping(&ids, 3), &mut out);
    assert!(matches!(found, Err(ShapeMismatch { expected: 8, found: 4, .. })));
    assert_eq!(out, [7.0; 4]);
}

#[test]
fn offsets_that_decrease_and_lengths_that_differ() {
    let rows = [[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let indices = Indices::new(&[0_u8, 1, 2], 3).unwrap();
    assert_eq!(
        Bags::new(indices, &[0, 2, 1, 3]).unwrap_err(),
        BagError::OffsetsDecrease { bag: 1, start: 2, end: 1 }
    );
    assert_eq!(Bags::new(indices, &[0, 2]).unwrap_err(), BagError::OffsetsEnd { offset: 2, indices: 3 });
    let bags = Bags::new(indices, &[0, 0, 3]).unwrap();
    let mut out = [7.0; 6];
    assert!(pool(Table::from_rows(&rows), &bags, Pooling::Mean, &mut out).is_err());
    assert!(pool(Table::from_rows(&rows[..2]), &bags, Pooling::Mean, &mut out[..4]).is_err());
    assert_eq!(out, [7.0; 6]);
    pool(Table::from_rows(&rows), &bags, Pooling::Mean, &mut out[..4]).unwrap();
    assert_eq!(out, [0.0, 0.0, 3.0, 4.0, 7.0, 7.0]);
}

#[test]
fn predictions_of_bad_inputs() {
    let model = initial::<Reviews>();
    assert_eq!(model.predict(&[0, 9, 10, 11]), Err(outside(0, 2, 10)));
    let mut y = [[7.0]; 3];
    let mut workspace = zerocopy::FromZeros::new_zeroed();
    let good = [[1, 2, 3, 4]; 3];
    let found = model.predict_batch::<3>(&[[0; 4], [9; 4], [0, u16::MAX, 0, 0]], &mut workspace, &mut y);
    assert_eq!(found, Err(outside(2, 1, 65_535)), "the position is one in the example");
    let found = model.predict_batch::<3>(&good[..2], &mut workspace, &mut y);
    assert_eq!(
        found,
        Err(InputError::Shape(ShapeMismatch { what: "number of examples", expected: 2, found: 3 }))
    );
    let mut small = zerocopy::FromZeros::new_zeroed();
    let found = model.predict_batch::<2>(&good, &mut small, &mut y);
    assert_eq!(found, Err(InputError::Capacity(CapacityExceeded { what: BATCHES, capacity: 2, needed: 3 })));
    assert_eq!(y, [[7.0]; 3]);
    model.predict_batch::<3>(&[], &mut workspace, &mut []).expect("no example is a batch");

    let bags = initial::<Classes>();
    let bag = |ids: &[u16]| Bag::<4>::from_ids(ids.iter().copied()).expect("at most 4 ids");
    assert_eq!(bags.predict(&bag(&[1, 12])), Err(outside(0, 1, 12)));
    let mut y = [[7.0; 3]; 2];
    let mut workspace = zerocopy::FromZeros::new_zeroed();
    let found = bags.predict_batch::<2>(&[bag(&[1, 2]), bag(&[3, 10])], &mut workspace, &mut y);
    assert_eq!((found, y), (Err(outside(1, 1, 10)), [[7.0; 3]; 2]));
    let full = CapacityExceeded { what: "ids of a bag (CAPACITY)", capacity: 4, needed: 5 };
    assert_eq!(Bag::<4>::from_ids([0_u16; 5]), Err(full));
    assert_eq!(Bag::<4>::from_first([1_u16, 2, 3, 4, 5]).ids(), [1, 2, 3, 4]);
    assert_eq!(initial::<Embedding<2, 10, 3, i32>>().predict(&[3, -1]), Err(outside(0, 1, -1)));
}

/// Whatever is wrong, the call that finds it leaves model, slots, steps and epochs as they were, and the next one works.
fn check_training<O: Optimizer + Copy>(optimizer: O) {
    let mut trainer = Trainer::<Reviews, O, _, BATCH>::new(optimizer, BinaryCrossEntropy::default());
    let mut model = initial::<Reviews>();
    let ids: Vec<[u16; 4]> = (0..9).map(|i| [i, 9 - i, 3, 1]).collect();
    let labels: Vec<[f32; 1]> = (0..9).map(|i| [(i % 2) as f32]).collect();
    trainer.epoch(&mut model, &ids, &labels).expect("valid examples");
    let before = checkpoint_of(&trainer, &model);

    let mut bad_ids = ids.clone();
    bad_ids[7] = [1, 2, 3, 10];
    let shape = |expected, found| {
        TrainError::Input(InputError::Shape(ShapeMismatch { what: "number of labels", expected, found }))
    };
    let id = TrainError::Input(outside(7, 3, 10));
    assert_eq!(trainer.epoch(&mut model, &bad_ids, &labels), Err(id));
    assert_eq!(trainer.evaluate(&model, &bad_ids, &labels), Err(id));
    assert_eq!(
        trainer.step(&mut model, &bad_ids[6..8], &labels[..2]),
        Err(TrainError::Input(outside(1, 3, 10)))
    );
    assert_eq!(trainer.epoch(&mut model, &ids, &labels[..8]), Err(shape(9, 8)));
    assert_eq!(trainer.evaluate(&model, &ids[..1], &labels), Err(shape(1, 9)));
    assert_eq!(trainer.step(&mut model, &ids[..2], &labels[..3]), Err(shape(2, 3)));
    for label in [f32::NAN, f32::INFINITY, -f32::INFINITY, -0.1, 1.1, -f32::MIN_POSITIVE, 1.0_f32.next_up()] {
        let mut bad_labels = labels.clone();
        bad_labels[5] = [label];
        let named = |found: Result<Report, TrainError>, at| match found {
            Err(TrainError::Label { position, error: LabelError::Probability { output: 0, value } }) => {
                assert_eq!((position, value.to_bits()), (at, label.to_bits()));
            }
            found => panic!("{label}: {found:?}"),
        };
        named(trainer.epoch(&mut model, &ids, &bad_labels), 5);
        named(trainer.evaluate(&model, &ids, &bad_labels), 5);
        named(trainer.step(&mut model, &ids[4..6], &bad_labels[4..6]), 1);
    }
    let full = CapacityExceeded { what: BATCHES, capacity: BATCH, needed: 5 }.into();
    assert_eq!(trainer.step(&mut model, &ids[..5], &labels[..5]), Err(full));
    assert_eq!(trainer.step(&mut model, &[], &[]), Err(TrainError::NoExamples));
    assert_eq!(trainer.evaluate(&model, &[], &[]), Err(TrainError::NoExamples));
    assert_eq!(trainer.epoch(&mut model, &[], &[]), Err(TrainError::NoExamples));
    assert!(checkpoint_of(&trainer, &model) == before, "{}: a refused call left a trace", O::NAME);

    assert_eq!((trainer.steps(), trainer.epochs()), (3, 1));
    trainer.epoch(&mut model, &ids, &labels).expect("valid examples");
    assert!(checkpoint_of(&trainer, &model) != before);
}

#[test]
fn bad_examples_teach_nothing() {
    check_training(Sgd::default());
    check_training(Momentum::default());
    check_training(Adam::default());
    check_training(Exact(Momentum::default()));
    check_training(Exact(Adam::default()));
}

#[test]
fn labels_out_of_range() {
    type Sparse = SparseCategoricalCrossEntropy;
    let check = |class| Loss::<[f32; 3]>::check_label(&Sparse::default(), &class);
    let no_class = |class| LabelError::Class { class, classes: 3 };
    assert_eq!([0, 2, 3, u16::MAX].map(check), [Ok(()), Ok(()), Err(no_class(3)), Err(no_class(65_535))]);
    let found = Loss::<[f32; 3]>::check_label(&OnProbabilities(Sparse::default()), &3);
    assert_eq!(found, Err(no_class(3)));
    let mut trainer = Trainer::<Classes, _, _, BATCH>::new(Adam::default(), SparseCategoricalCrossEntropy);
    let mut model = initial::<Classes>();
    let before = checkpoint_of(&trainer, &model);
    let bags = [Bag::from_first([1, 2, 3]), Bag::default()];
    let error = |class| Err(TrainError::Label { position: 1, error: no_class(class) });
    assert_eq!(trainer.step(&mut model, &bags, &[2, 3]), error(3));
    assert_eq!(trainer.epoch(&mut model, &bags, &[0, u16::MAX]), error(65_535));
    assert_eq!(trainer.evaluate(&model, &bags, &[0, 3]), error(3));
    assert!(checkpoint_of(&trainer, &model) == before);

    let mut trainer =
        Trainer::<Classes, _, _, BATCH>::new(Adam::default(), CategoricalCrossEntropy::default());
    for bad in [f32::NAN, f32::INFINITY, -0.5, 1.5] {
        let found = trainer.step(&mut model, &bags, &[[0.0, 1.0, 0.0], [0.0, bad, 0.0]]);
        match found {
            Err(TrainError::Label { position: 1, error: LabelError::Probability { output: 1, value } }) => {
                assert_eq!(value.to_bits(), bad.to_bits());
            }
            found => panic!("{bad}: {found:?}"),
        }
    }
    assert!(image_of(&model) == image_of(&initial::<Classes>()));
}

/// A number that is none, anywhere in a model, reaches the loss through each activation, and the step is not taken.
fn check_not_a_number<A: ActivationFunction, E: ActivationFunction, L: Loss<[f32; 2]> + Copy>(
    loss: L,
    label: L::Label,
    bad: f32,
) where
    Deep<A, E>: Layer<Input = [u16; 4], Output = [f32; 2]>,
{
    let what = format!("{bad} through {}", A::KIND.name());
    let mut trainer = Trainer::<Deep<A, E>, _, L, BATCH>::new(Adam::default(), loss);
    let mut model = initial::<Deep<A, E>>();
    trainer.step(&mut model, &[[1, 2, 3, 4]], &[label]).expect("finite numbers");
    model.first.rows[5][1] = bad;
    let before = checkpoint_of(&trainer, &model);
    let found = trainer.step(&mut model, &[[1, 2, 3, 4], [1, 5, 2, 0]], &[label; 2]);
    assert_eq!(found, Err(row_not_finite(2, "Embedding")), "{what}");
    let found = trainer.epoch(&mut model, &[[5, 0, 0, 0]], &[label]);
    assert_eq!(found, Err(row_not_finite(2, "Embedding")), "{what}");
    assert!(checkpoint_of(&trainer, &model) == before, "{what} taught something");
    let report = trainer.evaluate(&model, &[[1, 5, 2, 0]], &[label]).expect("a valid input");
    assert!(!report.loss.is_finite(), "{what}: {report:?}");
    assert!(model.predict(&[1, 5, 2, 0]).expect("valid ids").iter().all(|y| y.is_nan()), "{what}");
    // Rows without it go on learning.
    trainer.step(&mut model, &[[1, 2, 3, 4]], &[label]).expect("finite numbers");
}

type Deep<A, E> = sequential![Embedding<4, 10, 3>, Flatten<4, 3, 12>, Dense<12, 6, A>, Dense<6, 2, E>];

#[test]
fn not_a_number_is_not_learnt_from() {
    fn check_losses<A: ActivationFunction>() {
        check_not_a_number::<A, Softmax, _>(CategoricalCrossEntropy::default(), [0.0, 1.0], f32::NAN);
        check_not_a_number::<A, Softmax, _>(SparseCategoricalCrossEntropy, 1, f32::NAN);
        check_not_a_number::<A, Softmax, _>(
            OnProbabilities(CategoricalCrossEntropy::default()),
            [0.0, 1.0],
            f32::NAN,
        );
        check_not_a_number::<A, Softmax, _>(OnProbabilities(SparseCategoricalCrossEntropy), 1, f32::NAN);
        check_not_a_number::<A, Sigmoid, _>(
            OnProbabilities(BinaryCrossEntropy::default()),
            [0.0, 1.0],
            f32::NAN,
        );
    }
    check_losses::<Identity>();
    check_losses::<Relu>();
    check_losses::<Sigmoid>();
    check_losses::<Softmax>();
    check_losses::<Tanh>();
}

/// Also of a bag, and of the binary loss on scores.
#[test]
fn not_a_number_in_a_bag() {
    type Binary = sequential![EmbeddingBag<4, 10, 3, Sum>, Dense<3, 1, Sigmoid>];
    for bad in [f32::NAN, f32::INFINITY, -f32::INFINITY] {
        let mut trainer = Trainer::<Binary, _, _, BATCH>::new(Sgd::default(), BinaryCrossEntropy::default());
        let mut model = initial::<Binary>();
        model.first.rows[5] = [bad, 0.0, 0.0];
        let before = checkpoint_of(&trainer, &model);
        for label in [0.0, 0.5, 1.0] {
            let found = trainer.step(&mut model, &[Bag::from_first([5_u16])], &[[label]]);
            if found.is_err() || bad.is_nan() {
                assert_eq!(found, Err(row_not_finite(1, "EmbeddingBag")), "{bad}, label {label}");
                assert!(checkpoint_of(&trainer, &model) == before, "{bad}, label {label}");
            }
        }
    }
}

/// Steps before the bad batch of an epoch stay; the error says which step was not taken.
#[test]
fn an_epoch_stops_at_the_batch_that_is_not_finite() {
    let mut trainer =
        Trainer::<Reviews, _, _, BATCH>::new(Exact(Adam::default()), BinaryCrossEntropy::default());
    trainer.set_shuffle(false);
    let mut model = initial::<Reviews>();
    let mut ids = vec![[1, 2, 3, 4]; 12];
    ids[9] = [1, 2, 5, 5];
    model.first.rows[5][0] = f32::NAN;
    assert_eq!(trainer.epoch(&mut model, &ids, &[[1.0]; 12]), Err(row_not_finite(3, "Embedding")));
    assert_eq!((trainer.steps(), trainer.epochs()), (2, 0));
}
