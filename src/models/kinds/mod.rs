//! The kinds of layers, one type each, for the list that [`open`](super::open) takes.

mod activation;
mod concatenate;
mod conv1d;
mod dense;
mod dot;
mod dropout;
mod embedding;
mod flatten;
mod hashed;
mod lstm;
mod pooling;
mod quotient_remainder;

pub use activation::Activation;
pub use concatenate::Concatenate;
pub use conv1d::Conv1D;
pub use dense::Dense;
pub use dot::{BiasedDot, Dot};
pub use dropout::Dropout;
pub use embedding::{Embedding, EmbeddingBag};
pub use flatten::Flatten;
pub use hashed::HashedEmbedding;
pub use lstm::Lstm;
pub use pooling::{GlobalAveragePooling1D, GlobalMaxPooling1D};
pub use quotient_remainder::QuotientRemainder;

use super::kind::{Input, Taken, Values, ValuesMut};
use super::shape::{RecordError, Shape, extent, product};
use crate::kernels::{self, shaped};
use crate::layers::ActivationKind;
use crate::recipe::Record;
use crate::table::Format;
use zerocopy::{FromBytes, IntoBytes};

/// The format of a packed table: what an [`Embedding`] of another than f32 is of.
pub trait RowsOf: Format {}
impl<F: Format> RowsOf for F {}

/// The activations in the order of their numbers.
pub(super) const ACTIVATIONS: [ActivationKind; 5] = [
    ActivationKind::Identity,
    ActivationKind::Relu,
    ActivationKind::Sigmoid,
    ActivationKind::Softmax,
    ActivationKind::Tanh,
];

/// Turns logits into their activation, in place; `width` numbers belong together.
pub(super) fn activate(kind: ActivationKind, width: usize, y: &mut [f32]) {
    match kind {
        ActivationKind::Identity => {}
        ActivationKind::Relu => kernels::relu(y),
        ActivationKind::Sigmoid => kernels::sigmoid(y),
        ActivationKind::Tanh => kernels::tanh(y),
        ActivationKind::Softmax => y.chunks_mut(width.max(1)).for_each(kernels::softmax),
    }
}

/// Turns the gradients of activations `y` into those of logits, in place.
fn activate_backward(kind: ActivationKind, width: usize, y: &[f32], d_y: &mut [f32]) {
    match kind {
        ActivationKind::Identity => {}
        ActivationKind::Relu => shaped::relu_backward(y, d_y),
        ActivationKind::Sigmoid => shaped::sigmoid_backward(y, d_y),
        ActivationKind::Tanh => shaped::tanh_backward(y, d_y),
        ActivationKind::Softmax => {
            for (y, d_y) in y.chunks(width.max(1)).zip(d_y.chunks_mut(width.max(1))) {
                shaped::softmax_backward(y, d_y);
            }
        }
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

/// Scratch as words.
fn words(numbers: &mut [f32]) -> &mut [u32] {
    <[u32]>::mut_from_bytes(numbers.as_mut_bytes()).unwrap_or_default()
}

/// Copies numbers and masks.
fn pass_on(x: Values<'_>, y: ValuesMut<'_>) {
    copy(x.numbers, y.numbers);
    copy(x.masks, y.masks);
}

/// Copies items, as many as there are in both.
fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
