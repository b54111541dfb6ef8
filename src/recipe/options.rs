//! The options of a layer by their names.

use super::Record;
use crate::table::Pooling;

impl Record {
    /// Of an [`Embedding`](super::LayerKind::Embedding): id 0 is padding, which later layers mask.
    #[must_use]
    pub const fn mask_zero(self) -> Self {
        self.first_option(1)
    }

    /// Of an [`EmbeddingBag`](super::LayerKind::EmbeddingBag): how its rows become one. The ids of a layer
    /// have no weights, so `WeightedMean` is `Mean`, which it is if nothing is said.
    ///
    /// ```
    /// use nanoembed::{models::{LayerKind, Record}, table::Pooling};
    /// let bag = Record::new(LayerKind::EmbeddingBag, &[2048, 8]).pooling(Pooling::SqrtN);
    /// assert_eq!(bag.options, [2, 0, 0, 0]);
    /// ```
    #[must_use]
    pub const fn pooling(self, pooling: Pooling) -> Self {
        self.first_option(match pooling {
            Pooling::Mean | Pooling::WeightedMean => 0,
            Pooling::Sum => 1,
            Pooling::SqrtN => 2,
        })
    }

    /// Of a [`QuotientRemainder`](super::LayerKind::QuotientRemainder): its two rows are multiplied, not
    /// added.
    #[must_use]
    pub const fn multiplied(self) -> Self {
        self.first_option(1)
    }

    /// Of a [`Conv1D`](super::LayerKind::Conv1D): it pads at both ends, Keras' `"same"`; if nothing is said,
    /// it does not pad.
    #[must_use]
    pub const fn same_padding(self) -> Self {
        self.first_option(1)
    }

    /// Of a [`Conv1D`](super::LayerKind::Conv1D): it pads before the start, Keras' `"causal"`.
    #[must_use]
    pub const fn causal_padding(self) -> Self {
        self.first_option(2)
    }

    /// Of an [`Lstm`](super::LayerKind::Lstm): it gives the output of each step, not of the last alone.
    #[must_use]
    pub const fn return_sequences(self) -> Self {
        self.first_option(1)
    }

    /// Of an [`Lstm`](super::LayerKind::Lstm): it reads the last step first.
    #[must_use]
    pub const fn go_backwards(self) -> Self {
        let [first, _, third, _] = self.options;
        self.options([first, 1, third])
    }

    /// Of a [`Flatten`](super::LayerKind::Flatten), a [`Conv1D`](super::LayerKind::Conv1D) or a global
    /// pooling: masked steps count as others do, as in Keras, which loses the mask there.
    #[must_use]
    pub const fn ignore_mask(self) -> Self {
        self.third_option(1)
    }

    /// Of a [`Conv1D`](super::LayerKind::Conv1D): an output is valid only if no step under its window is
    /// masked: see [`StrictMask`](crate::layers::options::StrictMask).
    #[must_use]
    pub const fn strict_mask(self) -> Self {
        self.third_option(2)
    }

    const fn first_option(self, value: u16) -> Self {
        let [_, second, third, _] = self.options;
        self.options([value, second, third])
    }

    const fn third_option(self, value: u16) -> Self {
        let [first, second, ..] = self.options;
        self.options([first, second, value])
    }
}
