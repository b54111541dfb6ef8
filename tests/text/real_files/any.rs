//! Files whose kind is told by their first bytes, models of fastText that are damaged, and vectors that are
//! written and read again.

use super::{Rows, are, message, rows};
use nanoembed::table::{Table, TableMut};
use nanoembed::vectors::{
    AnyVectors, FastText, TextVectors, Vectors, WriteError, to_safetensors, write_binary, write_npy,
    write_text,
};
use proptest::prelude::*;

fn any(bytes: &[u8]) -> Result<Rows, nanoembed::error::FileError> {
    AnyVectors::open(bytes).and_then(rows)
}

#[test]
fn what_is_no_file_of_vectors_is_refused_by_its_name() {
    for (bytes, expected) in [
        (&b"\x80\x04\x95\x1c\x00\x00"[..], "byte 0: expected a file of vectors; the file is a Python pickle"),
        (b"", "byte 0: expected a file of vectors; the file is an empty file"),
        (b"BZh91AY", "byte 0: expected a file of vectors; the file is a bzip2 file"),
        (b"\x89HDF\r\n\x1a\n", "byte 0: expected a file of vectors; the file is an HDF5 file"),
        (b"just some words\nand no numbers\n", "line 1: expected a word and numbers"),
        (b"\xba\x16\x4f\x2f\x0b\x00\x00\x00", "byte 4: expected version 12 of fastText's models"),
    ] {
        let found = message(any(bytes));
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn text_with_and_without_a_header() {
    let expected = are(&[("a", &[1.0, 2.0]), ("b", &[3.0, 4.0])]);
    assert_eq!(any(b"a 1 2\nb 3 4\n"), expected);
    assert_eq!(any(b"2 2\r\na 1 2\r\nb\t3  4 \r\n\r\n"), expected);
    assert_eq!(any(b"\xef\xbb\xbf2 2\na 1 2\nb 3 4"), expected);
    assert_eq!(message(any(b"5 2\na 1 2\nb 3 4\n")), "the header promises 5 rows, the file has 2");
}

/// Rows of no bytes: their number is only said.
#[test]
fn arrays_without_numbers_are_refused() {
    let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    file.extend(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 0), }");
    file.resize(10 + 0x75, b' ');
    file.push(b'\n');
    assert_eq!(message(any(&file)), "vectors without numbers: not supported");
}

/// A model of two words, `</s>` and `ab`, without buckets, and one label.
fn model() -> Vec<u8> {
    let mut file = 793_712_314_i32.to_le_bytes().to_vec();
    for number in [12, 2, 5, 5, 1, 5, 1, 1, 2, 3, 2, 3, 100] {
        file.extend(i32::to_le_bytes(number));
    }
    file.extend(1e-4_f64.to_le_bytes());
    for number in [3, 2, 1] {
        file.extend(i32::to_le_bytes(number));
    }
    file.extend(7_i64.to_le_bytes());
    file.extend((-1_i64).to_le_bytes());
    for (word, label) in [("</s>", 0), ("ab", 0), ("__label__x", 1)] {
        file.extend(word.as_bytes());
        file.push(0);
        file.extend(4_i64.to_le_bytes());
        file.push(label);
    }
    file.push(0);
    // Two words and three buckets.
    for number in [5_i64, 2] {
        file.extend(number.to_le_bytes());
    }
    for i in 0..10 {
        file.extend((0.25 * i as f32).to_le_bytes());
    }
    file
}

#[test]
fn a_model_of_fasttext() {
    let file = model();
    let model = FastText::read(file.as_slice()).unwrap();
    assert!(model.words().eq(["</s>", "ab"]));
    let mut found = [9.0; 2];
    assert_eq!(model.vector("</s>", &mut found), Ok(true));
    assert_eq!(found, [0.0, 0.25]);
    // <a, <ab, ab, ab>, b>: its row and those of its n-grams.
    assert_eq!(model.vector("ab", &mut found), Ok(true));
    assert!(found[0] > 0.5 && (found[1] - found[0] - 0.25).abs() <= 1e-6, "{found:?}");
    assert_eq!(model.vector("", &mut found), Ok(true)); // <>
}

#[test]
fn damaged_models_of_fasttext() {
    let file = model();
    for length in 0..file.len() {
        let found = message(FastText::read(&file[..length]).map(|_| ()));
        assert!(found.starts_with("byte "), "{length}: {found}");
    }
    for place in 0..file.len() {
        for bit in 0..8 {
            let mut file = file.clone();
            file[place] ^= 1 << bit;
            // Whatever is read has rows of one length.
            if let Ok(model) = FastText::read(file.as_slice()) {
                let dim = model.dim();
                assert!(rows(model).unwrap().iter().all(|(_, row)| row.len() == dim));
            }
        }
    }
    let changed = |place: usize, byte: u8| {
        let mut file = file.clone();
        file[place] = byte;
        message(FastText::read(file.as_slice()).map(|_| ()))
    };
    let at_rows = file.len() - 40 - 16;
    assert_eq!(changed(at_rows - 1, 1), "quantised models of fastText: not supported");
    assert!(changed(4, 11).starts_with("byte 4: expected version 12"));
    assert!(changed(0, b'x').starts_with("byte 0: expected a model of fastText"));
    assert!(changed(at_rows, 6).ends_with("expected a row for each word and bucket"));
    let mut infinite = file[..file.len() - 4].to_vec();
    infinite.extend(f32::INFINITY.to_le_bytes());
    assert!(message(FastText::read(infinite.as_slice()).map(|_| ())).ends_with("expected finite numbers"));
}

/// The dim of a model without rows is only said: no memory is taken for it.
#[test]
fn a_model_of_fasttext_without_rows() {
    let mut file = model();
    file.truncate(14 * 4 + 8);
    file.extend([0; 3 * 4 + 8]);
    file.extend((-1_i64).to_le_bytes());
    file.push(0);
    file.extend(0_i64.to_le_bytes());
    file.extend(i64::from(i32::MAX).to_le_bytes());
    // The dim, and the number of buckets.
    file[8..12].copy_from_slice(&i32::MAX.to_le_bytes());
    file[40..44].copy_from_slice(&[0; 4]);
    let model = FastText::read(file.as_slice()).unwrap();
    assert_eq!(model.dim(), i32::MAX as usize);
    assert_eq!(rows(model), Ok(Vec::new()));
}

#[test]
fn words_that_are_wanted_and_words_that_occur_again() {
    let text = "a 1 2\nb 3 4\na 5 6\nc 7 8\n";
    let some = TextVectors::new(text.as_bytes()).unwrap().only(|word| word != "b").take(2);
    assert_eq!(rows(some), are(&[("a", &[1.0, 2.0]), ("a", &[5.0, 6.0])]));
    let mut table = [[0.0; 2]; 2];
    let mut vectors = TextVectors::new(text.as_bytes()).unwrap();
    let row_of = |word: &str| ["c", "a"].iter().position(|known| *known == word);
    let found = vectors.fill(&mut TableMut::from_rows(&mut table), row_of).unwrap();
    assert_eq!((found.count(), found.rows_read(), found.rows_again()), (2, 4, 1));
    assert_eq!(table, [[7.0, 8.0], [1.0, 2.0]]);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        words in prop::collection::vec("[a-zé日!]{1,6}", 1..8),
        dim in 4..9_usize,
        numbers in prop::collection::vec(-1e3..1e3_f32, 64),
    ) {
        let numbers = &numbers[..words.len() * dim];
        let table = Table::new(numbers, words.len(), dim).unwrap();
        let expected: Rows =
            words.iter().zip(numbers.chunks(dim)).map(|(word, row)| (word.clone(), row.to_vec())).collect();
        let (mut text, mut binary, mut npy) = (Vec::new(), Vec::new(), Vec::new());
        write_text(&words, table, &mut text).unwrap();
        prop_assert_eq!(any(&text), Ok(expected.clone()));
        write_binary(&words, table, &mut binary).unwrap();
        prop_assert_eq!(any(&binary), Ok(expected.clone()));
        let numbered: Rows =
            expected.into_iter().enumerate().map(|(number, (_, row))| (number.to_string(), row)).collect();
        write_npy(table, &mut npy).unwrap();
        prop_assert_eq!(any(&npy), Ok(numbered.clone()));
        prop_assert_eq!(any(&to_safetensors("rows", table).unwrap()), Ok(numbered));
    }
}

#[test]
fn numbers_of_any_size_are_read_again_by_bits() {
    let numbers = [f32::MIN_POSITIVE, 1e-45, -0.0, f32::MAX, -1e-30, 0.1];
    let table = Table::new(&numbers, 2, 3).unwrap();
    let mut text = Vec::new();
    write_text(&["a", "b"], table, &mut text).unwrap();
    let found: Vec<u32> = any(&text).unwrap().iter().flat_map(|(_, row)| row).map(|x| x.to_bits()).collect();
    assert_eq!(found, numbers.map(f32::to_bits));
}

#[test]
fn what_would_not_be_read_back_is_not_written() {
    let table = Table::from_rows(&[[1.0], [2.0]]);
    for word in ["", "New York", "a\tb", "a\n", "a\0", "a\u{a0}b"] {
        let mut file = Vec::new();
        assert_eq!(write_text(&["a", word], table, &mut file), Err(WriteError::Word { row: 1 }), "{word:?}");
        assert_eq!(
            write_binary(&["a", word], table, &mut file),
            Err(WriteError::Word { row: 1 }),
            "{word:?}"
        );
        assert!(file.is_empty());
    }
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let rows = [[1.0], [number]];
        let (table, mut file) = (Table::from_rows(&rows), Vec::new());
        assert_eq!(write_text(&["a", "b"], table, &mut file), Err(WriteError::NotFinite { row: 1 }));
        assert_eq!(write_binary(&["a", "b"], table, &mut file), Err(WriteError::NotFinite { row: 1 }));
        assert!(file.is_empty());
    }
    assert!(matches!(write_text(&["a"], table, Vec::new()), Err(WriteError::Shape(_))));
    assert!(to_safetensors("__metadata__", table).is_err());
}
