//! `predict`: the classes of texts, a line at a time.

use crate::arguments::Predict;
use crate::columns;
use crate::data::{Rows, Source, check_text};
use crate::failure::Failure;
use crate::image_file::{ImageFile, class_names};
use crate::predictor::{IdsPredictor, Judge, Predictor};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};

pub(crate) fn run(arguments: &Predict) -> Result<(), Failure> {
    let image = ImageFile::read(&arguments.model)?;
    let model = image.model()?;
    let (names, judge) = (class_names(&model), Judge::of(&model));
    let mut predictor = if arguments.ids {
        By::Ids(Box::new(IdsPredictor::new(model)?))
    } else {
        By::Text(Box::new(Predictor::new(&image.classifier()?)?))
    };
    let source = Source::from(arguments.texts.as_path());
    let fields = columns::of_model(&model);
    let mut rows = (!arguments.ids && !fields.is_empty()).then(|| Rows::new(source.name(), fields));
    let failed = |error: io::Error| Failure::file(source.name().as_ref(), &error);
    // Who writes a line to standard input waits for its answer.
    let (mut reader, at_once): (Box<dyn BufRead>, bool) = if source.is_standard_input() {
        (Box::new(io::stdin().lock()), true)
    } else {
        (Box::new(BufReader::new(File::open(source.path()).map_err(failed)?)), false)
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut bytes, mut number) = (Vec::new(), 0);
    let failed_to_write = |error: io::Error| Failure::output(&error);
    loop {
        bytes.clear();
        let is_end = reader.read_until(b'\n', &mut bytes).map_err(failed)? == 0;
        if is_end {
            return out.flush().map_err(failed_to_write);
        }
        number += 1;
        if number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let line = check_text(source.name(), number, &bytes)
            .and_then(|()| std::str::from_utf8(&bytes).map_err(|error| Failure::data(source.name(), error)));
        let line = match line {
            Ok(line) => line.trim_end_matches(['\n', '\r']),
            Err(failure) => {
                // The lines before it were answered.
                out.flush().map_err(failed_to_write)?;
                return Err(failure);
            }
        };
        let row = match &mut rows {
            Some(rows) => match rows.text(number, line) {
                Ok(Some(row)) => Some(row),
                // It names the columns.
                Ok(None) => continue,
                Err(failure) => {
                    out.flush().map_err(failed_to_write)?;
                    return Err(failure);
                }
            },
            None => None,
        };
        let line = row.as_deref().unwrap_or(line);
        let outputs = match &mut predictor {
            By::Text(predictor) => predictor.outputs(line)?,
            By::Ids(predictor) => {
                let ids = ids(source.name(), number, line)?;
                predictor.outputs(&ids).map_err(|error| Failure::line(source.name(), number, None, error))?
            }
        };
        let answer = answer(outputs, judge, &names, arguments);
        writeln!(out, "{answer}").map_err(failed_to_write)?;
        if at_once {
            out.flush().map_err(failed_to_write)?;
        }
    }
}

/// What a line is taken for.
enum By<'a> {
    Text(Box<Predictor<'a>>),
    Ids(Box<IdsPredictor<'a>>),
}

/// The ids of a line, with `|` between those of several inputs.
fn ids(name: &str, number: u64, line: &str) -> Result<Vec<Vec<u32>>, Failure> {
    let id = |word: &str| {
        let column = line.find(word).map(|at| at as u64 + 1);
        word.parse()
            .map_err(|error| Failure::line(name, number, column, format!("{word:?} is no id: {error}")))
    };
    line.split('|').map(|input| input.split_whitespace().map(id).collect()).collect()
}

/// A line of the answer.
fn answer(outputs: &[f32], judge: Judge, names: &[String], arguments: &Predict) -> String {
    let name = |class: usize| names.get(class).map_or("", String::as_str);
    let top = Judge::top(outputs, arguments.top.into());
    if arguments.json {
        let top: Vec<_> = top
            .iter()
            .map(|(class, probability)| json!({"label": name(*class), "probability": probability}))
            .collect();
        let labels: Vec<_> = judge.classes(outputs).into_iter().map(name).collect();
        return json!({"label": judge.best(outputs).map(name), "labels": labels, "top": top}).to_string();
    }
    if judge.best(outputs).is_none() && arguments.top == 1 {
        return String::new();
    }
    let fields: Vec<String> =
        top.iter().map(|(class, probability)| format!("{}\t{probability:.4}", name(*class))).collect();
    fields.join("\t")
}
