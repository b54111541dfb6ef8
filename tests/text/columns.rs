//! Promise: fields have the rows that plain lookups give them, and columns have one form as bytes.

use nanoembed::text::{Ascii, Column, Columns, HashKind, Lowering, NativeHash, Pipeline, PipelineError};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A column, as a reference has it.
#[derive(Clone, Debug)]
enum Naive {
    Categories(Vec<String>),
    Thresholds(Vec<f32>),
}

impl Naive {
    fn rows(&self) -> usize {
        match self {
            Self::Categories(categories) => 1 + categories.len(),
            Self::Thresholds(thresholds) => 2 + thresholds.len(),
        }
    }

    /// Which of its rows a field has.
    fn row(&self, field: &str) -> usize {
        let field = field.trim_ascii();
        match self {
            Self::Categories(categories) => {
                categories.iter().position(|category| category == field).map_or(0, |found| found + 1)
            }
            Self::Thresholds(thresholds) => match field.parse::<f32>() {
                Ok(x) if !x.is_nan() => 1 + thresholds.iter().filter(|threshold| **threshold <= x).count(),
                _ => 0,
            },
        }
    }
}

fn columns() -> impl Strategy<Value = Vec<(String, Naive)>> {
    let categories = prop::collection::btree_set("[a-cé世 ]{0,3}", 0..9)
        .prop_map(|categories| Naive::Categories(categories.into_iter().collect()));
    let thresholds = prop::collection::vec(-9_i32..9, 0..9).prop_map(|halves| {
        let ascending: BTreeSet<i32> = halves.into_iter().collect();
        Naive::Thresholds(ascending.into_iter().map(|half| half as f32 / 2.0).collect())
    });
    prop::collection::vec(("[a-zé]{0,5}", prop_oneof![categories, thresholds]), 1..6)
}

fn bytes_of(columns: &[(String, Naive)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, column) in columns {
        match column {
            Naive::Categories(categories) => {
                let categories: Vec<&str> = categories.iter().map(String::as_str).collect();
                Columns::append_categories(&mut bytes, name, &categories).unwrap();
            }
            Naive::Thresholds(thresholds) => {
                Columns::append_thresholds(&mut bytes, name, thresholds).unwrap();
            }
        }
    }
    bytes
}

fn written(pipeline: &Pipeline) -> Vec<u8> {
    let mut bytes = vec![0xaa; pipeline.encoded_size()];
    pipeline.write(&mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn fields_have_the_rows_of_lookups(
        naive in columns(),
        fields in prop::collection::vec("[a-cé世]{0,2}| a |b|-?[0-9]\\.?5?| 3|nan|-inf|1e99|", 0..8),
    ) {
        let bytes = bytes_of(&naive);
        let columns = Columns::read(&bytes, naive.len() as u32).unwrap();
        let text = fields.join("\t");
        let (mut expected, mut first) = (Vec::new(), 1);
        for (number, (name, column)) in naive.iter().enumerate() {
            let read = columns.iter().nth(number).unwrap();
            prop_assert_eq!((read.name(), read.first() as usize), (name.as_str(), first));
            prop_assert_eq!(read.rows() as usize, column.rows());
            match column {
                Naive::Categories(categories) => {
                    prop_assert!(read.categories().eq(categories) && !read.is_numeric());
                }
                Naive::Thresholds(thresholds) => {
                    prop_assert!(read.thresholds().eq(thresholds.iter().copied()) && read.is_numeric());
                }
            }
            expected.push((first + column.row(fields.get(number).map_or("", String::as_str))) as u32);
            first += column.rows();
        }
        prop_assert_eq!((columns.len(), columns.rows() as usize), (naive.len(), first));

        let pipeline = Pipeline::columns(columns).unwrap();
        let mut ids = Vec::new();
        pipeline.for_each_id(&text, |id| ids.push(id));
        prop_assert_eq!(&ids, &expected);
        let read = written(&pipeline);
        let read = Pipeline::read_as::<Columns>(&read).unwrap();
        let mut ids = vec![0; naive.len()];
        prop_assert_eq!(read.encode_into(&text, &mut ids), Ok(naive.len()));
        prop_assert_eq!(ids, expected);
        prop_assert_eq!(read.as_columns(), Some(columns));
    }

    #[test]
    fn a_changed_byte_is_refused_or_gives_other_columns(
        naive in columns(),
        at: prop::sample::Index,
        bit in 0_u32..8,
    ) {
        let columns = bytes_of(&naive);
        let columns = Columns::read(&columns, naive.len() as u32).unwrap();
        let mut bytes = written(&Pipeline::columns(columns).unwrap());
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        if let Ok(read) = Pipeline::read(&bytes) {
            prop_assert_eq!(&written(&read), &bytes);
        }
        prop_assert!(Pipeline::read(&bytes[..at]).is_err());
    }
}

#[test]
fn values_ascend() {
    let mut bytes = vec![7];
    for categories in [&["b", "a"][..], &["a", "a"]] {
        assert!(Columns::append_categories(&mut bytes, "c", categories).is_err());
    }
    for thresholds in
        [&[1.0, 0.0][..], &[1.0, 1.0], &[0.0, -0.0], &[f32::NAN], &[f32::INFINITY], &[f32::NEG_INFINITY]]
    {
        assert!(Columns::append_thresholds(&mut bytes, "c", thresholds).is_err(), "{thresholds:?}");
    }
    assert!(Columns::append_thresholds(&mut bytes, &"c".repeat(1 << 16), &[]).is_err());
    assert_eq!(bytes, [7]);
    Columns::append_categories(&mut bytes, "c", &["", "B", "a", "é"]).unwrap();
    assert!(Columns::read(&bytes[1..], 1).is_ok());
    assert!(Columns::read(&bytes[1..], 2).is_err() && Columns::read(&bytes[1..], 0).is_err());
}

#[test]
fn wrong_bytes_are_named() {
    let mut bytes = Vec::new();
    Columns::append_thresholds(&mut bytes, "c", &[1.0]).unwrap();
    Columns::append_thresholds(&mut bytes, "d", &[2.0]).unwrap();
    // The second column starts at 20; its name is at 36.
    for (at, expected) in [
        (20, "kind of a column: 9, but it has to be 1 (categories) or 2 (thresholds)"),
        (39, "bytes behind a column: 9, but it has to be 0"),
    ] {
        let mut bytes = bytes.clone();
        bytes[at] = 9;
        assert_eq!(Columns::read(&bytes, 2).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_category_ends_between_characters() {
    let mut bytes = Vec::new();
    Columns::append_categories(&mut bytes, "c", &["é", "ü"]).unwrap();
    // The first ends within a character.
    bytes[12] = 1;
    let error = Columns::read(&bytes, 1).unwrap_err();
    assert!(matches!(error, PipelineError::Field { found: 0, .. }), "{error}");
}

#[test]
fn columns_have_nothing_of_words() {
    let mut bytes = Vec::new();
    Columns::append_thresholds(&mut bytes, "x", &[0.5]).unwrap();
    let columns = Columns::read(&bytes, 1).unwrap();
    let pipeline = Pipeline::columns(columns).unwrap();
    assert!(pipeline.lowercase(Lowering::Ascii).filters("a") == pipeline);
    assert!(pipeline.word_ngrams(1).unwrap() == pipeline && pipeline.word_ngrams(2).is_err());
    assert!(pipeline.subwords(0, 0).unwrap() == pipeline && pipeline.subwords(3, 3).is_err());
    for (split, row) in [(",", "1,2"), ("--", "1--2"), ("é", "1é-1é"), (" |", "1 |")] {
        let mut ids = [9; 1];
        assert_eq!(pipeline.split(split).unwrap().encode_into(row, &mut ids), Ok(1));
        assert_eq!(ids, [3], "{row}");
    }
    assert!(Pipeline::columns(Columns::read(&[], 0).unwrap()).is_err());
    assert!(columns.iter().map(|column: Column| column.category("a")).eq([1]));

    let bytes = written(&pipeline);
    let error = Pipeline::read_as::<(NativeHash, Ascii)>(&bytes).unwrap_err();
    assert_eq!(error, PipelineError::NotLinked { field: "kind", kind: "Columns" });
    let words = Pipeline::hashing(50, HashKind::Native).unwrap();
    assert!(words.as_columns().is_none());
    assert!(Pipeline::read_as::<Columns>(&written(&words)).is_err());
    // What the columns do not use is 0.
    for at in [2, 4, 20, 22, 24, 26, 32, 40, 56] {
        let mut bytes = bytes.clone();
        bytes[at] = 1;
        assert!(Pipeline::read(&bytes).is_err(), "byte {at}");
    }
}
