//! The arrays of a model, and what they are called in a file.

use super::array::{Array, Arrays};
use super::npy::write_npy;
use super::npz::{Npz, file_error};
use super::tensors::SafeTensors;
use crate::error::FileError;
use crate::layers::{Layer, Parameter};
use core::fmt;
use core::fmt::Write as _;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::collections::BTreeSet;
use std::format;
use std::io::{Seek, Write};
use std::string::{String, ToString};
use std::vec::Vec;
use zerocopy::IntoBytes;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// One of the arrays of a model. Printed it is a path such as `dense_1/kernel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Which of the model's arrays it is, from 0, front to back.
    pub position: usize,
    /// The kind of layer it belongs to, as in the summary: `Dense`.
    pub kind: &'static str,
    /// How many layers of that kind stand in front of it.
    pub same_kind: usize,
    /// Its name in the layer and its extents.
    pub parameter: Parameter,
}

impl Weight {
    /// Its extents, outermost first.
    pub fn shape(&self) -> &[usize] {
        let shape = &self.parameter.shape;
        shape.split(|extent| *extent == 0).next().unwrap_or_default()
    }

    /// The key `arr_0` for the first array, `arr_1` for the second: what `numpy.savez` calls arrays without a name.
    pub fn by_order(&self) -> String {
        format!("arr_{}", self.position)
    }

    /// The key `dense_1/kernel`: kind and number of the layer, name of the array.
    pub fn by_name(&self) -> String {
        self.to_string()
    }

    /// `Ok` if the file's array has its extents.
    fn check(&self, shape: &[usize]) -> Result<(), WeightsError> {
        if shape == self.shape() {
            return Ok(());
        }
        let mut found = [0; 4];
        found.iter_mut().zip(shape).for_each(|(to, extent)| *to = *extent);
        Err(WeightsError::Shape { weight: *self, found, extents: shape.len() as u32 })
    }
}

impl fmt::Display for Weight {
    /// Layers are numbered as in Keras: `dense`, `dense_1`; `embedding_bag`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = 'A';
        for c in self.kind.chars() {
            if before.is_ascii_lowercase() && c.is_ascii_uppercase() {
                f.write_char('_')?;
            }
            f.write_char(c.to_ascii_lowercase())?;
            before = c;
        }
        if self.same_kind > 0 {
            write!(f, "_{}", self.same_kind)?;
        }
        write!(f, "/{}", self.parameter.name)
    }
}

/// Why weights were not read or written. What should have been read into is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be read or written.
    File(FileError),
    /// The file has no array under the key of this one.
    Missing(Weight),
    /// The file's array has another shape.
    Shape {
        /// The model's array.
        weight: Weight,
        /// The first extents of the file's array, 0 behind the last.
        found: [usize; 4],
        /// How many it has; what is behind the fourth is not in `found`.
        extents: u32,
    },
    /// Another array has the same key.
    SameKey(Weight),
    /// The key has a meaning of its own in the file, `__metadata__` in safetensors.
    ReservedKey(Weight),
}

impl From<std::io::Error> for WeightsError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.into())
    }
}

impl From<FileError> for WeightsError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Missing(weight) => write!(f, "{weight}: not in the file"),
            Self::Shape { weight, found, extents } => {
                let (found, more) = match found.get(..*extents as usize) {
                    Some(all) => (all, 0),
                    None => (found.as_slice(), *extents as usize - found.len()),
                };
                write!(f, "{weight}: expected the shape {:?}, found {found:?}", weight.shape())?;
                if more > 0 { write!(f, " and {more} more extents") } else { Ok(()) }
            }
            Self::SameKey(weight) => write!(f, "{weight}: has the key of another array"),
            Self::ReservedKey(weight) => {
                write!(f, "{weight}: its key is no name of an array in this kind of file")
            }
        }
    }
}

impl core::error::Error for WeightsError {}

/// An array of a model with its key.
struct Keyed<'a> {
    key: String,
    weight: Weight,
    values: &'a [f32],
}

/// The arrays of `model`, front to back.
fn weights<M: Layer>(model: &M) -> Vec<(Weight, &[f32])> {
    const { assert!(M::IN_ARRAYS, "a model with packed rows has parameters that are no arrays of numbers") }
    // The kind of each layer, and how many numbers there are up to its end.
    let (mut layers, mut end) = (Vec::new(), 0);
    M::describe(&mut |layer| {
        end += layer.parameters;
        layers.push((layer.name, end));
    });
    let (mut weights, mut numbers) = (Vec::new(), 0);
    model.arrays("", &mut |parameter, values| {
        let layer = layers.iter().take_while(|(_, end)| *end <= numbers).count();
        let kind = layers.get(layer).map_or("", |(kind, _)| kind);
        let same_kind = layers.iter().take(layer).filter(|(before, _)| *before == kind).count();
        numbers += values.len();
        weights.push((Weight { position: weights.len(), kind, same_kind, parameter }, values));
    });
    weights
}

/// The arrays of `model` and their keys, no two of which are equal.
fn keyed<M: Layer>(model: &M, key: impl Fn(&Weight) -> String) -> Result<Vec<Keyed<'_>>, WeightsError> {
    let mut keys = BTreeSet::new();
    let keyed = weights(model).into_iter().map(|(weight, values)| {
        let key = key(&weight);
        if keys.insert(key.clone()) {
            Ok(Keyed { key, weight, values })
        } else {
            Err(WeightsError::SameKey(weight))
        }
    });
    keyed.collect()
}

/// Takes all weights of `model` from a file; arrays of the file that have none of the keys are left out.
///
/// # Errors
/// If an array is missing or has another shape, or the file cannot be read. The model is then as it was.
pub fn read<M: Layer>(
    model: &mut M,
    file: &mut impl Arrays,
    key: impl Fn(&Weight) -> String,
) -> Result<(), WeightsError> {
    let mut arrays = Vec::new();
    for Keyed { key, weight, .. } in keyed(model, key)? {
        // A wrong shape may claim any number of numbers: it is refused before they are read.
        weight.check(&file.shape(&key)?.ok_or(WeightsError::Missing(weight))?)?;
        let Array { shape, values } = file.array(&key)?.ok_or(WeightsError::Missing(weight))?;
        weight.check(&shape)?;
        arrays.push(values);
    }
    let mut arrays = arrays.into_iter();
    model.arrays_mut("", &mut |_, to| {
        for (to, x) in to.iter_mut().zip(arrays.next().unwrap_or_default()) {
            *to = x;
        }
    });
    Ok(())
}

impl<W: Write + Seek> Npz<W> {
    /// Writes all weights of `model` as an npz file, not compressed. Equal weights give equal bytes.
    ///
    /// ```
    /// use nanoembed::layers::{Dense, Layer};
    /// use nanoembed::weights::{Npz, Weight, read};
    /// let mut model = Dense::<3, 2>::zeroed();
    /// model.bias = [0.5, -0.5];
    /// let mut file = std::io::Cursor::new(Vec::new());
    /// Npz::write(&model, &mut file, Weight::by_name)?;
    ///
    /// let mut same = Dense::<3, 2>::zeroed();
    /// read(&mut same, &mut Npz::new(&mut file)?, Weight::by_name)?;
    /// assert_eq!(same.bias, [0.5, -0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If it cannot be written, or two arrays have one key.
    pub fn write<M: Layer>(
        model: &M,
        writer: W,
        key: impl Fn(&Weight) -> String,
    ) -> Result<(), WeightsError> {
        let mut archive = ZipWriter::new(writer);
        for Keyed { key, weight, values } in keyed(model, key)? {
            // From 4 GiB a zip archive needs longer fields.
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .large_file(size_of_val(values) > i32::MAX as usize);
            archive.start_file(format!("{key}.npy"), options).map_err(file_error)?;
            write_npy(&mut archive, weight.shape(), values).map_err(FileError::from)?;
        }
        archive.finish().map_err(file_error)?;
        Ok(())
    }
}

impl SafeTensors<'_> {
    /// All weights of `model` as the bytes of a safetensors file.
    ///
    /// # Errors
    /// If two arrays have one key, or one has the key `__metadata__`, under which the file keeps something else.
    pub fn to_vec<M: Layer>(model: &M, key: impl Fn(&Weight) -> String) -> Result<Vec<u8>, WeightsError> {
        let too_large = WeightsError::File(FileError::Unsupported("a file as large"));
        let mut views = Vec::new();
        for Keyed { key, weight, values } in keyed(model, key)? {
            if key == "__metadata__" {
                return Err(WeightsError::ReservedKey(weight));
            }
            let view = TensorView::new(Dtype::F32, weight.shape().to_vec(), values.as_bytes());
            views.push((key, view.map_err(|_| too_large)?));
        }
        safetensors::serialize(views, None).map_err(|_| too_large)
    }
}
