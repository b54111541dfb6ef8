//! One layer in 64 bytes.

use super::Fingerprint;
use crate::table::RowFormat;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bits of the option that says what does not learn.
const FROZEN: u16 = 1;
const FROZEN_ROWS: u16 = 2;

/// Which layer a [`Record`] is of. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
#[non_exhaustive]
pub enum LayerKind {
    /// [`Embedding`](crate::layers::Embedding): extents LEN, ROWS, DIM; option 0 is 1 if id 0 is padding.
    Embedding = 1,
    /// [`EmbeddingBag`](crate::layers::EmbeddingBag): extents ROWS, DIM; option 0 is the pooling: 0 mean,
    /// 1 sum, 2 the sum by the root of the count.
    EmbeddingBag = 2,
    /// [`HashedEmbedding`](crate::layers::HashedEmbedding): extents LEN, ROWS, DIM, rows an id, SEED.
    HashedEmbedding = 3,
    /// [`QuotientRemainder`](crate::layers::QuotientRemainder): extents LEN, QUOTIENTS, REMAINDERS, DIM;
    /// option 0 is 0 if rows are added, 1 if they are multiplied.
    QuotientRemainder = 4,
    /// [`Flatten`](crate::layers::Flatten): extents LEN, DIM; option 2 is what a mask means: 0 it is
    /// honoured, 1 ignored.
    Flatten = 5,
    /// [`GlobalMaxPooling1D`](crate::layers::GlobalMaxPooling1D): as `Flatten`.
    GlobalMaxPooling1D = 6,
    /// [`GlobalAveragePooling1D`](crate::layers::GlobalAveragePooling1D): as `Flatten`.
    GlobalAveragePooling1D = 7,
    /// [`Conv1D`](crate::layers::Conv1D): extents LEN, IN, FILTERS, KERNEL, STRIDE, DILATION; option 0 is
    /// the padding (0 valid, 1 same, 2 causal), option 1 the activation, option 2 what a mask means (0
    /// honoured, 1 ignored, 2 strict).
    Conv1D = 8,
    /// [`Lstm`](crate::layers::Lstm): extents LEN, IN, UNITS; option 0 is 1 if it returns sequences, option
    /// 1 is 1 if it goes backwards.
    Lstm = 9,
    /// [`Dense`](crate::layers::Dense): extents IN, OUT; option 1 is the activation.
    Dense = 10,
    /// [`Dropout`](crate::layers::Dropout): extents of a value, N and 0 or LEN and DIM, and the rate in
    /// thousandths.
    Dropout = 11,
    /// [`Activation`](crate::layers::Activation): extents of a value; option 1 is the activation.
    Activation = 12,
    /// [`Concatenate`](crate::layers::Concatenate) of two vectors: extents are their lengths.
    Concatenate = 13,
    /// [`Dot`](crate::layers::Dot) of two vectors: extent N.
    Dot = 14,
    /// [`BiasedDot`](crate::layers::BiasedDot) of two vectors: extent N.
    BiasedDot = 15,
    /// [`Folded`](crate::layers::Folded): extents ROWS, CLASSES, and how many rows are kept; option 0 is the
    /// pooling, as that of `EmbeddingBag`.
    Folded = 16,
    /// [`Add`](crate::layers::Add) of two values: extents of a value, N and 0 or LEN and DIM.
    Add = 17,
    /// [`OverlayBag`](crate::layers::OverlayBag): extents ROWS, DIM; option 0 is the pooling, as that of
    /// `EmbeddingBag`.
    OverlayBag = 18,
    /// [`integer::Embedding`](crate::layers::integer::Embedding): as `Embedding`.
    IntegerEmbedding = 19,
    /// [`integer::Flatten`](crate::layers::integer::Flatten): as `Flatten`.
    IntegerFlatten = 20,
    /// [`integer::GlobalMaxPooling1D`](crate::layers::integer::GlobalMaxPooling1D): as `Flatten`.
    IntegerGlobalMaxPooling1D = 21,
    /// [`integer::GlobalAveragePooling1D`](crate::layers::integer::GlobalAveragePooling1D): as `Flatten`.
    IntegerGlobalAveragePooling1D = 22,
    /// [`integer::Conv1D`](crate::layers::integer::Conv1D): as `Conv1D`.
    IntegerConv1D = 23,
    /// [`integer::Lstm`](crate::layers::integer::Lstm): as `Lstm`.
    IntegerLstm = 24,
    /// [`integer::Dense`](crate::layers::integer::Dense): as `Dense`.
    IntegerDense = 25,
    /// [`integer::Logits`](crate::layers::integer::Logits): as `Dense`.
    IntegerLogits = 26,
    /// A layer of a user: extents 0 and 1 are its fingerprint, the low half first.
    Own = 0xffff,
}

impl LayerKind {
    const ALL: &[Self] = &[
        Self::Embedding,
        Self::EmbeddingBag,
        Self::HashedEmbedding,
        Self::QuotientRemainder,
        Self::Flatten,
        Self::GlobalMaxPooling1D,
        Self::GlobalAveragePooling1D,
        Self::Conv1D,
        Self::Lstm,
        Self::Dense,
        Self::Dropout,
        Self::Activation,
        Self::Concatenate,
        Self::Dot,
        Self::BiasedDot,
        Self::Folded,
        Self::Add,
        Self::OverlayBag,
        Self::IntegerEmbedding,
        Self::IntegerFlatten,
        Self::IntegerGlobalMaxPooling1D,
        Self::IntegerGlobalAveragePooling1D,
        Self::IntegerConv1D,
        Self::IntegerLstm,
        Self::IntegerDense,
        Self::IntegerLogits,
        Self::Own,
    ];

    /// The kind with this number.
    pub const fn from_number(number: u16) -> Option<Self> {
        let mut rest = Self::ALL;
        while let [kind, after @ ..] = rest {
            if *kind as u16 == number {
                return Some(*kind);
            }
            rest = after;
        }
        None
    }

    /// The names of its extents, outermost first.
    pub const fn extents(self) -> &'static str {
        match self {
            Self::Embedding | Self::IntegerEmbedding => "LEN, ROWS, DIM",
            Self::EmbeddingBag | Self::OverlayBag => "ROWS, DIM",
            Self::HashedEmbedding => "LEN, ROWS, DIM, rows an id, SEED",
            Self::QuotientRemainder => "LEN, QUOTIENTS, REMAINDERS, DIM",
            Self::Flatten
            | Self::GlobalMaxPooling1D
            | Self::GlobalAveragePooling1D
            | Self::IntegerFlatten
            | Self::IntegerGlobalMaxPooling1D
            | Self::IntegerGlobalAveragePooling1D => "LEN, DIM",
            Self::Conv1D | Self::IntegerConv1D => "LEN, IN, FILTERS, KERNEL, STRIDE, DILATION",
            Self::Lstm | Self::IntegerLstm => "LEN, IN, UNITS",
            Self::Dense | Self::IntegerDense | Self::IntegerLogits => "IN, OUT",
            Self::Dropout => "N and 0 or LEN and DIM, rate in thousandths",
            Self::Activation | Self::Add => "N and 0 or LEN and DIM",
            Self::Concatenate => "the lengths of its two vectors",
            Self::Dot | Self::BiasedDot => "N",
            Self::Folded => "ROWS, CLASSES, rows kept",
            Self::Own => "the two halves of its fingerprint",
        }
    }

    /// Whether it is one of [`integer`](crate::layers::integer), which are used by their types.
    pub(crate) const fn is_of_integers(self) -> bool {
        let number = self as u16;
        Self::IntegerEmbedding as u16 <= number && number <= Self::IntegerLogits as u16
    }

    /// How Keras calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embedding => "Embedding",
            Self::EmbeddingBag => "EmbeddingBag",
            Self::HashedEmbedding => "HashedEmbedding",
            Self::QuotientRemainder => "QuotientRemainder",
            Self::Flatten => "Flatten",
            Self::GlobalMaxPooling1D => "GlobalMaxPooling1D",
            Self::GlobalAveragePooling1D => "GlobalAveragePooling1D",
            Self::Conv1D => "Conv1D",
            Self::Lstm => "LSTM",
            Self::Dense => "Dense",
            Self::Dropout => "Dropout",
            Self::Activation => "Activation",
            Self::Concatenate => "Concatenate",
            Self::Dot => "Dot",
            Self::BiasedDot => "BiasedDot",
            Self::Folded => "Folded",
            Self::Add => "Add",
            Self::OverlayBag => "OverlayBag",
            Self::IntegerEmbedding => "Embedding of integers",
            Self::IntegerFlatten => "Flatten of integers",
            Self::IntegerGlobalMaxPooling1D => "GlobalMaxPooling1D of integers",
            Self::IntegerGlobalAveragePooling1D => "GlobalAveragePooling1D of integers",
            Self::IntegerConv1D => "Conv1D of integers",
            Self::IntegerLstm => "LSTM of integers",
            Self::IntegerDense => "Dense of integers",
            Self::IntegerLogits => "Logits of integers",
            Self::Own => "a layer of a user",
        }
    }
}

/// Where a layer takes a value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The output of the layer so many records before it, at least 1.
    Back(u16),
    /// An input of the model, the first being 0.
    Input(u16),
}

impl Source {
    const INPUT: u16 = 0x8000;

    /// Its number in a record; 0 is no source, and stands for those above 32,767, which no record can name.
    pub const fn number(self) -> u16 {
        match self {
            Self::Back(records) if records < Self::INPUT => records,
            Self::Input(number) if number < Self::INPUT => Self::INPUT | number,
            _ => 0,
        }
    }

    /// The source with this number.
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            0 => None,
            Self::INPUT.. => Some(Self::Input(number & !Self::INPUT)),
            records => Some(Self::Back(records)),
        }
    }
}

/// A layer as plain numbers: its kind, options, extents, and where it takes its values from.
///
/// As bytes, little-endian: kind (2 bytes), format of rows (2), four options (2 each), two sources (2 each),
/// six extents (4 each), zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Record {
    /// The number of its [`LayerKind`].
    pub kind: u16,
    /// The number of its [`RowFormat`].
    pub format: u16,
    /// Choices of its kind; the last says what does not learn: bit 0 the whole layer
    /// ([`frozen`](Self::frozen)), bit 1 some rows ([`frozen_rows`](Self::frozen_rows)).
    pub options: [u16; 4],
    /// The numbers of its [`Source`]s.
    pub sources: [u16; 2],
    /// Sizes, outermost first.
    pub extents: [u32; 6],
    zeros: [u32; 6],
}

impl Record {
    /// Bytes of a record.
    pub const BYTES: usize = 64;
    /// The value of an option that was set on a layer of a kind that has none of that name.
    pub(crate) const NO_OPTION: u16 = u16::MAX;

    /// A layer of this kind with these extents, all options 0, which takes the output of the layer before
    /// it.
    ///
    /// # Panics
    /// If there are more than six extents, or one above `u32::MAX`; in a constant it does not compile.
    #[must_use]
    pub const fn new(kind: LayerKind, extents: &[usize]) -> Self {
        match Self::checked_new(kind, extents) {
            Some(record) => record,
            None => panic!("a layer has at most six extents, none above u32::MAX"),
        }
    }

    /// The same for extents that come from a file or a person; `None` where [`new`](Self::new) panics.
    pub const fn checked_new(kind: LayerKind, extents: &[usize]) -> Option<Self> {
        let (mut of, mut rest, mut i) = ([0; 6], extents, 0);
        while let [extent, after @ ..] = rest {
            if i == of.len() || *extent as u64 > u32::MAX as u64 {
                return None;
            }
            of[i] = *extent as u32;
            rest = after;
            i += 1;
        }
        Some(Self {
            kind: kind as u16,
            format: 0,
            options: [0; 4],
            sources: [Source::Back(1).number(), 0],
            extents: of,
            zeros: [0; 6],
        })
    }

    /// A layer of a user, told from others by its fingerprint.
    #[must_use]
    pub const fn own(fingerprint: Fingerprint) -> Self {
        let value = fingerprint.value();
        let record = Self::new(LayerKind::Own, &[]);
        Self { extents: [value as u32, (value >> 32) as u32, 0, 0, 0, 0], ..record }
    }

    /// With the first three options, by number. They have names, too: [`pooling`](Self::pooling),
    /// [`activation`](Self::activation), [`mask_zero`](Self::mask_zero) and the others.
    #[must_use]
    pub const fn options(self, [a, b, c]: [u16; 3]) -> Self {
        let [.., d] = self.options;
        Self { options: [a, b, c, d], ..self }
    }

    /// With rows in this format.
    #[must_use]
    pub const fn format(self, format: RowFormat) -> Self {
        Self { format: format as u16, ..self }
    }

    /// That does not learn, if it has parameters that could. This is no part of the fingerprint: a layer
    /// reads the parameters of one that learns.
    #[must_use]
    pub const fn frozen(self) -> Self {
        let [a, b, c, learning] = self.options;
        if self.learns() { Self { options: [a, b, c, learning | FROZEN], ..self } } else { self }
    }

    /// The same layer, that may learn.
    #[must_use]
    pub(crate) const fn thawed(self) -> Self {
        let [a, b, c, learning] = self.options;
        Self { options: [a, b, c, learning & !FROZEN], ..self }
    }

    /// Whose table has some rows that do not learn: a bitmap after it names them.
    #[must_use]
    pub const fn frozen_rows(self) -> Self {
        let [a, b, c, learning] = self.options;
        Self { options: [a, b, c, learning | FROZEN_ROWS], ..self }
    }

    /// With rows in this format, which do not learn: no row is said to be frozen.
    pub(crate) const fn packed(self, format: RowFormat) -> Self {
        let [a, b, c, _] = self.options;
        Self { options: [a, b, c, 0], ..self.format(format) }
    }

    /// That takes its value from there.
    #[must_use]
    pub const fn from(self, source: Source) -> Self {
        Self { sources: [source.number(), 0], ..self }
    }

    /// That takes two values.
    #[must_use]
    pub const fn from_both(self, first: Source, second: Source) -> Self {
        Self { sources: [first.number(), second.number()], ..self }
    }

    /// Whether it has parameters that learn.
    const fn learns(&self) -> bool {
        let Some(kind) = LayerKind::from_number(self.kind) else { return false };
        match kind {
            LayerKind::Embedding
            | LayerKind::EmbeddingBag
            | LayerKind::HashedEmbedding
            | LayerKind::QuotientRemainder => self.format == 0,
            LayerKind::Conv1D | LayerKind::Lstm | LayerKind::Dense | LayerKind::BiasedDot => true,
            _ => false,
        }
    }

    /// Whether the layer is [`frozen`](Self::frozen).
    pub const fn is_frozen(&self) -> bool {
        self.options[3] & FROZEN != 0
    }

    /// Whether it [has frozen rows](Self::frozen_rows).
    pub const fn has_frozen_rows(&self) -> bool {
        self.options[3] & FROZEN_ROWS != 0
    }

    /// Adds the record to the hash of those before it.
    pub(crate) const fn fold_into(&self, fingerprint: Fingerprint) -> Fingerprint {
        let bytes: [u8; Self::BYTES] = zerocopy::transmute!(*self);
        fingerprint.then(Fingerprint::EMPTY.bytes(&bytes))
    }

    /// The hash of these records, front to back.
    pub(crate) fn fingerprint_of(records: impl Iterator<Item = Self>) -> Fingerprint {
        records.fold(Fingerprint::NOTHING, |before, record| record.fold_into(before))
    }

    /// Rows and columns of a table that may be packed: that of an [`Embedding`](LayerKind::Embedding) or an
    /// [`EmbeddingBag`](LayerKind::EmbeddingBag).
    pub(crate) const fn table(&self) -> Option<(usize, usize)> {
        let [a, b, c, ..] = self.extents;
        match LayerKind::from_number(self.kind) {
            Some(LayerKind::Embedding) => Some((b as usize, c as usize)),
            Some(LayerKind::EmbeddingBag) => Some((a as usize, b as usize)),
            _ => None,
        }
    }

    /// Rows of the table that ids name; `None` if they name none, or rows by a hash.
    pub(crate) const fn table_rows(&self) -> Option<usize> {
        let [a, b, c, ..] = self.extents;
        match (self.table(), LayerKind::from_number(self.kind)) {
            (Some((rows, _)), _) => Some(rows),
            (None, Some(LayerKind::Folded)) => Some(a as usize),
            (None, Some(LayerKind::IntegerEmbedding)) => Some(b as usize),
            (None, Some(LayerKind::QuotientRemainder)) => Some((b as usize).saturating_mul(c as usize)),
            _ => None,
        }
    }

    /// How many ids a layer with such a table takes; 0 if it takes bags.
    pub(crate) const fn ids(&self) -> u32 {
        let [len, ..] = self.extents;
        match LayerKind::from_number(self.kind) {
            Some(LayerKind::EmbeddingBag | LayerKind::OverlayBag | LayerKind::Folded) => 0,
            _ => len,
        }
    }

    /// Whether all that must be zero is.
    pub(crate) fn has_zeros(&self) -> bool {
        self.zeros == [0; 6]
    }

    /// How many numbers the vector has that the layer gives; 0 if it gives a sequence, or is a user's.
    pub(crate) const fn width(&self) -> u32 {
        let [a, b, c, ..] = self.extents;
        let Some(kind) = LayerKind::from_number(self.kind) else { return 0 };
        match kind {
            LayerKind::EmbeddingBag
            | LayerKind::OverlayBag
            | LayerKind::Folded
            | LayerKind::Dense
            | LayerKind::GlobalMaxPooling1D
            | LayerKind::GlobalAveragePooling1D
            | LayerKind::IntegerDense
            | LayerKind::IntegerLogits
            | LayerKind::IntegerGlobalMaxPooling1D
            | LayerKind::IntegerGlobalAveragePooling1D => b,
            LayerKind::Flatten | LayerKind::IntegerFlatten => a.saturating_mul(b),
            LayerKind::Lstm | LayerKind::IntegerLstm if self.options[0] == 0 => c,
            LayerKind::Dropout | LayerKind::Activation | LayerKind::Add if b == 0 => a,
            LayerKind::Concatenate => a.saturating_add(b),
            LayerKind::Dot | LayerKind::BiasedDot => 1,
            _ => 0,
        }
    }
}
