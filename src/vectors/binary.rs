//! Vectors as word2vec's binary file.
//!
//! # Words with spaces
//!
//! A word ends at the first space, and nothing says how long it is. If a program wrote `New York `, its row
//! is read from `York ` on, and the bytes that are left of the row become the start of the next word. Where
//! rows end with a line feed, that line feed then stands within a word. Where they do not, the shift shows in
//! the numbers: those that were words, or that start in the middle of others, are as good as never of an
//! ordinary size. A row with such a number is read a second time, from each space in it that only text stands
//! before, with as many bytes of what follows at its end; if all numbers are ordinary then, the word was one
//! with a space.
//!
//! Sound files pass, even with numbers of any size: bytes that are read from another place are not all
//! ordinary. Rows of two or three numbers are short for both conclusions, and what is shifted by more than a
//! row is only seen at the end of the file, which then does not fit.

use super::{LONGEST, Vectors};
use crate::error::{FileError, FileKind};
use crate::files::header;
use core::ops::Range;
use std::io::{BufRead, Read};
use std::string::String;
use std::vec::Vec;

/// Bytes of a number.
const NUMBER: usize = 4;
/// As many bytes that are all printable are no numbers.
const TEXT: usize = 16;
/// Numbers of vectors are zero or of these sizes, 2⁻⁴⁰ to 2¹⁴, nearly always.
const ORDINARY: Range<f32> = 9.094_947e-13..16384.0;

/// Reads word2vec's binary file: a header (a line with the number of rows and the dim), then of each row the
/// word, a space, and the numbers as little-endian `f32`.
///
/// | in the file | what is read, or the error |
/// |---|---|
/// | a line feed after each row (the C tool) or none (gensim) | either |
/// | several blanks or tabs in the header, `\r\n` after it | as one blank |
/// | bytes that are no UTF-8: the C tool may have cut a word in a character | U+FFFD in the word |
/// | the end after fewer rows than the header says | those rows, then `the header promises 3 rows, the file has 2`; [`Vectors::fill`] keeps them |
/// | bytes after the last row but line feeds | `byte 97: expected the end of the file after the last row …` |
/// | the end within a row | `byte 40: expected as many numbers as the header says` |
/// | a word that holds a space | `byte 17: expected a word without a space`, after the row or at the end of the file |
/// | a line feed or a zero in a word | `byte 17: expected a word …` |
/// | numbers that are infinite or none | `byte 21: expected finite numbers` |
/// | a file of another kind ([`FileKind`]), text too | `byte 0: expected …; the file is a gzip file: decompress it` |
/// | a header or a word of more than 64 KiB | `byte 4: expected a word and a space` |
///
/// A word that holds a space is seen where it shifts numbers to sizes that vectors do not have, or a line
/// feed into a word, or the end of the file away from its place. Not seen: such a word in a row whose own
/// numbers are of other sizes than 1e-12 to 16,384 (or zero) already, and some in rows of two or three
/// numbers. A sound file of such short rows, some of whose numbers are of other sizes, may be refused.
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
    promised: u64,
    /// Rows that were lent.
    rows: u64,
    /// Bytes read.
    offset: u64,
    /// Where the last word started.
    start: u64,
    /// The bytes of the last word, from the end of the row before it to the space.
    word_bytes: Vec<u8>,
    /// The bytes of the last row, and those of the row before it.
    row_bytes: Vec<u8>,
    row_before: Vec<u8>,
    word: String,
    row: Vec<f32>,
}

impl<R: BufRead> BinaryVectors<R> {
    /// A file whose header is read.
    ///
    /// # Errors
    /// If it cannot be read, or starts with something else.
    pub fn new(reader: R) -> Result<Self, FileError> {
        let mut vectors = Self {
            reader,
            dim: 0,
            promised: 0,
            rows: 0,
            offset: 0,
            start: 0,
            word_bytes: Vec::new(),
            row_bytes: Vec::new(),
            row_before: Vec::new(),
            word: String::new(),
            row: Vec::new(),
        };
        let whole = vectors.read_until(b'\n')?;
        if let Some((promised, dim)) = header(&vectors.word_bytes).filter(|_| whole) {
            return Ok(Self { dim, promised, ..vectors });
        }
        // The first line may be shorter than what tells the kind of a file.
        (&mut vectors.reader).take(LONGEST).read_to_end(&mut vectors.word_bytes)?;
        let found = FileKind::of(&vectors.word_bytes);
        Err(FileError::Bytes {
            offset: 0,
            expected: "the number of rows and the dim, two whole numbers",
            found,
        })
    }

    /// Reads to the next `end`; whether it is there.
    fn read_until(&mut self, end: u8) -> Result<bool, FileError> {
        self.word_bytes.clear();
        let read = (&mut self.reader).take(LONGEST).read_until(end, &mut self.word_bytes)?;
        self.offset += read as u64;
        Ok(self.word_bytes.last() == Some(&end))
    }

    /// What is wrong with the bytes from `offset`; text, if they are the first row's and look like it.
    fn expected(&self, offset: u64, expected: &'static str) -> FileError {
        let text = self.rows == 0 && !self.row_bytes.is_empty() && is_text(&self.row_bytes);
        FileError::Bytes { offset, expected, found: text.then_some(FileKind::TextWithHeader) }
    }

    /// That nothing follows the last row.
    fn check_end(&mut self) -> Result<(), FileError> {
        core::mem::swap(&mut self.row_before, &mut self.row_bytes);
        self.row_bytes.clear();
        self.word_bytes.clear();
        (&mut self.reader).take(LONGEST).read_to_end(&mut self.word_bytes)?;
        self.check_word_before()?;
        if self.word_bytes.iter().all(|byte| *byte == b'\n') {
            return Ok(());
        }
        let expected = "the end of the file after the last row (more rows, or a word that holds a space)";
        Err(self.expected(self.offset, expected))
    }

    /// That the word before the last did not go on after its space: see the text at the start of this file.
    fn check_word_before(&self) -> Result<(), FileError> {
        let row = &self.row_before;
        if is_ordinary(row) {
            return Ok(());
        }
        let next = [self.word_bytes.as_slice(), &self.row_bytes].concat();
        let text = row.iter().take_while(|byte| !byte.is_ascii_control());
        let mut spaces = (1..).zip(text).filter(|(_, byte)| **byte == b' ').map(|(shift, _)| shift);
        let from = |shift: usize| Some([row.get(shift..)?, next.get(..shift)?].concat());
        if spaces.any(|shift| from(shift).is_some_and(|row| is_ordinary(&row))) {
            return Err(self.expected(self.start, "a word without a space"));
        }
        Ok(())
    }
}

/// Whether all numbers are zero or of a size that vectors have.
fn is_ordinary(row: &[u8]) -> bool {
    let mut numbers = row.as_chunks::<NUMBER>().0.iter().map(|number| f32::from_le_bytes(*number));
    numbers.all(|x| x == 0.0 || ORDINARY.contains(&x.abs()))
}

/// Whether bytes are printable, of ASCII.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte) || byte.is_ascii_whitespace())
}

impl<R: BufRead> Vectors for BinaryVectors<R> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn rows_promised(&self) -> Option<u64> {
        Some(self.promised)
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        if self.rows == self.promised {
            return self.check_end().map(|()| None);
        }
        core::mem::swap(&mut self.row_before, &mut self.row_bytes);
        self.row_bytes.clear();
        let before = self.offset;
        let whole = self.read_until(b' ')?;
        let line_feeds = self.word_bytes.iter().take_while(|byte| **byte == b'\n').count();
        if !whole && line_feeds == self.word_bytes.len() {
            return Err(FileError::Rows { promised: self.promised, found: self.rows });
        }
        let word = self.word_bytes.get(line_feeds..self.word_bytes.len() - 1).unwrap_or_default();
        if !whole || word.iter().any(|byte| matches!(byte, b'\n' | 0)) {
            self.check_word_before()?;
            return Err(self.expected(before, "a word and a space (an earlier word may hold a space)"));
        }
        self.word.clear();
        self.word.push_str(&String::from_utf8_lossy(word));

        let (offset, length) = (self.offset, (self.dim as u64).saturating_mul(NUMBER as u64));
        self.offset += (&mut self.reader).take(length).read_to_end(&mut self.row_bytes)? as u64;
        self.check_word_before()?;
        self.start = before + line_feeds as u64;
        if self.offset - offset < length {
            return Err(self.expected(offset, "as many numbers as the header says"));
        }
        if self.rows == 0 && self.row_bytes.len() >= TEXT && is_text(&self.row_bytes) {
            return Err(self.expected(offset, "numbers of 4 bytes, not text"));
        }
        self.row.clear();
        self.row.extend(self.row_bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)));
        if !self.row.iter().all(|x| x.is_finite()) {
            return Err(self.expected(offset, "finite numbers (a word may hold a space)"));
        }
        self.rows += 1;
        Ok(Some((&self.word, &self.row)))
    }
}
