//! Training: optimizers and the rows that they touch, errors, checkpoints and images.

#[macro_use]
mod optimizers;

mod any_loss;
mod any_optimizer;
mod bad_input;
#[path = "../common/mod.rs"]
mod common;
mod errors;
mod hyperparameters;
mod image_contents;
mod image_pages;
mod image_sections;
mod images;
mod keras;
mod learning;
mod opening;
mod resume;
mod rounded_updates;
#[cfg(feature = "alloc")]
mod run_time;
mod skip_gram;
mod sparse_updates;
mod threads;
mod training_mistakes;
