//! Vectors as text: GloVe, word2vec, fastText's `.vec`.

use super::{LONGEST, Vectors};
use crate::error::{FileError, FileKind};
use crate::files::{HEAD, header, number};
use std::io::{BufRead, Cursor, Read};
use std::string::String;
use std::vec::Vec;

/// A first line that tells the dim is no longer.
const LONGEST_FIRST: u64 = 1 << 20;
/// No number is longer, on the average of a line.
const LONGEST_NUMBER: u64 = 64;

/// Reads `word number number …`, one word a line, from a GloVe file or, under a header (a line with the
/// number of rows and the numbers in a row), from one of word2vec or fastText.
///
/// The numbers are the last `dim` fields of a line and the word is all before them: GloVe's larger files have
/// words with spaces in them. Numbers are rounded to the nearest `f32`.
///
/// | in the file | what is read, or the error |
/// |---|---|
/// | a byte order mark, `\r\n`, blanks at the end of a line | as if they were not there |
/// | several blanks or tabs between fields, in the header too | as one blank |
/// | blanks within a word; no-break spaces and other white space of Unicode | the word, as it is |
/// | blanks at the start of a line | as if they were not there; if only numbers follow, the word is empty |
/// | a word twice | two rows; for [`Vectors::fill`] the first counts |
/// | bytes that are no UTF-8: word2vec may have cut a word in a character | U+FFFD in the word |
/// | empty lines after the last row | the end; elsewhere `line 3: expected a row, not an empty line` |
/// | fewer or more rows than the header says | all rows, then `the header promises 3 rows, the file has 2`; [`Vectors::fill`] keeps them |
/// | no numbers, too few, no word, `nan`, `inf`, `1e39`, `0,5` | `line 2: expected a word and as many numbers as …` |
/// | a header for [`Self::new`]; none for [`Self::with_header`] | `line 1: expected …; the file is text vectors under a header: …` |
/// | more numbers in the second line than in the first ([`Self::new`]), in the first row than the header says, two more than [`Self::with_dim`] says, or one more in each of the first two rows | `line 2: expected … as many numbers as …` |
/// | a file of another kind ([`FileKind`]) | `line 1: expected …; the file is a gzip file: decompress it` |
/// | a line that is longer than a word of 64 KiB and numbers of 64 bytes (a header: 64 KiB; the first line for [`Self::new`]: 1 MiB) | `line 1: expected a shorter line` |
///
/// Not seen: a file without a header that was cut off after a row, or any file that was cut off in its last
/// number.
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
    /// The first bytes, which tell what the file is.
    head: Vec<u8>,
    /// What was read ahead, to be read again.
    start: Cursor<Vec<u8>>,
    dim: usize,
    promised: Option<u64>,
    /// Rows that were lent.
    rows: u64,
    /// Another dim that the file may have: that of the first row with the number at the end of its word, or as a
    /// header.
    other_dim: Option<usize>,
    /// The last line read, without the white space at its end, and its number.
    line: Vec<u8>,
    number: u64,
    word: String,
    row: Vec<f32>,
}

impl<R: BufRead> TextVectors<R> {
    /// A file without a header, whose first word holds no space: the first line tells how many numbers a row
    /// has.
    ///
    /// The second line is looked at as well: a first line of two whole numbers is a header if what follows
    /// can be its rows, and a word with its number if not. `7 1` over a row of one number may be either: it
    /// is refused, and [`Self::with_header`] or
    /// [`Self::with_dim`] says which it is.
    ///
    /// # Errors
    /// If it cannot be read, has no first line with a number, starts with a header, or has more numbers in
    /// its second line.
    pub fn new(reader: R) -> Result<Self, FileError> {
        let mut vectors = Self::with_dim(reader, 0);
        vectors.read_line(LONGEST_FIRST)?;
        vectors.dim = fields(&vectors.line).count().saturating_sub(1);
        if vectors.dim == 0 || vectors.cut().is_none() {
            return Err(vectors.expected("a word and numbers"));
        }
        let (header, mut lines) = (header(&vectors.line), vectors.line.clone());
        vectors.read_line(vectors.longest())?;
        let numbers = numbers(&vectors.line);
        if header.is_some_and(|(_, dim)| dim == 1 || numbers != 1) {
            let found = FileKind::of(&vectors.head);
            return Err(FileError::Line {
                line: 1,
                expected: "a row (of one number only if the reader is told so)",
                found,
            });
        }
        if numbers > vectors.dim {
            return Err(vectors
                .expected("as many numbers as in the first line, or as a header or the reader is told"));
        }
        // Both lines will be read again.
        for part in [b"\n", vectors.line.as_slice(), b"\n"] {
            lines.extend_from_slice(part);
        }
        vectors.start.read_to_end(&mut lines)?;
        (vectors.start, vectors.number) = (Cursor::new(lines), 0);
        Ok(vectors)
    }

    /// A file without a header and with `dim` numbers in a row.
    pub fn with_dim(reader: R, dim: usize) -> Self {
        Self {
            reader,
            head: Vec::new(),
            start: Cursor::default(),
            dim,
            promised: None,
            rows: 0,
            other_dim: None,
            line: Vec::new(),
            number: 0,
            word: String::new(),
            row: Vec::new(),
        }
    }

    /// A file whose first line has the number of rows and the numbers in a row.
    ///
    /// # Errors
    /// If it cannot be read, or starts with something else.
    pub fn with_header(reader: R) -> Result<Self, FileError> {
        let mut vectors = Self::with_dim(reader, 0);
        vectors.read_line(LONGEST)?;
        let Some((rows, dim)) = header(&vectors.line) else {
            let found = vectors.other_kind(FileKind::TextWithHeader);
            let expected = "the number of rows and the dim, two whole numbers";
            return Err(FileError::Line { line: 1, expected, found });
        };
        (vectors.dim, vectors.promised) = (dim, Some(rows));
        Ok(vectors)
    }

    /// No line of a word and numbers is longer.
    fn longest(&self) -> u64 {
        (self.dim as u64).saturating_mul(LONGEST_NUMBER).saturating_add(LONGEST)
    }

    /// The next line of less than `longest` bytes, without the white space at its end; whether there was one.
    fn read_line(&mut self, longest: u64) -> Result<bool, FileError> {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        if self.head.is_empty() {
            (&mut self.reader).take(HEAD).read_to_end(&mut self.head)?;
            let text = self.head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.head);
            self.start = Cursor::new(text.to_vec());
        }
        self.line.clear();
        self.number += 1;
        let read =
            (&mut self.start).chain(&mut self.reader).take(longest).read_until(b'\n', &mut self.line)?;
        if read as u64 == longest && self.line.last() != Some(&b'\n') {
            return Err(self.expected("a shorter line"));
        }
        self.line.truncate(self.line.trim_ascii_end().len());
        Ok(read > 0)
    }

    /// Whether nothing but white space follows, and not much of it.
    fn is_at_end(&mut self) -> Result<bool, FileError> {
        self.line.clear();
        let rest = (&mut self.start).chain(&mut self.reader).take(LONGEST).read_to_end(&mut self.line)?;
        Ok((rest as u64) < LONGEST && self.line.trim_ascii().is_empty())
    }

    /// What the file is by its start, if it is neither of the `right` kind nor text that may be.
    fn other_kind(&self, right: FileKind) -> Option<FileKind> {
        FileKind::of(&self.head).filter(|kind| *kind != right && *kind != FileKind::Text)
    }

    fn expected(&self, expected: &'static str) -> FileError {
        let right =
            if self.promised.is_some() { FileKind::TextWithHeader } else { FileKind::TextWithoutHeader };
        // What starts with two lines as it should is no other kind of file.
        let found = self.other_kind(right).filter(|_| self.number <= 2);
        FileError::Line { line: self.number, expected, found }
    }

    /// Cuts the last line into word and numbers, from its end.
    fn cut(&mut self) -> Option<()> {
        let mut rest = self.line.as_slice();
        self.row.clear();
        for _ in 0..self.dim {
            let (word, field) = rest.split_at_checked(rest.iter().rposition(|byte| is_space(*byte))?)?;
            self.row.push(number(field.get(1..)?)?);
            rest = without_spaces(word);
        }
        self.row.reverse();
        self.word.clear();
        let start = rest.iter().position(|byte| !is_space(*byte)).unwrap_or(0);
        self.word.push_str(&String::from_utf8_lossy(rest.get(start..)?));
        Some(())
    }
}

/// What stands between fields.
fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Without blanks and tabs at its end.
fn without_spaces(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or(text)
}

/// The fields of a line.
fn fields(line: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    line.split(|byte| is_space(*byte)).filter(|field| !field.is_empty())
}

/// How many numbers a line ends in, its first field left out.
fn numbers(line: &[u8]) -> usize {
    let numbers = fields(line).rev().take_while(|field| number(field).is_some()).count();
    numbers.min(fields(line).count().saturating_sub(1))
}

impl<R: BufRead> Vectors for TextVectors<R> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn rows_promised(&self) -> Option<u64> {
        self.promised
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        let found = self.read_line(self.longest())?;
        if self.line.is_empty() {
            let expected = self.expected("a row, not an empty line");
            if found && !self.is_at_end()? {
                return Err(expected);
            }
            return match self.promised {
                Some(promised) if promised != self.rows => {
                    Err(FileError::Rows { promised, found: self.rows })
                }
                None if self.rows == 0 => Err(self.expected("a word and numbers")),
                _ => Ok(None),
            };
        }
        // The first words of a file do not end in numbers: `dim` is too small, unless it was chosen for one
        // such word.
        let too_many = match (self.rows, self.promised) {
            (0, Some(_)) => numbers(&self.line) > self.dim,
            (0, None) => {
                let numbers = numbers(&self.line);
                let of_header = header(&self.line).map(|(_, dim)| dim);
                self.other_dim = of_header.or(Some(numbers)).filter(|dim| *dim > self.dim);
                numbers > self.dim.saturating_add(1)
            }
            (1, None) => self.other_dim == Some(numbers(&self.line)),
            _ => false,
        };
        if too_many || self.cut().is_none() {
            return Err(self.expected(match self.promised {
                Some(_) => "a word and as many numbers as the header says",
                None => "a word and as many numbers as in the first line, or as the reader is told",
            }));
        }
        self.rows += 1;
        Ok(Some((&self.word, &self.row)))
    }
}
