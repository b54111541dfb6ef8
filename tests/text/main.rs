//! What comes in and what is kept: words and their numbers, files of vectors and of weights.

#[cfg(feature = "alloc")]
mod columns;
#[cfg(feature = "std")]
mod damaged_files;
mod encoders;
mod hashes;
mod pipelines;
#[cfg(feature = "std")]
mod real_files;
mod vocabulary;
#[cfg(feature = "std")]
mod written_files;
