//! Texts with labels, as examples read them.

use std::error::Error;
use std::path::Path;

/// The lines `label<TAB>text` of a file, each as its label's number and its text; new labels are added to `names`.
pub(crate) fn read(path: &Path, names: &mut Vec<String>) -> Result<Vec<(usize, String)>, Box<dyn Error>> {
    let file = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut lines = Vec::new();
    for (i, line) in file.lines().enumerate() {
        let (label, text) = line
            .split_once('\t')
            .ok_or_else(|| format!("{}:{}: expected label<TAB>text", path.display(), i + 1))?;
        let number = names.iter().position(|name| name == label).unwrap_or_else(|| {
            names.push(label.to_owned());
            names.len() - 1
        });
        lines.push((number, text.to_owned()));
    }
    if lines.is_empty() { Err(format!("{}: empty", path.display()).into()) } else { Ok(lines) }
}
