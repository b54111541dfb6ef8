//! Models whose sizes are values: opened from an image, or described by a list of records.

mod kind;
pub mod kinds;
mod model;
mod recipe;
mod run;
mod shape;

pub use crate::recipe::{LayerKind, Record, Source};
pub use kind::{Input, Kinds};
pub use model::Model;
pub use recipe::Recipe;
pub use run::{Lengths, Workspace};
pub use shape::{RecipeError, RecordError, Shape};

/// All kinds of layers.
pub type All = (kinds::Embedding, kinds::EmbeddingBag, kinds::Flatten, kinds::Dense);
