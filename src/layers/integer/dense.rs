//! Fully connected layers of integers.

use super::activation::{IntegerActivation, LogitsActivation};
use super::{Channel, MOST_PRODUCTS, bytes_of_codes, no_learning};
use crate::layers::{
    ActivationKind, Batch, BatchMut, Identity, Layer, LayerKind, Outputs, Record, Records, Scores,
};
use crate::passes::integers::dense;
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// [`layers::Dense`](crate::layers::Dense) of integers, within a model: y\[j\] = A(x · W\[j\] + b\[j\]), scaled by
/// the channel of unit j.
///
/// # Shapes
/// x `[IN]` codes, W (`kernel`) `[OUT, IN]`, unit by unit, `channels` `[OUT]`, y `[OUT]` codes.
///
/// ```
/// use nanoembed::layers::{Layer, Relu, integer::{Channel, Dense}};
/// let mut layer = Dense::<2, 2, Relu>::zeroed();
/// layer.kernel = [[100, 1], [-100, 1]];
/// layer.channels = [Channel { bias: 50, multiplier: 1 << 30, shift: 37 }; 2]; // sums by 128
/// assert_eq!(layer.predict(&[50, 10])?, [40, 0]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// A softmax is a compile error; it ends a model, as [`Logits`]:
///
/// ```compile_fail
/// use nanoembed::layers::{Layer, Softmax, integer::Dense};
/// let _ = Dense::<2, 2, Softmax>::zeroed();
/// ```
///
/// So are more than 65,536 inputs, whose sum could overflow:
///
/// ```compile_fail
/// use nanoembed::layers::{Layer, integer::Dense};
/// let _ = Dense::<65_537, 1>::zeroed();
/// ```
///
/// # Cost
/// `IN · OUT` products of 8 bits; `OUT · (IN + 12)` bytes.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Dense<const IN: usize, const OUT: usize, A = Identity> {
    /// b and the scale of each unit.
    pub channels: [Channel; OUT],
    /// W.
    pub kernel: [[i8; IN]; OUT],
    activation: PhantomData<A>,
}

bytes_of_codes!(impl[const IN: usize, const OUT: usize, A] Dense<IN, OUT, A> { channels, kernel });

/// The record of a layer of this kind.
const fn record(kind: LayerKind, [units_in, units_out]: [usize; 2], activation: ActivationKind) -> Record {
    assert!(units_in > 0 && units_out > 0, "Dense<IN, OUT>, Logits<IN, OUT>: both must be at least 1");
    assert!(units_in <= MOST_PRODUCTS, "Dense<IN, OUT>, Logits<IN, OUT>: IN must be at most 65,536");
    activation.assert_units(units_out);
    Record::new(kind, &[units_in, units_out]).options([0, activation as u16, 0])
}

impl<const IN: usize, const OUT: usize, A: IntegerActivation> Layer for Dense<IN, OUT, A> {
    type Input = [i8; IN];
    type Output = [i8; OUT];
    type InputGradient = [i8; IN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<[i8; OUT], BATCH>;

    const NAME: &'static str = "Dense of integers";
    const RECORDS: Records = Records::layer(record(LayerKind::IntegerDense, [IN, OUT], A::KIND));

    fn infer<const BATCH: usize>(&self, x: Batch<'_, [i8; IN]>, (): &mut (), y: BatchMut<'_, [i8; OUT]>) {
        for (x, y) in x.values.iter().zip(y.values) {
            for (y, scaled) in y.iter_mut().zip(dense(x, self.kernel.as_flattened(), &self.channels)) {
                *y = A::code(scaled);
            }
        }
    }

    no_learning!((IN + 1) * OUT);
}

/// The end of a model of integers: x · W\[j\] + b\[j\] as the [`Scores`] of the classes, which have their class and
/// their probabilities by the sigmoid or the softmax that `A` says.
///
/// # Shapes
/// x `[IN]` codes, W (`kernel`) `[OUT, IN]`, unit by unit, `channels` `[OUT]`, y [`Scores<OUT>`](Scores), whose
/// `count` is 1.
///
/// ```
/// use nanoembed::layers::{Layer, Softmax, integer::{Channel, Logits}};
/// let mut layer = Logits::<2, 2, Softmax>::zeroed();
/// layer.kernel = [[100, 1], [-100, 1]];
/// layer.channels = [Channel { bias: 50, multiplier: 1 << 30, shift: 30 }; 2];
/// let scores = layer.predict(&[50, 10])?;
/// assert_eq!((scores.sums, scores.class()), ([5060, -4940], 0));
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
///
/// # Cost
/// `IN · OUT` products of 8 bits; `OUT · (IN + 12) + 4` bytes.
#[derive(Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Logits<const IN: usize, const OUT: usize, A = Identity> {
    /// What a sum is multiplied by to be a logit.
    pub scale: f32,
    /// b and the scale of each unit.
    pub channels: [Channel; OUT],
    /// W.
    pub kernel: [[i8; IN]; OUT],
    activation: PhantomData<A>,
}

bytes_of_codes!(impl[const IN: usize, const OUT: usize, A] Logits<IN, OUT, A> { scale, channels, kernel });

impl<const IN: usize, const OUT: usize, A: LogitsActivation> Layer for Logits<IN, OUT, A> {
    type Input = [i8; IN];
    type Output = Scores<OUT>;
    type InputGradient = [i8; IN];
    type Workspace<const BATCH: usize> = ();
    type Cache<const BATCH: usize> = Outputs<Scores<OUT>, BATCH>;

    const NAME: &'static str = "Logits of integers";
    const RECORDS: Records = Records::layer(record(LayerKind::IntegerLogits, [IN, OUT], A::KIND));

    fn infer<const BATCH: usize>(&self, x: Batch<'_, [i8; IN]>, (): &mut (), y: BatchMut<'_, Scores<OUT>>) {
        for (x, y) in x.values.iter().zip(y.values) {
            (y.count, y.scale) = (1, self.scale);
            for (sum, scaled) in y.sums.iter_mut().zip(dense(x, self.kernel.as_flattened(), &self.channels)) {
                *sum = scaled;
            }
        }
    }

    no_learning!((IN + 1) * OUT);
}
