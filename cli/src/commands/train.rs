//! `train`: from a file of labelled texts to the image of a model.

use super::{HOLD_OUT, fit, print};
use crate::arguments::{ClassWeights, Split, Train};
use crate::columns;
use crate::data::{Labelled, Reading, Source};
use crate::examples::Examples;
use crate::failure::Failure;
use crate::history;
use crate::image_file::{self, ImageFile};
use crate::measure::Measure;
use crate::pipeline::{self, TextSettings};
use crate::plot;
use crate::progress::{self, Progress};
use crate::recipe::{Architecture, Extents};
use crate::training::{self, Optimizer, Plan};
use nanoembed::image::Contents;
use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, SparseCategoricalCrossEntropy};
use nanoembed::models::{Model, Recipe};
use nanoembed::text::Pipeline;
use serde_json::json;

/// Settings that a model has if no one says otherwise: chosen on texts that were held out.
struct Defaults {
    split: Split,
    words: u16,
    characters: (u16, u16),
    hold_out: f64,
    epochs: u32,
    optimizer: Optimizer,
    rate_of_adagrad: f32,
    rate_of_adam: f32,
    rate_of_sgd: f32,
}

impl Architecture {
    fn defaults(self) -> Defaults {
        match self {
            Self::Bag => Defaults {
                split: Split::Marks,
                words: 2,
                characters: (5, 5),
                hold_out: 0.0,
                epochs: 12,
                optimizer: Optimizer::Adagrad,
                rate_of_adagrad: 0.2,
                rate_of_adam: 0.01,
                rate_of_sgd: 1.0,
            },
            Self::Conv | Self::Lstm | Self::Flatten | Self::Mlp => Defaults {
                split: Split::Keras,
                words: 1,
                characters: (0, 0),
                hold_out: 0.1,
                epochs: 6,
                optimizer: Optimizer::Adam,
                rate_of_adagrad: 0.02,
                rate_of_adam: 0.002,
                rate_of_sgd: 0.02,
            },
        }
    }
}

/// The texts that are learnt from, those that say which epoch is best, and how both become ids.
struct Texts<'a> {
    learning: Examples,
    held_out: Option<Examples>,
    pipeline: Pipeline<'a>,
    /// Words of the texts that are learnt from, as spaces divide them.
    words: u64,
    several: bool,
}

pub(crate) fn run(arguments: &Train) -> Result<(), Failure> {
    check_files(arguments)?;
    if let Some(flash) = arguments.fitting.flash {
        return fit::run(arguments, flash);
    }
    let (architecture, learning) = (arguments.model, &arguments.learning);
    let reading = arguments.data_options.reading(arguments.columns.fields()?);
    let has_columns = !reading.fields.is_empty();
    let defaults = if has_columns { of_columns(architecture)? } else { architecture.defaults() };
    let (data, fields) = Labelled::read_fields(&arguments.data.as_path().into(), &reading)?;
    warn_of_names(arguments, &data);
    let mut settings = text_settings(arguments, &defaults);
    let of_columns;
    let pipeline = if has_columns {
        of_columns = columns::fit(&data.texts, &fields, arguments.columns.bins)?;
        columns::pipeline(&of_columns, fields.len(), !architecture.takes_sequence())?
    } else {
        set_length(arguments, &data, &mut settings)?;
        settings.pipeline()?
    };
    let texts = prepare(arguments, &data, &reading, pipeline, defaults.hold_out)?;

    let extents = Extents {
        rows: usize::try_from(pipeline.rows()).map_err(Failure::usage)?,
        dim: arguments.sizes.dim.unwrap_or(if has_columns { 8 } else { 32 }) as usize,
        length: pipeline.ids().map_or(0, |ids| ids.get() as usize),
        units: arguments.sizes.units as usize,
        classes: data.names.len(),
        several: texts.several,
    };
    let records = architecture.records(extents)?;
    let recipe = Recipe::new(&records).map_err(Failure::usage)?;
    let balanced = training::balanced_weights(&texts.learning.frequencies(data.names.len()));
    let mut loss = if texts.several {
        AnyLoss::from(BinaryCrossEntropy::default())
    } else {
        AnyLoss::from(SparseCategoricalCrossEntropy)
    };
    if learning.class_weights == ClassWeights::Balanced {
        if texts.several {
            return Err(Failure::usage("--class-weights balanced is for lines of one label each"));
        }
        loss = loss.with_class_weights(&balanced);
    }
    let optimizer = learning.optimizer.unwrap_or(defaults.optimizer);
    let rate = match optimizer {
        Optimizer::Adagrad => defaults.rate_of_adagrad,
        Optimizer::Adam => defaults.rate_of_adam,
        Optimizer::Sgd => defaults.rate_of_sgd,
    };
    let plan = Plan {
        recipe,
        loss,
        measure: learning.measure.unwrap_or(if texts.several { Measure::Loss } else { Measure::Accuracy }),
        epochs: learning.epochs.unwrap_or(defaults.epochs),
        batch: learning.batch.unwrap_or(optimizer.usual_batch()) as usize,
        optimizer,
        learning_rate: learning.learning_rate.unwrap_or(rate),
        seed: learning.seed,
    };
    progress::end_at_interrupt()?;
    if !arguments.quiet {
        let held_out = texts.held_out.as_ref().map_or(0, Examples::len);
        eprintln!(
            "{} texts to learn from, {held_out} held out, {} classes",
            texts.learning.len(),
            data.names.len()
        );
    }
    let mut watch = Progress::new(plan.epochs, texts.learning.len(), texts.words, arguments.quiet)?;
    let start = training::initial(recipe, plan.seed)?;
    let learnt = training::learn(plan, &start, &texts.learning, texts.held_out.as_ref(), &mut watch)?;
    let (time, speed) = (watch.elapsed().as_secs_f64(), watch.words_per_second(watch.examples()));
    watch.finish();

    let names: Vec<&str> = data.names.iter().map(String::as_str).collect();
    let pipeline = pipeline::bytes(&texts.pipeline)?;
    let contents = Contents { classes: &names, pipeline: Some(&pipeline), ..Contents::default() };
    let model = Model::new(recipe, &learnt.parameters).map_err(Failure::model)?;
    let format = arguments.sizes.numbers.into();
    let name = arguments.output.display().to_string();
    let mut image = ImageFile::zeros(&name, model.shipped_size_with(format, &contents));
    model.ship_with(format, &contents, image.bytes_mut()).map_err(Failure::model)?;
    // What does not open is not written.
    image.classifier()?;
    image.write(&arguments.output)?;
    if let Some(path) = &arguments.plot {
        plot::write(path, &history::curves(&[(name.clone(), watch.epochs().to_vec())]))?;
    }
    if arguments.json {
        let model = json!({"model": name, "epoch": learnt.epoch, "was_ended": learnt.was_ended,
            "bytes": image.bytes().len(), "seconds": time, "words_per_second": speed});
        return print(&history::lines(watch.epochs(), &model));
    }
    if arguments.quiet {
        return Ok(());
    }
    let ended = if learnt.was_ended { "ended; " } else { "" };
    print(&format!(
        "{ended}epoch {} in {name}: {} bytes; learnt in {time:.1} s, {:.2} M words/s\n",
        learnt.epoch,
        image.bytes().len(),
        speed / 1e6,
    ))
}

fn text_settings(arguments: &Train, defaults: &Defaults) -> TextSettings {
    TextSettings {
        rows: arguments.sizes.rows,
        words: arguments.text.words.unwrap_or(defaults.words),
        characters: arguments.text.characters.unwrap_or(defaults.characters),
        lowercase: arguments.text.lowercase.into(),
        marks: arguments.text.split.unwrap_or(defaults.split) == Split::Marks,
        filters: arguments.text.filters.clone(),
        length: 0,
    }
}

/// A first line that may name the columns is learnt from as any other: the person should know.
pub(super) fn warn_of_names(arguments: &Train, data: &Labelled) {
    if let (false, Some((label, text))) = (arguments.quiet, data.names_in_first_line()) {
        eprintln!(
            "warning: {}: the label {label:?} stands in the first line alone. If that line names the columns, give \
             --label {label:?} --text {text:?}",
            arguments.data.display()
        );
    }
}

/// An error if what is to be written cannot be, or would take the place of what is read.
fn check_files(arguments: &Train) -> Result<(), Failure> {
    let (validation, test) = (arguments.validation.as_deref(), arguments.fitting.test.as_deref());
    let read = [Some(arguments.data.as_path()), validation, test];
    let read = || read.into_iter().flatten();
    let output = arguments.output.as_path();
    image_file::check_apart(output, read())?;
    image_file::check_writable(output)?;
    match &arguments.plot {
        Some(plot) if plot == output => Err(Failure::usage("--plot and -o are one file")),
        Some(plot) => plot::check(plot, read()),
        None => Ok(()),
    }
}

/// Sets how many words of a text are read, where the layers take a sequence.
fn set_length(arguments: &Train, data: &Labelled, settings: &mut TextSettings) -> Result<(), Failure> {
    if !arguments.model.takes_sequence() {
        return match arguments.text.length {
            None => Ok(()),
            Some(_) => Err(Failure::usage(
                "--length is for conv, lstm, flatten and mlp: a bag takes texts of any length",
            )),
        };
    }
    let length = match arguments.text.length {
        Some(length) => length,
        None => pipeline::usual_length(&data.texts, &settings.pipeline()?),
    };
    settings.length = length.max(arguments.model.least_length());
    Ok(())
}

/// Settings of a model of columns.
fn of_columns(architecture: Architecture) -> Result<Defaults, Failure> {
    if matches!(architecture, Architecture::Conv | Architecture::Lstm) {
        return Err(Failure::usage("columns have no order: take --model bag, flatten or mlp"));
    }
    Ok(Defaults {
        split: Split::Keras,
        words: 1,
        characters: (0, 0),
        hold_out: 0.1,
        epochs: 10,
        optimizer: Optimizer::Adam,
        rate_of_adagrad: 0.02,
        rate_of_adam: if architecture == Architecture::Bag { 0.01 } else { 0.002 },
        rate_of_sgd: 0.1,
    })
}

/// Texts to learn from and to choose by, as ids.
fn prepare<'a>(
    arguments: &Train,
    data: &Labelled,
    reading: &Reading,
    pipeline: Pipeline<'a>,
    hold_out: f64,
) -> Result<Texts<'a>, Failure> {
    // Who asks for a measure wants the best epoch by it.
    let least = if arguments.learning.measure.is_some() { HOLD_OUT } else { 0.0 };
    let part = match arguments.validation {
        Some(_) => 0.0,
        None => arguments.hold_out.unwrap_or(hold_out.max(least)),
    };
    let (learnt, held) = data.split(part, 0);
    let several = data.has_several();
    let words = learnt
        .iter()
        .filter_map(|number| data.texts.get(*number))
        .map(|text| text.split_whitespace().count() as u64)
        .sum();
    let learning = Examples::encode(data, learnt.into_iter(), several, &pipeline)?;
    let held_out = match &arguments.validation {
        Some(path) => {
            let source = Source::from(path.as_path());
            let validation = Labelled::read_as(&source, reading, data.names.clone())?;
            if validation.strangers > 0 && !arguments.quiet {
                eprintln!("{}: {} lines of other labels are left out", source.name(), validation.strangers);
            }
            if validation.labels.iter().all(Vec::is_empty) {
                return Err(Failure::data(source.name(), "no line has a label that was learnt"));
            }
            Examples::encode(&validation, 0..validation.len(), several, &pipeline)?
        }
        None => Examples::encode(data, held.into_iter(), several, &pipeline)?,
    };
    let held_out = (held_out.len() > 0).then_some(held_out);
    Ok(Texts { learning, held_out, pipeline, words, several })
}
