//! Files of numpy, gensim, GloVe, Hugging Face and Keras, held against what those read from them: `tests/oracle/loaders`.

use nanoembed::layers::options::MaskZero;
use nanoembed::layers::{
    Conv1D, Dense, Embedding, Flatten, GlobalMaxPooling1D, Layer, Lstm, Relu, Sigmoid, Softmax,
};
use nanoembed::sequential;
use nanoembed::table::TableMut;
use nanoembed::vectors::{AnyVectors, BinaryVectors, FastText, TableVectors, TextVectors, Vectors};
use nanoembed::weights::{Array, Arrays, Npz, SafeTensors, Weight, read};
use serde_json::Value;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

const DIM: usize = 6;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/loaders").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn expected() -> Value {
    serde_json::from_slice(&bytes("expected.json")).expect("JSON")
}

fn numbers(array: &Value) -> Vec<f32> {
    let data = array["data"].as_array().expect("data");
    data.iter().map(|x| x.as_f64().expect("a number") as f32).collect()
}

/// The table that the files hold, and the word of each row.
fn table_and_words() -> (Vec<f32>, Vec<String>) {
    let expected = expected();
    let words = expected["words"].as_array().expect("words").iter();
    (numbers(&expected["table"]), words.map(|word| word.as_str().expect("a word").to_owned()).collect())
}

/// Equal by bits, but for the rounding that a type of numbers stands for.
fn assert_table(name: &str, array: &Array, relative: f32) {
    let (table, words) = table_and_words();
    assert_eq!(array.shape, [words.len(), DIM], "{name}");
    for (found, expected) in array.values.iter().zip(table) {
        let equal = found.to_bits() == expected.to_bits();
        assert!(
            equal || (found - expected).abs() <= relative * expected.abs(),
            "{name}: {found}, {expected}"
        );
    }
}

#[test]
fn npy_of_each_type_and_order() {
    for name in ["table_f32", "table_f64", "table_f32_fortran_order", "table_f32_big_endian"] {
        assert_table(name, &Array::read_npy(bytes(&format!("{name}.npy")).as_slice()).expect(name), 0.0);
    }
    // Halves: 1e-30 is 0; what is larger than a half can be was cut to 60,000 when the file was made.
    let halves = Array::read_npy(bytes("table_f16.npy").as_slice()).expect("table_f16");
    let (table, _) = table_and_words();
    assert_eq!(halves.shape, [40, DIM]);
    for (found, expected) in halves.values.iter().zip(table) {
        let expected = if expected > 6e4 { 6e4 } else { expected };
        assert!((found - expected).abs() <= expected.abs() / 2048.0 + 6e-8, "{found}, {expected}");
    }
}

#[test]
fn arrays_of_archives() {
    let mut npz = Npz::new(Cursor::new(bytes("table_and_ids.npz"))).expect("an archive");
    assert_table("npz", &npz.array("table").expect("readable").expect("there"), 0.0);
    assert!(npz.array("ids").is_err(), "no floats");
    assert_eq!(npz.array("nobody"), Ok(None));
    let mut compressed = Npz::new(Cursor::new(bytes("table_compressed.npz"))).expect("an archive");
    assert_table("compressed", &compressed.array("table").expect("readable").expect("there"), 0.0);

    let file = bytes("table.safetensors");
    let mut tensors = SafeTensors::new(&file).expect("a file of tensors");
    let mut array = |key| tensors.array(key).expect("readable").expect("there");
    assert_table("safetensors", &array("embeddings"), 0.0);
    let halves = Array::read_npy(bytes("table_f16.npy").as_slice()).expect("table_f16");
    assert_eq!(array("half"), halves);
    assert_eq!(array("bias").shape, [DIM]);
    assert!(tensors.array("ids").is_err(), "no floats");
    assert_eq!(tensors.array("nobody"), Ok(None));
}

/// All words of a file with their rows, and that they are those of the table.
fn assert_vectors(name: &str, mut vectors: impl Vectors) {
    let (table, words) = table_and_words();
    assert_eq!(vectors.dim(), DIM, "{name}");
    for (word, row) in words.iter().zip(table.chunks(DIM)) {
        let (found, numbers) = vectors.next_row().expect(name).expect("another row");
        assert_eq!(found, word, "{name}");
        assert!(numbers.iter().zip(row).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}: {word}");
    }
    assert_eq!(vectors.next_row(), Ok(None), "{name}");
}

#[test]
fn vectors_of_each_format() {
    let open = |name: &str| BufReader::with_capacity(7, std::fs::File::open(path(name)).expect("the file"));
    assert_vectors("glove", TextVectors::new(open("glove.txt")).expect("glove"));
    assert_vectors("word2vec", TextVectors::with_header(open("word2vec_gensim.txt")).expect("word2vec"));
    for name in ["word2vec_gensim.bin", "word2vec_c_tool_newlines.bin"] {
        assert_vectors(name, BinaryVectors::new(open(name)).expect(name));
    }
    let (table, words) = table_and_words();
    let table = nanoembed::table::Table::new(&table, words.len(), DIM).expect("a table");
    assert_vectors("table", TableVectors::new(&words, table).expect("as many words"));
}

/// What each file is, is told by its first bytes; rows of arrays have their numbers for words.
#[test]
fn vectors_of_any_file() {
    let open = |name: &str| BufReader::with_capacity(9, std::fs::File::open(path(name)).expect("the file"));
    for name in [
        "glove.txt",
        "glove.txt.gz",
        "word2vec_gensim.txt",
        "word2vec_gensim.bin",
        "word2vec_gensim.bin.gz",
        "word2vec_c_tool_newlines.bin",
    ] {
        assert_vectors(name, AnyVectors::open(open(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
    }
    let (table, words) = table_and_words();
    for name in [
        "table_f32.npy",
        "table_f64.npy",
        "table_f32_fortran_order.npy",
        "table_f32_big_endian.npy",
        "table_and_ids.npz",
        "table_compressed.npz",
        "table.safetensors",
    ] {
        let opened = match name {
            "table.safetensors" => AnyVectors::open_array(open(name), "embeddings"),
            _ => AnyVectors::open(open(name)),
        };
        let mut vectors = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((vectors.dim(), vectors.rows_promised()), (DIM, Some(words.len() as u64)), "{name}");
        for (number, row) in table.chunks(DIM).enumerate() {
            let (word, found) = vectors.next_row().expect(name).expect("another row");
            assert_eq!(word, number.to_string(), "{name}");
            assert!(found.iter().zip(row).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}: {word}");
        }
        assert_eq!(vectors.next_row(), Ok(None), "{name}");
    }
    let several = AnyVectors::open(open("table.safetensors")).expect_err("two tables");
    assert!(several.to_string().starts_with("an archive of several arrays"), "{several}");
    let refused = AnyVectors::open_array(open("table.safetensors"), "nobody").unwrap_err();
    assert_eq!(refused.to_string(), "byte 0: expected an archive with an array of that name, of two extents");
    for model in ["embedding_flatten_dense.keras", "expected.json"] {
        assert!(AnyVectors::open(open(model)).is_err(), "{model}");
    }
}

#[test]
fn models_of_fasttext_and_words_that_they_never_saw() {
    let expected: Value = serde_json::from_slice(&bytes("fasttext.json")).expect("JSON");
    for (file, key) in [("fasttext_subwords.bin", "vectors"), ("fasttext_words.bin", "plain")] {
        let mut model = FastText::read(bytes(file).as_slice()).expect(file);
        let vectors = expected[key].as_object().expect("vectors by word");
        let mut found = vec![f32::NAN; model.dim()];
        for (word, row) in vectors {
            let row: Vec<f64> =
                row.as_array().expect("a row").iter().map(|x| x.as_f64().expect("a number")).collect();
            let known = model.vector(word, &mut found).expect("as many numbers");
            assert_eq!(known, row.iter().any(|x| *x != 0.0), "{file}: {word}");
            for (found, row) in found.iter().zip(&row) {
                assert!((f64::from(*found) - row).abs() <= 1e-7, "{file}: {word}: {found}, {row}");
            }
        }
        if key == "vectors" {
            let words = expected["words"].as_array().expect("words").iter().filter_map(Value::as_str);
            assert!(model.words().eq(words));
        }
        let words: Vec<String> = model.words().map(str::to_owned).collect();
        for word in words {
            let row = model.next_row().expect("a row").map(|(word, row)| (word.to_owned(), row.to_vec()));
            model.vector(&word, &mut found).expect("as many numbers");
            assert_eq!(row, Some((word, found.clone())), "{file}");
        }
        assert_eq!(model.next_row(), Ok(None), "{file}");
        assert!(model.vector("the", &mut [0.0]).is_err());
    }
    let zipped = AnyVectors::open(Cursor::new(bytes("fasttext_subwords.bin"))).expect("a model");
    assert_eq!((zipped.dim(), zipped.rows_promised()), (5, Some(14)));
}

#[test]
fn words_with_spaces() {
    let file = bytes("glove_word_with_spaces.txt");
    let mut vectors = TextVectors::with_dim(file.as_slice(), DIM);
    let mut words = Vec::new();
    while let Some((word, row)) = vectors.next_row().expect("rows") {
        assert_eq!(row.len(), DIM);
        words.push(word.to_owned());
    }
    assert_eq!(words, [". . .", "at name@domain.com", "plain"]);
}

#[test]
fn an_embedding_layer_from_a_table_of_words() {
    let (table, words) = table_and_words();
    let mut layer = Embedding::<4, 50, DIM>::zeroed();
    let file = bytes("word2vec_gensim.bin");
    let mut vectors = BinaryVectors::new(file.as_slice()).expect("vectors");
    let row_of = |word: &str| words.iter().position(|known| known == word).map(|place| place + 2);
    let found = vectors.fill(&mut TableMut::from_rows(&mut layer.rows), row_of).expect("vectors");
    assert_eq!(found.count(), words.len());
    assert!(found.rows().eq(2..42));
    assert_eq!(layer.rows[..2].as_flattened(), [0.0; 12]);
    assert_eq!(layer.rows[2..42].as_flattened(), table);
}

/// A tiny Keras model: its predictions with its weights from either file, by order and by Keras' paths, and back again.
fn assert_keras<M, const LEN: usize, const OUT: usize>(name: &str, paths: &[String])
where
    M: Layer<Input = [u16; LEN], Output = [f32; OUT]>,
{
    let model = &expected()["models"][name];
    let mut from_npz = M::zeroed();
    let mut npz = Npz::new(Cursor::new(bytes(&format!("{name}.npz")))).expect("an archive");
    read(&mut from_npz, &mut npz, Weight::by_order).expect(name);

    let (mut from_tensors, file) = (M::zeroed(), bytes(&format!("{name}.safetensors")));
    read(&mut from_tensors, &mut SafeTensors::new(&file).expect("tensors"), |weight| {
        paths[weight.position].clone()
    })
    .expect(name);

    let x: Vec<u16> = numbers(&model["x"]).into_iter().map(|id| id as u16).collect();
    let y = numbers(&model["predictions"]);
    for model in [&from_npz, &from_tensors] {
        for (x, y) in x.as_chunks().0.iter().zip(y.chunks(OUT)) {
            let found = model.predict(x).expect("valid ids");
            assert!(found.iter().zip(y).all(|(a, b)| (a - b).abs() <= 1e-6), "{name}: {found:?}, {y:?}");
        }
    }

    let image = nanoembed::image::to_vec(&from_npz);
    assert_eq!(image, nanoembed::image::to_vec(&from_tensors), "{name}");
    let (mut again, mut file) = (M::zeroed(), Cursor::new(Vec::new()));
    Npz::write(&from_npz, &mut file, Weight::by_name).expect("written");
    read(&mut again, &mut Npz::new(&mut file).expect("an archive"), Weight::by_name).expect("the same keys");
    assert_eq!(image, nanoembed::image::to_vec(&again), "{name}");
    let (mut again, file) = (M::zeroed(), SafeTensors::to_vec(&from_npz, Weight::by_order).expect("written"));
    read(&mut again, &mut SafeTensors::new(&file).expect("tensors"), Weight::by_order)
        .expect("the same keys");
    assert_eq!(image, nanoembed::image::to_vec(&again), "{name}");
}

type Flat = sequential![Embedding<4, 40, DIM>, Flatten<4, DIM, 24>, Dense<24, 1, Sigmoid>];
type Recurrent = sequential![Embedding<5, 40, DIM, u16, MaskZero>, Lstm<5, DIM, 3>, Dense<3, 1, Sigmoid>];
type Convolutional = sequential![
    Embedding<6, 40, DIM>,
    Conv1D<6, DIM, 4, 3, 4, Relu>,
    GlobalMaxPooling1D<4, 4>,
    Dense<4, 2, Softmax>
];

#[test]
fn keras_models_predict_as_in_keras() {
    let paths = ["emb/embeddings", "out/kernel", "out/bias"];
    let paths = paths.map(|path| format!("sequential/{path}"));
    assert_keras::<Flat, 4, 1>("embedding_flatten_dense", &paths);
    let lstm = ["kernel", "recurrent_kernel", "bias"].map(|name| format!("lstm/lstm_cell/{name}"));
    let paths = ["emb/embeddings", &lstm[0], &lstm[1], &lstm[2], "out/kernel", "out/bias"];
    let paths = paths.map(|path| format!("sequential_1/{path}"));
    assert_keras::<Recurrent, 5, 1>("embedding_lstm_dense", &paths);
    let paths = ["emb/embeddings", "conv/kernel", "conv/bias", "out/kernel", "out/bias"];
    let paths = paths.map(|path| format!("sequential_2/{path}"));
    assert_keras::<Convolutional, 6, 2>("embedding_conv_dense", &paths);
}
