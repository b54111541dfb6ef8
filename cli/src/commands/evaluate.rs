//! `evaluate`: how well a model finds the labels of a file.

use super::{print, threads};
use crate::arguments::Evaluate;
use crate::columns;
use crate::data::{Labelled, Source};
use crate::evaluation::{self, Scores};
use crate::failure::Failure;
use crate::image_file::ImageFile;
use serde_json::{Value, json};
use std::fmt;

/// Mistakes that are listed.
const MISTAKES: usize = 5;

pub(crate) fn run(arguments: &Evaluate) -> Result<(), Failure> {
    if arguments.top.contains(&0) {
        return Err(Failure::usage("--top 0: the best answer is --top 1"));
    }
    let image = ImageFile::read(&arguments.model)?;
    let classifier = image.classifier()?;
    let source = Source::from(arguments.data.as_path());
    let names = image.class_names(&classifier.model())?;
    let reading = arguments.data_options.reading(columns::of_model(&classifier.model()));
    let data = Labelled::read_as(&source, &reading, names)?;
    if arguments.confusion && data.has_several() {
        let message =
            "some line has several labels, and each is a question of its own: leave --confusion out";
        return Err(Failure::data(source.name(), message));
    }
    let mut ks = arguments.top.clone();
    if ks.is_empty() && data.has_several() {
        ks.push(1);
    }
    let scores = evaluation::evaluate(&classifier, &data, &ks, threads(arguments.threads))?;
    if arguments.json {
        return print(&format!("{}\n", as_json(&scores, &data, arguments.confusion)));
    }
    warn_of_strangers(&source, &data);
    print(&as_text(&scores, &data, arguments.confusion))
}

/// Tells how many texts cannot be right.
pub(super) fn warn_of_strangers(source: &Source, data: &Labelled) {
    let Some(stranger) = &data.stranger else { return };
    let is_class = |name: &&String| name.to_lowercase() == stranger.to_lowercase();
    let hint = match data.names.iter().find(is_class) {
        Some(class) => format!(", whose class is {class:?}"),
        None => String::new(),
    };
    eprintln!(
        "{}: {} texts have labels that the model has no class for, such as {stranger:?}{hint}",
        source.name(),
        data.strangers
    );
}

/// The name of a class, or of none.
fn name(names: &[String], class: Option<usize>) -> &str {
    class.and_then(|class| names.get(class)).map_or("(none)", String::as_str)
}

fn as_text(scores: &Scores, data: &Labelled, with_confusion: bool) -> String {
    let names = &data.names;
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(8);
    let mut out = String::new();
    let mut line = |line: fmt::Arguments<'_>| {
        out.push_str(&line.to_string());
        out.push('\n');
    };
    line(format_args!("{:width$}  precision  recall      F1   texts", ""));
    for (name, counts) in names.iter().zip(&scores.classes) {
        let (precision, recall, f1) = (counts.precision(), counts.recall(), counts.f1());
        line(format_args!("{name:width$}     {precision:.4}  {recall:.4}  {f1:.4}  {:6}", counts.texts));
    }
    if with_confusion {
        line(format_args!("\nhow often texts of a class (line) were taken for a class (column)"));
        for (class, of_line) in names.iter().enumerate() {
            let others = (0..names.len()).map(Some).chain([None]);
            let counts: Vec<String> = others
                .map(|other| scores.confused(class, other).map_or("-".to_owned(), |count| count.to_string()))
                .collect();
            line(format_args!("{of_line:width$}  {}", counts.join("\t")));
        }
    }
    let mistakes = scores.mistakes(MISTAKES);
    if !mistakes.is_empty() {
        line(format_args!("\nthe most frequent mistakes"));
    }
    for (class, other, times) in mistakes {
        line(format_args!("{times:6} of {} taken for {}", name(names, Some(class)), name(names, other)));
    }
    line(format_args!("\ntexts {}", scores.texts));
    for at in &scores.at_k {
        line(format_args!("precision@{0} {1:.4}\nrecall@{0} {2:.4}", at.k, at.precision, at.recall));
    }
    line(format_args!("macro-F1 {:.4}\naccuracy {:.4}", scores.macro_f1(), scores.accuracy()));
    out
}

fn as_json(scores: &Scores, data: &Labelled, with_confusion: bool) -> Value {
    let of_classes = data.names.iter().zip(&scores.classes).map(|(name, counts)| {
        let (precision, recall, f1) = (counts.precision(), counts.recall(), counts.f1());
        json!({"name": name, "precision": precision, "recall": recall, "f1": f1, "texts": counts.texts})
    });
    let at_k =
        scores.at_k.iter().map(|at| json!({"k": at.k, "precision": at.precision, "recall": at.recall}));
    let mut object = json!({
        "texts": scores.texts,
        "accuracy": scores.accuracy(),
        "macro_f1": scores.macro_f1(),
        "unknown_labels": data.strangers,
        "at_k": at_k.collect::<Vec<_>>(),
        "classes": of_classes.collect::<Vec<_>>(),
    });
    if with_confusion {
        let line = |class: usize| -> Value {
            (0..data.names.len())
                .map(Some)
                .chain([None])
                .map(|other| json!(scores.confused(class, other)))
                .collect()
        };
        object["confusion"] = (0..data.names.len()).map(line).collect();
    }
    object
}
