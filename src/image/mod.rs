//! The trained model as bytes, used where they lie.
//!
//! | to do this | take |
//! |---|---|
//! | know how long an image is | [`size`]; [`length`] for bytes of which you know nothing else |
//! | write one | [`write`](write()); `to_vec` (feature `alloc`) |
//! | use a model where its image lies | [`read`], and [`include_image!`](crate::include_image) to put it into a program |
//! | the same, and make sure that text becomes ids as in training | [`read_with_pipeline`] |
//! | copy the parameters into a model | [`read_into`] |
//! | give it names of classes and bytes of yours | [`Contents`], [`size_with`], [`write_with`]; `to_vec_with` (feature `alloc`) |
//! | write one to flash and read it back, a page at a time | [`write_pages`], [`read_pages`] |
//! | see what one holds without its type | [`Sections`], [`Classes`] |
//! | handle an error | [`ImageError`], [`ClassesError`], [`SectionError`]; [`PageError`] |
//!
//! [`read`] checks the bytes and gives a reference into them. It copies nothing, so a model in flash takes no
//! RAM.
//!
//! An image also tells what it holds, so that it can be opened without the type of its model: its format is
//! described in `docs/image-format.md`, byte for byte. A corrupted, missing or additional byte is refused.

mod checksum;
mod classes;
mod contents;
mod error;
mod format;
mod frame;
mod pages;
mod sections;

pub use classes::{Classes, ClassesError};
#[cfg(feature = "alloc")]
pub use contents::to_vec_with;
pub use contents::{Contents, Sections, size_with, write_with};
pub use error::{ImageError, SectionError};
pub use format::Kind;
pub(crate) use format::Section;
pub use frame::length;
pub(crate) use frame::{Header, fill, reseal, seal};
pub use pages::{PageError, read_pages, write_pages};
pub(crate) use sections::{Layout, WriteSection};

pub(crate) use inner::*;

/// The bound of this module's functions, and where a payload starts. It is no part of the interface:
/// `internals` gives it out.
pub(crate) mod inner {
    use crate::layers::{Bytes, Fingerprint};
    use crate::recipe::Record;

    pub use super::format::{HEADER, Kind};

    /// What has an image: every model, and a vocabulary.
    pub trait Image: Bytes {
        /// What it is.
        const KIND: Kind;
        /// A hash of its type: equal for types that can read each other's images.
        const TYPE: Fingerprint;
        /// Its layers, if it is a model.
        const RECORDS: Option<&'static [Record]>;
    }
}

use crate::layers::{Bytes, Fingerprint, Layer};
use crate::recipe::Record;
use crate::text::{Pipeline, Vocabulary};
use core::marker::PhantomData;
use zerocopy::IntoBytes;

/// Memory for the records of `M`, which no type can count.
struct Lists<M>(PhantomData<M>);

impl<M: Layer> Lists<M> {
    const SHORT: &'static [Record] = &M::RECORDS.list::<8>();
    const LONG: &'static [Record] = &M::RECORDS.list::<512>();
}

/// The layers of `M`, front to back.
pub(crate) const fn records<M: Layer>() -> &'static [Record] {
    match const { M::RECORDS.count() } {
        count @ ..=8 => Lists::<M>::SHORT.split_at(count).0,
        count @ ..=512 => Lists::<M>::LONG.split_at(count).0,
        _ => panic!("a model has at most 512 layers"),
    }
}

impl<M: Layer> Image for M {
    const KIND: Kind = Kind::Model;
    const TYPE: Fingerprint = M::FINGERPRINT;
    const RECORDS: Option<&'static [Record]> = Some(records::<M>());
}

impl<const WORDS: usize, const BYTES: usize> Image for Vocabulary<WORDS, BYTES> {
    const KIND: Kind = Kind::Vocabulary;
    const TYPE: Fingerprint = Fingerprint::of("vocabulary").extent(WORDS).extent(BYTES);
    const RECORDS: Option<&'static [Record]> = None;
}

/// Where the sections of an image of `M` lie.
const fn layout<M: Image>() -> Layout {
    match M::RECORDS {
        Some(records) => Layout::model(size_of_val(records), M::BYTES),
        None => Layout::vocabulary(M::BYTES),
    }
}

/// The length of an image of `M` in bytes.
///
/// ```
/// use nanoembed::{image, layers::Dense};
/// // Header and list of sections, one layer, its parameters.
/// assert_eq!(image::size::<Dense<32, 1>>(), 128 + 64 + 4 * 33);
/// ```
pub const fn size<M: Image>() -> usize {
    layout::<M>().end()
}

/// Writes the image of `model` to `out`.
///
/// # Errors
/// If `out` has not [`size::<M>()`](size) bytes; nothing has been written then.
pub fn write<M: Image>(model: &M, out: &mut [u8]) -> Result<(), ImageError> {
    seal(M::KIND, M::TYPE, const { &layout::<M>() }, out, &mut |section, part| match section {
        Section::Recipe => part(M::RECORDS.unwrap_or_default().as_bytes()),
        _ => model.visit(part),
    })
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
/// If the bytes are not an unharmed image of a model of type `M`, or do not start at an address that is a
/// multiple of 4.
pub fn read<M: Image>(bytes: &[u8]) -> Result<&M, ImageError> {
    in_place(Header::check_type(M::KIND, M::TYPE, bytes)?, bytes)
}

/// The parameters of an image that was checked, where they lie.
fn in_place<M: Image>(header: Header, bytes: &[u8]) -> Result<&M, ImageError> {
    const {
        assert!(
            size_of::<M>() == <M as Bytes>::BYTES,
            "a part of a type of yours ends between multiples of its neighbour's alignment: fill it up by a field that `Bytes` shows"
        );
    }
    M::ref_from_bytes(header.parameters(bytes, M::BYTES)?).map_err(|_| ImageError::Misaligned)
}

/// The same, if the image's pipeline is this one: firmware keeps its tokenizer a constant, and an image that
/// was trained with another would answer nonsense.
///
/// The bytes are compared. No pipeline is read, so that only what the tokenizer names is linked.
///
#[cfg_attr(feature = "alloc", doc = "```")]
#[cfg_attr(not(feature = "alloc"), doc = "```ignore")]
/// use nanoembed::image::{self, Contents, ImageError};
/// use nanoembed::text::{HashingTokenizer, Pipeline};
/// use nanoembed::{layers::*, sequential};
/// type Reviews = sequential![EmbeddingBag<8, 50, 4>, Dense<4, 2, Softmax>];
/// const TOKENIZER: HashingTokenizer = HashingTokenizer::for_table::<Reviews>();
///
/// // On the host.
/// let pipeline = TOKENIZER.pipeline(0)?;
/// let mut bytes = vec![0; pipeline.encoded_size()];
/// pipeline.write(&mut bytes)?;
/// let contents = Contents { pipeline: Some(&bytes), ..Contents::default() };
/// let image = image::to_vec_with(&Reviews::zeroed(), &contents)?;
///
/// // In the firmware.
/// let model: &Reviews = image::read_with_pipeline(&image, &TOKENIZER.pipeline(0)?)?;
/// let other = TOKENIZER.filters("!?").pipeline(0)?;
/// assert_eq!(image::read_with_pipeline::<Reviews>(&image, &other).err(), Some(ImageError::Pipeline));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read`]; and if the image has no pipeline, or another.
pub fn read_with_pipeline<'a, M: Layer>(
    bytes: &'a [u8],
    pipeline: &Pipeline<'_>,
) -> Result<&'a M, ImageError> {
    let header = Header::check_type(M::KIND, M::TYPE, bytes)?;
    let found = header.section(bytes, Section::Pipeline)?;
    if pipeline.is_written_as(found) { in_place(header, bytes) } else { Err(ImageError::Pipeline) }
}

/// Copies the parameters in these bytes into `model`: for bytes that stand at no aligned address, or that
/// will go.
///
/// # Errors
/// If the bytes are not an unharmed image of a model of type `M`; `model` is then as it was.
pub fn read_into<M: Image>(bytes: &[u8], model: &mut M) -> Result<(), ImageError> {
    let header = Header::check_type(M::KIND, M::TYPE, bytes)?;
    fill(header.parameters(bytes, M::BYTES)?, |part| model.visit_mut(part));
    Ok(())
}

/// The bytes of an image file as part of the program, at an address that [`read`](crate::image::read)
/// accepts, 64-byte aligned;
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
