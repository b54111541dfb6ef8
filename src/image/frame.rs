//! The header of images, and its checks.

use super::error::{ImageError, SectionError};
use super::format::{HEADER, Kind, Section, VERSION};
use super::sections::{Entry, Layout, List, WriteSection, find};
use crate::layers::Fingerprint;
use crate::slices::{copy, part_mut};
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const MAGIC: [u8; 4] = *b"NEMB";
const CHECKSUM: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

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
    let length = ImageError::Length { expected: layout.end(), found: out.len() };
    if out.len() != layout.end() {
        return Err(length);
    }
    out.fill(0);
    let (first, body) = out.split_first_chunk_mut::<HEADER>().ok_or(length)?;
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        kind: kind as u16,
        fingerprint: fingerprint.value(),
        length: body.len() as u64,
        checksum: 0,
        sequence: 0,
        sections: layout.count() as u16,
        flags: 0,
        zero: 0,
        parameters: layout.parameters() as u64,
        zeros: [0; 2],
    };
    layout.write(body, write);
    *first = zerocopy::transmute!(header);
    reseal(out);
    Ok(())
}

/// Puts the right checksum on an image of which bytes were changed.
pub(crate) fn reseal(out: &mut [u8]) {
    let checksum = checksum(out).to_le_bytes();
    copy(&checksum, part_mut(out, CHECKSUM_AT, 4));
}

/// The checksum of all bytes but its own four.
fn checksum(image: &[u8]) -> u32 {
    let mut digest = CHECKSUM.digest();
    digest.update(image.get(..CHECKSUM_AT).unwrap_or_default());
    digest.update(image.get(CHECKSUM_AT + 4..).unwrap_or_default());
    digest.finalize()
}

/// The header that these bytes start with.
fn header(bytes: &[u8]) -> Result<Header, ImageError> {
    let first = bytes.first_chunk::<HEADER>().ok_or(ImageError::NotAnImage)?;
    let header: Header = zerocopy::transmute!(*first);
    if header.magic == MAGIC { Ok(header) } else { Err(ImageError::NotAnImage) }
}

/// The length of the image that starts here, by its header: to cut it out of a larger piece of flash.
///
/// # Errors
/// If no image starts here.
pub fn length(bytes: &[u8]) -> Result<usize, ImageError> {
    let payload = header(bytes)?.length;
    let length = usize::try_from(payload).ok().and_then(|payload| payload.checked_add(HEADER));
    length.ok_or(ImageError::Length { expected: usize::MAX, found: bytes.len() })
}

impl Header {
    /// The header of an unharmed image of this kind.
    pub(crate) fn check(kind: Kind, image: &[u8]) -> Result<Self, ImageError> {
        let header = header(image)?;
        if header.version != VERSION {
            return Err(ImageError::Version { found: header.version });
        }
        if header.kind != kind as u16 {
            return Err(ImageError::Kind { expected: kind, found: header.kind });
        }
        let expected = length(image)?;
        if image.len() != expected {
            return Err(ImageError::Length { expected, found: image.len() });
        }
        let found = checksum(image);
        if header.checksum != found {
            return Err(ImageError::Checksum { expected: header.checksum, found });
        }
        if header.flags != 0 || header.zero != 0 || header.zeros != [0; 2] {
            return Err(ImageError::Header);
        }
        Ok(header)
    }

    /// The same for an image of this type.
    pub(crate) fn check_type(kind: Kind, fingerprint: Fingerprint, image: &[u8]) -> Result<Self, ImageError> {
        let expected = fingerprint.value();
        match header(image)? {
            Header { version: VERSION, kind: of, fingerprint: found, .. }
                if of == kind as u16 && found != expected =>
            {
                Err(ImageError::Fingerprint { expected, found })
            }
            _ => Self::check(kind, image),
        }
    }

    /// Where the parameters start.
    pub(crate) fn parameters_start(&self) -> usize {
        self.parameters as usize
    }

    /// The `length` bytes of the parameters.
    pub(crate) fn parameters<'a>(&self, image: &'a [u8], length: usize) -> Result<&'a [u8], ImageError> {
        let end = HEADER + usize::from(self.sections) * size_of::<Entry>();
        let from =
            usize::try_from(self.parameters).ok().filter(|from| from.is_multiple_of(64) && *from >= end);
        let rest = from.and_then(|from| image.get(from..)).ok_or(ImageError::Header)?;
        rest.get(..length).ok_or(ImageError::Header)
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
