//! `word2vec`: vectors of a small corpus, the same for any number of threads.

use super::{Folder, fail, succeed};
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
        let cosine = |a: &[f32], b: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(a, b) / nanoembed::math::sqrt(dot(a, a) * dot(b, b))
        };
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

#[test]
fn wrong_arguments_are_named() {
    let folder = Folder::new("word2vec-wrong");
    let (corpus, out) = (folder.write("corpus.txt", "a few words"), folder.path("v.txt"));
    let other = folder.path("v.foo");
    for (arguments, code, message) in [
        (vec!["word2vec", &corpus, "-o", &other], 2, "ends with .txt or .vec"),
        (vec!["word2vec", &corpus, "-o", &corpus], 2, "it is read, too"),
        (vec!["word2vec", &corpus, "-o", &out], 3, "no word occurs 5 times: lower --min-count"),
        (vec!["word2vec", &corpus, "-o", &out, "--min-count", "1", "--window", "0"], 2, "window is 0"),
    ] {
        let found = fail(&arguments, code);
        assert!(found.contains(message), "{arguments:?}: {found}");
    }
    assert!(!fs::exists(&out).expect("a folder"), "written");
}
