//! Vectors as word2vec's binary file.

use super::{LONGEST, Vectors, header};
use crate::error::FileError;
use std::io::{BufRead, Read};
use std::string::String;
use std::vec::Vec;

/// Reads word2vec's binary file: a line with the number of rows and the dim, then of each row the word, a space, and the numbers as
/// little-endian `f32`.
///
/// The C tool ends each row with a line feed, gensim does not: line feeds in front of a word are passed over. A word holds no space.
/// Bytes that are no UTF-8 stand as U+FFFD in the word: the C tool may have cut it in the middle of a character.
///
/// ```
/// use nanoembed::vectors::{BinaryVectors, Vectors};
/// let file = b"1 2\nhome \x00\x00\x80\x3f\x00\x00\x00\xc0\n";
/// let mut vectors = BinaryVectors::new(file.as_slice())?;
/// assert_eq!(vectors.next_row()?, Some(("home", [1.0, -2.0].as_slice())));
/// assert_eq!(vectors.next_row()?, None);
/// # Ok::<(), nanoembed::error::FileError>(())
/// ```
#[derive(Debug)]
pub struct BinaryVectors<R> {
    reader: R,
    dim: usize,
    left: u64,
    /// Bytes read.
    offset: u64,
    bytes: Vec<u8>,
    word: String,
    row: Vec<f32>,
}

impl<R: BufRead> BinaryVectors<R> {
    /// A file whose header is read.
    ///
    /// # Errors
    /// If it cannot be read, or starts with something else.
    pub fn new(reader: R) -> Result<Self, FileError> {
        let (bytes, word, row) = (Vec::new(), String::new(), Vec::new());
        let mut vectors = Self { reader, dim: 0, left: 0, offset: 0, bytes, word, row };
        let whole = vectors.read_until(b'\n')?;
        let expected = FileError::Bytes { offset: 0, expected: "the number of rows and the dim" };
        let (left, dim) = header(&vectors.bytes).filter(|_| whole).ok_or(expected)?;
        Ok(Self { dim, left, ..vectors })
    }

    /// Reads to the next `end`; whether it is there.
    fn read_until(&mut self, end: u8) -> Result<bool, FileError> {
        self.bytes.clear();
        let read = (&mut self.reader).take(LONGEST).read_until(end, &mut self.bytes)?;
        self.offset += read as u64;
        Ok(self.bytes.last() == Some(&end))
    }
}

impl<R: BufRead> Vectors for BinaryVectors<R> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let offset = self.offset;
        if !self.read_until(b' ')? {
            return Err(FileError::Bytes { offset, expected: "a word and a space" });
        }
        let line_feeds = self.bytes.iter().take_while(|byte| **byte == b'\n').count();
        let word = self.bytes.get(line_feeds..self.bytes.len() - 1).unwrap_or_default();
        self.word.clear();
        self.word.push_str(&String::from_utf8_lossy(word));

        let (offset, length) = (self.offset, (self.dim as u64).saturating_mul(4));
        self.bytes.clear();
        self.offset += (&mut self.reader).take(length).read_to_end(&mut self.bytes)? as u64;
        if self.offset - offset < length {
            return Err(FileError::Bytes { offset, expected: "as many numbers as the header says" });
        }
        self.row.clear();
        self.row.extend(self.bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)));
        Ok(Some((&self.word, &self.row)))
    }
}
