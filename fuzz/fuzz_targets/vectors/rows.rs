//! What the targets of files of vectors have in common.

use nanoembed::error::FileError;
use nanoembed::table::Table;
use nanoembed::vectors::{BinaryVectors, TextVectors, Vectors, write_binary, write_text};

/// Words and the bits of their numbers.
pub type Rows = Vec<(String, Vec<u32>)>;

/// All rows, and whether the file ended as it should. No bytes make a reader go on without end, or give a row of another length.
pub fn rows(data: &[u8], mut vectors: impl Vectors) -> (Rows, bool) {
    let mut rows = Rows::new();
    let end = loop {
        match vectors.next_row() {
            Ok(Some((word, row))) => {
                rows.push((word.to_owned(), row.iter().map(|x| x.to_bits()).collect()));
            }
            Ok(None) => break true,
            Err(_) => break false,
        }
        // A row of text has a word or a number, and gzip is at most about a thousandfold.
        assert!(rows.len() <= 2000 * (data.len() + 1));
    };
    assert!(rows.iter().all(|(_, row)| row.len() == vectors.dim()));
    (rows, end)
}

/// What is read, is written and read again with the same bits.
pub fn check(data: &[u8], opened: Result<impl Vectors, FileError>) {
    let Ok(vectors) = opened else { return };
    let dim = vectors.dim();
    let (found, _) = rows(data, vectors);
    let words: Vec<&str> = found.iter().map(|(word, _)| word.as_str()).collect();
    let numbers: Vec<f32> = found.iter().flat_map(|(_, row)| row).map(|bits| f32::from_bits(*bits)).collect();
    let Ok(table) = Table::new(&numbers, found.len(), dim) else { return };
    // Words of digits are the limits of text.
    let plain = words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let mut text = Vec::new();
    if !plain || found.is_empty() || write_text(&words, table, &mut text).is_err() {
        return;
    }
    let again = TextVectors::with_header(text.as_slice()).expect("a header");
    assert_eq!(rows(&text, again), (found.clone(), true));
    let mut binary = Vec::new();
    write_binary(&words, table, &mut binary).expect("the same words");
    if let Ok(again) = BinaryVectors::new(binary.as_slice()) {
        let (again, whole) = rows(&binary, again);
        // Rows of few numbers of odd sizes may be taken for words with spaces.
        assert!(!whole || again == found);
    }
}
