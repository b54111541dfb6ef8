//! A loss as a value computes what its type does, bit for bit, and refuses what the type refuses.

use crate::common::{Random, bits_with_one_nan, draw};

use nanoembed::error::{LabelError, Range, ShapeMismatch};
use nanoembed::layers::ActivationKind;
use nanoembed::loss::{
    AnyLoss, BinaryCrossEntropy, CategoricalCrossEntropy, ClassWeights, FromLogits, KnownClasses, Labels,
    Loss, LossError, MeanAbsoluteError, MeanSquaredError, OnProbabilities, SampleWeights,
    SparseCategoricalCrossEntropy, Weighted,
};
use rand_core::{Rng, SeedableRng};

const EXAMPLES: usize = 24;
const CLASS_WEIGHTS: [f32; 9] = [0.5, 2.0, 0.0, 1.5, 3.0, 1.0, 0.25, 7.0, 1.25];
const SMOOTHING: [f32; 2] = [0.0, 0.1];

/// A label of a typed loss, and the slices that say the same.
trait Row<const K: usize>: Copy {
    fn draw(random: &mut Random) -> Self;
    fn append(self, classes: &mut Vec<u16>, numbers: &mut Vec<f32>);
    const BY_CLASS: bool;
}

impl<const K: usize> Row<K> for u16 {
    const BY_CLASS: bool = true;

    /// Now and then a class that does not exist.
    fn draw(random: &mut Random) -> Self {
        (random.next_u32() % (K as u32 + 1)) as u16
    }

    fn append(self, classes: &mut Vec<u16>, _: &mut Vec<f32>) {
        classes.push(self);
    }
}

impl<const K: usize> Row<K> for [f32; K] {
    const BY_CLASS: bool = false;

    /// Probabilities, numbers outside [0, 1], and what is not finite.
    fn draw(random: &mut Random) -> Self {
        let kind = random.next_u32() % 8;
        let mut label = std::array::from_fn(|_| match kind {
            0..4 => (random.next_u32() % 2) as f32,
            4..7 => draw(random).abs(),
            _ => 3.0 * draw(random),
        });
        if random.next_u32().is_multiple_of(8) {
            label[K / 2] = if kind < 4 { f32::NAN } else { f32::INFINITY };
        }
        label
    }

    fn append(self, _: &mut Vec<u16>, numbers: &mut Vec<f32>) {
        numbers.extend(self);
    }
}

/// Logits, small and large, or probabilities with the edges of the clip, and now and then NaN.
fn outputs<const K: usize>(random: &mut Random, probabilities: bool) -> [f32; K] {
    let scale = [1.0, 10.0, 1000.0][random.next_u32() as usize % 3];
    let mut y = std::array::from_fn(|_| {
        if probabilities {
            [draw(random).abs(), 0.0, 1.0, 1e-9][random.next_u32() as usize % 4]
        } else {
            scale * draw(random)
        }
    });
    if random.next_u32().is_multiple_of(16) {
        y[K - 1] = f32::NAN;
    }
    y
}

/// Compares the typed loss `typed`, in four ways to weigh, with the value.
fn same<const K: usize, const CLASSES: usize, L: Loss<[f32; K]> + Copy>(
    typed: L,
    any: AnyLoss<'_>,
    what: &str,
) where
    L::Label: Row<K> + nanoembed::internals::Class,
{
    let seed = K as u64;
    let weights: [f32; CLASSES] = std::array::from_fn(|class| CLASS_WEIGHTS[class]);
    let classes = ClassWeights { loss: typed, weights };
    let of_classes = any.with_class_weights(&weights);
    compare(seed, &typed, any, |label, _| label, false, &format!("{what}, {K} outputs"));
    compare(
        seed,
        &classes,
        of_classes,
        |label, _| label,
        false,
        &format!("{what}, {K} outputs, class weights"),
    );
    let weigh = |label, weight| Weighted { label, weight };
    compare(seed, &SampleWeights(typed), any, weigh, true, &format!("{what}, {K} outputs, sample weights"));
    compare(
        seed,
        &SampleWeights(classes),
        of_classes,
        weigh,
        true,
        &format!("{what}, {K} outputs, both weights"),
    );

    assert_eq!(any.fused_activation(), L::FUSED_ACTIVATION, "{what}");
    for activation in ActivationKind::ALL {
        for last in ActivationKind::ALL {
            let fits = activation.is_among(L::ACTIVATIONS) && last.is_among(L::ACTIVATIONS);
            let softmax_of_one = K == 1 && [activation, last].contains(&&ActivationKind::Softmax);
            let found = any.check(K, *activation, *last, false);
            assert_eq!(
                found.is_ok(),
                fits && !softmax_of_one,
                "{what}, {K} outputs, {activation:?}, {last:?}: {found:?}"
            );
            assert!(
                fits || matches!(found, Err(LossError::Activation { fits, .. }) if fits == L::ACTIVATIONS)
            );
            assert_eq!(of_classes.check(K, *activation, *last, false), found);
        }
    }
}

fn compare<const K: usize, L, R>(
    seed: u64,
    typed: &L,
    any: AnyLoss<'_>,
    label_of: impl Fn(R, f32) -> L::Label,
    by_sample: bool,
    what: &str,
) where
    L: Loss<[f32; K]>,
    R: Row<K>,
{
    let random = &mut Random::seed_from_u64(seed);
    let (mut classes, mut numbers, mut weights, mut typed_labels) = (vec![], vec![], vec![], vec![]);
    for i in 0..EXAMPLES {
        let row = R::draw(random);
        row.append(&mut classes, &mut numbers);
        // The last weight is none.
        let weight = if i == EXAMPLES - 1 { -1.0 } else { 2.0 * draw(random).abs() };
        weights.push(weight);
        typed_labels.push(label_of(row, weight));
    }
    let labels = if R::BY_CLASS { Labels::classes(&classes) } else { Labels::numbers(&numbers) };
    let labels = if by_sample { labels.with_weights(&weights) } else { labels };

    let expected = typed_labels
        .iter()
        .enumerate()
        .try_for_each(|(i, label)| typed.check_label(label).map_err(|error| (i, error)));
    let found = any.check_labels(&labels, EXAMPLES, K);
    assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{what}");

    let mut scratch = vec![f32::NAN; any.scratch(K)];
    for (i, label) in typed_labels.iter().enumerate() {
        let y: [f32; K] = outputs(random, any.fused_activation() == ActivationKind::Identity);
        let what = format!("{what}, example {i}");
        let (mut expected, mut found) = ([7.0; K], [7.0; K]);
        let value = typed.value_and_gradient(&y, label, 3.0, &mut expected);
        let any_value = any.value_and_gradient(&y, &labels, i, 3.0, &mut found, &mut scratch);
        assert_eq!(bits_with_one_nan(&[any_value]), bits_with_one_nan(&[value]), "{what}: value in training");
        assert_eq!(bits_with_one_nan(&found), bits_with_one_nan(&expected), "{what}: gradient");
        let value = typed.value(&y, label, &mut expected);
        let any_value = any.value(&y, &labels, i, &mut scratch);
        assert_eq!(bits_with_one_nan(&[any_value]), bits_with_one_nan(&[value]), "{what}: value");
        let accuracy = typed.accuracy(&y, label);
        assert_eq!(any.accuracy(&y, &labels, i).to_bits(), accuracy.to_bits(), "{what}: accuracy");
    }
}

/// `$K` outputs, of which class weights know `$CLASSES` classes.
macro_rules! at_units {
    ($($K:literal $CLASSES:literal),*) => {$(
        for label_smoothing in SMOOTHING {
            let loss = BinaryCrossEntropy { label_smoothing };
            same::<$K, $CLASSES, _>(loss, loss.into(), "binary");
            same::<$K, $CLASSES, _>(FromLogits(loss), FromLogits(loss).into(), "binary from logits");
            same::<$K, $CLASSES, _>(OnProbabilities(loss), OnProbabilities(loss).into(), "binary on probabilities");
        }
        same::<$K, $CLASSES, _>(MeanSquaredError, MeanSquaredError.into(), "squared error");
        same::<$K, $CLASSES, _>(MeanAbsoluteError, MeanAbsoluteError.into(), "absolute error");
    )*};
}

macro_rules! at_classes {
    ($($K:literal),*) => {$(
        for label_smoothing in SMOOTHING {
            let loss = CategoricalCrossEntropy { label_smoothing };
            same::<$K, $K, _>(loss, loss.into(), "categorical");
            same::<$K, $K, _>(FromLogits(loss), FromLogits(loss).into(), "categorical from logits");
            same::<$K, $K, _>(OnProbabilities(loss), OnProbabilities(loss).into(), "categorical on probabilities");
        }
        let loss = SparseCategoricalCrossEntropy;
        same::<$K, $K, _>(loss, loss.into(), "sparse categorical");
        same::<$K, $K, _>(FromLogits(loss), FromLogits(loss).into(), "sparse categorical from logits");
        same::<$K, $K, _>(OnProbabilities(loss), OnProbabilities(loss).into(), "sparse categorical on probabilities");
        for classes in 2..=$K {
            let any = AnyLoss::from(loss).with_known_classes(classes);
            assert_eq!(any.known_classes(), Some(classes));
            compare::<$K, _, u16>($K, &KnownClasses { loss, classes }, any, |label, _| label, false, "known classes");
            let loss = FromLogits(loss);
            let any = AnyLoss::from(loss).with_known_classes(classes);
            compare::<$K, _, u16>($K, &KnownClasses { loss, classes }, any, |label, _| label, false, "known classes");
        }
    )*};
}

#[test]
fn values_have_the_bits_of_types() {
    at_units!(1 2, 2 2, 3 3, 4 4, 5 5, 6 6, 7 7, 8 8, 9 9);
    at_classes!(2, 3, 4, 5, 6, 7, 8, 9);
}

const IDENTITY: ActivationKind = ActivationKind::Identity;
const SIGMOID: ActivationKind = ActivationKind::Sigmoid;
const SOFTMAX: ActivationKind = ActivationKind::Softmax;

/// What does not compile for a type is an error for a value.
#[test]
fn what_does_not_fit_is_refused() {
    let binary = AnyLoss::from(BinaryCrossEntropy::default());
    let sparse = AnyLoss::from(SparseCategoricalCrossEntropy);
    let known = sparse.with_known_classes(2);
    for (found, expected) in [
        (
            binary.check(1, IDENTITY, IDENTITY, true),
            LossError::Activation { found: IDENTITY, fits: &[SIGMOID] },
        ),
        (sparse.check(1, SOFTMAX, SOFTMAX, true), LossError::OneClass),
        (
            AnyLoss::from(CategoricalCrossEntropy::default()).check(1, SOFTMAX, SOFTMAX, true),
            LossError::OneClass,
        ),
        (sparse.check(65_537, SOFTMAX, SOFTMAX, true), LossError::TooManyClasses { classes: 65_537 }),
        (AnyLoss::from(MeanSquaredError).check(1, SOFTMAX, SOFTMAX, true), LossError::SoftmaxOfOne),
        (known.check(3, SOFTMAX, SOFTMAX, false), LossError::NoBiases),
        (binary.with_known_classes(2).check(3, SIGMOID, SIGMOID, true), LossError::KnownClasses),
    ] {
        assert_eq!(found, Err(expected));
        let message = expected.to_string();
        assert!(message.len() > 40 && !message.contains('\n') && !message.contains("  "), "{message}");
    }
    assert_eq!(sparse.check(65_536, SOFTMAX, SOFTMAX, true), Ok(()));
    assert_eq!(known.check(3, SOFTMAX, SOFTMAX, true), Ok(()));

    // A Dense without activation gives logits; a layer that passes on probabilities has no biases.
    let on_probabilities = AnyLoss::from(OnProbabilities(SparseCategoricalCrossEntropy));
    assert_eq!(on_probabilities.check(2, IDENTITY, IDENTITY, true), Err(LossError::Logits));
    assert_eq!(on_probabilities.check(2, IDENTITY, SOFTMAX, true), Ok(()));
    assert_eq!(on_probabilities.check(2, IDENTITY, IDENTITY, false), Ok(()));
    assert_eq!(
        on_probabilities.with_known_classes(2).check(2, SOFTMAX, SOFTMAX, true),
        Err(LossError::KnownClasses)
    );

    for classes in [0, 1, 4] {
        let found = sparse.with_known_classes(classes).check(3, SOFTMAX, SOFTMAX, true);
        assert!(
            matches!(found, Err(LossError::OutOfRange(error)) if error.range == Range::Classes),
            "{found:?}"
        );
    }
    for label_smoothing in [-0.1, 1.5, f32::NAN] {
        let found = AnyLoss::from(BinaryCrossEntropy { label_smoothing }).check(1, SIGMOID, SIGMOID, true);
        assert!(
            matches!(found, Err(LossError::OutOfRange(error)) if error.what == "label_smoothing"),
            "{found:?}"
        );
        let loss = FromLogits(CategoricalCrossEntropy { label_smoothing });
        let found = AnyLoss::from(loss).check(2, IDENTITY, IDENTITY, true);
        assert!(
            matches!(found, Err(LossError::OutOfRange(error)) if error.what == "label_smoothing"),
            "{found:?}"
        );
    }
    let wrong = |expected, found| {
        Err(LossError::ClassWeights(ShapeMismatch { what: "number of class weights", expected, found }))
    };
    let weights = &CLASS_WEIGHTS;
    assert_eq!(binary.with_class_weights(&weights[..1]).check(1, SIGMOID, SIGMOID, true), wrong(2, 1));
    assert_eq!(sparse.with_class_weights(&weights[..4]).check(3, SOFTMAX, SOFTMAX, true), wrong(3, 4));
    assert_eq!(known.with_class_weights(&weights[..3]).check(3, SOFTMAX, SOFTMAX, true), wrong(2, 3));
    assert_eq!(known.with_class_weights(&weights[..2]).check(3, SOFTMAX, SOFTMAX, true), Ok(()));
    for weight in [-1.0, f32::NAN, f32::INFINITY] {
        let found = sparse.with_class_weights(&[1.0, weight]).check(2, SOFTMAX, SOFTMAX, true);
        assert!(
            matches!(found, Err(LossError::OutOfRange(error)) if error.what == "class weight"),
            "{found:?}"
        );
    }
}

/// Labels of another kind or number have a place in the list.
#[test]
fn labels_that_are_none_are_refused() {
    let binary = AnyLoss::from(BinaryCrossEntropy::default());
    let sparse = AnyLoss::from(SparseCategoricalCrossEntropy);
    let (classes, numbers) = (Labels::classes(&[0, 1, 0]), Labels::numbers(&[0.0, 1.0, 0.5, 0.0, 1.0]));
    assert_eq!(binary.check_labels(&classes, 3, 2), Err((0, LabelError::Kind { classes: false })));
    assert_eq!(sparse.check_labels(&numbers, 5, 1), Err((0, LabelError::Kind { classes: true })));
    let length = |what, expected, found| LabelError::Length(ShapeMismatch { what, expected, found });
    assert_eq!(sparse.check_labels(&classes, 4, 2), Err((3, length("number of labels", 4, 3))));
    assert_eq!(sparse.check_labels(&classes, 2, 2), Err((2, length("number of labels", 2, 3))));
    assert_eq!(binary.check_labels(&numbers, 3, 2), Err((2, length("numbers of labels", 6, 5))));
    assert_eq!(binary.check_labels(&numbers, 5, 1), Ok(()));
    let huge = binary.check_labels(&numbers, usize::MAX, 2);
    assert_eq!(huge, Err((2, length("numbers of labels", usize::MAX, 5))));
    let weighted = classes.with_weights(&[1.0, 2.0]);
    assert_eq!(sparse.check_labels(&weighted, 3, 2), Err((2, length("number of sample weights", 3, 2))));
    for (_, error) in [binary.check_labels(&classes, 3, 2), huge].map(Result::unwrap_err) {
        assert!(error.to_string().len() > 20);
    }
}

/// Slices that do not fit give no number, and nothing is written.
#[test]
fn slices_that_do_not_fit_give_nan() {
    let categorical = AnyLoss::from(CategoricalCrossEntropy::default());
    let labels = Labels::numbers(&[1.0, 0.0]);
    let mut d_y = [7.0; 2];
    let mut scratch = [0.0; 4];
    assert_eq!(categorical.scratch(2), 4);
    let y = [0.5, 0.25];
    assert!(categorical.value_and_gradient(&y, &labels, 1, 1.0, &mut d_y, &mut scratch).is_nan());
    assert!(categorical.value_and_gradient(&y, &labels, usize::MAX, 1.0, &mut d_y, &mut scratch).is_nan());
    assert!(categorical.value_and_gradient(&y, &labels, 0, 1.0, &mut d_y[..1], &mut scratch).is_nan());
    assert!(categorical.value_and_gradient(&y, &labels, 0, 1.0, &mut d_y, &mut scratch[..1]).is_nan());
    assert!(categorical.value(&y, &labels, 0, &mut scratch[..3]).is_nan());
    let classes = Labels::classes(&[0]);
    assert!(categorical.value_and_gradient(&y, &classes, 0, 1.0, &mut d_y, &mut scratch).is_nan());
    assert_eq!(categorical.accuracy(&y, &classes, 0), 0.0);
    assert_eq!(d_y, [7.0; 2]);
    assert!(categorical.value_and_gradient(&y, &labels, 0, 1.0, &mut d_y, &mut scratch).is_finite());
}
