//! What a layer keeps of a batch in training: what flows through it, forward and back.

use super::{Batch, BatchMut, Value};
use crate::slices::{first, first_mut};
use zerocopy::FromZeros;

/// What a layer keeps of its outputs: [`Flow`], [`Outputs`], or an own type.
pub trait Keeps<V: Value>: FromZeros {
    /// Whether the outputs are here: not where they lie in the inputs, as those of a
    /// [`Flatten`](super::Flatten) do.
    const HOLDS_OUTPUTS: bool = true;

    /// The outputs of the first `n` examples, to write.
    fn outputs(&mut self, n: usize) -> BatchMut<'_, V>;

    /// The outputs of the first `n` examples, and where their gradients are written, if the layer needs them.
    fn flows(&mut self, n: usize) -> (Batch<'_, V>, Option<&mut [V]>);
}

/// The outputs of a layer, their gradients, and what else it keeps.
#[derive(FromZeros)]
pub struct Flow<V: Value, const BATCH: usize, K = ()> {
    values: [V; BATCH],
    masks: [V::Mask; BATCH],
    d_values: [V; BATCH],
    /// What else the layer keeps.
    pub kept: K,
}

/// The outputs of a layer, whose gradients lie elsewhere or are not needed.
#[derive(FromZeros)]
pub struct Outputs<V: Value, const BATCH: usize> {
    values: [V; BATCH],
    masks: [V::Mask; BATCH],
}

/// What a backward pass works with: see [`Flow::parts`].
pub struct FlowParts<'a, V: Value, K> {
    /// The outputs, as the layer after this one left them: a [`Flatten`](super::Flatten) makes zeros of
    /// masked steps, and gives them gradients of zero. So do not divide by them.
    pub y: &'a [V],
    /// Their gradients.
    pub d_y: &'a mut [V],
    /// What else the layer keeps.
    pub kept: &'a mut K,
}

impl<V: Value, const BATCH: usize, K> Flow<V, BATCH, K> {
    /// Of the first `n` examples: outputs, their gradients, and what else the layer keeps.
    #[inline]
    pub fn parts(&mut self, n: usize) -> FlowParts<'_, V, K> {
        let Self { values, d_values, kept, .. } = self;
        FlowParts { y: first(values, n), d_y: first_mut(d_values, n), kept }
    }

    /// The outputs of the first `n` examples, to write, and what else the layer keeps.
    #[inline]
    pub fn start(&mut self, n: usize) -> (BatchMut<'_, V>, &mut K) {
        let Self { values, masks, kept, .. } = self;
        (BatchMut { values: first_mut(values, n), masks: first_mut(masks, n) }, kept)
    }
}

impl<V: Value, const BATCH: usize, K: FromZeros> Keeps<V> for Flow<V, BATCH, K> {
    #[inline]
    fn outputs(&mut self, n: usize) -> BatchMut<'_, V> {
        self.start(n).0
    }

    #[inline]
    fn flows(&mut self, n: usize) -> (Batch<'_, V>, Option<&mut [V]>) {
        let Self { values, masks, d_values, .. } = self;
        (Batch { values: first(values, n), masks: first(masks, n) }, Some(first_mut(d_values, n)))
    }
}

impl<V: Value, const BATCH: usize> Keeps<V> for Outputs<V, BATCH> {
    #[inline]
    fn outputs(&mut self, n: usize) -> BatchMut<'_, V> {
        BatchMut { values: first_mut(&mut self.values, n), masks: first_mut(&mut self.masks, n) }
    }

    #[inline]
    fn flows(&mut self, n: usize) -> (Batch<'_, V>, Option<&mut [V]>) {
        (Batch { values: first(&self.values, n), masks: first(&self.masks, n) }, None)
    }
}
