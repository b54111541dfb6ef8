//! Training that stops and goes on as if it had not stopped.

use super::Trainer;
use super::trainer::Progress;
use crate::image::{
    Header, ImageError, Kind, Layout, Section, SectionError, WriteSection, fill, records, seal,
};
use crate::layers::{Bytes, Fingerprint, Layer};
use crate::loss::Loss;
use crate::optim::{Optimizer, keeps_last_steps};
use zerocopy::IntoBytes;

/// Bytes of [`Progress`]: seed, step, epoch.
const PROGRESS: usize = 16;

/// The checkpoints of one kind of training. What works on bytes is here, once for all models of a program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckpointFormat {
    pub(crate) fingerprint: Fingerprint,
    /// Bytes of the records.
    pub(crate) recipe: usize,
    /// Bytes of the parameters.
    pub(crate) parameters: usize,
    /// Bytes of the optimizer's slots.
    pub(crate) slots: usize,
}

/// What a checkpoint holds: the progress, the parameters and the slots.
type Parts<'a> = (Progress, &'a [u8], &'a [u8]);

impl CheckpointFormat {
    /// What tells checkpoints apart: the layers and which of them learn, and what the optimizer keeps.
    pub(crate) const fn fingerprint(
        layers: Fingerprint,
        optimizer: &str,
        keeps_last_steps: bool,
    ) -> Fingerprint {
        Fingerprint::of("checkpoint").part(layers).name(optimizer).extent(keeps_last_steps as usize)
    }

    const fn layout(&self) -> Layout {
        Layout::model(self.recipe, self.parameters).with_training(PROGRESS + self.slots)
    }

    /// The length of a checkpoint in bytes.
    pub(crate) const fn size(&self) -> usize {
        self.layout().end()
    }

    /// Writes a checkpoint; `write` shows the bytes of recipe, parameters and slots.
    pub(crate) fn write(
        &self,
        progress: Progress,
        out: &mut [u8],
        write: &mut WriteSection<'_>,
    ) -> Result<(), ImageError> {
        let Progress { seed, step, epoch } = progress;
        seal(Kind::Checkpoint, self.fingerprint, &self.layout(), out, &mut |section, part| {
            if matches!(section, Section::Training) {
                part(&seed.to_le_bytes());
                part(&step.to_le_bytes());
                part(&epoch.to_le_bytes());
            }
            write(section, part);
        })
    }

    /// What a checkpoint holds, after all checks.
    pub(crate) fn read<'a>(&self, checkpoint: &'a [u8]) -> Result<Parts<'a>, ImageError> {
        let header = Header::check_type(Kind::Checkpoint, self.fingerprint, checkpoint)?;
        let length = ImageError::Length { expected: self.size(), found: checkpoint.len() };
        if checkpoint.len() != self.size() {
            return Err(length);
        }
        let (sections, parameters) = header.sections(checkpoint)?;
        let training = sections.need(Section::Training)?;
        let (seed, rest) = training.split_first_chunk().ok_or(length)?;
        let (step, rest) = rest.split_first_chunk().ok_or(length)?;
        let (epoch, slots) = rest.split_first_chunk().ok_or(length)?;
        for (section, found, expected) in [
            (Section::Parameters, parameters.len(), self.parameters),
            (Section::Training, slots.len(), self.slots),
        ] {
            if found != expected {
                return Err(section.is(SectionError::Content));
            }
        }
        let progress = Progress {
            seed: u64::from_le_bytes(*seed),
            step: u32::from_le_bytes(*step),
            epoch: u32::from_le_bytes(*epoch),
        };
        Ok((progress, parameters, slots))
    }
}

impl<M: Layer, O: Optimizer, L: Loss<M::Output>, const BATCH: usize> Trainer<M, O, L, BATCH> {
    const FORMAT: CheckpointFormat = CheckpointFormat {
        fingerprint: CheckpointFormat::fingerprint(M::RECORDS.learning(), O::NAME, keeps_last_steps::<O>()),
        recipe: size_of_val(records::<M>()),
        parameters: M::BYTES,
        slots: M::Slots::<O>::BYTES,
    };

    /// The length of a checkpoint in bytes.
    pub const CHECKPOINT_SIZE: usize = Self::FORMAT.size();

    /// Writes to `out` all that training depends on: the model, the optimizer's slots, the steps taken and
    /// the seed.
    ///
    /// The format is that of an [image](crate::image) of the kind checkpoint, with the sections recipe,
    /// parameters and training: seed (8 bytes), steps (4), epochs (4), slots.
    ///
    /// # Errors
    /// If `out` has not [`CHECKPOINT_SIZE`](Self::CHECKPOINT_SIZE) bytes; nothing has been written then.
    pub fn checkpoint(&self, model: &M, out: &mut [u8]) -> Result<(), ImageError> {
        const { &Self::FORMAT }.write(self.progress, out, &mut |section, part| match section {
            Section::Recipe => part(const { records::<M>() }.as_bytes()),
            Section::Training => self.memory.slots.visit(part),
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
        let (progress, parameters, slots) = const { &Self::FORMAT }.read(checkpoint)?;
        self.progress = progress;
        fill(parameters, |part| model.visit_mut(part));
        fill(slots, |part| self.memory.slots.visit_mut(part));
        self.lags = O::LAGS;
        if !O::LOOKS_COUNT {
            self.flush(model);
        }
        Ok(())
    }
}
