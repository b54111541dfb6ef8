//! Models whose sizes are values: opened from an image whose type no one knows, or described by a list of
//! records.
//!
//! | family | items |
//! |---|---|
//! | from bytes to a model | [`open`] for the kinds of layers that a program names: [`All`], or a tuple of [`kinds`] |
//! | from text to the name of a class | [`Classifier`], [`Answer`] |
//! | a model as plain numbers | [`Recipe`], a checked list of [`Record`]s of a [`LayerKind`], each with its [`Source`] |
//! | see it | [`Recipe::summary`] |
//! | use it | [`Model::predict`], with [`Input`]s and a [`Workspace`] as long as [`Lengths`] says |
//! | train it | [`Trainer`], [`Fit`], [`Epoch`], with [`Memory`] as long as [`TrainingLengths`] says for a [`BatchSize`] |
//! | memory on the heap (feature `alloc`) | `Lengths::buffers`, `TrainingLengths::buffers` |
//! | tables of fewer bits | [`Model::ship`]; `ship` for a model that is a type (feature `alloc`) |
//! | a bag classifier as one table of integers (feature `alloc`) | `fold`, `Model::fold` with a `Folding` |
//! | a model of sequences that computes by integers alone (feature `alloc`) | `calibrate`, `Model::calibrate` |
//! | vectors of words from text alone | [`skip_gram`] |
//! | handle an error | [`OpenError`], [`RecipeError`], [`RecordError`], [`ClassifierError`], [`UnfitTraining`] |
//!
//! This is the second door to the layers: the first are [types](crate::layers). Both run the same code on the
//! same bytes, so they give the same bits. `docs/types-or-values.md` says when to take which.
//!
#![cfg_attr(feature = "alloc", doc = "```")]
#![cfg_attr(not(feature = "alloc"), doc = "```ignore")]
//! use nanoembed::layers::ActivationKind;
//! use nanoembed::models::{All, Input, LayerKind, Model, Recipe, Record, Source};
//! use nanoembed::{rand_core::SeedableRng, rand_xoshiro::Xoshiro128PlusPlus};
//! // In Keras: Embedding(50, 8, input_length=4), Flatten(), Dense(1, activation="sigmoid")
//! let records = [
//!     Record::new(LayerKind::Embedding, &[4, 50, 8]).from(Source::Input(0)),
//!     Record::new(LayerKind::Flatten, &[4, 8]),
//!     Record::new(LayerKind::Dense, &[32, 1]).activation(ActivationKind::Sigmoid),
//! ];
//! let recipe = Recipe::<All>::new(&records)?;
//! let mut parameters = vec![0.0; recipe.parameters()];
//! recipe.init(&mut parameters, &mut Xoshiro128PlusPlus::seed_from_u64(1))?;
//!
//! let model = Model::new(recipe, &parameters)?;
//! let mut buffers = recipe.workspace(2).expect("a small model").buffers();
//! let mut y = [0.0; 2]; // of two examples
//! model.predict(&[Input::Ids(&[4, 7, 0, 0, 11, 21, 0, 0])], &mut buffers.workspace(), &mut y)?;
//! assert!(y.iter().all(|probability| (0.4..0.6).contains(probability)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Memory
//! Nothing here allocates without the feature `alloc`. The caller brings slices, and what they hold before
//! does not matter. For a model that fits no slice that is known when the program is built, ask
//! [`Recipe::workspace`] and [`Trainer::lengths`].
//!
//! # Cost
//! A call reads each record again, about 30 ns a layer on a processor of 3 GHz. So the smallest models take
//! up to twice the time of the types, and models of a few thousand products the same. A layer that joins two
//! others looks for each of them from the first layer on, 3 ns a layer.

mod bag_steps;
mod batch;
mod blocks;
#[cfg(feature = "alloc")]
mod buffers;
#[cfg(feature = "alloc")]
mod calibrate;
#[cfg(feature = "alloc")]
mod calibrate_error;
mod checkpoint;
mod classifier;
mod ending;
mod epoch;
mod fit;
#[cfg(feature = "alloc")]
mod fold;
mod kind;
pub mod kinds;
mod learn;
mod memory;
mod model;
mod open;
mod pass;
#[cfg(feature = "alloc")]
mod ranges;
mod recipe;
mod run;
#[cfg(feature = "alloc")]
mod scale;
mod shape;
mod ship;
pub mod skip_gram;
mod summary;
mod trainer;
#[cfg(feature = "alloc")]
mod units;

pub use crate::recipe::{LayerKind, Record, Source};
pub use blocks::BatchSize;
#[cfg(feature = "alloc")]
pub use buffers::{Buffers, TrainingBuffers};
#[cfg(feature = "alloc")]
pub use calibrate::calibrate;
#[cfg(feature = "alloc")]
pub use calibrate_error::CalibrateError;
pub use classifier::{Answer, Classifier, ClassifierError};
pub use fit::{Epoch, Fit};
#[cfg(feature = "alloc")]
pub use fold::{FoldError, Folding, fold};
pub use kind::{Input, Kinds};
pub use memory::{Memory, TrainingLengths, UnfitTraining};
pub use model::Model;
pub use open::{OpenError, open};
pub use recipe::Recipe;
pub use run::{Lengths, Workspace};
pub use shape::{RecipeError, RecordError, Shape};
#[cfg(feature = "alloc")]
pub use ship::ship;
pub use trainer::Trainer;

use crate::table::{Bf16, F16, F32, I4, I8, U2, U4, U8};
use kinds::{
    Activation, Add, BiasedDot, Concatenate, Conv1D, Dense, Dot, Dropout, Embedding, EmbeddingBag, Flatten,
    Folded, GlobalAveragePooling1D, GlobalMaxPooling1D, HashedEmbedding, Lstm, OverlayBag, QuotientRemainder,
};

/// A kind with rows in every format.
macro_rules! in_every_format {
    ($kind:ident) => {
        ($kind<F32>, $kind<F16>, $kind<Bf16>, $kind<U8>, $kind<U4>, $kind<U2>, $kind<I8>, $kind<I4>)
    };
}

/// All kinds of layers.
pub type All = (
    (Dense, Flatten, GlobalMaxPooling1D, GlobalAveragePooling1D, Conv1D, Lstm),
    in_every_format!(Embedding),
    in_every_format!(EmbeddingBag),
    (HashedEmbedding, QuotientRemainder, Folded<I8>, Folded<I4>, OverlayBag),
    (Dropout, Activation, Concatenate, Dot, BiasedDot, Add),
);
