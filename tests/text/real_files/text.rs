//! Vectors as text: byte order marks, blanks, headers that are missing or wrong, words of published files.

use super::{TWO, are, binary, message, rows, with_header, without_header};
use nanoembed::vectors::TextVectors;

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
    let error = "line 1: expected a row (of one number only if the reader is told so); the file is text vectors under a header: \
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
    let error = "line 2: expected as many numbers as in the first line, or as a header or the reader is told";
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
    let error = "line 1: expected a word and as many numbers as in the first line, or as the reader is told";
    assert_eq!(message(rows(TextVectors::with_dim(rows_of_four.as_bytes(), 2))), error);
    let error = "line 2: expected a word and as many numbers as in the first line, or as the reader is told";
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
    let error = "line 2: expected a word and as many numbers as in the first line, or as the reader is told";
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
        let error =
            "line 2: expected a word and as many numbers as in the first line, or as the reader is told";
        assert_eq!(message(without_header(&text)), error, "{row}");
        let error = "line 2: expected a word and as many numbers as the header says";
        assert_eq!(message(with_header(&format!("1 2\nof {row}\n"))), error, "{row}");
    }
    assert_eq!(message(without_header("the,0.5,-1\n")), "line 1: expected a word and numbers");
    // These are numbers to C and to Python as well.
    assert_eq!(without_header("a +.5 1.\nb 1E-3 -0\n"), are(&[("a", &[0.5, 1.0]), ("b", &[1e-3, -0.0])]));
}
