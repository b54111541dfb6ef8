//! The kinds of layers, one type each, for the list that [`open`](super::open) takes.

mod activation;
mod add;
mod concatenate;
mod conv1d;
mod dense;
mod dot;
mod dropout;
mod embedding;
mod flatten;
mod folded;
mod hashed;
mod lstm;
mod overlay_bag;
mod pooling;
mod quotient_remainder;

pub use activation::Activation;
pub use add::Add;
pub use concatenate::Concatenate;
pub use conv1d::Conv1D;
pub use dense::Dense;
pub use dot::{BiasedDot, Dot};
pub use dropout::Dropout;
pub(super) use embedding::POOLINGS;
#[cfg(feature = "alloc")]
pub(super) use embedding::numbers_of_table;
pub use embedding::{Embedding, EmbeddingBag};
pub use flatten::Flatten;
pub use folded::Folded;
pub use hashed::HashedEmbedding;
pub use lstm::Lstm;
#[cfg(feature = "alloc")]
pub(super) use lstm::weights as lstm_weights;
pub use overlay_bag::OverlayBag;
pub use pooling::{GlobalAveragePooling1D, GlobalMaxPooling1D};
pub use quotient_remainder::QuotientRemainder;

use super::kind::{Input, Taken};
use super::shape::{RecordError, Shape, choice, extent, product};
use crate::kernels::{self, shaped};
use crate::layers::{ActivationFunction, ActivationKind, Identity, Relu, Sigmoid, Softmax, Tanh};
use crate::recipe::Record;
use crate::slices::{parts, parts_mut};
use crate::table::TableMut;
use zerocopy::{FromBytes, IntoBytes};

/// The activations in the order of their numbers.
pub(super) const ACTIVATIONS: [ActivationKind; 5] = [
    ActivationKind::Identity,
    ActivationKind::Relu,
    ActivationKind::Sigmoid,
    ActivationKind::Softmax,
    ActivationKind::Tanh,
];

/// The activations that a layer may have: one of [`layers`](crate::layers), or a tuple of some. No other is
/// linked.
pub trait Activations {
    /// A bit for each, by its number.
    #[doc(hidden)]
    const BITS: u8;
}

/// All activations.
pub type AnyActivation = (Identity, Relu, Sigmoid, Softmax, Tanh);

impl<A: ActivationFunction> Activations for A {
    const BITS: u8 = bit(A::KIND);
}

macro_rules! activations_of_tuples {
    ($(($($activations:ident)+))*) => {$(
        impl<$($activations: Activations),+> Activations for ($($activations,)+) {
            const BITS: u8 = $($activations::BITS |)+ 0;
        }
    )*};
}
activations_of_tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) }

const fn bit(kind: ActivationKind) -> u8 {
    match kind {
        ActivationKind::Identity => 1,
        ActivationKind::Relu => 1 << 1,
        ActivationKind::Sigmoid => 1 << 2,
        ActivationKind::Softmax => 1 << 3,
        ActivationKind::Tanh => 1 << 4,
    }
}

/// The activation of a record, if it is one of `A`.
fn activation_of<A: Activations>(record: &Record) -> Result<ActivationKind, RecordError> {
    let kind = choice(record, 1, &ACTIVATIONS)?;
    let [_, number, ..] = record.options;
    if A::BITS & bit(kind) != 0 { Ok(kind) } else { Err(RecordError::UnsupportedActivation { number }) }
}

/// The same of a record that was checked.
pub(super) fn activation<A: Activations>(record: &Record) -> ActivationKind {
    activation_of::<A>(record).unwrap_or(ActivationKind::Identity)
}

/// Turns logits into their activation, in place; `width` numbers belong together.
pub(super) fn activate<A: Activations>(kind: ActivationKind, width: usize, y: &mut [f32]) {
    // One that is not linked was refused when the record was read.
    match kind {
        ActivationKind::Relu if A::BITS & bit(Relu::KIND) != 0 => kernels::relu(y),
        ActivationKind::Sigmoid if A::BITS & bit(Sigmoid::KIND) != 0 => kernels::sigmoid(y),
        ActivationKind::Tanh if A::BITS & bit(Tanh::KIND) != 0 => kernels::tanh(y),
        ActivationKind::Softmax if A::BITS & bit(Softmax::KIND) != 0 => {
            parts_mut(y, width).for_each(kernels::softmax);
        }
        _ => {}
    }
}

/// Turns the gradients of activations `y` into those of logits, in place.
fn activate_backward<A: Activations>(kind: ActivationKind, width: usize, y: &[f32], d_y: &mut [f32]) {
    match kind {
        ActivationKind::Relu if A::BITS & bit(Relu::KIND) != 0 => shaped::relu_backward(y, d_y),
        ActivationKind::Sigmoid if A::BITS & bit(Sigmoid::KIND) != 0 => shaped::sigmoid_backward(y, d_y),
        ActivationKind::Tanh if A::BITS & bit(Tanh::KIND) != 0 => shaped::tanh_backward(y, d_y),
        ActivationKind::Softmax if A::BITS & bit(Softmax::KIND) != 0 => {
            for (y, d_y) in parts(y, width).zip(parts_mut(d_y, width)) {
                shaped::softmax_backward(y, d_y);
            }
        }
        _ => {}
    }
}

/// The extents of a record.
fn extents(record: &Record) -> [usize; 6] {
    record.extents.map(|extent| extent as usize)
}

/// The value that the first two extents are, of a vector the second is 0.
#[inline]
fn value(record: &Record) -> Result<Shape, RecordError> {
    let len = extent(record, 0)?;
    let [_, 0, ..] = record.extents else {
        let dim = extent(record, 1)?;
        product(len, dim)?;
        return Ok(Shape::Sequence { len, dim });
    };
    Ok(Shape::Vector(len))
}

/// The input of ids that a layer takes.
fn taken(x: Taken<'_>) -> Input<'_> {
    match x {
        Taken::Input(input) => input,
        _ => Input::Ids(&[]),
    }
}

/// The ids of an input, of either size.
fn ids_of_any_size(input: Input<'_>) -> impl Iterator<Item = u64> + Clone {
    let (short, long) = match input {
        Input::Ids(ids) => (ids, &[][..]),
        Input::LongIds(ids) => (&[][..], ids),
        _ => (&[][..], &[][..]),
    };
    short.iter().map(|id| u64::from(*id)).chain(long.iter().copied())
}

/// Memory that is divided up: scratch, or what is kept.
struct Memory<'a>(&'a mut [f32]);

impl<'a> Memory<'a> {
    /// Takes the first numbers off; none if there are fewer.
    fn take(&mut self, length: usize) -> &'a mut [f32] {
        self.0.split_off_mut(..length).unwrap_or_default()
    }

    /// Takes rows of `dim` numbers off.
    fn take_rows(&mut self, rows: usize, dim: usize) -> TableMut<'a> {
        TableMut::of_dim(self.take(rows * dim), dim)
    }

    /// Takes whole numbers off.
    fn take_words(&mut self, length: usize) -> &'a mut [u32] {
        <[u32]>::mut_from_bytes(self.take(length).as_mut_bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
