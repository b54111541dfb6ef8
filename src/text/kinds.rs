//! Which ways from text to ids a program links.

/// A way from text to ids that a program links or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
#[allow(dead_code, reason = "some need a feature")]
pub(super) enum TextKind {
    /// The native hash.
    Native = 1,
    /// `FarmHash64`.
    FarmHash64 = 1 << 1,
    /// `Murmur3`.
    Murmur3 = 1 << 2,
    /// `Md5`.
    Md5 = 1 << 3,
    /// `SipHash`.
    SipHash = 1 << 4,
    /// A vocabulary.
    Vocabulary = 1 << 5,
    /// N-grams of characters.
    Subwords = 1 << 6,
    /// No lower-casing.
    Unchanged = 1 << 7,
    /// Lower-casing of ASCII.
    Ascii = 1 << 8,
    /// Lower-casing of all scripts.
    Unicode = 1 << 9,
    /// Marks that are words of their own.
    Marks = 1 << 10,
    /// Columns of a table.
    Columns = 1 << 11,
}

impl TextKind {
    /// How a program names it in its list.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Native => "NativeHash",
            Self::FarmHash64 => "FarmHash64",
            Self::Murmur3 => "Murmur3",
            Self::Md5 => "Md5",
            Self::SipHash => "SipHash",
            Self::Vocabulary => "VocabularyView",
            Self::Subwords => "Subwords",
            Self::Unchanged => "Unchanged",
            Self::Ascii => "Ascii",
            Self::Unicode => "Unicode",
            Self::Marks => "Marks",
            Self::Columns => "Columns",
        }
    }
}

/// The ways from text to ids that a program knows: a tuple of their types, or of such tuples. No other is
/// linked, and a [`Pipeline`](super::Pipeline) that needs another is not read.
///
/// | in the list | it reads pipelines with |
/// |---|---|
/// | [`NativeHash`](super::NativeHash) | the crate's own hash of words |
/// | [`FarmHash64`](super::FarmHash64), [`Murmur3`](super::Murmur3), `Md5`, `SipHash` | that hash of words |
/// | [`VocabularyView`](super::VocabularyView) | a vocabulary |
/// | [`Subwords`](super::Subwords) | n-grams of characters |
/// | [`Ascii`](super::Ascii), [`Unchanged`](super::Unchanged), `Unicode` | that rule of lower-casing |
/// | [`Marks`] | marks as words of their own: [`Splitter::marks`](super::Splitter::marks) |
/// | [`Columns`](super::Columns) | columns of a table |
/// | [`AnyText`] | all of these |
///
/// A list needs a hash or the vocabulary, and a rule of lower-casing; n-grams of words need nothing more.
/// Columns need nothing else.
///
/// ```
/// use nanoembed::text::{Ascii, HashKind, NativeHash, Pipeline, PipelineError};
/// let mut bytes = [0; 100];
/// let mut written = |pipeline: Pipeline| {
///     let bytes = &mut bytes[..pipeline.encoded_size()];
///     pipeline.write(bytes)?;
///     Pipeline::read_as::<(NativeHash, Ascii)>(bytes).map(drop)
/// };
/// assert!(written(Pipeline::hashing(50, HashKind::Native)?.word_ngrams(2)?).is_ok());
/// let error = written(Pipeline::hashing(50, HashKind::FarmHash64)?).unwrap_err();
/// assert_eq!(error, PipelineError::NotLinked { field: "hash", kind: "FarmHash64" });
/// # Ok::<(), PipelineError>(())
/// ```
pub trait TextKinds {
    /// A bit for each.
    #[doc(hidden)]
    const BITS: u16;
}

/// Whether `T` names a way from text to ids.
#[inline(always)]
pub(super) const fn links<T: TextKinds>(kind: TextKind) -> bool {
    T::BITS & kind as u16 != 0
}

/// All ways from text to ids that the features of this build have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyText;

impl TextKinds for AnyText {
    const BITS: u16 = u16::MAX;
}

/// In a list of [`TextKinds`]: pipelines whose splitter has marks as words of their own.
///
/// ```
/// use nanoembed::text::{Ascii, HashKind, Marks, NativeHash, Pipeline, Splitter};
/// let pipeline = Pipeline::hashing(50, HashKind::Native)?.splitter(Splitter::MARKS);
/// let mut bytes = vec![0; pipeline.encoded_size()];
/// pipeline.write(&mut bytes)?;
/// assert!(Pipeline::read_as::<(NativeHash, Ascii)>(&bytes).is_err());
/// let small = Pipeline::read_as::<(NativeHash, Ascii, Marks)>(&bytes)?;
/// assert_eq!(small.encode_into("5 %?", &mut [0; 4])?, 3);
/// # Ok::<(), nanoembed::text::PipelineError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks;

impl TextKinds for Marks {
    const BITS: u16 = TextKind::Marks as u16;
}

macro_rules! kinds_of_tuples {
    ($(($($kinds:ident)+))*) => {$(
        impl<$($kinds: TextKinds),+> TextKinds for ($($kinds,)+) {
            const BITS: u16 = $($kinds::BITS |)+ 0;
        }
    )*};
}
kinds_of_tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}
