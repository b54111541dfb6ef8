//! Training: epochs of batches, and what comes of them.
//!
//! | to do this | take |
//! |---|---|
//! | learn from examples | [`Trainer::epoch`]; [`Trainer::step`] for single batches |
//! | correct a frozen model | [`Trainer::correct`] |
//! | measure | [`Trainer::evaluate`], [`Trainer::evaluate_with`], with a [`Report`] |
//! | predict many examples | [`Trainer::predict`] |
//! | see shapes and memory | [`Trainer::summary`] |
//! | stop at the best epoch | [`EarlyStopping`], [`History`] |
//! | stop today and go on tomorrow | [`Trainer::checkpoint`], [`Trainer::resume`] |
//! | know the order of the examples | [`Trainer::set_seed`], [`Trainer::set_shuffle`], [`Shuffle`] |
//! | handle an error | [`TrainError`] |
//!
//! ```
//! use nanoembed::rand_core::SeedableRng;
//! use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
//! use nanoembed::{layers::*, loss::BinaryCrossEntropy, optim::Adam, sequential, train::Trainer};
//!
//! type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
//! let (ids, labels) = ([[4, 7, 0, 0], [9, 4, 2, 0], [1, 7, 0, 0]], [[1.0], [0.0], [1.0]]);
//!
//! let mut model = Reviews::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
//! let mut trainer = Trainer::<Reviews, _, _, 2>::new(Adam::default(), BinaryCrossEntropy::default());
//! let before = trainer.evaluate(&model, &ids, &labels)?;
//! let report = trainer.epoch(&mut model, &ids, &labels)?; // two steps: on two examples, then on one
//! assert_eq!(trainer.steps(), 2);
//! assert!(trainer.evaluate(&model, &ids, &labels)?.loss < before.loss);
//! # Ok::<(), nanoembed::train::TrainError>(())
//! ```

mod checkpoint;
mod correct;
mod early_stopping;
mod error;
mod history;
mod shuffle;
mod summary;
mod trainer;

pub use early_stopping::EarlyStopping;
pub use error::TrainError;
pub use history::{History, Report};
pub use shuffle::Shuffle;
pub use trainer::Trainer;
/// The bound of early stopping. It is no part of the interface: `internals` gives it out.
pub(crate) mod inner {
    pub use super::early_stopping::Weights;
}

pub(crate) use {checkpoint::CheckpointFormat, history::Totals, trainer::Progress};
