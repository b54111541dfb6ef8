//! Files as real people have them: what their readers take, what they refuse, and what the error says.
//!
//! Where a case is known from a published file or a report, it is named.

mod any;
mod binary;
mod counts;
mod kinds;
mod npy;
mod text;

use nanoembed::error::FileError;
use nanoembed::vectors::{BinaryVectors, TextVectors, Vectors};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

pub(crate) type Rows = Vec<(String, Vec<f32>)>;

/// All words and rows, or the first error.
pub(crate) fn rows(mut vectors: impl Vectors) -> Result<Rows, FileError> {
    let mut rows = Rows::new();
    while let Some((word, row)) = vectors.next_row()? {
        rows.push((word.to_owned(), row.to_vec()));
    }
    Ok(rows)
}

pub(crate) fn without_header(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Rows, FileError> {
    TextVectors::new(text.as_ref()).and_then(rows)
}

pub(crate) fn with_header(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Rows, FileError> {
    TextVectors::with_header(text.as_ref()).and_then(rows)
}

pub(crate) fn binary(bytes: &[u8]) -> Result<Rows, FileError> {
    BinaryVectors::new(bytes).and_then(rows)
}

/// What is read where these rows are in the file.
pub(crate) fn are<E>(rows: &[(&str, &[f32])]) -> Result<Rows, E> {
    rows.iter().map(|(word, row)| Ok(((*word).to_owned(), row.to_vec()))).collect()
}

pub(crate) fn message<T>(result: Result<T, FileError>) -> String {
    result.err().map_or("no error".to_owned(), |error| error.to_string())
}

pub(crate) const TWO: [(&str, &[f32]); 2] = [("a", &[1.0, 2.0]), ("b", &[3.0, 4.0])];

/// Binary vectors of these words, each with `dim` numbers of the size that learnt ones have; the C tool ends
/// rows with a line feed.
pub(crate) fn binary_file(words: &[&str], dim: usize, seed: u64, row_end: &str) -> Vec<u8> {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
    let mut file = format!("{} {dim}\n", words.len()).into_bytes();
    for word in words {
        file.extend(word.as_bytes());
        file.push(b' ');
        for _ in 0..dim {
            let sum: f32 = (0..4).map(|_| rng.next_u32() as f32 / u32::MAX as f32 - 0.5).sum();
            file.extend(sum.to_le_bytes());
        }
        file.extend(row_end.as_bytes());
    }
    file
}
