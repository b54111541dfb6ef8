//! `analogy`: what is to C as B is to A.

use super::print;
use crate::arguments::Analogies;
use crate::data::Source;
use crate::failure::Failure;
use crate::words::{WordVectors, cure_of_case, small};
use nanoembed::similarity::{Analogy, Neighbour, Search};
use serde_json::{Value, json};
use std::path::Path;

pub(crate) fn run(arguments: &Analogies) -> Result<(), Failure> {
    let sections = arguments.test.as_deref().map(|path| sections(path, arguments.lowercase)).transpose()?;
    let vectors = arguments.vectors.read()?;
    let norms = vectors.inverse_norms()?;
    let how = if arguments.multiply { Analogy::Multiply } else { Analogy::Add };
    let search = Search::cosine(vectors.table()?, &norms).map_err(|error| vectors.fails(error))?;
    let asked = Asked { vectors: &vectors, search, how };
    match sections {
        Some(sections) => test(arguments, &asked, &sections),
        None => answer(arguments, &asked),
    }
}

/// Vectors that questions are put to.
struct Asked<'a> {
    vectors: &'a WordVectors,
    search: Search<'a>,
    how: Analogy,
}

impl Asked<'_> {
    /// The words x for which a is to b as c is to x, the best first.
    fn nearest<'f>(&self, words: [&str; 3], found: &'f mut [Neighbour]) -> Result<&'f [Neighbour], Failure> {
        let vector = |word: &str| self.vectors.vector(word).ok_or_else(|| self.vectors.unknown(word));
        let [a, b, c] = [vector(words[0])?, vector(words[1])?, vector(words[2])?];
        let own: Vec<usize> = words.into_iter().filter_map(|word| self.vectors.place(word)).collect();
        let nearest = self.search.without(&own).analogy([&a, &b, &c], self.how, found);
        nearest.map_err(|error| self.vectors.fails(error))
    }
}

/// One question, and its answers.
fn answer(arguments: &Analogies, asked: &Asked<'_>) -> Result<(), Failure> {
    let words: Vec<String> = arguments.words.iter().map(|word| small(word, arguments.lowercase)).collect();
    let [a, b, c] = words.as_slice() else {
        return Err(Failure::usage("give A, B and C, or a file of questions by --test"));
    };
    let mut found = vec![Neighbour::default(); arguments.top.into()];
    let nearest = asked.nearest([a, b, c], &mut found)?;
    let answers = asked.vectors.named(nearest);
    if arguments.json {
        let answers: Vec<Value> =
            answers.map(|(word, score)| json!({"word": word, "score": score})).collect();
        return print(&format!("{}\n", json!({"a": a, "b": b, "c": c, "answers": answers})));
    }
    let mut out = String::new();
    for (word, score) in answers {
        out.push_str(&format!("{word}\t{score:.4}\n"));
    }
    print(&out)
}

/// Questions under one name.
struct Section {
    name: String,
    questions: Vec<[String; 4]>,
}

/// How many questions of a section are known, and how many are answered right.
#[derive(Clone, Copy, Default)]
struct Tally {
    right: usize,
    known: usize,
    unknown: usize,
}

impl Tally {
    fn accuracy(self) -> f64 {
        self.right as f64 / self.known.max(1) as f64
    }
}

/// The questions of a file: four words a line, and sections under lines `: name`.
fn sections(path: &Path, lowercase: bool) -> Result<Vec<Section>, Failure> {
    let source = Source::from(path);
    let text = source.read()?;
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(name) = line.strip_prefix(':') {
            sections.push(Section { name: name.trim().to_owned(), questions: Vec::new() });
            continue;
        }
        let words: Vec<String> = line.split_whitespace().map(|word| small(word, lowercase)).collect();
        if words.is_empty() {
            continue;
        }
        let count = words.len();
        let question = words.try_into().map_err(|_| {
            let message =
                format!("{count} words, not four: write A B C and the answer, or `: name` of a section");
            Failure::line(source.name(), number, None, message)
        })?;
        if sections.is_empty() {
            sections.push(Section { name: "(no section)".to_owned(), questions: Vec::new() });
        }
        if let Some(section) = sections.last_mut() {
            section.questions.push(question);
        }
    }
    if sections.iter().all(|section| section.questions.is_empty()) {
        return Err(Failure::data(source.name(), "no question: write four words a line"));
    }
    Ok(sections)
}

fn test(arguments: &Analogies, asked: &Asked<'_>, sections: &[Section]) -> Result<(), Failure> {
    let (mut all, mut tallies, mut found) = (Tally::default(), Vec::new(), [Neighbour::default()]);
    for section in sections {
        let mut tally = Tally::default();
        for [a, b, c, answer] in &section.questions {
            let places = [a, b, c, answer].map(|word| asked.vectors.place(word));
            let [Some(_), Some(_), Some(_), Some(right)] = places else {
                tally.unknown += 1;
                continue;
            };
            let best = asked.nearest([a, b, c], &mut found)?.first();
            tally.known += 1;
            tally.right += usize::from(best.is_some_and(|best| best.row == right));
        }
        tallies.push(tally);
        all.right += tally.right;
        all.known += tally.known;
        all.unknown += tally.unknown;
    }
    if all.known == 0 {
        let cure = cure_of_case(arguments.lowercase);
        return Err(asked.vectors.fails(format!("it has the four words of no question{cure}")));
    }
    let named = || sections.iter().zip(&tallies).map(|(section, tally)| (section.name.as_str(), *tally));
    if arguments.json {
        let value = |tally: Tally| {
            json!({"accuracy": (tally.known > 0).then(|| tally.accuracy()), "right": tally.right,
                "questions": tally.known, "unknown": tally.unknown})
        };
        let list: Vec<Value> = named()
            .map(|(name, tally)| {
                let mut value = value(tally);
                value["section"] = name.into();
                value
            })
            .collect();
        let mut report = value(all);
        report["sections"] = list.into();
        return print(&format!("{report}\n"));
    }
    let width = named().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut out = format!("{:width$}  accuracy   right  questions  unknown\n", "");
    for (name, tally) in named().chain([("all", all)]) {
        let accuracy = if tally.known == 0 { "-".to_owned() } else { format!("{:.4}", tally.accuracy()) };
        let Tally { right, known, unknown } = tally;
        out.push_str(&format!("{name:width$}  {accuracy:>8}  {right:6}  {known:9}  {unknown:7}\n"));
    }
    print(&out)
}
