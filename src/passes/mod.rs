//! What layers compute: their forward and backward passes over a batch, as functions on views.
//!
//! The mathematics of a layer stands here once. Extents are those of the views, at run time; a layer whose
//! sizes are types lends its arrays. The caller has checked that the shapes agree, so nothing here can fail.

pub(crate) mod convolution;
pub(crate) mod dense;
pub(crate) mod folded;
pub(crate) mod hashed;
pub(crate) mod integers;
pub(crate) mod lstm;
pub(crate) mod masks;
pub(crate) mod overlay;
pub(crate) mod product;
pub(crate) mod sum;
pub(crate) mod two_rows;
