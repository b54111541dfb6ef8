//! The command as a user runs it: files in, answers, messages and exit codes out.

mod answers;
mod budgets;
mod columns;
mod firmware;
mod other_programs;
mod pictures;
mod word2vec;
mod words;
mod wrong;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder of its own for a test, which is removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nanoembed-cli-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.0.join(name), bytes).expect("a file");
        self.path(name)
    }

    /// A small model.
    fn train(&self, data: &str, name: &str, more: &[&str]) -> String {
        let model = self.path(name);
        let settings = ["train", data, "-o", &model, "--rows", "256", "--dim", "8", "-q"];
        let epochs: &[&str] = if more.contains(&"--epochs") { &[] } else { &["--epochs", "80"] };
        succeed(&[&settings, epochs, more].concat());
        model
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays does no harm.
        drop(fs::remove_dir_all(&self.0));
    }
}

fn run_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nanoembed"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command");
    // A command that fails early reads nothing.
    drop(child.stdin.take().expect("its input").write_all(input));
    child.wait_with_output().expect("its end")
}

fn run(arguments: &[&str]) -> Output {
    run_with(arguments, b"")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn succeed_with(arguments: &[&str], input: &[u8]) -> String {
    let output = run_with(arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn succeed(arguments: &[&str]) -> String {
    succeed_with(arguments, b"")
}

/// The message of a command that fails with this exit code.
fn fail(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(!message.trim().is_empty() && !message.contains("panicked"), "{message}");
    message
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

const FOOD: [&str; 6] =
    ["cold soup", "the fish was old", "soup and bread", "a fish soup", "stale bread", "the bread was cold"];
const ROOM: [&str; 6] =
    ["a noisy room", "the bed was hard", "small room", "no towels", "the room had no window", "a hard bed"];
const PRICE: [&str; 6] =
    ["far too dear", "cheap and good", "what a price", "the price was high", "a cheap place", "dear"];

/// Labelled texts of three classes, as `write` writes a line of them.
fn lines(write: impl Fn(&str, &str) -> String) -> String {
    let all = [("food", FOOD), ("room", ROOM), ("price", PRICE)];
    (0..6).flat_map(|i| all.map(|(label, texts)| write(label, texts[i]))).collect()
}

fn tsv() -> String {
    lines(|label, text| format!("{label}\t{text}\n"))
}
