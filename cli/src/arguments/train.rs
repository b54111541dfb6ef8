//! What `train` is told.

use super::DataOptions;
use super::columns::ColumnOptions;
use super::values::{
    ClassWeights, Lowercase, Numbers, Split, characters, dropout, extent, part, rate, rows, size, threads,
    times, words,
};
use crate::measure::Measure;
use crate::recipe::Architecture;
use crate::training::Optimizer;
use clap::Args;
use std::path::PathBuf;

/// Learns from a file of labelled texts, and writes a model.
#[derive(Args, Debug)]
#[command(after_help = "\
A line of the file is `label<TAB>text`, `label,text` with quotes where needed, {\"label\": .., \"text\": ..}, or \
`__label__a __label__b text` as for fastText. If some line has several labels, each class becomes a question of \
its own. With --categorical or --numeric a line is a row of a table, and its columns are learnt from.

The same file and options give the same bytes, on every machine; with --flash, as far as the time is enough for \
the same search. Ctrl-C ends the training; the best model so far is written, and nothing before the first epoch is over.

Examples:
  nanoembed train train.tsv -o model.nemb
  nanoembed train train.tsv --flash 64k -o model.nemb
  nanoembed train mails.csv --label kind --text body --hold-out 0.1 --class-weights balanced -o mails.nemb
  nanoembed train reviews.jsonl --model conv -o reviews.nemb
  nanoembed train train.tsv --model conv --pretrained glove.6B.50d.txt -o model.nemb
  nanoembed train people.csv --label income --categorical 2,4,6-9 --numeric age,hours -o income.nemb")]
pub(crate) struct Train {
    /// The file to learn from; `-` for standard input
    pub(crate) data: PathBuf,
    /// Where the model is written to
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The layers: `bag` is the mean of the rows of words, pairs and character n-grams, then a linear layer
    #[arg(long, value_name = "MODEL", default_value = "bag")]
    pub(crate) model: Architecture,
    #[command(flatten)]
    pub(crate) data_options: DataOptions,
    /// A file to choose the best epoch by
    #[arg(long, value_name = "FILE", conflicts_with = "hold_out", help_heading = "Data")]
    pub(crate) validation: Option<PathBuf>,
    /// The part of each class that is held out, to choose the best epoch by [default: 0 for bag of a
    /// text and conv with --pretrained, else 0.1]
    #[arg(long, value_name = "PART", value_parser = part, help_heading = "Data")]
    pub(crate) hold_out: Option<f64>,
    #[command(flatten)]
    pub(crate) columns: ColumnOptions,
    #[command(flatten)]
    pub(crate) text: TextOptions,
    #[command(flatten)]
    pub(crate) pretrained: PretrainedOptions,
    #[command(flatten)]
    pub(crate) sizes: Sizes,
    #[command(flatten)]
    pub(crate) learning: LearningOptions,
    #[command(flatten)]
    pub(crate) fitting: Fitting,
    /// A picture (SVG or PNG) of loss and accuracy by epoch; with --flash, of accuracy against bytes
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Prints a JSON object for each epoch, which `plot training` draws, with --flash for each budget; and one for the
    /// model
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints nothing but errors, and what --json prints
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// A model that fits.
#[derive(Args, Debug)]
pub(crate) struct Fitting {
    /// Searches the best bag model whose file has at most so many bytes, such as 64k: rows, n-grams, numbers
    #[arg(long, value_name = "BYTES", value_parser = size, help_heading = "Fitting a budget",
        conflicts_with_all = ["rows", "dim", "units", "numbers", "words", "characters", "filters", "length",
            "epochs", "optimizer", "learning_rate", "batch", "class_weights"])]
    pub(crate) flash: Option<usize>,
    /// About how long the search may take
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 120,
        requires = "flash",
        help_heading = "Fitting a budget"
    )]
    pub(crate) seconds: u64,
    /// Labelled texts that the best model of each budget of the curve is tested on, when all is found
    #[arg(long, value_name = "FILE", requires = "flash", help_heading = "Fitting a budget")]
    pub(crate) test: Option<PathBuf>,
    /// Threads of the search [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = threads, requires = "flash",
        help_heading = "Fitting a budget")]
    pub(crate) threads: Option<std::num::NonZero<usize>>,
}

/// How text becomes ids.
#[derive(Args, Debug)]
pub(crate) struct TextOptions {
    /// Words of the longest run that has an id of its own [default: 2 for bag without --pretrained, else 1]
    #[arg(long, value_name = "N", value_parser = words, help_heading = "Text")]
    pub(crate) words: Option<u16>,
    /// Characters of n-grams of words, such as 5 or 3-6; 0 for none [default: 5 for bag without
    /// --pretrained, else 0]
    #[arg(long, value_name = "N-M", value_parser = characters, help_heading = "Text")]
    pub(crate) characters: Option<(u16, u16)>,
    /// Which letters become small
    #[arg(long, value_name = "WHICH", default_value = "ascii", help_heading = "Text")]
    pub(crate) lowercase: Lowercase,
    /// What words are [default: marks for bag and with --pretrained, else keras]
    #[arg(long, value_name = "WHAT", help_heading = "Text")]
    pub(crate) split: Option<Split>,
    /// Characters that separate words beside the space [default: white space for marks; for keras punctuation but
    /// the apostrophe, tab and newline]
    #[arg(long, value_name = "CHARACTERS", help_heading = "Text")]
    pub(crate) filters: Option<String>,
    /// Words that conv, lstm and flatten read, the last ones [default: as 19 of 20 texts have, all of
    /// conv with --pretrained, at most 400]
    #[arg(long, value_name = "N", value_parser = extent, help_heading = "Text")]
    pub(crate) length: Option<u32>,
}

/// Rows that were learnt from other texts.
#[derive(Args, Debug)]
pub(crate) struct PretrainedOptions {
    /// A file of vectors of words that the rows of the table start from, as of GloVe, word2vec or fastText; ids are then
    /// those of a vocabulary, and the numbers of a row those of the file
    #[arg(long, value_name = "FILE", help_heading = "Pretrained rows",
        conflicts_with_all = ["rows", "dim", "words", "characters", "flash", "categorical", "numeric"])]
    pub(crate) pretrained: Option<PathBuf>,
    /// The rows of the table do not learn
    #[arg(long, requires = "pretrained", help_heading = "Pretrained rows")]
    pub(crate) freeze: bool,
    /// The first N words of FILE have rows even if no text has them: texts that come later may
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        requires = "pretrained",
        help_heading = "Pretrained rows"
    )]
    pub(crate) more_words: u64,
}

/// Sizes of the layers.
#[derive(Args, Debug)]
pub(crate) struct Sizes {
    /// Rows of the table that words are hashed to
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = rows, help_heading = "Sizes")]
    pub(crate) rows: u32,
    /// Numbers of a row [default: 32, of columns 8]
    #[arg(long, value_name = "N", value_parser = extent, help_heading = "Sizes")]
    pub(crate) dim: Option<u32>,
    /// Filters of conv, units of lstm and mlp [default: 64, of conv with --pretrained 384]
    #[arg(long, value_name = "N", value_parser = extent, help_heading = "Sizes")]
    pub(crate) units: Option<u32>,
    /// Words of a window of conv [default: 5, with --pretrained 3]
    #[arg(long, value_name = "N", value_parser = extent, help_heading = "Sizes")]
    pub(crate) window: Option<u32>,
    /// Numbers of the table in the file
    #[arg(long, value_name = "FORMAT", default_value = "f32", help_heading = "Sizes")]
    pub(crate) numbers: Numbers,
}

/// How it is learnt.
#[derive(Args, Debug)]
pub(crate) struct LearningOptions {
    /// How often each line is learnt from [default: 12 for bag, 10 for columns, else 6; of conv with
    /// --pretrained 4]
    #[arg(long, value_name = "N", value_parser = times, help_heading = "Learning")]
    pub(crate) epochs: Option<u32>,
    /// How weights step [default: adagrad for bag of a text, else adam]
    #[arg(long, value_name = "OPTIMIZER", help_heading = "Learning")]
    pub(crate) optimizer: Option<Optimizer>,
    /// The learning rate, which falls to 0 in a line: of a step of adagrad or adam, of each line of a step of sgd
    /// [default: for bag 0.2 of adagrad, 0.01 of adam, 1 of sgd (columns: 0.1); else 0.02, 0.002 (conv with
    /// --pretrained: 0.006) and 0.02 (0.1)]
    #[arg(long, value_name = "RATE", value_parser = rate, allow_negative_numbers = true,
        help_heading = "Learning")]
    pub(crate) learning_rate: Option<f32>,
    /// Lines of a step [default: 32 for adam, 8 for adagrad, 1 for sgd]
    #[arg(long, value_name = "N", value_parser = extent, help_heading = "Learning")]
    pub(crate) batch: Option<u32>,
    /// The part of the inputs of the last layer that is left out of each step, at random [default: 0, of conv with
    /// --pretrained 0.5]
    #[arg(long, value_name = "PART", value_parser = dropout, help_heading = "Learning")]
    pub(crate) dropout: Option<u16>,
    /// Where the random numbers start
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Learning")]
    pub(crate) seed: u64,
    /// What says which epoch is best, and with --flash which model, of lines that are held out; 0.1 of them,
    /// if it is given and --hold-out is not [default: accuracy; loss, if a line has several labels]
    #[arg(long, value_name = "MEASURE", help_heading = "Learning")]
    pub(crate) measure: Option<Measure>,
    /// How much a class counts: `balanced` gives rare classes as much weight as frequent ones
    #[arg(long, value_name = "WEIGHTS", default_value = "none", help_heading = "Learning")]
    pub(crate) class_weights: ClassWeights,
}
