//! Where texts come from: a file, or standard input. All of it is text in UTF-8, or it is refused.

use crate::failure::Failure;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The mark that some programs of Windows put before a text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file, or `-`: standard input.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    path: PathBuf,
    name: String,
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        let is_input = path.as_os_str() == "-";
        let name = if is_input { "standard input".to_owned() } else { path.display().to_string() };
        Self { path: path.to_path_buf(), name }
    }
}

impl Source {
    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_standard_input(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text, without a mark of UTF-8 before it.
    pub(crate) fn read(&self) -> Result<String, Failure> {
        let failed = |error: std::io::Error| Failure::file(Path::new(&self.name), &error);
        let mut bytes = Vec::new();
        if self.is_standard_input() {
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
        } else {
            bytes = std::fs::read(&self.path).map_err(failed)?;
        }
        if bytes.is_empty() {
            return Err(Failure::data(&self.name, "the file is empty"));
        }
        check_packed(&self.name, &bytes)?;
        if bytes.starts_with(MARK) {
            bytes.drain(..MARK.len());
        }
        check_text(&self.name, 1, &bytes)?;
        String::from_utf8(bytes).map_err(|error| Failure::data(&self.name, error))
    }
}

/// An error if a file is compressed.
fn check_packed(name: &str, bytes: &[u8]) -> Result<(), Failure> {
    if bytes.starts_with(b"\x1f\x8b") {
        return Err(Failure::data(name, "compressed by gzip: unpack it, such as by `gunzip -c`"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(Failure::data(name, "a zip archive, as Excel writes it, too: save it as CSV in UTF-8"));
    }
    Ok(())
}

/// `Ok` if bytes, of which the first line has this number, are a text in UTF-8 without NUL.
pub(crate) fn check_text(name: &str, first_line: u64, bytes: &[u8]) -> Result<(), Failure> {
    let place = |at: usize| {
        let before = bytes.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = before.split(|byte| *byte == b'\n').count() as u64 - 1;
        // Up to here all is UTF-8; a byte that continues a character is none of its own.
        let column =
            before.get(start..).unwrap_or_default().iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        (first_line + line, Some(column as u64 + 1))
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Failure::line(name, first_line, None, "text in UTF-16: save it as UTF-8"));
    }
    let invalid = std::str::from_utf8(bytes).err().map(|error| error.valid_up_to());
    let nul = bytes.iter().position(|byte| *byte == 0);
    // What comes first is told.
    match (nul, invalid) {
        (Some(nul), invalid) if invalid.is_none_or(|invalid| nul < invalid) => {
            let (line, column) = place(nul);
            let message = "a NUL byte: this is no text, or text in UTF-16; save it as UTF-8";
            Err(Failure::line(name, line, column, message))
        }
        (_, Some(invalid)) => {
            let (line, column) = place(invalid);
            let byte = bytes.get(invalid).copied().unwrap_or_default();
            let message = format!(
                "byte 0x{byte:02x} is not UTF-8: convert the file, such as by `iconv -f LATIN1 -t UTF-8`"
            );
            Err(Failure::line(name, line, column, message))
        }
        _ => Ok(()),
    }
}
