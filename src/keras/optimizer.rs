//! Optimizers as Keras 3 applies them.

use crate::error::OutOfRange;
use crate::optim::{
    Adadelta, Adagrad, Adam, AmsGrad, BaseOptimizer, CenteredRmsProp, Clip, Clipped, DecoupledDecay, Exact,
    Momentum, MomentumRmsProp, Nadam, Optimizer, RmsProp, Schedule, Scheduled, Sgd, Step, WithLearningRate,
    inner_optimizer,
};
use crate::sparse::{Replay, Rows, SparseGradient};
use crate::table::{Numbers, TableMut};
use zerocopy::FromZeros;

/// An optimizer that Keras has too: what [`Keras`] may stand around.
pub trait KerasOptimizer: BaseOptimizer + Replay<Step = <Self as Optimizer>::Rule> + Copy {
    /// The same with weight decay.
    type Decayed: KerasOptimizer;

    /// The same with this weight decay, in the place of one that it has.
    fn with_weight_decay(self, weight_decay: f32) -> Self::Decayed;

    /// The same with its second moment, if it keeps one, as Keras 3 (`true`) or the true gradient has it for
    /// rows that occur several times.
    #[must_use]
    fn with_keras3_duplicates(self, keras3_duplicates: bool) -> Self {
        let _ = keras3_duplicates;
        self
    }
}

macro_rules! of_keras {
    ($($name:ident $(: $($field:tt).+)?;)*) => {$(
        impl KerasOptimizer for $name {
            type Decayed = DecoupledDecay<Self>;

            fn with_weight_decay(self, weight_decay: f32) -> DecoupledDecay<Self> {
                DecoupledDecay { optimizer: self, weight_decay }
            }

            $(fn with_keras3_duplicates(mut self, keras3_duplicates: bool) -> Self {
                self.$($field).+ = keras3_duplicates;
                self
            })?
        }
    )*};
}
of_keras! {
    Adadelta: keras3_duplicates;
    Adagrad: keras3_duplicates;
    Adam: keras3_duplicates;
    AmsGrad: 0.keras3_duplicates;
    CenteredRmsProp: rms.keras3_duplicates;
    Momentum;
    MomentumRmsProp: rms.keras3_duplicates;
    Nadam: keras3_duplicates;
    RmsProp: keras3_duplicates;
    Sgd;
}

impl<O: KerasOptimizer + WithLearningRate, S: Schedule> KerasOptimizer for Scheduled<O, S> {
    type Decayed = DecoupledDecay<Self>;

    fn with_weight_decay(self, weight_decay: f32) -> DecoupledDecay<Self> {
        DecoupledDecay { optimizer: self, weight_decay }
    }

    fn with_keras3_duplicates(self, keras3_duplicates: bool) -> Self {
        Self { optimizer: self.optimizer.with_keras3_duplicates(keras3_duplicates), ..self }
    }
}

impl<O: KerasOptimizer> KerasOptimizer for DecoupledDecay<O> {
    type Decayed = Self;

    fn with_weight_decay(self, weight_decay: f32) -> Self {
        Self { weight_decay, ..self }
    }

    fn with_keras3_duplicates(self, keras3_duplicates: bool) -> Self {
        Self { optimizer: self.optimizer.with_keras3_duplicates(keras3_duplicates), ..self }
    }
}

/// The optimizer `O` as Keras 3 applies it to a whole model, up to rounding.
///
/// It settles together what [`optim`](crate::optim) lets one choose apart: the exact form, in which also rows
/// that do not occur go on moving; what a row that occurs several times in a batch adds to the second moment;
/// and what of such a row is clipped, which in Keras depends on the kind of clipping. Weight decay and
/// clipping are added in any order.
///
/// ```
/// use nanoembed::keras::Keras;
/// use nanoembed::optim::{Adam, AdamW, Clip, Momentum, Optimizer};
/// // Keras' Adam(0.01).
/// let adam = Keras::new(Adam { learning_rate: 0.01, ..Adam::default() });
/// // Keras' Adam(0.01, global_clipnorm=1.0).
/// let clipped = adam.clip(Clip::GlobalNorm(1.0));
/// // Keras' AdamW(weight_decay=0.05, clipnorm=0.3), in two ways.
/// let adamw = Keras::new(AdamW { weight_decay: 0.05, ..AdamW::default() }).clip(Clip::Norm(0.3));
/// assert_eq!(adamw, Keras::new(Adam::default()).clip(Clip::Norm(0.3)).weight_decay(0.05));
/// // Keras' SGD(0.1, momentum=0.9, nesterov=True, clipvalue=0.5).
/// let momentum = Momentum { learning_rate: 0.1, nesterov: true, ..Momentum::default() };
/// let nesterov = Keras::new(momentum).clip(Clip::Value(0.5));
/// assert!(clipped.check().is_ok() && nesterov.check().is_ok());
/// ```
///
/// What Keras has not, such as [`L2Decay`](crate::optim::L2Decay) or a second clipping, does not compile:
///
/// ```compile_fail
/// use nanoembed::{keras::Keras, optim::{Adam, L2Decay}};
/// let _ = Keras::new(L2Decay { optimizer: Adam::default(), weight_decay: 0.1 });
/// ```
///
/// ```compile_fail
/// use nanoembed::{keras::Keras, optim::{Adam, Clip}};
/// let _ = Keras::new(Adam::default()).clip(Clip::Norm(1.0)).clip(Clip::Value(1.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, FromZeros)]
pub struct Keras<O>(Exact<O>);

impl<O: KerasOptimizer> Keras<O> {
    /// The optimizer without clipping. Fields that Keras lacks (`dampening`, `learning_rate_decay`, another
    /// place of epsilon) stay at their defaults; `keras3_duplicates` may be either.
    #[must_use]
    pub fn new(optimizer: O) -> Self {
        Self(Exact(optimizer.with_keras3_duplicates(true)))
    }

    /// The same with Keras' `weight_decay`, in the place of one that it has.
    #[must_use]
    pub fn weight_decay(self, weight_decay: f32) -> Keras<O::Decayed> {
        Keras(Exact(self.0.0.with_weight_decay(weight_decay)))
    }

    /// The same with Keras' `clipnorm`, `global_clipnorm` or `clipvalue`.
    #[must_use]
    pub fn clip(self, clip: Clip) -> Keras<Clipped<O>> {
        // What Keras scales by the norm of all gradients becomes dense: repeated rows are then summed before
        // they are squared.
        let summed = matches!(clip, Clip::GlobalNorm(_));
        let optimizer = self.0.0.with_keras3_duplicates(!summed);
        Keras(Exact(Clipped { optimizer, clip, keras3_duplicates: true }))
    }
}

impl<O: KerasOptimizer> Keras<Clipped<O>> {
    /// The same with Keras' `weight_decay`, in the place of one that it has.
    #[must_use]
    pub fn weight_decay(self, weight_decay: f32) -> Keras<Clipped<O::Decayed>> {
        let Clipped { optimizer, clip, keras3_duplicates } = self.0.0;
        let optimizer = optimizer.with_weight_decay(weight_decay);
        Keras(Exact(Clipped { optimizer, clip, keras3_duplicates }))
    }
}

impl<O: Optimizer + Replay<Step = <O as Optimizer>::Rule>> Optimizer for Keras<O> {
    inner_optimizer!(Exact<O>);
    type LastSteps<const ROWS: usize> = [u32; ROWS];
    const LAGS: bool = Exact::<O>::LAGS;

    fn step_rows(
        &self,
        step: Step<Self::Rule>,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
        gradient: &mut SparseGradient<'_>,
    ) {
        self.0.step_rows(step, table, slots, last_steps, gradient);
    }

    #[inline]
    fn replay(
        &self,
        until: u32,
        rows: impl Rows,
        table: &mut TableMut<'_>,
        slots: &mut TableMut<'_>,
        last_steps: &mut [u32],
    ) {
        self.0.replay(until, rows, table, slots, last_steps);
    }
}
