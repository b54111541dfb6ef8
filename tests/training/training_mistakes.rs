//! What looks like a trained model and is none: each is an error that names the cure, or cannot be written.

use crate::common::{Random, parameter_bytes};
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{
    Activation, Branches, Dense, Dot, Dropout, Embedding, F16Row, Flatten, FrozenRows, Layer, Packed,
    Sigmoid, Softmax,
};
use nanoembed::loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, ClassWeights, FromLogits, KnownClasses, Loss,
    MeanSquaredError, OnProbabilities, SampleWeights, SparseCategoricalCrossEntropy, Weighted,
};
use nanoembed::optim::{
    Adam, AdamW, CenteredRmsProp, Clip, Clipped, Exact, L2Decay, Momentum, Optimizer, RmsProp,
    RowwiseAdagrad, Sgd,
};
use nanoembed::sequential;
use nanoembed::table::Aligned;
use nanoembed::train::{EarlyStopping, TrainError, Trainer};
use nanoembed::{image, keras};
use rand_core::SeedableRng;

type Reviews = sequential![Embedding<3, 9, 4>, Flatten<3, 4, 12>, Dense<12, 1, Sigmoid>];
type Logits = sequential![Embedding<3, 9, 4>, Flatten<3, 4, 12>, Dense<12, 1>];

const IDS: [[u16; 3]; 4] = [[1, 2, 3], [4, 5, 6], [7, 8, 1], [2, 2, 5]];
const LABELS: [[f32; 1]; 4] = [[1.0], [0.0], [0.0], [1.0]];

fn random() -> Random {
    Random::seed_from_u64(4)
}

fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 2e-6, "{what}: {found}, Keras {expected}");
    }
}

const X: [[f32; 2]; 5] = [[1.0, 2.0], [-1.0, 0.5], [0.5, -1.5], [2.0, 1.0], [-2.0, -1.0]];
const OTHERS: [[f32; 2]; 3] = [[0.5, 1.0], [1.0, -1.0], [-0.5, 2.0]];

/// What Keras 3 reports of a training with class weights.
struct Keras<'a> {
    loss: [f32; 3],
    val_loss: [f32; 3],
    with_sample_weights: f32,
    weights: &'a [f32],
}

/// Trains as `tests/oracle/make/class_weights.py` does.
fn check_class_weights<M, L, const CLASSES: usize>(
    what: &str,
    mut model: M,
    loss: ClassWeights<L, CLASSES>,
    (labels, other_labels): (&[L::Label], &[L::Label]),
    keras: &Keras<'_>,
) where
    M: Layer<Input = [f32; 2]>,
    L: Loss<M::Output> + Copy,
    ClassWeights<L, CLASSES>: Loss<M::Output, Label = L::Label> + Copy,
    SampleWeights<ClassWeights<L, CLASSES>>: Loss<M::Output, Label = Weighted<L::Label>>,
{
    let mut best = M::zeroed();
    let mut stopping = EarlyStopping::new(&mut best, 9);
    let mut trainer = Trainer::<M, _, _, 2>::new(Sgd { learning_rate: 0.1 }, loss);
    trainer.set_shuffle(false);
    let (mut losses, mut val_losses) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        losses.push(trainer.epoch(&mut model, &X, labels).expect("valid examples").loss);
        let of_others = trainer.evaluate(&model, &OTHERS, other_labels).expect("valid examples").loss;
        assert!(stopping.observe(&model, of_others).is_continue());
        val_losses.push(of_others);
    }
    assert_close(&format!("{what}: loss"), &losses, &keras.loss);
    assert_close(&format!("{what}: val_loss"), &val_losses, &keras.val_loss);
    let (_, watched) = stopping.best().expect("three epochs");
    assert!(val_losses.iter().all(|loss| watched <= *loss), "{what}: {watched}");
    let found: Vec<f32> =
        parameter_bytes(&model).as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_close(&format!("{what}: weights"), &found, keras.weights);

    // Weights that evaluation is given count in it, as in Keras; those of the classes still do not.
    let weighed: Vec<_> = other_labels
        .iter()
        .zip([1.0, 3.0, 0.5])
        .map(|(label, weight)| Weighted { label: *label, weight })
        .collect();
    let mut trainer = Trainer::<M, _, _, 2>::new(Sgd::default(), SampleWeights(loss));
    let found = trainer.evaluate(&model, &OTHERS, &weighed).expect("valid examples").loss;
    assert_close(&format!("{what}: evaluate with weights"), &[found], &[keras.with_sample_weights]);
}

/// Class weights act where something is learnt; evaluation, and early stopping with it, sees the loss without them.
#[test]
fn class_weights_stay_out_of_evaluation() {
    let mut model = Dense::<2, 1, Sigmoid>::zeroed();
    (model.kernel, model.bias) = ([[0.5], [-0.25]], [0.1]);
    let loss = ClassWeights { loss: BinaryCrossEntropy::default(), weights: [1.0, 4.0] };
    let keras = Keras {
        loss: [1.054_128_9, 0.668_581_6, 0.509_941_46],
        val_loss: [0.800_920_66, 0.712_434_05, 0.656_017_8],
        with_sample_weights: 1.342_320_1,
        weights: &[0.965_467_6, 0.363_587_65, 0.175_717_22],
    };
    let labels = ([[1.0], [0.0], [0.0], [1.0], [0.0]], [[1.0], [0.0], [1.0]]);
    check_class_weights("binary", model, loss, (&labels.0, &labels.1), &keras);

    let mut model = Dense::<2, 3, Softmax>::zeroed();
    (model.kernel, model.bias) = ([[0.5, -0.25, 0.1], [0.2, 0.3, -0.4]], [0.1, 0.0, -0.1]);
    let loss = ClassWeights { loss: SparseCategoricalCrossEntropy, weights: [1.0, 0.25, 4.0] };
    let keras = Keras {
        loss: [0.759_526_6, 0.550_450_9, 0.430_268_05],
        val_loss: [1.564_051_8, 1.606_869_1, 1.652_686],
        with_sample_weights: 3.074_069,
        weights: &[
            0.570_674_9,
            -0.460_404_87,
            0.239_730_02,
            0.537_780_94,
            0.307_027_2,
            -0.744_808_1,
            0.031_324_07,
            -0.081_634_58,
            0.050_310_53,
        ],
    };
    check_class_weights("sparse", model, loss, (&[0, 1, 2, 0, 1], &[2, 1, 0]), &keras);
}

/// No data is an error wherever something is learnt or measured, before anything changes.
#[test]
fn no_examples_are_no_success() {
    let mut model = Reviews::new(&mut random());
    let mut trainer = Trainer::<Reviews, _, _, 2>::new(Adam::default(), BinaryCrossEntropy::default());
    let before = parameter_bytes(&model);
    assert_eq!(trainer.epoch(&mut model, &[], &[]), Err(TrainError::NoExamples));
    assert_eq!(trainer.step(&mut model, &[], &[]), Err(TrainError::NoExamples));
    assert_eq!(trainer.evaluate(&model, &[], &[]), Err(TrainError::NoExamples));
    let mut shown = 0;
    assert!(trainer.epoch_with(&mut model, &[], &[], |_| shown += 1).is_err());
    assert!(trainer.evaluate_with(&model, &[], &[], |_, _| shown += 1).is_err());
    assert_eq!((shown, trainer.steps(), trainer.epochs()), (0, 0, 0));
    assert!(parameter_bytes(&model) == before);
    assert!(TrainError::NoExamples.to_string().contains("no examples"));
    trainer.predict(&model, &[], &mut []).expect("nothing to predict is no claim");
}

/// The constructors draw what `init` draws.
#[test]
fn constructors_initialise() {
    let mut drawn = Reviews::zeroed();
    drawn.init(&mut random());
    assert!(parameter_bytes(&Reviews::new(&mut random())) == parameter_bytes(&drawn));
    assert!(parameter_bytes(&drawn).iter().any(|byte| *byte != 0));
    #[cfg(feature = "alloc")]
    {
        assert!(parameter_bytes(&*Reviews::boxed(&mut random())) == parameter_bytes(&drawn));
        assert!(parameter_bytes(&*Reviews::boxed_zeroed()) == parameter_bytes(&Reviews::zeroed()));
    }
}

fn is_refused<M: Layer<Output = [f32; 1]>>(mut model: M, x: M::Input) -> bool {
    let before = parameter_bytes(&model);
    let mut trainer = Trainer::<M, _, _, 2>::new(Sgd::default(), MeanSquaredError);
    let step = trainer.step(&mut model, &[x], &[[1.0]]);
    let epoch = trainer.epoch(&mut model, &[x], &[[1.0]]);
    let refused = step == Err(TrainError::NotInitialised);
    assert_eq!(refused, epoch == Err(TrainError::NotInitialised));
    assert!(refused == (parameter_bytes(&model) == before), "what is not refused learns");
    refused
}

/// Layers after each other do not learn from zeros, and say so; one layer does, and is let.
#[test]
fn a_forgotten_init_is_noticed() {
    type Row = sequential![Embedding<1, 4, 2>, Flatten<1, 2, 2>];
    type Likes = sequential![Branches<Row, Row>, Dot<2>];
    type Deep = sequential![Dense<2, 3>, Dense<3, 1>];
    type Partly = sequential![FrozenRows<Embedding<3, 9, 4>, 1>, Flatten<3, 4, 12>, Dense<12, 1, Sigmoid>];
    type Small =
        sequential![Packed<Embedding<3, 9, 4>, F16Row<4>, 9>, Flatten<3, 4, 12>, Dense<12, 1, Sigmoid>];
    let pair = nanoembed::pairs![[1], [2]];
    assert!(is_refused(Reviews::zeroed(), [1, 2, 3]));
    assert!(is_refused(Likes::zeroed(), pair));
    assert!(is_refused(Deep::zeroed(), [1.0, 2.0]));
    assert!(!is_refused(Reviews::new(&mut random()), [1, 2, 3]));
    assert!(!is_refused(Likes::new(&mut random()), pair));
    assert!(!is_refused(Deep::new(&mut random()), [1.0, 2.0]));
    // Which rows are frozen is no parameter.
    let mut padding = Partly::zeroed();
    padding.first.freeze(0).expect("a row");
    assert!(is_refused(padding, [1, 2, 3]));
    let mut padding = Partly::new(&mut random());
    padding.first.freeze(0).expect("a row");
    assert!(!is_refused(padding, [1, 2, 3]));
    // Rows that are bytes count as well.
    let mut packed = Small::zeroed();
    assert!(is_refused(Small::zeroed(), [1, 2, 3]));
    packed.first.quantise_from(&Embedding::new(&mut random()));
    assert!(!is_refused(packed, [1, 2, 3]));
    // Logistic regression, which zeros are a fair start of.
    assert!(!is_refused(Dense::<2, 1, Sigmoid>::zeroed(), [1.0, 2.0]));
    assert!(!is_refused(<sequential![Dense<2, 1>, Activation<[f32; 1], Sigmoid>]>::zeroed(), [1.0, 2.0]));
    let message = TrainError::NotInitialised.to_string();
    assert!(message.contains("`new`") && message.contains("`init`"), "{message}");

    // Weights from elsewhere.
    let mut bytes = Aligned([0; image::size::<Reviews>()]);
    image::write(&Reviews::new(&mut random()), &mut *bytes).expect("the right length");
    let mut model = Reviews::zeroed();
    image::read_into(&*bytes, &mut model).expect("its image");
    assert!(!is_refused(model, [1, 2, 3]));
}

type Masked = sequential![Embedding<3, 9, 4, u16, MaskZero>, Flatten<3, 4, 12>, Dense<12, 1, Sigmoid>];

/// What waits for `flush` after single steps: whether the trainer refused to evaluate, and to predict.
fn refuses<O: Optimizer + Copy>(optimizer: O) -> bool {
    type Training<O> = Trainer<Masked, O, BinaryCrossEntropy, 2>;
    let loss = BinaryCrossEntropy::default();
    let (mut model, mut trainer) = (Masked::new(&mut random()), Training::<O>::new(optimizer, loss));
    let mut y = [[7.0]; 4];
    trainer.evaluate(&model, &IDS, &LABELS).expect("nothing waits before the first step");
    trainer.epoch(&mut model, &IDS, &LABELS).expect("valid examples");
    trainer.evaluate(&model, &IDS, &LABELS).expect("nothing waits after an epoch");
    for range in [0..2, 2..4, 0..2] {
        trainer.step(&mut model, &IDS[range.clone()], &LABELS[range]).expect("valid examples");
    }
    let evaluated = trainer.evaluate(&model, &IDS, &LABELS);
    let predicted = trainer.predict(&model, &IDS, &mut y);
    let refused = evaluated == Err(TrainError::NotFlushed);
    assert_eq!(refused, predicted == Err(TrainError::NotFlushed));
    assert_eq!(refused, y == [[7.0]; 4], "nothing is written");

    // What waits is in the checkpoint, and nothing waits after it is resumed.
    let mut bytes = vec![0; Training::<O>::CHECKPOINT_SIZE];
    trainer.checkpoint(&model, &mut bytes).expect("the right length");
    let (mut same, mut other) = (Masked::zeroed(), Training::<O>::new(optimizer, loss));
    other.resume(&mut same, &bytes).expect("its own checkpoint");
    trainer.flush(&mut model);
    let expected = trainer.evaluate(&model, &IDS, &LABELS).expect("flushed");
    assert_eq!(other.evaluate(&same, &IDS, &LABELS).expect("resumed"), expected);
    assert!(parameter_bytes(&same) == parameter_bytes(&model));
    trainer.epoch(&mut model, &IDS, &LABELS).expect("valid examples");
    other.epoch(&mut same, &IDS, &LABELS).expect("valid examples");
    assert!(parameter_bytes(&same) == parameter_bytes(&model), "and training goes on the same");
    refused
}

#[test]
fn a_forgotten_flush_is_noticed() {
    assert!(refuses(Exact(Adam::default())));
    assert!(refuses(Exact(Momentum::default())));
    assert!(!refuses(Adam::default()));
    assert!(!refuses(RowwiseAdagrad::default()));
    // Exact, but no row waits.
    assert!(!refuses(Exact(Sgd::default())));
    assert!(!refuses(keras::Keras::new(RmsProp::default()).clip(Clip::Value(1.0))));
    assert!(refuses(keras::Keras::new(RmsProp::default()).weight_decay(0.1)));
    assert!(TrainError::NotFlushed.to_string().contains("`flush`"));
}

/// A model that gives scores learns by name the same bits as one that ends with the activation.
#[test]
fn scores_are_learnt_from_by_name() {
    type Kept = sequential![Logits, Dropout<[f32; 1], 100>];
    type Chances = sequential![Reviews, Dropout<[f32; 1], 100>];
    let (mut fused, mut logits) = (Reviews::new(&mut random()), Logits::new(&mut random()));
    let loss = BinaryCrossEntropy { label_smoothing: 0.1 };
    let mut trainer = Trainer::<Reviews, _, _, 3>::new(Adam::default(), loss);
    let mut by_name = Trainer::<Logits, _, _, 3>::new(Adam::default(), FromLogits(loss));
    for _ in 0..5 {
        let expected = trainer.epoch(&mut fused, &IDS, &LABELS).expect("valid examples");
        assert_eq!(by_name.epoch(&mut logits, &IDS, &LABELS), Ok(expected));
    }
    // What passes scores on, or probabilities, changes nothing of what is right.
    let loss = BinaryCrossEntropy::default();
    let _ = Trainer::<Kept, _, _, 3>::new(Adam::default(), FromLogits(loss));
    let _ = Trainer::<Chances, _, _, 3>::new(Adam::default(), OnProbabilities(loss));
    assert_eq!(by_name.evaluate(&logits, &IDS, &LABELS), trainer.evaluate(&fused, &IDS, &LABELS));
    assert!(parameter_bytes(&fused) == parameter_bytes(&logits));
    let by_name = FromLogits(SampleWeights(CategoricalCrossEntropy { label_smoothing: 2.0 }));
    assert_eq!(Loss::<[f32; 3]>::check(&by_name).expect_err("out of range").what, "label_smoothing");
    let label = Weighted { label: [0.0, 1.0], weight: -1.0 };
    assert!(FromLogits(SampleWeights(CategoricalCrossEntropy::default())).check_label(&label).is_err());
}

type Few = sequential![Embedding<3, 9, 4>, Flatten<3, 4, 12>, Dense<12, 3, Softmax>];
type Many = sequential![Embedding<3, 9, 4>, Flatten<3, 4, 12>, Dense<12, 8, Softmax>];
const CLASSES: [u16; 4] = [0, 2, 1, 2];

/// A model with room for eight classes that has the three of `few`, and five by chance.
fn widened(few: &Few) -> Many {
    let mut many = Many::new(&mut Random::seed_from_u64(9));
    many.first.rows = few.first.rows;
    let (from, to) = (&few.second.second, &mut many.second.second);
    for (from, to) in from.kernel.iter().zip(&mut to.kernel) {
        to[..3].copy_from_slice(from);
    }
    to.bias[..3].copy_from_slice(&from.bias);
    many
}

/// With the number of classes a model with room for more learns the bits of one that has no more room, and gives the rest nothing.
fn check_known_classes<O: Optimizer + Copy>(optimizer: O) {
    let mut few = Few::new(&mut random());
    let mut many = widened(&few);
    let loss = KnownClasses { loss: SparseCategoricalCrossEntropy, classes: 3 };
    let mut expected = Trainer::<Few, O, _, 2>::new(optimizer, SparseCategoricalCrossEntropy);
    let mut trainer = Trainer::<Many, O, _, 2>::new(optimizer, loss);
    for _ in 0..30 {
        let report = expected.epoch(&mut few, &IDS, &CLASSES).expect("valid examples");
        assert_eq!(trainer.epoch(&mut many, &IDS, &CLASSES), Ok(report), "{}", O::NAME);
    }
    let report = expected.evaluate(&few, &IDS, &CLASSES).expect("valid examples");
    let mut shown = Vec::new();
    let found = trainer.evaluate_with(&many, &IDS, &CLASSES, |y, _| shown.push(*y));
    assert_eq!(found, Ok(report), "{}", O::NAME);
    assert!(many.first.rows == few.first.rows, "{}", O::NAME);
    assert_eq!(many.second.second.bias[3..], [<Dense<4, 2> as Layer>::CLOSED; 5], "{}", O::NAME);

    // Firmware has the image alone.
    let mut bytes = Aligned([0; image::size::<Many>()]);
    image::write(&many, &mut *bytes).expect("the right length");
    let read = image::read::<Many>(&*bytes).expect("its image");
    for ids in IDS.into_iter().chain([[0; 3], [8, 8, 8]]) {
        let expected = few.predict(&ids).expect("valid ids");
        let y = read.predict(&ids).expect("valid ids");
        assert_eq!((&y[..3], &y[3..]), (&expected[..], &[0.0; 5][..]), "{}", O::NAME);
    }
    assert_eq!(shown[2], read.predict(&IDS[2]).expect("valid ids"));
}

#[test]
fn classes_that_do_not_exist_get_nothing() {
    let adam = Adam { learning_rate: 0.1, ..Adam::default() };
    check_known_classes(Sgd { learning_rate: 0.5 });
    check_known_classes(Momentum { learning_rate: 0.1, nesterov: true, ..Momentum::default() });
    check_known_classes(adam);
    check_known_classes(Exact(adam));
    // Decay, of which one step is all of a weight, and an average that has no difference of infinities.
    check_known_classes(AdamW { optimizer: adam, weight_decay: 9.0 });
    check_known_classes(L2Decay { optimizer: Sgd { learning_rate: 0.5 }, weight_decay: 0.1 });
    check_known_classes(L2Decay { optimizer: adam, weight_decay: 0.1 });
    check_known_classes(L2Decay { optimizer: CenteredRmsProp::default(), weight_decay: 0.1 });
    check_known_classes(Clipped { optimizer: adam, clip: Clip::Value(0.01), keras3_duplicates: false });
}

/// Without it the outputs without a class have most of the probability at first, and some later.
#[test]
fn without_the_number_of_classes_they_get_some() {
    let mut many = Many::new(&mut random());
    let rest = |model: &Many| model.predict(&IDS[0]).expect("valid ids")[3..].iter().sum::<f32>();
    assert!(rest(&many) > 0.6);
    let mut trainer = Trainer::<Many, _, _, 2>::new(Adam::default(), SparseCategoricalCrossEntropy);
    trainer.epoch(&mut many, &IDS, &CLASSES).expect("valid examples");
    assert!(rest(&many) > 0.5);
    let loss = KnownClasses { loss: SparseCategoricalCrossEntropy, classes: 3 };
    let mut trainer = Trainer::<Many, _, _, 2>::new(Adam::default(), loss);
    trainer.step(&mut many, &IDS[..1], &CLASSES[..1]).expect("valid examples");
    assert_eq!(rest(&many), 0.0);
}

#[test]
fn labels_and_numbers_of_classes_are_checked() {
    type Wrapped = sequential![Dense<2, 8>, Dropout<[f32; 8], 100>, Activation<[f32; 8], Softmax>];
    let loss = |classes| KnownClasses { loss: SparseCategoricalCrossEntropy, classes };
    let mut model = Wrapped::new(&mut random());
    let before = parameter_bytes(&model);
    let mut trainer = Trainer::<Wrapped, _, _, 4>::new(Sgd::default(), loss(3));
    let found = trainer.step(&mut model, &[[1.0, 2.0]; 2], &[2, 3]);
    assert!(matches!(found, Err(TrainError::Label { position: 1, .. })), "{found:?}");
    let found = trainer.evaluate(&model, &[[1.0, 2.0]; 2], &[7, 2]);
    assert!(matches!(found, Err(TrainError::Label { position: 0, .. })), "{found:?}");
    // One class alone teaches nothing; more than there are outputs cannot be.
    for classes in [0, 1, 9, usize::MAX] {
        let mut trainer = Trainer::<Wrapped, _, _, 4>::new(Sgd::default(), loss(classes));
        let found = trainer.epoch(&mut model, &[[1.0, 2.0]; 2], &[0, 0]);
        let named = |error: &TrainError| matches!(error, TrainError::OutOfRange(of) if of.what == "number of classes");
        assert!(found.as_ref().is_err_and(named), "{classes}: {found:?}");
        let found = trainer.evaluate(&model, &[[1.0, 2.0]; 2], &[0, 0]);
        assert!(found.as_ref().is_err_and(named), "{classes}: {found:?}");
    }
    assert!(parameter_bytes(&model) == before);
    // What passes its input on is closed by the layer in front, inside weights too.
    let weighted = SampleWeights(ClassWeights { loss: loss(3), weights: [1.0, 2.0, 0.5] });
    let mut trainer = Trainer::<Wrapped, _, _, 4>::new(Sgd::default(), weighted);
    trainer.step(&mut model, &[[1.0, 2.0]; 2], &[2.into(), 0.into()]).expect("valid examples");
    assert_eq!(model.predict(&[3.0, -1.0]).expect("valid")[3..], [0.0; 5]);
    let mut trainer = Trainer::<Dense<2, 8>, _, _, 4>::new(Sgd::default(), FromLogits(loss(3)));
    let mut model = Dense::<2, 8>::new(&mut random());
    trainer.step(&mut model, &[[1.0, 2.0]], &[2]).expect("valid examples");
    assert!(model.predict(&[3.0, -1.0]).expect("valid")[3..].iter().all(|y| *y < -1e29));
}
