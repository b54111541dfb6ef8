//! Training that stops and goes on as if it had not stopped.

use super::Trainer;
use super::trainer::Progress;
use crate::image::{Header, ImageError, Kind, Layout, Section, SectionError, fill, records, seal};
use crate::layers::{Bytes, Fingerprint, Layer};
use crate::loss::Loss;
use crate::optim::{Optimizer, keeps_last_steps};
use zerocopy::IntoBytes;

/// Bytes of [`Progress`]: seed, step, epoch.
const PROGRESS: usize = 16;

/// What tells checkpoints apart: the layers and which of them learn, and what the optimizer keeps.
pub(crate) const fn checkpoint_fingerprint(
    layers: Fingerprint,
    optimizer: &str,
    keeps_last_steps: bool,
) -> Fingerprint {
    Fingerprint::of("checkpoint").part(layers).name(optimizer).extent(keeps_last_steps as usize)
}

impl<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> Trainer<M, O, L, BATCH> {
    const CHECKPOINT: Fingerprint =
        checkpoint_fingerprint(M::RECORDS.learning(), O::NAME, keeps_last_steps::<O>());
    const LAYOUT: Layout = {
        let model = Layout::model(size_of_val(records::<M>()), M::BYTES);
        model.with(Section::Training, PROGRESS + M::Slots::<O>::BYTES)
    };

    /// The length of a checkpoint in bytes.
    pub const CHECKPOINT_SIZE: usize = Self::LAYOUT.end();

    /// Writes to `out` all that training depends on: the model, the optimizer's slots, the steps taken and
    /// the seed.
    ///
    /// The format is that of an [image](crate::image) of the kind checkpoint, with the sections recipe,
    /// parameters and training: seed (8 bytes), steps (4), epochs (4), slots.
    ///
    /// # Errors
    /// If `out` has not [`CHECKPOINT_SIZE`](Self::CHECKPOINT_SIZE) bytes; nothing has been written then.
    pub fn checkpoint(&self, model: &M, out: &mut [u8]) -> Result<(), ImageError> {
        let Progress { seed, step, epoch } = self.progress;
        seal(Kind::Checkpoint, Self::CHECKPOINT, &Self::LAYOUT, out, &mut |section, part| match section {
            Section::Recipe => part(const { records::<M>() }.as_bytes()),
            Section::Training => {
                part(&seed.to_le_bytes());
                part(&step.to_le_bytes());
                part(&epoch.to_le_bytes());
                self.memory.slots.visit(part);
            }
            _ => model.visit(part),
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
        let header = Header::check_type(Kind::Checkpoint, Self::CHECKPOINT, checkpoint)?;
        let length = ImageError::Length { expected: Self::CHECKPOINT_SIZE, found: checkpoint.len() };
        if checkpoint.len() != Self::CHECKPOINT_SIZE {
            return Err(length);
        }
        let (sections, parameters) = header.sections(checkpoint)?;
        let training = sections.need(Section::Training)?;
        for (section, found, expected) in [
            (Section::Parameters, parameters.len(), M::BYTES),
            (Section::Training, training.len(), PROGRESS + M::Slots::<O>::BYTES),
        ] {
            if found != expected {
                return Err(section.is(SectionError::Content));
            }
        }
        let (seed, rest) = training.split_first_chunk().ok_or(length)?;
        let (step, rest) = rest.split_first_chunk().ok_or(length)?;
        let (epoch, slots) = rest.split_first_chunk().ok_or(length)?;
        self.progress = Progress {
            seed: u64::from_le_bytes(*seed),
            step: u32::from_le_bytes(*step),
            epoch: u32::from_le_bytes(*epoch),
        };
        fill(parameters, |part| model.visit_mut(part));
        fill(slots, |part| self.memory.slots.visit_mut(part));
        self.flush(model);
        Ok(())
    }
}
