//! The house itself: the order of its modules, what was recorded, what the compiler says. None of it is published.

mod compile_errors;
mod golden;
mod layering;
#[allow(unused_attributes)]
#[path = "../firmware/parts/src/lib.rs"]
mod parts;
