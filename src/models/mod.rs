//! Models whose sizes are values: opened from an image, or described by a list of records.

mod batch;
mod blocks;
mod checkpoint;
mod ending;
mod kind;
pub mod kinds;
mod learn;
mod model;
mod pass;
mod recipe;
mod run;
mod shape;
mod trainer;

pub use crate::recipe::{LayerKind, Record, Source};
pub use blocks::BatchSize;
pub use kind::{Input, Kinds};
pub use model::Model;
pub use recipe::Recipe;
pub use run::{Lengths, Workspace};
pub use shape::{RecipeError, RecordError, Shape};
pub use trainer::{Memory, Trainer, TrainingLengths, UnfitTraining};

/// All kinds of layers.
pub type All = (kinds::Embedding, kinds::EmbeddingBag, kinds::Flatten, kinds::Dense);
