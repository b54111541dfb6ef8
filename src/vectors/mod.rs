//! Pretrained word vectors: read from the files they come in, and put into the rows of a layer.
//!
//! | file | reader |
//! |---|---|
//! | GloVe text, `word 0.1 -0.2 …` | [`TextVectors::new`] |
//! | word2vec text, fastText `.vec`: the same after a line `rows dim` (a header) | [`TextVectors::with_header`] |
//! | word2vec binary, as the C tool or gensim writes it | [`BinaryVectors`] |
//! | fastText's `.bin`, with vectors for words that it never saw | [`FastText`] |
//! | npy, npz, safetensors, and a list of words | [`weights`](crate::weights) reads the array, [`TableVectors`] names its rows |
//! | any of these, also compressed by gzip | [`AnyVectors`], which tells what it is |
//!
//! | to do this | take |
//! |---|---|
//! | put the rows of known words into a table | [`Vectors::fill`], which says what it [`Found`] |
//! | read the most frequent words only | [`Vectors::take`] |
//! | read the words of a vocabulary only | [`Vectors::only`] |
//! | write vectors | [`write_text`], [`write_glove`], [`write_binary`], [`write_npy`], [`to_safetensors`] |
//! | read another file | the trait [`Vectors`] |
//!
//! Each reader lends one word and its row at a time ([`Vectors`]), so a file of any length takes the memory
//! of a line. The documentation of each reader has a table of what it takes and what it refuses.
//!
//! ```
//! use nanoembed::layers::{Embedding, Layer};
//! use nanoembed::table::TableMut;
//! use nanoembed::text::{Ascii, Lowercase, Vocabulary, VocabularyOptions, WordCounts};
//! use nanoembed::vectors::{TextVectors, Vectors};
//!
//! let mut counts = WordCounts::<100, 1000>::new();
//! counts.fit(Ascii::text_to_word_sequence("The film was film-flam"))?;
//! let mut vocabulary = Vocabulary::<100, 1000>::new();
//! vocabulary.adapt(&mut counts, VocabularyOptions::default())?;
//!
//! // Or std::io::BufReader::new(std::fs::File::open("glove.6B.50d.txt")?).
//! let file = "the 0.5 1 2\nfilm 4 8 -16\ncat 1 1 1\n";
//! let mut glove = TextVectors::new(file.as_bytes())?;
//! let mut words = Embedding::<4, 6, 3>::zeroed();
//! let mut rows = TableMut::from_rows(&mut words.rows);
//! let found = glove.fill(&mut rows, |word| vocabulary.index_of(word))?;
//!
//! assert_eq!(found.count(), 2);
//! assert_eq!(words.rows[vocabulary.index_of("film").unwrap()], [4.0, 8.0, -16.0]);
//! assert!(!found.contains(vocabulary.index_of("flam").unwrap()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What was filled is then fine-tuned like all rows, or kept: as a whole by
//! [`Frozen`](crate::layers::Frozen), row by row by [`FrozenRows`](crate::layers::FrozenRows).

mod binary;
mod fast_text;
mod fill;
mod only;
mod open;
mod table;
mod take;
mod text;
mod write;

pub use binary::BinaryVectors;
pub use fast_text::FastText;
pub use fill::{FillError, Found};
use only::Only;
pub use open::AnyVectors;
pub use table::TableVectors;
use take::Take;
pub use text::TextVectors;
pub use write::{WriteError, to_safetensors, write_binary, write_glove, write_npy, write_text};

use crate::error::FileError;
use crate::table::TableMut;

/// Words with a row of numbers each, one after the other.
pub trait Vectors {
    /// Numbers in a row.
    fn dim(&self) -> usize;

    /// How many rows a header promises; `None` where there is no header.
    fn rows_promised(&self) -> Option<u64> {
        None
    }

    /// The next word and its row, lent until the next call; `None` after the last.
    ///
    /// # Errors
    /// If the file holds something else, ends within a row, or ends after another number of rows than its
    /// header promises ([`FileError::Rows`]: all that were lent are right, and [`fill`](Self::fill) keeps them). What
    /// follows is then of no use.
    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError>;

    /// The first `rows` rows, as files start with the most frequent words; what follows is not read.
    ///
    /// ```
    /// use nanoembed::vectors::{TextVectors, Vectors};
    /// let glove = "the 0.5 1\nof 4 8\nto 2 2\n";
    /// let mut frequent = TextVectors::new(glove.as_bytes())?.take(2);
    /// assert_eq!(frequent.next_row()?, Some(("the", [0.5, 1.0].as_slice())));
    /// assert_eq!(frequent.next_row()?, Some(("of", [4.0, 8.0].as_slice())));
    /// assert_eq!(frequent.next_row()?, None);
    /// # Ok::<(), nanoembed::error::FileError>(())
    /// ```
    fn take(self, rows: u64) -> Take<Self>
    where
        Self: Sized,
    {
        Take::new(self, rows)
    }

    /// The rows of the words that are `wanted`, as of a vocabulary; the others are read and left out.
    ///
    /// ```
    /// use nanoembed::vectors::{TextVectors, Vectors};
    /// let glove = "the 0.5 1\nof 4 8\nto 2 2\n";
    /// let mut some = TextVectors::new(glove.as_bytes())?.only(|word| word != "the");
    /// assert_eq!(some.next_row()?, Some(("of", [4.0, 8.0].as_slice())));
    /// # Ok::<(), nanoembed::error::FileError>(())
    /// ```
    fn only<P: FnMut(&str) -> bool>(self, wanted: P) -> Only<Self, P>
    where
        Self: Sized,
    {
        Only::new(self, wanted)
    }

    /// Sets the rows of words that are among these vectors; all others stay as they are. Tells which were found.
    ///
    /// `row_of` gives the row of a word: `|word| vocabulary.index_of(word)`, or the buckets of a hashing
    /// tokenizer. If several words have one row, or a word occurs twice, the first counts: files of vectors start
    /// with the most frequent words. Only the first `n` of them: `vectors.take(n).fill(..)`.
    ///
    /// A header that counts wrong is no error, as published files have such: what came is kept, and [`Found`] has
    /// both numbers.
    ///
    /// ```
    /// use nanoembed::table::TableMut;
    /// use nanoembed::vectors::{TextVectors, Vectors};
    /// let mut rows = [[0.0; 2]; 3];
    /// let mut file = TextVectors::with_header("3 2\nthe 0.5 1\nof 4 8\n".as_bytes())?;
    /// let found = file.fill(&mut TableMut::from_rows(&mut rows), |word| (word == "of").then_some(2))?;
    /// assert_eq!(rows[2], [4.0, 8.0]);
    /// assert_eq!((found.count(), found.rows_read(), found.rows_promised()), (1, 2, Some(3)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Beside the table it takes the memory of the rows that are found.
    ///
    /// # Errors
    /// If the vectors cannot be read, end within a row or before the first, have another dim, or a row is none of
    /// the table's. The table is then as it was.
    fn fill(
        &mut self,
        table: &mut TableMut<'_>,
        row_of: impl FnMut(&str) -> Option<usize>,
    ) -> Result<Found, FillError>
    where
        Self: Sized,
    {
        fill::fill(table, self, row_of)
    }
}

impl<V: Vectors + ?Sized> Vectors for &mut V {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn rows_promised(&self) -> Option<u64> {
        (**self).rows_promised()
    }

    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError> {
        (**self).next_row()
    }
}

/// No header and no word is longer: a file of something else is not read to its end.
const LONGEST: u64 = 1 << 16;
