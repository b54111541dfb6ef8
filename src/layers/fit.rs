//! Whether the layers of a model fit, found where the model is defined: what the item forms of
//! [`sequential!`](crate::sequential), [`branches!`](crate::branches) and
//! [`concatenate!`](crate::concatenate) expand to.

use super::{Layer, Value};
use crate::message::{Message, equal};

/// A layer as it stands in a macro.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    name: &'static str,
    takes: Message<64>,
    gives: Message<64>,
}

impl Part {
    /// The layer `L`, as the source names it. Evaluates what `L` asserts about its sizes.
    #[must_use]
    pub const fn of<L: Layer>(name: &'static str) -> Self {
        let _: u64 = L::FINGERPRINT.value();
        Self { name, takes: L::Input::WORDS, gives: L::Output::WORDS }
    }
}

/// 1 if each layer takes what the one before it gives; does not compile otherwise.
#[must_use]
#[track_caller]
pub const fn in_sequence(model: &str, parts: &[Part]) -> usize {
    let (mut rest, mut number) = (parts, 0);
    while let [first, after @ ..] = rest {
        if let [second, ..] = after
            && !equal(first.gives.as_str(), second.takes.as_str())
        {
            let message = Message::<400>::new()
                .text(model)
                .text(": layer ")
                .number(number)
                .text(" `")
                .text(first.name)
                .text("` gives ")
                .text(first.gives.as_str())
                .text(", layer ")
                .number(number + 1)
                .text(" `")
                .text(second.name)
                .text("` takes ")
                .text(second.takes.as_str());
            panic!("{}", message.as_str());
        }
        (rest, number) = (after, number + 1);
    }
    1
}

/// 1 for layers beside each other, which need not fit.
#[must_use]
pub const fn in_parallel(parts: &[Part]) -> usize {
    let _ = parts;
    1
}

/// The type `M`, for a check that gave 1: where it fails, the one error is the check's.
pub trait Checked<M> {
    /// `M`.
    type Model;
}

impl<M> Checked<M> for [(); 1] {
    type Model = M;
}
