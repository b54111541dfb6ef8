//! `plot training`: loss and accuracy by epoch.

use crate::arguments::Training;
use crate::data::Source;
use crate::failure::Failure;
use crate::history;
use crate::plot;
use std::path::PathBuf;

pub(super) fn run(arguments: &Training) -> Result<(), Failure> {
    plot::check(&arguments.output, arguments.files.iter().map(PathBuf::as_path))?;
    let mut trainings = Vec::new();
    for path in &arguments.files {
        let source = Source::from(path.as_path());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trainings.push((name, history::read(source.name(), &source.read()?)?));
    }
    plot::write(&arguments.output, &history::curves(&trainings))
}
