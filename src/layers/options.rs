//! Options of layers: types without a value, which stand among the parameters of a layer's type.
//!
//! | option of | its types, the default first |
//! |---|---|
//! | [`Embedding`](super::Embedding): whether id 0 is padding | [`NoMask`], [`MaskZero`] |
//! | [`EmbeddingBag`](super::EmbeddingBag): how rows are pooled | [`Mean`], [`Sum`], [`SqrtN`] |
//! | [`Flatten`](super::Flatten), [`Conv1D`](super::Conv1D), [`GlobalMaxPooling1D`](super::GlobalMaxPooling1D): what the mask means | [`HonourMask`], [`IgnoreMask`], [`StrictMask`] |
//! | [`Conv1D`](super::Conv1D): where it pads | [`Valid`], [`Same`], [`Causal`] |
//! | [`Lstm`](super::Lstm): what it returns | [`ReturnLast`], [`ReturnSequences`] |
//! | [`Lstm`](super::Lstm): where it starts | [`GoForwards`], [`GoBackwards`] |
//! | [`QuotientRemainder`](super::QuotientRemainder): how two rows make one | [`Added`], [`Multiplied`] |

pub use super::embedding::{MaskZero, NoMask};
pub use super::embedding_bag::{Mean, SqrtN, Sum};
pub use super::flatten::{HonourMask, IgnoreMask, StrictMask};
pub use super::padding::{Causal, Same, Valid};
pub use super::quotient_remainder::{Added, Multiplied};
pub use super::recurrence::{GoBackwards, GoForwards, ReturnLast, ReturnSequences};
