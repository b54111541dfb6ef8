//! What the command is told.

mod columns;
mod plot;
mod train;
mod values;
mod word2vec;
mod words;

pub(crate) use plot::{Bytes, Confusion, Map, Plot, Training};
pub(crate) use train::Train;
pub(crate) use values::{ClassWeights, Split, Target};
pub(crate) use word2vec::Word2Vec;
pub(crate) use words::{Analogies, Convert, Neighbours, Similarity};

use crate::data::{Field, Format, Reading};
use crate::export::Board;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use values::{Integers, Numbers, extent, threads, top};

/// From a file of labelled texts to a model for a microcontroller.
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  nanoembed train train.tsv -o model.nemb
  nanoembed train train.tsv --flash 64k -o model.nemb
  nanoembed evaluate model.nemb test.tsv
  echo 'play some jazz' | nanoembed predict model.nemb
  nanoembed quantise model.nemb --fold i8 --data train.tsv -o small.nemb
  nanoembed inspect small.nemb
  nanoembed word2vec corpus.txt -o vectors.txt
  nanoembed plot map model.nemb vectors.txt --groups words.tsv -o map.svg
  nanoembed neighbours vectors.txt queen
  nanoembed train train.tsv --model conv --pretrained glove.txt -o model.nemb

Exit codes:
  0  done
  2  wrong arguments
  3  wrong data
  4  wrong model
  5  a file cannot be read or written
  6  the training failed"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Learns from a file of labelled texts, and writes a model
    Train(Box<Train>),
    /// Tells how well a model finds the labels of a file
    Evaluate(Evaluate),
    /// Tells the classes of texts, a line at a time
    Predict(Predict),
    /// Tells what a model is: layers, bytes, classes, and how text becomes ids
    Inspect(Inspect),
    /// Writes a model again with fewer bits a number
    Quantise(Quantise),
    /// Makes an image of a model of Keras 3
    Import(Import),
    /// Writes a model for another program: firmware, Rust, C, NumPy, safetensors
    Export(Export),
    /// Draws pictures: maps of words, curves of trainings, mistakes, bytes
    #[command(subcommand)]
    Plot(Plot),
    /// Learns a vector for each word of a text
    Word2vec(Word2Vec),
    /// Tells the words whose vectors are nearest to that of a word
    Neighbours(Neighbours),
    /// Tells what is to C as B is to A
    Analogy(Analogies),
    /// Tells how alike two words are
    Similarity(Similarity),
    /// Writes vectors of words into a file of another kind
    Convert(Convert),
}

/// How a file of labelled texts is read.
#[derive(Args, Debug)]
pub(crate) struct DataOptions {
    /// What the file is; found by its first line and its name, if not given
    #[arg(long, value_name = "FORMAT", help_heading = "Data")]
    format: Option<Format>,
    /// The column (TSV, CSV: name, or number from 1) or field (JSONL) of the label [default: label, or 1]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    label: Option<String>,
    /// The column or field of the text [default: text, or 2]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    text: Option<String>,
}

impl DataOptions {
    pub(crate) fn reading(&self, fields: Vec<Field>) -> Reading {
        Reading { format: self.format, label: self.label.clone(), text: self.text.clone(), fields }
    }
}

/// Tells how well a model finds the labels of a file.
#[derive(Args, Debug)]
#[command(after_help = "\
Precision, recall and F1 of each class, macro-F1 and accuracy: the part of the texts whose best answer is among their \
labels. A label that the model has no class for can only be right if the model says that it is none of its classes.

Examples:
  nanoembed evaluate model.nemb test.tsv
  nanoembed evaluate model.nemb test.tsv --confusion --top 1,3
  nanoembed evaluate model.nemb test.tsv --json | jq .accuracy")]
pub(crate) struct Evaluate {
    /// The model
    pub(crate) model: PathBuf,
    /// Labelled texts; `-` for standard input
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) data_options: DataOptions,
    /// Precision and recall of the best k answers, for these k
    #[arg(long, value_name = "K", value_delimiter = ',')]
    pub(crate) top: Vec<usize>,
    /// How often each class was taken for each other, and last for none
    #[arg(long)]
    pub(crate) confusion: bool,
    /// Threads [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<std::num::NonZero<usize>>,
    /// Prints one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tells the classes of texts, a line at a time.
#[derive(Args, Debug)]
#[command(after_help = "\
A line of the answer is `class<TAB>probability`, with --top several of these with tabs between them. A model of \
several labels a line names all that hold, and none in an empty line; others always name a class. Lines are texts \
alone, without labels. A model of columns takes lines whose columns a first line names, JSON objects, or the columns \
that `inspect` tells, in their order.

Examples:
  nanoembed predict model.nemb texts.txt
  echo 'play some jazz' | nanoembed predict model.nemb --top 3")]
pub(crate) struct Predict {
    /// The model
    pub(crate) model: PathBuf,
    /// Texts, one a line
    #[arg(default_value = "-")]
    pub(crate) texts: PathBuf,
    /// How many classes are told, the most probable first
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = top)]
    pub(crate) top: u16,
    /// Lines are ids with spaces between them, and `|` between several inputs, not text: for models that say nothing
    /// of how text becomes ids
    #[arg(long)]
    pub(crate) ids: bool,
    /// Prints a JSON object for each line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tells what a model is.
#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The model
    pub(crate) model: PathBuf,
    /// Prints one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Writes a model again with fewer bits a number.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nanoembed quantise model.nemb --numbers u8 -o model.u8.nemb
  nanoembed quantise model.nemb --fold i8 --keep 2048 --data train.tsv -o model.i8.nemb")]
pub(crate) struct Quantise {
    /// The model; one whose numbers have 32 bits for --numbers
    pub(crate) model: PathBuf,
    /// Where the smaller model is written to
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Numbers of its table
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["fold", "keep", "data"])]
    pub(crate) numbers: Option<Numbers>,
    /// Multiplies the table of a bag model by its linear layer: one table of integers is left
    #[arg(long, value_name = "FORMAT")]
    pub(crate) fold: Option<Integers>,
    /// Rows that are kept when it is folded, those that matter most [default: all]
    #[arg(long, value_name = "N", requires = "fold")]
    pub(crate) keep: Option<usize>,
    /// The texts that it learnt from: integers are then chosen for them
    #[arg(long, value_name = "FILE", requires = "fold")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data_options: DataOptions,
}

/// Makes an image of a model of Keras 3.
#[derive(Args, Debug)]
#[command(after_help = "\
A Sequential or Functional model of Embedding, Flatten, Conv1D, LSTM, global poolings, Dense, Activation, Dropout, \
Concatenate, Add and Dot, in which each output goes to one layer. How text becomes ids is not in a .keras file: the \
model is asked by ids.

Example:
  nanoembed import model.keras --classes negative,positive -o model.nemb
  echo '4 7 0 0' | nanoembed predict model.nemb --ids")]
pub(crate) struct Import {
    /// The file that `model.save` of Keras wrote
    pub(crate) model: PathBuf,
    /// Where the image is written to
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The names of the classes, in the order of the outputs
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) classes: Vec<String>,
    /// Ids of a text, if the model takes any number
    #[arg(long, value_name = "N", value_parser = extent)]
    pub(crate) length: Option<u32>,
}

/// Writes a model for another program.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nanoembed export model.nemb --to rust
  nanoembed export model.nemb --to c -o model.h
  nanoembed export model.nemb --to npz -o model.npz
  nanoembed export model.nemb --to firmware --try 'play some jazz' -o firmware && cd firmware && cargo run --release")]
pub(crate) struct Export {
    /// The model
    pub(crate) model: PathBuf,
    /// What is written
    #[arg(long, value_name = "WHAT")]
    pub(crate) to: Target,
    /// Where it is written to; standard output if left out. Of firmware a new folder
    #[arg(short, long, value_name = "FILE", required_if_eq("to", "firmware"))]
    pub(crate) output: Option<PathBuf>,
    /// A board that QEMU emulates [default: cortex-m4f]
    #[arg(long, value_name = "BOARD", help_heading = "Firmware")]
    pub(crate) board: Option<Board>,
    /// Texts that the program tells the classes of [default: a text of yours]
    #[arg(long = "try", value_name = "TEXT", help_heading = "Firmware")]
    pub(crate) texts: Vec<String>,
    /// The folder of the crate nanoembed, if crates.io is not to give it
    #[arg(long, value_name = "FOLDER", help_heading = "Firmware")]
    pub(crate) nanoembed: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
