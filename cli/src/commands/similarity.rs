//! `similarity`: how alike two words are, and how well that agrees with what people say.

use super::print;
use crate::arguments::Similarity;
use crate::data::{Source, columns_of_lines};
use crate::failure::Failure;
use crate::words::{self, WordVectors, cure_of_case};
use nanoembed::similarity::{cosine, spearman};
use nanoembed::sparse::Occurrence;
use serde_json::json;
use std::path::Path;

pub(crate) fn run(arguments: &Similarity) -> Result<(), Failure> {
    let small = |word: &str| words::small(word, arguments.lowercase);
    if let Some(path) = &arguments.test {
        return test(arguments, &pairs(path, small)?, &arguments.vectors.read()?);
    }
    let words: Vec<String> = arguments.words.iter().map(|word| small(word)).collect();
    let [a, b] = words.as_slice() else {
        return Err(Failure::usage("give two words, or a file of pairs by --test"));
    };
    let vectors = arguments.vectors.read()?;
    let vector = |word: &str| vectors.vector(word).ok_or_else(|| vectors.unknown(word));
    let cosine = cosine(&vector(a)?, &vector(b)?).map_err(|error| vectors.fails(error))?;
    if arguments.json {
        return print(&format!("{}\n", json!({"a": a, "b": b, "cosine": cosine})));
    }
    print(&format!("{cosine:.4}\n"))
}

/// Two words, and what people said of them.
struct Pair {
    words: [String; 2],
    score: f32,
}

/// The pairs of a file; a first line whose third field is no number names the columns.
fn pairs(path: &Path, small: impl Fn(&str) -> String) -> Result<Vec<Pair>, Failure> {
    let source = Source::from(path);
    let text = source.read()?;
    let (mut pairs, mut is_first) = (Vec::new(), true);
    columns_of_lines(source.name(), &text, |line, fields| {
        let pair = match fields {
            [a, b, score, ..] => score
                .trim()
                .parse()
                .ok()
                .filter(|score: &f32| score.is_finite())
                .map(|score| Pair { words: [small(a.trim()), small(b.trim())], score }),
            _ => None,
        };
        match pair {
            Some(pair) => pairs.push(pair),
            None if is_first => {}
            None => {
                let message = "expected two words and a number, with tabs or commas between them";
                return Err(Failure::line(source.name(), line, None, message));
            }
        }
        is_first = false;
        Ok(())
    })?;
    if pairs.is_empty() {
        return Err(Failure::data(source.name(), "no pair: write two words and a number a line"));
    }
    Ok(pairs)
}

fn test(arguments: &Similarity, pairs: &[Pair], vectors: &WordVectors) -> Result<(), Failure> {
    let (mut cosines, mut scores) = (Vec::new(), Vec::new());
    for Pair { words: [a, b], score } in pairs {
        if let (Some(a), Some(b)) = (vectors.vector(a), vectors.vector(b)) {
            cosines.push(cosine(&a, &b).map_err(|error| vectors.fails(error))?);
            scores.push(*score);
        }
    }
    let (known, unknown) = (cosines.len(), pairs.len() - cosines.len());
    let mut scratch = [vec![Occurrence::default(); known], vec![Occurrence::default(); known]];
    let [list, other] = &mut scratch;
    let agreement = spearman(&cosines, &scores, [list, other]).map_err(|error| vectors.fails(error))?;
    let Some(agreement) = agreement else {
        let cure = cure_of_case(arguments.lowercase);
        let message =
            format!("it has both words of {known} of {} pairs, too few to compare{cure}", pairs.len());
        return Err(vectors.fails(message));
    };
    if arguments.json {
        return print(&format!("{}\n", json!({"spearman": agreement, "pairs": known, "unknown": unknown})));
    }
    print(&format!("Spearman's correlation {agreement:.4} of {known} pairs, {unknown} unknown\n"))
}
