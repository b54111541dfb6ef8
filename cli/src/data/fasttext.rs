//! Lines as fastText reads them: `__label__a __label__b text`.

use super::{Line, numbered};
use crate::failure::Failure;

/// What a label starts with.
pub(super) const PREFIX: &str = "__label__";

/// The lines of a text. Labels may stand anywhere in a line, as in fastText.
pub(super) fn read(name: &str, text: &str) -> Result<Vec<Line>, Failure> {
    let line = |(number, line): (u64, &str)| {
        let (mut labels, mut words) = (Vec::new(), Vec::new());
        for word in line.split_whitespace() {
            match word.strip_prefix(PREFIX) {
                Some("") => {
                    let column = line.find(word).map(|at| at as u64 + 1);
                    return Err(Failure::line(name, number, column, "`__label__` without a name"));
                }
                Some(label) => labels.push(label.to_owned()),
                None => words.push(word),
            }
        }
        if labels.is_empty() {
            return Err(Failure::line(
                name,
                number,
                Some(1),
                "no label: start the line with `__label__name`",
            ));
        }
        Ok(Line { labels, text: words.join(" ") })
    };
    numbered(text).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_anywhere() {
        let lines = read("f", "__label__a __label__b  one two\n\none __label__c\r\n").expect("lines");
        let expected = [(vec!["a", "b"], "one two"), (vec!["c"], "one")];
        let found: Vec<(Vec<&str>, &str)> = lines
            .iter()
            .map(|line| (line.labels.iter().map(String::as_str).collect(), line.text.as_str()))
            .collect();
        assert_eq!(found, expected);
        assert!(read("f", "__label__a x\nno label\n").is_err());
        assert!(read("f", "__label__ x\n").is_err());
    }
}
