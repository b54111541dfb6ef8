//! Files that are written whole or not at all, and what a file is by its first bytes.
//!
//! | item | what it does |
//! |---|---|
//! | [`write()`] | writes a file: the old one stays until the new one is complete |
//!
//! Use it for whatever a program keeps: images, checkpoints, weights.
//!
//! ```
//! use nanoembed::layers::{Dense, Layer};
//! use nanoembed::weights::{Npz, Weight};
//! use nanoembed::{files, image};
//! use std::io::Write;
//!
//! let model = Dense::<3, 2>::zeroed();
//! # let folder = std::env::temp_dir().join(format!("nanoembed-files-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = |name| folder.join(name);
//! # /*
//! let path = |name| std::path::Path::new("models").join(name);
//! # */
//! files::write(path("model.image"), |file| file.write_all(&image::to_vec(&model)))?;
//! files::write(path("model.npz"), |file| Npz::write(&model, file, Weight::by_name))?;
//! # assert_eq!(std::fs::read(path("model.image"))?, image::to_vec(&model));
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod kind;
mod write;

pub(crate) use kind::{HEAD, header, number};
pub use write::write;
