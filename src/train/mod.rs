//! Training: epochs of batches, and what comes of them.

mod checkpoint;
mod history;
mod shuffle;
mod summary;
mod trainer;

pub use history::{History, Report};
pub use shuffle::Shuffle;
pub use summary::TrainingSummary;
pub use trainer::{TrainError, Trainer};
