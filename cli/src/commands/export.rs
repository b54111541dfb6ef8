//! `export`: a model for another program.

use crate::arguments::{Export, Target};
use crate::columns;
use crate::export::{self, Board};
use crate::failure::Failure;
use crate::image_file::{self, ImageFile};
use nanoembed::models::{All, Model};
use nanoembed::text::Column;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

pub(crate) fn run(arguments: &Export) -> Result<(), Failure> {
    if let Some(output) = &arguments.output {
        image_file::check_apart(output, [arguments.model.as_path()])?;
        image_file::check_file(output)?;
    }
    check_options(arguments)?;
    let image = ImageFile::read(&arguments.model)?;
    let model = image.model()?;
    let name =
        arguments.model.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let bytes = match arguments.to {
        Target::Firmware => return write_project(arguments, &image),
        Target::Rust => export::rust_module(&model, &name)?.into_bytes(),
        Target::C => export::c_array(&name, image.bytes()).into_bytes(),
        Target::Npz => export::npz(&model)?,
        Target::Safetensors => export::safetensors(&model)?,
    };
    match &arguments.output {
        Some(path) => image_file::write(path, &bytes),
        None => {
            let mut out = io::stdout().lock();
            out.write_all(&bytes).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
        }
    }
}

/// An error if what firmware is told is said of something else.
fn check_options(arguments: &Export) -> Result<(), Failure> {
    let Export { to, board, texts, nanoembed, .. } = arguments;
    let told =
        [("--board", board.is_some()), ("--try", !texts.is_empty()), ("--nanoembed", nanoembed.is_some())];
    match told.iter().find(|(_, is_told)| *is_told) {
        Some((option, _)) if *to != Target::Firmware => {
            Err(Failure::usage(format!("{option} is for --to firmware")))
        }
        _ => Ok(()),
    }
}

/// A text that the model takes: of columns a row with a category or a number in each.
fn usual_text(model: &Model<'_, All>) -> String {
    let Some(columns) = columns::read(model) else { return "a text of yours".to_owned() };
    let field = |column: Column<'_>| match column.categories().next() {
        Some(category) => category.to_owned(),
        None if column.is_numeric() => "1".to_owned(),
        None => String::new(),
    };
    columns.iter().map(field).collect::<Vec<_>>().join("\t")
}

/// Writes a project of firmware as a new folder: whole or not at all.
fn write_project(arguments: &Export, image: &ImageFile) -> Result<(), Failure> {
    let Some(folder) = &arguments.output else { return Err(Failure::usage("firmware needs a folder: -o")) };
    let source = arguments.nanoembed.as_deref().map(absolute).transpose()?;
    let board = arguments.board.unwrap_or(Board::CortexM4f);
    let usual = [usual_text(&image.model()?)];
    let texts = if arguments.texts.is_empty() { usual.as_slice() } else { &arguments.texts };
    let firmware = export::Firmware { board, texts, nanoembed: source.as_deref() };
    let files = export::project(&firmware, image)?;
    let failed = |error| Failure::file(folder, &error);
    if folder.exists() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let Some(name) = folder.file_name() else { return Err(failed(io::ErrorKind::InvalidInput.into())) };
    let unfinished = folder.with_file_name(format!(".{}.{}", name.display(), std::process::id()));
    let write = || {
        fs::create_dir(&unfinished)?;
        for (name, bytes) in &files {
            let path = unfinished.join(name);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, bytes)?;
        }
        fs::rename(&unfinished, folder)
    };
    write().map_err(|error| {
        // What is half-written is of no use; the first error is the one to tell.
        fs::remove_dir_all(&unfinished).unwrap_or(());
        failed(error)
    })
}

/// The folder of a crate, wherever the project will lie.
fn absolute(folder: &Path) -> Result<String, Failure> {
    let path = folder.canonicalize().map_err(|error| Failure::file(folder, &error))?;
    if path.join("Cargo.toml").is_file() {
        Ok(path.display().to_string())
    } else {
        Err(Failure::usage(format!("{}: no crate lies there", folder.display())))
    }
}
