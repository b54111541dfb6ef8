//! Models as plain numbers: a record of 64 bytes for each layer.
//!
//! A type of layers tells its records at compile time ([`Records`]), and their hash is its [`Fingerprint`].
//! An image holds the same records, from which a model is opened whose type no one knows.

mod fingerprint;
mod options;
mod record;
mod records;

pub use fingerprint::Fingerprint;
pub use record::{LayerKind, Record, Source};
pub use records::Records;
