//! What several test files need.

use nanoembed::image;
use nanoembed::layers::Layer;

/// The image of a model, without the feature `alloc`.
pub(crate) fn image_of<M: Layer>(model: &M) -> Vec<u8> {
    let mut bytes = vec![0; image::size::<M>()];
    image::write(model, &mut bytes).expect("the image's own length");
    bytes
}
