//! Memory on pages of a chosen size.

use memmap2::MmapMut;
use nanoembed::zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Zeros that start on a page, to be written and read as a slice of `T`.
pub(crate) struct Memory<T> {
    bytes: MmapMut,
    length: usize,
    elements: PhantomData<T>,
}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout> Memory<T> {
    /// `length` zeros, on pages of 2 MiB if `huge`, else of 4 KiB even where the system would give larger ones by itself.
    pub(crate) fn zeros(length: usize, huge: bool) -> std::io::Result<Self> {
        // The system maps no zero bytes.
        let bytes = MmapMut::map_anon((length * size_of::<T>()).max(1))?;
        #[cfg(target_os = "linux")]
        if huge {
            bytes.advise(memmap2::Advice::HugePage)?;
        } else {
            // Refused by a kernel that has no huge pages, where there is nothing to prevent.
            let _ = bytes.advise(memmap2::Advice::NoHugePage);
        }
        #[cfg(not(target_os = "linux"))]
        if huge {
            return Err(std::io::Error::other("--huge is for Linux"));
        }
        Ok(Self { bytes, length, elements: PhantomData })
    }
}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout> Deref for Memory<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        <[T]>::ref_from_prefix_with_elems(&self.bytes, self.length)
            .expect("a page is aligned for any number")
            .0
    }
}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout> DerefMut for Memory<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        <[T]>::mut_from_prefix_with_elems(&mut self.bytes, self.length)
            .expect("a page is aligned for any number")
            .0
    }
}
