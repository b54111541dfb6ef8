//! The numbers of the format.

/// Length of the header in bytes.
pub const HEADER: usize = 64;

/// The version that this release reads and writes.
pub(super) const VERSION: u16 = 2;

/// What an image is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The parameters of a model.
    Model = 1,
    /// A training as it stood.
    Checkpoint = 2,
    /// A vocabulary.
    Vocabulary = 3,
}

/// What a section holds. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Section {
    /// The layers of the model, as records.
    Recipe = 1,
    /// The parameters of the model, in the order of its layers.
    Parameters = 2,
    /// The names of the classes.
    Classes = 3,
    /// How text becomes ids.
    Pipeline = 4,
    /// Words and their ids.
    Vocabulary = 5,
    /// Bytes of the user.
    Metadata = 6,
    /// What training goes on from: seed, steps, epochs, the optimizer's slots.
    Training = 7,
}

/// How many kinds of sections there are.
pub(super) const KINDS: usize = 7;

impl Section {
    /// Every kind, in the order in which sections stand in an image.
    pub(super) const ALL: [Self; KINDS] = [
        Self::Recipe,
        Self::Parameters,
        Self::Classes,
        Self::Pipeline,
        Self::Vocabulary,
        Self::Metadata,
        Self::Training,
    ];

    /// The name of the kind with this number.
    pub(super) fn name(number: u16) -> &'static str {
        match Self::ALL.into_iter().find(|section| *section as u16 == number) {
            Some(Self::Recipe) => "recipe",
            Some(Self::Parameters) => "parameters",
            Some(Self::Classes) => "classes",
            Some(Self::Pipeline) => "pipeline",
            Some(Self::Vocabulary) => "vocabulary",
            Some(Self::Metadata) => "metadata",
            Some(Self::Training) => "training",
            None => "of an unknown kind",
        }
    }
}
