//! Kernels: the bits of `reference` at every level, for every shape, id type and row format.

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod dense;
mod lstm;
mod row_formats;
mod rows;
mod scores;
mod sequences;
mod similarity;
mod skip_gram;
