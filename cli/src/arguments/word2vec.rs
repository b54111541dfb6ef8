//! The arguments of `word2vec`.

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
  nanoembed word2vec corpus.txt --method shared --dim 300 --epochs 3 -o vectors.vec")]
pub(crate) struct Word2Vec {
    /// The corpus, a sentence a line
    pub(crate) corpus: PathBuf,
    /// Where the vectors are written to: word2vec's text if the name ends with .txt or .vec, its binary file for .bin;
    /// or .npy, .npz, .safetensors, .nemb, as `convert` writes them
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// What is learnt from what
    #[arg(long, value_name = "METHOD", default_value = "skip-gram")]
    pub(crate) method: Method,
    /// Numbers of a vector
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) dim: usize,
    /// The most words to either side that a word is paired with
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) window: usize,
    /// Negatives of a pair
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) negatives: usize,
    /// Words that occur less often are left out
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) min_count: u64,
    /// The share of all words above which a word is often left out; 0 keeps all
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4)]
    pub(crate) sample: f32,
    /// The first learning rate, which falls to nearly 0 [default: 0.025; cbow 0.05]
    #[arg(long, value_name = "RATE")]
    pub(crate) learning_rate: Option<f32>,
    /// How often the corpus is read
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) epochs: u32,
    /// What all draws depend on
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads, of which at most 16 work [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZero<usize>>,
    /// No progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
