//! Images that do not fit in memory beside their model: written to flash and read from it a page at a time.

use super::contents::Contents;
use super::format::{HEADER, Kind, Section};
use super::frame::{Header, ImageChecksum, visit};
use super::{Image, ImageError, records};
use crate::layers::{Fingerprint, Layer};
use crate::slices::{copy, first, first_mut};
use core::fmt;

/// Why an image was not written or read page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageError<E> {
    /// The image cannot be written so, or is not the one that was asked for.
    Image(ImageError),
    /// What the function that writes or reads a page says.
    Storage(E),
}

impl<E> From<ImageError> for PageError<E> {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl<E: fmt::Display> fmt::Display for PageError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Storage(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for PageError<E> {}

/// That there is room for a byte of a page.
fn check_page(page: &[u8]) -> Result<(), ImageError> {
    if page.is_empty() { Err(ImageError::Length { expected: 1, found: 0 }) } else { Ok(()) }
}

/// Collects parts to pages of one length, and shows each of them with its offset.
struct Pages<'a> {
    page: &'a mut [u8],
    /// Bytes of the page that are there.
    filled: usize,
    /// Where the page starts.
    offset: usize,
}

impl Pages<'_> {
    fn push(&mut self, mut part: &[u8], show: &mut dyn FnMut(usize, &[u8])) {
        while !part.is_empty() {
            let Some(free) = self.page.get_mut(self.filled..) else { return };
            let (now, rest) = part.split_at_checked(free.len()).unwrap_or((part, &[]));
            copy(now, free);
            self.filled += now.len();
            part = rest;
            if self.filled == self.page.len() {
                self.show(show);
            }
        }
    }

    /// Shows what is there of the page, and goes on to the next.
    fn show(&mut self, show: &mut dyn FnMut(usize, &[u8])) {
        show(self.offset, first(self.page, self.filled));
        self.offset += self.filled;
        self.filled = 0;
    }
}

/// Writes the image of `model`, with what else it is to hold, a page at a time: the bytes of
/// [`write_with`](super::write_with), without memory for all of them.
///
/// `write` is given where a page starts, a multiple of the length of `page`, and its bytes; the last page may
/// be shorter. The first page, with the header, comes last, so that a write that was cut off never looks
/// whole: on flash that was erased it has no header, and over an older image the header of that one, whose
/// checksum is another.
///
/// ```
/// use nanoembed::image::{self, Contents, PageError};
/// use nanoembed::layers::{Dense, Layer};
/// let model = Dense::<32, 4>::zeroed();
/// let (mut flash, mut page) = ([0xff; 1024], [0; 256]);
/// let write = |offset: usize, page: &[u8]| {
///     flash[offset..][..page.len()].copy_from_slice(page);
///     Ok::<_, core::convert::Infallible>(())
/// };
/// image::write_pages(&model, &Contents::default(), &mut page, write)?;
/// assert_eq!(flash[..4], *b"NEMB");
///
/// let mut same = Dense::<32, 4>::zeroed();
/// let read = |offset: usize, page: &mut [u8]| {
///     let there = flash.get(offset..).and_then(|rest| rest.get(..page.len()));
///     page.copy_from_slice(there.ok_or("beyond the flash")?);
///     Ok::<_, &str>(())
/// };
/// image::read_pages(&mut same, flash.len(), &mut page, read).unwrap();
/// # Ok::<(), PageError<core::convert::Infallible>>(())
/// ```
///
/// # Errors
/// As [`write_with`](super::write_with), or if `page` is empty, before anything is written. The first error
/// of `write` ends it; the first page has not been written then.
///
/// # Cost
/// The model is visited three times: for the checksum, for all pages but the first, and for the first.
pub fn write_pages<M: Layer, E>(
    model: &M,
    contents: &Contents<'_>,
    page: &mut [u8],
    mut write: impl FnMut(usize, &[u8]) -> Result<(), E>,
) -> Result<(), PageError<E>> {
    contents.check(const { records::<M>() })?;
    check_page(page)?;
    let layout = contents.layout::<M>();
    let header = |checksum| Header::new(Kind::Model, M::FINGERPRINT, &layout, checksum);
    let show_all = |checksum, part: &mut dyn FnMut(&[u8])| {
        let mut show =
            |section: Section, part: &mut dyn FnMut(&[u8])| contents.visit_with(model, section, part);
        visit(&header(checksum), &layout, &mut show, part);
    };
    let mut sum = ImageChecksum::new();
    show_all(0, &mut |part| sum.update(part));
    let checksum = sum.value();

    // Once for all pages but the first, and once for the first.
    for is_first in [false, true] {
        let mut result = Ok(());
        let mut show = |offset: usize, page: &[u8]| {
            if result.is_ok() && (offset == 0) == is_first {
                result = write(offset, page);
            }
        };
        let mut pages = Pages { page, filled: 0, offset: 0 };
        show_all(checksum, &mut |part| pages.push(part, &mut show));
        if pages.filled > 0 {
            pages.show(&mut show);
        }
        result.map_err(PageError::Storage)?;
    }
    Ok(())
}

/// Copies the parameters of an image into `model`, a page at a time: from flash that is not in the address
/// space, without memory for the image.
///
/// `read` fills the bytes that it is given with those from an offset on; `length` bytes can be read, those of
/// the image or more. Once everything is read and checked, header, type and checksum. Then the parameters are
/// read again. The first read is of the 64 bytes of the header, whatever the length of `page`; no other is
/// longer than `page`.
///
/// # Errors
/// If the bytes are not an unharmed image of a model of type `M`, or `page` is empty; or the first error of
/// `read`. `model` is then as it was; but if `read` fails when the parameters are read again, it is all zero.
///
/// # Cost
/// The bytes of the image are read, and those of the parameters twice; `page` may have any length.
pub fn read_pages<M: Image, E>(
    model: &mut M,
    length: usize,
    page: &mut [u8],
    mut read: impl FnMut(usize, &mut [u8]) -> Result<(), E>,
) -> Result<(), PageError<E>> {
    check_page(page)?;
    let from = check_pages(M::KIND, M::TYPE, M::BYTES, length, page, &mut read)?;
    let mut reader = Reader { page, filled: 0, used: 0, offset: from, left: M::BYTES };
    let mut result = Ok(());
    model.visit_mut(&mut |part| {
        if result.is_ok() {
            result = reader.fill(part, &mut read);
        }
    });
    if result.is_err() {
        model.zero();
    }
    result.map_err(PageError::Storage)
}

/// What comes of a read from the storage.
type ReadPage<'a, E> = dyn FnMut(usize, &mut [u8]) -> Result<(), E> + 'a;

/// Reads and checks a whole image of parameters of `bytes` bytes; gives where they start.
fn check_pages<E>(
    kind: Kind,
    fingerprint: Fingerprint,
    bytes: usize,
    length: usize,
    page: &mut [u8],
    read: &mut ReadPage<'_, E>,
) -> Result<usize, PageError<E>> {
    if length < HEADER {
        return Err(ImageError::NotAnImage.into());
    }
    let mut start = [0; HEADER];
    read(0, &mut start).map_err(PageError::Storage)?;
    let (header, whole) = Header::check_first(kind, fingerprint, &start, length)?;
    let mut sum = ImageChecksum::new();
    let mut offset = 0;
    while offset < whole {
        let page = first_mut(page, whole - offset);
        read(offset, page).map_err(PageError::Storage)?;
        sum.update(page);
        offset += page.len();
    }
    header.check_sum(sum.value())?;
    Ok(header.parameters_of(bytes, whole)?)
}

/// Reads bytes one after the other, a page at a time.
struct Reader<'a> {
    page: &'a mut [u8],
    /// Bytes of the page that are there.
    filled: usize,
    /// Those of them that were taken.
    used: usize,
    /// Where the next page starts.
    offset: usize,
    /// Bytes from there on.
    left: usize,
}

impl Reader<'_> {
    fn fill<E>(&mut self, mut part: &mut [u8], read: &mut ReadPage<'_, E>) -> Result<(), E> {
        while !part.is_empty() {
            if self.used == self.filled {
                let page = first_mut(self.page, self.left);
                if page.is_empty() {
                    return Ok(());
                }
                read(self.offset, page)?;
                (self.filled, self.used) = (page.len(), 0);
                self.offset += page.len();
                self.left -= page.len();
            }
            let there = first(self.page, self.filled).get(self.used..).unwrap_or_default();
            let n = if there.len() < part.len() { there.len() } else { part.len() };
            let Some(to) = part.split_off_mut(..n) else { return Ok(()) };
            copy(there, to);
            self.used += n;
        }
        Ok(())
    }
}
