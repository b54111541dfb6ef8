//! Small neural networks that start from words, users, products or other things with a number: a table with
//! one row of values for each of them (an *embedding*), layers on top, and training of all of it. It needs
//! neither an operating system nor an allocator, and it computes the same bits on every processor.
//!
//! ```
//! use nanoembed::rand_core::SeedableRng;
//! use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
//! use nanoembed::{layers::*, loss::BinaryCrossEntropy, optim::Adam, sequential};
//! use nanoembed::{text::HashingTokenizer, train::Trainer};
//!
//! // In Keras: Embedding(50, 8, input_length=4), Flatten(), Dense(1, activation="sigmoid")
//! sequential! { type Reviews = [Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>]; }
//! const TOKENIZER: HashingTokenizer = HashingTokenizer::for_table::<Reviews>(); // words to its 50 rows
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let texts = [TOKENIZER.encode("horrible service")?, TOKENIZER.encode("awesome!")?];
//!     let complaints = [[1.0], [0.0]];
//!
//!     let mut model = Reviews::new(&mut Xoshiro128PlusPlus::seed_from_u64(1)); // initial values as in Keras
//!     let adam = Adam { learning_rate: 0.01, ..Adam::default() };
//!     let mut trainer = Trainer::<Reviews, _, _, 2>::new(adam, BinaryCrossEntropy::default());
//!     for _ in 0..100 {
//!         trainer.epoch(&mut model, &texts, &complaints)?;
//!     }
//!
//!     assert_eq!(trainer.evaluate(&model, &texts, &complaints)?.accuracy, 1.0);
//!     let [probability] = model.predict(&TOKENIZER.encode("horrible food")?)?;
//!     assert!(probability > 0.5);
//!     Ok(())
//! }
//! ```
//!
//! There are three ways in, with one set of kernels below them:
//!
//! - **Models as types** ([`layers`], [`train`], [`image`]). Every size is a const parameter, and every
//!   buffer is an array. Start with [`sequential!`] and [`train::Trainer`].
//! - **Models as values** ([`models`]). An image or a list of records says what the layers are, and you bring
//!   the memory. Start with [`models::open`].
//! - **Views and kernels** ([`table`], [`kernels`], [`sparse`], [`optim`]). Tables have any number of rows,
//!   and you bring the memory. Start with [`table::Table`], [`table::Indices`] and [`kernels::pool`].
//!
//! # How data flows
//!
//! ```text
//!  "awesome services!"                                             training only
//!         │ text      split, lower, hash or look up, pad           ─────────────
//!         ▼                                                        loss     value and gradient
//!    ids [11, 21, 0, 0]                                              │
//!         │ table     rows in six formats, checked ids, bags         ▼
//!         ▼                                                        layers   backward, back to front
//!    rows [[f32; DIM]; LEN]                                          │
//!         │ kernels   gather, pool, gemm, convolution, ...           ▼
//!         ▼                                                        sparse   which rows occur, sorted by row
//!    layers           Embedding, Conv1D, Lstm, Dense, ...            │
//!         ▼                                                          ▼
//!    probability 0.97                                              optim    one step on these rows
//!         image       the trained model as bytes, used in place      │
//!                                                                    ▼
//!                                                                  train    steps, epochs, checkpoints
//! ```
//!
//! # Modules
//!
//! | to do this | take |
//! |---|---|
//! | turn text into ids | [`text`] |
//! | build a model | [`layers`]; [`keras`] if it has to compute what Keras 3 computes |
//! | train it | [`train`], [`optim`], [`loss`] |
//! | judge it | [`train::Trainer::evaluate`], [`metrics`] |
//! | ship it | [`image`], [`models::Model::ship`] |
//! | open a model whose type you do not know, or go from text to an answer | [`models`] |
//! | learn vectors of words from text alone | [`models::skip_gram`] |
//! | look up rows of big tables | [`table`], [`kernels`] |
//! | train rows of big tables | [`sparse`], [`optim`] |
//! | read and write files (feature `std`) | `weights`, `vectors`, `files` |
//! | find the rows nearest to a vector, answer analogies | [`similarity`] |
//! | put large values on the heap | [`memory`] |
//! | compute `exp` and its kin with the same bits everywhere | [`math`] |
//! | choose a level of the processor | [`simd::Level`] |
//! | handle an error | [`error`], [`train::TrainError`], [`image::ImageError`], [`models::OpenError`] |
//!
//! # Features
//!
//! | feature | what it adds | what it costs |
//! |---|---|---|
//! | none | all modules but the three for files | six small crates that are linked, five that run at build time |
//! | `alloc` | `boxed` constructors, images as `Vec` | an allocator |
//! | `std` | `weights`, `vectors`, `files`; implies `alloc` | the standard library, and 23 crates more |
//! | `md5` | `text::Md5`, for Keras' `hashing_trick(hash_function="md5")` | seven crates more, and 3 KB in the program |
//! | `siphash` | `text::SipHash`, for Keras' `Hashing` with a salt | one crate more |
//! | `unicode` | `text::Unicode`, lower-casing of all scripts | one crate more, and 57 KB in the program, tables and code (x86-64) |
//!
//! # What it is not for
//!
//! - **Large models.** It computes in `f32` on one processor core, without a GPU. There is no attention, no
//!   two-dimensional convolution and no GRU.
//! - **Automatic differentiation.** A layer of your own comes with its own backward pass.
//! - **Tokenizers of language models**, such as byte pairs or word pieces.
//! - **Big-endian targets.** They do not compile.
//!
//! # Minimum Rust version
//!
//! 1.89. A later version of this crate may need a later Rust; the changelog will say so.
//!
//! # Glossary
//!
//! Some words mean different things elsewhere. Here they mean one thing:
//!
//! - **bag**: a group of ids whose rows are pooled into one.
//! - **duplicates**: ids that occur several times in a batch. Their row takes one step, with the sum of its
//!   gradients in order of occurrence. The second moment takes the square of this sum, unless
//!   `keras3_duplicates` is set.
//! - **epsilon**: each optimizer has it at the place in the formula where Keras has it.
//! - **exact** and **lazy**: whether a row that does not occur goes on moving by its momentum ([`optim`]).
//! - **fused**: a loss that is computed from logits, together with the activation that would make
//!   probabilities of them ([`loss`]).
//! - **id** and **index**: a row number. **Indices** are checked ids.
//! - **learning rate**: it is subtracted.
//! - **level**: the instructions that a kernel uses, such as AVX2. It changes the speed and never a bit.
//! - **logits**: outputs before the activation that makes probabilities of them.
//! - **mask**: `true` where a time step of a sequence is valid.
//! - **mean** of a bag: the sum divided by the number of its ids.
//! - **reference**, **scalar**, **naive**: the executable specification, the back end without SIMD, and the
//!   loop that benches compare with.
//! - **rows that occur**, or touched rows: the rows that have a gradient in a step.
//! - **slots**: the state that an optimizer keeps for parameters.
//! - **step**: one update by an optimizer. A place in a sequence is a **time step**.
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

mod message;

mod slices;

pub mod memory;

pub mod simd;

pub mod math;

mod random;

pub mod text;

pub mod table;

pub mod kernels;

pub mod sparse;

mod reference;

pub mod similarity;

pub mod optim;

pub(crate) mod passes;

mod recipe;

pub mod layers;

pub mod metrics;

pub mod loss;

pub mod image;

pub mod train;

pub mod models;

pub mod keras;

#[cfg(feature = "std")]
pub mod files;

#[cfg(feature = "std")]
pub mod weights;

#[cfg(feature = "std")]
pub mod vectors;

#[doc(hidden)]
pub mod internals;

// The crates whose types stand in this one's interface, so that versions agree.
pub use {rand_core, rand_xoshiro, zerocopy};

// The code of these pages is compiled and run with the tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct ReadMe;
    #[doc = include_str!("../docs/big-tables.md")]
    struct BigTables;
    #[doc = include_str!("../docs/devices.md")]
    struct Devices;
    #[doc = include_str!("../docs/image-format.md")]
    struct ImageFormat;
    #[doc = include_str!("../docs/keras.md")]
    struct Keras;
    #[doc = include_str!("../docs/types-or-values.md")]
    struct TypesOrValues;
    #[doc = include_str!("../CONTRIBUTING.md")]
    struct Contributing;
}
