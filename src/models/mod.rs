//! Models whose sizes are values: opened from an image, or described by a list of records.

mod batch;
mod blocks;
mod checkpoint;
mod classifier;
mod ending;
mod kind;
pub mod kinds;
mod learn;
mod model;
mod open;
mod pass;
mod recipe;
mod run;
mod shape;
mod trainer;

pub use crate::recipe::{LayerKind, Record, Source};
pub use blocks::BatchSize;
pub use classifier::{Answer, Classifier, ClassifierError};
pub use kind::{Input, Kinds};
pub use model::Model;
pub use open::{OpenError, open};
pub use recipe::Recipe;
pub use run::{Lengths, Workspace};
pub use shape::{RecipeError, RecordError, Shape};
pub use trainer::{Memory, Trainer, TrainingLengths, UnfitTraining};

use crate::table::{Bf16, F16, F32, U2, U4, U8};
use kinds::{
    Activation, BiasedDot, Concatenate, Conv1D, Dense, Dot, Dropout, Embedding, EmbeddingBag, Flatten,
    GlobalAveragePooling1D, GlobalMaxPooling1D, HashedEmbedding, Lstm, QuotientRemainder,
};

/// A kind with rows in every format.
macro_rules! in_every_format {
    ($kind:ident) => {
        ($kind<F32>, $kind<F16>, $kind<Bf16>, $kind<U8>, $kind<U4>, $kind<U2>)
    };
}

/// All kinds of layers.
pub type All = (
    (Dense, Flatten, GlobalMaxPooling1D, GlobalAveragePooling1D, Conv1D, Lstm),
    in_every_format!(Embedding),
    in_every_format!(EmbeddingBag),
    (HashedEmbedding, QuotientRemainder),
    (Dropout, Activation, Concatenate, Dot, BiasedDot),
);
