//! Training that stops and goes on as if it had not stopped.

use super::Trainer;
use super::trainer::Progress;
use crate::image::{HEADER, ImageError, Kind, fill, open, seal};
use crate::layers::{Bytes, Fingerprint, Layer};
use crate::loss::Loss;
use crate::optim::Optimizer;

/// Bytes of [`Progress`]: seed, step, epoch.
const PROGRESS: usize = 16;

impl<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> Trainer<M, O, L, BATCH> {
    /// Which layers learn shows in the layout of the slots alone, as does whether the optimizer is exact.
    const CHECKPOINT: Fingerprint =
        Fingerprint::of("checkpoint").part(M::FINGERPRINT).name(O::NAME).part(M::Slots::<O>::PARTS);
    const PAYLOAD: usize = PROGRESS + M::BYTES + M::Slots::<O>::BYTES;

    /// The length of a checkpoint in bytes.
    pub const CHECKPOINT_SIZE: usize = HEADER + Self::PAYLOAD;

    /// Writes to `out` all that training depends on: the model, the optimizer's slots, the steps taken and
    /// the seed.
    ///
    /// The format is that of an [image](crate::image) of the kind checkpoint, with the payload: seed (8
    /// bytes), steps (4), epochs (4), parameters, slots.
    ///
    /// # Errors
    /// If `out` has not [`CHECKPOINT_SIZE`](Self::CHECKPOINT_SIZE) bytes; nothing has been written then.
    pub fn checkpoint(&self, model: &M, out: &mut [u8]) -> Result<(), ImageError> {
        let Progress { seed, step, epoch } = self.progress;
        seal(Kind::Checkpoint, Self::CHECKPOINT, Self::PAYLOAD, out, |part| {
            part(&seed.to_le_bytes());
            part(&step.to_le_bytes());
            part(&epoch.to_le_bytes());
            model.visit(part);
            self.memory.slots.visit(part);
        })
    }

    /// Goes back to a checkpoint: training then gives the bits of training that never stopped, with the same
    /// optimizer, loss, batches, [`set_shuffle`](Self::set_shuffle) and examples, of which a checkpoint holds
    /// nothing. Ends with a [`flush`](Self::flush), which changes no bit of that.
    ///
    /// # Errors
    /// If the bytes are not an unharmed checkpoint of this model and kind of optimizer; nothing has changed
    /// then.
    pub fn resume(&mut self, model: &mut M, checkpoint: &[u8]) -> Result<(), ImageError> {
        let payload = open(Kind::Checkpoint, Self::CHECKPOINT, checkpoint)?;
        let length = ImageError::Length { expected: Self::CHECKPOINT_SIZE, found: checkpoint.len() };
        if payload.len() != Self::PAYLOAD {
            return Err(length);
        }
        let (seed, rest) = payload.split_first_chunk().ok_or(length)?;
        let (step, rest) = rest.split_first_chunk().ok_or(length)?;
        let (epoch, rest) = rest.split_first_chunk().ok_or(length)?;
        self.progress = Progress {
            seed: u64::from_le_bytes(*seed),
            step: u32::from_le_bytes(*step),
            epoch: u32::from_le_bytes(*epoch),
        };
        fill(rest, |part| {
            model.visit_mut(part);
            self.memory.slots.visit_mut(part);
        });
        self.flush(model);
        Ok(())
    }
}
