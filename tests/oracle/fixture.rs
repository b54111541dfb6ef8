//! Reading fixtures: JSON with arrays as `{"shape", "dtype", "data"}`, and comparison within a tolerance.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// One fixture file.
pub(crate) struct Fixture(pub(crate) Value);

/// A numeric array of a fixture.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

/// All fixture files, sorted by name: those of the folder of `NANOEMBED_ORACLE`, and those of `tests/oracle` that it lacks.
pub(crate) fn all() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let mut files = BTreeMap::new();
    for folder in [Some(own), std::env::var_os("NANOEMBED_ORACLE").map(PathBuf::from)].into_iter().flatten() {
        let found = fixtures(&folder);
        assert!(!found.is_empty(), "{} holds no fixtures", folder.display());
        files.extend(found.into_iter().map(|path| (path.file_name().map(OsStr::to_owned), path)));
    }
    files.into_values().collect()
}

/// The JSON files of a folder.
fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files
}

impl Fixture {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    }
}

/// The items of a JSON list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

/// A JSON list of strings.
pub(crate) fn strings(value: &Value) -> Vec<&str> {
    list(value).iter().map(|item| item.as_str().expect("a string")).collect()
}

/// A JSON list of whole numbers.
pub(crate) fn integers(value: &Value) -> Vec<i64> {
    list(value).iter().map(|item| item.as_i64().expect("a whole number")).collect()
}

/// A number; `"nan"`, `"inf"` and `"-inf"` are strings in the fixtures.
pub(crate) fn number(value: &Value) -> f32 {
    match value.as_str() {
        Some(name) => name.parse().expect("nan, inf or -inf"),
        None => value.as_f64().unwrap_or_else(|| panic!("not a number: {value}")) as f32,
    }
}

impl Array {
    pub(crate) fn read(value: &Value) -> Self {
        let shape = integers(&value["shape"]).into_iter().map(|extent| extent as usize).collect();
        Self { shape, data: list(&value["data"]).iter().map(number).collect() }
    }

    /// The numbers as integers: ids and labels.
    pub(crate) fn integers(value: &Value) -> Vec<i64> {
        integers(&value["data"])
    }
}

/// Fails unless every number is within `absolute + relative * |expected|` of the expected one; NaN equals only NaN.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f32], absolute: f32, relative: f32) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let same = found == expected || found.is_nan() && expected.is_nan();
        let close = (found - expected).abs() <= absolute + relative * expected.abs();
        assert!(same || close, "{what}[{i}]: found {found}, expected {expected}");
    }
}

/// The fixtures' tolerance for forward values.
pub(crate) const FORWARD: (f32, f32) = (1e-6, 1e-5);
/// The fixtures' tolerance for gradients and optimizer steps.
pub(crate) const GRADIENT: (f32, f32) = (1e-5, 1e-4);
