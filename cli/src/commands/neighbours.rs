//! `neighbours`: the words whose vectors are nearest to that of a word.

use super::print;
use crate::arguments::Neighbours;
use crate::data::check_text;
use crate::failure::Failure;
use crate::words::WordVectors;
use nanoembed::similarity::{Neighbour, Search};
use serde_json::{Value, json};
use std::io::{self, BufRead};

pub(crate) fn run(arguments: &Neighbours) -> Result<(), Failure> {
    let vectors = arguments.vectors.read()?;
    let norms = vectors.inverse_norms()?;
    let search = Search::cosine(vectors.table()?, &norms).map_err(|error| vectors.fails(error))?;
    let mut found = vec![Neighbour::default(); arguments.top.into()];
    let mut answer = |word: &str| -> Result<String, Failure> {
        let vector = vectors.vector(word).ok_or_else(|| vectors.unknown(word))?;
        let own: Vec<usize> = vectors.place(word).into_iter().collect();
        let nearest = search.without(&own).nearest(&vector, &mut found);
        Ok(write(word, nearest.map_err(|error| vectors.fails(error))?, &vectors, arguments.json))
    };
    if !arguments.words.is_empty() {
        // What is unknown is told before anything is printed.
        let answers = arguments.words.iter().map(|word| answer(word)).collect::<Result<String, _>>()?;
        return print(&answers);
    }
    let (mut bytes, mut number, mut input) = (Vec::new(), 0, io::stdin().lock());
    let failed = |error: io::Error| Failure::file("standard input".as_ref(), &error);
    loop {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
            return Ok(());
        }
        number += 1;
        check_text("standard input", number, &bytes)?;
        let line = String::from_utf8_lossy(&bytes);
        let word = line.trim();
        if word.is_empty() {
            continue;
        }
        match answer(word) {
            Ok(answer) => print(&answer)?,
            // The words after it may be known.
            Err(unknown) => eprintln!("warning: {unknown}"),
        }
    }
}

fn write(word: &str, nearest: &[Neighbour], vectors: &WordVectors, as_json: bool) -> String {
    let named = vectors.named(nearest);
    if as_json {
        let list: Vec<Value> =
            named.map(|(neighbour, cosine)| json!({"word": neighbour, "cosine": cosine})).collect();
        return format!("{}\n", json!({"word": word, "neighbours": list}));
    }
    let mut out = String::new();
    for (neighbour, cosine) in named {
        out.push_str(&format!("{word}\t{neighbour}\t{cosine:.4}\n"));
    }
    out
}
