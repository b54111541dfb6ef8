//! Rows of a table: some columns are what a model learns from, one is the label.
//!
//! A row becomes a text, its fields with tabs between them, as `nanoembed::text::Columns` reads it.

use super::columns::{check_tabs, delimiter, no_column};
use super::{Format, Line, Reading, label, numbered};
use crate::failure::Failure;
use serde_json::Value;

/// Where a column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Under this name in the first line, or in a JSON object.
    Named(String),
    /// At this number, from 1 on.
    Number(usize),
}

/// What a column without a name is called in a model.
const NUMBERED: &str = "column ";

/// A column that is learnt from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) place: Place,
    /// Whether it has numbers, or else categories.
    pub(crate) is_numeric: bool,
}

impl Place {
    /// As a person names it: a whole number is no name.
    pub(crate) fn told(column: &str) -> Self {
        column.parse().map_or_else(|_| Self::Named(column.to_owned()), Self::Number)
    }

    /// As a model names it.
    pub(crate) fn of_model(name: &str) -> Self {
        let number = name.strip_prefix(NUMBERED).and_then(|number| number.parse().ok());
        number.map_or_else(|| Self::Named(name.to_owned()), Self::Number)
    }

    /// The name that a model has for it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Number(number) => format!("{NUMBERED}{number}"),
        }
    }

    /// The field of a JSON object.
    fn value<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        super::jsonl::value(object, &self.name())
    }

    /// From 0 on, in a line of columns; `names` is the first line.
    fn find(&self, names: &[&str]) -> Option<usize> {
        match self {
            Self::Named(name) => names.iter().position(|found| found.trim().eq_ignore_ascii_case(name)),
            Self::Number(number) => number.checked_sub(1),
        }
    }
}

/// Whether a field has a number, or none where it is empty.
fn is_number(field: &str) -> bool {
    let field = field.trim();
    field.is_empty() || field.parse::<f32>().is_ok()
}

/// The fields of a row as a text, if each is what it has to be.
fn text<'a>(
    file: &str,
    line: u64,
    fields: &[Field],
    found: impl Iterator<Item = Result<&'a str, Failure>>,
) -> Result<String, Failure> {
    let mut text = String::new();
    for (number, (field, found)) in fields.iter().zip(found).enumerate() {
        let found = found?.trim();
        let fails =
            |why: String| Err(Failure::line(file, line, None, format!("{}: {why}", field.place.name())));
        if found.contains('\t') {
            return fails("a tab within a field".to_owned());
        }
        if field.is_numeric && !is_number(found) {
            return fails(format!("{found:?} is no number; a field is empty where there is none"));
        }
        if number > 0 {
            text.push('\t');
        }
        text.push_str(found);
    }
    Ok(text)
}

/// A field of a line of columns.
fn at<'a>(
    file: &str,
    line: u64,
    columns: &[&'a str],
    place: usize,
    name: &Place,
) -> Result<&'a str, Failure> {
    columns.get(place).copied().ok_or_else(|| {
        let (found, needed) = (columns.len(), place + 1);
        let message = match name {
            Place::Named(name) => format!("{found} columns, and {name} is column {needed}"),
            Place::Number(_) => format!("{found} columns, and no column {needed}"),
        };
        Failure::line(file, line, None, message)
    })
}

/// Where the columns of a file are.
struct Columns {
    label: (Place, usize),
    places: Vec<usize>,
    has_names: bool,
}

impl Columns {
    /// As the first line says.
    fn find(file: &str, line: u64, first: &[&str], wanted: &Reading) -> Result<Self, Failure> {
        let place =
            |place: &Place| place.find(first).ok_or_else(|| no_column(file, line, &place.name(), first));
        let label = match &wanted.label {
            Some(label) => Place::told(label),
            None => Place::Named("label".to_owned())
                .find(first)
                .map_or(Place::Number(1), |_| Place::told("label")),
        };
        let label = (label.clone(), place(&label)?);
        let places = wanted.fields.iter().map(|field| place(&field.place)).collect::<Result<Vec<_>, _>>()?;
        let is_named = |place: &Place| matches!(place, Place::Named(_));
        let mut numbers = wanted.fields.iter().zip(&places).filter(|(field, _)| field.is_numeric).peekable();
        // Where numbers are to be, a first line has names.
        let has_numbers = numbers.peek().is_some();
        let names_numbers =
            has_numbers && numbers.all(|(_, place)| first.get(*place).is_some_and(|name| !is_number(name)));
        let names_label = first.get(label.1).is_some_and(|name| name.trim().eq_ignore_ascii_case("label"));
        let has_names = is_named(&label.0)
            || wanted.fields.iter().any(|field| is_named(&field.place))
            || names_numbers
            || names_label;
        for (number, place) in places.iter().enumerate() {
            let name = || wanted.fields.get(number).map(|field| field.place.name()).unwrap_or_default();
            if *place == label.1 {
                let why = match (&wanted.label, &label.0) {
                    (Some(_), _) => "it is the label, too",
                    (None, Place::Named(_)) => {
                        "it is taken for the label by its name: if another is, name it by --label"
                    }
                    (None, Place::Number(_)) => {
                        "it is taken for the label, since no column is called label: name that of the label by --label"
                    }
                };
                return Err(Failure::usage(format!("{}: {why}", name())));
            }
            if places.iter().take(number).any(|other| other == place) {
                return Err(Failure::usage(format!("{}: named twice", name())));
            }
        }
        Ok(Self { label, places, has_names })
    }

    fn line(&self, file: &str, line: u64, columns: &[&str], fields: &[Field]) -> Result<Line, Failure> {
        let places = fields.iter().zip(&self.places);
        let found = places.map(|(field, place)| at(file, line, columns, *place, &field.place));
        let of_label = at(file, line, columns, self.label.1, &self.label.0)?;
        let text = text(file, line, fields, found)?;
        Ok(Line { labels: vec![label(file, line, of_label)?], text })
    }
}

/// The rows of a file, and its columns: under their names, where it has names.
pub(super) fn read(
    file: &str,
    text: &str,
    format: Format,
    wanted: &Reading,
) -> Result<(Vec<Line>, Vec<Field>), Failure> {
    let fields = &wanted.fields;
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    match format {
        Format::Jsonl => return Ok((of_objects(file, text, wanted)?, fields.clone())),
        Format::FastText => return Err(Failure::usage("a fastText file has no columns")),
        Format::Tsv => {
            let mut expected = None;
            for (number, line) in numbered(text) {
                let row: Vec<String> = line.split('\t').map(str::to_owned).collect();
                check_tabs(file, number, row.len(), *expected.get_or_insert(row.len()))?;
                rows.push((number, row));
            }
        }
        Format::Csv => super::columns::for_each_csv(file, text, |number, fields| {
            rows.push((number, fields.iter().map(|field| (*field).to_owned()).collect()));
            Ok(())
        })?,
    }
    let (mut lines, mut columns, mut names) = (Vec::new(), None, fields.clone());
    for (number, row) in &rows {
        let row: Vec<&str> = row.iter().map(String::as_str).collect();
        let columns: &Columns = match &mut columns {
            Some(columns) => columns,
            None => {
                let found: &Columns = columns.insert(Columns::find(file, *number, &row, wanted)?);
                if found.has_names {
                    name(&mut names, &row, &found.places);
                    continue;
                }
                found
            }
        };
        lines.push(columns.line(file, *number, &row, fields)?);
    }
    Ok((lines, names))
}

/// Gives columns the names of the first line, where each has one of its own that a model does not take for a
/// number.
fn name(fields: &mut [Field], names: &[&str], places: &[usize]) {
    for (field, place) in fields.iter_mut().zip(places) {
        let name = names.get(*place).map_or("", |name| name.trim());
        let is_own = names.iter().filter(|other| other.trim().eq_ignore_ascii_case(name)).count() == 1;
        let named = Place::Named(name.to_owned());
        if !name.is_empty() && is_own && Place::of_model(name) == named {
            field.place = named;
        }
    }
}

/// The rows of JSON objects; each field occurs in one of them.
fn of_objects(file: &str, text: &str, wanted: &Reading) -> Result<Vec<Line>, Failure> {
    let (fields, mut lines) = (&wanted.fields, Vec::new());
    let mut occurs = vec![false; fields.len()];
    for (number, line) in numbered(text) {
        let object = super::jsonl::object(file, number, line)?;
        for (field, occurs) in fields.iter().zip(&mut occurs) {
            *occurs |= field.place.value(&object).is_some();
        }
        let text = text_of_object(file, number, &object, fields)?;
        let labels = super::jsonl::labels(file, number, &object, wanted.label.as_deref().unwrap_or("label"))?;
        lines.push(Line { labels, text });
    }
    match fields.iter().zip(&occurs).find(|(_, occurs)| !**occurs) {
        Some((field, _)) => {
            Err(Failure::data(file, format!("no object has a field {:?}", field.place.name())))
        }
        None => Ok(lines),
    }
}

/// A field that lacks, or is null, is empty; one of them is there.
fn text_of_object(file: &str, line: u64, object: &Value, fields: &[Field]) -> Result<String, Failure> {
    let value = |field: &Field| match (&field.place, field.place.value(object)) {
        (Place::Number(_), _) => Err(Failure::usage("the fields of JSON objects have names, not numbers")),
        (_, None | Some(Value::Null)) => Ok(String::new()),
        (_, Some(Value::String(text))) => Ok(text.clone()),
        (_, Some(value @ (Value::Number(_) | Value::Bool(_)))) => Ok(value.to_string()),
        (_, Some(_)) => {
            let message = format!("{}: neither a string nor a number", field.place.name());
            Err(Failure::line(file, line, None, message))
        }
    };
    let values = fields.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    if fields.iter().all(|field| field.place.value(object).is_none()) {
        let names: Vec<String> = fields.iter().map(|field| field.place.name()).collect();
        return Err(Failure::line(file, line, None, format!("none of the fields {}", names.join(", "))));
    }
    text(file, line, fields, values.iter().map(|value| Ok(value.as_str())))
}

/// Lines without labels, one after the other, as rows: JSON objects; or columns, which a first line names, or
/// which are those of the model alone, in its order, or which stand as in the file that it learnt from.
pub(crate) struct Rows {
    fields: Vec<Field>,
    file: String,
    form: Option<Form>,
}

/// What lines are, by the first one.
enum Form {
    Objects,
    Columns { separator: char, places: Vec<usize> },
}

impl Rows {
    pub(crate) fn new(file: &str, fields: Vec<Field>) -> Self {
        Self { fields, file: file.to_owned(), form: None }
    }

    /// The row of a line as a text; `None` if it is a first line, which names columns, or empty.
    pub(crate) fn text(&mut self, number: u64, line: &str) -> Result<Option<String>, Failure> {
        if line.is_empty() {
            return Ok(None);
        }
        let Self { fields, file, form } = self;
        let form = match form {
            Some(form) => form,
            None if line.trim_start().starts_with('{') => form.insert(Form::Objects),
            None => {
                let separator =
                    if line.contains('\t') || !line.contains([',', ';']) { '\t' } else { delimiter(line) };
                let first = split(file, number, line, separator)?;
                let first: Vec<&str> = first.iter().map(String::as_str).collect();
                let (places, has_names) = places(file, number, &first, fields)?;
                let columns = form.insert(Form::Columns { separator, places });
                if has_names {
                    return Ok(None);
                }
                columns
            }
        };
        match form {
            Form::Objects => {
                let object = super::jsonl::object(file, number, line)?;
                text_of_object(file, number, &object, fields).map(Some)
            }
            Form::Columns { separator, places } => {
                let columns = split(file, number, line, *separator)?;
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let found = fields
                    .iter()
                    .zip(places)
                    .map(|(field, place)| at(file, number, &columns, *place, &field.place));
                text(file, number, fields, found).map(Some)
            }
        }
    }
}

/// Where the columns of a model are in lines that have no label, and whether the first line names them.
fn places(file: &str, line: u64, first: &[&str], fields: &[Field]) -> Result<(Vec<usize>, bool), Failure> {
    let are_named = fields.iter().all(|field| matches!(field.place, Place::Named(_)));
    let found: Vec<Option<usize>> = fields.iter().map(|field| field.place.find(first)).collect();
    if let (true, true, Some(lacking)) =
        (are_named, found.iter().any(Option::is_some), found.iter().position(Option::is_none))
    {
        let lacking = fields.get(lacking).map(|field| field.place.name()).unwrap_or_default();
        return Err(no_column(file, line, &lacking, first));
    }
    match found.into_iter().collect::<Option<Vec<usize>>>() {
        Some(places) if are_named => Ok((places, true)),
        _ if first.len() == fields.len() => Ok(((0..fields.len()).collect(), false)),
        Some(places) => Ok((places, false)),
        None => {
            let names: Vec<String> = fields.iter().map(|field| field.place.name()).collect();
            let message = format!(
                "{} columns, and the model takes {}: name them in a first line, or give these alone, in this \
                 order: {}",
                first.len(),
                fields.len(),
                names.join(", ")
            );
            Err(Failure::line(file, line, None, message))
        }
    }
}

/// The columns of one line.
fn split(file: &str, number: u64, line: &str, separator: char) -> Result<Vec<String>, Failure> {
    if separator == '\t' {
        return Ok(line.split('\t').map(str::to_owned).collect());
    }
    let mut columns = Vec::new();
    super::columns::for_each_record(file, line, separator, |_, fields| {
        columns.extend(fields.iter().map(|field| (*field).to_owned()));
        Ok(())
    })
    .map_err(|_| Failure::line(file, number, None, "quotes do not fit"))?;
    Ok(columns)
}
