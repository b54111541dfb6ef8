//! Models from Keras, and models for other programs.

use super::{Folder, fail, json, run, succeed, succeed_with, text, tsv};
use nanoembed::weights::{Arrays, Npz};
use std::fs;
use std::path::PathBuf;

/// A file of the crate's fixtures, which Keras wrote.
fn fixture(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle/loaders");
    folder.join(name).display().to_string()
}

#[test]
fn models_of_keras_predict_as_recorded() {
    let folder = Folder::new("keras");
    let expected = json(&fs::read_to_string(fixture("expected.json")).expect("the expected values"));
    let models = expected["models"].as_object().expect("models");
    assert_eq!(models.len(), 3);
    for (name, model) in models {
        let image = folder.path("model.nemb");
        succeed(&["import", &fixture(&format!("{name}.keras")), "-o", &image]);
        let numbers = |key: &str| model[key]["data"].as_array().expect("numbers").clone();
        let shape = |key: &str| model[key]["shape"][1].as_u64().expect("an extent") as usize;
        let (length, outputs) = (shape("x"), shape("predictions"));
        let rows: Vec<String> = numbers("x")
            .chunks(length)
            .map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ") + "\n")
            .collect();
        let answers = succeed_with(
            &["predict", &image, "--ids", "--json", "--top", &outputs.to_string()],
            rows.concat().as_bytes(),
        );
        assert_eq!(answers.lines().count(), rows.len());
        for (answer, row) in answers.lines().zip(numbers("predictions").chunks(outputs)) {
            for answer in json(answer)["top"].as_array().expect("answers") {
                let class: usize = answer["label"].as_str().expect("a number").parse().expect("a number");
                let difference = answer["probability"].as_f64().expect("a number")
                    - row[class].as_f64().expect("a number");
                assert!(difference.abs() <= 1e-5, "{name}: {answer} and {row:?}");
            }
        }
    }
}

#[test]
fn a_model_of_two_inputs_predicts_as_recorded() {
    let folder = Folder::new("branches");
    let recorded = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keras");
    let image = folder.path("model.nemb");
    let file = recorded.join("branches.keras").display().to_string();
    succeed(&["import", &file, "-o", &image, "--classes", "0,1,2"]);
    let expected = json(&fs::read_to_string(recorded.join("branches.json")).expect("what Keras predicts"));
    let lines: Vec<&str> =
        expected["lines"].as_array().expect("lines").iter().filter_map(|line| line.as_str()).collect();
    let answers = succeed_with(
        &["predict", &image, "--ids", "--json", "--top", "3"],
        (lines.join("\n") + "\n").as_bytes(),
    );
    assert_eq!((answers.lines().count(), lines.len()), (25, 25));
    for (number, answer) in answers.lines().enumerate() {
        for answer in json(answer)["top"].as_array().expect("answers") {
            let class: usize = answer["label"].as_str().expect("a name").parse().expect("a number");
            let of_keras = expected["predictions"][number][class].as_f64().expect("a number");
            let difference = answer["probability"].as_f64().expect("a number") - of_keras;
            assert!(difference.abs() <= 1e-5, "{answer}: {of_keras}");
        }
    }
    for line in ["1 2 3 4 5 6 7 8 9 10 11\n", "1 2 3 4 5 6 7 8 9 10 11 | 1 2 3\n", "1 | 2 | 3\n"] {
        let output = super::run_with(&["predict", &image, "--ids"], line.as_bytes());
        assert_eq!(output.status.code(), Some(3), "{line}: {}", text(&output.stderr));
    }
}

#[test]
fn models_that_cannot_be_imported() {
    let folder = Folder::new("no-keras");
    let image = folder.path("model.nemb");
    let message = fail(&["import", &folder.write("a.weights.h5", b"\x89HDF\r\n\x1a\n"), "-o", &image], 4);
    assert!(message.contains("model.save"), "{message}");
    fail(&["import", &folder.write("text.keras", "no archive"), "-o", &image], 4);
    fail(&["import", &fixture("none.keras"), "-o", &image], 5);
    let whole = fs::read(fixture("embedding_lstm_dense.keras")).expect("a file");
    fail(&["import", &folder.write("half.keras", &whole[..whole.len() / 2]), "-o", &image], 4);
    fail(&["import", &fixture("embedding_lstm_dense.keras"), "-o", &image, "--classes", "a,b"], 4);
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 3);

    succeed(&["import", &fixture("embedding_lstm_dense.keras"), "-o", &image]);
    // It takes ids: how text becomes ids is not known.
    let output = run(&["predict", &image]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("--ids"), "{}", text(&output.stderr));
}

#[test]
fn wrong_ids() {
    let folder = Folder::new("ids");
    let image = folder.path("model.nemb");
    succeed(&["import", &fixture("embedding_lstm_dense.keras"), "-o", &image]);
    for (line, code) in [("1 2 x 4 5\n", 3), ("1 2 3\n", 3), ("1 2 3 4 4000000\n", 3), ("1 2 3 4 -5\n", 3)] {
        let output = super::run_with(&["predict", &image, "--ids"], line.as_bytes());
        assert_eq!(output.status.code(), Some(code), "{line}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("standard input:1"), "{}", text(&output.stderr));
    }
}

#[test]
fn exports() {
    let folder = Folder::new("exports");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &["--characters", "0"]);
    let rust = succeed(&["export", &model, "--to", "rust"]);
    for part in [
        "EmbeddingBag<256, 256, 8, Mean, u16>",
        "Dense<8, 3, Softmax>",
        "include_image!(\"a.nemb\")",
        "HashingTokenizer<NativeHash, Ascii, 2>",
        ".splitter(Splitter::MARKS)",
        "[\"food\", \"price\", \"room\"]",
    ] {
        assert!(rust.contains(part), "{part}: {rust}");
    }
    let with_characters = folder.train(&data, "b.nemb", &[]);
    let rust = succeed(&["export", &with_characters, "--to", "rust"]);
    assert!(rust.contains(".subwords(5, 5)") && rust.contains(".splitter(Splitter::MARKS)"), "{rust}");
    let as_keras = folder.train(&data, "k.nemb", &["--split", "keras", "--characters", "0"]);
    assert!(!succeed(&["export", &as_keras, "--to", "rust"]).contains("Splitter"));

    let image = fs::read(&model).expect("an image");
    let c = succeed(&["export", &model, "--to", "c"]);
    let bytes: Vec<u8> = c
        .split_once('{')
        .expect("an array")
        .1
        .split(',')
        .filter_map(|number| u8::from_str_radix(number.trim().strip_prefix("0x")?, 16).ok())
        .collect();
    assert!(bytes == image);

    let tensors = folder.path("a.safetensors");
    succeed(&["export", &model, "--to", "safetensors", "-o", &tensors]);
    let tensors = fs::read(tensors).expect("a file");
    let header = String::from_utf8_lossy(&tensors[8..]).into_owned();
    assert!(header.contains("\"embedding_bag/rows\":{\"dtype\":\"F32\",\"shape\":[256,8]"));

    let npz = folder.path("a.npz");
    succeed(&["export", &model, "--to", "npz", "-o", &npz]);
    let mut arrays = Npz::new(fs::File::open(npz).expect("a file")).expect("an archive");
    let kernel = arrays.array("dense/kernel").expect("an array").expect("a kernel");
    assert_eq!((kernel.shape.as_slice(), kernel.values.len()), (&[8, 3][..], 24));

    let small = folder.path("c.nemb");
    succeed(&["quantise", &model, "-o", &small, "--fold", "i4", "--keep", "100"]);
    assert!(succeed(&["export", &small, "--to", "rust"]).contains("KeptRows<I4Row<3, 2>, 100, 256, 8>"));
}

/// The arrays of a model as NumPy has them.
fn arrays(folder: &Folder, model: &str, names: &[&str]) -> Vec<(Vec<usize>, Vec<f32>)> {
    let npz = folder.path("arrays.npz");
    succeed(&["export", model, "--to", "npz", "-o", &npz]);
    succeed(&["export", model, "--to", "safetensors", "-o", &folder.path("arrays.safetensors")]);
    let mut arrays = Npz::new(fs::File::open(npz).expect("a file")).expect("an archive");
    let mut array = |name: &&str| {
        let array = arrays.array(name).expect("an array").unwrap_or_else(|| panic!("no {name}"));
        (array.shape, array.values)
    };
    names.iter().map(&mut array).collect()
}

/// The greatest distance from 0.
fn greatest(numbers: impl Iterator<Item = f32>) -> f32 {
    numbers.map(f32::abs).max_by(f32::total_cmp).expect("a number")
}

/// `folded/rows` of the file of safetensors that `arrays` wrote.
fn kept_rows(folder: &Folder) -> Vec<u32> {
    let bytes = fs::read(folder.path("arrays.safetensors")).expect("a file");
    let (length, rest) = bytes.split_first_chunk().expect("a length");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header = json(&text(header));
    let rows = &header["folded/rows"];
    assert_eq!(rows["dtype"], "U32");
    let place = |end: usize| rows["data_offsets"][end].as_u64().expect("a number") as usize;
    let numbers = data[place(0)..place(1)].chunks_exact(4);
    numbers.map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes"))).collect()
}

#[test]
fn packed_rows_are_written_as_numbers() {
    let folder = Folder::new("packed-arrays");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    let names = ["embedding_bag/rows", "dense/kernel", "dense/bias"];
    let whole = arrays(&folder, &model, &names);
    let [(_, rows), (_, kernel), (_, bias)] = whole.as_slice() else { panic!("three arrays") };
    let most = greatest(rows.iter().copied());
    let small = folder.path("b.nemb");
    // A step of each format, as a part of the greatest number.
    for (format, step) in [("f16", 1e-3), ("bf16", 8e-3), ("u8", 8e-3), ("u4", 0.14)] {
        succeed(&["quantise", &model, "-o", &small, "--numbers", format]);
        let packed = arrays(&folder, &small, &names);
        assert_eq!((&packed[0].0, &packed[1], &packed[2]), (&vec![256, 8], &whole[1], &whole[2]));
        let furthest = greatest(packed[0].1.iter().zip(rows).map(|(a, b)| a - b));
        assert!(furthest > 0.0 && furthest <= step * most, "{format}: {furthest} of {most}");
    }

    // A folded row has the scores that the row had: row · kernel + bias.
    let score = |row: usize, class: usize| -> f32 {
        (0..8).map(|i| rows[8 * row + i] * kernel[3 * i + class]).sum::<f32>() + bias[class]
    };
    let names = ["folded/scores", "folded/bias"];
    for (format, kept, step) in [("i8", 256, 1.0 / 64.0), ("i8", 100, 1.0 / 64.0), ("i4", 256, 0.2)] {
        succeed(&["quantise", &model, "-o", &small, "--fold", format, "--keep", &kept.to_string()]);
        let folded = arrays(&folder, &small, &names);
        let [(shape, scores), (_, of_none)] = folded.as_slice() else { panic!("two arrays") };
        let numbers = kept_rows(&folder);
        assert_eq!((shape.as_slice(), numbers.len(), of_none.len()), (&[kept, 3][..], kept, 3));
        assert!(numbers.is_sorted_by(|a, b| a < b));
        let most = greatest(scores.iter().copied());
        for (row, scores) in numbers.iter().zip(scores.chunks(3)) {
            for class in 0..3 {
                // What all classes have more or less of says nothing.
                let of_model = score(*row as usize, class) - score(*row as usize, 0);
                let difference = (scores[class] - scores[0] - of_model).abs();
                assert!(difference <= 2.0 * step * most, "{format}, row {row}: {difference} of {most}");
            }
        }
    }
}

#[test]
fn every_model_that_is_trained_has_arrays() {
    let folder = Folder::new("all-arrays");
    let data = folder.write("train.tsv", tsv());
    for (model, name) in
        [("conv", "conv1d/kernel"), ("lstm", "lstm/recurrent_kernel"), ("mlp", "dense_1/bias")]
    {
        for numbers in ["f32", "u8"] {
            let more = ["--model", model, "--numbers", numbers, "--epochs", "1", "--hold-out", "0"];
            let image = folder.train(&data, "a.nemb", &more);
            let found = arrays(&folder, &image, &["embedding/rows", name]);
            assert_eq!(found[0].0, [256, 8], "{model}");
            assert!(found[1].1.iter().all(|x| x.is_finite()), "{model}");
        }
    }
}
