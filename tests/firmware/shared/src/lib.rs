//! The models that images hold: what trains them on the host, and what uses them on a host and on a device. The digest is no part of it, so
//! that an image without one compiles in seconds.
//!
//! Nothing here can panic.
#![no_std]

pub mod corrections;
pub mod data;
pub mod integers;
pub mod intents;
pub mod reviews;
