//! `word2vec`: a vector for each word of a text.

use crate::arguments::Word2Vec;
use crate::failure::{Failure, Kind};
use crate::image_file::{check_apart, check_writable};
use crate::progress::{end_at_interrupt, was_ended};
use crate::vector_file::VectorFormat;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nanoembed::models::skip_gram::{Corpus, Memory, Method, Settings, SkipGram, Task, Tasks};
use nanoembed::table::{Aligned, RowFormat, Table, TableMut};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

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
    let (corpus, output) = (arguments.corpus.as_path(), arguments.output.as_path());
    let form = VectorFormat::of(output)?;
    check_apart(output, [corpus])?;
    check_writable(output)?;
    let text = std::fs::read_to_string(corpus).map_err(|error| Failure::file(corpus, &error))?;
    let words = Words::new(&text, arguments.min_count);
    if words.kinds.is_empty() {
        let message = format!("no word occurs {} times: lower --min-count", arguments.min_count);
        return Err(Failure::data(&corpus.display().to_string(), message));
    }
    let method = Method::from(arguments.method);
    let usual = if method == Method::ContinuousBag { 0.05 } else { 0.025 };
    let settings = Settings {
        dim: arguments.dim,
        window: arguments.window,
        negatives: arguments.negatives,
        sample: arguments.sample,
        learning_rate: arguments.learning_rate.unwrap_or(usual),
        epochs: arguments.epochs,
        method,
        seed: arguments.seed,
        ..Settings::default()
    };
    let vectors = learn(arguments, settings, &words)?;
    let table = Table::new(&vectors, words.kinds.len(), settings.dim)
        .map_err(|error| Failure::new(Kind::Training, error))?;
    form.write(output, &words.kinds, table, RowFormat::F32)
}

/// Trains, and gives the vectors one after the other.
fn learn(arguments: &Word2Vec, settings: Settings, words: &Words<'_>) -> Result<Vec<f32>, Failure> {
    let corpus = Corpus::new(&words.ids, &words.offsets, &words.counts).map_err(Failure::usage)?;
    let lengths = settings.lengths(words.kinds.len()).map_err(Failure::usage)?;
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
        eprintln!("{kinds} words, {} in the corpus, {epochs} epochs, {speed:.0} words/s", words.ids.len());
    }
    let (rows, dim) = (words.kinds.len(), settings.dim);
    let mut vectors = vec![0.0; rows * dim];
    TableMut::new(&mut vectors, rows, dim)
        .and_then(|mut table| training.vectors(&mut table))
        .map_err(|error| Failure::new(Kind::Training, error))?;
    Ok(vectors)
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
