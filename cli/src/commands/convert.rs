//! `convert`: vectors of words into a file of another kind.

use super::print;
use crate::arguments::Convert;
use crate::failure::Failure;
use crate::image_file::{check_apart, check_writable};
use crate::vector_file::VectorFormat;
use crate::words::{read_words, words_beside_path};
use std::collections::HashSet;

pub(crate) fn run(arguments: &Convert) -> Result<(), Failure> {
    let output = arguments.output.as_path();
    let format = match arguments.to {
        Some(format) => format,
        None => VectorFormat::of(output)?,
    };
    let numbers = arguments.numbers.into();
    format.check(numbers)?;
    let beside = format.has_words_beside().then(|| words_beside_path(output));
    let read = [Some(arguments.vectors.file.as_path()), arguments.vocabulary.as_deref()];
    for written in [Some(output), beside.as_deref()].into_iter().flatten() {
        check_apart(written, read.into_iter().flatten())?;
        check_writable(written)?;
    }
    let only: Option<HashSet<String>> = match &arguments.vocabulary {
        Some(path) => Some(read_words(path)?.into_iter().collect()),
        None => None,
    };
    let vectors = arguments.vectors.read_only(only.as_ref())?;
    format.write(output, vectors.words(), vectors.table()?, numbers)?;
    let (words, dim) = (vectors.words().len(), vectors.dim());
    if let Some(lacking) = only.map(|only| only.len() - words).filter(|lacking| *lacking > 0) {
        eprintln!("{}: {lacking} of the words that were wanted are not in it", vectors.name());
    }
    let beside = beside.map_or_else(String::new, |path| format!("; the words are in {}", path.display()));
    print(&format!("{}: {words} words with {dim} numbers each{beside}\n", output.display()))
}
