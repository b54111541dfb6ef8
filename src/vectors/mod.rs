//! Pretrained word vectors: read from the files they come in, and put into the rows of a layer.
//!
//! | file | reader |
//! |---|---|
//! | GloVe text, `word 0.1 -0.2 …` | [`TextVectors::new`] |
//! | word2vec text, fastText `.vec`: the same under a line `rows dim` | [`TextVectors::with_header`] |
//! | word2vec binary, as the C tool or gensim writes it | [`BinaryVectors`] |
//! | npy, npz, safetensors, and a list of words | [`weights`](crate::weights) reads the array, [`TableVectors`] names its rows |
//!
//! Each lends one word and its row at a time ([`Vectors`]), so a file of any length takes the memory of a line. [`fill`] puts the
//! rows of known words into a table, and tells which words were found:
//!
//! ```
//! use nanoembed::layers::{Embedding, Layer};
//! use nanoembed::table::TableMut;
//! use nanoembed::text::{Ascii, Vocabulary, VocabularyOptions, WordCounts, text_to_word_sequence};
//! use nanoembed::vectors::{TextVectors, fill};
//!
//! let mut counts = WordCounts::<100, 1000>::new();
//! counts.fit(text_to_word_sequence::<Ascii>("The film was film-flam"))?;
//! let mut vocabulary = Vocabulary::<100, 1000>::new();
//! vocabulary.adapt(&mut counts, VocabularyOptions::default())?;
//!
//! let file = "the 0.5 1 2\nfilm 4 8 -16\ncat 1 1 1\n"; // std::io::BufReader::new(std::fs::File::open("glove.6B.50d.txt")?)
//! let mut glove = TextVectors::new(file.as_bytes())?;
//! let mut words = Embedding::<4, 6, 3>::zeroed();
//! let found = fill(&mut TableMut::from_rows(&mut words.rows), &mut glove, |word| vocabulary.index_of(word))?;
//!
//! assert_eq!(found.count(), 2);
//! assert_eq!(words.rows[vocabulary.index_of("film").unwrap()], [4.0, 8.0, -16.0]);
//! assert!(!found.contains(vocabulary.index_of("flam").unwrap()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What was filled is then fine-tuned like all rows, or kept: as a whole by [`Frozen`](crate::layers::Frozen), row by row by
//! [`FrozenRows`](crate::layers::FrozenRows).

mod binary;
mod fill;
mod table;
mod text;

pub use binary::BinaryVectors;
pub use fill::{FillError, Found, fill};
pub use table::TableVectors;
pub use text::TextVectors;

use crate::error::FileError;

/// Words with a row of numbers each, one after the other.
pub trait Vectors {
    /// Numbers in a row.
    fn dim(&self) -> usize;

    /// The next word and its row, lent until the next call; `None` behind the last.
    ///
    /// # Errors
    /// If the file ends too early or holds something else. What follows is then of no use.
    fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, FileError>;
}

/// No header and no word is longer: a file of something else is not read to its end.
const LONGEST: u64 = 1 << 16;

/// The numbers of a header, `rows dim`.
fn header(line: &[u8]) -> Option<(u64, usize)> {
    let (rows, dim) = core::str::from_utf8(line).ok()?.trim().split_once(' ')?;
    Some((rows.parse().ok()?, dim.parse().ok().filter(|dim| *dim > 0)?))
}
