//! Every loss, with every form, weights and known classes, as a value that a trainer at run time is given.

use super::{GivenLabel, learns};
use crate::common::run_time::ROWS;
use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{Activation, Dense, Embedding, Flatten, Layer, Relu, Sigmoid, Softmax};
use nanoembed::loss::{
    AnyLoss, BinaryCrossEntropy, CategoricalCrossEntropy, ClassWeights, FromLogits, KnownClasses, Loss,
    MeanAbsoluteError, MeanSquaredError, OnProbabilities, SampleWeights, SparseCategoricalCrossEntropy,
};
use nanoembed::optim::Adam;
use nanoembed::sequential;
use nanoembed::zerocopy::{Immutable, IntoBytes};

type Of<const UNITS: usize, A> =
    sequential![Embedding<2, ROWS, 3, u32, MaskZero>, Flatten<2, 3, 6>, Dense<6, UNITS, A>];
type Logits<const UNITS: usize> =
    sequential![Embedding<2, ROWS, 3, u32, MaskZero>, Flatten<2, 3, 6>, Dense<6, UNITS>];

fn with<M, L>(loss: L, any: AnyLoss<'_>)
where
    M: Layer,
    M::Input: super::Given,
    M::Output: IntoBytes + Immutable,
    L: Loss<M::Output> + Copy,
    L::Label: GivenLabel,
{
    learns::<M, _, _, 3>(Adam { learning_rate: 0.05, ..Adam::default() }, loss, any, |_| {});
}

/// A loss as it is, weighed by class, by sample, and by both.
macro_rules! weighed {
    ($($model:ty, $classes:literal, $loss:expr;)*) => {$({
        let (loss, any) = ($loss, AnyLoss::from($loss));
        let weights = [0.5, 2.0, 0.0, 1.5].first_chunk::<$classes>().copied().unwrap();
        let by_class = ClassWeights { loss, weights };
        with::<$model, _>(loss, any);
        with::<$model, _>(by_class, any.with_class_weights(&weights));
        with::<$model, _>(SampleWeights(loss), any);
        with::<$model, _>(SampleWeights(by_class), any.with_class_weights(&weights));
    })*};
}

#[test]
fn of_probabilities() {
    let smoothed = BinaryCrossEntropy { label_smoothing: 0.1 };
    weighed! {
        Of<1, Sigmoid>, 2, BinaryCrossEntropy::default();
        Logits<3>, 3, FromLogits(smoothed);
        Of<3, Sigmoid>, 3, OnProbabilities(smoothed);
    }
}

#[test]
fn of_classes() {
    let smoothed = CategoricalCrossEntropy { label_smoothing: 0.1 };
    weighed! {
        Of<3, Softmax>, 3, CategoricalCrossEntropy::default();
        Logits<4>, 4, FromLogits(smoothed);
        Of<3, Sigmoid>, 3, OnProbabilities(smoothed);
        Of<4, Softmax>, 4, SparseCategoricalCrossEntropy;
        Logits<3>, 3, FromLogits(SparseCategoricalCrossEntropy);
        Of<3, Softmax>, 3, OnProbabilities(SparseCategoricalCrossEntropy);
    }
}

#[test]
fn of_numbers() {
    weighed! {
        Logits<1>, 2, MeanSquaredError;
        Of<3, Relu>, 3, MeanAbsoluteError;
    }
}

/// A loss that is fused with an activation which is a layer of its own.
#[test]
fn fused_with_a_layer() {
    type Last = sequential![Logits<3>, Activation<[f32; 3], Softmax>];
    with::<Last, _>(SparseCategoricalCrossEntropy, SparseCategoricalCrossEntropy.into());
    let on_probabilities = OnProbabilities(SparseCategoricalCrossEntropy);
    with::<Last, _>(on_probabilities, on_probabilities.into());
}

/// The outputs of classes that the data does not have are closed.
#[test]
fn of_known_classes() {
    type Last = sequential![Logits<4>, Activation<[f32; 4], Softmax>];
    let weights = [0.5, 2.0];
    let (fused, from_logits) = (SparseCategoricalCrossEntropy, FromLogits(SparseCategoricalCrossEntropy));
    let (any, any_from_logits) = (AnyLoss::from(fused), AnyLoss::from(from_logits));
    with::<Of<4, Softmax>, _>(KnownClasses { loss: fused, classes: 2 }, any.with_known_classes(2));
    with::<Last, _>(KnownClasses { loss: fused, classes: 3 }, any.with_known_classes(3));
    let known = KnownClasses { loss: from_logits, classes: 3 };
    with::<Logits<4>, _>(SampleWeights(known), any_from_logits.with_known_classes(3));
    let known = KnownClasses { loss: fused, classes: 2 };
    with::<Of<4, Softmax>, _>(
        ClassWeights { loss: known, weights },
        any.with_known_classes(2).with_class_weights(&weights),
    );
}
