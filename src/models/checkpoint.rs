//! Checkpoints: the bytes of those of the typed trainer.

use super::kind::Kinds;
use super::recipe::Recipe;
use super::trainer::Trainer;
use crate::error::ShapeMismatch;
use crate::image::{Header, ImageError, Kind, Layout, Section, seal};
use crate::layers::Fingerprint;
use crate::train::{Progress, checkpoint_fingerprint};
use zerocopy::IntoBytes;

/// Bytes of [`Progress`].
const PROGRESS: usize = 16;

impl<K: Kinds> Recipe<'_, K> {
    /// The hash of the layers: that of the types that read the same parameters.
    pub fn fingerprint(&self) -> Fingerprint {
        let thawed = |hash, record: &crate::recipe::Record| record.thawed().fold_into(hash);
        self.records().iter().fold(Fingerprint::NOTHING, thawed)
    }

    /// The same, with what does not learn.
    fn learning(&self) -> Fingerprint {
        self.records().iter().fold(Fingerprint::NOTHING, |hash, record| record.fold_into(hash))
    }
}

impl<K: Kinds> Trainer<'_, K> {
    fn layout(&self) -> Layout {
        let recipe = self.recipe();
        let model = Layout::model(size_of_val(recipe.records()), 4 * recipe.parameters());
        model.with(Section::Training, PROGRESS + size_of_val(&*self.learning.slots))
    }

    fn fingerprint(&self) -> Fingerprint {
        let Self { optimizer, .. } = self;
        checkpoint_fingerprint(self.recipe().learning(), optimizer.name(), optimizer.keeps_last_steps())
    }

    /// The length of a checkpoint in bytes.
    pub fn checkpoint_size(&self) -> usize {
        self.layout().end()
    }

    /// Writes to `out` all that training depends on, with the bytes of the typed
    /// [`checkpoint`](crate::train::Trainer::checkpoint).
    ///
    /// # Errors
    /// If `out` has not [`checkpoint_size`](Self::checkpoint_size) bytes, or there are not as many parameters
    /// as the recipe says; nothing has been written then.
    pub fn checkpoint(&self, parameters: &[f32], out: &mut [u8]) -> Result<(), ImageError> {
        let Progress { seed, step, epoch } = self.progress;
        let (expected, found) = (4 * self.recipe().parameters(), size_of_val(parameters));
        if found != expected {
            return Err(ImageError::Length { expected, found });
        }
        seal(Kind::Checkpoint, self.fingerprint(), &self.layout(), out, &mut |section, part| match section {
            Section::Recipe => part(self.recipe().records().as_bytes()),
            Section::Training => {
                part(&seed.to_le_bytes());
                part(&step.to_le_bytes());
                part(&epoch.to_le_bytes());
                part(self.learning.slots.as_bytes());
            }
            _ => part(parameters.as_bytes()),
        })
    }

    /// Goes back to a checkpoint, as the typed [`resume`](crate::train::Trainer::resume) does.
    ///
    /// # Errors
    /// If the bytes are not an unharmed checkpoint of this recipe and kind of optimizer, or there are not as
    /// many parameters as the recipe says; nothing has changed then.
    pub fn resume(&mut self, parameters: &mut [f32], checkpoint: &[u8]) -> Result<(), ImageError> {
        let (expected, found) = (self.checkpoint_size(), checkpoint.len());
        let length = ImageError::Length { expected, found };
        let header = Header::check_type(Kind::Checkpoint, self.fingerprint(), checkpoint)?;
        let (sections, bytes) = header.sections(checkpoint)?;
        let training = sections.need(Section::Training)?;
        let (seed, rest) = training.split_first_chunk().ok_or(length)?;
        let (step, rest) = rest.split_first_chunk().ok_or(length)?;
        let (epoch, slots) = rest.split_first_chunk().ok_or(length)?;
        ShapeMismatch::check("bytes of the slots", size_of_val(&*self.learning.slots), slots.len())
            .and(ShapeMismatch::check("bytes of the parameters", bytes.len(), size_of_val(parameters)))
            .and(ShapeMismatch::check("parameters", self.recipe().parameters(), parameters.len()))
            .map_err(|_| length)?;
        self.progress = Progress {
            seed: u64::from_le_bytes(*seed),
            step: u32::from_le_bytes(*step),
            epoch: u32::from_le_bytes(*epoch),
        };
        for (to, from) in parameters.as_mut_bytes().iter_mut().zip(bytes) {
            *to = *from;
        }
        for (to, from) in self.learning.slots.as_mut_bytes().iter_mut().zip(slots) {
            *to = *from;
        }
        self.flush(parameters);
        Ok(())
    }
}
