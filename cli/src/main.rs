//! The command `nanoembed`: from a file of labelled texts to a model for a microcontroller, without writing Rust.
//!
//! ```text
//! file → data: labelled lines → examples: ids → recipe: layers → training → image file
//!                                                      image file → predictor → evaluation, answers
//! ```

mod arguments;
mod columns;
mod commands;
mod data;
mod description;
mod evaluation;
mod examples;
mod export;
mod failure;
mod history;
mod image_file;
mod import;
mod map;
mod measure;
mod memory;
mod pipeline;
mod plot;
mod predictor;
mod pretrained;
mod progress;
mod recipe;
mod search;
mod training;
mod vector_file;
mod words;

use arguments::{Arguments, Command};
use clap::Parser;
use commands::{evaluate, inspect, predict, quantise, train};
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match &Arguments::parse().command {
        Command::Train(arguments) => train::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Predict(arguments) => predict::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Quantise(arguments) => quantise::run(arguments),
        Command::Import(arguments) => commands::import::run(arguments),
        Command::Export(arguments) => commands::export::run(arguments),
        Command::Plot(arguments) => commands::plot::run(arguments),
        Command::Word2vec(arguments) => commands::word2vec::run(arguments),
        Command::Neighbours(arguments) => commands::neighbours::run(arguments),
        Command::Analogy(arguments) => commands::analogy::run(arguments),
        Command::Similarity(arguments) => commands::similarity::run(arguments),
        Command::Convert(arguments) => commands::convert::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
