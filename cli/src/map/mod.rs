//! Maps of rows: chosen words, their rows in a file of vectors or in the table of a model, the plane in which they
//! differ most, and how many of the nearest rows are of the same group.

mod project;
mod purity;
mod rows;
mod words;

pub(crate) use project::Projection;
pub(crate) use purity::{Purity, purity};
pub(crate) use rows::Rows;
pub(crate) use words::{Grouping, Words};
