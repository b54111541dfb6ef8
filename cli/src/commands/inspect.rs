//! `inspect`: what a model is.

use super::print;
use crate::arguments::Inspect;
use crate::columns;
use crate::description::{self, Text};
use crate::failure::Failure;
use crate::image_file::{ImageFile, class_names};
use nanoembed::image::Sections;
use nanoembed::models::{All, Model, Record};
use nanoembed::table::RowFormat;
use nanoembed::text::Column;
use serde_json::{Value, json};
use std::fmt;

pub(crate) fn run(arguments: &Inspect) -> Result<(), Failure> {
    let image = ImageFile::read(&arguments.model)?;
    let model = image.model()?;
    let fingerprint = Sections::read(image.bytes()).map_err(|error| image.failure(error))?.fingerprint();
    if arguments.json {
        print(&format!("{}\n", as_json(&image, model, fingerprint)))
    } else {
        print(&as_text(&image, model, fingerprint))
    }
}

/// The format of the rows of a layer, if they are not of 32 bits.
fn format(record: &Record) -> Option<RowFormat> {
    RowFormat::from_number(record.format).filter(|format| *format != RowFormat::F32)
}

fn as_text(image: &ImageFile, model: Model<'_, All>, fingerprint: u64) -> String {
    let bytes = image.bytes();
    let mut out = String::new();
    let mut line = |line: fmt::Arguments<'_>| {
        out.push_str(&line.to_string());
        out.push('\n');
    };
    line(format_args!(
        "{}: a model, version {}, {} bytes",
        image.name(),
        description::version(bytes),
        bytes.len()
    ));
    line(format_args!("CRC-32 {:08x}, fingerprint {fingerprint:016x}", description::checksum(bytes)));
    line(format_args!("\n{}", model.recipe().summary()));
    for (number, record) in model.recipe().records().iter().enumerate() {
        if let Some(format) = format(record) {
            line(format_args!("layer {number}: rows of {format:?}"));
        }
    }
    line(format_args!("\nsection       offset     bytes"));
    for section in description::sections(bytes) {
        line(format_args!("{:10} {:9} {:9}", section.name, section.offset, section.bytes));
    }
    if let Some(columns) = columns::read(&model) {
        line(format_args!(
            "\n{} columns, {} rows; each field gives a row of its own",
            columns.len(),
            columns.rows()
        ));
        for column in columns.iter() {
            let (what, values): (&str, Vec<String>) = if column.is_numeric() {
                let thresholds = column.thresholds().map(|threshold| threshold.to_string());
                ("numbers, divided at", thresholds.collect())
            } else {
                ("categories", column.categories().map(str::to_owned).collect())
            };
            line(format_args!("{}: {what} {}", column.name(), values.join(", ")));
        }
    } else if let Some(pipeline) = model.pipeline() {
        of_words(&Text::of(pipeline), &mut line);
    }
    if let Some(classes) = model.classes() {
        let names: Vec<&str> = classes.iter().collect();
        line(format_args!("\n{} classes: {}", names.len(), names.join(", ")));
        if classes.threshold() > 0.0 {
            line(format_args!("below {} it is none of them", classes.threshold()));
        }
    }
    if !model.metadata().is_empty() {
        line(format_args!("\nmetadata: {}", String::from_utf8_lossy(model.metadata())));
    }
    out
}

/// How text becomes ids.
fn of_words(text: &Text, line: &mut dyn FnMut(fmt::Arguments<'_>)) {
    let length =
        if text.length == 0 { "a bag of any length".to_owned() } else { format!("{} ids", text.length) };
    line(format_args!("\nids by {} ({}), {} rows, {length}", text.ids_by, text.hash, text.rows));
    line(format_args!(
        "lower-casing {}, words split at {:?} and {:?}",
        text.lowercase, text.split, text.filters
    ));
    if text.marks {
        line(format_args!("runs of letters, runs of digits and marks are words of their own"));
    }
    match (text.words, text.characters) {
        (0 | 1, (0, 0)) => line(format_args!("words alone")),
        (words, (0, 0)) => line(format_args!("runs of 1 to {words} words")),
        (words, (min, max)) => {
            line(format_args!("runs of 1 to {words} words, {min} to {max} characters of words"));
        }
    }
}

fn as_json(image: &ImageFile, model: Model<'_, All>, fingerprint: u64) -> Value {
    let bytes = image.bytes();
    let layers: Vec<Value> = model
        .recipe()
        .records()
        .iter()
        .map(|record| {
            let kind = nanoembed::models::LayerKind::from_number(record.kind);
            let (kind, extents) = kind.map_or(("unknown", ""), |kind| (kind.name(), kind.extents()));
            let format = format!("{:?}", RowFormat::from_number(record.format).unwrap_or(RowFormat::F32));
            let sizes = record.extents;
            json!({"kind": kind, "extents": sizes, "extents_are": extents, "options": record.options,
                "sources": record.sources, "rows": format})
        })
        .collect();
    let sections: Vec<Value> = description::sections(bytes)
        .into_iter()
        .map(|section| json!({"name": section.name, "offset": section.offset, "bytes": section.bytes}))
        .collect();
    let text = model.pipeline().map(|pipeline| {
        let text = Text::of(pipeline);
        let (min, max) = text.characters;
        json!({"ids_by": text.ids_by, "hash": text.hash, "lowercase": text.lowercase, "rows": text.rows,
            "length": text.length, "words": text.words, "characters": [min, max], "marks": text.marks,
            "filters": text.filters, "split": text.split})
    });
    let columns = columns::read(&model).map(|columns| {
        let of = |column: Column<'_>| {
            json!({"name": column.name(), "first_row": column.first(),
                "categories": column.categories().collect::<Vec<_>>(),
                "thresholds": column.is_numeric().then(|| column.thresholds().collect::<Vec<_>>())})
        };
        columns.iter().map(of).collect::<Vec<_>>()
    });
    json!({
        "file": image.name(),
        "bytes": bytes.len(),
        "version": description::version(bytes),
        "crc32": format!("{:08x}", description::checksum(bytes)),
        "fingerprint": format!("{fingerprint:016x}"),
        "parameters": model.parameters().len(),
        "layers": layers,
        "sections": sections,
        "pipeline": text,
        "columns": columns,
        "classes": class_names(&model).unwrap_or_default(),
        "threshold": model.classes().map(|classes| classes.threshold()),
        "metadata": String::from_utf8_lossy(model.metadata()),
    })
}
