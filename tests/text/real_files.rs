//! Files as real people have them: what their readers take, what they refuse, and what the error says.
//!
//! Where a case is known from a published file or a report, it is named.

use nanoembed::error::{FileError, FileKind};
use nanoembed::table::TableMut;
use nanoembed::vectors::{BinaryVectors, FillError, Found, TextVectors, Vectors, fill};
use nanoembed::weights::{Npz, SafeTensors, read_npy};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use std::io::Cursor;

type Rows = Vec<(String, Vec<f32>)>;

/// All words and rows, or the first error.
fn rows(mut vectors: impl Vectors) -> Result<Rows, FileError> {
    let mut rows = Rows::new();
    while let Some((word, row)) = vectors.next_row()? {
        rows.push((word.to_owned(), row.to_vec()));
    }
    Ok(rows)
}

fn without_header(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Rows, FileError> {
    TextVectors::new(text.as_ref()).and_then(rows)
}

fn with_header(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Rows, FileError> {
    TextVectors::with_header(text.as_ref()).and_then(rows)
}

fn binary(bytes: &[u8]) -> Result<Rows, FileError> {
    BinaryVectors::new(bytes).and_then(rows)
}

/// What is read where these rows are in the file.
fn are<E>(rows: &[(&str, &[f32])]) -> Result<Rows, E> {
    rows.iter().map(|(word, row)| Ok(((*word).to_owned(), row.to_vec()))).collect()
}

fn message<T>(result: Result<T, FileError>) -> String {
    result.err().map_or("no error".to_owned(), |error| error.to_string())
}

const TWO: [(&str, &[f32]); 2] = [("a", &[1.0, 2.0]), ("b", &[3.0, 4.0])];

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_word() {
    assert_eq!(without_header("\u{feff}a 1 2\nb 3 4\n"), are(&TWO));
    assert_eq!(with_header("\u{feff}2 2\r\na 1 2\r\nb 3 4\r\n"), are(&TWO));
    assert_eq!(rows(TextVectors::with_dim("\u{feff}a 1 2\nb 3 4\n".as_bytes(), 2)), are(&TWO));
    // Elsewhere it is.
    assert_eq!(without_header("\u{feff}a 1\n\u{feff}b 2\n"), are(&[("a", &[1.0]), ("\u{feff}b", &[2.0])]));
}

#[test]
fn blanks_tabs_and_line_ends_are_as_people_write_them() {
    for text in [
        "a 1 2\nb 3 4\n\n",
        "a 1 2\nb 3 4\n \r\n\t\n",
        "a  1   2\nb 3  4",
        "a\t1\t2\nb\t\t3 \t4\t\n",
        "  a 1 2 \r\n\tb 3 4 \r\n",
        "a 1 2 \nb 3 4 \n",
    ] {
        assert_eq!(without_header(text), are(&TWO), "{text:?}");
        for header in ["2 2\n", "2\t2\n", "2  2\r\n", " 2 \t 2 \n"] {
            assert_eq!(with_header(&format!("{header}{text}")), are(&TWO), "{header:?} {text:?}");
        }
    }
    let bytes =
        |header: &str| [header.as_bytes(), b"a \0\0\x80\x3f\0\0\0\x40b \0\0\x40\x40\0\0\x80\x40"].concat();
    for header in ["2 2\n", "2\t2\n", "2  2\r\n"] {
        assert_eq!(binary(&bytes(header)), are(&TWO), "{header:?}");
    }
}

#[test]
fn an_empty_line_within_the_rows_is_refused() {
    let empty = "line 2: expected a row, not an empty line";
    assert_eq!(message(without_header("a 1 2\n\nb 3 4\n")), empty);
    assert_eq!(message(with_header("2 2\n \t\na 1 2\nb 3 4\n")), empty);
    // Line feeds without an end are not read to it.
    let endless = [b"a 1 2\nb 3 4\n".as_slice(), &vec![b'\n'; 1 << 20]].concat();
    assert_eq!(message(without_header(&endless)), "line 3: expected a row, not an empty line");
}

#[test]
fn a_header_that_is_not_expected_is_recognised() {
    let error = "line 1: expected a row (with_dim: of one number); the file is text vectors under a header: \
                 TextVectors::with_header reads them";
    // The GloVe file of 50 numbers under the header that gensim's glove2word2vec writes.
    let glove = format!("400000 50\nthe{}\nof{}\n", " 0.418".repeat(50), " 0.5".repeat(50));
    for text in [
        &glove,
        "2 2\na 1 2\nb 3 4\n",
        "2\t2\r\na 1 2\r\nb 3 4\r\n",
        "\u{feff}1 3\na 1 2 3\n",
        "7 3\n",
        "7 1\na 1\n",
    ] {
        assert_eq!(message(without_header(text)), error, "{text:?}");
    }
    // Words that are numbers, one number a word: no header, as what follows is no row of one.
    assert_eq!(without_header("1984 3\nthe 4\n"), are(&[("1984", &[3.0]), ("the", &[4.0])]));
    assert_eq!(without_header("7 0.5\n8 1\n"), are(&[("7", &[0.5]), ("8", &[1.0])]));
    assert_eq!(rows(TextVectors::with_dim("7 1\na 1\n".as_bytes(), 1)), are(&[("7", &[1.0]), ("a", &[1.0])]));
    assert_eq!(with_header("1 1\na 5\n"), are(&[("a", &[5.0])]));
    // A header that was written as floats is none, and what is under it are no rows of one number.
    let floats = "2.0 2.0\na 1 2\nb 3 4\n";
    let error = "line 2: expected as many numbers as in the first line (with_header, with_dim: as it says)";
    assert_eq!(message(without_header(floats)), error);
    let error = "line 1: expected the number of rows and the dim, two whole numbers";
    assert_eq!(message(with_header(floats)), error);
    // Words that end in numbers: with_dim says how many belong to the row.
    let phrases = "windows 0.5\nwindows 95 1.5\n";
    assert!(without_header(phrases).is_err());
    assert_eq!(
        rows(TextVectors::with_dim(phrases.as_bytes(), 1)),
        are(&[("windows", &[0.5]), ("windows 95", &[1.5])])
    );
}

#[test]
fn a_header_that_is_missing_is_recognised() {
    let error = "line 1: expected the number of rows and the dim, two whole numbers; \
                 the file is text vectors without a header: TextVectors::new reads them";
    for text in ["a 1 2\nb 3 4\n", "\u{feff}a 1 2\n", ". . . 1 2\n", "1984 0.5 2\n", "a 1\n"] {
        assert_eq!(message(with_header(text)), error, "{text:?}");
    }
    assert_eq!(
        message(with_header("word\n")),
        "line 1: expected the number of rows and the dim, two whole numbers"
    );
}

#[test]
fn a_dim_that_is_too_small_is_noticed() {
    let rows_of_four = "a 1 2 3 4\nb 5 6 7 8\n";
    let error = "line 2: expected a word and as many numbers as the header says";
    assert_eq!(message(with_header(&format!("2 3\n{rows_of_four}"))), error);
    let error = "line 1: expected a word and as many numbers as in the first line, or as with_dim says";
    assert_eq!(message(rows(TextVectors::with_dim(rows_of_four.as_bytes(), 2))), error);
    let error = "line 2: expected a word and as many numbers as in the first line, or as with_dim says";
    assert_eq!(message(rows(TextVectors::with_dim(rows_of_four.as_bytes(), 3))), error);
    // A header, read as a row of one number.
    let with_header = message(rows(TextVectors::with_dim("2 4\na 1 2 3 4\nb 5 6 7 8\n".as_bytes(), 1)));
    let cure = "; the file is text vectors under a header: TextVectors::with_header reads them";
    assert_eq!(with_header, format!("{error}{cure}"));
    // One number may be of the word; further down any number may.
    let text = "windows 95 1 2\nx 1 2 3 4\n";
    let found = rows(TextVectors::with_dim(text.as_bytes(), 2));
    assert_eq!(found, are(&[("windows 95", &[1.0, 2.0]), ("x 1 2", &[3.0, 4.0])]));
}

#[test]
fn words_of_published_files() {
    let row: &[f32] = &[0.5, -1.0];
    for word in [
        // glove.840B.300d; split at every blank they are rows of 301 to 304 numbers (GloVe, issue 191).
        ". . .",
        "at name@domain.com",
        // fasttext_english_twitter_100d, NILC's FastText for Portuguese.
        ". .",
        "0,0 km²",
        // glove.twitter.27B, line 38523: the control character NEL, a line end to Python's str.splitlines
        // (GloVe, issue 159).
        "\u{85}",
        // wiki.*.vec and GoogleNews as text: white space of Unicode as a word (spaCy, issues 737 and 1529).
        "\u{a0}",
        "\u{2028}",
        "\u{3000}",
        "1\u{a0}000",
        // Words that look like numbers (fastText, issue 11).
        "-0.27998",
        "1e5",
        "</s>",
        "nan",
    ] {
        let found = are(&[("the", row), (word, row), ("of", row)]);
        assert_eq!(without_header(&format!("the 0.5 -1\n{word} 0.5 -1\nof 0.5 -1\n")), found, "{word:?}");
        // As fastText writes it, a blank at the end of each line.
        assert_eq!(
            with_header(&format!("3 2\nthe 0.5 -1 \n{word} 0.5 -1 \nof 0.5 -1 \n")),
            found,
            "{word:?}"
        );
    }
    // crawl-300d-2M has a tab for a word (fastText, issue 505), GoogleNews as text a blank: an empty word,
    // not a shifted row.
    for line in ["\t 0.5 -1", "  0.5 -1", " 0.5 -1"] {
        let found = without_header(&format!("the 0.5 -1\n{line}\nof 0.5 -1\n"));
        assert_eq!(found, are(&[("the", row), ("", row), ("of", row)]), "{line:?}");
    }
    // A word that was dropped, with its blank: one number is missing.
    let error = "line 2: expected a word and as many numbers as in the first line, or as with_dim says";
    assert_eq!(message(without_header("the 0.5 -1\n0.5 -1\nof 0.5 -1\n")), error);
}

#[test]
fn numbers_that_are_written_otherwise_are_refused() {
    // Decimal commas; sparse rows (Chinese-Word-Vectors, issue 168); columns of a CSV file; what numpy
    // prints.
    for row in [
        "0,418 0,25",
        "9:0.0221 12:0.1",
        "0.5, -1,",
        "[0.5 -1]",
        "0.5 1_0",
        "0x1 2",
        "NaN 1",
        "Infinity 1",
        "1e39 1",
    ] {
        let text = format!("the 0.5 -1\nof {row}\n");
        let error = "line 2: expected a word and as many numbers as in the first line, or as with_dim says";
        assert_eq!(message(without_header(&text)), error, "{row}");
        let error = "line 2: expected a word and as many numbers as the header says";
        assert_eq!(message(with_header(&format!("1 2\nof {row}\n"))), error, "{row}");
    }
    assert_eq!(message(without_header("the,0.5,-1\n")), "line 1: expected a word and numbers");
    // These are numbers to C and to Python as well.
    assert_eq!(without_header("a +.5 1.\nb 1E-3 -0\n"), are(&[("a", &[0.5, 1.0]), ("b", &[1e-3, -0.0])]));
}

fn filled(vectors: &mut impl Vectors) -> (Result<Found, FillError>, [[f32; 2]; 3]) {
    let mut rows = [[7.0; 2]; 3];
    let row_of = |word: &str| ["a", "b", "c"].iter().position(|known| *known == word);
    let found = fill(&mut TableMut::from_rows(&mut rows), vectors, row_of);
    (found, rows)
}

#[test]
fn a_header_that_counts_wrong_loses_no_row() {
    // wiki-news-300d-1M-subword.vec promises 1,000,000 rows and has 999,999 (fastText, issue 452).
    let check = |vectors: &mut dyn Vectors, read: u64| {
        let (found, rows) = filled(&mut { vectors });
        let found = found.expect("rows");
        assert_eq!((found.count(), found.rows_read(), found.rows_promised()), (read as usize, read, Some(2)));
        let all = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(*row, if (i as u64) < read { all[i] } else { [7.0; 2] });
        }
    };
    let text = "2 2\na 1 2\nb 3 4\nc 5 6\n";
    for (read, lines) in [(1, 10), (2, 16), (3, 22)] {
        check(&mut TextVectors::with_header(&text.as_bytes()[..lines]).expect("a header"), read);
        check(&mut TextVectors::with_header(&text.as_bytes()[..lines - 1]).expect("a header"), read);
    }
    let bytes = b"2 2\na \0\0\x80\x3f\0\0\0\x40\nb \0\0\x40\x40\0\0\x80\x40\nc \0\0\xa0\x40\0\0\xc0\x40\n";
    for length in [14, 15] {
        check(&mut BinaryVectors::new(&bytes[..length]).expect("a header"), 1);
    }
    for length in [25, 26] {
        check(&mut BinaryVectors::new(&bytes[..length]).expect("a header"), 2);
    }
    // Who reads the rows one by one hears of it at their end.
    let error = FileError::Rows { promised: 2, found: 1 };
    assert_eq!(with_header("2 2\na 1 2\n"), Err(error));
    assert_eq!(binary(&bytes[..14]), Err(error));
    assert_eq!(error.to_string(), "the header promises 2 rows, the file has 1");
    assert_eq!(with_header(text), Err(FileError::Rows { promised: 2, found: 3 }));
    // What no header promised is not told.
    let (found, _) = filled(&mut TextVectors::new("a 1 2\n".as_bytes()).expect("rows"));
    assert_eq!(found.map(|found| (found.rows_read(), found.rows_promised())), Ok((1, None)));
}

#[test]
fn a_file_that_ends_within_a_row_fills_nothing() {
    let untouched = [[7.0; 2]; 3];
    let refused = |vectors: &mut dyn Vectors, name: &str| {
        let (found, rows) = filled(&mut { vectors });
        assert!(matches!(found, Err(FillError::File(_))), "{name}: {found:?}");
        assert_eq!(rows, untouched, "{name}");
    };
    for text in ["2 2\na 1 2\nb 3", "2 2\na 1 2\nb", "2 2\na 1 2\nb \nc 1 2\n", "3 2\n"] {
        refused(&mut TextVectors::with_header(text.as_bytes()).expect("a header"), text);
    }
    let bytes = b"2 2\na \0\0\x80\x3f\0\0\0\x40\nb \0\0\x40\x40\0\0\x80\x40";
    for length in (4..bytes.len()).filter(|length| ![14, 15].contains(length)) {
        refused(&mut BinaryVectors::new(&bytes[..length]).expect("a header"), &length.to_string());
    }
}

#[test]
fn a_limit_of_rows() {
    // What is after them is not looked at.
    let text = "a 1 2\nb 3 4\nno row\n";
    assert_eq!(TextVectors::new(text.as_bytes()).map(|text| text.take(2)).and_then(rows), are(&TWO));
    let headed = format!("900 2\n{text}");
    let mut vectors = TextVectors::with_header(headed.as_bytes()).expect("a header").take(2);
    let (found, rows_of) = filled(&mut vectors);
    assert_eq!(found.map(|found| (found.rows_read(), found.rows_promised())), Ok((2, Some(2))));
    assert_eq!(rows_of, [[1.0, 2.0], [3.0, 4.0], [7.0; 2]]);
    // By turns: the first row, then one more.
    let mut vectors = TextVectors::new(text.as_bytes()).expect("rows");
    assert_eq!(rows((&mut vectors).take(1)), are(&TWO[..1]));
    assert_eq!(rows((&mut vectors).take(1)), are(&TWO[1..]));
    assert!(rows(vectors.take(1)).is_err());
    // More than there are.
    let (found, _) =
        filled(&mut TextVectors::with_header("2 2\na 1 2\n".as_bytes()).expect("a header").take(5));
    assert_eq!(found.map(|found| (found.rows_read(), found.rows_promised())), Ok((1, Some(2))));
    let (found, _) =
        filled(&mut TextVectors::with_header("2 2\na 1 2\n".as_bytes()).expect("a header").take(0));
    assert_eq!(found.map(|found| (found.count(), found.rows_promised())), Ok((0, Some(0))));
}

/// Binary vectors of these words, each with `dim` numbers of the size that learnt ones have; the C tool ends
/// rows with a line feed.
fn binary_file(words: &[&str], dim: usize, seed: u64, row_end: &str) -> Vec<u8> {
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

#[test]
fn a_word_with_a_space_in_a_binary_file_is_seen() {
    // gensim writes such words and does not read them (gensim, issue 2795).
    let with_spaces = [
        "New York",
        ". . .",
        "a b",
        "at name@domain.com",
        "in the",
        "Los Angeles County",
        "x  y",
        "naïve Bayes",
        "end ",
        "the United States of America",
    ];
    for (word, place) in with_spaces.iter().flat_map(|word| (0..4).map(move |place| (word, place))) {
        let mut words = ["the", "of", "and", "to"];
        words[place] = word;
        for row_end in ["", "\n"] {
            for dim in [16, 25, 50, 300] {
                for seed in 0..20 {
                    let file = binary_file(&words, dim, seed, row_end);
                    let found = binary(&file);
                    assert!(
                        matches!(found, Err(FileError::Bytes { .. })),
                        "{word}, {dim}, {seed}: {found:?}"
                    );
                    let (found, rows) = filled_with_dim(dim, &file);
                    assert!(found.is_err() && rows.iter().all(|x| *x == 7.0), "{word}, {dim}, {seed}");
                }
            }
        }
    }
    // Where only the numbers of one row are to tell: the bytes that are too many are whole numbers.
    let file = binary_file(&["the", "of", "in the", "to"], 50, 3, "");
    let error = format!("byte {}: expected a word without a space", 5 + (4 + 200) + (3 + 200));
    assert_eq!(message(binary(&file)), error);
}

fn filled_with_dim(dim: usize, file: &[u8]) -> (Result<Found, FillError>, Vec<f32>) {
    let mut rows = vec![7.0; 4 * dim];
    let mut table = TableMut::new(&mut rows, 4, dim).expect("a table");
    let mut next = 0..4;
    let found = fill(&mut table, &mut BinaryVectors::new(file).expect("a header"), |_| next.next());
    (found, rows)
}

#[test]
fn sound_binary_files_are_not_taken_for_shifted_ones() {
    let words = ["the", "of", "New_York", "naïve", "</s>", "0003", "\u{a0}", "\u{85}", "😀", "\u{1}"];
    for (dim, count) in [(2, 40), (3, 40), (16, 200), (50, 100), (300, 20)] {
        for (seed, row_end) in (0..count).flat_map(|seed| [(seed, ""), (seed, "\n")]) {
            let found = binary(&binary_file(&words, dim, seed, row_end)).expect("sound");
            assert!(found.iter().map(|(word, _)| word).eq(words), "{dim}, {seed}");
        }
    }
    // Numbers of any size, among them those that are text as bytes: "x in" and blanks.
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
    for _ in 0..2000 {
        let mut file = format!("{} 8\n", words.len()).into_bytes();
        for word in words {
            file.extend(word.as_bytes());
            file.push(b' ');
            let text = [
                *b"a in",
                *b"x  y",
                *b"    ",
                *b"the ",
                [0; 4],
                1e-30_f32.to_le_bytes(),
                3e38_f32.to_le_bytes(),
            ];
            for _ in 0..8 {
                let bits = rng.next_u32();
                let number =
                    text.get(bits as usize % 30).copied().unwrap_or((bits & 0xbfff_ffff).to_le_bytes());
                file.extend(number);
            }
        }
        let found = binary(&file).expect("sound");
        assert!(found.iter().map(|(word, _)| word).eq(words));
    }
}

#[test]
fn bytes_after_the_last_row_are_noticed() {
    let file = binary_file(&["the", "of"], 4, 1, "");
    let end = format!(
        "byte {}: expected the end of the file after the last row (more rows, or a word that holds a space)",
        file.len()
    );
    assert_eq!(binary(&[file.as_slice(), b"\n"].concat()), binary(&file));
    assert!(binary(&file).is_ok());
    for more in [b"x".as_slice(), b"\0", b"\nand \0\0\0\0\0\0\0\0", &vec![0; 70_000]] {
        assert_eq!(message(binary(&[file.as_slice(), more].concat())), end);
    }
}

#[test]
fn binary_numbers_and_words_that_cannot_be() {
    let header = b"1 2\n".as_slice();
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let file = [header, b"a ", &number.to_le_bytes(), &[0; 4]].concat();
        assert_eq!(message(binary(&file)), "byte 6: expected finite numbers (a word may hold a space)");
    }
    for word in [b"a\nb ".as_slice(), b"a\0 "] {
        let file = [header, word, &[0; 8]].concat();
        let error = "byte 4: expected a word and a space (an earlier word may hold a space)";
        assert_eq!(message(binary(&file)), error);
    }
    // The C tool cuts words after 60 bytes or so, in the middle of a character (gensim's `unicode_errors`).
    assert_eq!(binary(&[header, b"caf\xc3 ", &[0; 8]].concat()), are(&[("caf\u{fffd}", &[0.0, 0.0])]));
}

/// The bytes that files of other kinds start with, and the kind.
fn others() -> Vec<(&'static [u8], FileKind, &'static str)> {
    vec![
        (b"", FileKind::Empty, "an empty file"),
        // GoogleNews-vectors-negative300.bin.gz, with its `.gz` taken from the name.
        (
            b"\x1f\x8b\x08\x08\x12\x34\x56\x78\x00\x03GoogleNews\0\xec\x9a",
            FileKind::Gzip,
            "a gzip file: decompress it",
        ),
        // wikipedia2vec's are compressed so.
        (b"BZh91AY&SY\x8f\x9c\x03\x00\n\x10", FileKind::Bzip2, "a bzip2 file: decompress it"),
        (b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46", FileKind::Xz, "an xz file: decompress it"),
        (b"\x28\xb5\x2f\xfd\x04\x88\x01\x02\n\x03", FileKind::Zstd, "a zstd file: decompress it"),
        (
            b"PK\x03\x04\x14\0\0\0\x08\0glove.6B.50d.txt",
            FileKind::Zip,
            "a zip archive: Npz reads it if it is numpy's, else unpack it",
        ),
        // cc.en.300.bin
        (
            b"\xba\x16\x4f\x2f\x0c\0\0\0\x2c\x01\0\0\x05\0\0\0",
            FileKind::FastText,
            "fastText's .bin: its vectors are in the .vec file",
        ),
        (
            b"\x80\x04\x95\x1a\0\0\0\0\0\0\0}\x94(\x8c\x01a",
            FileKind::Pickle,
            "a Python pickle: save the arrays as npz or safetensors",
        ),
        (
            b"\x80\x02}q\0(X\x01\0\0\0aq\x01G",
            FileKind::Pickle,
            "a Python pickle: save the arrays as npz or safetensors",
        ),
        (
            b"\x89HDF\r\n\x1a\n\0\0\0\0",
            FileKind::Hdf5,
            "an HDF5 file (.h5): save the arrays as npz or safetensors",
        ),
        (b"\x93NUMPY\x01\0\x76\0{'descr': '<i4', 'fortran", FileKind::Npy, "an npy file: read_npy reads it"),
        (
            b"\x0a\0\0\0\0\0\0\0{\"a\":nope}",
            FileKind::SafeTensors,
            "a safetensors file: SafeTensors reads it",
        ),
        // What PowerShell's `>` makes of a text.
        (b"\xff\xfea\0 \x001\0 \x002\0\r\0\n\0", FileKind::Utf16, "text in UTF-16: save it as UTF-8"),
        // Google Drive's notice in place of a large file.
        (
            b"<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title>",
            FileKind::Html,
            "a web page: download the file again",
        ),
        // A clone without `git lfs`.
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 990000\n",
            FileKind::GitLfs,
            "a pointer of Git LFS: get the file itself by `git lfs pull`",
        ),
        (
            b"3000000 300\n</s> \x00\x3c\x93\x3a\x00",
            FileKind::Word2Vec,
            "word2vec's binary file: BinaryVectors reads it",
        ),
    ]
}

#[test]
fn readers_of_the_wrong_kind_of_file_say_what_they_found() {
    for (bytes, kind, text) in others() {
        assert_eq!(FileKind::of(bytes), Some(kind));
        assert!(TextVectors::new(bytes).is_err(), "{kind:?}: known from the start");
        let errors = [
            ("with_header", TextVectors::with_header(bytes).and_then(rows).map(drop)),
            ("new", TextVectors::new(bytes).map(drop)),
            ("with_dim", rows(TextVectors::with_dim(bytes, 50)).map(drop)),
            ("binary", BinaryVectors::new(bytes).and_then(rows).map(drop)),
            ("npy", read_npy(bytes).map(drop)),
            ("npz", Npz::new(Cursor::new(bytes)).map(drop)),
            ("safetensors", SafeTensors::new(bytes).map(drop)),
        ];
        for (reader, error) in errors {
            let right = matches!(
                (reader, kind),
                ("binary", FileKind::Word2Vec)
                    | ("npy", FileKind::Npy)
                    | ("npz", FileKind::Zip)
                    | ("safetensors", FileKind::SafeTensors)
            );
            let message = message(error);
            assert_ne!(message, "no error", "{reader}: {kind:?}");
            assert_eq!(message.ends_with(&format!("; the file is {text}")), !right, "{reader}: {message}");
        }
    }
    assert_eq!(FileKind::of(b"The film was flam.\n"), Some(FileKind::Text));
    assert_eq!(
        FileKind::of(format!("the{}\n", " 0.418".repeat(50)).as_bytes()),
        Some(FileKind::TextWithoutHeader)
    );
    assert_eq!(FileKind::of(b"\x7fELF\x02\x01\x01\0"), None);
    // Cut in the middle of a character.
    assert_eq!(FileKind::of(&"é".repeat(40).as_bytes()[..63]), Some(FileKind::Text));
}

#[test]
fn text_and_binary_of_word2vec_are_told_apart() {
    let text = format!("2 25\nthe{}\nof{}\n", " 0.418".repeat(25), " -0.5".repeat(25));
    let error = "byte 9: expected numbers of 4 bytes, not text; the file is text vectors under a header: \
                 TextVectors::with_header reads them";
    assert_eq!(message(binary(text.as_bytes())), error);
    let glove = text.split_once('\n').map_or("", |(_, rows)| rows);
    let error = "byte 0: expected the number of rows and the dim, two whole numbers; \
                 the file is text vectors without a header: TextVectors::new reads them";
    assert_eq!(message(binary(glove.as_bytes())), error);
    let file = binary_file(&["the", "of", "and"], 25, 1, "\n");
    for error in [with_header(&file), without_header(&file)] {
        let error = message(error);
        assert!(error.ends_with("; the file is word2vec's binary file: BinaryVectors reads it"), "{error}");
    }
}

/// An npy file of version 1, 2 or 3.
fn npy(version: u8, header: &str, numbers: usize) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    let length = if version == 1 { &length[..2] } else { &length };
    [b"\x93NUMPY", [version, 0].as_slice(), length, header.as_bytes(), &vec![0; numbers * 4]].concat()
}

#[test]
fn shapes_of_npy_files_are_those_that_numpy_reads() {
    let read = |version, shape: &str| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        read_npy(npy(version, &header, 4).as_slice()).map(|array| array.shape)
    };
    // As numpy 2.4 reads them; Python 2 wrote `(2L, 2L)` on Windows.
    for version in 1..=3 {
        assert_eq!(read(version, "(4,)"), Ok(vec![4]));
        assert_eq!(read(version, "(2, 2)"), Ok(vec![2, 2]));
        assert_eq!(read(version, "( 2,2 , )"), Ok(vec![2, 2]));
        for (shape, found) in [("(2L, 2L)", vec![2, 2]), ("(4L,)", vec![4]), ("(1, 4L)", vec![1, 4])] {
            assert_eq!(read(version, shape).ok(), (version < 3).then_some(found), "{version}: {shape}");
        }
        for shape in [
            "(4)", "(4L)", "(,)", "(2,,2)", "(04,)", "(4l,)", "(2 2)", "(4LL,)", "(L,)", "(2, 2L", "4", "[4]",
        ] {
            let error = "byte 0: expected the header of an npy file of floats";
            assert_eq!(message(read(version, shape)), error, "{version}: {shape}");
        }
    }
    // Commas of the dictionary.
    for header in [
        "{'descr': '<f4' 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4',, 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4', 'fortran_order': False 'shape': (4,)}",
    ] {
        assert!(read_npy(npy(1, header, 4).as_slice()).is_err(), "{header}");
    }
}

#[test]
fn npy_files_of_objects_say_so() {
    // numpy.save of a dictionary of words and vectors.
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }";
    let error = read_npy(npy(1, header, 4).as_slice()).map(drop);
    assert_eq!(message(error), "Python objects, a pickle within the npy file: not supported");
}
