//! The words of a map, and their groups.

use crate::data::Source;
use crate::failure::Failure;
use crate::words::read_words;
use std::collections::HashSet;
use std::path::Path;

/// The column of the words, in the first line of a file of groups.
const WORD: &str = "word";

/// A way to sort words: a name, the groups in the order in which they come, and that of each word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grouping {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) of_word: Vec<usize>,
}

/// Words, or texts, and up to two ways to sort them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) words: Vec<String>,
    pub(crate) groupings: Vec<Grouping>,
}

impl Words {
    /// Words without groups; of equal ones the first.
    pub(crate) fn new(words: impl IntoIterator<Item = String>) -> Self {
        let mut known = HashSet::new();
        let is_new = |word: &String| !word.trim().is_empty() && known.insert(word.clone());
        Self { words: words.into_iter().filter(is_new).collect(), groupings: Vec::new() }
    }

    /// The words of a file, a word a line.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Self::new(read_words(path)?))
    }

    /// The words of a file of lines `word<TAB>group` or `word<TAB>group<TAB>group`. A first line whose word is `word`
    /// names the ways to sort them.
    pub(crate) fn read_groups(path: &Path) -> Result<Self, Failure> {
        let source = Source::from(path);
        Self::of_lines(source.name(), &source.read()?)
    }

    fn of_lines(file: &str, text: &str) -> Result<Self, Failure> {
        let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()).peekable();
        let Some((first, number)) = lines.peek().copied() else {
            return Err(Failure::data(file, "empty: a line is word<TAB>group"));
        };
        let fields: Vec<&str> = first.split('\t').collect();
        if !(2..=3).contains(&fields.len()) {
            return Err(Failure::line(
                file,
                number,
                None,
                "a line is word<TAB>group, or has a second group behind",
            ));
        }
        let names: Vec<String> = if fields.first() == Some(&WORD) {
            lines.next();
            fields.iter().skip(1).map(|name| (*name).to_owned()).collect()
        } else {
            ["group", "second group"].iter().take(fields.len() - 1).map(|name| (*name).to_owned()).collect()
        };
        let grouping = |name| Grouping { name, groups: Vec::new(), of_word: Vec::new() };
        let mut read = Self { words: Vec::new(), groupings: names.into_iter().map(grouping).collect() };
        let mut known = HashSet::new();
        for (line, number) in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            let [word, groups @ ..] = fields.as_slice() else { continue };
            if groups.len() != read.groupings.len() || word.is_empty() || groups.contains(&"") {
                let message = format!(
                    "a word and {} of its groups, with tabs between them, as in the first line",
                    read.groupings.len()
                );
                return Err(Failure::line(file, number, None, message));
            }
            if !known.insert(*word) {
                return Err(Failure::line(
                    file,
                    number,
                    Some(1),
                    format!("{word:?} came before: give it one line"),
                ));
            }
            read.words.push((*word).to_owned());
            for (grouping, group) in read.groupings.iter_mut().zip(groups) {
                let place = grouping.groups.iter().position(|known| known == group).unwrap_or_else(|| {
                    grouping.groups.push((*group).to_owned());
                    grouping.groups.len() - 1
                });
                grouping.of_word.push(place);
            }
        }
        Ok(read)
    }

    /// Only the words that are wanted: a `true` for each.
    pub(crate) fn keep(&mut self, wanted: &[bool]) {
        let mut of_words = wanted.iter();
        self.words.retain(|_| of_words.next().is_some_and(|wanted| *wanted));
        for grouping in &mut self.groupings {
            let mut of_words = wanted.iter();
            grouping.of_word.retain(|_| of_words.next().is_some_and(|wanted| *wanted));
        }
    }

    /// Only these words; an error if one of them has no group here.
    pub(crate) fn only(&mut self, chosen: &Self, file: &str) -> Result<(), Failure> {
        if let Some(word) = chosen.words.iter().find(|word| !self.words.contains(word)) {
            return Err(Failure::data(file, format!("no group of {word:?}: add a line of it")));
        }
        let wanted: Vec<bool> = self.words.iter().map(|word| chosen.words.contains(word)).collect();
        self.keep(&wanted);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_numbered_as_they_come() {
        let words = Words::of_lines(
            "f",
            "word\tclass\tmeaning\nfine\tgood\troom\r\n\nbad\tbad\troom\nstale\tbad\tfood\n",
        );
        let words = words.expect("words");
        assert_eq!(words.words, ["fine", "bad", "stale"]);
        let [class, meaning] = words.groupings.as_slice() else { panic!("{words:?}") };
        assert_eq!((class.name.as_str(), &class.of_word), ("class", &vec![0, 1, 1]));
        assert_eq!((meaning.groups.join(" "), &meaning.of_word), ("room food".to_owned(), &vec![0, 0, 1]));

        let mut some = words.clone();
        some.only(&Words::new(["stale".to_owned(), "fine".to_owned()]), "f").expect("both are known");
        assert_eq!(
            (some.words.join(" "), &some.groupings[0].of_word),
            ("fine stale".to_owned(), &vec![0, 1])
        );
        assert!(some.only(&Words::new(["bad".to_owned()]), "f").is_err());
        let one = Words::of_lines("f", "a\tx\nb\ty\n").expect("words");
        assert_eq!((one.words.len(), one.groupings[0].name.as_str()), (2, "group"));
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        for (text, line) in [
            ("a\n", ":1:"),
            ("a\tx\nb\n", ":2:"),
            ("a\tx\nb\t\n", ":2:"),
            ("a\tx\n\nb\ty\na\tx\n", ":4:1:"),
            ("a\tb\tc\td", ":1:"),
        ] {
            let message = format!("{:?}", Words::of_lines("f", text).expect_err("an error"));
            assert!(message.contains(&format!("f{line}")), "{message}");
        }
        assert!(Words::of_lines("f", "\n").is_err());
    }

    #[test]
    fn a_word_is_there_once() {
        let words = Words::new(["b", "a", "", "b"].map(str::to_owned));
        assert_eq!(words.words, ["b", "a"]);
    }
}
