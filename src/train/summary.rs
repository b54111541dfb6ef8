//! What training takes, printed.

use super::Trainer;
use super::trainer::Memory;
use crate::layers::{Layer, Summary};
use crate::loss::Loss;
use crate::optim::Optimizer;
use core::fmt;
use core::marker::PhantomData;

/// The layers of a model and the bytes that training it takes, printed like Keras' `model.summary()`.
pub struct TrainingSummary<T>(PhantomData<T>);

impl<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> Trainer<M, O, L, BATCH> {
    /// The summary of the model and of this trainer, to be printed.
    pub fn summary(&self) -> TrainingSummary<Self> {
        TrainingSummary(PhantomData)
    }
}

impl<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> fmt::Display
    for TrainingSummary<Trainer<M, O, L, BATCH>>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (slots, gradients, activations) =
            (size_of::<M::Slots<O>>(), size_of::<M::Gradient<BATCH>>(), size_of::<M::Cache<BATCH>>());
        let batch = size_of::<Memory<M, O, L, BATCH>>() - slots - gradients - activations;
        writeln!(f, "{}", Summary::<M>::new())?;
        write!(
            f,
            "Training ({}, batches of {BATCH}): {} bytes (slots {slots}, gradients {gradients}, activations {activations}, batch {batch})",
            O::NAME,
            size_of::<Trainer<M, O, L, BATCH>>(),
        )
    }
}
