//! A model for other programs.

mod arrays;
mod c;
mod files;
mod firmware;
mod packed;
mod rust;

pub(crate) use arrays::{Array, Values};
pub(crate) use c::array as c_array;
pub(crate) use files::{array_names, npy_of, npz, npz_of, safetensors, safetensors_of};
pub(crate) use firmware::{Board, Firmware, project};
pub(crate) use packed::table;
pub(crate) use rust::module as rust_module;
