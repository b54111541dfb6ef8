//! Memory that is plain bytes: what images and checkpoints are made of.

use crate::table::Numbers;
use crate::text::Vocabulary;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Arrays of numbers without anything between them: every bit pattern is a value, and the bytes can be read
/// in place.
///
/// A composed type lists the bytes of its parts, in the order in which they lie in memory. That nothing lies
/// between them, an image asserts at compile time: `size_of::<Self>() == Self::BYTES`.
pub trait Bytes: FromBytes + KnownLayout + Immutable + Sized {
    /// The bytes of all parts together.
    const BYTES: usize;
    /// Whether [`arrays`](Self::arrays) shows all parameters: not where they are bytes, as packed rows are.
    const IN_ARRAYS: bool = Self::BYTES == 0;

    /// Shows the bytes of each part.
    fn visit(&self, part: &mut dyn FnMut(&[u8]));

    /// Lets the bytes of each part be written.
    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8]));

    /// Shows each array of numbers with the name of its field, in the order of the parts; `name` is that of
    /// `self`.
    fn arrays<'a>(&'a self, name: &'static str, array: &mut dyn FnMut(Parameter, &'a [f32])) {
        let _ = (name, array);
    }

    /// Lets each array of numbers be written.
    fn arrays_mut<'a>(&'a mut self, name: &'static str, array: &mut dyn FnMut(Parameter, &'a mut [f32])) {
        let _ = (name, array);
    }
}

/// One of the arrays that a layer's parameters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name of its field: `kernel`.
    pub name: &'static str,
    /// Its extents, outermost first; 0 ends the list.
    pub shape: [usize; 4],
}

impl<T: Numbers> Bytes for T {
    const BYTES: usize = size_of::<Self>();
    const IN_ARRAYS: bool = true;

    #[inline]
    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.as_bytes());
    }

    #[inline]
    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        part(self.as_mut_bytes());
    }

    fn arrays<'a>(&'a self, name: &'static str, array: &mut dyn FnMut(Parameter, &'a [f32])) {
        array(Parameter { name, shape: T::EXTENTS }, self.as_numbers());
    }

    fn arrays_mut<'a>(&'a mut self, name: &'static str, array: &mut dyn FnMut(Parameter, &'a mut [f32])) {
        array(Parameter { name, shape: T::EXTENTS }, self.as_numbers_mut());
    }
}

impl Bytes for () {
    const BYTES: usize = 0;

    fn visit(&self, _: &mut dyn FnMut(&[u8])) {}

    fn visit_mut(&mut self, _: &mut dyn FnMut(&mut [u8])) {}
}

impl<const WORDS: usize, const BYTES: usize> Bytes for Vocabulary<WORDS, BYTES> {
    const BYTES: usize = Self::SIZE;

    fn visit(&self, part: &mut dyn FnMut(&[u8])) {
        Self::visit(self, part);
    }

    fn visit_mut(&mut self, part: &mut dyn FnMut(&mut [u8])) {
        Self::visit_mut(self, part);
    }
}

/// Implements [`Bytes`] for a struct: its fields in the order in which they lie in memory. `as` gives the
/// extents that Keras has where they are not those of the type:
/// `kernel: [[[f32; UNITS]; 4]; IN] as [IN, 4 * UNITS, 0, 0]`.
#[doc(hidden)]
#[macro_export]
macro_rules! bytes_of_fields {
    (impl[$($parameters:tt)*] $name:ty { $($field:tt: $type:ty $(as $shape:expr)?),* $(,)? }) => {
        impl<$($parameters)*> $crate::layers::Bytes for $name {
            const BYTES: usize = 0 $(+ <$type as $crate::layers::Bytes>::BYTES)*;
            const IN_ARRAYS: bool = true $(&& <$type as $crate::layers::Bytes>::IN_ARRAYS)*;

            #[inline]
            fn visit(&self, _part: &mut dyn FnMut(&[u8])) {
                $($crate::layers::Bytes::visit(&self.$field, _part);)*
            }

            #[inline]
            fn visit_mut(&mut self, _part: &mut dyn FnMut(&mut [u8])) {
                $($crate::layers::Bytes::visit_mut(&mut self.$field, _part);)*
            }

            fn arrays<'a>(
                &'a self,
                _: &'static str,
                _array: &mut dyn FnMut($crate::layers::Parameter, &'a [f32]),
            ) {
                $({
                    $(let _array = &mut |parameter, numbers: &'a [f32]| {
                        _array($crate::layers::Parameter { shape: $shape, ..parameter }, numbers);
                    };)?
                    $crate::layers::Bytes::arrays(&self.$field, stringify!($field), _array);
                })*
            }

            fn arrays_mut<'a>(
                &'a mut self,
                _: &'static str,
                _array: &mut dyn FnMut($crate::layers::Parameter, &'a mut [f32]),
            ) {
                $({
                    $(let _array = &mut |parameter, numbers: &'a mut [f32]| {
                        _array($crate::layers::Parameter { shape: $shape, ..parameter }, numbers);
                    };)?
                    $crate::layers::Bytes::arrays_mut(&mut self.$field, stringify!($field), _array);
                })*
            }
        }
    };
}
pub(crate) use bytes_of_fields;
