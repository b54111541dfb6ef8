//! `word2vec`: vectors of a small corpus, the same for any number of threads.

use super::{Folder, fail, succeed, succeed_with};
use std::fs;

/// Two topics, whose words never meet.
fn corpus() -> String {
    let sentence = |s: usize| {
        let topic = if s.is_multiple_of(2) { "sea" } else { "sky" };
        let word = |i: usize| {
            let h = (12 * s + i) as u32;
            let h = h.wrapping_mul(0x9e37_79b1);
            let h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
            format!("{topic}{}", (h ^ h >> 13) % 40)
        };
        (0..12).map(word).collect::<Vec<_>>().join(" ")
    };
    (0..600).map(sentence).collect::<Vec<_>>().join("\n")
}

fn vectors(text: &str) -> Vec<(String, Vec<f32>)> {
    let line = |line: &str| {
        let (word, numbers) = line.split_once(' ').expect("a word and numbers");
        (word.to_owned(), numbers.split(' ').map(|x| x.parse().expect("a number")).collect())
    };
    text.lines().skip(1).map(line).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / nanoembed::math::sqrt(dot(a, a) * dot(b, b))
}

#[test]
fn words_of_a_topic_lie_beside_each_other_whatever_the_threads() {
    let folder = Folder::new("word2vec");
    let (corpus, one, three) =
        (folder.write("corpus.txt", corpus()), folder.path("1.txt"), folder.path("3.vec"));
    for method in ["skip-gram", "shared", "cbow"] {
        let settings = [
            "word2vec",
            &corpus,
            "--dim",
            "10",
            "--sample",
            "0",
            "--learning-rate",
            "0.1",
            "--method",
            method,
            "-q",
        ];
        succeed(&[&settings[..], &["--threads", "1", "-o", &one]].concat());
        succeed(&[&settings[..], &["--threads", "3", "-o", &three]].concat());
        let text = fs::read_to_string(&one).expect("vectors");
        assert_eq!(text, fs::read_to_string(&three).expect("vectors"), "{method}");
        let vectors = vectors(&text);
        assert_eq!(text.lines().next(), Some(format!("{} 10", vectors.len()).as_str()));
        let (mut same, mut other) = (Vec::new(), Vec::new());
        for (i, (word, a)) in vectors.iter().enumerate() {
            for (neighbour, b) in &vectors[i + 1..] {
                let list = if word[..3] == neighbour[..3] { &mut same } else { &mut other };
                list.push(cosine(a, b));
            }
        }
        let mean = |list: &[f32]| list.iter().sum::<f32>() / list.len() as f32;
        assert!(mean(&same) > mean(&other) + 0.4, "{method}: {} and {}", mean(&same), mean(&other));
    }
}

/// Both forms of word2vec have the same vectors.
#[test]
fn a_binary_file_is_read_back() {
    let folder = Folder::new("word2vec-binary");
    let (corpus, text, binary) =
        (folder.write("corpus.txt", corpus()), folder.path("v.txt"), folder.path("v.bin"));
    for out in [&text, &binary] {
        succeed(&["word2vec", &corpus, "--dim", "10", "--epochs", "1", "-q", "-o", out]);
    }
    let bytes = fs::read(&binary).expect("vectors");
    let expected = vectors(&fs::read_to_string(&text).expect("vectors"));
    let mut rest = &bytes[bytes.iter().position(|byte| *byte == b'\n').expect("a header") + 1..];
    for (word, numbers) in expected {
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        rest = rest.strip_prefix(word.as_bytes()).and_then(|rest| rest.strip_prefix(b" ")).expect("the word");
        let (found, after) = rest.split_at(40);
        let found: Vec<f32> = found.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert_eq!(found, numbers, "{word}");
        rest = after;
    }
    assert!(rest.iter().all(|byte| *byte == b'\n'), "{rest:?}");
}

/// Words of a topic start alike: so do words that are not in the corpus.
#[test]
fn words_that_the_corpus_lacks_get_vectors_of_their_n_grams() {
    let folder = Folder::new("word2vec-also");
    let (corpus, out) = (folder.write("corpus.txt", corpus()), folder.path("v.txt"));
    let first = {
        succeed(&["word2vec", &corpus, "--dim", "10", "--epochs", "1", "-q", "-o", &out]);
        vectors(&fs::read_to_string(&out).expect("vectors"))
    };
    let starts: Vec<String> = first.iter().map(|(word, _)| word[..3].to_owned()).collect();
    let (a, b) = (&starts[0], starts.iter().find(|start| **start != starts[0]).expect("two topics"));
    let also = folder.write("also.txt", format!("{a}xyz {b}xyz\n{}", first[0].0));
    succeed(&[
        "word2vec",
        &corpus,
        "--dim",
        "10",
        "--sample",
        "0",
        "--learning-rate",
        "0.1",
        "--characters",
        "3-4",
        "--buckets",
        "5000",
        "--also",
        &also,
        "-q",
        "-o",
        &out,
    ]);
    let all = vectors(&fs::read_to_string(&out).expect("vectors"));
    assert_eq!(all.len(), first.len() + 2);
    let (known, new) = all.split_at(first.len());
    for ((word, vector), start) in new.iter().zip([a, b]) {
        assert_eq!(*word, format!("{start}xyz"));
        let mean = |is_same: bool| {
            let list: Vec<f32> = known
                .iter()
                .filter(|(word, _)| word.starts_with(start.as_str()) == is_same)
                .map(|(_, other)| cosine(vector, other))
                .collect();
            list.iter().sum::<f32>() / list.len() as f32
        };
        assert!(mean(true) > mean(false) + 0.2, "{word}: {} and {}", mean(true), mean(false));
    }
}

#[test]
fn wrong_arguments_are_named() {
    let folder = Folder::new("word2vec-wrong");
    let (corpus, out) = (folder.write("corpus.txt", "a few words"), folder.path("v.txt"));
    let other = folder.path("v.foo");
    let latin = folder.write("latin.txt", b"tea\ncaf\xe9\n");
    let (empty, blank) = (folder.write("empty.txt", ""), folder.write("blank.txt", " \n\n"));
    for (arguments, code, message) in [
        (vec!["word2vec", &corpus, "-o", &other], 2, "ends with .txt or .vec"),
        (vec!["word2vec", &corpus, "-o", &corpus], 2, "it is read, too"),
        (vec!["word2vec", &corpus, "-o", &out], 3, "no word occurs 5 times: lower --min-count"),
        (
            vec!["word2vec", &corpus, "-o", &out, "--min-count", "1", "--window", "0"],
            2,
            "a whole number from 1",
        ),
        (
            vec![
                "word2vec",
                &corpus,
                "-o",
                &out,
                "--min-count",
                "1",
                "--characters",
                "3",
                "--method",
                "shared",
            ],
            2,
            "--characters: n-grams are learnt by",
        ),
        (vec!["word2vec", &corpus, "-o", &out, "--also", &corpus], 2, "--characters"),
        (vec!["word2vec", &latin, "-o", &out], 3, "latin.txt:2:4: byte 0xe9 is not UTF-8"),
        (vec!["word2vec", &empty, "-o", &out], 3, "empty.txt: the file is empty"),
        (vec!["word2vec", &blank, "-o", &out], 3, "blank.txt: all lines are blank"),
    ] {
        let found = fail(&arguments, code);
        assert!(found.contains(message), "{arguments:?}: {found}");
    }
    assert!(!fs::exists(&out).expect("a folder"), "written");
}

#[test]
fn a_rate_that_is_too_high_is_told() {
    let folder = Folder::new("word2vec-rate");
    let (corpus, out) = (folder.write("corpus.txt", corpus()), folder.path("v.txt"));
    let message = fail(&["word2vec", &corpus, "-q", "-o", &out, "--learning-rate", "1e30"], 6);
    assert!(message.contains("try a lower --learning-rate"), "{message}");
    assert!(!fs::exists(&out).expect("a folder"), "written");
}

#[test]
fn a_corpus_may_come_from_standard_input() {
    let folder = Folder::new("word2vec-input");
    let (file, piped) = (folder.path("file.txt"), folder.path("piped.txt"));
    let settings = ["--dim", "4", "--epochs", "1", "-q", "-o"];
    succeed(&[&["word2vec", &folder.write("corpus.txt", corpus())], &settings[..], &[&file]].concat());
    succeed_with(&[&["word2vec", "-"], &settings[..], &[&piped]].concat(), corpus().as_bytes());
    assert!(fs::read(&file).expect("vectors") == fs::read(&piped).expect("vectors"));
}

/// Waits until a process has a handler of its own for Ctrl-C.
#[cfg(target_os = "linux")]
fn wait_for_handler(process: u32) {
    let is_caught = || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("its signals");
        u64::from_str_radix(caught.trim(), 16).expect("bits") >> 1 & 1 == 1
    };
    while !is_caught() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_writes_what_was_learnt_and_says_so() {
    use super::wrong::interrupt;
    use std::process::{Command, Stdio};
    let folder = Folder::new("word2vec-interrupt");
    let (corpus, out) = (folder.write("corpus.txt", corpus()), folder.path("v.txt"));
    let child = Command::new(env!("CARGO_BIN_EXE_nanoembed"))
        .args(["word2vec", &corpus, "-o", &out, "--dim", "10", "--epochs", "1000000"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command");
    wait_for_handler(child.id());
    interrupt(&child);
    let output = child.wait_with_output().expect("its end");
    let told = super::text(&output.stderr);
    assert!(output.status.success() && told.contains("ended in epoch "), "{told}");
    assert_eq!(vectors(&fs::read_to_string(&out).expect("vectors")).len(), 80);
}
