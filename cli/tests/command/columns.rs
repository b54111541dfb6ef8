//! Models of columns: tables in, and answers to rows.

use super::{Folder, fail, json, run_with, succeed, succeed_with, text};
use std::fs;

/// Rows of three classes: `cold` below 10 degrees, else what the sky says; some have no degrees.
fn rows(line: impl Fn(&str, &str, &str, &str) -> String) -> String {
    let row = |i: u32| {
        let degrees = f64::from(i * 7 % 40) - 5.0;
        let sky = ["clear", "cloudy"][i as usize % 2];
        let label = if degrees < 10.0 { "cold" } else { ["sun", "no sun"][i as usize % 2] };
        line(label, sky, &degrees.to_string(), &i.to_string())
    };
    (0..120).map(row).collect()
}

const NAMES: &str = "sky\tid\tlabel\tdegrees\n";

fn named() -> String {
    format!("{NAMES}{}", rows(|label, sky, degrees, id| format!("{sky}\t{id}\t{label}\t{degrees}\n")))
}

fn train(data: &str, model: &str, more: &[&str]) {
    let settings = ["train", data, "-o", model, "-q", "--hold-out", "0", "--epochs", "150"];
    succeed(&[&settings, more].concat());
}

#[test]
fn from_a_table_to_answers() {
    let folder = Folder::new("columns");
    let (data, model) = (folder.write("train.tsv", named()), folder.path("a.nemb"));
    for more in [&["--model", "bag"][..], &["--model", "flatten"], &["--model", "mlp", "--units", "8"]] {
        train(&data, &model, &[&["--categorical", "sky", "--numeric", "degrees"], more].concat());
        let report = json(&succeed(&["evaluate", &model, &data, "--json"]));
        assert_eq!(report["accuracy"], 1.0, "{more:?}: {report}");
    }
    train(&data, &model, &["--categorical", "1", "--numeric", "4", "--label", "3"]);

    let first = |answers: &str| -> Vec<String> {
        answers.lines().map(|line| line.split('\t').next().unwrap_or("").to_owned()).collect()
    };
    let expected = ["sun", "no sun", "cold"];
    for lines in [
        "clear\t30\ncloudy\t30\nclear\t-4\r\n",
        "sky,degrees\nclear,30\n\"cloudy\",30\nclear,-4\n",
        "sky;degrees\nclear;30\n\"cloudy\";30\nclear;-4\n",
        "clear;30\ncloudy;30\nclear;-4\n",
        "degrees\tid\tsky\n30\t\tclear\n30\t\tcloudy\n-4\t\tclear\n",
        "{\"SKY\": \"clear\", \"Degrees\": 30}\n{\"degrees\": \"30\", \"sky\": \"cloudy\"}\n{\"degrees\": -4}\n",
    ] {
        assert_eq!(first(&succeed_with(&["predict", &model], lines.as_bytes())), expected, "{lines}");
    }
    // What is unknown or empty is answered, too, and both alike.
    let answers = succeed_with(&["predict", &model], b"purple\t30\n\t30\nclear\t\nclear\tnan\n");
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!((answers[0], answers[2]), (answers[1], answers[3]));

    // Answers stand beside their lines.
    assert_eq!(
        first(&succeed_with(&["predict", &model], b"clear\t30\n\ncloudy\t30\n")),
        ["sun", "", "no sun"]
    );
    assert_eq!(
        succeed_with(&["predict", &model], b"clear\t30\n\t\n")
            .lines()
            .filter(|line| !line.is_empty())
            .count(),
        2
    );
    let picture = folder.path("map.svg");
    assert!(
        fail(&["plot", "map", &model, "--words", "clear,fog,x", "-o", &picture], 4).contains("from columns")
    );

    let inspected = json(&succeed(&["inspect", &model, "--json"]));
    assert_eq!(inspected["columns"][0]["categories"], serde_json::json!(["clear", "cloudy"]));
    assert_eq!(inspected["columns"][1]["name"], "degrees");
    assert!(succeed(&["inspect", &model]).contains("sky: categories clear, cloudy"));
    let rust = succeed(&["export", &model, "--to", "rust"]);
    assert!(rust.contains("pub fn columns() -> Result<Columns<'static>, ImageError>"), "{rust}");
    succeed(&["export", &model, "--to", "npz", "-o", &folder.path("a.npz")]);

    let small = folder.path("b.nemb");
    succeed(&["quantise", &model, "-o", &small, "--fold", "i8", "--data", &data, "--label", "label"]);
    assert!(fs::metadata(&small).expect("a file").len() < fs::metadata(&model).expect("a file").len());
    assert_eq!(json(&succeed(&["evaluate", &small, &data, "--json"]))["accuracy"], 1.0);
}

#[test]
fn every_format_gives_the_same_model() {
    let folder = Folder::new("column-formats");
    let csv = rows(|label, sky, degrees, _| format!("{label},\"{sky}\",{degrees}\r\n"));
    let by_number = ["--categorical", "2", "--numeric", "3"];
    let by_name = ["--categorical", "sky", "--numeric", "degrees"];
    let files = [
        (folder.write("a.tsv", named()), by_name),
        (folder.write("b.csv", format!("\u{feff}label,sky,degrees\r\n{csv}")), by_number),
        (
            folder.write(
                "c.jsonl",
                rows(|label, sky, degrees, _| {
                    format!("{{\"label\": \"{label}\", \"sky\": \"{sky}\", \"degrees\": {degrees}}}\n")
                }),
            ),
            by_name,
        ),
    ];
    let images = files.map(|(file, columns)| {
        train(&file, &folder.path("m.nemb"), &columns);
        fs::read(folder.path("m.nemb")).expect("an image")
    });
    assert!(images[0] == images[1] && images[0] == images[2]);

    // Without names: the numbers are theirs, in the file that is evaluated, too.
    let (plain, model) = (folder.write("d.csv", csv), folder.path("d.nemb"));
    train(&plain, &model, &["--categorical", "2", "--numeric", "3"]);
    let report = json(&succeed(&["evaluate", &model, &plain, "--json"]));
    assert_eq!((&report["accuracy"], &report["texts"]), (&serde_json::json!(1.0), &serde_json::json!(120)));
    assert_eq!(json(&succeed(&["inspect", &model, "--json"]))["columns"][1]["name"], "column 3");
    assert!(succeed_with(&["predict", &model], b"clear,30\n").starts_with("sun\t"));
    assert!(succeed_with(&["predict", &model], b"?,cloudy,30\n").starts_with("no sun\t"));
}

#[test]
fn wrong_columns() {
    let folder = Folder::new("wrong-columns");
    let (good, output) = (folder.write("train.tsv", named()), folder.path("a.nemb"));
    let cases: [(&str, &[&str], i32, &str); 14] = [
        ("a\tb\tx\nc\td\t1x\n", &["--numeric", "3"], 3, ":2: column 3: \"1x\" is no number"),
        ("label\tx\na\t1\nb\tone\n", &["--numeric", "x"], 3, ":3: x: \"one\" is no number"),
        ("label\tx\na\t1\nb\n", &["--numeric", "x"], 3, ":3: 1 columns, and x is column 2"),
        ("a\tx\nb\ty\n", &["--categorical", "3"], 3, ":1: 2 columns, and no column 3"),
        ("a\tx\n\ty\n", &["--categorical", "2"], 3, ":2:1: no label"),
        ("a\tx\na\ty\n", &["--categorical", "2"], 3, "two or more"),
        ("label\tx\n", &["--categorical", "x"], 3, "no labelled text"),
        ("label\tx\na\t1\n", &["--categorical", "y"], 3, "no column \"y\" among: label, x"),
        ("{\"label\": \"a\", \"x\": [1]}\n", &["--numeric", "x"], 3, ":1: x: neither"),
        ("{\"label\": \"a\", \"x\": 1}\n", &["--numeric", "2"], 2, "names"),
        ("{\"label\": \"a\", \"x\": 1}\n", &["--numeric", "x,y"], 3, "no object has a field \"y\""),
        ("label\tx\na\t1\nb\t2\t3\n", &["--numeric", "x"], 3, ":3: 3 columns"),
        ("__label__a 1\n", &["--numeric", "2"], 2, "no columns"),
        ("a,\"x\ty\"\nb,z\n", &["--format", "csv", "--categorical", "2"], 3, ":1: column 2: a tab"),
    ];
    for (lines, columns, code, expected) in cases {
        let data = folder.write("data.txt", lines);
        let message = fail(&[&["train", &data, "-o", &output], columns].concat(), code);
        assert!(message.contains(expected), "{expected}: {message}");
    }
    for columns in [
        &["--categorical", "sky,sky"][..],
        &["--categorical", "sky", "--numeric", "1"],
        &["--categorical", "label"],
        &["--categorical", "0"],
        &["--numeric", "4-2"],
        &["--numeric", "degrees", "--bins", "1"],
        &["--categorical", "sky", "--bins", "8"],
        &["--numeric", "degrees", "--words", "2"],
        &["--numeric", "degrees", "--flash", "64k"],
        &["--numeric", "degrees", "--model", "lstm"],
    ] {
        fail(&[&["train", &good, "-o", &output], columns].concat(), 2);
    }
    assert!(!std::path::Path::new(&output).exists());

    train(&good, &output, &["--categorical", "sky", "--numeric", "degrees"]);
    for (lines, expected) in [
        ("clear\t30\nclear\tx\n", "standard input:2: degrees: \"x\" is no number"),
        ("clear\t30\nclear\n", "standard input:2: 1 columns"),
        ("a\tclear\t30\n", "in this order: sky, degrees"),
        ("degrees\twind\n30\t2\n", "standard input:1: no column \"sky\" among: degrees, wind"),
        ("{\"sky\": \"clear\"}\n{\"text\": \"a\"}\n", "standard input:2: none of the fields sky, degrees"),
        ("{\"sky\": }\n", "standard input:1:9: no JSON object: expected value\n"),
        ("{\"sky\": \"clear\"}\n[]\n", "standard input:2:1: no JSON object"),
    ] {
        let read = run_with(&["predict", &output], lines.as_bytes());
        assert_eq!(read.status.code(), Some(3));
        assert!(text(&read.stderr).contains(expected), "{}", text(&read.stderr));
    }
    let other = folder.write("other.tsv", "label\tsky\nsun\tclear\n");
    assert!(fail(&["evaluate", &output, &other], 3).contains("\"degrees\""));
}

/// What a model calls a column without a name may be the name of another.
#[test]
fn a_name_like_a_number() {
    let folder = Folder::new("column-names");
    let lines = rows(|label, sky, degrees, _| format!("{label}\t{sky}\t{degrees}\n"));
    let data = folder.write("train.tsv", format!("label\tcolumn 3\tcolumn 2\n{lines}"));
    let model = folder.path("a.nemb");
    train(&data, &model, &["--categorical", "2", "--numeric", "3"]);
    assert_eq!(json(&succeed(&["evaluate", &model, &data, "--json"]))["accuracy"], 1.0);
    let named = ["train", &data, "-o", &model, "--categorical", "column 3"];
    assert!(fail(&named, 2).contains("another name"));
}
