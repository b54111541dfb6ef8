//! Memory that is plain bytes: what images and checkpoints are made of.

use super::Fingerprint;
use crate::table::Numbers;
use crate::text::Vocabulary;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Arrays of numbers without anything between them: every bit pattern is a value, and the bytes can be read in place.
///
/// A composed type lists the bytes of its parts, in the order in which they lie in memory. That nothing lies between them, an
/// image asserts at compile time: `size_of::<Self>() == Self::BYTES`.
pub trait Plain: FromBytes + KnownLayout + Immutable + Sized {
    /// The bytes of all parts together.
    const BYTES: usize;
    /// A hash of how the bytes are divided into parts.
    const PARTS: Fingerprint = Fingerprint::of("plain").extent(Self::BYTES);

    /// Shows the bytes of each part.
    fn visit(&self, part: &mut dyn FnMut(&[u8]));

    /// Lets the bytes of each part be written.
    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8]));
}

impl<T: Numbers> Plain for T {
    const BYTES: usize = size_of::<Self>();
    const PARTS: Fingerprint = Fingerprint::of("numbers").extent(Self::BYTES);

    #[inline]
    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.as_bytes());
    }

    #[inline]
    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.as_mut_bytes());
    }
}

impl Plain for () {
    const BYTES: usize = 0;
    const PARTS: Fingerprint = Fingerprint::of("nothing");

    fn visit(&self, _: &mut dyn FnMut(&[u8])) {}

    fn visit_mut(&mut self, _: &mut dyn FnMut(&mut [u8])) {}
}

impl<const WORDS: usize, const BYTES: usize> Plain for Vocabulary<WORDS, BYTES> {
    const BYTES: usize = Self::SIZE;
    const PARTS: Fingerprint = Fingerprint::of("vocabulary").extent(WORDS).extent(BYTES);

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        Self::visit(self, part);
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        Self::visit_mut(self, part);
    }
}

/// Implements [`Plain`] for a struct by listing its fields in the order in which they lie in memory.
macro_rules! plain_fields {
    (impl[$($parameters:tt)*] $name:ty { $($field:tt: $type:ty),* $(,)? }) => {
        impl<$($parameters)*> $crate::layers::Plain for $name {
            const BYTES: usize = 0 $(+ <$type as $crate::layers::Plain>::BYTES)*;
            const PARTS: $crate::layers::Fingerprint =
                $crate::layers::Fingerprint::of("fields")$(.part(<$type as $crate::layers::Plain>::PARTS))*;

            #[inline]
            fn visit(&self, part: &mut dyn FnMut(&[u8])) {
                let _ = &part;
                $(self.$field.visit(part);)*
            }

            #[inline]
            fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
                let _ = &part;
                $(self.$field.visit_mut(part);)*
            }
        }
    };
}
pub(crate) use plain_fields;
