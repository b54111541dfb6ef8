//! Skip-gram with negative sampling.

mod corpus;
mod error;
mod find;
mod learn;
mod memory;
mod settings;
mod training;
mod unigrams;

pub use corpus::Corpus;
pub use error::SkipGramError;
pub use memory::{Lengths, Memory};
pub use settings::{Sampling, Settings};
pub use training::{SkipGram, Task, Tasks};
