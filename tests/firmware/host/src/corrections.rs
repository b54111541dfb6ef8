//! Learns corrections beside the model of intents, as the device does.

use nanoembed::image;
use nanoembed::layers::Layer;
use shared::corrections::{self, CORRECTIONS};
use shared::intents::FoldedIntents;
use std::error::Error;

/// Prints what the device must print.
pub fn print(file: &str) -> Result<(), Box<dyn Error>> {
    let mut base = FoldedIntents::boxed_zeroed();
    image::read_into(&std::fs::read(format!("{file}.i8"))?, &mut *base)?;
    let (mut model, mut trainer) = (corrections::model(&base), corrections::trainer());
    let failed = |error| format!("{error:?}");
    println!("before {:016x}", corrections::hash(&model).map_err(failed)?);
    let steps = corrections::run(&mut model, &mut trainer).map_err(failed)?;
    println!("steps {steps}");
    println!("after {:016x}", corrections::hash(&model).map_err(failed)?);
    assert!(steps >= CORRECTIONS.len() / 2, "most of the texts need to be learnt");
    Ok(())
}
