//! The sources of the crate as tokens, for the tests that read them.

use std::path::Path;

/// A source file: the path of its module and its text.
pub(crate) type File = (Vec<String>, String);

/// An identifier, a number or a single punctuation mark, and its line; `::` is one token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens of a source, without comments, literals of text, and unit tests (`#[cfg(test)] mod`).
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(next) = rest.chars().next() {
        let mut keep = |length: usize| {
            tokens.push(Token { text: rest[..length].to_owned(), line });
            length
        };
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if next == '"' {
            string_literal(rest)
        } else if next == '\'' {
            character_literal(rest).unwrap_or(1)
        } else if next.is_alphanumeric() || next == '_' {
            keep(rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()))
        } else if next.is_whitespace() {
            next.len_utf8()
        } else {
            keep(if rest.starts_with("::") { 2 } else { next.len_utf8() })
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    without_unit_tests(&tokens)
}

/// What is left if each `#[cfg(test)] mod .. { .. }` is cut out.
fn without_unit_tests(tokens: &[Token]) -> Vec<Token> {
    let is = |place: usize, text: &str| tokens.get(place).is_some_and(|token| token.text == text);
    let (mut kept, mut place) = (Vec::new(), 0);
    while place < tokens.len() {
        let start = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
        if !start.iter().enumerate().all(|(i, text)| is(place + i, text)) {
            kept.push(tokens[place].clone());
            place += 1;
            continue;
        }
        place += start.len() + 1;
        let mut braces = 0;
        while place < tokens.len() {
            braces += usize::from(is(place, "{"));
            braces -= usize::from(is(place, "}"));
            place += 1;
            if braces == 0 {
                break;
            }
        }
    }
    kept
}

fn string_literal(source: &str) -> usize {
    let mut escaped = false;
    for (place, c) in source.char_indices().skip(1) {
        match c {
            '"' if !escaped => return place + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    source.len()
}

/// The length of `'x'` or `'\n'`; `None` for a lifetime.
fn character_literal(source: &str) -> Option<usize> {
    let mut characters = source.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
        return characters.find(|(_, c)| *c == '\'').map(|(place, _)| place + 1);
    }
    characters.next().filter(|(_, c)| *c == '\'').map(|(place, _)| place + 1)
}

fn read(folder: &Path, module: &[String], files: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a UTF-8 name").to_owned();
        let with = |name: String| module.iter().cloned().chain([name]).collect::<Vec<_>>();
        if path.is_dir() {
            read(&path, &with(stem), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if stem == "mod" || stem == "lib" { module.to_vec() } else { with(stem) };
            files.push((module, std::fs::read_to_string(&path).expect("UTF-8 text")));
        }
    }
}

pub(crate) fn sources() -> Vec<File> {
    let mut files = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut files);
    assert!(files.len() > 50, "only {} files were found", files.len());
    files
}

/// Files as `("layers/chain", "use crate::x;")`.
pub(crate) fn files(texts: &[(&str, &str)]) -> Vec<File> {
    let module = |path: &str| path.split('/').map(str::to_owned).collect();
    texts.iter().map(|(path, source)| (module(path), (*source).to_owned())).collect()
}
