//! The header of images, and its checks.

use super::checksum::Checksum;
use super::error::{ImageError, SectionError};
use super::format::{HEADER, Kind, Section, VERSION};
use super::sections::{Entry, Layout, List, WriteSection, find};
use crate::layers::Fingerprint;
use crate::slices::{copy, first, part_mut};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const MAGIC: [u8; 4] = *b"NEMB";

/// The first bytes of an image.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(crate) struct Header {
    magic: [u8; 4],
    version: u16,
    kind: u16,
    pub(crate) fingerprint: u64,
    /// Bytes after the header.
    length: u64,
    /// Of all bytes but its own four.
    checksum: u32,
    /// For images that take turns in two places of a memory; else 0.
    sequence: u32,
    sections: u16,
    flags: u16,
    zero: u32,
    /// Where the parameters start.
    parameters: u64,
    zeros: [u64; 2],
}

const _: () = assert!(size_of::<Header>() == HEADER);

/// Where the checksum stands.
const CHECKSUM_AT: usize = core::mem::offset_of!(Header, checksum);

/// Writes an image: its header, the list of its sections, and each section by `write`. The code is there once
/// for all models of a program.
pub(crate) fn seal(
    kind: Kind,
    fingerprint: Fingerprint,
    layout: &Layout,
    out: &mut [u8],
    write: &mut WriteSection<'_>,
) -> Result<(), ImageError> {
    let (expected, found) = (layout.end(), out.len());
    if found != expected {
        return Err(ImageError::Length { expected, found });
    }
    let mut free = &mut *out;
    visit(&Header::new(kind, fingerprint, layout, 0), layout, write, &mut |part| {
        let (to, rest) = core::mem::take(&mut free).split_at_mut_checked(part.len()).unwrap_or_default();
        copy(part, to);
        free = rest;
    });
    reseal(out);
    Ok(())
}

/// Shows the bytes of an image from the first to the last, one part after the other.
pub(super) fn visit(
    header: &Header,
    layout: &Layout,
    write: &mut WriteSection<'_>,
    part: &mut dyn FnMut(&[u8]),
) {
    part(header.as_bytes());
    layout.visit(write, part);
}

/// Puts the right checksum on an image of which bytes were changed.
pub(crate) fn reseal(out: &mut [u8]) {
    let checksum = checksum(out).to_le_bytes();
    copy(&checksum, part_mut(out, CHECKSUM_AT, 4));
}

/// The checksum of all bytes but its own four.
fn checksum(image: &[u8]) -> u32 {
    let mut checksum = ImageChecksum::new();
    checksum.update(image);
    checksum.value()
}

/// The same of an image that comes in parts, from the first byte on.
pub(super) struct ImageChecksum {
    sum: Checksum,
    /// Bytes that came.
    at: usize,
}

impl ImageChecksum {
    pub(super) fn new() -> Self {
        Self { sum: Checksum::new(), at: 0 }
    }

    pub(super) fn update(&mut self, part: &[u8]) {
        let own = CHECKSUM_AT.saturating_sub(self.at);
        let after = (CHECKSUM_AT + 4).saturating_sub(self.at);
        self.sum.update(first(part, own));
        self.sum.update(part.get(after..).unwrap_or_default());
        self.at = self.at.saturating_add(part.len());
    }

    pub(super) fn value(self) -> u32 {
        self.sum.value()
    }
}

/// The header that these bytes start with.
fn header(bytes: &[u8]) -> Result<Header, ImageError> {
    let first = bytes.first_chunk::<HEADER>().ok_or(ImageError::NotAnImage)?;
    let header: Header = zerocopy::transmute!(*first);
    if header.magic == MAGIC { Ok(header) } else { Err(ImageError::NotAnImage) }
}

/// The length of the image of this header; `None` if it is more than can be counted.
fn whole(header: &Header) -> Option<usize> {
    usize::try_from(header.length).ok()?.checked_add(HEADER)
}

/// The length of the image that starts here, by its header: to cut it out of a larger piece of flash.
///
/// # Errors
/// If no image starts here.
pub fn length(bytes: &[u8]) -> Result<usize, ImageError> {
    whole(&header(bytes)?).ok_or(ImageError::Length { expected: usize::MAX, found: bytes.len() })
}

impl Header {
    /// The header of an image with these sections.
    pub(super) fn new(kind: Kind, fingerprint: Fingerprint, layout: &Layout, checksum: u32) -> Self {
        Self {
            magic: MAGIC,
            version: VERSION,
            kind: kind as u16,
            fingerprint: fingerprint.value(),
            length: (layout.end() - HEADER) as u64,
            checksum,
            sequence: 0,
            sections: layout.count() as u16,
            flags: 0,
            zero: 0,
            parameters: layout.parameters() as u64,
            zeros: [0; 2],
        }
    }

    /// The header of an unharmed image of this kind.
    pub(crate) fn check(kind: Kind, image: &[u8]) -> Result<Self, ImageError> {
        let header = header(image)?;
        let expected = header.check_kind(kind, image.len())?;
        if image.len() != expected {
            return Err(ImageError::Length { expected, found: image.len() });
        }
        header.check_sum(checksum(image))?;
        Ok(header)
    }

    /// That this release reads the version, and that the image is of this kind; gives its length. `found` bytes
    /// are there.
    fn check_kind(&self, kind: Kind, found: usize) -> Result<usize, ImageError> {
        if self.version != VERSION {
            return Err(ImageError::Version { found: self.version });
        }
        if self.kind != kind as u16 {
            return Err(ImageError::Kind { expected: kind, found: self.kind });
        }
        whole(self).ok_or(ImageError::Length { expected: usize::MAX, found })
    }

    /// That the checksum is that of the bytes, and that all that must be zero is.
    pub(super) fn check_sum(&self, found: u32) -> Result<(), ImageError> {
        if self.checksum != found {
            return Err(ImageError::Checksum { expected: self.checksum, found });
        }
        let [first, second] = self.zeros;
        if self.flags != 0 || self.zero != 0 || first | second != 0 {
            return Err(ImageError::Header);
        }
        Ok(())
    }

    /// The header that these bytes start with, of an image of this type whose other bytes have not been seen, and
    /// its length, at most `most`.
    pub(super) fn check_first(
        kind: Kind,
        fingerprint: Fingerprint,
        bytes: &[u8],
        most: usize,
    ) -> Result<(Self, usize), ImageError> {
        let header = header(bytes)?;
        let expected = header.check_kind(kind, most)?;
        header.check_fingerprint(fingerprint)?;
        if expected > most {
            return Err(ImageError::Length { expected, found: most });
        }
        Ok((header, expected))
    }

    fn check_fingerprint(&self, fingerprint: Fingerprint) -> Result<(), ImageError> {
        let (expected, found) = (fingerprint.value(), self.fingerprint);
        if found == expected { Ok(()) } else { Err(ImageError::Fingerprint { expected, found }) }
    }

    /// The same as [`check`](Self::check) for an image of this type.
    pub(crate) fn check_type(kind: Kind, fingerprint: Fingerprint, image: &[u8]) -> Result<Self, ImageError> {
        let header = header(image)?;
        if header.version == VERSION && header.kind == kind as u16 {
            header.check_fingerprint(fingerprint)?;
        }
        Self::check(kind, image)
    }

    /// Where the parameters start.
    pub(crate) fn parameters_start(&self) -> usize {
        self.parameters as usize
    }

    /// The `length` bytes of the parameters.
    pub(crate) fn parameters<'a>(&self, image: &'a [u8], length: usize) -> Result<&'a [u8], ImageError> {
        let from = self.parameters_of(length, image.len())?;
        image.get(from..).and_then(|rest| rest.get(..length)).ok_or(ImageError::Header)
    }

    /// Where the `length` bytes of the parameters start in an image of `whole` bytes.
    pub(super) fn parameters_of(&self, length: usize, whole: usize) -> Result<usize, ImageError> {
        let end = HEADER + usize::from(self.sections) * size_of::<Entry>();
        let from = usize::try_from(self.parameters).ok();
        let from = from.filter(|from| from.is_multiple_of(64) && *from >= end);
        from.filter(|from| whole.checked_sub(*from).is_some_and(|rest| rest >= length))
            .ok_or(ImageError::Header)
    }

    /// The bytes of one section.
    pub(crate) fn section<'a>(&self, image: &'a [u8], section: Section) -> Result<&'a [u8], ImageError> {
        find(image, usize::from(self.sections), section).ok_or(section.is(SectionError::Missing))
    }

    /// The sections of a model or a checkpoint, checked, and the parameters among them.
    pub(crate) fn sections<'a>(&self, image: &'a [u8]) -> Result<(List<'a>, &'a [u8]), ImageError> {
        let list = List::read(image, usize::from(self.sections))?;
        let parameters = list.need(Section::Parameters)?;
        // They lie where a reader that knows the type looks for them.
        if core::ptr::eq(self.parameters(image, parameters.len())?, parameters) {
            Ok((list, parameters))
        } else {
            Err(ImageError::Header)
        }
    }
}

/// Copies bytes into the parts that `visit` shows, as many bytes together.
pub(crate) fn fill(bytes: &[u8], visit: impl FnOnce(&mut dyn FnMut(&mut [u8]))) {
    let mut rest = bytes;
    visit(&mut |part| {
        if let Some((from, after)) = rest.split_at_checked(part.len()) {
            copy(from, part);
            rest = after;
        }
    });
}
