//! Large values: what may be made on the stack, and how to put the rest on the heap.
//!
//! | item | what it does |
//! |---|---|
//! | `boxed` (feature `alloc`) | makes a value of zeros on the heap |
//!
//! Models, trainers, their scratch memory, vocabularies and counts are arrays, as large as their const
//! parameters say. A constructor that gives such a value makes it on the stack. If it does not fit there, the
//! program ends without a word of why. So these constructors (`zeroed`, `new`, `workspace`) compile up to
//! 256 KiB. For larger values there is a constructor `boxed` (feature `alloc`), which makes the
//! value where it stays:
//!
//! | type | on the stack | on the heap |
//! |---|---|---|
//! | a model or layer | [`Layer::zeroed`](crate::layers::Layer::zeroed) | `Layer::boxed` |
//! | its workspace | [`Layer::workspace`](crate::layers::Layer::workspace) | `Layer::boxed_workspace` |
//! | [`Trainer`](crate::train::Trainer) | `new` | `boxed` |
//! | [`Vocabulary`](crate::text::Vocabulary), [`WordCounts`](crate::text::WordCounts) | `new` | `boxed` |
//! | [`History`](crate::train::History), [`ConfusionMatrix`](crate::metrics::ConfusionMatrix) | `new` | `boxed` |
//! | anything else that starts as zeros, such as slots | `zerocopy::FromZeros::new_zeroed` | `memory::boxed` |
//!
//! In a `static`, vocabularies, counts, histories and confusion matrices of any size start as their constant
//! `EMPTY`, models as [`Layer::ZEROED`](crate::layers::Layer::ZEROED).
//! [`Trainer::new_in`](crate::train::Trainer::new_in) makes a trainer in one.
//!
//! Programs without an operating system (`target_os = "none"`) have no such limit, since only they know how
//! large their stack is.

use crate::message::Message;

pub(crate) use inner::*;

/// The limit of this module. It is no part of the interface: `internals` gives it out.
pub(crate) mod inner {
    /// The most bytes that a constructor makes on the stack where there is an operating system: 256 KiB.
    ///
    /// Threads, and with them tests, have a stack of 2 MiB; the first thread of a program has 8 MiB on Linux
    /// and 1 MiB on Windows and in WebAssembly. A program that is not optimised has up to four copies of a
    /// trainer on the stack while it is made, and its model and workspace stand beside it.
    pub const STACK_LIMIT: usize = 256 << 10;
}

/// Does not compile for a `T` that is too large for the stack; `what` it is, and the constructor to use
/// instead.
pub(crate) const fn assert_fits_on_stack<T>(what: &str, instead: &str) {
    if size_of::<T>() > STACK_LIMIT && !cfg!(target_os = "none") {
        let message = Message::<300>::new()
            .text(what)
            .text(" of ")
            .number(size_of::<T>())
            .text(" bytes is too large for the stack (STACK_LIMIT is ")
            .number(STACK_LIMIT)
            .text(" bytes): use ")
            .text(instead);
        panic!("{}", message.as_str());
    }
}

/// The bytes between the end of `length` bytes and the next multiple of 4, where numbers can follow.
pub(crate) const fn padding(length: usize) -> &'static [u8] {
    match length % 4 {
        0 => &[],
        1 => &[0; 3],
        2 => &[0; 2],
        _ => &[0; 1],
    }
}

/// A value whose bytes are zeros, on the heap, without passing over the stack: slots and whatever else has no
/// constructor of its own.
///
/// ```
/// use nanoembed::{layers::{Dense, Parameters}, memory, optim::Adam};
/// type Slots = <Dense<1000, 1000> as Parameters>::Slots<Adam>;
/// let slots = memory::boxed::<Slots>();
/// assert_eq!(size_of_val(&*slots), 2 * 4 * 1_001_000);
/// ```
#[cfg(feature = "alloc")]
pub fn boxed<T: zerocopy::FromZeros>() -> alloc::boxed::Box<T> {
    T::new_box_zeroed().unwrap_or_else(|_| alloc::alloc::handle_alloc_error(core::alloc::Layout::new::<T>()))
}
