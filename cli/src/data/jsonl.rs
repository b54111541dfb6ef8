//! A JSON object on each line.

use super::columns::Wanted;
use super::{Line, label, numbered};
use crate::failure::Failure;
use serde_json::Value;

/// The lines of a text: the label is a string, a number, true or false, or a list of these; the text is a string.
pub(super) fn read(name: &str, text: &str, wanted: Wanted<'_>) -> Result<Vec<Line>, Failure> {
    let (label_field, text_field) = (wanted.label.unwrap_or("label"), wanted.text.unwrap_or("text"));
    let line = |(number, line): (u64, &str)| {
        let failed = |message: String| Failure::line(name, number, None, message);
        let object: Value = serde_json::from_str(line).map_err(|error| {
            Failure::line(name, number, Some(error.column() as u64), format!("no JSON object: {error}"))
        })?;
        let field = |field: &str| {
            object
                .get(field)
                .ok_or_else(|| failed(format!("no field {field:?}: name it by --label or --text")))
        };
        let Value::String(text) = field(text_field)? else {
            return Err(failed(format!("the field {text_field:?} is no string")));
        };
        let labels = match field(label_field)? {
            Value::Array(labels) if labels.is_empty() => {
                return Err(failed("no label: the list is empty".to_owned()));
            }
            Value::Array(labels) => labels.iter().collect(),
            one => vec![one],
        };
        let labels = labels.into_iter().map(|value| match value {
            Value::String(text) => label(name, number, text),
            Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
            _ => Err(failed(format!("the field {label_field:?} is neither a label nor a list of labels"))),
        });
        Ok(Line { labels: labels.collect::<Result<_, _>>()?, text: text.clone() })
    };
    numbered(text).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Wanted<'_> = Wanted { label: None, text: None };

    #[test]
    fn labels_are_one_or_several() {
        let text = "{\"label\": \"a b\", \"text\": \"x\\ty\"}\n{\"text\": \"\", \"label\": [1, \"c\"], \"more\": null}\n";
        let lines = read("f", text, NONE).expect("lines");
        assert_eq!(lines[0], Line { labels: vec!["a b".into()], text: "x\ty".into() });
        assert_eq!(lines[1], Line { labels: vec!["1".into(), "c".into()], text: String::new() });
    }

    #[test]
    fn what_is_missing_is_refused() {
        for text in ["{", "[]", "{\"label\": \"a\"}", "{\"text\": \"a\"}", "{\"label\": [], \"text\": \"\"}"]
        {
            assert!(read("f", text, NONE).is_err(), "{text}");
        }
        assert!(read("f", "{\"label\": {}, \"text\": \"\"}", NONE).is_err());
        assert!(read("f", "{\"label\": \" \", \"text\": \"\"}", NONE).is_err());
        assert!(read("f", "{\"label\": \"a\", \"text\": 1}", NONE).is_err());
    }
}
