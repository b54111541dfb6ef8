//! Tables of rows: views of borrowed memory in several formats, storage on cache lines, checked ids, and bags
//! of ids.
//!
//! | family | items |
//! |---|---|
//! | views of a table | [`Table`], [`TableMut`]; [`AnyTable`] if the format is known only at run time |
//! | formats of a row | [`F32`], [`F16`], [`Bf16`], [`U8`], [`U4`], [`U2`], [`I8`], [`I4`], under the trait [`Format`]; as a value, [`RowFormat`] |
//! | checked ids | [`Indices`]; what becomes of a bad id: [`Reject`], [`Skip`], [`MapTo`], [`FromEnd`] |
//! | groups of ids | [`Bags`], [`BagView`], [`Entry`]; how a group becomes one row: [`Pooling`] |
//! | memory | [`Aligned`] storage, [`Line`]s, [`Numbers`] (nested arrays of floats) |
//! | parts for threads | [`even_ranges`], [`TableMut::split_rows`], [`Bags::slice`], [`Indices::slice`] |
//!
//! # Big tables
//!
//! A table is borrowed memory, so where it lies is the program's choice. For a table that is larger than the
//! caches, three things decide the speed, in this order. The figures are of one Sapphire Rapids core with
//! uniform random ids.
//!
//! **Pages.** A random row of a big table is on a page whose address the processor does not have at hand.
//! With pages of 2 MiB instead of 4 KiB it has. Rows were summed in bags of 20 from tables of 0.5, 2 and 4
//! GB: rows of 8 and 32 floats came in half the time (7.7 instead of 16.3 ns, 13.6 instead of 28.1 ns), and
//! rows of 64 in 0.65 of it (35 instead of 54 ns). No choice of kernel gains as much. Linux gives such pages
//! to memory that asks for them before it is first written, unless
//! `/sys/kernel/mm/transparent_hugepage/enabled` says `never`:
//!
//! ```
//! use memmap2::MmapMut;
//! use nanoembed::table::TableMut;
//! use nanoembed::zerocopy::FromBytes;
//!
//! let (rows, dim) = (100_000, 64);
//! let mut bytes = MmapMut::map_anon(rows * dim * size_of::<f32>())?; // zeros
//! #[cfg(target_os = "linux")]
//! bytes.advise(memmap2::Advice::HugePage)?; // fails in a kernel without them: a matter of speed alone
//! let values = <[f32]>::mut_from_bytes(&mut bytes).expect("a page starts at a multiple of 4");
//! let table = TableMut::new(values, rows, dim)?;
//! # assert_eq!(table.rows(), rows);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `memmap2` is the program's dependency, and not this crate's. The line `AnonHugePages` of
//! `/proc/self/smaps_rollup` says how much of a process lies on such pages.
//!
//! **Cache lines.** A row that starts at a multiple of 64 bytes and fills whole lines moves the fewest lines.
//! A row of 32 to 128 floats that straddles lines takes up to twice the time. A page starts at such a
//! multiple, and so does [`Aligned`]. If `dim` is above 16 and does not fill whole lines, a stride that is a
//! multiple of 16 saves lines and costs memory ([`TableMut::with_stride`]).
//!
//! **Threads.** The crate starts none, but views split. Bags do not need each other: each thread takes
//! [`Bags::slice`] of a range of them and its part of the output. Each row is updated by the thread that
//! holds it: each thread takes one of [`TableMut::split_rows`], lists the occurrences of its rows alone
//! ([`Bags::occurrences_in`],
//! [`Indices::occurrences_in`]), sorts them and updates its part. The bits are those of
//! one thread, for any number of threads, since no sum is made by two of them. The one exception is a norm
//! over the whole table: find it first, and give it to the step
//! ([`Clipped::with_norm`](crate::optim::Clipped::with_norm)). `examples/threads.rs` does all of it with
//! [`std::thread::scope`](https://doc.rust-lang.org/std/thread/fn.scope.html).

mod aligned;
mod any;
mod bags;
mod even_ranges;
pub(crate) mod format;
mod indices;
mod integers;
mod numbers;
mod packed;
mod view;
mod windows;

pub use aligned::{Aligned, Line};
pub use any::AnyTable;
pub(crate) use any::with_table;
pub use bags::{Bags, Pooling};
pub use even_ranges::even_ranges;
pub use format::{Bf16, F16, F32, Format, RowFormat};
pub(crate) use format::{Nearest, OneScale, Rounding, Scale};
pub(crate) use indices::NO_ROW;
pub use indices::{FromEnd, Indices, MapTo, Reject, Skip};
pub(crate) use integers::IntegerFormat;
pub use integers::{I4, I8, RowNotFinite};
#[cfg(feature = "alloc")]
pub(crate) use integers::{nearest_code, scales_to_try};
pub use numbers::Numbers;
pub use packed::{U2, U4, U8};
pub use view::{Table, TableMut};

pub(crate) use inner::*;

/// Bounds and parts of views, and the windows of a convolution. It is no part of the interface: `internals`
/// gives it out.
pub(crate) mod inner {
    pub use super::bags::{BagView, Entry};
    pub use super::format::Trainable;
    pub use super::indices::{Index, Policy};
    pub use super::windows::{Padding, Windows};
}
