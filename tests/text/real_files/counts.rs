//! Fewer rows or more than the header promises, files that end within a row, and a limit of rows.

use super::{TWO, are, binary, rows, with_header};
use nanoembed::error::FileError;
use nanoembed::table::TableMut;
use nanoembed::vectors::{BinaryVectors, FillError, Found, TextVectors, Vectors};

fn filled(vectors: &mut impl Vectors) -> (Result<Found, FillError>, [[f32; 2]; 3]) {
    let mut rows = [[7.0; 2]; 3];
    let row_of = |word: &str| ["a", "b", "c"].iter().position(|known| *known == word);
    let found = vectors.fill(&mut TableMut::from_rows(&mut rows), row_of);
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
