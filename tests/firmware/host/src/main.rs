//! The host's side of the digest and of the firmware.
//!
//! ```text
//! host digest [LEVEL]        `name hash` for each part, at this level or at the one the processor is found to have
//! host levels                the levels of this processor, the lowest first; the last one is in use
//! host table NAME=FILE ...   the digests in these files as one table; fails unless every row is equal throughout
//! host image FILE            trains the reviews model, writes its image, prints the hashes of training and predictions; writes the
//!                            model by integers to FILE with the extension `.image.i8`, prints its shares of 65,535
//! host intents FILE          trains the intents model, writes the images FILE.f32, FILE.u8 and FILE.i8, prints its answers
//! host corrections FILE      learns corrections beside FILE.i8, prints the hashes of predictions and pages, before and after
//! ```
//!
//! A level that the processor lacks ends the program with status 3.

mod corrections;
mod intents;
mod table;

use nanoembed::layers::Layer;
use nanoembed::models::{self, Input};
use nanoembed::simd::Level;
use nanoembed::{files, image};
use shared::reviews::{self, IntegerReviews, REVIEWS, Reviews};
use std::env;
use std::error::Error;
use std::io::Write;
use std::path::Path;
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
        ["corrections", file] => corrections::print(file)?,
        _ => {
            return Err(
                "usage: host digest [LEVEL] | levels | table NAME=FILE ... | image FILE | intents FILE | corrections FILE"
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
    println!("codes {:016x}", shared::integers::codes()?);
    files::write(file, |file| file.write_all(&image::to_vec(&model)))?;
    write_integers(&model, &Path::new(file).with_extension("image.i8"))
}

/// Writes the image of the model by integers; prints what the device must print.
fn write_integers(model: &Reviews, path: &Path) -> Result<(), Box<dyn Error>> {
    let ids = REVIEWS.map(reviews::encode).as_flattened().iter().map(|id| u32::from(*id)).collect::<Vec<_>>();
    let image = models::calibrate(model, Input::Ids(&ids), &Default::default())?;
    files::write(path, |file| file.write_all(&image))?;
    let mut by_integers = IntegerReviews::zeroed();
    image::read_into(&image, &mut by_integers)?;
    for review in REVIEWS {
        let share = reviews::share(&by_integers, review)?;
        let far = f32::from(share) / 65_535.0 - reviews::predict(model, review)?;
        assert!(far.abs() <= 0.02, "{review}: {share}");
        println!("share {share:016x}");
    }
    Ok(())
}
