//! Training: epochs of batches, and what comes of them.

mod checkpoint;
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
pub use summary::TrainingSummary;
pub use trainer::Trainer;
