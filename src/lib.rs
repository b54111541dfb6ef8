//! The embedding layer, complete and trainable: in `no_std`, without an allocator, at the speed of memory, with the same bits on
//! every processor.
//!
//! ```text
//!  "awesome services!"                                                           training only
//!         │ text      split, lower, hash, n-grams, pad                           ─────────────
//!         ▼                                                                      loss      value, gradient, link
//!    ids [11, 21, 0, 0]                                                            │
//!         │ table     rows, checked ids, bags                                      ▼
//!         ▼                                                                      layers    backward
//!    rows [[f32; DIM]; LEN]                                                        │
//!         │ kernels   gather, pool, scatter, update, gemm, activations             ▼
//!         ▼                                                                      optim     touched rows only
//!    layers           Embedding, EmbeddingBag, Conv1D, Lstm, pooling, Dense        │
//!         ▼                                                                        ▼
//!    probability 0.97                                                            train     steps, epochs, checkpoints
//!         image       the trained model as bytes, used where they lie
//! ```
//!
//! Two ways in, one set of kernels:
//!
//! - **Models as types** ([`layers`], [`train`], [`image`]): every size is a const parameter, every buffer an array. Start with
//!   [`sequential!`] and [`train::Trainer`].
//! - **Views and kernels** ([`table`], [`kernels`], [`optim`]): any number of rows, any dim, memory borrowed from the caller.
//!
//! # Glossary
//!
//! Words that mean different things elsewhere mean one thing here:
//!
//! - **duplicates**: a row that occurs several times in a batch takes one step, with the sum of its gradients in order of
//!   occurrence; the square that enters a second moment is the square of the sum, unless `keras3_duplicates` is set.
//! - **epsilon** stands where each optimizer's formula says, as in Keras.
//! - **exact** and **lazy**: whether a row that does not occur goes on moving by its momentum ([`optim`]).
//! - **index**, **id**: a row number; **indices** are checked ids.
//! - **learning rate**: subtracted.
//! - **link**: the activation that turns scores into probabilities and that a loss is fused with ([`loss`]).
//! - **mask**: `true` where a step of a sequence is valid.
//! - **mean** of a bag: the sum divided by the number of ids in it.
//! - **reference**, **scalar**, **naive**: the executable specification, the back end without SIMD, the loop that benches compare
//!   with.
//! - **touched rows**: the rows that have a gradient in a step.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(target_endian = "big")]
compile_error!("nanoembed's images and packed rows are little-endian; big-endian targets are refused");

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

// In the order in which they build on each other; `tests/house/layering.rs` holds it.
pub mod error;

#[doc(hidden)]
pub mod message;

pub mod memory;

pub mod simd;

pub mod math;

pub mod text;

pub mod table;

pub mod kernels;

#[doc(hidden)]
pub mod reference;

pub mod optim;

pub mod layers;

pub mod metrics;

pub mod loss;

pub mod image;

pub mod train;

pub mod keras;

#[cfg(feature = "std")]
pub mod files;

#[cfg(feature = "std")]
pub mod vectors;

#[cfg(feature = "std")]
pub mod weights;

// The crates whose types stand in this one's interface, so that versions agree.
pub use {rand_core, rand_xoshiro, zerocopy};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
