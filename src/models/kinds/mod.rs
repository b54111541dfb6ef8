//! The kinds of layers, one type each, for the list that [`open`](super::open) takes.

mod dense;
mod embedding;
mod flatten;

pub use dense::Dense;
pub use embedding::{Embedding, EmbeddingBag};
pub use flatten::Flatten;

use crate::kernels::{self, shaped};
use crate::layers::ActivationKind;
use crate::table::Format;

/// The format of a packed table: what an [`Embedding`] of another than f32 is of.
pub trait RowsOf: Format {}
impl<F: Format> RowsOf for F {}

/// The activations in the order of their numbers.
const ACTIVATIONS: [ActivationKind; 5] = [
    ActivationKind::Identity,
    ActivationKind::Relu,
    ActivationKind::Sigmoid,
    ActivationKind::Softmax,
    ActivationKind::Tanh,
];

/// Turns logits into their activation, in place; `width` numbers belong together.
fn activate(kind: ActivationKind, width: usize, y: &mut [f32]) {
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

/// Copies items, as many as there are in both.
fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
