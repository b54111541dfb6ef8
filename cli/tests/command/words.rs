//! `neighbours`, `analogy`, `similarity` and `convert`, on a few vectors.

use super::{Folder, fail, json, run, run_with, succeed, succeed_with, text, tsv};
use std::fs;

/// GloVe's text: royals and fruits.
const VECTORS: &str = "\
king 0.9 0.1 0.8 0
queen 0.1 0.9 0.8 0
man 1 0.1 0 0
woman 0.1 1 0 0
apple 0 0 0.1 1
pear 0.1 0 0 0.9
";

#[test]
fn neighbours_are_the_nearest() {
    let folder = Folder::new("neighbours");
    let file = folder.write("v.txt", VECTORS);
    let lines = succeed(&["neighbours", &file, "apple", "king", "--top", "2"]);
    let words: Vec<(&str, &str)> = lines
        .lines()
        .map(|line| line.rsplit_once('\t').expect("a cosine").0.split_once('\t').expect("words"))
        .collect();
    assert_eq!(words, [("apple", "pear"), ("apple", "king"), ("king", "man"), ("king", "queen")]);
    // (0.9 · 1 + 0.1 · 0.1) / (√1.46 · √1.01)
    assert!(lines.contains("king\tman\t0.7494\n"), "{lines}");

    // A line is answered or told to be unknown, and those after it are answered.
    let output = run_with(&["neighbours", &file, "--top", "1"], b"pear\nplum\n\nman\n");
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), "pear\tapple\t0.9890\nman\tking\t0.7494\n");
    assert!(text(&output.stderr).contains("\"plum\" is not among its 6 words"), "{}", text(&output.stderr));

    let report = json(&succeed(&["neighbours", &file, "pear", "--json", "--most", "6"]));
    assert_eq!(report["word"], "pear");
    let report = json(&succeed_with(&["neighbours", &file, "--json", "--top", "1"], b"pear"));
    assert_eq!(report["neighbours"][0]["word"], "apple");
}

#[test]
fn unknown_words_are_told_before_anything_is_printed() {
    let folder = Folder::new("unknown");
    let file = folder.write("v.txt", VECTORS);
    let output = run(&["neighbours", &file, "king", "Queen"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(3), String::new()));
    assert!(text(&output.stderr).contains("\"Queen\" is not among its 6 words, but \"queen\" is"));
    assert!(fail(&["similarity", &file, "king", "duke"], 3).contains("v.txt: \"duke\""));
    assert!(fail(&["analogy", &file, "man", "king", "girl"], 3).contains("\"girl\""));
    fail(&["neighbours", &folder.path("none.txt"), "king"], 5);
    let pickle = folder.write("v.pkl", b"\x80\x04\x95\x1c\x00\x00\x00");
    assert!(fail(&["neighbours", &pickle, "king"], 3).contains("byte 0: expected a file of vectors"));
    assert!(fail(&["neighbours", &folder.write("w.txt", "a 1 2\nb 1\n"), "a"], 3).contains("w.txt: line 2"));
    fail(&["analogy", &file, "man", "king"], 2);
    fail(&["similarity", &file, "man"], 2);
}

#[test]
fn what_a_file_has_wrong_is_told() {
    let folder = Folder::new("vectors-wrong");
    let file = folder.write("v.vec", "4 2\na 1 0\nb 0 1\na 1 1\n");
    let output = run(&["similarity", &file, "a", "b"]);
    assert_eq!(text(&output.stdout), "0.0000\n");
    let told = text(&output.stderr);
    assert!(told.contains("the header promises 4 rows, the file has 3: they are taken"), "{told}");
    assert!(told.contains("1 rows of words that came before are left out"), "{told}");
    // A number too many.
    let file = folder.write("w.txt", "a 1 2\nb 3 4\nc 0.5 5 6\n");
    let told = text(&run(&["similarity", &file, "a", "b"]).stderr);
    assert!(told.contains("row 3 is that of \"c 0.5\"") && told.contains("a number too many?"), "{told}");
    assert!(fail(&["similarity", &file, "a", "b", "--array", "x"], 2).contains("has no arrays"));
}

#[test]
fn arrays_without_words_and_without_a_name() {
    let folder = Folder::new("arrays");
    let array = folder.path("v.npy");
    succeed(&["convert", &folder.write("v.txt", VECTORS), &array]);
    fs::remove_file(format!("{array}.words.txt")).expect("the words");
    let message = fail(&["neighbours", &array, "king"], 3);
    assert!(message.contains("v.npy.words.txt is not there"), "{message}");
    let model = folder.train(&folder.write("train.tsv", tsv()), "a.nemb", &["--epochs", "1"]);
    let weights = folder.path("a.npz");
    succeed(&["export", &model, "--to", "npz", "-o", &weights]);
    let message = fail(&["neighbours", &weights, "3"], 3);
    assert!(message.contains("name one by --array, among "), "{message}");
    assert!(message.contains("dense/kernel") && message.contains("embedding"), "{message}");
}

#[test]
fn analogies_are_answered_and_counted() {
    let folder = Folder::new("analogy");
    let file = folder.write("v.txt", VECTORS);
    for more in [&["--multiply"][..], &[]] {
        let answer = succeed(&[&["analogy", &file, "man", "king", "woman", "--top", "1"], more].concat());
        assert!(answer.starts_with("queen\t"), "{answer}");
    }
    let report = json(&succeed(&["analogy", &file, "Man", "King", "Woman", "--lowercase", "--json"]));
    assert_eq!((&report["c"], &report["answers"][0]["word"]), (&"woman".into(), &"queen".into()));

    let questions =
        ": people\nMan King Woman Queen\nman king queen apple\n\n: fruits\nApple Pear plum Plums\n";
    let questions = folder.write("q.txt", questions);
    let table = succeed(&["analogy", &file, "--test", &questions, "--lowercase"]);
    let fields: Vec<Vec<&str>> =
        table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        fields,
        [
            ["people", "0.5000", "1", "2", "0"],
            ["fruits", "-", "0", "0", "1"],
            ["all", "0.5000", "1", "2", "1"]
        ]
    );
    let report = json(&succeed(&["analogy", &file, "--test", &questions, "--json"]));
    assert_eq!((&report["questions"], &report["unknown"]), (&1.into(), &2.into()));
    assert_eq!(report["sections"][1]["accuracy"], serde_json::Value::Null);

    let wrong = folder.write("w.txt", ": a\nman king woman\n");
    assert!(fail(&["analogy", &file, "--test", &wrong], 3).contains("w.txt:2: 3 words, not four"));
    let strange = folder.write("s.txt", "a b c d\n");
    assert!(fail(&["analogy", &file, "--test", &strange], 3).contains("four words of no question"));
}

#[test]
fn similarity_agrees_with_people() {
    let folder = Folder::new("similarity");
    let file = folder.write("v.txt", VECTORS);
    assert_eq!(succeed(&["similarity", &file, "king", "man"]), "0.7494\n");
    let pairs = "apple\tpear\t9.5\nking\tqueen\t8\nman\twoman\t6\nking\tapple\t1\nking\tduke\t9\n";
    for (name, pairs) in [
        ("p.tsv", pairs.to_owned()),
        ("h.tsv", format!("word1\tword2\tscore\n{pairs}")),
        ("p.csv", pairs.replace('\t', ",")),
    ] {
        let pairs = folder.write(name, pairs);
        let report = json(&succeed(&["similarity", &file, "--test", &pairs, "--json"]));
        // The order of the cosines is that of the scores.
        assert_eq!((&report["spearman"], &report["pairs"]), (&1.0.into(), &4.into()), "{name}");
        assert_eq!(report["unknown"], 1);
    }
    let wrong = folder.write("w.tsv", "a\tb\t1\nking\tqueen\n");
    assert!(
        fail(&["similarity", &file, "--test", &wrong], 3)
            .contains("w.tsv:2: expected two words and a number")
    );
    let few = folder.write("f.tsv", "king\tman\t1\n");
    assert!(fail(&["similarity", &file, "--test", &few], 3).contains("1 of 1 pairs, too few"));
}

#[test]
fn each_format_is_read_back() {
    let folder = Folder::new("convert");
    let file = folder.write("v.txt", VECTORS);
    let again = folder.path("again.txt");
    succeed(&["convert", &file, &again]);
    let expected = fs::read_to_string(&again).expect("vectors");
    assert!(expected.starts_with("6 4\nking 0.9 0.1 0.8 0.0\n"), "{expected}");
    for name in ["v.bin", "v.npy", "v.npz", "v.safetensors", "v.nemb", "v.vec"] {
        let other = folder.path(name);
        let said = succeed(&["convert", &file, &other]);
        assert!(said.contains("6 words with 4 numbers each"), "{said}");
        let has_words = ["npy", "npz", "safetensors"].iter().any(|end| name.ends_with(end));
        assert_eq!(said.contains(&format!("{name}.words.txt")), has_words, "{said}");
        succeed(&["convert", &other, &again]);
        assert_eq!(fs::read_to_string(&again).expect("vectors"), expected, "{name}");
    }
    let glove = folder.path("glove.txt");
    succeed(&["convert", &folder.path("v.npy"), &glove, "--to", "glove"]);
    assert_eq!(fs::read_to_string(&glove).expect("vectors"), expected.split_once('\n').expect("a header").1);
}

#[test]
fn fewer_numbers_and_fewer_words() {
    let folder = Folder::new("convert-less");
    let file = folder.write("v.txt", VECTORS);
    let words = folder.write("words.txt", "pear\nplum\nqueen\n");
    let small = folder.path("small.txt");
    let output = run(&["convert", &file, &small, "--vocabulary", &words]);
    assert!(text(&output.stderr).contains("1 of the words that were wanted are not in it"));
    assert_eq!(
        fs::read_to_string(&small).expect("vectors"),
        "2 4\nqueen 0.1 0.9 0.8 0.0\npear 0.1 0.0 0.0 0.9\n"
    );
    succeed(&["convert", &file, &small, "--most", "2"]);
    assert!(fs::read_to_string(&small).expect("vectors").starts_with("2 4\nking "));
    for (name, numbers) in [
        ("a.npy", "f16"),
        ("a.safetensors", "bf16"),
        ("a.npz", "f16"),
        ("a.nemb", "u8"),
        ("b.nemb", "u4"),
        ("c.nemb", "f16"),
        ("d.nemb", "i8"),
    ] {
        let packed = folder.path(name);
        succeed(&["convert", &file, &packed, "--numbers", numbers]);
        let cosine: f32 = succeed(&["similarity", &packed, "king", "man"]).trim().parse().expect("a cosine");
        assert!((cosine - 0.7494).abs() <= 0.05, "{name} {numbers}: {cosine}");
        assert!(succeed(&["neighbours", &packed, "pear", "--top", "1"]).starts_with("pear\tapple\t"));
    }
}

/// A model of vectors gives the mean of the rows of a text, and is a model like others.
#[test]
fn vectors_become_a_model() {
    let folder = Folder::new("convert-model");
    let (file, model) = (folder.write("v.txt", VECTORS), folder.path("v.nemb"));
    succeed(&["convert", &file, &model]);
    let report = json(&succeed(&["inspect", &model, "--json"]));
    assert_eq!(report["pipeline"]["ids_by"], "vocabulary");
    assert_eq!(report["layers"][0]["kind"], "EmbeddingBag");
    assert_eq!(report["layers"][0]["extents"][0], 7);
}

#[test]
fn what_cannot_be_converted_is_refused() {
    let folder = Folder::new("convert-wrong");
    let file = folder.write("v.txt", VECTORS);
    let out = folder.path("out.txt");
    for (arguments, code, message) in [
        (vec!["convert", &file, "out.foo"], 2, "take a name that ends with"),
        (vec!["convert", &file, &file], 2, "it is read, too"),
        (vec!["convert", &file, &out, "--numbers", "u8"], 2, "write a model (.nemb)"),
        (vec!["convert", &file, "out.npy", "--numbers", "bf16"], 2, "such a file has f32 or f16"),
        (vec!["convert", &folder.path("none.txt"), &out], 5, "none.txt"),
    ] {
        let found = fail(&arguments, code);
        assert!(found.contains(message), "{arguments:?}: {found}");
    }
    let spaced = folder.write("spaced.txt", "b 1 2\nat home 0.5 1\n");
    assert!(fail(&["convert", &spaced, &out], 3).contains("\"at home\""));
    let large = folder.write("large.txt", "a 1 2\nb 1e6 2\n");
    let message = fail(&["convert", &large, &folder.path("l.npy"), "--numbers", "f16"], 2);
    assert!(message.contains("row 2") && message.contains("take f32"), "{message}");
    assert!(!fs::exists(&out).expect("a folder") && !fs::exists(folder.path("l.npy")).expect("a folder"));

    // The words beside an array are as many as its rows.
    let array = folder.path("v.npy");
    succeed(&["convert", &file, &array]);
    fs::write(folder.path("v.npy.words.txt"), "a\nb\n").expect("a file");
    assert!(fail(&["neighbours", &array, "a"], 3).contains("v.npy.words.txt: 2 words for 3 rows or more"));
    fs::remove_file(folder.path("v.npy.words.txt")).expect("the file");
    assert!(succeed(&["neighbours", &array, "4", "--top", "1"]).starts_with("4\t5\t"));
}

/// The rows of a model that hashes have no words.
#[test]
fn a_model_without_a_vocabulary_has_no_neighbours() {
    let folder = Folder::new("no-vocabulary");
    let model = folder.train(&folder.write("train.tsv", tsv()), "a.nemb", &["--epochs", "1"]);
    let message = fail(&["neighbours", &model, "soup"], 4);
    assert!(message.contains("no vocabulary") && message.contains("--pretrained"), "{message}");
}

/// Vectors of the words of the texts, by what they are about; `broth` and `chilly` are in no text.
fn topics() -> String {
    let groups: [(&str, &[&str]); 3] = [
        ("1 0 0.1", &["cold", "soup", "fish", "bread", "stale", "broth", "chilly"]),
        ("0 1 0.1", &["noisy", "room", "bed", "hard", "towels", "window"]),
        ("0.1 0 1", &["dear", "cheap", "price", "high", "place"]),
    ];
    let line = |row: &str, word: &str| format!("{word} {row}\n");
    groups.iter().flat_map(|(row, words)| words.iter().map(move |word| line(row, word))).collect()
}

#[test]
fn training_starts_from_vectors() {
    let folder = Folder::new("pretrained");
    let (data, file) = (folder.write("train.tsv", tsv()), folder.write("v.txt", topics()));
    for model in ["bag", "conv", "lstm", "flatten"] {
        for more in [&["--freeze"][..], &[]] {
            let image = folder.path("m.nemb");
            let rate = if model == "bag" { "0.2" } else { "0.02" };
            let units: &[&str] = if matches!(model, "conv" | "lstm") { &["--units", "8"] } else { &[] };
            let settings = [
                "train",
                &data,
                "--model",
                model,
                "--pretrained",
                &file,
                "--epochs",
                "60",
                "--learning-rate",
                rate,
                "--hold-out",
                "0",
                "-o",
                &image,
            ];
            let output = run(&[&settings, more, units].concat());
            let told = text(&output.stderr);
            assert!(output.status.success(), "{told}");
            assert!(
                told.contains("rows of 16 words of the texts, and of 2 others; 12 words of the texts"),
                "{told}"
            );
            let report = json(&succeed(&["evaluate", &image, &data, "--json"]));
            assert!(
                report["accuracy"].as_f64().is_some_and(|right| right >= 0.9),
                "{model} {more:?}: {report}"
            );
            // No text that was learnt from has this word; of flatten each place learns for itself.
            let said = succeed_with(&["predict", &image], b"broth\n");
            assert!(model == "flatten" || said.starts_with("food\t"), "{model} {more:?}: {said}");
            let report = json(&succeed(&["inspect", &image, "--json"]));
            assert_eq!(
                (&report["pipeline"]["ids_by"], &report["pipeline"]["rows"]),
                (&"vocabulary".into(), &31.into())
            );
            assert!(
                report["layers"]
                    .as_array()
                    .is_some_and(|layers| layers.iter().all(|l| l["kind"] != "Dropout"))
            );
            // Rows that are frozen point where those of the file point.
            let again = folder.path("again.txt");
            succeed(&["convert", &image, &again]);
            let cosine: f32 =
                succeed(&["similarity", &again, "soup", "noisy"]).trim().parse().expect("a cosine");
            let of_file: f32 =
                succeed(&["similarity", &file, "soup", "noisy"]).trim().parse().expect("a cosine");
            assert_eq!(
                (cosine - of_file).abs() <= 1e-4,
                !more.is_empty(),
                "{model} {more:?}: {cosine} {of_file}"
            );
        }
    }
}

#[test]
fn the_words_of_a_model_can_be_few() {
    let folder = Folder::new("pretrained-few");
    let (data, file) = (folder.write("train.tsv", tsv()), folder.write("v.txt", topics()));
    let image = folder.path("m.nemb");
    let settings =
        ["train", &data, "--model", "conv", "--pretrained", &file, "--epochs", "1", "-q", "-o", &image];
    succeed(&[&settings[..], &["--more-words", "0", "--numbers", "u8"]].concat());
    let report = json(&succeed(&["inspect", &image, "--json"]));
    assert_eq!((&report["pipeline"]["rows"], &report["layers"][0]["rows"]), (&29.into(), &"U8".into()));
    // The same options give the same bytes.
    let before = fs::read(&image).expect("a model");
    succeed(&[&settings[..], &["--more-words", "0", "--numbers", "u8"]].concat());
    assert_eq!(fs::read(&image).expect("a model"), before);

    for (more, code, message) in [
        (vec!["--rows", "100"], 2, "--rows"),
        (vec!["--dim", "4"], 2, "--dim"),
        (vec!["--flash", "64k"], 2, "--flash"),
        (vec!["--words", "2"], 2, "--words"),
        (vec!["--dropout", "1"], 2, "from 0 to 0.9"),
    ] {
        let found = fail(&[&settings[..], &more].concat(), code);
        assert!(found.contains(message), "{more:?}: {found}");
    }
    fail(&["train", &data, "--freeze", "-o", &image], 2);
    let other = folder.write("o.txt", "Suppe 1 2\nBrot 3 4\n");
    let message = fail(&["train", &data, "--pretrained", &other, "-q", "-o", &image], 3);
    assert!(message.contains("no word of the texts") && message.contains("--lowercase"), "{message}");
    assert_eq!(fs::read(&image).expect("a model"), before);
}
