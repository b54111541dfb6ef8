//! The arguments of `word2vec`.

use super::values::{characters, extent, rate, rows, share, threads, times};
use clap::{Args, ValueEnum};
use nanoembed::models::skip_gram;
use std::num::NonZero;
use std::path::PathBuf;

/// What is learnt from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// Skip-gram: each word of a window tells the word in its middle
    SkipGram,
    /// Skip-gram in which eight pairs share their negatives: quicker
    Shared,
    /// The mean of a window tells the word in its middle; on one thread
    Cbow,
}

impl From<Method> for skip_gram::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::SkipGram => Self::SkipGram,
            Method::Shared => Self::SharedNegatives,
            Method::Cbow => Self::ContinuousBag,
        }
    }
}

/// Learns a vector for each word of a text, by which words stand beside each other.
#[derive(Args, Debug)]
#[command(after_help = "\
A line of the corpus is a sentence, and words have spaces between them: lower the case and take off marks before.
The vectors are the same for any number of threads. Ctrl-C ends the training early, and writes what was learnt.

Examples:
  nanoembed word2vec corpus.txt -o vectors.txt
  nanoembed word2vec corpus.txt --method shared --dim 300 --epochs 3 -o vectors.vec
  nanoembed word2vec corpus.txt --characters 3-6 --also new_words.txt -o vectors.vec")]
pub(crate) struct Word2Vec {
    /// The corpus, a sentence a line; `-` for standard input
    pub(crate) corpus: PathBuf,
    /// Where the vectors are written to: word2vec's text if the name ends with .txt or .vec, its binary file for .bin;
    /// or .npy, .npz, .safetensors, .nemb, as `convert` writes them
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// What is learnt from what
    #[arg(long, value_name = "METHOD", default_value = "skip-gram")]
    pub(crate) method: Method,
    /// Numbers of a vector
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = extent)]
    pub(crate) dim: u32,
    /// The most words to either side that a word is paired with
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = times)]
    pub(crate) window: u32,
    /// Negatives of a pair
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = times)]
    pub(crate) negatives: u32,
    /// Words that occur less often are left out
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = times)]
    pub(crate) min_count: u32,
    /// The share of all words above which a word is often left out; 0 keeps all
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4, value_parser = share)]
    pub(crate) sample: f32,
    /// The first learning rate, which falls to nearly 0 [default: 0.025; cbow 0.05]
    #[arg(long, value_name = "RATE", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f32>,
    /// How often the corpus is read
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = times)]
    pub(crate) epochs: u32,
    /// What all draws depend on
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Characters of n-grams, such as 3-6: words that share n-grams share their rows, as in fastText; on one thread
    #[arg(long, value_name = "N-M", value_parser = characters)]
    pub(crate) characters: Option<(u16, u16)>,
    /// Rows of n-grams
    #[arg(long, value_name = "N", value_parser = rows, default_value_t = 200_000, requires = "characters")]
    pub(crate) buckets: u32,
    /// A file of words with white space between: those that the corpus lacks are written, too, by their n-grams
    #[arg(long, value_name = "FILE", requires = "characters")]
    pub(crate) also: Option<PathBuf>,
    /// Threads, of which at most 16 work [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZero<usize>>,
    /// No progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
