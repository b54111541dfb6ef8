//! Lines of columns: TSV, and CSV with quotes.

use super::{Line, label, numbered};
use crate::failure::Failure;

/// Which columns hold the label and the text, if that was said: by their names, or their numbers from 1 on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) label: Option<&'a str>,
    pub(super) text: Option<&'a str>,
}

/// Where the columns stand, and whether a first line names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    label: usize,
    text: usize,
    has_names: bool,
}

impl Columns {
    /// As the first line says.
    fn find(name: &str, line: u64, first: &[&str], wanted: Wanted<'_>) -> Result<Self, Failure> {
        let position = |column: &str| first.iter().position(|name| name.trim().eq_ignore_ascii_case(column));
        let number = |column: &str| column.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        // Names are looked for first: a column may be called "1".
        let place = |column: Option<&str>, default: &str, number_of_default: usize| match column {
            Some(column) => match (position(column), number(column)) {
                (Some(position), _) => Ok((position, true)),
                (None, Some(number)) => Ok((number, false)),
                (None, None) => Err(no_column(name, line, column, first)),
            },
            None => match position(default) {
                Some(position) => Ok((position, true)),
                None => Ok((number_of_default, false)),
            },
        };
        let (label, label_is_named) = place(wanted.label, "label", 0)?;
        let (text, text_is_named) = place(wanted.text, "text", 1)?;
        if wanted.label.is_none() && wanted.text.is_none() && label_is_named != text_is_named {
            let (has, lacks) = if label_is_named { ("label", "text") } else { ("text", "label") };
            let message = format!(
                "a column is called {has}, and none {lacks}: name that of the {lacks} by --{lacks}, or give --label 1 \
                 --text 2 if this line names no columns"
            );
            return Err(Failure::line(name, line, None, message));
        }
        if label == text {
            let column = label + 1;
            let message =
                format!("column {column} would be label and text: say which are by --label and --text");
            return Err(Failure::line(name, line, None, message));
        }
        let is_at = |column: usize, name: &str| position(name) == Some(column);
        let are_named = is_at(label, "label") && is_at(text, "text");
        Ok(Self { label, text, has_names: label_is_named || text_is_named || are_named })
    }

    fn line(&self, name: &str, number: u64, fields: &[&str], separator: &str) -> Result<Line, Failure> {
        let field = |column: usize, what: &str| {
            fields.get(column).copied().ok_or_else(|| {
                let (found, needed) = (fields.len(), column + 1);
                let message = if (self.label, self.text) == (0, 1) && found == 1 {
                    let tabs = fields.iter().any(|field| field.contains('\t'));
                    let cure = if tabs { ", or give --format tsv" } else { "" };
                    format!("no {separator} between label and text: write `label{separator}text`{cure}")
                } else {
                    format!("{found} columns, and the {what} is column {needed}")
                };
                Failure::line(name, number, None, message)
            })
        };
        let text = field(self.text, "text")?;
        Ok(Line { labels: vec![label(name, number, field(self.label, "label")?)?], text: text.to_owned() })
    }
}

/// A column that the first line does not have.
pub(super) fn no_column(file: &str, line: u64, column: &str, first: &[&str]) -> Failure {
    let names = first.iter().map(|name| name.trim()).collect::<Vec<_>>().join(", ");
    Failure::line(file, line, None, format!("no column {column:?} among: {names}"))
}

/// The lines of a text whose columns are separated by tabs. Where there are only label and text, the text is all after
/// the first tab.
pub(super) fn read_tsv(name: &str, text: &str, wanted: Wanted<'_>) -> Result<Vec<Line>, Failure> {
    let mut lines = numbered(text).peekable();
    let Some((number, first)) = lines.peek() else { return Ok(Vec::new()) };
    let columns = Columns::find(name, *number, &first.split('\t').collect::<Vec<_>>(), wanted)?;
    let skipped = usize::from(columns.has_names);
    let is_plain = (columns.label, columns.text, columns.has_names) == (0, 1, false) && wanted.text.is_none();
    let expected = if columns.has_names { first.split('\t').count() } else { usize::MAX };
    let line = |(number, line): (u64, &str)| {
        let most = if is_plain { 2 } else { usize::MAX };
        let fields: Vec<&str> = line.splitn(most, '\t').collect();
        check_tabs(name, number, fields.len(), expected)?;
        columns.line(name, number, &fields, "<TAB>")
    };
    lines.skip(skipped).map(line).collect()
}

/// An error if a line has more columns than the first: a tab in it would shift what follows.
pub(super) fn check_tabs(file: &str, line: u64, found: usize, expected: usize) -> Result<(), Failure> {
    if found <= expected {
        return Ok(());
    }
    let message =
        format!("{found} columns, and the first line has {expected}: take out the tab that is too much");
    Err(Failure::line(file, line, None, message))
}

/// Calls `each` with the line and the columns of each line that is not blank: with tabs between them if the first line
/// has one, else with commas, and maybe quoted.
pub(crate) fn of_lines(
    name: &str,
    text: &str,
    mut each: impl FnMut(u64, &[&str]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if numbered(text).next().is_none_or(|(_, first)| !first.contains('\t')) {
        return for_each_csv(name, text, each);
    }
    numbered(text).try_for_each(|(line, columns)| each(line, &columns.split('\t').collect::<Vec<_>>()))
}

/// What is between columns, by the first line: a semicolon where it has one and no comma, as programs write it in
/// languages that have a comma in numbers. What is within quotes does not count.
pub(super) fn delimiter(first: &str) -> char {
    let outside: String = first.split('"').step_by(2).collect();
    if outside.contains(';') && !outside.contains(',') { ';' } else { ',' }
}

/// The first line that is not blank.
fn first_line(text: &str) -> &str {
    numbered(text).next().map_or("", |(_, first)| first)
}

/// Calls `each` with the line and the columns of each record whose columns have the delimiter between them, and may be
/// quoted; blank ones are left out. A record with more columns than the first is refused: a delimiter in it wants
/// quotes.
pub(super) fn for_each_record(
    name: &str,
    text: &str,
    delimiter: char,
    mut each: impl FnMut(u64, &[&str]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter as u8)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let (mut number, mut start, mut first) = (1, 0, None);
    loop {
        let more = reader.read_record(&mut record).map_err(|error| {
            let number = error.position().map_or(1, csv::Position::line);
            Failure::line(name, number, None, error)
        })?;
        if !more {
            // A quote that nothing closes has made all that follows one field.
            let last = text.get(start..).unwrap_or_default().trim();
            if last.contains('\n') && last.matches('"').count() % 2 == 1 {
                return Err(Failure::line(name, number, None, "a quote that nothing closes"));
            }
            return Ok(());
        }
        (number, start) =
            record.position().map_or((1, 0), |position| (position.line(), position.byte() as usize));
        let fields: Vec<&str> = record.iter().collect();
        if !fields.iter().all(|field| field.trim().is_empty()) {
            let (found, expected) = (fields.len(), *first.get_or_insert(fields.len()));
            if found > expected {
                let message = format!(
                    "{found} columns, and the first line has {expected}: quote what has `{delimiter}`"
                );
                return Err(Failure::line(name, number, None, message));
            }
            each(number, &fields)?;
        }
    }
}

/// The same, with what the first line has between columns.
pub(super) fn for_each_csv(
    name: &str,
    text: &str,
    each: impl FnMut(u64, &[&str]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for_each_record(name, text, delimiter(first_line(text)), each)
}

/// The lines of a text whose columns have commas or semicolons between them, and may be quoted.
pub(super) fn read_csv(name: &str, text: &str, wanted: Wanted<'_>) -> Result<Vec<Line>, Failure> {
    let (mut lines, mut columns, delimiter) = (Vec::new(), None, delimiter(first_line(text)));
    for_each_record(name, text, delimiter, |number, fields| {
        let columns: Columns = match columns {
            Some(columns) => columns,
            None => {
                let found = Columns::find(name, number, fields, wanted)?;
                columns = Some(found);
                if found.has_names {
                    return Ok(());
                }
                if wanted.text.is_none() && wanted.label.is_none() && fields.len() > 2 {
                    let message = format!(
                        "{} columns, none of them called label or text: name theirs, or their numbers, by --label \
                         and --text; or quote what has `{delimiter}`",
                        fields.len()
                    );
                    return Err(Failure::line(name, number, None, message));
                }
                found
            }
        };
        lines.push(columns.line(name, number, fields, delimiter.encode_utf8(&mut [0; 4]))?);
        Ok(())
    })?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Wanted<'_> = Wanted { label: None, text: None };

    fn pairs(lines: &[Line]) -> Vec<(&str, &str)> {
        lines.iter().map(|line| (line.labels[0].as_str(), line.text.as_str())).collect()
    }

    #[test]
    fn tabs_after_the_first_are_text() {
        let lines = read_tsv("f", "a b\tx\ty\r\n\nc\t\n", NONE).expect("lines");
        assert_eq!(pairs(&lines), [("a b", "x\ty"), ("c", "")]);
    }

    #[test]
    fn names_say_where_columns_are() {
        let lines = read_tsv("f", "id\ttext\tlabel\n7\tgood food\tpraise\n", NONE).expect("lines");
        assert_eq!(pairs(&lines), [("praise", "good food")]);
        let wanted = Wanted { label: Some("kind"), text: Some("Body") };
        let lines = read_csv("f", "body,kind\n\"good, \"\"food\"\"\",praise\n", wanted).expect("lines");
        assert_eq!(pairs(&lines), [("praise", "good, \"food\"")]);
        let wanted = Wanted { label: Some("3"), text: Some("1") };
        let lines = read_csv("f", "one,2,a\ntwo,3,b\n", wanted).expect("lines");
        assert_eq!(pairs(&lines), [("a", "one"), ("b", "two")]);
    }

    #[test]
    fn one_name_alone_may_be_a_label_or_a_text() {
        for first in ["text\tcategory", "category\tText", "label\treview", "id\tlabel\treview"] {
            let text = format!("{first}\nx\ty\tz\n");
            let error = read_tsv("f", &text, NONE).expect_err(first);
            assert!(format!("{error:?}").contains("f:1: a column is called"), "{error:?}");
            assert!(read_csv("f", &text.replace('\t', ","), NONE).is_err(), "{first}");
        }
        let told = Wanted { label: Some("category"), text: None };
        let lines = read_tsv("f", "text\tcategory\nx\ty\n", told).expect("lines");
        assert_eq!(pairs(&lines), [("y", "x")]);
        let told = Wanted { label: Some("1"), text: Some("2") };
        assert_eq!(read_tsv("f", "label\tof a jar\nx\ty\n", told).expect("lines").len(), 2);
    }

    #[test]
    fn semicolons_where_there_is_no_comma() {
        let lines = read_csv("f", "label;text\npraise;\"good, cheap; food\"\n", NONE).expect("lines");
        assert_eq!(pairs(&lines), [("praise", "good, cheap; food")]);
        assert_eq!(pairs(&read_csv("f", "a,b; c\n", NONE).expect("a line")), [("a", "b; c")]);
        let lines = read_csv("f", "praise;\"good, cheap\"\nblame;dear\n", NONE).expect("lines");
        assert_eq!(pairs(&lines), [("praise", "good, cheap"), ("blame", "dear")]);
    }

    #[test]
    fn numbers_of_columns_that_have_names() {
        let told = Wanted { label: Some("1"), text: Some("3") };
        let lines = read_csv("f", "label,id,text\na,1,hello\n", told).expect("a line");
        assert_eq!(pairs(&lines), [("a", "hello")]);
    }

    #[test]
    fn label_and_text_are_two_columns() {
        let told = Wanted { label: Some("kind"), text: None };
        let error = read_tsv("f", "review\tkind\nx\ty\n", told).expect_err("the text is column 2");
        assert!(format!("{error:?}").contains("--text"), "{error:?}");
    }

    #[test]
    fn more_columns_than_names_are_refused() {
        let error = read_tsv("f", "label\ttext\nx\ty\nx\ty\tz\n", NONE).expect_err("a tab too much");
        assert!(format!("{error:?}").contains("f:3: 3 columns"), "{error:?}");
    }

    #[test]
    fn quoted_lines_count() {
        let error = read_csv("f", "a,\"x\ny\"\nb\n", NONE).expect_err("a line without a comma");
        assert!(format!("{error:?}").contains("f:3"), "{error:?}");
    }

    #[test]
    fn a_comma_without_quotes_is_refused() {
        for (text, line) in [
            ("label,text\nx,Where, when, how\ny,stay\n", 2),
            ("x,Where, when\ny,stay\n", 1),
            ("y,stay\nx,Where, when\n", 2),
        ] {
            let error = read_csv("f", text, NONE).expect_err(text);
            assert!(format!("{error:?}").contains(&format!("f:{line}")), "{error:?}");
        }
        // Columns that were asked for may stand among others.
        let wanted = Wanted { label: Some("1"), text: Some("2") };
        assert_eq!(pairs(&read_csv("f", "x,stay,7\n", wanted).expect("a line")), [("x", "stay")]);
    }

    #[test]
    fn a_line_without_a_label_is_refused() {
        for text in ["a\tx\nno tab\n", "a\tx\n\ttext\n", "a\tx\n  \ttext\n"] {
            let error = read_tsv("f", text, NONE).expect_err(text);
            assert!(format!("{error:?}").contains("f:2"), "{error:?}");
        }
        assert!(read_tsv("f", "a\tx\n", Wanted { label: Some("kind"), text: None }).is_err());
    }
}
