//! The options of a layer by their names. On a layer of another kind an option is one that no kind has, so that
//! the recipe is refused.

use super::{LayerKind, Record};
use crate::table::Pooling;

impl Record {
    /// Of an [`Embedding`](super::LayerKind::Embedding): id 0 is padding, which later layers mask.
    #[must_use]
    pub const fn mask_zero(self) -> Self {
        self.option(&[LayerKind::Embedding], 0, 1)
    }

    /// Of an [`EmbeddingBag`](super::LayerKind::EmbeddingBag), an
    /// [`OverlayBag`](super::LayerKind::OverlayBag) or a [`Folded`](super::LayerKind::Folded) one, which has no
    /// `SqrtN`: how its rows become one. The ids of a layer have no weights, so `WeightedMean` is
    /// `Mean`, which it is if nothing is said.
    ///
    /// ```
    /// use nanoembed::{models::{LayerKind, Record}, table::Pooling};
    /// let bag = Record::new(LayerKind::EmbeddingBag, &[2048, 8]).pooling(Pooling::SqrtN);
    /// assert_eq!(bag.options, [2, 0, 0, 0]);
    /// ```
    #[must_use]
    pub const fn pooling(self, pooling: Pooling) -> Self {
        let number = match pooling {
            Pooling::Mean | Pooling::WeightedMean => 0,
            Pooling::Sum => 1,
            Pooling::SqrtN => 2,
        };
        self.option(&[LayerKind::EmbeddingBag, LayerKind::OverlayBag, LayerKind::Folded], 0, number)
    }

    /// Of a [`QuotientRemainder`](super::LayerKind::QuotientRemainder): its two rows are multiplied, not
    /// added.
    #[must_use]
    pub const fn multiplied(self) -> Self {
        self.option(&[LayerKind::QuotientRemainder], 0, 1)
    }

    /// Of a [`Conv1D`](super::LayerKind::Conv1D): it pads at both ends, Keras' `"same"`; if nothing is said,
    /// it does not pad.
    #[must_use]
    pub const fn same_padding(self) -> Self {
        self.option(&[LayerKind::Conv1D], 0, 1)
    }

    /// Of a [`Conv1D`](super::LayerKind::Conv1D): it pads before the start, Keras' `"causal"`.
    #[must_use]
    pub const fn causal_padding(self) -> Self {
        self.option(&[LayerKind::Conv1D], 0, 2)
    }

    /// Of an [`Lstm`](super::LayerKind::Lstm): it gives the output of each step, not of the last alone.
    #[must_use]
    pub const fn return_sequences(self) -> Self {
        self.option(&[LayerKind::Lstm], 0, 1)
    }

    /// Of an [`Lstm`](super::LayerKind::Lstm): it reads the last step first.
    #[must_use]
    pub const fn go_backwards(self) -> Self {
        self.option(&[LayerKind::Lstm], 1, 1)
    }

    /// Of a [`Flatten`](super::LayerKind::Flatten), a [`Conv1D`](super::LayerKind::Conv1D) or a global
    /// pooling: masked steps count as others do, as in Keras, which loses the mask there.
    #[must_use]
    pub const fn ignore_mask(self) -> Self {
        let kinds = [
            LayerKind::Flatten,
            LayerKind::Conv1D,
            LayerKind::GlobalMaxPooling1D,
            LayerKind::GlobalAveragePooling1D,
        ];
        self.option(&kinds, 2, 1)
    }

    /// Of a [`Conv1D`](super::LayerKind::Conv1D): an output is valid only if no step under its window is
    /// masked: see [`StrictMask`](crate::layers::options::StrictMask).
    #[must_use]
    pub const fn strict_mask(self) -> Self {
        self.option(&[LayerKind::Conv1D], 2, 2)
    }

    /// With an option of these kinds.
    pub(crate) const fn option(self, kinds: &[LayerKind], option: usize, value: u16) -> Self {
        let [mut first, mut second, mut third, _] = self.options;
        let is_of_kind = self.is_among(kinds);
        let to = match option {
            0 => &mut first,
            1 => &mut second,
            _ => &mut third,
        };
        *to = if is_of_kind && *to != Self::NO_OPTION { value } else { Self::NO_OPTION };
        self.options([first, second, third])
    }

    const fn is_among(&self, kinds: &[LayerKind]) -> bool {
        let mut rest = kinds;
        while let [kind, after @ ..] = rest {
            if *kind as u16 == self.kind {
                return true;
            }
            rest = after;
        }
        false
    }
}
