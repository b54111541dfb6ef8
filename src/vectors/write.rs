//! Vectors into files.

use crate::error::{FileError, ShapeMismatch};
use crate::table::Table;
use crate::weights;
use core::fmt;
use std::io::{self, Write};
use std::vec::Vec;

/// Why vectors were not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The file cannot be written, or cannot be as large.
    File(FileError),
    /// There are not as many words as rows.
    Shape(ShapeMismatch),
    /// A word that other programs would not read back: it is empty, or holds white space or a zero byte.
    Word {
        /// Its row.
        row: usize,
    },
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::File(error.into())
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Shape(error) => error.fmt(f),
            Self::Word { row } => write!(
                f,
                "the word of row {row} is empty, or holds white space or a zero byte: other programs would not \
                 read it back; replace it, as by an underscore"
            ),
        }
    }
}

impl core::error::Error for WriteError {}

/// That each row has a word that can be read back.
fn check<W: AsRef<str>>(words: &[W], table: Table<'_>) -> Result<(), WriteError> {
    ShapeMismatch::check("number of words", table.rows(), words.len()).map_err(WriteError::Shape)?;
    let unreadable = |word: &str| word.is_empty() || word.contains(|c: char| c.is_whitespace() || c == '\0');
    match words.iter().position(|word| unreadable(word.as_ref())) {
        Some(row) => Err(WriteError::Word { row }),
        None => Ok(()),
    }
}

/// Writes word2vec's text file: a line `rows dim`, then of each row the word and the numbers, in the fewest digits
/// that give the same `f32` again.
///
/// ```
/// use nanoembed::{table::Table, vectors};
/// let mut file = Vec::new();
/// vectors::write_text(&["the", "of"], Table::from_rows(&[[0.5, 1e-30], [-2.0, 0.1]]), &mut file)?;
/// assert_eq!(file, b"2 2\nthe 0.5 1e-30\nof -2.0 0.1\n");
/// # Ok::<(), nanoembed::vectors::WriteError>(())
/// ```
///
/// # Errors
/// If there are not as many words as rows, one of them could not be read back, or the file cannot be written.
/// Words are checked before anything is written.
pub fn write_text<W: AsRef<str>>(
    words: &[W],
    table: Table<'_>,
    mut writer: impl Write,
) -> Result<(), WriteError> {
    check(words, table)?;
    writeln!(writer, "{} {}", table.rows(), table.dim())?;
    write_lines(words, table, writer)
}

/// Writes GloVe's text file: [`write_text`] without its first line.
///
/// ```
/// use nanoembed::{table::Table, vectors};
/// let mut file = Vec::new();
/// vectors::write_glove(&["the", "of"], Table::from_rows(&[[0.5, 1e-30], [-2.0, 0.1]]), &mut file)?;
/// assert_eq!(file, b"the 0.5 1e-30\nof -2.0 0.1\n");
/// # Ok::<(), nanoembed::vectors::WriteError>(())
/// ```
///
/// # Errors
/// As [`write_text`].
pub fn write_glove<W: AsRef<str>>(
    words: &[W],
    table: Table<'_>,
    writer: impl Write,
) -> Result<(), WriteError> {
    check(words, table)?;
    write_lines(words, table, writer)
}

fn write_lines<W: AsRef<str>>(
    words: &[W],
    table: Table<'_>,
    mut writer: impl Write,
) -> Result<(), WriteError> {
    for (word, row) in words.iter().zip(table.iter()) {
        writer.write_all(word.as_ref().as_bytes())?;
        for x in row {
            write!(writer, " {x:?}")?;
        }
        writer.write_all(b"\n")?;
    }
    Ok(writer.flush()?)
}

/// Writes word2vec's binary file, with a line feed after each row as the C tool writes it.
///
/// ```
/// use nanoembed::{table::Table, vectors};
/// let mut file = Vec::new();
/// vectors::write_binary(&["the"], Table::from_rows(&[[1.0, -2.0]]), &mut file)?;
/// assert_eq!(file, b"1 2\nthe \x00\x00\x80\x3f\x00\x00\x00\xc0\n");
/// # Ok::<(), nanoembed::vectors::WriteError>(())
/// ```
///
/// # Errors
/// As [`write_text`].
pub fn write_binary<W: AsRef<str>>(
    words: &[W],
    table: Table<'_>,
    mut writer: impl Write,
) -> Result<(), WriteError> {
    check(words, table)?;
    writeln!(writer, "{} {}", table.rows(), table.dim())?;
    for (word, row) in words.iter().zip(table.iter()) {
        writer.write_all(word.as_ref().as_bytes())?;
        writer.write_all(b" ")?;
        row.iter().try_for_each(|x| writer.write_all(&x.to_le_bytes()))?;
        writer.write_all(b"\n")?;
    }
    Ok(writer.flush()?)
}

/// Writes an npy file of a table; the words go to a file of their own.
///
/// ```
/// use nanoembed::{table::Table, vectors, weights::Array};
/// let mut file = Vec::new();
/// vectors::write_npy(Table::from_rows(&[[1.0, -2.0]]), &mut file)?;
/// assert_eq!(Array::read_npy(file.as_slice())?.values, [1.0, -2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file cannot be written.
pub fn write_npy(table: Table<'_>, mut writer: impl Write) -> Result<(), WriteError> {
    weights::write_rows(&mut writer, table)?;
    Ok(writer.flush()?)
}

/// A table as the bytes of a safetensors file, with the name of its array.
///
/// ```
/// use nanoembed::{table::Table, vectors, weights::{Arrays, SafeTensors}};
/// let file = vectors::to_safetensors("rows", Table::from_rows(&[[1.0, -2.0]]))?;
/// assert_eq!(SafeTensors::new(&file)?.array("rows")?.unwrap().values, [1.0, -2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the name is `__metadata__`, under which such files keep something else.
pub fn to_safetensors(name: &str, table: Table<'_>) -> Result<Vec<u8>, WriteError> {
    weights::tensor_of_rows(name, table).map_err(WriteError::File)
}
