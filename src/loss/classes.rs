//! Fewer classes than a model has room for.

use super::Loss;
use super::categorical::check_class;
use crate::error::{LabelError, OutOfRange, Range};
use crate::layers::{ActivationKind, Layer};
use zerocopy::FromZeros;

/// The loss `L` of a model that has room for more classes than the data has: classes `0..classes` exist.
///
/// The model's size is fixed where it is compiled, the number of classes where the data is read. Without this
/// the outputs without a class are learnt as classes that never occur: they take a part of each probability,
/// at first most of it, and of a text unlike all others later too. With it
///
/// - a label of `classes` or above is refused;
/// - the outputs from `classes` on are closed: the trainer sets their bias to [`Layer::CLOSED`] before each
///   step and after it, so that their probability is 0 exactly, their gradient too, and no weight decay or
///   momentum opens them again;
/// - since the bias is a parameter, they stay closed in evaluation, in prediction, in an image in firmware. A
///   model that has taken no step yet is not closed.
///
/// The outputs must have a bias of their own, which learns: those of a [`Dense`](crate::layers::Dense) layer,
/// with [`Activation`](crate::layers::Activation) or [`Dropout`](crate::layers::Dropout) after it or not.
/// Others do not compile.
///
/// ```
/// use nanoembed::{layers::*, loss::{KnownClasses, SparseCategoricalCrossEntropy}, optim::Adam, train::Trainer};
/// use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
///
/// let loss = KnownClasses { loss: SparseCategoricalCrossEntropy, classes: 2 };
/// let mut model = Dense::<3, 8, Softmax>::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
/// let mut trainer = Trainer::<_, _, _, 2>::new(Adam::default(), loss);
/// trainer.step(&mut model, &[[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], &[0, 1])?;
/// assert_eq!(model.predict(&[5.0, -5.0, 0.0])?[2..], [0.0; 6]);
/// assert!(trainer.step(&mut model, &[[1.0, 2.0, 3.0]], &[2]).is_err());
/// # Ok::<(), nanoembed::train::TrainError>(())
/// ```
///
/// ```compile_fail,E0080
/// use nanoembed::{layers::*, loss::{KnownClasses, SparseCategoricalCrossEntropy}, optim::Sgd, sequential, train::Trainer};
/// type NoBias = sequential![EmbeddingBag<4, 9, 8>, Activation<[f32; 8], Softmax>];
/// let loss = KnownClasses { loss: SparseCategoricalCrossEntropy, classes: 2 };
/// let bag = Bag::from_first([1]);
/// let _ = Trainer::<NoBias, _, _, 2>::new(Sgd::default(), loss).step(&mut NoBias::zeroed(), &[bag], &[0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromZeros)]
pub struct KnownClasses<L> {
    /// The loss of one example, fused with the softmax.
    pub loss: L,
    /// How many classes there are, at least 2 and at most as many as the model has outputs.
    pub classes: usize,
}

/// `Ok` if so many of `outputs` can be classes.
pub(super) fn check_classes(classes: usize, outputs: usize) -> Result<(), OutOfRange> {
    let valid = (2..=outputs).contains(&classes);
    OutOfRange::ensure("number of classes", classes as f32, Range::Classes, valid)
}

impl<const K: usize, L: Loss<[f32; K], Label = u16>> Loss<[f32; K]> for KnownClasses<L> {
    type Label = u16;
    const FUSED_ACTIVATION: ActivationKind = L::FUSED_ACTIVATION;
    const ACTIVATIONS: &'static [ActivationKind] = {
        assert!(
            matches!(L::FUSED_ACTIVATION, ActivationKind::Softmax),
            "KnownClasses: the loss is not fused with a Softmax"
        );
        L::ACTIVATIONS
    };

    fn check(&self) -> Result<(), OutOfRange> {
        self.loss.check()?;
        check_classes(self.classes, K)
    }

    fn check_label(&self, label: &u16) -> Result<(), LabelError> {
        check_class(usize::from(*label), self.classes)?;
        self.loss.check_label(label)
    }

    fn value_and_gradient(&self, y: &[f32; K], label: &u16, examples: f32, d_y: &mut [f32; K]) -> f32 {
        self.loss.value_and_gradient(y, label, examples, d_y)
    }

    fn value(&self, y: &[f32; K], label: &u16, scratch: &mut [f32; K]) -> f32 {
        self.loss.value(y, label, scratch)
    }

    fn accuracy(&self, y: &[f32; K], label: &u16) -> f32 {
        self.loss.accuracy(y, label)
    }

    fn prepare<M: Layer<Output = [f32; K]>>(&self, model: &mut M) {
        const {
            assert!(
                M::HAS_BIASES,
                "KnownClasses: the model's outputs have no bias each that could close them"
            );
        }
        self.loss.prepare(model);
        model.close_outputs(self.classes);
    }
}
