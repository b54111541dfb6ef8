//! `train`: from a file of labelled texts to the image of a model.

use super::defaults::Defaults;
use super::{HOLD_OUT, fit, print};
use crate::arguments::{ClassWeights, Split, Train};
use crate::columns;
use crate::data::{Labelled, Reading, Source};
use crate::examples::Examples;
use crate::failure::{Failure, Kind};
use crate::history;
use crate::image_file::{self, ImageFile};
use crate::measure::Measure;
use crate::pipeline::{self, TextSettings};
use crate::plot;
use crate::pretrained::Pretrained;
use crate::progress::{self, Progress};
use crate::recipe::{Architecture, Extents};
use crate::training::{self, Learnt, Plan};
use clap::ValueEnum;
use nanoembed::image::Contents;
use nanoembed::loss::{AnyLoss, BinaryCrossEntropy, SparseCategoricalCrossEntropy};
use nanoembed::models::{All, Model, Recipe, Record};
use nanoembed::text::{Pipeline, VocabularyView};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

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
    check_options(arguments)?;
    if let Some(flash) = arguments.fitting.flash {
        return fit::run(arguments, flash);
    }
    let (architecture, learning) = (arguments.model, &arguments.learning);
    let reading = arguments.data_options.reading(arguments.columns.fields()?);
    let has_columns = !reading.fields.is_empty();
    let defaults = if has_columns {
        architecture.defaults_of_columns()?
    } else if arguments.pretrained.pretrained.is_some() {
        architecture.defaults_of_pretrained()
    } else {
        architecture.defaults()
    };
    let (data, fields) = Labelled::read_fields(&arguments.data.as_path().into(), &reading)?;
    warn_of_names(arguments, &data);
    let mut settings = text_settings(arguments, &defaults);
    let (of_columns, mut memory);
    let pretrained = match &arguments.pretrained.pretrained {
        Some(path) => Some(pretrained(arguments, path, &data, &settings)?),
        None => None,
    };
    let pipeline = if has_columns {
        of_columns = columns::fit(&data.texts, &fields, arguments.columns.bins)?;
        columns::pipeline(&of_columns, fields.len(), !architecture.takes_sequence())?
    } else if let Some(pretrained) = &pretrained {
        memory = Vec::new();
        let vocabulary = pretrained.vocabulary(&mut memory)?;
        set_length(arguments, &data, &mut settings, Some(vocabulary), &defaults)?;
        settings.of_vocabulary(vocabulary)?
    } else {
        set_length(arguments, &data, &mut settings, None, &defaults)?;
        settings.pipeline()?
    };
    let texts = prepare(arguments, &data, &reading, pipeline, defaults.hold_out)?;

    let dim = arguments.sizes.dim.unwrap_or(if has_columns { 8 } else { 32 });
    let extents = Extents {
        rows: usize::try_from(pipeline.rows()).map_err(Failure::usage)?,
        dim: pretrained.as_ref().map_or(dim as usize, Pretrained::dim),
        length: pipeline.ids().map_or(0, |ids| ids.get() as usize),
        units: arguments.sizes.units.unwrap_or(defaults.units) as usize,
        window: window(arguments, &defaults) as usize,
        classes: data.names.len(),
        several: texts.several,
        dropout: learning.dropout.unwrap_or(defaults.dropout),
        frozen: arguments.pretrained.freeze,
    };
    let records = architecture.records(extents)?;
    let recipe = Recipe::new(&records).map_err(Failure::usage)?;
    let balanced = training::balanced_weights(&texts.learning.frequencies(data.names.len()));
    let loss = loss_of(arguments, texts.several, &balanced)?;
    let optimizer = learning.optimizer.unwrap_or(defaults.optimizer);
    let plan = Plan {
        recipe,
        loss,
        measure: learning.measure.unwrap_or(if texts.several { Measure::Loss } else { Measure::Accuracy }),
        epochs: learning.epochs.unwrap_or(defaults.epochs),
        batch: learning.batch.unwrap_or(optimizer.usual_batch()) as usize,
        optimizer,
        learning_rate: learning.learning_rate.unwrap_or(defaults.rate_of(optimizer)),
        seed: learning.seed,
    };
    progress::end_at_interrupt()?;
    if !arguments.quiet {
        let held_out = texts.held_out.as_ref().map_or(0, Examples::len);
        eprintln!(
            "{} lines to learn from, {held_out} held out, {} classes",
            texts.learning.len(),
            data.names.len()
        );
    }
    let mut watch = Progress::new(plan.epochs, texts.learning.len(), texts.words, arguments.quiet)?;
    let mut start = training::initial(recipe, plan.seed)?;
    if let Some(pretrained) = &pretrained {
        let table = start.get_mut(..extents.rows * extents.dim).unwrap_or_default();
        pretrained.fill(table)?;
    }
    let learnt = training::learn(plan, &start, &texts.learning, texts.held_out.as_ref(), &mut watch)?;
    let time = watch.elapsed();
    watch.finish();
    if learnt.was_ended && watch.epochs().is_empty() {
        return Err(Failure::new(
            Kind::Training,
            "ended before the first epoch was over: nothing is written",
        ));
    }

    // What training alone needs is not in the image.
    let records = architecture.records(Extents { dropout: 0, frozen: false, ..extents })?;
    let image = image_of(arguments, &records, &learnt.parameters, &data.names, &texts.pipeline)?;
    image.write(&arguments.output)?;
    tell(arguments, &image, &learnt, &watch, time)
}

/// Draws and prints what came of the training, which took so long.
fn tell(
    arguments: &Train,
    image: &ImageFile,
    learnt: &Learnt,
    watch: &Progress,
    time: Duration,
) -> Result<(), Failure> {
    let (name, bytes, seconds) = (image.name(), image.bytes().len(), time.as_secs_f64());
    let speed = watch.words(watch.examples()) / seconds.max(1e-9);
    if let Some(path) = &arguments.plot {
        plot::write(path, &history::curves(&[(name.to_owned(), watch.epochs().to_vec())]))?;
    }
    if arguments.json {
        let model = json!({"model": name, "epoch": learnt.epoch, "was_ended": learnt.was_ended,
            "bytes": bytes, "seconds": seconds, "words_per_second": speed});
        return print(&history::lines(watch.epochs(), &model));
    }
    if arguments.quiet {
        return Ok(());
    }
    let ended = if learnt.was_ended { "ended; " } else { "" };
    let (epoch, speed) = (learnt.epoch, speed / 1e6);
    print(&format!(
        "{ended}epoch {epoch} in {name}: {bytes} bytes; learnt in {seconds:.1} s, {speed:.2} M words/s\n"
    ))
}

/// What is minimised.
fn loss_of<'a>(arguments: &Train, several: bool, balanced: &'a [f32]) -> Result<AnyLoss<'a>, Failure> {
    let loss = if several {
        AnyLoss::from(BinaryCrossEntropy::default())
    } else {
        AnyLoss::from(SparseCategoricalCrossEntropy)
    };
    match arguments.learning.class_weights {
        ClassWeights::None => Ok(loss),
        ClassWeights::Balanced if several => {
            Err(Failure::usage("--class-weights balanced is for lines of one label each"))
        }
        ClassWeights::Balanced => Ok(loss.with_class_weights(balanced)),
    }
}

/// The image of what was learnt.
fn image_of(
    arguments: &Train,
    records: &[Record],
    parameters: &[f32],
    names: &[String],
    pipeline: &Pipeline<'_>,
) -> Result<ImageFile, Failure> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let pipeline = pipeline::bytes(pipeline)?;
    let contents = Contents { classes: &names, pipeline: Some(&pipeline), ..Contents::default() };
    let recipe = Recipe::<All>::new(records).map_err(Failure::usage)?;
    let model = Model::new(recipe, parameters).map_err(Failure::model)?;
    let format = arguments.sizes.numbers.into();
    let name = arguments.output.display().to_string();
    let mut image = ImageFile::zeros(&name, model.shipped_size_with(format, &contents));
    model.ship_with(format, &contents, image.bytes_mut()).map_err(Failure::model)?;
    // What does not open is not written.
    image.classifier()?;
    Ok(image)
}

/// The rows that the table starts from.
fn pretrained(
    arguments: &Train,
    path: &Path,
    data: &Labelled,
    settings: &TextSettings,
) -> Result<Pretrained, Failure> {
    let pretrained = Pretrained::read(path, &data.texts, settings, arguments.pretrained.more_words)?;
    if !arguments.quiet {
        let [known, lacking, more] = pretrained.counts();
        eprintln!(
            "{}: rows of {known} words of the texts, and of {more} others; {lacking} words of the texts start at random",
            path.display()
        );
    }
    Ok(pretrained)
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

/// An error if an option is told that this model does not have.
fn check_options(arguments: &Train) -> Result<(), Failure> {
    let Train { model, sizes, learning, .. } = arguments;
    let is_unused = |option: &str, takers: &str| {
        let name = model.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        Err(Failure::usage(format!("{option} is for --model {takers}: {name} has none")))
    };
    if sizes.window.is_some() && *model != Architecture::Conv {
        return is_unused("--window", "conv");
    }
    if sizes.units.is_some() && matches!(model, Architecture::Bag | Architecture::Flatten) {
        return is_unused("--units", "conv, lstm and mlp");
    }
    let holds_none = arguments.hold_out == Some(0.0) && arguments.validation.is_none();
    if learning.measure.is_some() && holds_none {
        return Err(Failure::usage("--measure is of texts that are held out, and --hold-out is 0"));
    }
    Ok(())
}

/// An error if what is to be written cannot be, or would take the place of what is read.
fn check_files(arguments: &Train) -> Result<(), Failure> {
    let (validation, test) = (arguments.validation.as_deref(), arguments.fitting.test.as_deref());
    let pretrained = arguments.pretrained.pretrained.as_deref();
    let read = [Some(arguments.data.as_path()), validation, test, pretrained];
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

/// Words of a window of `conv`.
fn window(arguments: &Train, defaults: &Defaults) -> u32 {
    arguments.sizes.window.unwrap_or(defaults.window)
}

/// Sets how many words of a text are read, where the layers take a sequence.
fn set_length(
    arguments: &Train,
    data: &Labelled,
    settings: &mut TextSettings,
    vocabulary: Option<VocabularyView<'_>>,
    defaults: &Defaults,
) -> Result<(), Failure> {
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
        None => {
            let pipeline = match vocabulary {
                Some(vocabulary) => settings.of_vocabulary(vocabulary)?,
                None => settings.pipeline()?,
            };
            pipeline::usual_length(&data.texts, &pipeline, defaults.reads_all)
        }
    };
    settings.length = length.max(arguments.model.least_length(window(arguments, defaults)));
    Ok(())
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
    let wants_some =
        arguments.hold_out.is_some_and(|part| part > 0.0) || arguments.learning.measure.is_some();
    if held_out.is_none() && wants_some {
        let message = "no line is held out, as each class has too few: more lines, or a greater --hold-out";
        return Err(Failure::data(&arguments.data.display().to_string(), message));
    }
    Ok(Texts { learning, held_out, pipeline, words, several })
}
