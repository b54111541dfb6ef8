//! word2vec's binary vectors: words that hold a space, bytes that are too many, numbers and words that cannot be.

use super::{are, binary, binary_file, message};
use nanoembed::error::FileError;
use nanoembed::table::TableMut;
use nanoembed::vectors::{BinaryVectors, FillError, Found, Vectors};
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

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
    let found = BinaryVectors::new(file).expect("a header").fill(&mut table, |_| next.next());
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
