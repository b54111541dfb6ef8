//! The processor: which instructions it has, sixteen virtual lanes over them, and the dispatch of a kernel to
//! its best level.
//!
//! | item | what it is |
//! |---|---|
//! | [`Level`] | the instructions that kernels use: found once, or chosen |
//!
//! All `unsafe` code of this crate is in this folder, also that for values of zeros in statics. A kernel is
//! written once, as safe code, and compiled once for each [`Level`]. All levels give the same bits, so a level
//! changes the speed alone.
#![allow(unsafe_code)]

mod along;
#[cfg(not(target_os = "none"))]
mod bytes;
mod dispatch;
mod half;
mod lanes;
mod level;
pub(crate) mod limits;
mod prefetch;
mod reduce;
mod sqrt;
mod stream;
mod strided;
mod zeros;

pub(crate) use along::Along;
#[cfg(not(target_os = "none"))]
pub(crate) use bytes::{AsciiSet, find};
pub(crate) use dispatch::{level_fn, simd_fn};
pub(crate) use half::{bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16};
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(crate) use lanes::{Avx2, Avx512};
pub(crate) use lanes::{CODES, LANES, Lanes};
pub use level::Level;
pub(crate) use level::{Kind, LevelLanes};
pub(crate) use prefetch::{CACHE_LINE, PREFETCHES, prefetch};
pub(crate) use reduce::{dot_tile, dots, sum};
pub(crate) use sqrt::sqrt;
pub(crate) use stream::{copy_past_caches, finish_stream};
pub(crate) use strided::Strided;
pub(crate) use zeros::{zeros, zeros_in};
