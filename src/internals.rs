//! What this repository's tests, fuzz targets and benches need beside the interface: the specification,
//! kernels at a chosen level, and the limits of a level. It is no part of the interface and may change in any
//! version.

#[cfg(feature = "std")]
pub use crate::error::inner::*;
pub use crate::image::inner::*;
pub use crate::keras::inner::*;
pub use crate::kernels::at::*;
pub use crate::kernels::inner::*;
pub use crate::layers::inner::*;
pub use crate::loss::inner::*;
pub use crate::memory::inner::*;
pub use crate::message::Message;
pub use crate::sparse::at::*;
pub use crate::sparse::inner::*;
pub use crate::table::format::{Nearest, Rounding};
pub use crate::table::inner::*;
pub use crate::text::inner::*;
pub use crate::train::inner::*;

/// The executable specification.
pub mod reference {
    pub use crate::reference::*;
}

/// What no kernel of a level can exceed.
pub mod limits {
    pub use crate::simd::limits::*;
}
