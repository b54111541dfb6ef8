//! Files of labelled texts.
//!
//! | format | a line |
//! |---|---|
//! | TSV | `label<TAB>text`, or columns that a first line names |
//! | CSV | `label,text`, quoted where needed, or columns that a first line names |
//! | JSONL | `{"label": "..", "text": ".."}`; the label may be a list of several |
//! | fastText | `__label__a __label__b text` |

mod columns;
mod fasttext;
mod fields;
mod format;
mod jsonl;
mod source;

pub(crate) use columns::of_lines as columns_of_lines;
pub(crate) use fields::{Field, Place, Rows};
pub(crate) use format::Format;
pub(crate) use source::{Source, check_text};

use crate::failure::Failure;
use columns::Wanted;

/// Classes that a model tells apart, at most.
const MOST_CLASSES: usize = 65_535;

/// Texts, each with the numbers of its labels.
#[derive(Debug, Default)]
pub(crate) struct Labelled {
    pub(crate) texts: Vec<String>,
    /// Of each text the numbers of its labels, ascending, none twice; those of names that are not wanted are left out.
    pub(crate) labels: Vec<Vec<u16>>,
    /// The names of the labels.
    pub(crate) names: Vec<String>,
    /// How many texts have a label that is not among the names.
    pub(crate) strangers: usize,
    /// One of the labels that are not among the names.
    pub(crate) stranger: Option<String>,
}

/// One text and its labels, as a file has them.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    labels: Vec<String>,
    text: String,
}

/// How a file is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// As it looks, if not told.
    pub(crate) format: Option<Format>,
    /// The name or the number of the column or field of the label.
    pub(crate) label: Option<String>,
    /// The same of the text.
    pub(crate) text: Option<String>,
    /// The columns that are learnt from, if it is not a text.
    pub(crate) fields: Vec<Field>,
}

impl Labelled {
    /// Reads a file to learn from: its labels are the classes, in the order of the alphabet.
    pub(crate) fn read(source: &Source, reading: &Reading) -> Result<Self, Failure> {
        Ok(Self::read_fields(source, reading)?.0)
    }

    /// The same, and the columns that are learnt from, under the names that the file has for them.
    pub(crate) fn read_fields(source: &Source, reading: &Reading) -> Result<(Self, Vec<Field>), Failure> {
        let (lines, fields) = lines(source, reading)?;
        if lines.iter().all(|line| line.text.trim().is_empty()) {
            let message = if fields.is_empty() {
                "every text is empty: is it another column? See --text"
            } else {
                "every field is empty: are they other columns? See --categorical and --numeric"
            };
            return Err(Failure::data(source.name(), message));
        }
        let mut names: Vec<String> = lines.iter().flat_map(|line| line.labels.iter().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        match names.as_slice() {
            [one] => {
                let message = format!("every line has the label {one:?}: a classifier needs two or more");
                return Err(Failure::data(source.name(), message));
            }
            many if many.len() > MOST_CLASSES => {
                let message =
                    format!("{} different labels: at most {MOST_CLASSES} can be told apart", many.len());
                return Err(Failure::data(source.name(), message));
            }
            _ => {}
        }
        Ok((Self::of(lines, names), fields))
    }

    /// Reads a file for a model that has classes of these names.
    pub(crate) fn read_as(source: &Source, reading: &Reading, names: Vec<String>) -> Result<Self, Failure> {
        Ok(Self::of(lines(source, reading)?.0, names))
    }

    fn of(lines: Vec<Line>, names: Vec<String>) -> Self {
        let numbers: std::collections::HashMap<&str, u16> =
            names.iter().zip(0..).map(|(name, number)| (name.as_str(), number)).collect();
        let (mut texts, mut labels, mut strangers, mut stranger) = (Vec::new(), Vec::new(), 0, None);
        for line in lines {
            let is_strange = |label: &&String| !numbers.contains_key(label.as_str());
            stranger = stranger.or_else(|| line.labels.iter().find(is_strange).cloned());
            let mut of_line: Vec<u16> =
                line.labels.iter().filter_map(|label| numbers.get(label.as_str()).copied()).collect();
            strangers += usize::from(of_line.len() < line.labels.len());
            of_line.sort_unstable();
            of_line.dedup();
            texts.push(line.text);
            labels.push(of_line);
        }
        drop(numbers);
        Self { texts, labels, names, strangers, stranger }
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Some of the texts.
    pub(crate) fn only(&self, numbers: &[usize]) -> Self {
        let texts = numbers.iter().filter_map(|number| self.texts.get(*number).cloned()).collect();
        let labels = numbers.iter().filter_map(|number| self.labels.get(*number).cloned()).collect();
        Self { texts, labels, names: self.names.clone(), ..Self::default() }
    }

    /// Whether some text has several labels: then each class is a question of its own.
    pub(crate) fn has_several(&self) -> bool {
        self.labels.iter().any(|labels| labels.len() > 1)
    }

    /// The label and the text of the first line, if that label occurs nowhere else and each other one does: the line may
    /// name the columns.
    pub(crate) fn names_in_first_line(&self) -> Option<(&str, &str)> {
        let mut counts = vec![0_usize; self.names.len()];
        for label in self.labels.iter().flatten() {
            if let Some(count) = counts.get_mut(usize::from(*label)) {
                *count += 1;
            }
        }
        let [first] = self.labels.first()?.as_slice() else { return None };
        let first = usize::from(*first);
        let is_alone = counts.iter().enumerate().all(|(label, count)| (*count == 1) == (label == first));
        is_alone.then_some((self.names.get(first)?, self.texts.first()?))
    }

    /// The numbers of the texts that are learnt from and of those that are held out: of each class, or each set of
    /// classes, the same part, spread over the file. Turns 0, 1 and 2 hold out other texts, as far as there are
    /// others.
    pub(crate) fn split(&self, held_out: f64, turn: u8) -> (Vec<usize>, Vec<usize>) {
        let mut seen: std::collections::HashMap<&[u16], f64> = std::collections::HashMap::new();
        let (mut learnt, mut held) = (Vec::new(), Vec::new());
        for (number, labels) in self.labels.iter().enumerate() {
            // A class of one or two texts is learnt: half of the part comes before the first that is held out.
            let due = seen.entry(labels.as_slice()).or_insert(0.5 - 0.3 * f64::from(turn));
            *due += held_out;
            if *due >= 1.0 {
                *due -= 1.0;
                held.push(number);
            } else {
                learnt.push(number);
            }
        }
        (learnt, held)
    }
}

/// The lines of a file, and the columns that are learnt from.
fn lines(source: &Source, reading: &Reading) -> Result<(Vec<Line>, Vec<Field>), Failure> {
    let text = source.read()?;
    let name = source.name();
    let format = match reading.format {
        Some(format) => format,
        None => Format::recognise(name, &text)?,
    };
    let wanted = Wanted { label: reading.label.as_deref(), text: reading.text.as_deref() };
    if format == Format::FastText && (wanted.label.is_some() || wanted.text.is_some()) {
        return Err(Failure::usage("a fastText file has no columns: leave --label and --text out"));
    }
    let lines = match format {
        _ if !reading.fields.is_empty() => {
            let (lines, fields) = fields::read(name, &text, format, reading)?;
            return check_some(name, lines).map(|lines| (lines, fields));
        }
        Format::Tsv => columns::read_tsv(name, &text, wanted)?,
        Format::Csv => columns::read_csv(name, &text, wanted)?,
        Format::Jsonl => jsonl::read(name, &text, wanted)?,
        Format::FastText => fasttext::read(name, &text)?,
    };
    Ok((check_some(name, lines)?, Vec::new()))
}

/// An error if there is no line.
fn check_some(name: &str, lines: Vec<Line>) -> Result<Vec<Line>, Failure> {
    if lines.is_empty() {
        let message = "no labelled text: the file has no line, or only the names of columns";
        return Err(Failure::data(name, message));
    }
    Ok(lines)
}

/// The lines of a text with their numbers, without those that are blank. A line may end in CRLF.
fn numbered(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
}

/// A label without the space around it.
fn label(file: &str, line: u64, label: &str) -> Result<String, Failure> {
    match label.trim() {
        "" => Err(Failure::line(
            file,
            line,
            Some(1),
            "no label: write one before the text, or take the line out",
        )),
        label if label.contains(char::is_control) => {
            let message = format!("the label {label:?} has a control character, such as a tab: take it out");
            Err(Failure::line(file, line, Some(1), message))
        }
        label => Ok(label.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(labels: &[&[u16]]) -> Labelled {
        Labelled { labels: labels.iter().map(|of| of.to_vec()).collect(), ..Labelled::default() }
    }

    #[test]
    fn a_first_line_of_names() {
        let named = |labels: &[u16]| {
            let labels: Vec<Vec<u16>> = labels.iter().map(|label| vec![*label]).collect();
            let texts = (0..labels.len()).map(|i| format!("text {i}")).collect();
            let names = ["Class", "a", "b"].map(str::to_owned).to_vec();
            Labelled { texts, labels, names, ..Labelled::default() }
        };
        assert_eq!(named(&[0, 1, 2, 1, 2]).names_in_first_line(), Some(("Class", "text 0")));
        for others in [&[1, 0, 2, 1, 2][..], &[0, 1, 2, 2], &[0, 1, 2, 0, 1, 2], &[]] {
            assert_eq!(named(others).names_in_first_line(), None);
        }
    }

    #[test]
    fn each_class_is_held_out_in_the_same_part() {
        let labels: Vec<&[u16]> =
            (0..100).map(|i| if i % 5 == 0 { &[1_u16][..] } else { &[0][..] }).collect();
        let all = labelled(&labels);
        let (learnt, held) = all.split(0.1, 0);
        assert_eq!(learnt.len() + held.len(), 100);
        assert_eq!(held.iter().filter(|i| **i % 5 == 0).count(), 2);
        assert_eq!(held.len(), 10);
        assert!(learnt.iter().all(|i| !held.contains(i)));
    }

    #[test]
    fn a_rare_class_is_learnt() {
        let (learnt, held) = labelled(&[&[0], &[1], &[0, 1], &[2]]).split(0.1, 0);
        assert_eq!((learnt.len(), held.len()), (4, 0));
        assert_eq!(labelled(&[&[0], &[1]]).split(0.0, 0).1, [0; 0]);
    }
}
