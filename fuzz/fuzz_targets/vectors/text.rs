//! Vectors in text, with a header and without: as those of any kind; text of plain words is read as a naive reader reads it.

#![no_main]

mod rows;

use libfuzzer_sys::fuzz_target;
use nanoembed::vectors::TextVectors;
use rows::{Rows, check, rows};

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

fuzz_target!(|data: &[u8]| {
    check(data, TextVectors::new(data));
    check(data, TextVectors::with_header(data));
    check(data, Ok(TextVectors::with_dim(data, 2)));
    if let Some(expected) = std::str::from_utf8(data).ok().and_then(naive) {
        let vectors = TextVectors::with_header(data).expect("a header");
        assert_eq!(rows(data, vectors), (expected, true));
    }
});
