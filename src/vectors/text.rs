//! Vectors as text: GloVe, word2vec, fastText's `.vec`.

use super::{LONGEST, Vectors, header};
use crate::error::FileError;
use std::io::{BufRead, Read};
use std::string::String;
use std::vec::Vec;

/// A first line that tells the dim is no longer.
const LONGEST_FIRST: u64 = 1 << 20;
/// No number is longer, on the average of a line.
const LONGEST_NUMBER: u64 = 64;

/// Reads `word number number …`, one word a line, from a GloVe file or, under a line with the number of rows and numbers, from one of
/// word2vec or fastText.
///
/// The numbers are the last `dim` fields of a line and the word is all before them: GloVe's larger files have words with spaces in
/// them. Bytes that are no UTF-8 stand as U+FFFD in the word: word2vec may have cut it in the middle of a character. Numbers are
/// rounded to the nearest `f32`; what is then infinite or no number (`inf`, `nan`, `1e39`) is refused as text that is no number.
/// So is a line that is longer than a word of 64 KiB and numbers of 64 bytes (a header: 64 KiB; the first line of [`Self::new`]:
/// 1 MiB): a file of something else is not read to its end.
///
/// ```
/// use nanoembed::vectors::{TextVectors, Vectors};
/// let mut vectors = TextVectors::with_header("1 2\nat home 0.5 -1e-3\n".as_bytes())?;
/// assert_eq!(vectors.next_row()?, Some(("at home", [0.5, -0.001].as_slice())));
/// assert_eq!(vectors.next_row()?, None);
/// # Ok::<(), nanoembed::error::FileError>(())
/// ```
#[derive(Debug)]
pub struct TextVectors<R> {
    reader: R,
    dim: usize,
    /// Rows that are still to come; `None` where no header told how many.
    left: Option<u64>,
    /// The last line read and its number.
    line: Vec<u8>,
    number: u64,
    /// Whether it was read ahead, to be the next row.
    ahead: bool,
    word: String,
    row: Vec<f32>,
}

impl<R: BufRead> TextVectors<R> {
    /// A file without a header, whose first word holds no space: the first line tells how many numbers a row has.
    ///
    /// # Errors
    /// If it cannot be read, or has no first line with a number.
    pub fn new(reader: R) -> Result<Self, FileError> {
        let mut vectors = Self::with_dim(reader, 0);
        vectors.ahead = vectors.read_line(LONGEST_FIRST)?;
        vectors.dim = vectors.line.iter().filter(|byte| is_space(**byte)).count();
        if vectors.dim > 0 { Ok(vectors) } else { Err(vectors.expected("a word and numbers")) }
    }

    /// A file without a header and with `dim` numbers in a row.
    pub fn with_dim(reader: R, dim: usize) -> Self {
        let (line, word, row) = (Vec::new(), String::new(), Vec::new());
        Self { reader, dim, left: None, line, number: 0, ahead: false, word, row }
    }

    /// A file whose first line has the number of rows and the numbers in a row.
    ///
    /// # Errors
    /// If it cannot be read, or starts with something else.
    pub fn with_header(reader: R) -> Result<Self, FileError> {
        let mut vectors = Self::with_dim(reader, 0);
        vectors.read_line(LONGEST)?;
        let (rows, dim) =
            header(&vectors.line).ok_or_else(|| vectors.expected("the number of rows and the dim"))?;
        Ok(Self { dim, left: Some(rows), ..vectors })
    }

    /// The next line of less than `longest` bytes, without the white space at its end; whether there was one.
    fn read_line(&mut self, longest: u64) -> Result<bool, FileError> {
        self.line.clear();
        self.number += 1;
        let read = (&mut self.reader).take(longest).read_until(b'\n', &mut self.line)?;
        if read as u64 == longest && self.line.last() != Some(&b'\n') {
            return Err(self.expected("a shorter line"));
        }
        self.line.truncate(self.line.trim_ascii_end().len());
        Ok(read > 0)
    }

    fn expected(&self, expected: &'static str) -> FileError {
        FileError::Line { line: self.number, expected }
    }

    /// Cuts the last line into word and numbers, from its end.
    fn cut(&mut self) -> Option<()> {
        let mut rest = self.line.as_slice();
        self.row.clear();
        for _ in 0..self.dim {
            let (word, number) = rest.split_at_checked(rest.iter().rposition(|byte| is_space(*byte))?)?;
            let number: f32 = core::str::from_utf8(number.get(1..)?).ok()?.parse().ok()?;
            self.row.push(Some(number).filter(|number| number.is_finite())?);
            rest = word;
        }
        self.row.reverse();
        self.word.clear();
        self.word.push_str(&String::from_utf8_lossy(rest));
        Some(())
    }
}

/// What stands between fields.
fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

impl<R: BufRead> Vectors for TextVectors<R> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        if self.left == Some(0) {
            return Ok(None);
        }
        let ahead = core::mem::take(&mut self.ahead);
        let longest = (self.dim as u64).saturating_mul(LONGEST_NUMBER).saturating_add(LONGEST);
        if !(ahead || self.read_line(longest)?) {
            return if self.left.is_none() {
                Ok(None)
            } else {
                Err(self.expected("as many rows as the header says"))
            };
        }
        self.left = self.left.map(|left| left - 1);
        self.cut().ok_or_else(|| self.expected("a word and as many numbers as in the first line"))?;
        Ok(Some((&self.word, &self.row)))
    }
}
