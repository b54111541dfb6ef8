//! `word2vec`: a vector for each word of a text.

use crate::arguments::Word2Vec;
use crate::data::Source;
use crate::failure::{Failure, Kind};
use crate::image_file::{check_apart, check_writable};
use crate::memory;
use crate::progress::{end_at_interrupt, was_ended};
use crate::vector_file::VectorFormat;
use crate::words::mean;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nanoembed::models::skip_gram::{Corpus, Memory, Method, Settings, SkipGram, Task, Tasks};
use nanoembed::table::{Aligned, RowFormat, Table, TableMut};
use nanoembed::text::Subwords;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// The n-grams of words.
struct Grams {
    subwords: Subwords,
    rows: Vec<u32>,
    /// Where those of each word start, and where the last ones end.
    offsets: Vec<usize>,
}

impl Grams {
    /// Those that the arguments ask for.
    fn of(arguments: &Word2Vec, words: &[&str]) -> Option<Self> {
        let (min, max) = arguments.characters.filter(|(_, max)| *max > 0)?;
        let subwords = Subwords::new(min.into(), max.into(), arguments.buckets);
        let (mut rows, mut offsets) = (Vec::new(), vec![0]);
        for word in words {
            rows.extend(subwords.buckets_of(*word).map(|bucket| bucket as u32));
            offsets.push(rows.len());
        }
        Some(Self { subwords, rows, offsets })
    }

    /// The vector of a word that the corpus lacks: the mean of the rows of its n-grams. `None` if it has none.
    fn vector(&self, word: &str, rows: Table<'_>) -> Option<Vec<f32>> {
        mean(rows.dim(), self.subwords.buckets_of(word).filter_map(|bucket| rows.row(bucket)))
    }
}

/// A text as ids of its words, the most frequent first.
struct Words<'a> {
    kinds: Vec<&'a str>,
    counts: Vec<u64>,
    ids: Vec<u32>,
    offsets: Vec<usize>,
}

impl<'a> Words<'a> {
    /// The words that occur at least `min_count` times; a line is a sentence.
    fn new(text: &'a str, min_count: u64) -> Self {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for word in text.split_whitespace() {
            *counts.entry(word).or_default() += 1;
        }
        let mut words: Vec<(&str, u64)> =
            counts.into_iter().filter(|(_, count)| *count >= min_count).collect();
        words.sort_unstable_by(|(a, count_a), (b, count_b)| count_b.cmp(count_a).then(a.cmp(b)));
        let numbers: HashMap<&str, u32> = words.iter().zip(0..).map(|((word, _), id)| (*word, id)).collect();
        let (mut ids, mut offsets) = (Vec::new(), vec![0]);
        for line in text.lines() {
            ids.extend(line.split_whitespace().filter_map(|word| numbers.get(word)));
            offsets.push(ids.len());
        }
        let (kinds, counts) = words.into_iter().unzip();
        Self { kinds, counts, ids, offsets }
    }
}

pub(crate) fn run(arguments: &Word2Vec) -> Result<(), Failure> {
    let (corpus, output) = (Source::from(arguments.corpus.as_path()), arguments.output.as_path());
    let form = VectorFormat::of(output)?;
    check_apart(output, [Some(arguments.corpus.as_path()), arguments.also.as_deref()].into_iter().flatten())?;
    check_writable(output)?;
    let text = corpus.read()?;
    let words = Words::new(&text, arguments.min_count.into());
    if words.kinds.is_empty() {
        let message = match text.trim() {
            "" => "all lines are blank".to_owned(),
            _ => format!("no word occurs {} times: lower --min-count", arguments.min_count),
        };
        return Err(Failure::data(corpus.name(), message));
    }
    let method = Method::from(arguments.method);
    if method == Method::SharedNegatives && arguments.characters.is_some_and(|(_, max)| max > 0) {
        let message = "--characters: n-grams are learnt by --method skip-gram or cbow, not by shared";
        return Err(Failure::usage(message));
    }
    let usual = if method == Method::ContinuousBag { 0.05 } else { 0.025 };
    let grams = Grams::of(arguments, &words.kinds);
    let settings = Settings {
        dim: arguments.dim as usize,
        window: arguments.window as usize,
        negatives: arguments.negatives as usize,
        sample: arguments.sample,
        learning_rate: arguments.learning_rate.unwrap_or(usual),
        epochs: arguments.epochs,
        method,
        subword_rows: grams.as_ref().map_or(0, |_| arguments.buckets as usize),
        seed: arguments.seed,
        ..Settings::default()
    };
    let also =
        arguments.also.as_deref().map(|file| Source::from(file).read()).transpose()?.unwrap_or_default();
    let (mut vectors, rows) = learn(arguments, settings, &words, grams.as_ref())?;

    let mut kinds = words.kinds;
    if let Some(grams) = &grams {
        let rows = Table::new(&rows, settings.subword_rows, settings.dim)
            .map_err(|error| Failure::new(Kind::Training, error))?;
        let mut known: HashSet<&str> = kinds.iter().copied().collect();
        for word in also.split_whitespace().filter(|word| known.insert(word)) {
            if let Some(vector) = grams.vector(word, rows) {
                kinds.push(word);
                vectors.extend(vector);
            }
        }
    }
    let table = Table::new(&vectors, kinds.len(), settings.dim)
        .map_err(|error| Failure::new(Kind::Training, error))?;
    form.write(output, &kinds, table, RowFormat::F32)
}

/// Trains, and gives the vectors one after the other; then the rows of n-grams.
fn learn(
    arguments: &Word2Vec,
    settings: Settings,
    words: &Words<'_>,
    grams: Option<&Grams>,
) -> Result<(Vec<f32>, Vec<f32>), Failure> {
    let mut corpus = Corpus::new(&words.ids, &words.offsets, &words.counts).map_err(Failure::usage)?;
    if let Some(Grams { rows, offsets, .. }) = grams {
        corpus = corpus.with_subwords(rows, offsets).map_err(Failure::usage)?;
    }
    let lengths = settings.lengths(words.kinds.len()).map_err(Failure::usage)?;
    let sizes = [(lengths.lines, 64), (lengths.words, 4), (lengths.pairs, 8)];
    let bytes =
        sizes.into_iter().map(|(count, size)| count.saturating_mul(size)).fold(0, usize::saturating_add);
    memory::check(bytes, "--dim or --buckets")?;
    let mut lines = vec![Aligned([0.0; 16]); lengths.lines];
    let (mut numbers, mut pairs) = (vec![0; lengths.words], vec![0; lengths.pairs]);
    let memory = Memory { lines: &mut lines, words: &mut numbers, pairs: &mut pairs };
    let mut training = SkipGram::new(settings, corpus, memory).map_err(Failure::usage)?;

    let threads =
        arguments.threads.map_or_else(|| thread::available_parallelism().map_or(1, Into::into), Into::into);
    end_at_interrupt()?;
    let (bar, start) = (bar(&training, arguments.quiet)?, Instant::now());
    while let Some(tasks) = training.next_round() {
        run_tasks(tasks, threads);
        bar.set_position(training.words());
        if was_ended() {
            break;
        }
    }
    let speed = training.words() as f64 / start.elapsed().as_secs_f64().max(1e-9);
    bar.finish_and_clear();
    if !arguments.quiet {
        let (kinds, epochs) = (words.kinds.len(), settings.epochs);
        let of_epoch = (words.ids.len() as u64).max(1);
        let epoch = (training.words() / of_epoch + 1).min(epochs.into());
        let ended = if was_ended() { format!("ended in epoch {epoch} of ") } else { String::new() };
        let epochs = format!("{ended}{epochs} epochs");
        eprintln!("{kinds} words, {} in the corpus, {epochs}, {speed:.0} words/s", words.ids.len());
    }
    let (kinds, subword_rows, dim) = (words.kinds.len(), settings.subword_rows, settings.dim);
    let (mut vectors, mut rows) = (vec![0.0; kinds * dim], vec![0.0; subword_rows * dim]);
    TableMut::new(&mut vectors, kinds, dim)
        .and_then(|mut table| training.vectors(&mut table))
        .and_then(|()| TableMut::new(&mut rows, subword_rows, dim))
        .and_then(|mut table| training.subword_vectors(&mut table))
        .map_err(|error| Failure::new(Kind::Training, error))?;
    if !vectors.iter().chain(&rows).all(|x| x.is_finite()) {
        let message = "the numbers grew beyond all bounds: try a lower --learning-rate";
        return Err(Failure::new(Kind::Training, message));
    }
    Ok((vectors, rows))
}

/// Does all tasks, each on the thread that is free.
fn run_tasks(tasks: Tasks<'_>, threads: usize) {
    if threads == 1 {
        return tasks.for_each(Task::run);
    }
    let tasks = Mutex::new(tasks);
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some(task) = next() {
            task.run();
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

fn bar(training: &SkipGram<'_, '_>, quiet: bool) -> Result<ProgressBar, Failure> {
    let bar = ProgressBar::new(training.total_words());
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:30} {eta} left  {per_sec:0} words");
    bar.set_style(style.map_err(|error| Failure::new(Kind::Training, error))?);
    Ok(bar)
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn frequent_words_come_first_and_rare_ones_are_left_out() {
        let words = Words::new("b a b\n\nc  b a\r\nd", 2);
        assert_eq!((words.kinds, words.counts), (vec!["b", "a"], vec![3, 2]));
        assert_eq!((words.ids, words.offsets), (vec![0, 1, 0, 0, 1], vec![0, 3, 3, 5, 5]));
    }
}
