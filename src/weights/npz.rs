//! numpy's archive of several arrays.

use super::array::{Array, Arrays};
use super::npy::{read_npy, read_shape};
use crate::error::FileError;
use std::format;
use std::io::{BufReader, Read, Seek};
use std::vec::Vec;
use zip::ZipArchive;
use zip::read::ZipFile;
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
        self.member(key)?.map(read_npy).transpose()
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
