//! The types by which a program names what its pipelines need.

use crate::text::kinds::{TextKind, TextKinds};
use crate::text::{Ascii, Columns, FarmHash64, Murmur3, NativeHash, Subwords, Unchanged, VocabularyView};

macro_rules! names {
    ($($(#[$feature:meta])? $type:ty => $kind:ident,)*) => {$(
        $(#[$feature])?
        impl TextKinds for $type {
            const BITS: u16 = TextKind::$kind as u16;
        }
    )*};
}
names! {
    NativeHash => Native,
    FarmHash64 => FarmHash64,
    #[cfg(feature = "md5")]
    crate::text::Md5 => Md5,
    VocabularyView<'_> => Vocabulary,
    Subwords => Subwords,
    Columns<'_> => Columns,
    Unchanged => Unchanged,
    Ascii => Ascii,
    #[cfg(feature = "unicode")]
    crate::text::Unicode => Unicode,
}

impl<const SEED: u32> TextKinds for Murmur3<SEED> {
    const BITS: u16 = TextKind::Murmur3 as u16;
}

#[cfg(feature = "siphash")]
impl<const K0: u64, const K1: u64> TextKinds for crate::text::SipHash<K0, K1> {
    const BITS: u16 = TextKind::SipHash as u16;
}
