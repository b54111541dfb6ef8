//! fastText's `.bin`: as files of any kind; words that it has give the rows that it lists, others what their n-grams say.

#![no_main]

mod rows;

use libfuzzer_sys::fuzz_target;
use nanoembed::vectors::{FastText, Vectors};
use rows::{check, rows};

fuzz_target!(|data: &[u8]| {
    check(data, FastText::read(data));
    let (Ok(listed), Ok(asked)) = (FastText::read(data), FastText::read(data)) else { return };
    let mut row = vec![0.0; asked.dim()];
    let mut first = std::collections::HashSet::new();
    for (word, listed) in rows(data, listed).0 {
        asked.vector(&word, &mut row).expect("as long as its rows");
        // Of a word that stands there twice, the first is found.
        assert!(!first.insert(word) || row.iter().map(|x| x.to_bits()).eq(listed));
    }
    for word in ["", "a", "nobody", "æøå"] {
        asked.vector(word, &mut row).expect("as long as its rows");
    }
});
