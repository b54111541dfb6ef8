//! numpy's archive of several arrays.

use super::array::{Array, Arrays};
use super::npy::read_npy;
use crate::error::FileError;
use std::format;
use std::io::{BufReader, Read, Seek};
use zip::ZipArchive;
use zip::result::ZipError;

/// An npz file: what `numpy.savez` and `numpy.savez_compressed` write.
///
/// Checksums are compared as arrays are read.
#[derive(Debug)]
pub struct Npz<R>(ZipArchive<R>);

impl<R: Read + Seek> Npz<R> {
    /// The archive, its directory read.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn new(reader: R) -> Result<Self, FileError> {
        Ok(Self(ZipArchive::new(reader).map_err(file_error)?))
    }
}

impl<R: Read + Seek> Arrays for Npz<R> {
    fn array(&mut self, key: &str) -> Result<Option<Array>, FileError> {
        match self.0.by_name(&format!("{key}.npy")) {
            Ok(file) => read_npy(BufReader::new(file)).map(Some),
            Err(ZipError::FileNotFound) => Ok(None),
            Err(error) => Err(file_error(error)),
        }
    }
}

/// What is wrong with an archive.
pub(super) fn file_error(error: ZipError) -> FileError {
    match error {
        ZipError::Io(error) => error.into(),
        ZipError::InvalidArchive(_) => FileError::Bytes { offset: 0, expected: "a zip archive" },
        _ => FileError::Unsupported("this kind of zip archive"),
    }
}
