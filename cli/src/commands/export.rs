//! `export`: a model for another program.

use crate::arguments::{Export, Target};
use crate::export;
use crate::failure::Failure;
use crate::image_file::{self, ImageFile};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

pub(crate) fn run(arguments: &Export) -> Result<(), Failure> {
    if let Some(output) = &arguments.output {
        image_file::check_apart(output, [arguments.model.as_path()])?;
    }
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

/// Writes a project of firmware as a new folder: whole or not at all.
fn write_project(arguments: &Export, image: &ImageFile) -> Result<(), Failure> {
    let Some(folder) = &arguments.output else { return Err(Failure::usage("firmware needs a folder: -o")) };
    let source = arguments.nanoembed.as_deref().map(absolute).transpose()?;
    let firmware =
        export::Firmware { board: arguments.board, texts: &arguments.texts, nanoembed: source.as_deref() };
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
