//! What `neighbours`, `analogy`, `similarity` and `convert` are told.

use super::values::{Numbers, top};
use crate::failure::Failure;
use crate::vector_file::VectorFormat;
use crate::words::{Wanted, WordVectors};
use clap::Args;
use std::collections::HashSet;
use std::path::PathBuf;

/// Which vectors are read.
#[derive(Args, Debug)]
pub(crate) struct VectorFile {
    /// Vectors of words: GloVe, word2vec, fastText, npy, npz, safetensors, gzip of these, or a model with a vocabulary
    pub(crate) file: PathBuf,
    /// Reads the first N rows: files have the most frequent words first
    #[arg(long, value_name = "N")]
    pub(crate) most: Option<u64>,
    /// The array of a file that has several (npz, safetensors)
    #[arg(long, value_name = "NAME")]
    pub(crate) array: Option<String>,
}

impl VectorFile {
    /// Reads them.
    pub(crate) fn read(&self) -> Result<WordVectors, Failure> {
        self.read_only(None)
    }

    /// Reads those of some words.
    pub(crate) fn read_only(&self, only: Option<&HashSet<String>>) -> Result<WordVectors, Failure> {
        let Self { file, most, array } = self;
        WordVectors::read(file, Wanted { array: array.as_deref(), most: *most, only, or_first: 0 })
    }
}

/// Tells the words whose vectors are nearest to that of a word.
#[derive(Args, Debug)]
#[command(after_help = "\
A line of the answer is `word<TAB>neighbour<TAB>cosine`, the nearest first. A model of fastText (.bin) gives a vector \
to words that it never saw, too.

Examples:
  nanoembed neighbours glove.txt king queen
  nanoembed neighbours wiki.bin --top 3 < words.txt
  nanoembed neighbours model.nemb good --json")]
pub(crate) struct Neighbours {
    #[command(flatten)]
    pub(crate) vectors: VectorFile,
    /// The words; lines of standard input, if there is none
    pub(crate) words: Vec<String>,
    /// Neighbours of a word
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = top)]
    pub(crate) top: u16,
    /// Prints a JSON object for each word
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tells what is to C as B is to A.
#[derive(Args, Debug)]
#[command(
    override_usage = "nanoembed analogy [OPTIONS] <FILE> <A> <B> <C>
       nanoembed analogy [OPTIONS] <FILE> --test <QUESTIONS>",
    after_help = "\
3CosAdd: the word x with the highest cos(x, B) - cos(x, A) + cos(x, C), which is none of the three.

A file of questions has four words a line, the fourth being the answer, and sections under lines `: name`.

Examples:
  nanoembed analogy glove.txt man king woman
  nanoembed analogy glove.txt --multiply --test questions-words.txt --lowercase"
)]
pub(crate) struct Analogies {
    #[command(flatten)]
    pub(crate) vectors: VectorFile,
    /// A, B and C
    #[arg(value_names = ["A", "B", "C"], num_args = 3, required_unless_present = "test")]
    pub(crate) words: Vec<String>,
    /// Tells how many questions of a file are answered right, in all and by section
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    pub(crate) test: Option<PathBuf>,
    /// By 3CosMul: s(x, B) s(x, C) / (s(x, A) + 0.001), s being (cos + 1) / 2
    #[arg(long)]
    pub(crate) multiply: bool,
    /// Makes the letters of words small before they are looked for
    #[arg(long)]
    pub(crate) lowercase: bool,
    /// Answers of a question
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = top, conflicts_with = "test")]
    pub(crate) top: u16,
    /// Prints one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tells how alike two words are: the cosine of their vectors.
#[derive(Args, Debug)]
#[command(
    override_usage = "nanoembed similarity [OPTIONS] <FILE> <A> <B>
       nanoembed similarity [OPTIONS] <FILE> --test <PAIRS>",
    after_help = "\
A file of pairs has two words and what people said of them a line, as TSV or CSV; a first line whose third field is \
no number names the columns.

Examples:
  nanoembed similarity glove.txt coast shore
  nanoembed similarity glove.txt --test wordsim353.tsv"
)]
pub(crate) struct Similarity {
    #[command(flatten)]
    pub(crate) vectors: VectorFile,
    /// Two words
    #[arg(value_names = ["A", "B"], num_args = 2, required_unless_present = "test")]
    pub(crate) words: Vec<String>,
    /// Tells Spearman's correlation of cosines and the scores of a file of pairs
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    pub(crate) test: Option<PathBuf>,
    /// Makes the letters of words small before they are looked for
    #[arg(long)]
    pub(crate) lowercase: bool,
    /// Prints one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Writes vectors of words into a file of another kind.
#[derive(Args, Debug)]
#[command(after_help = "\
What IN is, its first bytes tell. What OUT is, the end of its name tells, or --to:

  .txt .vec      text, a line `rows numbers` first (word2vec, fastText)
  --to glove     text without that line
  .bin           word2vec's binary file
  .npy .npz      an array of NumPy; the words go to OUT.words.txt, a word a line, and are read from there again
  .safetensors   the same
  .nemb          a model: the mean of the rows of the words of a text, for firmware

Examples:
  nanoembed convert glove.6B.50d.txt.gz glove.bin
  nanoembed convert wiki.vec small.nemb --most 20000 --numbers u8
  nanoembed convert glove.txt some.npy --vocabulary words.txt --numbers f16")]
pub(crate) struct Convert {
    #[command(flatten)]
    pub(crate) vectors: VectorFile,
    /// Where they are written to
    pub(crate) output: PathBuf,
    /// What is written
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: Option<VectorFormat>,
    /// Their numbers: f16 for npy and npz, f16 and bf16 for safetensors, any for nemb
    #[arg(long, value_name = "NUMBERS", default_value = "f32")]
    pub(crate) numbers: Numbers,
    /// Writes the words of this file alone, a word a line
    #[arg(long, value_name = "FILE")]
    pub(crate) vocabulary: Option<PathBuf>,
}
