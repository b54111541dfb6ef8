//! Writing beside, then renaming.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Names that are tried for the file beside.
const NAMES: u32 = 10_000;

/// Writes a file by `write`, whole or not at all.
///
/// The bytes go to a new file in the same folder, `.name.0.part`; when all are on the disk, it takes the name
/// of the old one. If `write` fails, the disk is full or the program ends, the old file is as it was; only a
/// program that was killed leaves the file beside. Of two that write one file at a time, the one that ends
/// last counts, as a whole. The new file has the permissions of the old one. A symbolic link is followed, also
/// to a file that is not there yet.
///
/// What is no file, such as a pipe or a terminal behind `/dev/stdout`, is written to directly.
///
/// # Errors
/// What `write` gives; or if the file cannot be written, or the old one must not be (it is read-only).
pub fn write<E: From<io::Error>>(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let mut path = path.as_ref().to_path_buf();
    let old = match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        old => Some(old?),
    };
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        let mut file = BufWriter::new(OpenOptions::new().write(true).open(&path)?);
        write(&mut file)?;
        return Ok(file.flush()?);
    }
    // Of a link, what it leads to, which need not be there yet.
    while let Ok(target) = fs::read_link(&path) {
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let (file, beside) = create_beside(&path, old.as_ref())?;
    let mut file = BufWriter::new(file);
    write(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    // Windows renames no open file.
    drop(file);
    Ok(beside.rename(&path)?)
}

/// A file that is removed unless it is renamed.
struct Beside(Option<PathBuf>);

impl Beside {
    fn rename(mut self, to: &Path) -> io::Result<()> {
        if let Some(path) = &self.0 {
            fs::rename(path, to)?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // There is an error already, or a panic: that this fails as well is no news.
            drop(fs::remove_file(path));
        }
    }
}

/// A new file beside `path`, with the permissions of the old one.
fn create_beside(path: &Path, old: Option<&Metadata>) -> io::Result<(File, Beside)> {
    let permissions = old.map(Metadata::permissions);
    if permissions.as_ref().is_some_and(std::fs::Permissions::readonly) {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let name = path.file_name().ok_or(ErrorKind::IsADirectory)?;
    for number in 0..NAMES {
        let mut part = OsString::from(".");
        part.push(name);
        part.push(std::format!(".{number}.part"));
        let part = path.with_file_name(part);
        // Another writer's file is never opened.
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => {
                let (file, beside) = (file?, Beside(Some(part)));
                if let Some(permissions) = permissions {
                    file.set_permissions(permissions)?;
                }
                return Ok((file, beside));
            }
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}
