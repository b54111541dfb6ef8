//! A file of vectors of any kind.

use super::{BinaryVectors, FastText, TextVectors, Vectors};
use crate::error::{FileError, FileKind};
use crate::files::HEAD;
use crate::weights::{Array, Arrays, Npz, SafeTensors};
use core::fmt;
use flate2::bufread::MultiGzDecoder;
use std::boxed::Box;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::string::{String, ToString};
use std::vec::Vec;

/// Vectors of a file whose kind its first bytes told.
///
/// | the file | how it is read | words |
/// |---|---|---|
/// | GloVe text; word2vec text, fastText's `.vec` (a header) | a line at a time, by [`TextVectors`] | the file's |
/// | word2vec's binary file | a row at a time, by [`BinaryVectors`] | the file's |
/// | fastText's `.bin` | as a whole, by [`FastText`]: the vectors of its words, subwords included | the file's |
/// | npy; npz and safetensors with one array of two extents, or the one that [`Self::open_array`] names | as a whole | the numbers of the rows, from `0` |
/// | gzip of any of these | as what is in it | as there |
/// | another kind | `byte 0: expected a file of vectors; the file is a Python pickle: …` | |
///
/// A file that is read as a whole takes the memory of its bytes and of its numbers. What the readers take and
/// refuse is told at each. Text whose first line is two whole numbers has a header, unless the second line
/// shows otherwise: see [`TextVectors::new`].
pub struct AnyVectors<'r> {
    kind: FileKind,
    vectors: Reader<'r>,
}

/// What reads the rows.
enum Reader<'r> {
    /// A model that gives a row to any word.
    FastText(FastText),
    Other(Box<dyn Vectors + 'r>),
}

impl fmt::Debug for AnyVectors<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyVectors").field("kind", &self.kind).field("dim", &self.dim()).finish()
    }
}

impl<'r> AnyVectors<'r> {
    /// Tells what a file is by its first bytes, and reads what comes before its first row.
    ///
    /// ```
    /// use nanoembed::vectors::{AnyVectors, Vectors};
    /// // Or std::io::BufReader::new(std::fs::File::open("vectors.bin.gz")?).
    /// let mut vectors = AnyVectors::open("2 3\nthe 0.5 1 2\nof 4 8 -1e-3\n".as_bytes())?;
    /// assert_eq!((vectors.dim(), vectors.rows_promised()), (3, Some(2)));
    /// assert_eq!(vectors.next_row()?, Some(("the", [0.5, 1.0, 2.0].as_slice())));
    ///
    /// let refused = AnyVectors::open(b"\x80\x04\x95\x1c\x00\x00".as_slice()).unwrap_err();
    /// assert!(refused.to_string().starts_with("byte 0: expected a file of vectors; the file is a Python pickle"));
    /// # Ok::<(), nanoembed::error::FileError>(())
    /// ```
    ///
    /// # Errors
    /// If it cannot be read, is no file of vectors, or starts with something else than its kind should.
    pub fn open(reader: impl BufRead + 'r) -> Result<Self, FileError> {
        Self::of_any(Box::new(reader), None)
    }

    /// The same; of an npz or safetensors file the array with this key. Other files have no keys.
    ///
    /// # Errors
    /// As [`open`](Self::open); or if there is no such array.
    pub fn open_array(reader: impl BufRead + 'r, key: &str) -> Result<Self, FileError> {
        Self::of_any(Box::new(reader), Some(key))
    }

    fn of_any(reader: Box<dyn BufRead + 'r>, key: Option<&str>) -> Result<Self, FileError> {
        let (head, reader) = with_head(reader)?;
        if FileKind::of(&head) != Some(FileKind::Gzip) {
            return Self::of_kind(&head, reader, key);
        }
        let (head, reader) = with_head(Box::new(BufReader::new(MultiGzDecoder::new(reader))))?;
        Self::of_kind(&head, reader, key)
    }

    fn of_kind(head: &[u8], mut reader: Box<dyn BufRead + 'r>, key: Option<&str>) -> Result<Self, FileError> {
        let found = FileKind::of(head);
        let kind = found.unwrap_or(FileKind::TextWithoutHeader);
        let vectors: Box<dyn Vectors + 'r> = match kind {
            FileKind::FastText => {
                return Ok(Self { kind, vectors: Reader::FastText(FastText::read(reader)?) });
            }
            FileKind::TextWithHeader => Box::new(TextVectors::with_header(reader)?),
            FileKind::Word2Vec => Box::new(BinaryVectors::new(reader)?),
            FileKind::Npy => Box::new(ArrayVectors::new(Array::read_npy(reader)?)?),
            FileKind::Zip => {
                let mut bytes = Vec::new();
                reader.read_to_end(&mut bytes)?;
                let mut file = Npz::new(Cursor::new(bytes))?;
                let keys = key.map_or_else(|| file.keys(), |key| Ok([String::from(key)].to_vec()))?;
                Box::new(ArrayVectors::only(&mut file, &keys, key.is_some())?)
            }
            FileKind::SafeTensors => {
                let mut bytes = Vec::new();
                reader.read_to_end(&mut bytes)?;
                let mut file = SafeTensors::new(&bytes)?;
                let keys = key.map_or_else(|| file.keys(), |key| [String::from(key)].to_vec());
                Box::new(ArrayVectors::only(&mut file, &keys, key.is_some())?)
            }
            // What is no text at all says so itself; text of one number a row looks like nothing that is known.
            FileKind::TextWithoutHeader | FileKind::Text => Box::new(TextVectors::new(reader)?),
            _ => {
                return Err(FileError::Bytes { offset: 0, expected: "a file of vectors", found });
            }
        };
        Ok(Self { kind, vectors: Reader::Other(vectors) })
    }

    /// Whether rows have the words of the file; else their words are their numbers.
    ///
    /// ```
    /// use nanoembed::vectors::AnyVectors;
    /// assert!(AnyVectors::open("the 0.5 1 2\nof 4 8 -1e-3\n".as_bytes())?.has_words());
    /// # Ok::<(), nanoembed::error::FileError>(())
    /// ```
    pub fn has_words(&self) -> bool {
        !matches!(self.kind, FileKind::Npy | FileKind::Zip | FileKind::SafeTensors)
    }

    /// The model of fastText, if the file is one: it gives a row to words that are not in the file, too.
    ///
    /// ```
    /// use nanoembed::vectors::AnyVectors;
    /// let glove = AnyVectors::open("the 0.5 1 2\nof 4 8 -1e-3\n".as_bytes())?;
    /// assert!(glove.into_fast_text().is_none());
    /// # Ok::<(), nanoembed::error::FileError>(())
    /// ```
    pub fn into_fast_text(self) -> Option<FastText> {
        match self.vectors {
            Reader::FastText(model) => Some(model),
            Reader::Other(_) => None,
        }
    }

    fn reader(&self) -> &(dyn Vectors + 'r) {
        match &self.vectors {
            Reader::FastText(model) => model,
            Reader::Other(vectors) => vectors.as_ref(),
        }
    }

    /// What the file is; of a compressed one, what is in it.
    #[doc(hidden)]
    pub fn kind(&self) -> FileKind {
        self.kind
    }
}

impl Vectors for AnyVectors<'_> {
    fn dim(&self) -> usize {
        self.reader().dim()
    }

    fn rows_promised(&self) -> Option<u64> {
        self.reader().rows_promised()
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        match &mut self.vectors {
            Reader::FastText(model) => model.next_row(),
            Reader::Other(vectors) => vectors.next_row(),
        }
    }
}

/// The first bytes, and a reader that gives them again.
fn with_head<'r>(mut reader: Box<dyn BufRead + 'r>) -> Result<(Vec<u8>, Box<dyn BufRead + 'r>), FileError> {
    let mut head = Vec::new();
    (&mut reader).take(HEAD).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(reader))))
}

/// The rows of an array; their words are their numbers.
struct ArrayVectors {
    array: Array,
    dim: usize,
    rows: usize,
    next: usize,
    word: String,
}

impl ArrayVectors {
    fn new(array: Array) -> Result<Self, FileError> {
        let [rows, dim] = *array.shape.as_slice() else {
            return Err(FileError::Unsupported("vectors in an array that has not two extents"));
        };
        if dim == 0 {
            // Of no bytes there may be any number of rows.
            return Err(FileError::Unsupported("vectors without numbers"));
        }
        Ok(Self { array, dim, rows, next: 0, word: String::new() })
    }

    /// The one array with two extents under these keys.
    fn only(file: &mut impl Arrays, keys: &[String], is_named: bool) -> Result<Self, FileError> {
        let mut tables = Vec::new();
        for key in keys {
            // What is no array of numbers that are read here is none of vectors.
            match file.shape(key) {
                Ok(Some(shape)) if shape.len() == 2 => tables.push(key),
                Ok(_) | Err(FileError::Bytes { .. } | FileError::Unsupported(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut readable = Vec::new();
        for key in tables {
            match file.array(key) {
                Ok(array) => readable.extend(array),
                Err(FileError::Unsupported(_)) => {}
                Err(error) => return Err(error),
            }
        }
        match (readable.pop(), readable.pop()) {
            (Some(array), None) => Self::new(array),
            (None, _) if is_named => Err(FileError::Bytes {
                offset: 0,
                expected: "an archive with an array of that name, of two extents",
                found: None,
            }),
            (None, _) => Err(FileError::Unsupported("an archive without an array of two extents")),
            _ => Err(FileError::Unsupported(
                "an archive of several arrays of two extents, of which none is named,",
            )),
        }
    }
}

impl Vectors for ArrayVectors {
    fn dim(&self) -> usize {
        self.dim
    }

    fn rows_promised(&self) -> Option<u64> {
        Some(self.rows as u64)
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        if self.next == self.rows {
            return Ok(None);
        }
        let row = self.array.values.get(self.next * self.dim..).and_then(|rest| rest.get(..self.dim));
        self.word = self.next.to_string();
        self.next += 1;
        Ok(row.map(|row| (self.word.as_str(), row)))
    }
}
