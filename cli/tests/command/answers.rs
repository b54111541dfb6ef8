//! From files of every format to models of every kind, and their answers.

use super::{FOOD, Folder, ROOM, fail, json, lines, succeed, succeed_with, tsv};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn from_a_file_to_answers() {
    let folder = Folder::new("answers");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    let report = succeed(&["evaluate", &model, &data, "--confusion", "--top", "1,3"]);
    assert_eq!(report.lines().last(), Some("accuracy 1.0000"), "{report}");
    assert!(report.contains("precision@3 0.3333") && report.contains("recall@3 1.0000"), "{report}");

    let answers = succeed_with(&["predict", &model], b"The SOUP was cold!\r\nan old bed\n");
    let labels: Vec<&str> = answers.lines().map(|line| line.split('\t').next().expect("a label")).collect();
    assert_eq!(labels, ["food", "room"]);
    let texts = folder.write("texts.txt", "cold soup\n");
    let answer = succeed(&["predict", &model, &texts, "--top", "2"]);
    assert_eq!(answer.trim_end().split('\t').count(), 4);
    assert_eq!(json(&succeed(&["predict", &model, &texts, "--json"]))["label"], "food");
    // A text without a word is answered, too.
    assert_eq!(succeed_with(&["predict", &model], b"\n").lines().count(), 1);

    let inspected = json(&succeed(&["inspect", &model, "--json"]));
    assert_eq!(inspected["classes"], serde_json::json!(["food", "price", "room"]));
    assert_eq!(inspected["pipeline"]["rows"], 256);
    assert_eq!(inspected["bytes"], fs::metadata(&model).expect("a file").len());
    assert!(succeed(&["inspect", &model]).contains("EmbeddingBag"));
}

#[test]
fn a_line_is_answered_before_the_next_is_read() {
    use std::io::{BufRead, BufReader};
    let folder = Folder::new("at-once");
    let model = folder.train(&folder.write("train.tsv", tsv()), "a.nemb", &[]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_nanoembed"))
        .args(["predict", &model])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command");
    let mut input = child.stdin.take().expect("its input");
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    for (text, label) in [("cold soup", "food"), ("a hard bed", "room")] {
        writeln!(input, "{text}").expect("a line");
        let mut answer = String::new();
        output.read_line(&mut answer).expect("an answer");
        assert!(answer.starts_with(label), "{answer}");
    }
    drop(input);
    assert!(child.wait().expect("its end").success());
}

#[test]
fn the_same_bytes_again_and_from_every_format() {
    let folder = Folder::new("formats");
    let csv = lines(|label, text| format!("\"{text}\",{label}\r\n"));
    let files = [
        folder.write("a.tsv", tsv()),
        folder.write("b.tsv", format!("\u{feff}{}", tsv().replace('\n', "\r\n"))),
        folder.write("c.csv", format!("text,label\r\n{csv}")),
        folder.write(
            "d.jsonl",
            lines(|label, text| format!("{{\"text\": \"{text}\", \"label\": \"{label}\"}}\n")),
        ),
        folder.write("e.txt", lines(|label, text| format!("__label__{label} {text}\n"))),
    ];
    let images = files.map(|file| fs::read(folder.train(&file, "model.nemb", &[])).expect("an image"));
    for image in &images {
        assert!(*image == images[0]);
    }
    let other =
        fs::read(folder.train(&files_tsv(&folder), "model.nemb", &["--seed", "2"])).expect("an image");
    assert!(other != images[0]);
}

fn files_tsv(folder: &Folder) -> String {
    folder.path("a.tsv")
}

#[test]
fn threads_change_nothing() {
    let folder = Folder::new("threads");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &["--epochs", "2"]);
    let of = |threads| succeed(&["evaluate", &model, &data, "--json", "--confusion", "--threads", threads]);
    assert_eq!(of("1"), of("3"));
    assert_eq!(of("1"), of("64"));
}

#[test]
fn several_labels_a_line() {
    let folder = Folder::new("several");
    let mut lines = lines(|label, text| format!("__label__{label} {text}\n"));
    for (food, room) in FOOD.iter().zip(ROOM) {
        lines.push_str(&format!("__label__food __label__room {food}, {room}\n"));
    }
    let data = folder.write("train.txt", lines);
    let model = folder.train(&data, "a.nemb", &["--epochs", "100"]);
    let report = json(&succeed(&["evaluate", &model, &data, "--json", "--top", "1,2"]));
    assert_eq!(report["accuracy"], 1.0);
    assert_eq!(report["at_k"][1]["recall"], 1.0);
    let answer = json(&succeed_with(&["predict", &model, "--json"], b"cold soup, a hard bed\n"));
    assert_eq!(answer["labels"], serde_json::json!(["food", "room"]));
    let answer = succeed_with(&["predict", &model], b"cold soup, a hard bed\n");
    let mut told: Vec<&str> = answer.trim_end().split('\t').step_by(2).collect();
    told.sort_unstable();
    assert_eq!(told, ["food", "room"]);
    assert!(fail(&["evaluate", &model, &data, "--confusion"], 3).contains("several labels"));
    let message = fail(&["train", &data, "-o", &model, "--class-weights", "balanced"], 2);
    assert!(message.contains("one label"), "{message}");
}

#[test]
fn the_image_is_taken_from_where_it_lies() {
    let folder = Folder::new("where");
    let model = folder.train(&folder.write("train.tsv", tsv()), "a.nemb", &["--epochs", "1"]);
    std::fs::create_dir(folder.path("src")).expect("a folder");
    for (output, path) in [("src/model.rs", "../a.nemb"), ("model.rs", "a.nemb")] {
        succeed(&["export", &model, "--to", "rust", "-o", &folder.path(output)]);
        let code = std::fs::read_to_string(folder.path(output)).expect("a module");
        assert!(code.contains(&format!("include_image!({path:?})")), "{code}");
    }
}

#[test]
fn every_architecture_learns() {
    let folder = Folder::new("architectures");
    let data = folder.write("train.tsv", tsv());
    for model in ["conv", "lstm", "flatten"] {
        let units: &[&str] = if model == "flatten" { &[] } else { &["--units", "8"] };
        let more = ["--model", model, "--learning-rate", "0.02", "--hold-out", "0", "--epochs", "120"];
        let settings = ["train", &data, "-q", "--rows", "256", "--dim", "8", "-o", &folder.path("m.nemb")];
        succeed(&[&settings[..], &more, units].concat());
        let report = json(&succeed(&["evaluate", &folder.path("m.nemb"), &data, "--json"]));
        assert!(report["accuracy"].as_f64().expect("a number") > 0.9, "{model}: {report}");
    }
}

#[test]
fn fewer_bits() {
    let folder = Folder::new("bits");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    let before = fs::metadata(&model).expect("a file").len();
    let small = folder.path("b.nemb");
    let ways: [&[&str]; 4] = [
        &["--numbers", "u8"],
        &["--numbers", "f16"],
        &["--fold", "i8"],
        &["--fold", "i4", "--keep", "200", "--data", &data],
    ];
    for way in ways {
        succeed(&[&["quantise", &model, "-o", &small], way].concat());
        assert!(fs::metadata(&small).expect("a file").len() < before);
        let report = json(&succeed(&["evaluate", &small, &data, "--json"]));
        assert!(report["accuracy"].as_f64().expect("a number") > 0.9, "{way:?}: {report}");
    }
    // What is folded is folded once.
    let message = fail(&["quantise", &small, "-o", &model, "--fold", "i8"], 4);
    assert!(message.contains("EmbeddingBag"), "{message}");
    assert_eq!(fs::metadata(&model).expect("a file").len(), before);
}

#[test]
fn a_measure_says_which_epoch_is_best() {
    let folder = Folder::new("measures");
    // One class of many lines, which is learnt first, and two of few.
    let mut lines = tsv();
    (0..90).for_each(|i| lines.push_str(&format!("food\tsoup number {i}, and a fish\n")));
    let data = folder.write("train.tsv", lines);
    let mut images = Vec::new();
    for measure in ["accuracy", "macro-f1", "loss"] {
        let model = folder.path("a.nemb");
        let settings = ["train", &data, "-o", &model, "--rows", "256", "--dim", "8", "--epochs", "9"];
        let output = succeed(&[&settings[..], &["--measure", measure, "--learning-rate", "0.05"]].concat());
        assert!(output.contains("epoch "), "{output}");
        images.push(fs::read(&model).expect("an image"));
    }
    assert!(images.iter().all(|image| image.len() == images[0].len()));
    let model = folder.path("b.nemb");
    let search = ["train", &data, "-o", &model, "--flash", "8k", "--seconds", "1"];
    let curve = folder.path("curve.svg");
    succeed(&[&search[..], &["--measure", "macro-f1", "--plot", &curve]].concat());
    assert!(fs::read_to_string(curve).expect("a picture").contains("macro-F1 of held-out texts"));
    assert!(fail(&[&search[..], &["--measure", "loss"]].concat(), 2).contains("macro-f1"));
}

#[test]
fn every_optimizer_learns() {
    let folder = Folder::new("optimizers");
    let data = folder.write("train.tsv", tsv());
    for optimizer in ["adam", "sgd"] {
        let more = ["--optimizer", optimizer, "--epochs", "100", "--class-weights", "balanced"];
        let model = folder.train(&data, "a.nemb", &more);
        let report = json(&succeed(&["evaluate", &model, &data, "--json"]));
        assert!(report["accuracy"].as_f64().expect("a number") > 0.9, "{optimizer}: {report}");
    }
}
