//! Weights in and out: between models and the files of Python, npz and safetensors.
//!
//! | to do this | take |
//! |---|---|
//! | give a model the weights of a file | [`read`] |
//! | write a model's weights | [`Npz::write`], [`SafeTensors::to_vec`] |
//! | open a file | [`Npz`], [`SafeTensors`], under the trait [`Arrays`]; [`Array::read_npy`] for one [`Array`] |
//! | name the arrays | [`Weight::by_order`], [`Weight::by_name`], or a function of a [`Weight`] |
//! | handle an error | [`WeightsError`] |
//!
//! A model's weights are arrays. They follow each other in the order of the layers, and within a layer in the
//! order of Keras: `kernel`, then `bias`. Each has a [`Weight`], which says where it is. A function makes the
//! **key** of it, under which the array is found in a file: [`Weight::by_order`] (`arr_0`, `arr_1`, …, numpy's names
//! of arrays without a name), [`Weight::by_name`] (`dense_1/kernel`), or one of your own.
//!
//! # From Keras
//!
//! Make the model of the layers of [`keras`](crate::keras), which drop the mask where Keras drops it; train
//! it further with [`Keras`](crate::keras::Keras) around the optimizer.
//!
//! By order, which needs no names:
//!
//! ```python
//! numpy.savez("reviews.npz", *model.get_weights())
//! ```
//!
//! ```no_run
//! use nanoembed::weights::{Npz, Weight, read};
//! use nanoembed::sequential;
//! use nanoembed::keras::Flatten;
//! use nanoembed::layers::*;
//! type Reviews = sequential![Embedding<4, 50, 8>, Flatten<4, 8, 32>, Dense<32, 1, Sigmoid>];
//! let mut model = Reviews::zeroed();
//! read(&mut model, &mut Npz::new(std::fs::File::open("reviews.npz")?)?, Weight::by_order)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! By Keras' own names, in either format; the key of each weight is then found by its position:
//!
//! ```python
//! numpy.savez("reviews.npz", **{w.path: w.numpy() for w in model.weights})
//! safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, "reviews.safetensors")
//! ```
//!
//! ```no_run
//! # use nanoembed::weights::{SafeTensors, read};
//! # let mut model = <nanoembed::layers::Dense<3, 2> as nanoembed::layers::Layer>::zeroed();
//! const PATHS: [&str; 3] = ["reviews/embedding/embeddings", "reviews/dense/kernel", "reviews/dense/bias"];
//! let file = std::fs::read("reviews.safetensors")?;
//! read(&mut model, &mut SafeTensors::new(&file)?, |weight| PATHS[weight.position].to_owned())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # To Keras
//!
//! What [`Npz::write`] wrote (to a file by [`files::write`](crate::files::write())), in any naming, as the
//! members of an archive keep their order:
//!
//! ```python
//! with numpy.load("reviews.npz") as file:
//!     model.set_weights([file[name] for name in file.files])
//! ```
//!
//! What [`SafeTensors::to_vec`] gave, by order:
//!
//! ```python
//! file = safetensors.numpy.load_file("reviews.safetensors")
//! model.set_weights([file[f"arr_{i}"] for i in range(len(file))])
//! ```

mod array;
mod model;
mod npy;
mod npz;
mod tensors;

pub use array::{Array, Arrays};
pub use model::{Weight, WeightsError, read};
pub(crate) use npy::write_rows;
pub use npz::Npz;
pub use tensors::SafeTensors;
pub(crate) use tensors::tensor_of_rows;
