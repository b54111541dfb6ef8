//! A JSON object on each line.

use super::columns::Wanted;
use super::{Line, label, numbered};
use crate::failure::Failure;
use serde_json::Value;

/// The object of a line.
pub(super) fn object(name: &str, number: u64, line: &str) -> Result<Value, Failure> {
    let failed =
        |column: u64, why: &str| Failure::line(name, number, Some(column), format!("no JSON object: {why}"));
    let value: Value = serde_json::from_str(line).map_err(|error| {
        let why = error.to_string();
        // The line that it counts is that of the object.
        failed(error.column() as u64, why.split(" at line ").next().unwrap_or(&why))
    })?;
    match value {
        Value::Object(_) => Ok(value),
        Value::Array(_) => {
            Err(failed(1, "write each object on a line of its own, without a list around them"))
        }
        _ => Err(failed(1, "write {\"label\": .., ..}")),
    }
}

/// The value of a field. Names of columns have no case, nor have those of fields.
pub(super) fn value<'a>(object: &'a Value, field: &str) -> Option<&'a Value> {
    object.get(field).or_else(|| {
        let is_so = |(name, _): &(&String, &Value)| name.eq_ignore_ascii_case(field);
        object.as_object()?.iter().find(is_so).map(|(_, value)| value)
    })
}

/// A field of an object.
fn field<'a>(name: &str, number: u64, object: &'a Value, field: &str) -> Result<&'a Value, Failure> {
    let message = || {
        let cure = if field.contains('.') {
            "fields within fields are not read"
        } else {
            "name it by --label or --text"
        };
        format!("no field {field:?}: {cure}")
    };
    value(object, field).ok_or_else(|| Failure::line(name, number, None, message()))
}

/// The labels of an object: a string, a number, true or false, or a list of these.
pub(super) fn labels(name: &str, number: u64, object: &Value, of: &str) -> Result<Vec<String>, Failure> {
    let failed = |message: String| Failure::line(name, number, None, message);
    let labels = match field(name, number, object, of)? {
        Value::Array(labels) if labels.is_empty() => {
            return Err(failed("no label: the list is empty".to_owned()));
        }
        Value::Array(labels) => labels.iter().collect(),
        one => vec![one],
    };
    let labels = labels.into_iter().map(|value| match value {
        Value::String(text) => label(name, number, text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(failed(format!("the field {of:?} is neither a label nor a list of labels"))),
    });
    labels.collect()
}

/// The lines of a text: the label is as [`labels`] has it; the text is a string.
pub(super) fn read(name: &str, text: &str, wanted: Wanted<'_>) -> Result<Vec<Line>, Failure> {
    let (label_field, text_field) = (wanted.label.unwrap_or("label"), wanted.text.unwrap_or("text"));
    let line = |(number, line): (u64, &str)| {
        let object = object(name, number, line)?;
        let Value::String(text) = field(name, number, &object, text_field)? else {
            return Err(Failure::line(name, number, None, format!("the field {text_field:?} is no string")));
        };
        Ok(Line { labels: labels(name, number, &object, label_field)?, text: text.clone() })
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
