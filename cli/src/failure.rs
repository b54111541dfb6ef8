//! What went wrong: a message for a person, which names the place and the cure, and an exit code for a program.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// What kind of thing went wrong; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Arguments that do not go together; `clap` ends with this number, too.
    Usage = 2,
    /// A file of texts that cannot be used.
    Data = 3,
    /// A model that cannot be read, made or used.
    Model = 4,
    /// A file that cannot be read or written.
    File = 5,
    /// A training that came to no end.
    Training = 6,
}

/// Why a command ended without doing what it was told.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    /// Nobody reads the output any more: no news.
    is_quiet: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string(), is_quiet: false }
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn model(message: impl fmt::Display) -> Self {
        Self::new(Kind::Model, message)
    }

    /// Something wrong at a line, and maybe a column, of a file; both are counted from 1.
    pub(crate) fn line(file: &str, line: u64, column: Option<u64>, message: impl fmt::Display) -> Self {
        let place = match column {
            Some(column) => format!("{file}:{line}:{column}"),
            None => format!("{file}:{line}"),
        };
        Self::new(Kind::Data, format!("{place}: {message}"))
    }

    /// A file of texts that cannot be used as a whole.
    pub(crate) fn data(file: &str, message: impl fmt::Display) -> Self {
        Self::new(Kind::Data, format!("{file}: {message}"))
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(Kind::File, format!("{}: {error}", path.display()))
    }

    /// Standard output that cannot be written to.
    pub(crate) fn output(error: &io::Error) -> Self {
        let is_quiet = error.kind() == io::ErrorKind::BrokenPipe;
        Self { is_quiet, ..Self::new(Kind::File, format!("standard output: {error}")) }
    }

    /// Tells the person, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if self.is_quiet {
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {}", self.message);
        ExitCode::from(self.kind as u8)
    }
}
