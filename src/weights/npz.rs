//! numpy's archive of several arrays.

use super::array::{Array, Arrays};
use super::npy::read_shape;
use crate::error::{FileError, FileKind};
use crate::files::HEAD;
use std::format;
use std::io::{BufReader, Read, Seek};
use std::string::String;
use std::vec::Vec;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

/// An npz file: what `numpy.savez` and `numpy.savez_compressed` write.
///
/// Checksums are compared as arrays are read.
///
/// | in the file | what is read, or the error |
/// |---|---|
/// | members that are stored or deflated | the arrays, as [`Array::read_npy`] reads them |
/// | members that are compressed otherwise, encrypted | `this kind of zip archive: not supported` |
/// | a member that is no npy file, whole numbers, objects | the error of [`Array::read_npy`], when it is asked for |
/// | an archive that is cut off | `byte 0: expected a whole zip archive, not one that is cut off` |
/// | a checksum that differs | an error of reading |
/// | a file of another kind ([`FileKind`]) | `byte 0: expected a zip archive; the file is an npy file: …` |
#[derive(Debug)]
pub struct Npz<R>(ZipArchive<R>);

impl<R: Read + Seek> Npz<R> {
    /// The archive, its directory read.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn new(mut reader: R) -> Result<Self, FileError> {
        let mut head = Vec::new();
        reader.rewind()?;
        (&mut reader).take(HEAD).read_to_end(&mut head)?;
        let archive = ZipArchive::new(reader).map_err(|error| match file_error(error) {
            FileError::Bytes { offset, expected, .. } => match FileKind::of(&head) {
                Some(FileKind::Zip) => {
                    let expected = "a whole zip archive, not one that is cut off";
                    FileError::Bytes { offset, expected, found: None }
                }
                found => FileError::Bytes { offset, expected, found },
            },
            other => other,
        });
        Ok(Self(archive?))
    }

    /// The keys of all arrays, in the order of the archive.
    pub(crate) fn keys(&self) -> Result<Vec<String>, FileError> {
        let mut keys = Vec::new();
        for name in self.0.file_names() {
            keys.extend(name.map_err(file_error)?.strip_suffix(".npy").map(String::from));
        }
        Ok(keys)
    }

    /// The npy file of the array of this key.
    fn member(&mut self, key: &str) -> Result<Option<BufReader<ZipFile<'_, R>>>, FileError> {
        match self.0.by_name(&format!("{key}.npy")) {
            Ok(file) => Ok(Some(BufReader::new(file))),
            Err(ZipError::FileNotFound) => Ok(None),
            Err(error) => Err(file_error(error)),
        }
    }
}

impl<R: Read + Seek> Arrays for Npz<R> {
    fn shape(&mut self, key: &str) -> Result<Option<Vec<usize>>, FileError> {
        self.member(key)?.map(read_shape).transpose()
    }

    fn array(&mut self, key: &str) -> Result<Option<Array>, FileError> {
        self.member(key)?.map(Array::read_npy).transpose()
    }
}

/// What is wrong with an archive.
pub(super) fn file_error(error: ZipError) -> FileError {
    match error {
        ZipError::Io(error) => error.into(),
        ZipError::InvalidArchive(_) => FileError::Bytes { offset: 0, expected: "a zip archive", found: None },
        _ => FileError::Unsupported("this kind of zip archive"),
    }
}
