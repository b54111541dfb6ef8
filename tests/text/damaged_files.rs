//! Files of vectors and weights that are cut off, damaged, or of something else: refused, and nothing is written.

use nanoembed::error::{FileError, RowOutOfRange, ShapeMismatch};
use nanoembed::image;
use nanoembed::layers::{Dense, Embedding, Flatten, Frozen, FrozenRows, Layer, Relu, Sigmoid};
use nanoembed::sequential;
use nanoembed::table::TableMut;
use nanoembed::vectors::{BinaryVectors, FillError, TableVectors, TextVectors, Vectors};
use nanoembed::weights::{Array, Arrays, Npz, SafeTensors, Weight, WeightsError, read};
use proptest::prelude::*;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use std::io::{BufRead, BufReader, Cursor, Read, Write};

/// All words, or the first error.
fn words(mut vectors: impl Vectors) -> Result<Vec<String>, FileError> {
    let mut words = Vec::new();
    while let Some((word, row)) = vectors.next_row()? {
        assert!(!row.is_empty());
        words.push(word.to_owned());
    }
    Ok(words)
}

fn line<T>(result: Result<T, FileError>) -> u64 {
    match result.err() {
        Some(FileError::Line { line, .. }) => line,
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_that_is_no_vectors_names_the_line() {
    let glove = |text: &'static str| TextVectors::new(text.as_bytes()).and_then(words);
    assert_eq!(glove("a 1 2\r\nb 3 4 \nc\t5\t-6"), Ok(["a", "b", "c"].map(str::to_owned).to_vec()));
    assert_eq!(line(glove("")), 1);
    assert_eq!(line(glove("word\n")), 1);
    assert_eq!(line(glove("a 1 2\nb 3\n")), 2);
    assert_eq!(line(glove("a 1 2\nb 3 x\n")), 2);
    for number in ["nan", "-inf", "infinity", "1e39"] {
        let text = format!("a 1 2\nb 3 4\nc {number} 5\n");
        assert_eq!(line(TextVectors::new(text.as_bytes()).and_then(words)), 3, "{number}");
    }
    assert_eq!(line(glove("a 1 2\n\nb 3 4\n")), 2);
    let word2vec = |text: &'static str| TextVectors::with_header(text.as_bytes()).and_then(words);
    assert_eq!(line(word2vec("1 2\na 1 2\nwhat follows is read")), 3);
    assert_eq!(line(word2vec("a 1 2\n")), 1);
    assert_eq!(line(word2vec("2 0\na\nb\n")), 1);
    assert_eq!(word2vec("2 2\na 1 2\n"), Err(FileError::Rows { promised: 2, found: 1 }));
    assert_eq!(line(word2vec("2 2\na 1 2\nb 1\n")), 3);
}

#[test]
fn lines_without_an_end_are_not_read_to_it() {
    // How much of an endless line is read, behind `start`; and the line that is named.
    let read = |start: &'static str, open: fn(&mut dyn BufRead) -> Result<Vec<String>, FileError>| {
        let mut file = start.as_bytes().chain(std::io::repeat(b'7')).take(1 << 24);
        let line = line(open(&mut BufReader::with_capacity(1, &mut file)));
        ((1 << 24) - file.limit() - start.len() as u64, line)
    };
    let long = 1 << 16;
    assert_eq!(read("", |file| TextVectors::new(file).and_then(words)), (1 << 20, 1));
    assert_eq!(read("", |file| TextVectors::with_header(file).and_then(words)), (long, 1));
    assert_eq!(read("", |file| words(TextVectors::with_dim(file, 3))), (long + 3 * 64, 1));
    assert_eq!(read("a 1 2\n", |file| TextVectors::new(file).and_then(words)), (long + 2 * 64, 2));
    assert_eq!(
        read("9 2\na 1 2\n", |file| TextVectors::with_header(file).and_then(words)),
        (long + 2 * 64, 3)
    );
    // Of numbers as others write them a line is not too long.
    let row = format!("word{}\n", " -0.1234567890123456789012345678901234567890123456789".repeat(4000));
    assert_eq!(TextVectors::new(row.repeat(2).as_bytes()).and_then(words), Ok(vec!["word".to_owned(); 2]));
}

#[test]
fn a_word_that_is_no_utf8_is_replaced() {
    let mut vectors = TextVectors::with_dim(b"caf\xc3 1\n".as_slice(), 1);
    assert_eq!(vectors.next_row(), Ok(Some(("caf\u{fffd}", [1.0].as_slice()))));
    let mut vectors = BinaryVectors::new(b"1 1\ncaf\xc3 \0\0\0\0".as_slice()).expect("a header");
    assert_eq!(vectors.next_row(), Ok(Some(("caf\u{fffd}", [0.0].as_slice()))));
}

#[test]
fn binary_vectors_that_end_too_early_name_the_byte() {
    let file = b"2 2\na \0\0\x80\x3f\0\0\0\0\nb \0\0\0\0\0\0\0\0";
    assert_eq!(BinaryVectors::new(file.as_slice()).and_then(words), Ok(vec!["a".to_owned(), "b".to_owned()]));
    for length in 0..file.len() {
        let error = BinaryVectors::new(&file[..length]).and_then(words).expect_err("cut off");
        let offset = match length {
            // Between two rows.
            4 | 14 | 15 => {
                assert_eq!(error, FileError::Rows { promised: 2, found: u64::from(length > 4) });
                continue;
            }
            0..4 => 0,
            5 => 4,
            6..14 => 6,
            16 => 14,
            _ => 17,
        };
        assert!(matches!(error, FileError::Bytes { offset: at, .. } if at == offset), "{length}: {error:?}");
    }
    let endless = [b"1 1\n".to_vec(), vec![b'a'; 100_000]].concat();
    let error = BinaryVectors::new(endless.as_slice()).and_then(words).expect_err("no word is so long");
    assert!(matches!(error, FileError::Bytes { offset: 4, .. }), "{error:?}");
    // More numbers than there can be memory for.
    for dim in [usize::MAX / 8, usize::MAX / 2, usize::MAX] {
        let file = format!("1 {dim}\na bcde");
        assert!(BinaryVectors::new(file.as_bytes()).and_then(words).is_err());
    }
}

#[test]
fn what_cannot_be_filled_in_leaves_the_table() {
    let mut rows = [[7.0_f32; 2]; 3];
    let mut fill = |text: &str, row: usize| {
        let mut vectors = TextVectors::new(text.as_bytes())?;
        vectors.fill(&mut TableMut::from_rows(&mut rows), |word| (word != "no").then_some(row))
    };
    let shape = ShapeMismatch { what: "dim", expected: 2, found: 3 };
    assert_eq!(fill("a 1 2 3\n", 0), Err(FillError::Shape(shape)));
    assert_eq!(fill("no 1 2\na 1 2\n", 3), Err(FillError::Row(RowOutOfRange { row: 3, rows: 3 })));
    assert!(matches!(fill("a 1 2\nb 1\n", 0), Err(FillError::File(FileError::Line { line: 2, .. }))));
    // The first of several is the one that counts.
    let found = fill("no 5 5\na 1 2\nb 3 4\n", 1).expect("vectors");
    assert_eq!((found.count(), found.rows().collect::<Vec<_>>()), (1, vec![1]));
    assert!(found.contains(1) && !found.contains(0) && !found.contains(9));
    assert_eq!(rows, [[7.0; 2], [1.0, 2.0], [7.0; 2]]);
    let table = nanoembed::table::Table::from_rows(&rows);
    assert!(TableVectors::new(&["a", "b"], table).is_err());
}

type Model = sequential![
    Embedding<4, 50, 8>,
    Flatten<4, 8, 32>,
    Dense<32, 5, Relu>,
    Frozen<Dense<5, 3>>,
    Dense<3, 1, Sigmoid>
];

fn model() -> Model {
    Model::new(&mut Xoshiro128PlusPlus::seed_from_u64(2))
}

fn npz(key: impl Fn(&Weight) -> String) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    Npz::write(&model(), &mut file, key).expect("different keys");
    file.into_inner()
}

#[test]
fn arrays_are_named_as_layers_are() {
    let key = |weight: &Weight| format!("{weight} {:?}", weight.shape());
    let file = SafeTensors::to_vec(&model(), key).expect("different keys");
    let mut file = SafeTensors::new(&file).expect("a file");
    for key in [
        "embedding/rows [50, 8]",
        "dense/kernel [32, 5]",
        "dense/bias [5]",
        "dense_1/kernel [5, 3]",
        "dense_2/bias [1]",
    ] {
        assert!(file.array(key).expect("readable").is_some(), "{key}");
    }
}

#[test]
fn weights_are_taken_all_or_none() {
    let mut other = Model::zeroed();
    let untouched = image::to_vec(&other);
    // One is missing, the last.
    let file = npz(Weight::by_order);
    let key =
        |weight: &Weight| if weight.position == 6 { "nobody".to_owned() } else { Weight::by_order(weight) };
    let error = read(&mut other, &mut Npz::new(Cursor::new(&file)).expect("an archive"), key);
    assert!(matches!(error, Err(WeightsError::Missing(weight)) if weight.to_string() == "dense_2/bias"));
    // One has another shape.
    let key = |weight: &Weight| format!("arr_{}", [0, 1, 2, 3, 4, 6, 6][weight.position]);
    let error = read(&mut other, &mut Npz::new(Cursor::new(&file)).expect("an archive"), key);
    assert!(matches!(error, Err(WeightsError::SameKey(_))), "{error:?}");
    let key = |weight: &Weight| format!("arr_{}", [0, 1, 2, 3, 4, 6, 5][weight.position]);
    let error =
        read(&mut other, &mut Npz::new(Cursor::new(&file)).expect("an archive"), key).expect_err("shape");
    assert_eq!(error.to_string(), "dense_2/kernel: expected the shape [3, 1], found [1]");
    assert_eq!(image::to_vec(&other), untouched);
    // Any byte that is wrong is found, by the checksum if nothing else, or changes nothing.
    let tensors = SafeTensors::to_vec(&model(), Weight::by_order).expect("different keys");
    for place in 0..file.len() {
        let mut damaged = file.clone();
        damaged[place] ^= 0x10;
        let mut read_into = Model::zeroed();
        let result = Npz::new(Cursor::new(&damaged))
            .map_err(WeightsError::from)
            .and_then(|mut npz| read(&mut read_into, &mut npz, Weight::by_order));
        let image = image::to_vec(&read_into);
        assert!(image == untouched && result.is_err() || image == image::to_vec(&model()), "byte {place}");
    }
    for length in 0..tensors.len() {
        assert!(SafeTensors::new(&tensors[..length]).is_err(), "{length} bytes");
        assert!(length >= file.len() || Npz::new(Cursor::new(&file[..length])).is_err(), "{length} bytes");
        if (4..file.len()).contains(&length) {
            let error = Npz::new(Cursor::new(&file[..length])).expect_err("cut off").to_string();
            assert!(error.contains("cut off"), "{length} bytes: {error}");
        }
    }
    read(&mut other, &mut SafeTensors::new(&tensors).expect("a file"), Weight::by_order).expect("all arrays");
    assert_eq!(image::to_vec(&other), image::to_vec(&model()));
}

#[test]
fn equal_weights_give_equal_files() {
    assert_eq!(npz(Weight::by_name), npz(Weight::by_name));
    let error = SafeTensors::to_vec(&model(), |_| "same".to_owned()).expect_err("one key for all");
    assert!(matches!(error, WeightsError::SameKey(weight) if weight.position == 1));
}

#[test]
fn a_key_that_cannot_be_read_again_is_refused() {
    let key = |weight: &Weight| match weight.position {
        3 => "__metadata__".to_owned(),
        _ => Weight::by_order(weight),
    };
    let error = SafeTensors::to_vec(&model(), key).expect_err("no name of an array");
    assert!(matches!(error, WeightsError::ReservedKey(weight) if weight.position == 3), "{error:?}");
    let text = "dense_1/kernel: its key is no name of an array in this kind of file";
    assert_eq!(error.to_string(), text);
    // In an archive it is a name like any other, and so are these.
    for first in ["__metadata__", "", "a/../b", "/a", "a\\b", "ä.npy", "a b", ".", "C:a"] {
        let key = |weight: &Weight| format!("{first}{}", "'".repeat(weight.position));
        let mut same = Model::zeroed();
        read(&mut same, &mut Npz::new(Cursor::new(npz(key))).expect("an archive"), key).expect(first);
        assert_eq!(image::to_vec(&same), image::to_vec(&model()), "{first}");
        if first != "__metadata__" {
            let file = SafeTensors::to_vec(&model(), key).expect(first);
            read(&mut same, &mut SafeTensors::new(&file).expect("a file"), key).expect(first);
        }
    }
}

type Whole = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
type Partly = sequential![FrozenRows<Embedding<4, 50, 8>, 2>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];

#[test]
fn which_rows_are_frozen_is_no_weight() {
    let mut model = Partly::zeroed();
    model.first.freeze(3).expect("a row");
    let file = SafeTensors::to_vec(&model, Weight::by_name).expect("different keys");
    let mut same = Whole::zeroed();
    read(&mut same, &mut SafeTensors::new(&file).expect("a file"), Weight::by_name).expect("the same arrays");
    read(&mut model, &mut SafeTensors::new(&file).expect("a file"), Weight::by_name)
        .expect("the same arrays");
    assert!(model.first.is_frozen(3));
}

/// An npy file of this header, with these bytes behind it.
fn npy(header: &str, numbers: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes(), numbers].concat()
}

#[test]
fn a_wrong_shape_is_refused_before_its_numbers_are_read() {
    for (shape, found) in [
        ("(100000000,)", "[100000000]"),
        ("(0,)", "[0]"),
        ("()", "[]"),
        ("(3, 2, 0, 1)", "[3, 2, 0, 1]"),
        ("(3, 2, 1, 1, 1, 1)", "[3, 2, 1, 1] and 2 more extents"),
    ] {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("arr_0.npy", zip::write::SimpleFileOptions::default()).expect("a member");
        // Without numbers: who looks for them finds the end of the file.
        archive.write_all(&npy(&header, &[])).expect("written");
        let mut file = Npz::new(archive.finish().expect("an archive")).expect("an archive");
        let error = read(&mut Dense::<3, 2>::zeroed(), &mut file, Weight::by_order).expect_err("shape");
        assert_eq!(error.to_string(), format!("dense/kernel: expected the shape [3, 2], found {found}"));
    }
}

#[test]
fn an_array_takes_the_memory_of_its_numbers() {
    for (count, kind, size) in [(5000, "<f4", 4), (5000, "<f2", 2), (5000, ">f8", 8)] {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({count},), }}");
        let array = Array::read_npy(npy(&header, &vec![0; count * size]).as_slice()).expect("an array");
        assert_eq!((array.values.len(), array.values.capacity()), (count, count), "{kind}");
    }
    // What a header claims is not taken before it is there.
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}", usize::MAX / 8);
    let error = Array::read_npy(npy(&header, &[0; 1 << 14]).as_slice()).expect_err("too few numbers");
    assert!(matches!(error, FileError::Bytes { .. }), "{error:?}");
}

#[test]
fn npy_headers_as_others_write_them() {
    let four = [0_u8; 16];
    for header in [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n",
        "{\"shape\": (4,), \"fortran_order\": True, \"descr\": \">f4\"}",
        "{'descr':'<f8','fortran_order':False,'shape':(1,1,2)}  ",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}",
    ] {
        let array = Array::read_npy(npy(header, &four).as_slice()).expect(header);
        assert_eq!(array.shape.iter().product::<usize>(), array.values.len());
    }
    let scalar = Array::read_npy(
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", &four[..4]).as_slice(),
    );
    assert_eq!(scalar.map(|array| array.values), Ok(vec![0.0]));
    let empty =
        Array::read_npy(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 0), }", &[]).as_slice());
    assert_eq!(empty.map(|array| array.shape), Ok(vec![3, 0]));
    // Column by column.
    let numbers: Vec<u8> = (0..6).flat_map(|x| (x as f32).to_le_bytes()).collect();
    let array = Array::read_npy(
        npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", &numbers).as_slice(),
    );
    assert_eq!(array.map(|array| array.values), Ok(vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0]));
    for header in [
        "",
        "{}",
        "{'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4', 'shape': (4,), }",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2), }",
        "{'descr': '|f4', 'fortran_order': False, 'shape': (2, 2), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4', 'fortran_order': No, 'shape': (4,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 'x': 3}",
        "{'descr': '",
    ] {
        assert!(Array::read_npy(npy(header, &four).as_slice()).is_err(), "{header}");
    }
    // Without a shape it would be one number.
    assert!(
        Array::read_npy(npy("{'descr': '<f4', 'fortran_order': False, }", &four[..4]).as_slice()).is_err()
    );
    let whole = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", &four);
    for length in 0..whole.len() {
        assert!(Array::read_npy(&whole[..length]).is_err(), "{length} bytes");
    }
}

/// Reads the bytes as every kind of file.
fn read_as_everything(bytes: &[u8]) {
    let _ = TextVectors::new(bytes).and_then(words);
    let _ = TextVectors::with_header(bytes).and_then(words);
    let _ = BinaryVectors::new(bytes).and_then(words);
    let _ = Array::read_npy(bytes);
    let mut model = Model::zeroed();
    let _ = Npz::new(Cursor::new(bytes)).map(|mut file| read(&mut model, &mut file, Weight::by_order));
    let _ = SafeTensors::new(bytes).map(|mut file| read(&mut model, &mut file, Weight::by_order));
}

proptest! {
    /// Damaged files of each kind, and bytes that are no file at all.
    #[test]
    fn no_bytes_are_too_bad_to_be_refused(
        kind in 0..6_usize,
        noise in prop::collection::vec(any::<u8>(), 0..40),
        place in any::<prop::sample::Index>(),
        keep in any::<bool>(),
    ) {
        let file = match kind {
            0 => b"a 1 2\nb 3 4\n".to_vec(),
            1 => b"2 2\na 1 2\nb 3 4\n".to_vec(),
            2 => b"2 1\na \0\0\x80\x3f\nb \0\0\0\0".to_vec(),
            3 => npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", &[7; 16]),
            4 => npz(Weight::by_order),
            _ => SafeTensors::to_vec(&model(), Weight::by_order).expect("different keys"),
        };
        let (before, after) = file.split_at(place.index(file.len()));
        let after = if keep { after } else { after.get(noise.len()..).unwrap_or_default() };
        read_as_everything(&[before, &noise, after].concat());
        read_as_everything(&noise);
    }
}
