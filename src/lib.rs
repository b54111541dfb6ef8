//! The embedding layer, complete and trainable.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(target_endian = "big")]
compile_error!("nanoembed's images and packed rows are little-endian; big-endian targets are refused");

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod error;
pub mod math;
pub mod simd;
// pub mod text;
pub mod kernels;
#[doc(hidden)]
pub mod reference;
pub mod table;
// pub mod optim;
// pub mod layers;
// pub mod loss;
// pub mod metrics;
// pub mod train;
// pub mod image;
