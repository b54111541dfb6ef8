//! Layers: their gradients, their masks, and what they promise of batches, rows and images.

mod batches;
mod branches;
#[cfg(feature = "alloc")]
mod cells_of_integers;
#[path = "../common/mod.rs"]
mod common;
mod compressed;
#[cfg(feature = "alloc")]
mod folded;
mod frozen_rows;
mod gradients;
#[cfg(feature = "alloc")]
mod integers;
#[cfg(feature = "alloc")]
mod limits_of_integers;
mod lstm;
mod overlay;
mod own_layers;
mod packed_models;
mod run_time;
mod sequence_layers;
mod strict_masks;
