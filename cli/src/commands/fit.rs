//! `train --flash`: the best model that fits into so many bytes.

use super::{HOLD_OUT, print, threads};
use crate::arguments::{self, Train};
use crate::data::{Labelled, Reading, Source};
use crate::evaluation;
use crate::failure::{Failure, Kind};
use crate::image_file::ImageFile;
use crate::measure::Measure;
use crate::plot;
use crate::progress::{self, Progress};
use crate::recipe::Architecture;
use crate::search::{self, Candidate, Frame, Point, Split, Task, Tried};
use serde_json::{Value, json};
use std::fmt;
use std::path::Path;
use std::time::Duration;

pub(crate) fn run(arguments: &Train, flash: usize) -> Result<(), Failure> {
    if arguments.model != Architecture::Bag {
        return Err(Failure::usage("--flash searches among bag models: leave --model out"));
    }
    let measure = measure(arguments)?;
    let reading = arguments.data_options.reading(Vec::new());
    let data = Labelled::read(&arguments.data.as_path().into(), &reading)?;
    super::train::warn_of_names(arguments, &data);
    let splits = splits(arguments, &data, &reading)?;
    let [Split { learnt, held_out }, ..] = splits.as_slice() else {
        let message = "no text is held out to try models on: more lines, or a greater --hold-out";
        return Err(match arguments.hold_out {
            Some(0.0) => Failure::usage(message),
            _ => Failure::data(&arguments.data.display().to_string(), message),
        });
    };
    let test = match &arguments.fitting.test {
        Some(path) => Some(of_learnt_labels(path, &reading, &data)?),
        None => None,
    };
    let names: Vec<&str> = data.names.iter().map(String::as_str).collect();
    let marks = arguments.text.split.unwrap_or(arguments::Split::Marks) == arguments::Split::Marks;
    let task = Task {
        data: &data,
        names: &names,
        splits: &splits,
        frame: Frame::new(&names, marks),
        lowercase: arguments.text.lowercase.into(),
        marks,
        measure,
    };
    progress::end_at_interrupt()?;
    let quiet = arguments.quiet;
    if !quiet {
        eprintln!(
            "{} lines to learn from, {} held out, {} classes",
            learnt.len(),
            held_out.len(),
            names.len()
        );
        warn_of_untested(&splits);
    }
    let show = |tried: &Tried| {
        if !quiet {
            let again = if tried.seed > 1 { "; again, with other texts held out" } else { "" };
            eprintln!("{:9} bytes  {:.4}  {}{again}", tried.bytes, tried.score(), tried.candidate);
        }
    };
    let budgets = search::budgets(flash);
    let time = Duration::from_secs(arguments.fitting.seconds);
    let found = search::search(&task, &budgets, time, threads(arguments.fitting.threads), &show)?;
    let Some(best) = found.first().cloned().flatten() else {
        let message = if progress::was_ended() {
            Failure::new(Kind::Training, "ended before the first model was trained: nothing is written")
        } else {
            Failure::usage(format!("--flash {flash}: no model of {} classes fits", names.len()))
        };
        return Err(message);
    };

    // What was held out is learnt from, too.
    let seed = arguments.learning.seed;
    // A person who ended the search still wants the model: with what was tried, it is made once more.
    progress::go_on();
    let image = of_all(&task, best.candidate, seed, "ended: nothing is written")?;
    image.classifier()?;
    image.write(&arguments.output)?;

    let points: Vec<Point> = found
        .iter()
        .rev()
        .flatten()
        .map(|tried| Point { bytes: tried.bytes, accuracy: tried.score() })
        .collect();
    if let Some(path) = &arguments.plot {
        plot::write(path, &search::curve(measure.name(), &points))?;
    }
    if quiet && !arguments.json {
        return Ok(());
    }
    let tester = Tester { task: &task, test: test.as_ref(), seed, best: (best.candidate, &image) };
    let curve = tester.curve(&budgets, &found)?;
    let name = arguments.output.display();
    let (bytes, of_image) = (image.bytes().len(), best.candidate);
    if arguments.json {
        let model = json!({"model": name.to_string(), "bytes": bytes, "settings": of_image.to_string()});
        let lines = curve.iter().map(OfBudget::json).chain([model]);
        return print(&(lines.map(|line| line.to_string()).collect::<Vec<_>>().join("\n") + "\n"));
    }
    let last = if test.is_some() { "      test" } else { "" };
    let lines = curve.iter().map(OfBudget::to_string).collect::<Vec<_>>().join("\n");
    print(&format!("   budget     bytes  held out{last}\n{lines}\n{name}: {bytes} bytes, {of_image}\n"))
}

/// What was found for a budget.
struct OfBudget {
    budget: usize,
    tried: Option<Tried>,
    test: Option<f64>,
}

impl OfBudget {
    fn json(&self) -> Value {
        let Self { budget, tried, test } = self;
        let Some(tried) = tried else { return json!({"budget": budget}) };
        let settings = tried.candidate.to_string();
        json!({"budget": budget, "bytes": tried.bytes, "held_out": tried.score(), "test": test, "settings": settings})
    }
}

impl fmt::Display for OfBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { budget, tried, test } = self;
        let Some(tried) = tried else {
            return write!(f, "{budget:9}         -         -  not tried, or nothing fits");
        };
        write!(f, "{budget:9} {:9}    {:.4}", tried.bytes, tried.score())?;
        if let Some(test) = test {
            write!(f, "    {test:.4}")?;
        }
        write!(f, "  {}", tried.candidate)
    }
}

/// Tests what was found for each budget.
struct Tester<'a> {
    task: &'a Task<'a>,
    test: Option<&'a Labelled>,
    seed: u64,
    /// The model that is written.
    best: (Candidate, &'a ImageFile),
}

impl Tester<'_> {
    /// From the smallest budget on. What is best for several budgets is trained once.
    fn curve(&self, budgets: &[usize], found: &[Option<Tried>]) -> Result<Vec<OfBudget>, Failure> {
        let mut last: Option<(Candidate, f64)> = None;
        let mut curve = Vec::new();
        for (budget, tried) in budgets.iter().zip(found).rev() {
            let test = match (tried, self.test) {
                (Some(tried), Some(test)) => Some(match last {
                    Some((candidate, score)) if candidate == tried.candidate => score,
                    _ => self.score(tried.candidate, test)?,
                }),
                _ => None,
            };
            last = tried.as_ref().map(|tried| tried.candidate).zip(test).or(last);
            curve.push(OfBudget { budget: *budget, tried: tried.clone(), test });
        }
        Ok(curve)
    }

    fn score(&self, candidate: Candidate, test: &Labelled) -> Result<f64, Failure> {
        let score_of = |image: &ImageFile| -> Result<f64, Failure> {
            Ok(self.task.measure.of_scores(&evaluation::evaluate(&image.classifier()?, test, &[], 1)?))
        };
        if candidate == self.best.0 {
            return score_of(self.best.1);
        }
        score_of(&of_all(self.task, candidate, self.seed, UNTESTED)?)
    }
}

/// Tells how many classes have no line that models are tried on.
fn warn_of_untested(splits: &[Split]) {
    let mut is_tested: Vec<bool> = Vec::new();
    for Split { held_out, .. } in splits {
        is_tested.resize(held_out.names.len(), false);
        for label in held_out.labels.iter().flatten() {
            if let Some(is_tested) = is_tested.get_mut(usize::from(*label)) {
                *is_tested = true;
            }
        }
    }
    let untested = is_tested.iter().filter(|is_tested| !**is_tested).count();
    if untested > 0 {
        eprintln!(
            "warning: {untested} classes have too few lines to hold one out: what is measured is without them"
        );
    }
}

/// What a person is told who ends the command while models are tested.
const UNTESTED: &str = "ended: the model is written, but not all are tested";

/// The image of a candidate that learnt from all texts; an error with this message if the person ended it.
fn of_all(task: &Task<'_>, candidate: Candidate, seed: u64, ended: &str) -> Result<ImageFile, Failure> {
    let all: Vec<usize> = (0..task.data.len()).collect();
    let mut watch = Progress::new(1, all.len(), 0, true)?;
    task.train(candidate, &all, seed, &mut watch)?.ok_or_else(|| Failure::new(Kind::Training, ended))
}

/// Other texts with the labels of these; an error if no text has one.
fn of_learnt_labels(path: &Path, reading: &Reading, data: &Labelled) -> Result<Labelled, Failure> {
    let source = Source::from(path);
    let others = Labelled::read_as(&source, reading, data.names.clone())?;
    if others.labels.iter().all(Vec::is_empty) {
        return Err(Failure::data(source.name(), "no line has a label that was learnt"));
    }
    Ok(others)
}

/// What is learnt from and what is held out. Up to three times, each time other texts, if no file says what to
/// try models on: of few texts a turn may hold out none, and has no say then.
fn splits(arguments: &Train, data: &Labelled, reading: &Reading) -> Result<Vec<Split>, Failure> {
    if let Some(path) = &arguments.validation {
        let held_out = of_learnt_labels(path, reading, data)?;
        return Ok(vec![Split { learnt: (0..data.len()).collect(), held_out }]);
    }
    let split = |turn| {
        let (learnt, held_out) = data.split(arguments.hold_out.unwrap_or(HOLD_OUT), turn);
        Split { learnt, held_out: data.only(&held_out) }
    };
    Ok([0, 1, 2].into_iter().map(split).filter(|split| split.held_out.len() > 0).collect())
}

/// What the search maximises.
fn measure(arguments: &Train) -> Result<Measure, Failure> {
    match arguments.learning.measure {
        Some(Measure::Loss) => {
            Err(Failure::usage("--measure loss: a search compares by accuracy or macro-f1"))
        }
        measure => Ok(measure.unwrap_or(Measure::Accuracy)),
    }
}
