//! Layers: their gradients, their masks, and what they promise of batches, rows and images.

mod batches;
mod branches;
#[path = "../common/mod.rs"]
mod common;
mod compressed;
#[cfg(feature = "alloc")]
mod folded;
mod frozen_rows;
mod gradients;
mod lstm;
mod own_layers;
mod packed_models;
mod run_time;
mod sequence_layers;
mod strict_masks;
