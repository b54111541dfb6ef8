//! What a file of labelled texts is, by its first line and its name.

use super::fasttext::PREFIX;
use super::numbered;
use crate::failure::Failure;
use std::path::Path;

/// How a file holds labelled texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// label<TAB>text
    Tsv,
    /// label,text with quotes
    Csv,
    /// {"label": "..", "text": ".."}
    Jsonl,
    /// `__label__a text`
    #[value(name = "fasttext")]
    FastText,
}

impl Format {
    /// The format of a file with this name and this text.
    pub(crate) fn recognise(name: &str, text: &str) -> Result<Self, Failure> {
        let Some((number, first)) = numbered(text).next() else {
            return Err(Failure::data(name, "all lines are blank"));
        };
        let extension = Path::new(name).extension().map(std::ffi::OsStr::to_ascii_lowercase);
        let extension = extension.as_ref().and_then(|extension| extension.to_str()).unwrap_or_default();
        if first.trim_start().starts_with(PREFIX) {
            return Ok(Self::FastText);
        }
        match extension {
            "tsv" | "tab" => return Ok(Self::Tsv),
            "csv" => return Ok(Self::Csv),
            "jsonl" | "ndjson" => return Ok(Self::Jsonl),
            _ => {}
        }
        if first.trim_start().starts_with('{') {
            return Ok(Self::Jsonl);
        }
        if first.contains('\t') {
            return Ok(Self::Tsv);
        }
        let list = first.trim();
        if list == "[" || list.starts_with("[{") {
            let message = "a JSON list: write each object on a line of its own (JSONL)";
            return Err(Failure::line(name, number, None, message));
        }
        let is_name = |column: &str| matches!(column.trim(), "label" | "text");
        if first.contains(',') || first.contains(';') && first.split(';').any(is_name) {
            return Ok(Self::Csv);
        }
        let message = "neither `label<TAB>text`, `label,text`, `{\"label\": .., \"text\": ..}` nor `__label__x text`: \
                       write one of these, or say which it is with --format";
        Err(Failure::line(name, number, None, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_tells() {
        let cases = [
            ("a.txt", "good\ttext, with commas\n", Format::Tsv),
            ("a.txt", "\n\ngood,\"text\"\n", Format::Csv),
            ("a.txt", "  {\"label\": \"a\tb\"}\n", Format::Jsonl),
            ("a.tsv", "__label__a\ttext\n", Format::FastText),
            ("a.TSV", "no tab, so that the line is refused\n", Format::Tsv),
            ("a.csv", "label\ttab", Format::Csv),
            ("standard input", "a\tb", Format::Tsv),
        ];
        for (name, text, format) in cases {
            assert_eq!(Format::recognise(name, text).expect(text), format, "{name} {text}");
        }
        assert!(Format::recognise("a.txt", "good text").is_err());
        assert!(Format::recognise("a.txt", " \n\n").is_err());
    }
}
