//! What a file is, by its first bytes.

use crate::error::FileKind;

/// As many bytes tell the kind of a file.
pub(crate) const HEAD: u64 = 64;
/// Longer headers are refused by the crate safetensors.
const LONGEST_TENSORS_HEADER: u64 = 100_000_000;

/// The first bytes of files that have fixed ones.
const MAGIC: [(&[u8], FileKind); 19] = [
    (b"\x1f\x8b", FileKind::Gzip),
    (b"BZh", FileKind::Bzip2),
    (b"\xfd7zXZ\0", FileKind::Xz),
    (b"\x28\xb5\x2f\xfd", FileKind::Zstd),
    (b"PK\x03\x04", FileKind::Zip),
    (b"PK\x05\x06", FileKind::Zip),
    (b"\x93NUMPY", FileKind::Npy),
    (b"\x89HDF", FileKind::Hdf5),
    // 793,712,314 in little-endian order.
    (b"\xba\x16\x4f\x2f", FileKind::FastText),
    // Protocols 2 to 5; the older ones are text.
    (b"\x80\x02", FileKind::Pickle),
    (b"\x80\x03", FileKind::Pickle),
    (b"\x80\x04", FileKind::Pickle),
    (b"\x80\x05", FileKind::Pickle),
    (b"\xff\xfe", FileKind::Utf16),
    (b"\xfe\xff", FileKind::Utf16),
    (b"<!", FileKind::Html),
    (b"<html", FileKind::Html),
    (b"<HTML", FileKind::Html),
    (b"version https://git-lfs", FileKind::GitLfs),
];

impl FileKind {
    /// What a file is that starts with `bytes`; 64 of them are enough. `None` if it is nothing that is known
    /// here.
    ///
    /// ```
    /// use nanoembed::internals::FileKind;
    /// assert_eq!(FileKind::of(b"\x1f\x8b\x08\x00"), Some(FileKind::Gzip));
    /// assert_eq!(FileKind::of(b"2 3\nhome 0.5 0.25 -1\n"), Some(FileKind::TextWithHeader));
    /// ```
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEAD as usize).unwrap_or(bytes);
        if head.is_empty() {
            return Some(Self::Empty);
        }
        if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Some(*kind);
        }
        if let Some((length, b"{")) =
            head.split_first_chunk().map(|(n, rest)| (n, rest.get(..1).unwrap_or(rest)))
            && u64::from_le_bytes(*length) <= LONGEST_TENSORS_HEADER
        {
            return Some(Self::SafeTensors);
        }
        let mut lines = head.splitn(2, |byte| *byte == b'\n');
        let (first, rest) = (lines.next().unwrap_or_default(), lines.next());
        if header(first).is_some() {
            return Some(if rest.is_none_or(is_text) { Self::TextWithHeader } else { Self::Word2Vec });
        }
        let cut = rest.is_none() && head.len() == HEAD as usize;
        match (is_text(head), is_row(first, cut)) {
            (true, true) => Some(Self::TextWithoutHeader),
            (true, false) => Some(Self::Text),
            (false, _) => None,
        }
    }
}

/// The numbers of a header of vectors, `rows dim`.
pub(crate) fn header(line: &[u8]) -> Option<(u64, usize)> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let mut fields = core::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (rows, dim) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    (dim > 0 && fields.next().is_none()).then_some((rows, dim))
}

/// Whether a line, of which the last field is left out if it is `cut`, ends in two numbers, or is a word and
/// a number.
fn is_row(line: &[u8], cut: bool) -> bool {
    let fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let mut numbers = fields.rev().skip(usize::from(cut)).map(|field| number(field).is_some());
    matches!(
        (numbers.next(), numbers.next(), numbers.next()),
        (Some(true), Some(true), Some(_)) | (Some(true), Some(false), None)
    )
}

/// A field that is a finite number.
pub(crate) fn number(field: &[u8]) -> Option<f32> {
    let number: f32 = core::str::from_utf8(field).ok()?.parse().ok()?;
    Some(number).filter(|number| number.is_finite())
}

/// Whether bytes are text: UTF-8, but for a character that is cut at the end, without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let whole = match core::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    whole && bytes.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace())
}
