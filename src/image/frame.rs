//! The header of images and checkpoints, and its checks.

use crate::layers::Fingerprint;
use core::fmt;
use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// Length of the header in bytes; the payload starts behind it, as aligned as the header is.
pub const HEADER: usize = 64;

const MAGIC: [u8; 4] = *b"NEMB";
const VERSION: u16 = 1;
const CHECKSUM: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// What the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The parameters of a model.
    Model = 1,
    /// A training as it stood.
    Checkpoint = 2,
    /// A vocabulary.
    Vocabulary = 3,
}

/// Why bytes are not the image that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// They do not start with the magic number, or are shorter than a header.
    NotAnImage,
    /// A version that this release does not read.
    Version {
        /// The version found.
        found: u16,
    },
    /// Something else, such as a checkpoint where a model is expected.
    Kind {
        /// The kind that was asked for.
        expected: Kind,
        /// The number of the kind found.
        found: u16,
    },
    /// Made for another type of model.
    Fingerprint {
        /// The fingerprint of the type that was asked for.
        expected: u64,
        /// The one found.
        found: u64,
    },
    /// Too few bytes or too many, or a buffer of the wrong length.
    Length {
        /// The right number of bytes.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// A byte has changed since the image was written.
    Checksum {
        /// What the header says.
        expected: u32,
        /// What the bytes give.
        found: u32,
    },
    /// The bytes do not start at a multiple of the model's alignment.
    Misaligned,
}

/// The name of a kind.
fn name(kind: u16) -> &'static str {
    match kind {
        1 => "a model",
        2 => "a checkpoint",
        3 => "a vocabulary",
        _ => "unknown to this release",
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnImage => {
                write!(f, "not an image: it does not start with `NEMB` and a header of {HEADER} bytes")
            }
            Self::Version { found } => write!(f, "version {found} of the image format, expected {VERSION}"),
            Self::Kind { expected, found } => {
                write!(f, "an image of kind {found} ({}), expected {}", name(*found), name(*expected as u16))
            }
            Self::Fingerprint { expected, found } => {
                write!(
                    f,
                    "an image of another type of model: fingerprint {found:016x}, expected {expected:016x}"
                )
            }
            Self::Length { expected, found } => write!(f, "expected {expected} bytes, found {found}"),
            Self::Checksum { expected, found } => write!(f, "checksum {found:08x}, expected {expected:08x}"),
            Self::Misaligned => f.write_str(
                "the image starts at no multiple of 4: use include_image!, an Aligned buffer, or copy it by read_into",
            ),
        }
    }
}

impl core::error::Error for ImageError {}

/// The fields of a header in front of the checksum.
fn fields(kind: Kind, fingerprint: Fingerprint, payload: usize) -> [u8; 24] {
    let mut fields = [0; 24];
    let (words, _) = fields.as_chunks_mut::<8>();
    if let [start, print, length] = words {
        let [v0, v1] = VERSION.to_le_bytes();
        let [k0, k1] = (kind as u16).to_le_bytes();
        let [m0, m1, m2, m3] = MAGIC;
        *start = [m0, m1, m2, m3, v0, v1, k0, k1];
        *print = fingerprint.value().to_le_bytes();
        *length = (payload as u64).to_le_bytes();
    }
    fields
}

/// Writes header and payload; `visit` shows the payload's parts, `payload` bytes together.
pub(crate) fn seal(
    kind: Kind,
    fingerprint: Fingerprint,
    payload: usize,
    out: &mut [u8],
    visit: impl FnOnce(&mut dyn FnMut(&[u8])),
) -> Result<(), ImageError> {
    let expected = HEADER + payload;
    let length = ImageError::Length { expected, found: out.len() };
    if out.len() != expected {
        return Err(length);
    }
    let (header, body) = out.split_first_chunk_mut::<HEADER>().ok_or(length)?;
    let mut rest = body;
    visit(&mut |part| {
        let free = core::mem::take(&mut rest);
        if let Some((to, behind)) = free.split_at_mut_checked(part.len()) {
            for (to, from) in to.iter_mut().zip(part) {
                *to = *from;
            }
            rest = behind;
        }
    });
    rest.fill(0);
    header.fill(0);
    for (to, from) in header.iter_mut().zip(fields(kind, fingerprint, payload)) {
        *to = from;
    }
    let checksum = checksum(out).to_le_bytes();
    for (to, from) in out.iter_mut().skip(24).zip(checksum) {
        *to = from;
    }
    Ok(())
}

/// Copies a payload into the parts that `visit` shows, as many bytes together.
pub(crate) fn fill(payload: &[u8], visit: impl FnOnce(&mut dyn FnMut(&mut [u8]))) {
    let mut rest = payload;
    visit(&mut |part| {
        if let Some((from, behind)) = rest.split_at_checked(part.len()) {
            for (to, from) in part.iter_mut().zip(from) {
                *to = *from;
            }
            rest = behind;
        }
    });
}

/// The checksum of all bytes but its own four.
fn checksum(image: &[u8]) -> u32 {
    let mut digest = CHECKSUM.digest();
    digest.update(image.get(..24).unwrap_or_default());
    digest.update(image.get(28..).unwrap_or_default());
    digest.finalize()
}

/// The number in the header at `OFFSET`.
fn number<const OFFSET: usize, const BYTES: usize>(image: &[u8]) -> Result<[u8; BYTES], ImageError> {
    image.get(OFFSET..).and_then(|bytes| bytes.first_chunk()).copied().ok_or(ImageError::NotAnImage)
}

/// The length of the image that starts here, by its header: to cut it out of a larger piece of flash.
///
/// # Errors
/// If no image starts here.
pub fn length(bytes: &[u8]) -> Result<usize, ImageError> {
    if bytes.len() < HEADER || number::<0, 4>(bytes)? != MAGIC {
        return Err(ImageError::NotAnImage);
    }
    let payload = u64::from_le_bytes(number::<16, 8>(bytes)?);
    let length = usize::try_from(payload).ok().and_then(|payload| payload.checked_add(HEADER));
    length.ok_or(ImageError::Length { expected: usize::MAX, found: bytes.len() })
}

/// The payload of an unharmed image of this kind and type.
pub(crate) fn open(kind: Kind, fingerprint: Fingerprint, image: &[u8]) -> Result<&[u8], ImageError> {
    let expected = length(image)?;
    let found = u16::from_le_bytes(number::<4, 2>(image)?);
    if found != VERSION {
        return Err(ImageError::Version { found });
    }
    let found = u16::from_le_bytes(number::<6, 2>(image)?);
    if found != kind as u16 {
        return Err(ImageError::Kind { expected: kind, found });
    }
    let found = u64::from_le_bytes(number::<8, 8>(image)?);
    if found != fingerprint.value() {
        return Err(ImageError::Fingerprint { expected: fingerprint.value(), found });
    }
    if image.len() != expected {
        return Err(ImageError::Length { expected, found: image.len() });
    }
    let (expected, found) = (u32::from_le_bytes(number::<24, 4>(image)?), checksum(image));
    if expected != found {
        return Err(ImageError::Checksum { expected, found });
    }
    image.get(HEADER..).ok_or(ImageError::NotAnImage)
}
