//! `export`: a model for another program.

use crate::arguments::{Export, Target};
use crate::columns;
use crate::data::Rows;
use crate::export::{self, Board};
use crate::failure::{Failure, Kind};
use crate::image_file::{self, ImageFile};
use nanoembed::models::{All, Model};
use nanoembed::text::Column;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

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
        Target::Firmware => return write_project(arguments, &image, &model),
        Target::Rust => {
            // The image is taken into the program from where it lies.
            let path = match &arguments.output {
                Some(output) => beside(&arguments.model, output)?,
                None => name,
            };
            export::rust_module(&model, &path)?.into_bytes()
        }
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

/// The path of a model as seen from the folder of another file.
fn beside(model: &Path, output: &Path) -> Result<String, Failure> {
    let absolute = |path: &Path| path.canonicalize().map_err(|error| Failure::file(path, &error));
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (model, folder) = (absolute(model)?, absolute(folder)?);
    let shared = model.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(model.components().skip(shared)).collect();
    Ok(path.display().to_string())
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

/// An error if a model of columns is told a text that is no row of these.
fn check_rows(model: &Model<'_, All>, texts: &[String]) -> Result<(), Failure> {
    let fields = columns::of_model(model);
    if fields.is_empty() {
        return Ok(());
    }
    for (text, number) in texts.iter().zip(1..) {
        let row = Rows::new("--try", fields.clone()).text(number, text)?;
        if row.as_ref() != Some(text) {
            let message =
                "write the fields of a row in the order that `inspect` tells, with tabs between them";
            return Err(Failure::usage(format!("--try {text:?}: {message}")));
        }
    }
    Ok(())
}

/// Writes a project of firmware as a new folder: whole or not at all.
fn write_project(arguments: &Export, image: &ImageFile, model: &Model<'_, All>) -> Result<(), Failure> {
    let Some(folder) = &arguments.output else { return Err(Failure::usage("firmware needs a folder: -o")) };
    let source = arguments.nanoembed.as_deref().map(absolute).transpose()?;
    let board = arguments.board.unwrap_or(Board::CortexM4f);
    let usual = [usual_text(model)];
    let texts = if arguments.texts.is_empty() { usual.as_slice() } else { &arguments.texts };
    check_rows(model, &arguments.texts)?;
    let firmware = export::Firmware { board, texts, nanoembed: source.as_deref() };
    let files = export::project(&firmware, image)?;
    let failed = |error| Failure::file(folder, &error);
    if folder.exists() {
        return Err(Failure::new(
            Kind::File,
            format!("{}: it is there: name a new folder", folder.display()),
        ));
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
