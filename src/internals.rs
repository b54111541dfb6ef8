//! What this repository's tests, fuzz targets and benches need beside the interface: the specification,
//! kernels at a chosen level, and the limits of a level. It is no part of the interface and may change in any
//! version.

pub use crate::kernels::at::*;
pub use crate::message::Message;
pub use crate::sparse::at::*;
pub use crate::table::format::{Nearest, Rounding};

/// The executable specification.
pub mod reference {
    pub use crate::reference::*;
}

/// What no kernel of a level can exceed.
pub mod limits {
    pub use crate::simd::limits::*;
}
