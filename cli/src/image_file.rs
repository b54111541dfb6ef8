//! Images of models in files.

use crate::failure::Failure;
use nanoembed::files;
use nanoembed::models::{self, All, Classifier, ClassifierError, LayerKind, Model};
use nanoembed::zerocopy::IntoBytes;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// An image at an address that is a multiple of 4, as a model needs it.
#[derive(Clone, Debug)]
pub(crate) struct ImageFile {
    words: Vec<u32>,
    length: usize,
    name: String,
}

impl ImageFile {
    /// Zeros, to be written to. Messages call it `name`.
    pub(crate) fn zeros(name: &str, length: usize) -> Self {
        Self { words: vec![0; length.div_ceil(4)], length, name: name.to_owned() }
    }

    pub(crate) fn of(name: &str, bytes: &[u8]) -> Self {
        let mut image = Self::zeros(name, bytes.len());
        image.bytes_mut().copy_from_slice(bytes);
        image
    }

    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::file(path, &error);
        let mut file = File::open(path).map_err(failed)?;
        let name = path.display().to_string();
        let length = file.metadata().map_err(failed)?;
        let length = if length.is_file() { usize::try_from(length.len()).unwrap_or(0) } else { 0 };
        // Read to where it stays. What is no plain file, or grows, has more bytes than it said.
        let mut image = Self::zeros(&name, length);
        file.read_exact(image.bytes_mut()).map_err(failed)?;
        let mut more = Vec::new();
        file.read_to_end(&mut more).map_err(failed)?;
        if more.is_empty() { Ok(image) } else { Ok(Self::of(&name, &[image.bytes(), &more].concat())) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.words.as_bytes().get(..self.length).unwrap_or_default()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.words.as_mut_bytes().get_mut(..self.length).unwrap_or_default()
    }

    pub(crate) fn model(&self) -> Result<Model<'_, All>, Failure> {
        let model = models::open::<All>(self.bytes()).map_err(|error| self.failure(error))?;
        match model.not_finite() {
            None => Ok(model),
            Some(error) => Err(self.failure(error)),
        }
    }

    pub(crate) fn classifier(&self) -> Result<Classifier<'_, All>, Failure> {
        self.classifier_of(self.model()?)
    }

    /// The classifier of the model that was opened of it.
    pub(crate) fn classifier_of<'a>(&self, model: Model<'a, All>) -> Result<Classifier<'a, All>, Failure> {
        Classifier::new(model).map_err(|error| match error {
            ClassifierError::NoPipeline => self
                .failure("it says nothing of how text becomes ids, and can only be asked by `predict --ids`"),
            error => self.failure(error),
        })
    }

    /// The names of the classes of the model that was opened of it, which has some.
    pub(crate) fn class_names(&self, model: &Model<'_, All>) -> Result<Vec<String>, Failure> {
        let names = class_names(model);
        names.ok_or_else(|| {
            self.failure("it gives a vector and tells no classes: ask `neighbours` about its words")
        })
    }

    pub(crate) fn failure(&self, error: impl std::fmt::Display) -> Failure {
        Failure::model(format!("{}: {error}", self.name))
    }

    /// Writes the file whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        write(path, self.bytes())
    }
}

/// The names of the classes of a model, or their numbers. `None` if what comes out are rows of a table, as of the
/// models that `convert` makes.
pub(crate) fn class_names(model: &Model<'_, All>) -> Option<Vec<String>> {
    let last = model.recipe().records().last().and_then(|record| LayerKind::from_number(record.kind));
    match model.classes() {
        Some(classes) => Some(classes.iter().map(str::to_owned).collect()),
        None if last == Some(LayerKind::EmbeddingBag) => None,
        None => Some((0..model.recipe().output().numbers()).map(|class| class.to_string()).collect()),
    }
}

/// What an image starts with.
pub(crate) const START: &[u8] = b"NEMB";

/// Whether a file starts as an image does.
pub(crate) fn is_image(path: &Path) -> Result<bool, Failure> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    file.take(4).read_to_end(&mut start).map_err(|error| Failure::file(path, &error))?;
    Ok(start == START)
}

/// Writes a file whole or not at all: of two commands that write one, the last counts.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    files::write(path, |file| file.write_all(bytes)).map_err(|error| Failure::file(path, &error))
}

/// An error if what is written would take the place of what is read.
pub(crate) fn check_apart<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let Ok(written) = output.canonicalize() else { return Ok(()) };
    let is_special = std::fs::metadata(&written).is_ok_and(|file| !file.is_file());
    let mut same = inputs.into_iter().filter_map(|input| input.canonicalize().ok());
    if !is_special && same.any(|input| input == written) {
        let message = format!("{}: it is read, too: write to another file", output.display());
        return Err(Failure::usage(message));
    }
    Ok(())
}

/// An error for `-`, which is standard output elsewhere.
pub(crate) fn check_file(path: &Path) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return Err(Failure::usage("-o -: it is written to a file; -o ./- is one of that name"));
    }
    Ok(())
}

/// An error if a file could not be written there: told before an hour of training and not after it.
pub(crate) fn check_writable(path: &Path) -> Result<(), Failure> {
    check_file(path)?;
    let is_special = std::fs::metadata(path).is_ok_and(|old| !old.is_file() && !old.is_dir());
    if is_special {
        return Ok(());
    }
    let failed = |error: std::io::Error| Failure::file(path, &error);
    let name = path.file_name().filter(|_| !path.is_dir()).ok_or(std::io::ErrorKind::IsADirectory);
    let mut probe = std::ffi::OsString::from(".");
    probe.push(name.map_err(|kind| failed(kind.into()))?);
    probe.push(format!(".{}.probe", std::process::id()));
    let probe = path.with_file_name(probe);
    std::fs::OpenOptions::new().write(true).create_new(true).open(&probe).map_err(failed)?;
    std::fs::remove_file(&probe).map_err(failed)?;
    match std::fs::metadata(path) {
        Ok(old) if old.permissions().readonly() => Err(failed(std::io::ErrorKind::PermissionDenied.into())),
        _ => Ok(()),
    }
}
