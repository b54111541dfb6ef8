//! The house itself: the order of its modules, its syntax, what was recorded, what the compiler says. None of
//! it is published.

mod compile_errors;
mod golden;
mod golden_images;
mod layering;
mod sources;
mod syntax;

/// The digest. For devices it is a crate, and has the attributes and the items of one. As a dependency it would
/// be compiled for every example. Its own workspace asks less of it.
#[allow(unused_attributes, unused_imports, unreachable_pub, clippy::pedantic)]
#[path = "../firmware/parts/src/lib.rs"]
mod parts;
