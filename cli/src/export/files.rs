//! Weights as files of other systems.

use super::arrays::{Array, Values, arrays};
use crate::failure::Failure;
use nanoembed::models::{All, Model};
use nanoembed::zerocopy::IntoBytes;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

fn arrays_of<'a>(model: &Model<'a, All>) -> Result<Vec<Array<'a>>, Failure> {
    let arrays = arrays(model.recipe().records(), model.parameters());
    arrays.ok_or_else(|| Failure::model("it has layers whose parameters have no names as arrays"))
}

impl Values<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::F32(numbers) => numbers.as_bytes(),
            Self::F16(numbers) | Self::Bf16(numbers) => numbers.as_bytes(),
            Self::U32(numbers) => numbers.as_bytes(),
        }
    }

    /// How NumPy names the type, which has no bf16, and safetensors.
    fn types(&self) -> (Option<&'static str>, Dtype) {
        match self {
            Self::F32(_) => (Some("<f4"), Dtype::F32),
            Self::F16(_) => (Some("<f2"), Dtype::F16),
            Self::Bf16(_) => (None, Dtype::BF16),
            Self::U32(_) => (Some("<u4"), Dtype::U32),
        }
    }
}

/// A file for `numpy.load`, one array for each kernel, bias and table.
pub(crate) fn npz(model: &Model<'_, All>) -> Result<Vec<u8>, Failure> {
    npz_of(&arrays_of(model)?)
}

/// A file for `numpy.load` of these arrays.
pub(crate) fn npz_of(arrays: &[Array<'_>]) -> Result<Vec<u8>, Failure> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for array in arrays {
        let Array { key, values, .. } = array;
        // From 4 GiB a zip archive needs longer fields.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(values.bytes().len() > i32::MAX as usize);
        archive.start_file(format!("{key}.npy"), options).map_err(Failure::model)?;
        archive.write_all(&npy_header(array)?).map_err(Failure::model)?;
        archive.write_all(values.bytes()).map_err(Failure::model)?;
    }
    Ok(archive.finish().map_err(Failure::model)?.into_inner())
}

/// A file of one array for `numpy.load`.
pub(crate) fn npy_of(array: &Array<'_>) -> Result<Vec<u8>, Failure> {
    let mut file = npy_header(array)?;
    file.extend(array.values.bytes());
    Ok(file)
}

/// What comes before the numbers of an array of NumPy: version 1.0, padded to a multiple of 64.
fn npy_header(array: &Array<'_>) -> Result<Vec<u8>, Failure> {
    let kind = array.values.types().0.ok_or_else(|| Failure::usage("NumPy has no bf16: take f16 or f32"))?;
    let extents: Vec<String> = array.shape.iter().map(usize::to_string).collect();
    // A tuple of one has a comma, too.
    let extents = extents.join(",") + ",";
    let dictionary = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({extents}), }}");
    let length = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((length as u16).to_le_bytes());
    header.extend(format!("{dictionary:<width$}\n", width = length - 1).into_bytes());
    Ok(header)
}

/// The names of the arrays of an npz or safetensors file.
pub(crate) fn array_names(path: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::data(&path.display().to_string(), error);
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
    let mut names: Vec<String> = if path.extension().is_some_and(|extension| extension == "safetensors") {
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| failed(&error))?;
        tensors.names().into_iter().map(Into::into).collect()
    } else {
        let archive = ZipArchive::new(Cursor::new(&bytes)).map_err(|error| failed(&error))?;
        let files: Vec<_> = archive.file_names().collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        files.iter().map(|name| name.strip_suffix(".npy").unwrap_or(name).to_owned()).collect()
    };
    names.sort_unstable();
    Ok(names)
}

/// A file of safetensors with the same names.
pub(crate) fn safetensors(model: &Model<'_, All>) -> Result<Vec<u8>, Failure> {
    safetensors_of(&arrays_of(model)?)
}

/// A file of safetensors of these arrays.
pub(crate) fn safetensors_of(arrays: &[Array<'_>]) -> Result<Vec<u8>, Failure> {
    let views = arrays.iter().map(|Array { key, shape, values }| {
        let view = TensorView::new(values.types().1, shape.clone(), values.bytes());
        Ok((key, view.map_err(Failure::model)?))
    });
    safetensors::serialize(views.collect::<Result<Vec<_>, Failure>>()?, None).map_err(Failure::model)
}
