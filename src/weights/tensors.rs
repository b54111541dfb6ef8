//! Hugging Face's file of several arrays.

use super::array::{Array, Arrays, Stored};
use crate::error::{FileError, FileKind};
use crate::table::Table;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError};
use std::string::String;
use std::vec::Vec;
use zerocopy::IntoBytes;

/// A safetensors file, in memory or mapped into it.
///
/// | in the file | what is read, or the error |
/// |---|---|
/// | F16, BF16, F32, F64 | the array, as `f32` |
/// | other numbers | `numbers other than F16, BF16, F32, F64: not supported`, when the array is asked for |
/// | `__metadata__` | left out |
/// | less or more bytes than the header says | `byte 0: expected as many bytes as the header of a safetensors file says` |
/// | a header that is none | `byte 0: expected a safetensors file` |
/// | a file of another kind ([`FileKind`]) | `byte 0: expected a safetensors file; the file is a Python pickle: …` |
#[derive(Debug)]
pub struct SafeTensors<'a>(safetensors::SafeTensors<'a>);

impl<'a> SafeTensors<'a> {
    /// The file with these bytes, its header read.
    ///
    /// # Errors
    /// If it is none.
    pub fn new(bytes: &'a [u8]) -> Result<Self, FileError> {
        safetensors::SafeTensors::deserialize(bytes).map(Self).map_err(|error| {
            let found = FileKind::of(bytes).filter(|kind| *kind != FileKind::SafeTensors);
            let expected = match error {
                SafeTensorError::MetadataIncompleteBuffer | SafeTensorError::InvalidHeaderLength
                    if found.is_none() =>
                {
                    "as many bytes as the header of a safetensors file says"
                }
                _ => "a safetensors file",
            };
            FileError::Bytes { offset: 0, expected, found }
        })
    }
}

impl SafeTensors<'_> {
    /// The keys of all arrays, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.0.names().into_iter().map(String::from).collect();
        keys.sort_unstable();
        keys
    }
}

/// The rows of a table as the bytes of a file with one array.
pub(crate) fn tensor_of_rows(key: &str, table: Table<'_>) -> Result<Vec<u8>, FileError> {
    const TOO_LARGE: FileError = FileError::Unsupported("a file as large");
    if key == "__metadata__" {
        return Err(FileError::Unsupported("an array with the name __metadata__"));
    }
    let values: Vec<f32> = table.iter().flatten().copied().collect();
    let shape = [table.rows(), table.dim()].to_vec();
    let view = TensorView::new(Dtype::F32, shape, values.as_bytes()).map_err(|_| TOO_LARGE)?;
    safetensors::serialize([(key, view)], None).map_err(|_| TOO_LARGE)
}

impl Arrays for SafeTensors<'_> {
    fn shape(&mut self, key: &str) -> Result<Option<Vec<usize>>, FileError> {
        Ok(self.0.tensor(key).ok().map(|tensor| tensor.shape().to_vec()))
    }

    fn array(&mut self, key: &str) -> Result<Option<Array>, FileError> {
        // The header was checked: nothing else can be wrong than that there is no such array.
        let Ok(tensor) = self.0.tensor(key) else { return Ok(None) };
        let stored = match tensor.dtype() {
            Dtype::F16 => Stored::F16,
            Dtype::BF16 => Stored::Bf16,
            Dtype::F32 => Stored::F32,
            Dtype::F64 => Stored::F64,
            _ => return Err(FileError::Unsupported("numbers other than F16, BF16, F32, F64")),
        };
        let mut values = Vec::new();
        stored.decode(tensor.data(), false, &mut values);
        Ok(Some(Array { shape: tensor.shape().to_vec(), values }))
    }
}
