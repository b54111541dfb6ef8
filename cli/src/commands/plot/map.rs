//! `plot map`: the rows of words in a plane, and the purity of their neighbours.

use crate::arguments::Map;
use crate::commands::print;
use crate::failure::Failure;
use crate::map::{Grouping, Projection, Purity, Rows, Words, purity};
use crate::plot::{self, Legend, MOST_LABELS, Panel, Point, Scatter};
use std::path::{Path, PathBuf};

/// Words that a message lists.
const LISTED: usize = 8;

/// The least words of a map.
const LEAST: usize = 3;

pub(super) fn run(arguments: &Map) -> Result<(), Failure> {
    let listed = [&arguments.words_file, &arguments.groups].into_iter().flatten();
    plot::check(&arguments.output, arguments.files.iter().chain(listed).map(PathBuf::as_path))?;
    let titles = titles(arguments)?;
    let mut words = words(arguments)?;
    let tables: Vec<Rows> =
        arguments.files.iter().map(|path| Rows::read(path, &words)).collect::<Result<_, _>>()?;
    for (path, table) in arguments.files.iter().zip(&tables) {
        warn_of_unknown(path, &words, table);
    }
    // A word is drawn in all maps or in none.
    let is_known =
        |place: usize| tables.iter().all(|table| table.rows.get(place).is_some_and(Option::is_some));
    let known: Vec<bool> = (0..words.words.len()).map(is_known).collect();
    words.keep(&known);
    if words.words.len() < LEAST {
        let message =
            format!("{} of the words have rows in all files: give {LEAST} or more", words.words.len());
        return Err(Failure::usage(message));
    }
    let drawn = words.words.len();
    let k = arguments.neighbours.get().min(drawn - 1);
    if drawn > MOST_LABELS {
        eprintln!(
            "warning: {drawn} words are drawn without labels: there is room for those of {MOST_LABELS}"
        );
    }
    let (mut panels, mut out) = (Vec::new(), format!("file\twords\tgroups\tpurity of {k}\tby chance\n"));
    for ((path, title), table) in arguments.files.iter().zip(titles).zip(tables) {
        let kept = table.rows.into_iter().zip(&known).filter(|(_, known)| **known);
        let rows: Vec<Vec<f32>> = kept.filter_map(|(row, _)| row).collect();
        let purities = purity(&rows, table.dim, k, &words.groupings)?;
        for (grouping, Purity { found, by_chance }) in words.groupings.iter().zip(&purities) {
            let (file, count) = (path.display(), rows.len());
            out.push_str(&format!("{file}\t{count}\t{}\t{found:.4}\t{by_chance:.4}\n", grouping.name));
        }
        panels.push(panel(title, &words, &Projection::of(&rows, table.dim), k, &purities));
    }
    let legend = |number: usize| {
        let Grouping { name, groups, .. } = words.groupings.get(number)?;
        Some(Legend { name: name.clone(), groups: groups.clone() })
    };
    plot::write(&arguments.output, &Scatter { panels, colours: legend(0), shapes: legend(1) })?;
    if words.groupings.is_empty() { Ok(()) } else { print(&out) }
}

/// A title for each file.
fn titles(arguments: &Map) -> Result<Vec<String>, Failure> {
    let (titles, files) = (&arguments.titles, &arguments.files);
    if titles.is_empty() {
        return Ok(files.iter().map(|path| path.display().to_string()).collect());
    }
    if titles.len() != files.len() {
        let message =
            format!("--titles has {} titles for {} files: give one for each", titles.len(), files.len());
        return Err(Failure::usage(message));
    }
    Ok(titles.clone())
}

/// The words of the map, with their groups.
fn words(arguments: &Map) -> Result<Words, Failure> {
    let chosen = match &arguments.words_file {
        Some(path) => Words::read(path)?,
        None => Words::new(arguments.words.iter().cloned()),
    };
    let Some(path) = &arguments.groups else { return Ok(chosen) };
    let mut words = Words::read_groups(path)?;
    if !chosen.words.is_empty() {
        words.only(&chosen, &path.display().to_string())?;
    }
    Ok(words)
}

/// Tells which words a file does not have.
fn warn_of_unknown(path: &Path, words: &Words, table: &Rows) {
    let unknown: Vec<&str> = words
        .words
        .iter()
        .zip(&table.rows)
        .filter(|(_, row)| row.is_none())
        .map(|(word, _)| word.as_str())
        .collect();
    if !unknown.is_empty() {
        let more = if unknown.len() > LISTED { ", .." } else { "" };
        let listed: Vec<&str> = unknown.iter().take(LISTED).copied().collect();
        let (file, count) = (path.display(), unknown.len());
        eprintln!("warning: {file}: {count} words have no row and are left out: {}{more}", listed.join(", "));
    }
}

fn panel(title: String, words: &Words, projection: &Projection, k: usize, purities: &[Purity]) -> Panel {
    let group = |number: usize, word: usize| {
        let grouping = words.groupings.get(number)?;
        grouping.of_word.get(word).copied()
    };
    let point = |(number, (label, at)): (usize, (&String, &[f64; 2]))| Point {
        label: label.clone(),
        at: *at,
        colour: group(0, number).unwrap_or(0),
        shape: group(1, number).unwrap_or(0),
    };
    let points = words.words.iter().zip(&projection.places).enumerate().map(point).collect();
    let [x, y] = projection.shares.map(|share| 100.0 * share);
    let note = |(grouping, purity): (&Grouping, &Purity)| {
        let (found, by_chance) = (100.0 * purity.found, 100.0 * purity.by_chance);
        format!("same {} among the {k} nearest: {found:.0} % (by chance {by_chance:.0} %)", grouping.name)
    };
    let axes = format!("two principal components: {x:.0} % and {y:.0} % of the variance");
    Panel { title, points, axes, notes: words.groupings.iter().zip(purities).map(note).collect() }
}
