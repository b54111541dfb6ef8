//! Word vectors from a file of any kind into one of another.
//!
//! ```text
//! cargo run --release --features std --example convert -- FROM TO [ROWS [WORDS]]
//! ```
//!
//! FROM may be text with or without a header, word2vec's binary file, fastText's `.bin`, npy, npz or safetensors, also compressed by
//! gzip: its first bytes tell. TO ends in `.txt` or `.vec` (text), `.bin` (word2vec's binary file), `.npy` or `.safetensors`; beside the
//! last two the words go to a file with `.words` at the end, a word a line. At most ROWS rows are read, and of these only the words
//! that the file WORDS has on its lines.

use nanoembed::error::FileError;
use nanoembed::files;
use nanoembed::table::Table;
use nanoembed::vectors::{
    AnyVectors, Vectors, WriteError, to_safetensors, write_binary, write_npy, write_text,
};
use std::collections::HashSet;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, Write};

/// All words and rows of vectors; a file with another number of rows than its header says is taken as it is.
fn read(mut vectors: impl Vectors) -> Result<(Vec<String>, Vec<f32>), FileError> {
    let (mut words, mut known, mut numbers, mut twice) = (Vec::new(), HashSet::new(), Vec::new(), 0);
    loop {
        match vectors.next_row() {
            Ok(Some((word, row))) => {
                if known.insert(word.to_owned()) {
                    words.push(word.to_owned());
                    numbers.extend_from_slice(row);
                } else {
                    twice += 1;
                }
            }
            Ok(None) => break,
            Err(error @ FileError::Rows { .. }) if !words.is_empty() => {
                eprintln!("{error}: they are kept");
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if twice > 0 {
        eprintln!("{twice} rows are of a word that came before, and left out");
    }
    Ok((words, numbers))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (from, to, rows, only) = match arguments.as_slice() {
        [from, to] => (from, to, None, None),
        [from, to, rows] => (from, to, Some(rows), None),
        [from, to, rows, words] => (from, to, Some(rows), Some(words)),
        _ => return Err("convert FROM TO [ROWS [WORDS]]".into()),
    };
    let vectors = AnyVectors::open(BufReader::new(File::open(from)?))?;
    let dim = vectors.dim();
    let vectors = vectors.take(rows.map_or(Ok(u64::MAX), |rows| rows.parse())?);
    let (words, numbers) = match only {
        Some(file) => {
            let wanted = fs::read_to_string(file)?;
            let wanted: HashSet<&str> = wanted.lines().collect();
            read(vectors.only(|word| wanted.contains(word)))?
        }
        None => read(vectors)?,
    };
    let table = Table::new(&numbers, words.len(), dim)?;
    let end = to.rsplit_once('.').map(|(_, end)| end);
    match end {
        Some("txt" | "vec") => files::write(to, |file| write_text(&words, table, file))?,
        Some("bin") => files::write(to, |file| write_binary(&words, table, file))?,
        Some("npy") => files::write(to, |file| write_npy(table, file))?,
        Some("safetensors") => {
            files::write(to, |file| {
                Ok::<(), WriteError>(file.write_all(&to_safetensors("vectors", table)?)?)
            })?;
        }
        _ => return Err("TO must end in .txt, .vec, .bin, .npy or .safetensors".into()),
    }
    if matches!(end, Some("npy" | "safetensors")) {
        files::write(format!("{to}.words"), |file| {
            words.iter().try_for_each(|word| writeln!(file, "{word}"))
        })?;
    }
    println!("{} words with {dim} numbers each: {to}", words.len());
    Ok(())
}
