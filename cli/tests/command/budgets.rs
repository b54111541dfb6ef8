//! Models that fit into so many bytes.

use super::{Folder, fail, json, lines, succeed, tsv};
use std::fs;

#[test]
fn the_file_fits() {
    let folder = Folder::new("fits");
    let mut data = tsv();
    for extra in ["today", "again", "of course"] {
        data.push_str(&lines(|label, text| format!("{label}\t{text} {extra}\n")));
    }
    let data = folder.write("train.tsv", data);
    let (model, picture) = (folder.path("a.nemb"), folder.path("curve.svg"));
    let settings = ["train", &data, "-o", &model, "--plot", &picture, "--threads", "2"];
    // No time: one candidate is tried, whatever it takes.
    let out = succeed(&[&settings[..], &["--flash", "2k", "--seconds", "0"]].concat());
    assert!(out.contains("held out") && out.contains("2048"), "{out}");
    assert!(fs::metadata(&model).expect("a model").len() <= 2048);
    assert!(fs::read_to_string(&picture).expect("a picture").starts_with("<svg"));
    let report = json(&succeed(&["evaluate", &model, &data, "--json"]));
    assert!(report["accuracy"].as_f64().expect("a number") > 0.9, "{report}");

    // For a program: an object for each budget, one for the model.
    let out =
        succeed(&[&settings[..], &["--flash", "16k", "--seconds", "0", "--test", &data, "--json"]].concat());
    let lines: Vec<_> = out.lines().map(json).collect();
    let [small, great, model_line] = lines.as_slice() else { panic!("{out}") };
    assert_eq!((&small["budget"], &great["budget"]), (&8192.into(), &16_384.into()));
    assert!(small["bytes"].as_u64() <= Some(8192) && small["test"].as_f64() > Some(0.9), "{out}");
    assert_eq!(model_line["bytes"], fs::metadata(&model).expect("a model").len());

    // Time for all: the number of threads changes nothing.
    let search = |threads: &str| {
        let more = ["--flash", "1500", "--seconds", "3600", "-q", "--threads", threads];
        succeed(&[&["train", &data, "-o", &model], &more[..]].concat());
        fs::read(&model).expect("a model")
    };
    let one = search("1");
    assert!(one.len() <= 1500 && one == search("3"));
}

/// Of twelve lines only the first turn holds some out: the others do not count as texts that are all wrong.
#[test]
fn few_lines() {
    let folder = Folder::new("few-lines");
    let data = folder.write("train.tsv", "a\tgood fine\nb\tbad awful\n".repeat(6));
    let model = folder.path("a.nemb");
    let out = succeed(&["train", &data, "-o", &model, "--flash", "2k", "--seconds", "0"]);
    assert!(out.contains("1.0000"), "{out}");
    let message = fail(&["train", &data, "-o", &model, "--flash", "2k", "--hold-out", "0"], 2);
    assert!(message.contains("no text is held out"), "{message}");
}

#[test]
fn nothing_fits() {
    let folder = Folder::new("nothing-fits");
    let data = folder.write("train.tsv", tsv());
    let model = folder.write("a.nemb", "as it was");
    let message = fail(&["train", &data, "-o", &model, "--flash", "400"], 2);
    assert!(message.contains("--flash 400"), "{message}");
    fail(&["train", &data, "-o", &model, "--flash", "64k", "--rows", "100"], 2);
    fail(&["train", &data, "-o", &model, "--flash", "64k", "--model", "conv"], 2);
    fail(&["train", &data, "-o", &model, "--seconds", "3"], 2);
    assert_eq!(fs::read(&model).expect("the old file"), b"as it was");
}
