//! numpy's file of one array.
//!
//! ```text
//! \x93NUMPY                  magic
//! 1 0                        version: 1, 2 or 3
//! length of the header       2 bytes, 4 from version 2; little-endian
//! header                     {'descr': '<f4', 'fortran_order': False, 'shape': (40, 6), } and spaces, \n
//! numbers
//! ```
//!
//! Source: numpy's `numpy.lib.format` (NEP 1).

use super::array::{Array, Stored};
use crate::error::{FileError, FileKind};
use crate::files::HEAD;
use crate::table::Table;
use std::format;
use std::io::{ErrorKind, Read, Write};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// Longer headers are numpy's own limit for untrusted files, too.
const LONGEST_HEADER: usize = 10_000;
/// Bytes read at a time, whole numbers.
const BLOCK: usize = 1 << 13;
/// Memory for as many numbers is taken because a header says so; for more only as they come.
const TRUSTED: usize = 1 << 24;

impl Array {
    /// Reads an npy file of floating-point numbers (f2, f4, f8) of any extents, in either byte order, in C or Fortran order.
    ///
    /// | in the file | what is read, or the error |
    /// |---|---|
    /// | versions 1, 2 and 3 | the array |
    /// | Python 2's long extents, `(2L, 2L)`, in versions 1 and 2 | as `(2, 2)` |
    /// | `(184)`, `(4,,2)`, `(04,)`, a comma that is missing: what numpy does not read | `byte 0: expected the header of an npy file of floats` |
    /// | `nan`, `inf` | as they are |
    /// | whole numbers, complex numbers, text | `numbers other than f2, f4, f8: not supported` |
    /// | objects, as of a dictionary given to `numpy.save` | `Python objects, a pickle within the npy file: not supported` |
    /// | byte orders `=` and `\|` | `byte orders other than < and >: not supported` |
    /// | another version, or a header of more than 10,000 bytes | `npy files of another version or with a long header: not supported` |
    /// | less or more bytes than the shape says | `byte 128: expected as many numbers as the shape says`, `… the end of the array` |
    /// | a file of another kind ([`FileKind`]) | `byte 0: expected an npy file; the file is a zip archive: …` |
    ///
    /// # Errors
    /// If it cannot be read, is no such file, or has less or more bytes than its shape says.
    ///
    /// ```
    /// use nanoembed::weights::Array;
    /// let mut file = b"\x93NUMPY\x01\x00\x48\x00{'descr': '>f4', 'fortran_order': True, 'shape': (1, 2), }            \n".to_vec();
    /// file.extend([1.5_f32.to_be_bytes(), 2.5_f32.to_be_bytes()].as_flattened());
    /// # file[8] = (file.len() - 18) as u8;
    /// assert_eq!(Array::read_npy(file.as_slice())?.values, [1.5, 2.5]);
    /// # Ok::<(), nanoembed::error::FileError>(())
    /// ```
    pub fn read_npy(reader: impl Read) -> Result<Self, FileError> {
        let mut file = File { reader, offset: 0 };
        let header = file.header()?;
        let (stored, big_endian) = header.number_type()?;
        let count = header.shape.iter().try_fold(stored.size(), |n, extent| n.checked_mul(*extent));
        let mut left = count.ok_or(NO_HEADER)?;

        let mut values = Vec::new();
        let mut block = [0; BLOCK];
        while left > 0 {
            let (bytes, _) = block.split_at_mut(left.min(BLOCK));
            file.read(bytes, "as many numbers as the shape says")?;
            // Never more than there are numbers in the end, as it would be if the vector grew by itself.
            if values.capacity() - values.len() < bytes.len() / stored.size() {
                values.reserve_exact((left / stored.size()).min(values.len().max(TRUSTED)));
            }
            stored.decode(bytes, big_endian, &mut values);
            left -= bytes.len();
        }
        // At the end an archive compares its checksum.
        if file.reader.read(&mut [0])? > 0 {
            return Err(FileError::Bytes {
                offset: file.offset,
                expected: "the end of the array",
                found: None,
            });
        }
        if header.fortran_order {
            values = row_major(&header.shape, &values);
        }
        Ok(Self { shape: header.shape, values })
    }
}

/// The shape of the array in an npy file, of which only the header is read.
pub(super) fn read_shape(reader: impl Read) -> Result<Vec<usize>, FileError> {
    File { reader, offset: 0 }.header().map(|header| header.shape)
}

const NO_HEADER: FileError =
    FileError::Bytes { offset: 0, expected: "the header of an npy file of floats", found: None };

/// A file and how many of its bytes were read.
struct File<R> {
    reader: R,
    offset: u64,
}

impl<R: Read> File<R> {
    fn read(&mut self, bytes: &mut [u8], expected: &'static str) -> Result<(), FileError> {
        let at = FileError::Bytes { offset: self.offset, expected, found: None };
        self.offset += bytes.len() as u64;
        self.reader
            .read_exact(bytes)
            .map_err(|e| if e.kind() == ErrorKind::UnexpectedEof { at } else { e.into() })
    }

    /// All in front of the numbers.
    fn header(&mut self) -> Result<Header, FileError> {
        let mut start = Vec::new();
        (&mut self.reader).take(8).read_to_end(&mut start)?;
        self.offset = 8;
        let Some([.., version, _]) = start.first_chunk::<8>().filter(|start| start.starts_with(&MAGIC))
        else {
            (&mut self.reader).take(HEAD).read_to_end(&mut start)?;
            let found = FileKind::of(&start).filter(|kind| *kind != FileKind::Npy);
            return Err(FileError::Bytes { offset: 0, expected: "an npy file", found });
        };
        let mut length = [0; 4];
        let (short, _) = length.split_at_mut(if *version == 1 { 2 } else { 4 });
        self.read(short, "the length of the header")?;
        let length = u32::from_le_bytes(length) as usize;
        if !(1..=3).contains(version) || length > LONGEST_HEADER {
            return Err(FileError::Unsupported("npy files of another version or with a long header"));
        }
        let mut header = vec![0; length];
        self.read(&mut header, "the header")?;
        // Version 3 came with Python 3, which has no long numbers of another kind.
        let longs = *version < 3;
        core::str::from_utf8(&header).ok().and_then(|text| Header::parse(text, longs)).ok_or(NO_HEADER)
    }
}

/// Writes an npy file of `f32`, version 1.
pub(super) fn write_npy(mut writer: impl Write, shape: &[usize], values: &[f32]) -> std::io::Result<()> {
    write_header(&mut writer, shape)?;
    write_numbers(&mut writer, values)
}

/// The same for the rows of a table.
pub(crate) fn write_rows(mut writer: impl Write, table: Table<'_>) -> std::io::Result<()> {
    write_header(&mut writer, &[table.rows(), table.dim()])?;
    table.iter().try_for_each(|row| write_numbers(&mut writer, row))
}

fn write_numbers(writer: &mut impl Write, values: &[f32]) -> std::io::Result<()> {
    values.iter().try_for_each(|x| writer.write_all(&x.to_le_bytes()))
}

/// All in front of the numbers.
fn write_header(writer: &mut impl Write, shape: &[usize]) -> std::io::Result<()> {
    let extents: Vec<String> = shape.iter().map(ToString::to_string).collect();
    // Of one extent Python's tuple is `(40,)`.
    let comma = if shape.len() == 1 { "," } else { "" };
    let extents = extents.join(", ") + comma;
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({extents}), }}");
    // The numbers start at a multiple of 64 bytes.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    writer.write_all(&MAGIC)?;
    writer.write_all(&[1, 0])?;
    writer.write_all(&(length as u16).to_le_bytes())?;
    writeln!(writer, "{header:width$}", width = length - 1)
}

/// Values that stand with the first extent running fastest, with the last.
fn row_major(shape: &[usize], values: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for (i, value) in values.iter().enumerate() {
        let (mut rest, mut place, mut stride) = (i, 0, values.len());
        for &extent in shape {
            stride /= extent;
            place += rest % extent * stride;
            rest /= extent;
        }
        if let Some(to) = out.get_mut(place) {
            *to = *value;
        }
    }
    out
}

/// What the header says: a Python dictionary.
#[derive(Debug, PartialEq)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// The dictionary; extents may be Python 2's `longs`, `2L`.
    fn parse(text: &str, longs: bool) -> Option<Self> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        while !rest.is_empty() {
            let (key, value) = quoted(rest)?;
            let value = value.trim_start().strip_prefix(':')?.trim_start();
            rest = match key {
                "descr" => {
                    let (kind, rest) = quoted(value)?;
                    descr = Some(String::from(kind));
                    rest
                }
                "fortran_order" => {
                    let after = value.strip_prefix("True");
                    fortran_order = Some(after.is_some());
                    after.or(value.strip_prefix("False"))?
                }
                "shape" => {
                    let (extents, rest) = value.strip_prefix('(')?.split_once(')')?;
                    shape = Some(tuple(extents, longs)?);
                    rest
                }
                _ => return None,
            };
            rest = rest.trim_start();
            if !rest.is_empty() {
                rest = rest.strip_prefix(',')?.trim_start();
            }
        }
        Some(Self { descr: descr?, fortran_order: fortran_order?, shape: shape? })
    }

    /// How a number is stored, and whether it is big-endian.
    fn number_type(&self) -> Result<(Stored, bool), FileError> {
        let (order, kind) = self.descr.split_at_checked(1).unwrap_or_default();
        let stored = match kind {
            "f2" => Stored::F16,
            "f4" => Stored::F32,
            "f8" => Stored::F64,
            "O" => return Err(FileError::Unsupported("Python objects, a pickle within the npy file")),
            _ => return Err(FileError::Unsupported("numbers other than f2, f4, f8")),
        };
        match order {
            "<" | ">" => Ok((stored, order == ">")),
            _ => Err(FileError::Unsupported("byte orders other than < and >")),
        }
    }
}

/// The numbers of a Python tuple, without its brackets: a comma stands between two, and after the last if it is the only one.
fn tuple(text: &str, longs: bool) -> Option<Vec<usize>> {
    let (text, one) = match text.trim().strip_suffix(',') {
        Some(text) => (text, true),
        None if text.trim().is_empty() => return Some(Vec::new()),
        None => (text, false),
    };
    let extents: Vec<usize> =
        text.split(',').map(|extent| whole_number(extent.trim(), longs)).collect::<Option<_>>()?;
    (one || extents.len() > 1).then_some(extents)
}

/// Digits as Python takes them, with an `L` at their end if they may be `longs`.
fn whole_number(text: &str, longs: bool) -> Option<usize> {
    let digits = text.strip_suffix('L').filter(|_| longs).unwrap_or(text);
    let python = digits == "0" || digits.starts_with(|c| ('1'..='9').contains(&c));
    digits.parse().ok().filter(|_| python)
}

/// A Python string without escapes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text.get(1..)?.split_once(quote)
}
