//! The arguments of `plot`.

use super::DataOptions;
use super::values::threads;
use clap::{Args, Subcommand};
use std::num::NonZero;
use std::path::PathBuf;

/// Draws pictures.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A picture is SVG or PNG, as the name of its file ends. PNG has Latin, Greek and Cyrillic letters.

Examples:
  nanoembed plot map vectors.txt --words good,bad,soup,bread -o map.svg
  nanoembed plot map model.nemb vectors.txt --groups words.tsv -o map.png
  nanoembed train train.tsv --hold-out 0.1 --json -o model.nemb > training.jsonl
  nanoembed plot training training.jsonl -o training.svg
  nanoembed plot confusion model.nemb test.tsv -o confusion.svg
  nanoembed plot bytes model.nemb -o bytes.svg")]
pub(crate) enum Plot {
    /// A map of the rows of words, in the plane in which they differ most
    Map(Map),
    /// Loss and accuracy of trainings, epoch by epoch
    Training(Training),
    /// How often each class was taken for each other
    Confusion(Confusion),
    /// The bytes of a model, layer by layer
    Bytes(Bytes),
}

/// A map of the rows of words.
#[derive(Args, Debug)]
#[command(after_help = "\
Each FILE has a map of its own, beside the others: vectors of words in any format, or a model, where a text's row is \
the mean of the rows of its ids. A text with spaces that the vectors do not have is the mean of its words. The axes \
are the first two principal components. Up to a hundred words, about, find room for their labels.

A line of --groups is `word<TAB>group` or `word<TAB>group<TAB>group`. The first group gives the colour, the second \
the shape. A first line whose word is `word` names them. Below each map, and on standard output, stands the purity of \
neighbours: of the K rows that are nearest to a word's by cosine, among the words of the map, the part that is of the \
word's group; and what it would be by chance.

Examples:
  nanoembed plot map vectors.txt --words good,bad,soup,bread -o map.svg
  nanoembed plot map model.nemb vectors.txt --groups words.tsv --titles 'by labels,by words beside' -o map.png")]
pub(crate) struct Map {
    /// Vectors of words, or models
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Where the picture is written to: .svg or .png
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The words [default: all of --groups]
    #[arg(long, value_name = "WORDS", value_delimiter = ',', required_unless_present_any = ["words_file", "groups"])]
    pub(crate) words: Vec<String>,
    /// A file of words, or texts, one a line
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    pub(crate) words_file: Option<PathBuf>,
    /// A file that tells the groups of words
    #[arg(long, value_name = "FILE")]
    pub(crate) groups: Option<PathBuf>,
    /// The nearest rows that purity counts, at most all others
    #[arg(long, value_name = "K", default_value = "5")]
    pub(crate) neighbours: NonZero<usize>,
    /// A title for each map [default: the names of the files]
    #[arg(long, value_name = "TITLES", value_delimiter = ',')]
    pub(crate) titles: Vec<String>,
}

/// Loss and accuracy of trainings.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  nanoembed train train.tsv --hold-out 0.1 --json -o model.nemb > training.jsonl
  nanoembed plot training training.jsonl -o training.svg")]
pub(crate) struct Training {
    /// What `train --json` printed; of several trainings all curves are drawn; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Where the picture is written to: .svg or .png
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// How often each class was taken for each other.
#[derive(Args, Debug)]
#[command(after_help = "\
A line is a class, and a column what its texts were taken for. The darker a cell, the more of the line it has: blue \
where the answer was right, orange where it was wrong.

Example:
  nanoembed plot confusion model.nemb test.tsv -o confusion.svg")]
pub(crate) struct Confusion {
    /// The model
    pub(crate) model: PathBuf,
    /// Labelled texts, each of one label; `-` for standard input
    pub(crate) data: PathBuf,
    /// Where the picture is written to: .svg or .png
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) data_options: DataOptions,
    /// Threads [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZero<usize>>,
}

/// The bytes of a model.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  nanoembed plot bytes model.nemb -o bytes.svg")]
pub(crate) struct Bytes {
    /// The model
    pub(crate) model: PathBuf,
    /// Where the picture is written to: .svg or .png
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
