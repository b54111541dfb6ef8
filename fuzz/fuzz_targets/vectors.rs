//! Files of vectors: no bytes make a reader panic, take more memory than they are worth, or go on without end; what is read, is
//! written and read again with the same bits; text of plain words is read as a naive reader reads it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nanoembed::error::FileError;
use nanoembed::table::Table;
use nanoembed::vectors::{AnyVectors, BinaryVectors, FastText, TextVectors, Vectors, write_binary, write_text};

type Rows = Vec<(String, Vec<u32>)>;

/// All rows, and whether the file ended as it should.
fn rows(data: &[u8], mut vectors: impl Vectors) -> (Rows, bool) {
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

/// Lines of a word and numbers with one blank between, after a header: what most files are.
fn naive(text: &str) -> Option<Rows> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let (count, dim) = lines.next()?.split_once(' ')?;
    let (count, dim): (usize, usize) = (count.parse().ok()?, dim.parse().ok()?);
    let mut rows = Rows::new();
    for line in lines {
        let mut fields = line.split(' ');
        let word = fields.next().filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))?;
        let numbers = fields.map(|field| field.parse().ok().filter(|x: &f32| x.is_finite()));
        let numbers: Option<Vec<u32>> = numbers.map(|x| x.map(f32::to_bits)).collect();
        rows.push((word.to_owned(), numbers.filter(|_| !word.is_empty())?));
    }
    (rows.len() == count && dim > 0 && rows.iter().all(|(_, row)| row.len() == dim)).then_some(rows)
}

fn check(data: &[u8], opened: Result<impl Vectors, FileError>) {
    let Ok(vectors) = opened else { return };
    let dim = vectors.dim();
    let (found, _) = rows(data, vectors);
    let words: Vec<&str> = found.iter().map(|(word, _)| word.as_str()).collect();
    let numbers: Vec<f32> = found.iter().flat_map(|(_, row)| row).map(|bits| f32::from_bits(*bits)).collect();
    let Ok(table) = Table::new(&numbers, found.len(), dim) else { return };
    let mut text = Vec::new();
    // Words of digits and numbers that are none are the limits of text.
    let plain = words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if plain && !found.is_empty() && numbers.iter().all(|x| x.is_finite()) && write_text(&words, table, &mut text).is_ok() {
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
}

fuzz_target!(|data: &[u8]| {
    check(data, AnyVectors::open(data));
    check(data, AnyVectors::open_array(data, "a"));
    check(data, TextVectors::new(data));
    check(data, TextVectors::with_header(data));
    check(data, Ok(TextVectors::with_dim(data, 2)));
    check(data, BinaryVectors::new(data));
    check(data, FastText::read(data));
    if let Some(expected) = std::str::from_utf8(data).ok().and_then(naive) {
        let vectors = TextVectors::with_header(data).expect("a header");
        assert_eq!(rows(data, vectors), (expected, true));
    }
});
