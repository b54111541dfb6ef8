//! What Keras 3 computes: import the layers of this module beside `layers::*`, in whose place they then stand,
//! and put [`Keras`] around the optimizer.
//!
//! | family | items |
//! |---|---|
//! | an optimizer as in Keras | [`Keras`], around an optimizer that Keras has; clipping by a [`Clip`](crate::optim::Clip) |
//! | layers that drop the mask as in Keras | [`Flatten`], [`GlobalMaxPooling1D`], [`Conv1D`] |
//! | all other layers | those of [`layers`] |
//!
//! The defaults of this crate are what one would want without Keras. A row that occurs several times counts
//! by its true gradient, a row that does not occur stays as it is, and padding never counts. In all three
//! Keras 3 does something else, and to be equal to it takes several choices that depend on each other. This
//! module makes them. Build a model of its layers, and train it with [`Keras`] from the same weights on the
//! same batches: its weights are then those of Keras 3 (on TensorFlow, `fit`) within 2e-6. This was found in
//! 247 trainings of nine steps with a learning rate of 0.01. The difference is one of rounding. It grows with
//! the rate and the number of steps: 6e-6 was seen with a rate of 0.05.
//!
//! ```
//! use nanoembed::keras::{Flatten, Keras};
//! use nanoembed::layers::*;
//! use nanoembed::optim::Clip;
//! use nanoembed::{loss::BinaryCrossEntropy, optim::Adam, sequential, train::Trainer};
//! use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
//! use nanoembed::layers::options::MaskZero;
//! // In Keras: Embedding(50, 8, mask_zero=True), Flatten(), Dense(1, activation="sigmoid")
//! type Reviews = sequential![Embedding<4, 50, 8, u16, MaskZero>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
//!
//! let adam = Keras::new(Adam { learning_rate: 0.01, ..Adam::default() }).clip(Clip::GlobalNorm(1.0));
//! let mut trainer = Trainer::<Reviews, _, _, 2>::new(adam, BinaryCrossEntropy::default());
//! trainer.set_shuffle(false); // Keras draws another order
//! // To start from Keras' weights: the module `weights`.
//! let mut model = Reviews::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
//! trainer.epoch(&mut model, &[[4, 7, 4, 0], [9, 4, 0, 0]], &[[1.0], [0.0]])?;
//! # Ok::<(), nanoembed::train::TrainError>(())
//! ```
//!
//! # What is chosen, and what the default means
//!
//! | optimizer in Keras | here | what is chosen | the default in [`optim`](crate::optim) |
//! |---|---|---|---|
//! | `SGD` | [`Keras::new`]`(`[`Sgd`](crate::optim::Sgd)`)` | nothing, since the two are equal | the same |
//! | `SGD(momentum)`, with `nesterov` | [`Momentum`](crate::optim::Momentum) | all rows move in each step | rows that do not occur stay |
//! | `Adagrad` | [`Adagrad`](crate::optim::Adagrad) | repeated rows add the sum of their squares to the accumulator | they add the square of their sum |
//! | `RMSprop`, with `momentum`, `centered` | [`RmsProp`](crate::optim::RmsProp), [`MomentumRmsProp`](crate::optim::MomentumRmsProp), [`CenteredRmsProp`](crate::optim::CenteredRmsProp) | all rows move, averages of all rows decay; sum of squares | rows that do not occur stay, with their averages; square of the sum |
//! | `Adadelta` | [`Adadelta`](crate::optim::Adadelta) | averages of all rows decay; sum of squares, in both averages | as above |
//! | `Adam`, `Adam(amsgrad=True)`, `Nadam` | [`Adam`](crate::optim::Adam), [`AmsGrad`](crate::optim::AmsGrad), [`Nadam`](crate::optim::Nadam) | all rows move, moments of all rows decay; sum of squares | as above |
//! | `AdamW`; `weight_decay` of any | [`AdamW`](crate::optim::AdamW), [`Keras::weight_decay`] | all rows decay, also those that never occur | rows that occur decay |
//! | a schedule for the learning rate | [`Scheduled`](crate::optim::Scheduled) | a row makes up for a missed step at the rate of that step | a missed step does not count |
//!
//! [`Exact`](crate::optim::Exact) alone is the dense update with the *true* gradient. It is equal to Keras 3
//! only as long as no id occurs twice in a batch.
//!
//! | clipping in Keras | here | what is chosen | the default in [`Clipped`](crate::optim::Clipped) |
//! |---|---|---|---|
//! | `clipnorm` | [`Clip::Norm`](crate::optim::Clip::Norm) | the norm is that of the rows as they occur; the second moment takes the sum of squares | the norm is that of each row's sum; square of the sum |
//! | `global_clipnorm` | [`Clip::GlobalNorm`](crate::optim::Clip::GlobalNorm) | the norm is that of the rows as they occur; the second moment takes the square of the sum, also below the limit, because the gradient becomes dense | the norm is that of each row's sum; square of the sum |
//! | `clipvalue` | [`Clip::Value`](crate::optim::Clip::Value) | each occurrence is clipped, then they are summed; the second moment takes the sum of the squares of what was clipped | the sum is clipped; its square |
//!
//! | layer in Keras | here | what is chosen | the default in [`layers`] |
//! |---|---|---|---|
//! | `Flatten`, `GlobalMaxPooling1D`, `Conv1D` | [`Flatten`], [`GlobalMaxPooling1D`], [`Conv1D`] of this module | the mask is dropped: padding counts as the row of id 0, and learns | padding counts as nothing, and learns nothing |
//! | `Embedding`, `GlobalAveragePooling1D`, `LSTM`, `Dense`, `Activation`, `Dropout`, `Concatenate`, `Add`, `Dot` | those of `layers` | nothing: masks are honoured or passed on by both | the same |
//! | no layer of Keras | all others of `layers` | | |
//!
//! | loss in Keras | here | what is chosen | where it differs |
//! |---|---|---|---|
//! | cross-entropies after a sigmoid or softmax | [`BinaryCrossEntropy`](crate::loss::BinaryCrossEntropy), [`CategoricalCrossEntropy`](crate::loss::CategoricalCrossEntropy), [`SparseCategoricalCrossEntropy`](crate::loss::SparseCategoricalCrossEntropy) | the fused form, which `fit` computes too: it finds the logits in its graph | with `run_eagerly=True`, or if another layer follows the activation, Keras clips probabilities: [`OnProbabilities`](crate::loss::OnProbabilities) |
//! | `MeanSquaredError`, `MeanAbsoluteError` | [`MeanSquaredError`](crate::loss::MeanSquaredError), [`MeanAbsoluteError`](crate::loss::MeanAbsoluteError) | nothing | |
//! | `class_weight`, `sample_weight` of `fit` | [`ClassWeights`](crate::loss::ClassWeights), [`SampleWeights`](crate::loss::SampleWeights) | nothing: both divide by the number of examples | |
//!
//! # What stays different
//!
//! - A sequence of nothing but padding gives zeros after `GlobalAveragePooling1D`; Keras gives NaN.
//! - [`Lstm`](crate::layers::Lstm) with [`GoBackwards`](crate::layers::options::GoBackwards) reverses the mask with the time steps. Keras does not.
//! - Random numbers differ: initial values, the order of examples, dropout. To compare, take Keras' weights,
//!   call `set_shuffle(false)`, and use no dropout.
//! - Centred RMSprop with repeated ids can make Keras' variance negative, since it is a sum of squares minus
//!   the square of a sum. Keras then stops with an error, or gives NaN. Here the variance counts as 0.
//! - `run_eagerly=True`, and `fit` compiled by XLA, round in other places than the graph that we compared
//!   with.

mod optimizer;

pub use optimizer::Keras;

/// The bound of [`Keras`]. It is no part of the interface: `internals` gives it out.
pub(crate) mod inner {
    pub use super::optimizer::KerasOptimizer;
}

use crate::layers::options::{IgnoreMask, Valid};
use crate::layers::{self, Identity};

/// [`layers::Flatten`] that drops the mask, as Keras does: padding counts as the row of id 0.
///
/// ```
/// use nanoembed::{keras, layers, layers::*, sequential};
/// use nanoembed::layers::options::MaskZero;
/// type Words = Embedding<2, 3, 1, u16, MaskZero>;
/// let mut model = <sequential![Words, keras::Flatten<2, 1, 2>]>::zeroed();
/// model.first.rows = [[0.5], [1.0], [2.0]];
/// assert_eq!(model.predict(&[2, 0])?, [2.0, 0.5]);
///
/// let mut model = <sequential![Words, layers::Flatten<2, 1, 2>]>::zeroed();
/// model.first.rows = [[0.5], [1.0], [2.0]];
/// assert_eq!(model.predict(&[2, 0])?, [2.0, 0.0]);
/// # Ok::<(), nanoembed::error::InputError>(())
/// ```
pub type Flatten<const LEN: usize, const DIM: usize, const OUT: usize> =
    layers::Flatten<LEN, DIM, OUT, IgnoreMask>;

/// [`layers::GlobalMaxPooling1D`] that drops the mask, as Keras does: padding counts as the row of id 0.
pub type GlobalMaxPooling1D<const LEN: usize, const DIM: usize> =
    layers::GlobalMaxPooling1D<LEN, DIM, IgnoreMask>;

/// [`layers::Conv1D`] that drops the mask, as Keras does: padding counts as the row of id 0, and the layers
/// behind see no mask.
pub type Conv1D<
    const LEN: usize,
    const IN: usize,
    const FILTERS: usize,
    const KERNEL: usize,
    const OUT: usize,
    A = Identity,
    P = Valid,
    const STRIDE: usize = 1,
    const DILATION: usize = 1,
> = layers::Conv1D<LEN, IN, FILTERS, KERNEL, OUT, A, P, IgnoreMask, STRIDE, DILATION>;
