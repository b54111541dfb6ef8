//! The trained model as bytes, used where they lie.
//!
//! | to do this | take |
//! |---|---|
//! | know how long an image is | [`size`]; [`length`] for bytes of which you know nothing else |
//! | write one | [`write`](write()); `to_vec` (feature `alloc`) |
//! | use a model where its image lies | [`read`], and [`include_image!`](crate::include_image) to put it into a program |
//! | copy the parameters into a model | [`read_into`] |
//! | handle an error | [`ImageError`] |
//!
//! [`read`] checks the bytes and gives a reference into them. It copies nothing, so a model in flash takes no
//! RAM.
//!
//! # Format, version 1
//!
//! All fields are little-endian.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 4 | magic `NEMB` |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | kind: 1 a model, 2 a checkpoint, 3 a vocabulary |
//! | 8 | 8 | fingerprint of the model's type |
//! | 16 | 8 | length of the payload in bytes |
//! | 24 | 4 | CRC-32 (ISO-HDLC) of all other bytes, header and payload |
//! | 28 | 36 | zeros |
//! | 64 | | payload: a model's parameters in the order of its layers, a vocabulary's fields |
//!
//! A corrupted, missing or additional byte is refused.

mod frame;

pub use frame::{ImageError, length};
pub(crate) use frame::{fill, open, seal};

pub(crate) use inner::*;

/// The bound of this module's functions, and where a payload starts. It is no part of the interface: `internals` gives it out.
pub(crate) mod inner {
    use crate::layers::{Bytes, Fingerprint};

    pub use super::frame::{HEADER, Kind};

    /// What has an image: every model, and a vocabulary.
    pub trait Image: Bytes {
        /// What it is.
        const KIND: Kind;
        /// A hash of its type: equal for types that can read each other's images.
        const TYPE: Fingerprint;
    }
}

use crate::layers::{Bytes, Fingerprint, Layer};
use crate::text::Vocabulary;

impl<M: Layer> Image for M {
    const KIND: Kind = Kind::Model;
    const TYPE: Fingerprint = M::FINGERPRINT;
}

impl<const WORDS: usize, const BYTES: usize> Image for Vocabulary<WORDS, BYTES> {
    const KIND: Kind = Kind::Vocabulary;
    const TYPE: Fingerprint = Self::PARTS;
}

/// The length of an image of `M` in bytes.
///
/// ```
/// use nanoembed::{image, layers::Dense};
/// assert_eq!(image::size::<Dense<32, 1>>(), 64 + 4 * 33);
/// ```
pub const fn size<M: Image>() -> usize {
    HEADER + M::BYTES
}

/// Writes the image of `model` to `out`.
///
/// # Errors
/// If `out` has not [`size::<M>()`](size) bytes; nothing has been written then.
pub fn write<M: Image>(model: &M, out: &mut [u8]) -> Result<(), ImageError> {
    seal(M::KIND, M::TYPE, M::BYTES, out, |part| model.visit(part))
}

/// The image of `model`.
#[cfg(feature = "alloc")]
pub fn to_vec<M: Image>(model: &M) -> alloc::vec::Vec<u8> {
    let mut image = alloc::vec![0; size::<M>()];
    // The length is right, which is all that can be wrong.
    let _ = write(model, &mut image);
    image
}

/// The model in these bytes, where they lie.
///
/// ```
/// use nanoembed::{image, layers::{Dense, Layer}, table::Aligned};
/// let model = Dense::<3, 2>::zeroed();
/// let mut bytes = Aligned([0; image::size::<Dense<3, 2>>()]);
/// image::write(&model, &mut *bytes)?;
/// let same: &Dense<3, 2> = image::read(&*bytes)?;
/// assert_eq!(same.predict(&[1.0, 2.0, 3.0]).unwrap(), [0.0, 0.0]);
/// # Ok::<(), image::ImageError>(())
/// ```
///
/// # Errors
/// If the bytes are not an unharmed image of a model of type `M`, or do not start at an address that is a multiple of 4.
pub fn read<M: Image>(bytes: &[u8]) -> Result<&M, ImageError> {
    const {
        assert!(
            size_of::<M>() == <M as Bytes>::BYTES,
            "a part of a type of yours ends between multiples of its neighbour's alignment: fill it up by a field that `Bytes` shows"
        );
    }
    let payload = open(M::KIND, M::TYPE, bytes)?;
    if payload.len() != M::BYTES {
        return Err(ImageError::Length { expected: size::<M>(), found: bytes.len() });
    }
    M::ref_from_bytes(payload).map_err(|_| ImageError::Misaligned)
}

/// Copies the parameters in these bytes into `model`: for bytes that stand at no aligned address, or that will go.
///
/// # Errors
/// If the bytes are not an unharmed image of a model of type `M`; `model` is then as it was.
pub fn read_into<M: Image>(bytes: &[u8], model: &mut M) -> Result<(), ImageError> {
    let payload = open(M::KIND, M::TYPE, bytes)?;
    if payload.len() != M::BYTES {
        return Err(ImageError::Length { expected: size::<M>(), found: bytes.len() });
    }
    fill(payload, |part| model.visit_mut(part));
    Ok(())
}

/// The bytes of an image file as part of the program, at an address that [`read`](crate::image::read) accepts, 64-byte aligned;
/// `include_bytes!` promises no alignment.
///
/// ```text
/// let model: &Reviews = image::read(include_image!("reviews.image"))?;
/// ```
#[macro_export]
macro_rules! include_image {
    ($path:expr $(,)?) => {{
        #[repr(C, align(64))]
        struct Aligned<Bytes: ?Sized>(Bytes);
        static IMAGE: &Aligned<[u8]> = &Aligned(*include_bytes!($path));
        &IMAGE.0
    }};
}
