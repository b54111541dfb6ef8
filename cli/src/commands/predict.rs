//! `predict`: the classes of texts, a line at a time.

use crate::arguments::Predict;
use crate::columns;
use crate::data::{Rows, Source, check_text};
use crate::failure::Failure;
use crate::image_file::ImageFile;
use crate::predictor::{IdsPredictor, Judge, Predictor};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

pub(crate) fn run(arguments: &Predict) -> Result<(), Failure> {
    let image = ImageFile::read(&arguments.model)?;
    let model = image.model()?;
    let (names, judge) = (image.class_names(&model)?, Judge::of(&model));
    let mut predictor = if arguments.ids {
        By::Ids(Box::new(IdsPredictor::new(model)?))
    } else {
        By::Text(Box::new(Predictor::new(&image.classifier_of(model)?)?))
    };
    let source = Source::from(arguments.texts.as_path());
    let fields = columns::of_model(&model);
    let mut rows = (!arguments.ids && !fields.is_empty()).then(|| Rows::new(source.name(), fields));
    let failed = |error: io::Error| Failure::file(source.name().as_ref(), &error);
    let input: Box<dyn Read> = if source.is_standard_input() {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(source.path()).map_err(failed)?)
    };
    let mut reader = BufReader::with_capacity(BUFFER, input);
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let mut answer = |outputs: &[f32], waits: bool| {
        let written = write_answer(&mut out, outputs, judge, &names, arguments);
        written
            .and_then(|()| if waits { out.flush() } else { Ok(()) })
            .map_err(|error| Failure::output(&error))
    };
    let (mut bytes, mut number) = (Vec::new(), 0);
    let result = loop {
        bytes.clear();
        let is_end = reader.read_until(b'\n', &mut bytes).map_err(failed)? == 0;
        if is_end {
            break Ok(());
        }
        number += 1;
        let line = match line(source.name(), number, &mut bytes) {
            Ok(line) => line,
            Err(failure) => break Err(failure),
        };
        // Who wrote the line, and no other behind it, waits for its answer.
        let waits = !reader.buffer().contains(&b'\n');
        let row = match &mut rows {
            // An empty line is answered by one, so that answers stand beside their lines.
            Some(_) if line.is_empty() => {
                if let By::Text(predictor) = &mut predictor {
                    predictor.outputs()?.try_for_each(|outputs| answer(outputs, false))?;
                }
                answer(&[], waits)?;
                continue;
            }
            Some(rows) => match rows.text(number, line) {
                Ok(Some(row)) => Some(row),
                // It names the columns.
                Ok(None) => continue,
                Err(failure) => break Err(failure),
            },
            None => None,
        };
        let line = row.as_deref().unwrap_or(line);
        match &mut predictor {
            By::Text(predictor) => {
                predictor.push(line)?;
                if waits || predictor.is_full() {
                    predictor.outputs()?.try_for_each(|outputs| answer(outputs, waits))?;
                }
            }
            By::Ids(predictor) => {
                let outputs = ids(source.name(), number, line).and_then(|ids| {
                    let outputs = predictor.outputs(&ids);
                    outputs.map_err(|error| Failure::line(source.name(), number, None, error))
                });
                match outputs {
                    Ok(outputs) => answer(outputs, waits)?,
                    Err(failure) => break Err(failure),
                }
            }
        }
    };
    // The lines before one that cannot be read are answered.
    if let By::Text(predictor) = &mut predictor {
        predictor.outputs()?.try_for_each(|outputs| answer(outputs, false))?;
    }
    out.flush().map_err(|error| Failure::output(&error))?;
    result
}

/// The text of a line.
fn line<'b>(name: &str, number: u64, bytes: &'b mut Vec<u8>) -> Result<&'b str, Failure> {
    if number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    check_text(name, number, bytes)?;
    let line = std::str::from_utf8(bytes).map_err(|error| Failure::data(name, error))?;
    Ok(line.trim_end_matches(['\n', '\r']))
}

/// Bytes that are read and written at once.
const BUFFER: usize = 1 << 16;

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

/// Writes a line of the answer.
fn write_answer(
    out: &mut impl Write,
    outputs: &[f32],
    judge: Judge,
    names: &[String],
    arguments: &Predict,
) -> io::Result<()> {
    let name = |class: usize| names.get(class).map_or("", String::as_str);
    // Of several labels those that hold are told, or more if more are asked for.
    let holding = judge.classes(outputs).len();
    let told = match arguments.top {
        1 if judge.several => holding,
        top => holding.max(top.into()),
    };
    if arguments.json {
        let top = Judge::top(outputs, told);
        let top: Vec<_> = top
            .iter()
            .map(|(class, probability)| json!({"label": name(*class), "probability": probability}))
            .collect();
        let labels: Vec<_> = judge.classes(outputs).into_iter().map(name).collect();
        let answer = json!({"label": judge.best(outputs).map(name), "labels": labels, "top": top});
        return writeln!(out, "{answer}");
    }
    if arguments.top > 1 || judge.several || judge.best(outputs).is_some() {
        let mut before = "";
        for (class, probability) in Judge::top(outputs, told) {
            write!(out, "{before}{}\t{probability:.4}", name(class))?;
            before = "\t";
        }
    }
    writeln!(out)
}
