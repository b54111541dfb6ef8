//! What examples with one output share.

use nanoembed::layers::Layer;
use nanoembed::{files, image};
use std::error::Error;
use std::io::Write;

/// Writes the model to a file of this name, reads it back and compares its predictions for `inputs` by bits.
pub(crate) fn check_image<M: Layer<Output = [f32; 1]>>(
    name: &str,
    model: &M,
    inputs: &[M::Input],
) -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(name);
    files::write(&path, |file| file.write_all(&image::to_vec(model)))?;
    let mut same = M::boxed_zeroed();
    let (mut workspace, mut before, mut after) = (M::boxed_workspace::<1>(), [[0.0]], [[0.0]]);
    image::read_into(&std::fs::read(&path)?, &mut *same)?;
    for input in inputs {
        let input = std::slice::from_ref(input);
        model.predict_batch::<1>(input, &mut workspace, &mut before)?;
        same.predict_batch::<1>(input, &mut workspace, &mut after)?;
        if before[0][0].to_bits() != after[0][0].to_bits() {
            return Err("image: predictions differ".into());
        }
    }
    println!("image: {} bytes in {}, predictions bit-identical", image::size::<M>(), path.display());
    Ok(())
}
