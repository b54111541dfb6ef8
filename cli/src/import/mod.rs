//! Models of Keras 3: a `.keras` file is a zip archive of the layers as JSON and the weights as HDF5.

mod graph;
mod layers;

use crate::failure::Failure;
use hdf5_pure::File;
use layers::{Array, Layer};
use nanoembed::models::Record;
use serde_json::Value;
use std::io::{Cursor, Read};
use std::path::Path;
use zip::ZipArchive;

/// The layers of a model, and its parameters in the order in which an image has them.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) records: Vec<Record>,
    pub(crate) parameters: Vec<f32>,
}

/// Reads a `.keras` file. `length` is that of a text, if the model takes any.
pub(crate) fn read(path: &Path, length: Option<usize>) -> Result<Imported, Failure> {
    let name = path.display().to_string();
    let fails = |what: &str, error: &dyn std::fmt::Display| Failure::model(format!("{name}: {what}{error}"));
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
    if bytes.starts_with(b"\x89HDF") {
        return Err(fails(
            "",
            &"weights without their layers: save the model by `model.save(\"model.keras\")`",
        ));
    }
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| fails("no .keras file of Keras 3: ", &error))?;
    let mut entry = |entry: &str| -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let mut file = archive.by_name(entry).map_err(|error| fails(&format!("{entry}: "), &error))?;
        file.read_to_end(&mut bytes).map_err(|error| fails(&format!("{entry}: "), &error))?;
        Ok(bytes)
    };
    let config: Value =
        serde_json::from_slice(&entry("config.json")?).map_err(|error| fails("config.json: ", &error))?;
    let weights =
        File::from_bytes(entry("model.weights.h5")?).map_err(|error| fails("model.weights.h5: ", &error))?;
    let layers = layers::of(&config, length).map_err(|error| fails("", &error))?;
    let (mut records, mut parameters) = (Vec::new(), Vec::new());
    for Layer { record, arrays } in layers {
        for Array { path, shape } in arrays {
            let Some(path) = path else {
                parameters.extend(std::iter::repeat_n(0.0, shape.iter().product()));
                continue;
            };
            let array = weights.dataset(&path).map_err(|error| fails(&format!("{path}: "), &error))?;
            let found = array.shape().map_err(|error| fails(&format!("{path}: "), &error))?;
            if !found.iter().copied().eq(shape.iter().map(|extent| *extent as u64)) {
                return Err(fails(
                    &format!("{path}: "),
                    &format!("the shape is {found:?}, and the layer needs {shape:?}"),
                ));
            }
            parameters.extend(array.read_f32().map_err(|error| fails(&format!("{path}: "), &error))?);
        }
        records.push(record);
    }
    Ok(Imported { records, parameters })
}
