//! The host's side of the digest and of the firmware.
//!
//! ```text
//! host digest [LEVEL]        `name hash` for each part, at this level or at the one the processor is found to have
//! host levels                the levels of this processor, the lowest first; the last one is in use
//! host table NAME=FILE ...   the digests in these files as one table; fails unless every row is equal throughout
//! host image FILE            trains the reviews model, writes its image, prints the hashes of training and predictions
//! host intents FILE          trains the intents model, writes the images FILE.f32 and FILE.u8, prints its answers
//! ```
//!
//! A level that the processor lacks ends the program with status 3.

mod intents;
mod table;

use nanoembed::layers::Layer;
use nanoembed::simd::Level;
use nanoembed::{files, image};
use parts::reviews::{self, Reviews};
use std::env;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

const NO_SUCH_LEVEL: u8 = 3;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["digest"] => digest(),
        ["digest", name] => match Level::available().find(|level| level.name() == name) {
            Some(level) => {
                level.set_current();
                digest();
            }
            None => return Ok(NO_SUCH_LEVEL.into()),
        },
        ["levels"] => Level::available().for_each(|level| println!("{}", level.name())),
        ["table", ref files @ ..] => return table::print(files),
        ["image", file] => write_image(file)?,
        ["intents", file] => intents::write(file)?,
        _ => {
            return Err(
                "usage: host digest [LEVEL] | levels | table NAME=FILE ... | image FILE | intents FILE"
                    .into(),
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn digest() {
    for (name, part) in parts::parts() {
        println!("{name} {:016x}", part());
    }
}

fn write_image(file: &str) -> Result<(), Box<dyn Error>> {
    let (mut model, mut trainer) = (Reviews::zeroed(), reviews::trainer());
    println!("training {:016x}", reviews::train(&mut model, &mut trainer)?);
    println!("predictions {:016x}", reviews::predictions(&model)?);
    files::write(file, |file| file.write_all(&image::to_vec(&model)))?;
    Ok(())
}
