//! Checkpoints: the bytes of those of the typed trainer.

use super::kind::Kinds;
use super::recipe::Recipe;
use super::trainer::Trainer;
use crate::image::{ImageError, Section};
use crate::layers::Fingerprint;
use crate::recipe::Record;
use crate::slices::copy;
use crate::train::CheckpointFormat;
use zerocopy::IntoBytes;

impl<K: Kinds> Recipe<'_, K> {
    /// The hash of the layers: that of the types that read the same parameters.
    pub fn fingerprint(&self) -> Fingerprint {
        Record::fingerprint_of(self.records().iter().copied().map(Record::thawed))
    }

    /// The hash that also tells which layers are frozen.
    fn learning(&self) -> Fingerprint {
        Record::fingerprint_of(self.records().iter().copied())
    }
}

impl<K: Kinds> Trainer<'_, K> {
    fn format(&self) -> CheckpointFormat {
        let (recipe, optimizer) = (self.recipe(), self.optimizer);
        let (name, keeps_last_steps) = (optimizer.name(), optimizer.keeps_last_steps());
        CheckpointFormat {
            fingerprint: CheckpointFormat::fingerprint(recipe.learning(), name, keeps_last_steps),
            recipe: size_of_val(recipe.records()),
            parameters: 4 * recipe.parameters(),
            slots: size_of_val(&*self.learning.slots),
        }
    }

    /// That there are as many parameters as the recipe says.
    fn check_parameters(&self, parameters: &[f32]) -> Result<(), ImageError> {
        let (expected, found) = (4 * self.recipe().parameters(), size_of_val(parameters));
        if found == expected { Ok(()) } else { Err(ImageError::Length { expected, found }) }
    }

    /// The length of a checkpoint in bytes.
    pub fn checkpoint_size(&self) -> usize {
        self.format().size()
    }

    /// Writes to `out` all that training depends on, with the bytes of the typed
    /// [`checkpoint`](crate::train::Trainer::checkpoint).
    ///
    /// # Errors
    /// If `out` has not [`checkpoint_size`](Self::checkpoint_size) bytes, or there are not as many parameters
    /// as the recipe says; nothing has been written then.
    pub fn checkpoint(&self, parameters: &[f32], out: &mut [u8]) -> Result<(), ImageError> {
        self.check_parameters(parameters)?;
        self.format().write(self.progress, out, &mut |section, part| match section {
            Section::Recipe => part(self.recipe().records().as_bytes()),
            Section::Training => part(self.learning.slots.as_bytes()),
            _ => part(parameters.as_bytes()),
        })
    }

    /// Goes back to a checkpoint, as the typed [`resume`](crate::train::Trainer::resume) does.
    ///
    /// # Errors
    /// If the bytes are not an unharmed checkpoint of this recipe and kind of optimizer, or there are not as
    /// many parameters as the recipe says; nothing has changed then.
    pub fn resume(&mut self, parameters: &mut [f32], checkpoint: &[u8]) -> Result<(), ImageError> {
        self.check_parameters(parameters)?;
        let (progress, bytes, slots) = self.format().read(checkpoint)?;
        self.progress = progress;
        copy(bytes, parameters.as_mut_bytes());
        copy(slots, self.learning.slots.as_mut_bytes());
        self.lags = self.optimizer.lags();
        if !self.optimizer.looks_count() {
            self.flush(parameters);
        }
        Ok(())
    }
}
