//! fastText's `.bin`.
//!
//! ```text
//! i32 793712314, i32 12                                                                    magic, version
//! i32 dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn, lrUpdateRate; f64 t
//! i32 entries, words, labels; i64 tokens; i64 kept buckets, -1 for all
//! of each entry: its text, a zero byte; i64 count; u8 0 for a word, 1 for a label
//! of each kept bucket: i32 bucket, i32 its place
//! u8 whether the rows are quantised; i64 rows, i64 dim; the rows of the words, then those of the buckets
//! (and the output rows, which are left alone)
//! ```
//!
//! Little-endian. Source: `src/fasttext.cc`, `src/dictionary.cc`, `src/densematrix.cc` of fastText.

use super::{LONGEST, Vectors};
use crate::error::{FileError, FileKind};
use crate::files::HEAD;
use crate::text::Subwords;
use core::num::NonZero;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::string::String;
use std::vec::Vec;

const MAGIC: i32 = 793_712_314;
const VERSION: i32 = 12;
/// The one word without n-grams.
const END_OF_SENTENCE: &str = "</s>";

/// A model of fastText: vectors for the words that it knows and, by their character n-grams, for all others.
///
/// The vector of a word is the mean of its own row, if it has one, and of the rows of its n-grams, as
/// fastText's `get_word_vector` computes it: rows are added in order, then multiplied by 1 / their number. As
/// [`Vectors`] it lends the words that it knows, in the order of the file, the most frequent first.
///
/// | in the file | what is read, or the error |
/// |---|---|
/// | a model of `skipgram`, `cbow` or `supervised` | the words and their rows; labels and output rows are left out |
/// | words that are no UTF-8 | U+FFFD in the word, and the n-grams of that |
/// | another version than 12, as of fastText before 0.1 | `byte 4: expected version 12 …` |
/// | quantised rows (`.ftz`) | `quantised models of fastText: not supported` |
/// | buckets that were left out by pruning | `pruned models of fastText: not supported` |
/// | the end, or counts that contradict each other | `byte 97: expected …` |
/// | numbers that are infinite or none | `byte 812: expected finite numbers` |
/// | a file of another kind ([`FileKind`]) | `byte 0: expected a model of fastText; the file is …` |
///
/// ```no_run
/// use nanoembed::vectors::{FastText, Vectors};
/// let model = FastText::read(std::io::BufReader::new(std::fs::File::open("wiki.bin")?))?;
/// let mut row = vec![0.0; model.dim()];
/// let known = model.vector("flim-flam", &mut row)?; // by its n-grams, if it is no word of the model
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FastText {
    words: Vec<String>,
    places: BTreeMap<String, usize>,
    dim: usize,
    subwords: Option<Subwords>,
    /// The rows of the words, then those of the buckets.
    rows: Vec<f32>,
    next: usize,
    row: Vec<f32>,
}

impl FastText {
    /// Reads a model; the memory of its rows is taken as they come.
    ///
    /// # Errors
    /// If it cannot be read, or is no such model.
    pub fn read(reader: impl BufRead) -> Result<Self, FileError> {
        let mut file = File { reader, offset: 0 };
        file.magic()?;
        let dim = file.count("the dim")?;
        for _ in 0..7 {
            file.i32()?;
        }
        let buckets = file.count("the number of buckets")?;
        let (min_n, max_n) = (file.count("the shortest n-gram")?, file.count("the longest n-gram")?);
        file.bytes::<12>()?; // lrUpdateRate, t
        let entries = file.count("the number of entries")?;
        let words = file.count("the number of words")?;
        let labels = file.count("the number of labels")?;
        let expected = "as many words and labels as entries, and a dim";
        if words.checked_add(labels) != Some(entries) || dim == 0 {
            return Err(file.expected(expected));
        }
        file.bytes::<8>()?; // tokens
        if i64::from_le_bytes(file.bytes()?) >= 0 {
            return Err(FileError::Unsupported("pruned models of fastText"));
        }
        let (mut known, mut places) = (Vec::new(), BTreeMap::new());
        for entry in 0..entries {
            let word = file.text()?;
            file.bytes::<8>()?;
            let [label] = file.bytes()?;
            if usize::from(label) != usize::from(entry >= words) {
                return Err(file.expected("the words before the labels"));
            }
            if entry < words {
                places.entry(word.clone()).or_insert(entry);
                known.push(word);
            }
        }
        if file.bytes()? != [0] {
            return Err(FileError::Unsupported("quantised models of fastText"));
        }
        let (count, columns) = (i64::from_le_bytes(file.bytes()?), i64::from_le_bytes(file.bytes()?));
        let all = words.saturating_add(buckets);
        if usize::try_from(count) != Ok(all) || usize::try_from(columns) != Ok(dim) {
            return Err(file.expected("a row for each word and bucket"));
        }
        let subwords =
            NonZero::new(buckets as u32).map(|buckets| Subwords::with_buckets(min_n, max_n, buckets));
        let rows = file.numbers(all.checked_mul(dim).ok_or(file.expected("fewer rows"))?)?;
        // Without a word no row came that would show the dim to be true, and none is lent.
        let row = std::vec![0.0; if known.is_empty() { 0 } else { dim }];
        Ok(Self { words: known, places, dim, subwords, rows, next: 0, row })
    }

    /// The words that the model knows, the most frequent first.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// The vector of any word; whether anything was known of it. Zeros if nothing was: it is not in the
    /// vocabulary, and the model has no n-grams, or the word none of their lengths.
    ///
    /// # Errors
    /// If `to` has not as many numbers as a row.
    pub fn vector(&self, word: &str, to: &mut [f32]) -> Result<bool, crate::error::ShapeMismatch> {
        crate::error::ShapeMismatch::check("dim", self.dim, to.len())?;
        Ok(self.add_up(self.places.get(word).copied(), word, to))
    }

    fn add_up(&self, place: Option<usize>, word: &str, to: &mut [f32]) -> bool {
        to.fill(0.0);
        let buckets = self.subwords.filter(|_| word != END_OF_SENTENCE);
        let buckets = buckets.into_iter().flat_map(|subwords| subwords.buckets_of(word));
        let mut count = 0_u32;
        for row in place.into_iter().chain(buckets.map(|bucket| self.words.len() + bucket)) {
            let row = self.rows.get(row * self.dim..).unwrap_or_default();
            for (to, x) in to.iter_mut().zip(row) {
                *to += *x;
            }
            count += 1;
        }
        if count > 0 {
            let share = 1.0 / count as f32;
            for x in to.iter_mut() {
                *x *= share;
            }
        }
        count > 0
    }
}

impl Vectors for FastText {
    fn dim(&self) -> usize {
        self.dim
    }

    fn rows_promised(&self) -> Option<u64> {
        Some(self.words.len() as u64)
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        let Some(word) = self.words.get(self.next) else { return Ok(None) };
        let mut row = core::mem::take(&mut self.row);
        self.add_up(Some(self.next), word, &mut row);
        self.row = row;
        self.next += 1;
        Ok(Some((word, &self.row)))
    }
}

/// A file and how many of its bytes were read.
struct File<R> {
    reader: R,
    offset: u64,
}

impl<R: BufRead> File<R> {
    fn expected(&self, expected: &'static str) -> FileError {
        FileError::Bytes { offset: self.offset, expected, found: None }
    }

    /// That the file is one of fastText, and of a version that is read here.
    fn magic(&mut self) -> Result<(), FileError> {
        let mut start = Vec::new();
        (&mut self.reader).take(8).read_to_end(&mut start)?;
        let (magic, version) = start.split_at(start.len().min(4));
        if *magic != MAGIC.to_le_bytes() {
            (&mut self.reader).take(HEAD).read_to_end(&mut start)?;
            let found = FileKind::of(&start).filter(|kind| *kind != FileKind::FastText);
            return Err(FileError::Bytes { offset: 0, expected: "a model of fastText", found });
        }
        self.offset = 4;
        if *version != VERSION.to_le_bytes() {
            return Err(
                self.expected("version 12 of fastText's models: train it anew, or save its vectors as text")
            );
        }
        self.offset = 8;
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        let mut bytes = Vec::new();
        (&mut self.reader).take(N as u64).read_to_end(&mut bytes)?;
        let bytes = bytes.first_chunk().copied().ok_or(self.expected("more of a model of fastText"))?;
        self.offset += N as u64;
        Ok(bytes)
    }

    fn i32(&mut self) -> Result<i32, FileError> {
        self.bytes().map(i32::from_le_bytes)
    }

    fn count(&mut self, expected: &'static str) -> Result<usize, FileError> {
        let at = self.expected(expected);
        usize::try_from(self.i32()?).map_err(|_| at)
    }

    /// A text up to a zero byte.
    fn text(&mut self) -> Result<String, FileError> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(LONGEST).read_until(0, &mut bytes)?;
        if bytes.pop() != Some(0) {
            return Err(self.expected("a word and a zero byte"));
        }
        self.offset += read as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Finite numbers.
    fn numbers(&mut self, count: usize) -> Result<Vec<f32>, FileError> {
        const BLOCK: usize = 1 << 16;
        let (mut numbers, mut bytes) = (Vec::new(), Vec::new());
        while numbers.len() < count {
            let wanted = (count - numbers.len()).min(BLOCK);
            bytes.clear();
            (&mut self.reader).take(4 * wanted as u64).read_to_end(&mut bytes)?;
            if bytes.len() < 4 * wanted {
                return Err(self.expected("as many rows as the model says"));
            }
            numbers.extend(bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)));
            if !numbers.iter().rev().take(wanted).all(|x| x.is_finite()) {
                return Err(self.expected("finite numbers"));
            }
            self.offset += bytes.len() as u64;
        }
        Ok(numbers)
    }
}
