//! The memory of a trainer: how much it is, and how it is divided.

use super::batch::words;
use super::blocks::{BatchSize, each_block};
use super::kind::Kinds;
use super::learn::scratch_of;
use super::recipe::Recipe;
use crate::error::CapacityExceeded;
use crate::loss::{AnyLoss, LossError};
use crate::optim::AnyOptimizer;
use core::fmt;

/// How much memory a [`Trainer`](super::Trainer) takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrainingLengths {
    /// Numbers of 32 bits: outputs, gradients, and what layers keep.
    pub numbers: usize,
    /// Masks of steps.
    pub masks: usize,
    /// Numbers of the optimizer's state, which a checkpoint holds.
    pub slots: usize,
}

/// Memory for a [`Trainer`](super::Trainer), as long as [`TrainingLengths`] says or longer; what it holds
/// does not matter.
#[derive(Debug)]
pub struct Memory<'t> {
    /// Numbers of 32 bits.
    pub numbers: &'t mut [f32],
    /// Masks of steps.
    pub masks: &'t mut [bool],
    /// The optimizer's state.
    pub slots: &'t mut [f32],
}

/// Why a model cannot be trained so.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum UnfitTraining {
    /// The loss does not fit the model.
    Loss(LossError),
    /// The memory is too short.
    Memory(CapacityExceeded),
    /// Batches of no examples, or more numbers than can be counted.
    BatchSize(BatchSize),
    /// The model does not end with a vector.
    Output,
}

impl fmt::Display for UnfitTraining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(error) => error.fmt(f),
            Self::Memory(error) => error.fmt(f),
            Self::BatchSize(BatchSize { examples: 0, .. }) => {
                f.write_str("batches of 0 examples: a batch has at least 1")
            }
            Self::BatchSize(BatchSize { examples, ids_per_bag }) => write!(
                f,
                "batches of {examples} examples, bags of {ids_per_bag} ids: take smaller ones, these need more than can be counted"
            ),
            Self::Output => f.write_str("the model ends with a sequence: flatten or pool it"),
        }
    }
}

impl core::error::Error for UnfitTraining {}

impl From<LossError> for UnfitTraining {
    fn from(error: LossError) -> Self {
        Self::Loss(error)
    }
}

impl From<CapacityExceeded> for UnfitTraining {
    fn from(error: CapacityExceeded) -> Self {
        Self::Memory(error)
    }
}

/// The parts of a trainer's numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) outputs: usize,
    pub(super) kept: usize,
    pub(super) gradients: usize,
    pub(super) lists: usize,
    pub(super) slots: usize,
    pub(super) scratch: usize,
    pub(super) inputs: usize,
    pub(super) loss: usize,
    pub(super) masks: usize,
    pub(super) valid: usize,
}

impl Parts {
    pub(super) fn of<K: Kinds>(
        recipe: Recipe<'_, K>,
        optimizer: &dyn AnyOptimizer,
        loss: AnyLoss<'_>,
        size: BatchSize,
    ) -> Option<Self> {
        let sizes = recipe.sizes;
        let mut scratch = Some(0_usize);
        let shares = each_block(recipe, optimizer, size, &mut |place| {
            scratch = scratch.zip(scratch_of(place.block, size)).map(|(most, own)| most.max(own));
        })?;
        let mut inputs = 0_usize;
        for shape in recipe.inputs() {
            inputs = inputs.checked_add(words(shape, size)?)?;
        }
        Some(Self {
            outputs: sizes.outputs.checked_mul(size.examples)?,
            kept: sizes.kept.of_batch(size.examples)?,
            gradients: shares.gradient,
            lists: shares.list,
            slots: shares.slots,
            scratch: scratch?,
            inputs,
            loss: loss.scratch(sizes.output.numbers()),
            masks: sizes.steps.checked_mul(size.examples)?,
            valid: sizes.valid.checked_mul(size.examples)?,
        })
    }

    pub(super) fn lengths(&self, size: BatchSize) -> Option<TrainingLengths> {
        let parts =
            [self.outputs, self.outputs, self.kept, self.gradients, self.lists, self.scratch, self.inputs];
        let numbers =
            parts.into_iter().try_fold(self.loss, usize::checked_add)?.checked_add(size.examples)?;
        Some(TrainingLengths { numbers, masks: self.masks.checked_add(self.valid)?, slots: self.slots })
    }
}
