//! Wrong data, files and arguments: each gives its message and exit code, and what was there stays.

use super::{Folder, fail, json, lines, run, run_with, succeed, succeed_with, text, tsv};
use std::fs;
use std::path::Path;

#[test]
fn labels_with_spaces_and_a_line_of_ten_megabytes() {
    let folder = Folder::new("odd");
    let mut lines = lines(|label, text| format!("the {label}\t{text}\n"));
    lines.push_str(&format!("the food\t{}\n", "soup ".repeat(2_000_000)));
    let data = folder.write("train.tsv", lines);
    let model = folder.train(&data, "a.nemb", &[]);
    let report = json(&succeed(&["evaluate", &model, &data, "--json"]));
    assert_eq!((&report["accuracy"], &report["texts"]), (&serde_json::json!(1.0), &serde_json::json!(19)));
    assert!(succeed_with(&["predict", &model], b"cold soup\n").starts_with("the food\t"));
}

#[test]
fn bad_data() {
    let folder = Folder::new("bad-data");
    let good = tsv();
    let cases: [(&[u8], &str); 13] = [
        (b"", "empty"),
        (b"\n \n", "blank"),
        (b"a\tone\na\ttwo\n", "two or more"),
        (b"a\tone\nno label\nb\ttwo\n", ":2: no <TAB>"),
        (b"a\tone\n\ttwo\n", ":2:1: no label"),
        (b"a\tone\nb\tt\0wo\n", ":2:4: a NUL byte"),
        (b"a\tone\nb\t\xc3\xa9\xe9\n", ":2:4: byte 0xe9"),
        (b"\xff\xfea\0\t\0", "UTF-16"),
        (b"\xef\xbb\xbf", "blank"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"PK\x03\x04\0", "zip archive"),
        (b"[{\"label\": \"a\", \"text\": \"b\"}]\n", "no <TAB>"),
        (b"a\tone\n\x01b\tone\n", ":2:1: the label"),
    ];
    let output = folder.write("old.nemb", "as it was");
    for (bytes, expected) in cases {
        let data = folder.write("data.tsv", bytes);
        let message = fail(&["train", &data, "-o", &output], 3);
        assert!(message.contains(expected), "{message}");
        assert_eq!(fs::read(&output).expect("the old file"), b"as it was");
    }
    for (lines, expected) in [
        ("one word\n", "--format"),
        ("[{\"label\": \"a\", \"text\": \"b\"},\n", "on a line of its own"),
        ("hello; a text\nanother; text\n", "--format"),
        ("{\"label\": \"a\", \"doc\": {\"text\": \"b\"}}\n", "fields within fields"),
    ] {
        let data = folder.write("data", lines);
        let message = fail(&["train", &data, "-o", &output, "--text", "doc.text"], 3);
        assert!(message.contains(expected), "{message}");
    }

    let model = folder.train(&folder.write("good.tsv", good), "a.nemb", &[]);
    let unread = run_with(&["predict", &model], b"cold soup\nsm\xf8r\n");
    assert_eq!(unread.status.code(), Some(3));
    assert_eq!(text(&unread.stdout).lines().count(), 1);
    assert!(text(&unread.stderr).contains("standard input:2:3"), "{}", text(&unread.stderr));
}

#[test]
fn labels_that_a_model_lacks() {
    let folder = Folder::new("strangers");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    let other = folder.write("test.tsv", "food\tcold soup\nweather\train\n");
    let output = run(&["evaluate", &model, &other]);
    assert!(text(&output.stderr).contains("such as \"weather\"\n"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).ends_with("accuracy 0.5000\n"));
    let output = run(&["evaluate", &model, &folder.write("case.tsv", "Food\tcold soup\n")]);
    assert!(text(&output.stderr).contains("\"Food\", whose class is \"food\""), "{}", text(&output.stderr));
}

#[test]
fn bad_files() {
    let folder = Folder::new("bad-files");
    let data = folder.write("train.tsv", tsv());
    fail(&["train", &folder.path("none.tsv"), "-o", &folder.path("a.nemb")], 5);
    fail(&["train", &data, "-o", &folder.path("none/a.nemb")], 5);
    let message = fail(&["train", &data, "-o", &folder.0.display().to_string()], 5);
    assert!(message.contains("directory"), "{message}");
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 1);

    let model = folder.train(&data, "a.nemb", &[]);
    let mut image = fs::read(&model).expect("an image");
    let last = image.len() - 1;
    image[last] ^= 1;
    let message = fail(&["inspect", &folder.write("b.nemb", &image)], 4);
    assert!(message.contains("b.nemb"), "{message}");
    image[8] ^= 1;
    fail(&["evaluate", &folder.write("b.nemb", &image), &data], 4);
    fail(&["predict", &folder.write("b.nemb", &image[..100])], 4);
    fail(&["predict", &data], 4);
    fail(&["inspect", &folder.path("none.nemb")], 5);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let folder = Folder::new("full");
    let data = folder.write("train.tsv", tsv());
    if Path::new("/dev/full").exists() {
        let settings = ["--rows", "256", "--epochs", "1", "-q"];
        let message = fail(&[&["train", &data, "-o", "/dev/full"], &settings[..]].concat(), 5);
        assert!(message.contains("/dev/full"), "{message}");
    }
}

#[test]
fn wrong_arguments() {
    let folder = Folder::new("arguments");
    let data = folder.write("train.tsv", tsv());
    let (output, vectors) = (folder.path("a.nemb"), folder.path("a.vec"));
    let cases: [&[&str]; 17] = [
        &["train"],
        &["train", &data],
        &["train", &data, "-o", &output, "--rows", "1"],
        &["train", &data, "-o", &output, "--learning-rate", "-1"],
        &["train", &data, "-o", &output, "--learning-rate", "0"],
        &["train", &data, "-o", &output, "--window", "3"],
        &["train", &data, "-o", &output, "--model", "flatten", "--units", "3"],
        &["train", &data, "-o", &output, "--bins", "8"],
        &["train", &data, "-o", &output, "--measure", "macro-f1", "--hold-out", "0"],
        &["word2vec", &data, "-o", &vectors, "--epochs", "0"],
        &["word2vec", &data, "-o", &vectors, "--sample", "2"],
        &["word2vec", &data, "-o", &vectors, "--buckets", "99"],
        &["word2vec", &data, "-o", &vectors, "--method", "shared", "--characters", "3-6"],
        &["train", &data, "-o", &output, "--length", "5"],
        &["train", &data, "-o", &output, "--characters", "6-3"],
        &["quantise", &output, "-o", &output],
        &["evaluate", &output, &data, "--top", "0"],
    ];
    for arguments in cases {
        let message = fail(arguments, 2);
        assert!(!message.contains("'-- -1'"), "{message}");
    }
    assert!(!Path::new(&output).exists() && !Path::new(&vectors).exists());
    // A rate with which numbers grow beyond all bounds.
    let message = fail(&["train", &data, "-o", &output, "-q", "--learning-rate", "1e30", "--rows", "256"], 6);
    assert!(message.contains("--learning-rate"), "{message}");
    assert!(!Path::new(&output).exists());
    assert!(succeed(&["--help"]).contains("Examples:"));
    assert!(succeed(&["train", "--help"]).contains("Examples:"));
}

#[test]
fn an_image_of_another_kind() {
    use nanoembed::text::{Vocabulary, VocabularyOptions, WordCounts};
    let folder = Folder::new("another-kind");
    let mut counts = WordCounts::<9, 80>::new();
    counts.fit(["cold", "food"]).expect("room for words");
    let mut vocabulary = Vocabulary::<9, 80>::new();
    vocabulary.adapt(&mut counts, VocabularyOptions::default()).expect("room for words");
    let vocabulary = folder.write("v.nemb", nanoembed::image::to_vec(&vocabulary));
    let message = fail(&["inspect", &vocabulary], 4);
    assert!(message.contains("vocabulary"), "{message}");
}

/// CRC-32 of zlib.
fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn a_layer_that_no_one_knows() {
    const PRIME: u64 = 0x0100_0000_01b3;
    let folder = Folder::new("no-layer");
    let model = folder.train(&folder.write("train.tsv", tsv()), "a.nemb", &[]);
    let mut image = fs::read(&model).expect("an image");
    // The kind of the second of two layers, whose records stand at byte 192.
    image[256..258].copy_from_slice(&999_u16.to_le_bytes());
    let hash = |record: &[u8]| {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        record.iter().fold(0xcbf2_9ce4_8422_2325, step)
    };
    let fingerprint = image[192..320]
        .chunks(64)
        .fold(0_u64, |all, record| all.wrapping_mul(PRIME).wrapping_add(hash(record)));
    image[8..16].copy_from_slice(&fingerprint.to_le_bytes());
    let crc = crc32(image[..24].iter().chain(&image[28..]).copied());
    image[24..28].copy_from_slice(&crc.to_le_bytes());
    let message = fail(&["predict", &folder.write("b.nemb", image)], 4);
    assert!(message.contains("layer 1") && message.contains("999"), "{message}");
}

#[test]
fn two_that_write_one_file() {
    let folder = Folder::new("two");
    let data = folder.write("train.tsv", tsv());
    let alone =
        ["1", "2"].map(|seed| fs::read(folder.train(&data, seed, &["--seed", seed])).expect("an image"));
    std::thread::scope(|scope| {
        for seed in ["1", "2"] {
            let (folder, data) = (&folder, &data);
            scope.spawn(move || folder.train(data, "both.nemb", &["--seed", seed]));
        }
    });
    let both = fs::read(folder.path("both.nemb")).expect("an image");
    assert!(alone.contains(&both) && alone[0] != alone[1]);
    // Nothing else is left.
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 4);
}

/// What Ctrl-C does.
#[cfg(unix)]
pub(super) fn interrupt(child: &std::process::Child) {
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill").success());
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_the_model() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    let folder = Folder::new("interrupt");
    let (data, model) = (folder.write("train.tsv", tsv()), folder.path("a.nemb"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_nanoembed"))
        .args(["train", &data, "-o", &model, "--rows", "256", "--epochs", "100000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command");
    let mut messages = BufReader::new(child.stderr.take().expect("its messages"));
    let mut line = String::new();
    while !line.starts_with("epoch 50 ") {
        line.clear();
        assert!(messages.read_line(&mut line).expect("a line") > 0);
    }
    interrupt(&child);
    messages.read_to_string(&mut line).expect("the rest");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success() && text(&output.stdout).starts_with("ended; epoch "), "{line}");
    let report = json(&succeed(&["evaluate", &model, &data, "--json"]));
    assert!(report["accuracy"].as_f64().expect("a number") > 0.9, "{report}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_before_an_epoch_is_over_leaves_the_old_model() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let folder = Folder::new("early");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    let before = fs::read(&model).expect("an image");
    let mut child = Command::new(env!("CARGO_BIN_EXE_nanoembed"))
        .args([
            "train", &data, "-o", &model, "--model", "lstm", "--units", "2000", "--length", "2000",
            "--batch", "1",
        ])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command");
    let mut messages = BufReader::new(child.stderr.take().expect("its messages"));
    let mut line = String::new();
    assert!(messages.read_line(&mut line).expect("a line") > 0);
    interrupt(&child);
    assert_eq!(child.wait().expect("its end").code(), Some(6), "{line}");
    assert!(fs::read(&model).expect("an image") == before);
}

#[test]
fn what_is_read_is_not_written_over() {
    let folder = Folder::new("apart");
    let (data, other) = (folder.write("train.tsv", tsv()), folder.write("other.tsv", tsv()));
    let model = folder.train(&data, "a.nemb", &[]);
    let cases: [&[&str]; 6] = [
        &["train", &data, "-o", &data],
        &["train", &data, "-o", &other, "--validation", &other],
        &["train", &data, "-o", &folder.path("b.nemb"), "--flash", "8k", "--plot", &data],
        &["export", &model, "--to", "c", "-o", &model],
        &["import", &model, "-o", &model],
        &["quantise", &model, "--fold", "i8", "--data", &data, "-o", &data],
    ];
    for arguments in cases {
        assert!(fail(arguments, 2).contains("another file"), "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(&data).expect("the texts"), tsv());
    // A model may take its own place.
    succeed(&["quantise", &model, "--numbers", "u8", "-o", &model]);
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 3);
}

#[test]
fn a_validation_without_a_label_that_was_learnt() {
    let folder = Folder::new("validation");
    let data = folder.write("train.tsv", tsv());
    let (strange, model) = (folder.write("strange.tsv", "weather\train\n"), folder.path("a.nemb"));
    for more in [&["--epochs", "1"][..], &["--flash", "16k"]] {
        let arguments = [&["train", &data, "-o", &model, "--validation", &strange, "-q"], more].concat();
        assert!(fail(&arguments, 3).contains("strange.tsv: no line has a label"), "{more:?}");
    }
    assert!(!Path::new(&model).exists());
}

#[test]
fn too_few_lines_to_hold_one_out() {
    let folder = Folder::new("too-few");
    let data = folder.write("few.tsv", "a\tone\nb\ttwo\n");
    let model = folder.path("a.nemb");
    for more in [&["--hold-out", "0.2"][..], &["--measure", "macro-f1"], &["--flash", "16k"]] {
        let arguments = [&["train", &data, "-o", &model, "-q"], more].concat();
        assert!(fail(&arguments, 3).contains("held out"), "{more:?}");
    }
    let uneven = format!("{}c\tone\n", "a\tfine\nb\tbad\n".repeat(20));
    let uneven = folder.write("uneven.tsv", uneven);
    let told = text(&run(&["train", &uneven, "--flash", "2k", "--seconds", "0", "-o", &model]).stderr);
    assert!(told.contains("1 classes have too few lines"), "{told}");
}

#[test]
fn a_quote_that_nothing_closes() {
    let folder = Folder::new("quote");
    let data = folder.write("train.csv", "a,one\nb,\"two\nc,three\na,four\n");
    let message = fail(&["train", &data, "-o", &folder.path("a.nemb")], 3);
    assert!(message.contains("train.csv:2: a quote"), "{message}");
    // Inches are no quotes.
    let data = folder.write("inches.csv", "a,one\nb,\"two\nlines\"\na,a pipe of 5\"\n");
    succeed(&["train", &data, "-o", &folder.path("a.nemb"), "-q", "--rows", "256", "--epochs", "1"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_no_one_takes() {
    if !Path::new("/dev/full").exists() {
        println!("NOT RUN: there is no /dev/full");
        return;
    }
    let folder = Folder::new("no-output");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    for arguments in [
        &["predict", &model, &data][..],
        &["evaluate", &model, &data],
        &["inspect", &model],
        &["export", &model, "--to", "npz"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_nanoembed"))
            .args(arguments)
            .stdout(full)
            .output()
            .expect("the command");
        assert_eq!(output.status.code(), Some(5), "{arguments:?}");
        assert!(text(&output.stderr).contains("standard output"), "{}", text(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn what_is_read_only_stays() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("read-only");
    let data = folder.write("train.tsv", tsv());
    let settings = ["--rows", "256", "--epochs", "1", "-q"];
    let old = folder.write("old.nemb", "as it was");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o444)).expect("permissions");
    fail(&[&["train", &data, "-o", &old], &settings[..]].concat(), 5);
    assert_eq!(fs::read(&old).expect("the old file"), b"as it was");

    let closed = folder.0.join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).expect("permissions");
    if fs::write(closed.join("probe"), "").is_ok() {
        println!("NOT RUN: this user may write to folders that are read-only");
    } else {
        let output = closed.join("a.nemb").display().to_string();
        fail(&[&["train", &data, "-o", &output], &settings[..]].concat(), 5);
        assert_eq!(fs::read_dir(&closed).expect("a folder").count(), 0);
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).expect("permissions");
}

#[test]
fn nothing_is_quantised_twice() {
    let folder = Folder::new("twice");
    let data = folder.write("train.tsv", tsv());
    let model = folder.train(&data, "a.nemb", &[]);
    let (folded, packed, out) = (folder.path("b.nemb"), folder.path("c.nemb"), folder.path("d.nemb"));
    succeed(&["quantise", &model, "--fold", "i8", "-o", &folded]);
    succeed(&["quantise", &model, "--numbers", "u8", "-o", &packed]);
    for from in [&folded, &packed] {
        assert!(fail(&["quantise", from, "--numbers", "u4", "-o", &out], 4).contains("32 bits"));
    }
    assert!(fail(&["quantise", &model, "-o", &out], 2).contains("--fold"));
    assert!(fail(&["quantise", &model, "--keep", "9", "-o", &out], 2).contains("--fold"));
    assert!(!std::path::Path::new(&out).exists());
}

#[test]
fn a_first_line_of_names_is_told() {
    let folder = Folder::new("names");
    let data = folder.write("train.tsv", format!("Class\tMessage\n{}", tsv()));
    let output = run(&["train", &data, "-o", &folder.path("a.nemb"), "--rows", "64", "--epochs", "1"]);
    assert!(output.status.success());
    let told = text(&output.stderr);
    assert!(told.contains("--label \"Class\" --text \"Message\""), "{told}");
    assert!(fail(&["train", &data, "-o", "-"], 2).contains("./-"));
}

#[test]
fn columns_whose_names_say_half() {
    let folder = Folder::new("half");
    let model = folder.train(&folder.write("train.tsv", tsv()), "a.nemb", &[]);
    let rows = lines(|label, text| format!("{text},{label}\n"));
    let data = folder.write("data.csv", format!("text,category\n{rows}"));
    for arguments in
        [["train", &data, "-o", &folder.path("b.nemb")], ["evaluate", &model, &data, "--confusion"]]
    {
        let message = fail(&arguments, 3);
        assert!(message.contains("data.csv:1: a column is called text, and none label"), "{message}");
    }
    let report = json(&succeed(&["evaluate", &model, &data, "--label", "category", "--json"]));
    assert_eq!((&report["texts"], &report["unknown_labels"]), (&18.into(), &0.into()));
}

#[test]
fn texts_without_a_word() {
    let folder = Folder::new("wordless");
    let data = folder.write("data.tsv", "a\t\nb\t \na\t\n");
    let model = folder.path("a.nemb");
    assert!(fail(&["train", &data, "-o", &model], 3).contains("every text is empty"));
    let message = fail(&["train", &data, "-o", &model, "--categorical", "2"], 3);
    assert!(message.contains("--categorical and --numeric"), "{message}");
}

#[test]
fn more_memory_than_there_is() {
    let folder = Folder::new("memory");
    let data = folder.write("train.tsv", tsv());
    let output = folder.path("a.nemb");
    for sizes in [
        &["--rows", "100000000", "--dim", "10000"][..],
        &["--model", "lstm", "--units", "65536", "--dim", "65536", "--batch", "65536", "--length", "65536"],
    ] {
        let message = fail(&[&["train", &data, "-o", &output, "-q"], sizes].concat(), 6);
        assert!(message.contains("GB of memory") && message.contains("--rows"), "{message}");
    }
    assert!(!Path::new(&output).exists());
}

#[test]
fn a_model_that_gives_a_vector_has_no_classes() {
    let folder = Folder::new("vector");
    let data = folder.write("train.tsv", tsv());
    let model = folder.path("a.nemb");
    succeed(&["convert", &folder.write("a.txt", "soup 1 2\nroom 3 -1\n"), &model]);
    for arguments in [
        &["predict", &model][..],
        &["evaluate", &model, &data],
        &["plot", "confusion", &model, &data, "-o", &folder.path("a.svg")],
        &["export", &model, "--to", "firmware", "-o", &folder.path("firmware")],
    ] {
        assert!(fail(arguments, 4).contains("tells no classes"), "{arguments:?}");
    }
    assert!(!Path::new(&folder.path("firmware")).exists());
    assert_eq!(json(&succeed(&["inspect", &model, "--json"]))["classes"], serde_json::json!([]));
}

#[test]
fn what_an_export_does_not_have() {
    let folder = Folder::new("export-options");
    let model = folder.train(&folder.write("train.tsv", tsv()), "a.nemb", &[]);
    for option in [["--try", "soup"], ["--board", "cortex-m0"], ["--nanoembed", "."]] {
        let message = fail(&[&["export", &model, "--to", "rust"], &option[..]].concat(), 2);
        assert!(message.contains(&format!("{} is for --to firmware", option[0])), "{message}");
    }
    assert!(fail(&["export", &model, "--to", "c", "-o", "-"], 2).contains("./-"));
}
