//! Vectors of words from a file of any kind, in memory: what is looked at, compared, drawn and learnt from.

use crate::export;
use crate::failure::{Failure, Kind};
use crate::image_file::{ImageFile, START};
use nanoembed::error::FileError;
use nanoembed::similarity::{self, Neighbour};
use nanoembed::table::Table;
use nanoembed::text::Pipeline;
use nanoembed::vectors::{AnyVectors, FastText, Vectors};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// Which words are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// The array of an archive that has several.
    pub(crate) array: Option<&'a str>,
    /// The first so many rows, and no others: files have the most frequent words first.
    pub(crate) most: Option<u64>,
    /// These words, and no others.
    pub(crate) only: Option<&'a HashSet<String>>,
    /// But the words of the first so many rows in any case.
    pub(crate) or_first: u64,
}

impl Wanted<'_> {
    /// Whether the word of a row, counted from 1, is wanted.
    fn has(&self, row: u64, word: &str) -> bool {
        self.only.is_none_or(|only| row <= self.or_first || only.contains(word))
    }
}

/// Words, each with its row; no word is there twice.
///
/// It takes the memory of what was wanted: a word and a row at a time are read of text and of word2vec's binary
/// file. The bytes of other kinds are read as a whole.
#[derive(Debug)]
pub(crate) struct WordVectors {
    name: String,
    words: Vec<String>,
    numbers: Vec<f32>,
    dim: usize,
    places: HashMap<String, usize>,
    /// Whether the words are the numbers of the rows, as no file has others.
    is_numbered: bool,
    /// What gives rows to other words.
    model: Option<FastText>,
}

impl WordVectors {
    /// Reads GloVe, word2vec, fastText, npy, npz, safetensors, gzip of these, or the table of a model with a
    /// vocabulary. The words of an array stand in a file beside it ([`words_beside`]), or are the numbers of its rows.
    ///
    /// What a person should know is told on standard error: words that came twice, of which the first counts, and
    /// a header that counts wrong.
    pub(crate) fn read(path: &Path, wanted: Wanted<'_>) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let mut file = File::open(path).map(BufReader::new).map_err(|error| Failure::file(path, &error))?;
        let start = file.fill_buf().map_err(|error| Failure::file(path, &error))?;
        if start.starts_with(START) {
            return Self::of_model(&ImageFile::read(path)?, wanted);
        }
        let vectors = match wanted.array {
            Some(key) => AnyVectors::open_array(file, key),
            None => AnyVectors::open(file),
        };
        let mut vectors = vectors.map_err(|error| failure(&name, error))?;
        if wanted.array.is_some() && vectors.has_words() {
            return Err(Failure::usage(format!(
                "--array: {name} is no npz and no safetensors, and has no arrays"
            )));
        }
        let names = words_beside(path, &vectors)?;
        let mut read = Self::empty(name, vectors.dim());
        read.is_numbered = !vectors.has_words() && names.is_none();
        read.take(&mut vectors, names, wanted)?;
        read.model = vectors.into_fast_text();
        Ok(read)
    }

    fn empty(name: String, dim: usize) -> Self {
        let (words, numbers, places) = (Vec::new(), Vec::new(), HashMap::new());
        Self { name, words, numbers, dim, places, is_numbered: false, model: None }
    }

    /// Takes the rows that are wanted.
    fn take(
        &mut self,
        vectors: &mut AnyVectors<'_>,
        names: Option<Names>,
        wanted: Wanted<'_>,
    ) -> Result<(), Failure> {
        let (mut rows, mut again) = (0_u64, 0_u64);
        let mut names_left = names.as_ref().map(|names| names.words.iter());
        while wanted.most.is_none_or(|most| rows < most) {
            let (word, row) = match vectors.next_row() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error @ FileError::Rows { .. }) if rows > 0 => {
                    eprintln!("warning: {}: {error}: they are taken", self.name);
                    break;
                }
                Err(error) => return Err(failure(&self.name, error)),
            };
            rows += 1;
            let word = match (&mut names_left, &names) {
                (Some(left), Some(names)) => left.next().ok_or_else(|| names.fail(rows))?,
                _ => word,
            };
            if !row.iter().all(|x| x.is_finite()) {
                let message = format!("row {rows} ({word}) has a number that is infinite or none");
                return Err(Failure::data(&self.name, message));
            }
            if wanted.has(rows, word) && !self.push(word, row) {
                again += 1;
            }
        }
        let is_whole = wanted.most.is_none_or(|most| rows < most);
        if let (true, Some(names)) = (is_whole, names.filter(|names| names.words.len() as u64 > rows)) {
            return Err(names.fail(rows));
        }
        if let Some((place, word)) = self.word_with_number() {
            let row = place + 1;
            eprintln!(
                "warning: {}: row {row} is that of {word:?}, a word that ends in a number: has its line a number too \
                 many?",
                self.name
            );
        }
        if again > 0 {
            eprintln!("warning: {}: {again} rows of words that came before are left out", self.name);
        }
        self.check_some()
    }

    /// The table of a model, whose words are those of its vocabulary.
    fn of_model(image: &ImageFile, wanted: Wanted<'_>) -> Result<Self, Failure> {
        let model = image.model()?;
        let pipeline = model.pipeline().and_then(|bytes| Pipeline::read(bytes).ok());
        let vocabulary = pipeline.and_then(|pipeline| pipeline.as_vocabulary()).ok_or_else(|| {
            image.failure(
                "it has no vocabulary, so its rows have no words: train it with --pretrained, whose rows have, or \
                 give a file of vectors",
            )
        })?;
        let first = model.recipe().records().first();
        let (rows, dim) =
            first.and_then(|record| export::table(record, model.parameters())).ok_or_else(|| {
                image.failure("its first layer is no table of rows: give the model that was trained")
            })?;
        let mut read = Self::empty(image.name().to_owned(), dim);
        let most = wanted.most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        // Row 0 is that of no word.
        for (number, row) in rows.chunks_exact(dim).enumerate().skip(1).take(most) {
            match vocabulary.word(number) {
                Some(word) if wanted.has(number as u64, word) => read.push(word, row),
                _ => false,
            };
        }
        read.check_some()?;
        Ok(read)
    }

    /// Takes a row, if its word is new.
    fn push(&mut self, word: &str, row: &[f32]) -> bool {
        if self.places.contains_key(word) {
            return false;
        }
        self.places.insert(word.to_owned(), self.words.len());
        self.words.push(word.to_owned());
        self.numbers.extend_from_slice(row);
        true
    }

    /// The first word that has a space and a number behind it, as a line with a number too many gives.
    fn word_with_number(&self) -> Option<(usize, &str)> {
        let is_number = |word: &str| word.contains('.') && word.parse::<f32>().is_ok();
        let ends_so = |word: &str| word.rsplit_once(' ').is_some_and(|(_, last)| is_number(last));
        self.words.iter().map(String::as_str).enumerate().find(|(_, word)| ends_so(word))
    }

    fn check_some(&self) -> Result<(), Failure> {
        if self.words.is_empty() {
            return Err(Failure::data(&self.name, "none of the words that are wanted is in it"));
        }
        Ok(())
    }

    /// What messages call the file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The words, in the order of the rows.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }

    /// Numbers of a row.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// The rows.
    pub(crate) fn table(&self) -> Result<Table<'_>, Failure> {
        Table::new(&self.numbers, self.words.len(), self.dim).map_err(|error| self.fails(error))
    }

    /// 1 / length of each row, as a search takes them.
    pub(crate) fn inverse_norms(&self) -> Result<Vec<f32>, Failure> {
        let mut norms = vec![0.0; self.words.len()];
        similarity::inverse_norms(self.table()?, &mut norms).map_err(|error| self.fails(error))?;
        Ok(norms)
    }

    /// The words of rows that were found, and their scores.
    pub(crate) fn named<'a>(&'a self, found: &'a [Neighbour]) -> impl Iterator<Item = (&'a str, f32)> {
        found.iter().filter_map(|neighbour| Some((self.words.get(neighbour.row)?.as_str(), neighbour.score)))
    }

    /// The number of the row of a word.
    pub(crate) fn place(&self, word: &str) -> Option<usize> {
        self.places.get(word).copied()
    }

    /// The row of a word; of one that the file does not have, what fastText's n-grams give.
    pub(crate) fn vector(&self, word: &str) -> Option<Vec<f32>> {
        if let Some(place) = self.place(word) {
            return self
                .numbers
                .get(place * self.dim..)
                .and_then(|rest| rest.get(..self.dim))
                .map(<[f32]>::to_vec);
        }
        let mut row = vec![0.0; self.dim];
        let is_known = self.model.as_ref()?.vector(word, &mut row);
        is_known.is_ok_and(|known| known).then_some(row)
    }

    /// What is wrong with the file.
    pub(crate) fn fails(&self, message: impl std::fmt::Display) -> Failure {
        Failure::data(&self.name, message)
    }

    /// What to tell of a word that has no row.
    pub(crate) fn unknown(&self, word: &str) -> Failure {
        let lower = word.to_lowercase();
        let cure = if lower != word && self.place(&lower).is_some() {
            format!(", but {lower:?} is")
        } else if self.is_numbered {
            format!(
                ": they are the numbers of its rows, as {} is not there",
                words_beside_path(self.name.as_ref()).display()
            )
        } else {
            " (words are looked for as they are written; the file may have another case, or be cut short)"
                .to_owned()
        };
        Failure::data(&self.name, format!("{word:?} is not among its {} words{cure}", self.words.len()))
    }
}

/// The file of the words of an array: `v.npy` has `v.npy.words.txt`, a word a line, in the order of the rows.
pub(crate) fn words_beside_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".words.txt");
    name.into()
}

/// The words of the rows of an array.
struct Names {
    file: String,
    words: Vec<String>,
}

impl Names {
    fn fail(&self, rows: u64) -> Failure {
        let message = format!(
            "{} words for {rows} rows or more: write a line for each row, or take the file away for rows that are \
             called by their numbers",
            self.words.len()
        );
        Failure::data(&self.file, message)
    }
}

/// The words of an array, if they stand beside it.
fn words_beside(path: &Path, vectors: &AnyVectors<'_>) -> Result<Option<Names>, Failure> {
    let beside = words_beside_path(path);
    if vectors.has_words() || !beside.exists() {
        return Ok(None);
    }
    Ok(Some(Names { file: beside.display().to_string(), words: read_words(&beside)? }))
}

/// The words of a file, a word a line.
pub(crate) fn read_words(path: &Path) -> Result<Vec<String>, Failure> {
    let text = crate::data::Source::from(path).read()?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn failure(name: &str, error: FileError) -> Failure {
    if matches!(error, FileError::Unsupported(what) if what.contains("none is named")) {
        // Of a compressed archive the names are not at hand.
        let among = match export::array_names(name.as_ref()) {
            Ok(arrays) => format!(", among {}", arrays.join(", ")),
            Err(_) => String::new(),
        };
        return Failure::data(name, format!("several arrays of two extents: name one by --array{among}"));
    }
    // What was compressed may be cut short or damaged: that is the data.
    let is_damage =
        |kind| matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput);
    let kind = match error {
        FileError::Io(kind) if !is_damage(kind) => Kind::File,
        _ => Kind::Data,
    };
    Failure::new(kind, format!("{name}: {error}"))
}

/// A word as it is looked for.
pub(crate) fn small(word: &str, lowercase: bool) -> String {
    if lowercase { word.to_lowercase() } else { word.to_owned() }
}

/// What to try if no word is known.
pub(crate) fn cure_of_case(lowercase: bool) -> &'static str {
    if lowercase { "" } else { "; words may have another case: try --lowercase" }
}

/// The mean of rows; `None` of none.
pub(crate) fn mean(dim: usize, rows: impl Iterator<Item: AsRef<[f32]>>) -> Option<Vec<f32>> {
    let (mut sum, mut count) = (vec![0.0; dim], 0.0_f32);
    for row in rows {
        for (sum, x) in sum.iter_mut().zip(row.as_ref()) {
            *sum += x;
        }
        count += 1.0;
    }
    (count > 0.0).then(|| sum.into_iter().map(|x| x / count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, bytes: &[u8], wanted: Wanted<'_>) -> Result<WordVectors, Failure> {
        let path = std::env::temp_dir().join(format!("nanoembed-words-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).expect("a file");
        let read = WordVectors::read(&path, wanted);
        std::fs::remove_file(&path).expect("the file");
        read
    }

    #[test]
    fn what_is_wanted_is_read() {
        let file = b"the 1 2\nof 3 4\nthe 5 6\nto 7 8\n";
        let all = read("all", file, Wanted::default()).expect("vectors");
        assert_eq!((all.words(), all.dim()), (&["the", "of", "to"].map(str::to_owned)[..], 2));
        assert_eq!(all.table().expect("a table").row(2), Some([7.0, 8.0].as_slice()));
        assert_eq!((all.vector("of"), all.vector("Of")), (Some(vec![3.0, 4.0]), None));

        let first = read("first", file, Wanted { most: Some(2), ..Wanted::default() }).expect("vectors");
        assert_eq!(first.words(), ["the", "of"]);
        let only = HashSet::from(["to".to_owned()]);
        let some = read("some", file, Wanted { only: Some(&only), ..Wanted::default() }).expect("vectors");
        assert_eq!(
            (some.words(), some.place("to"), some.place("of")),
            (&["to".to_owned()][..], Some(0), None)
        );
        let none = read("none", file, Wanted { most: Some(2), only: Some(&only), ..Wanted::default() });
        assert!(none.is_err());
    }
}
