//! Fixtures computed by Keras, `PyTorch` and others, held against this crate.
//!
//! They are read from the folder named by `NANOEMBED_ORACLE`, and those that it lacks, or all, from
//! `tests/oracle`. A fixture that is not known fails, and so does a known one that is missing. `loaders.rs`
//! holds those of weights and vectors, in the folder `loaders`.
//!
//! What has a layer or a model is held twice: by types, where one of the shape is compiled, and by models
//! whose sizes are values (`run_time.rs`), whatever shape the file has.

#[path = "../common/mod.rs"]
mod common;
mod convolution;
mod curves;
mod dense;
mod embedding;
mod fixture;
mod formats;
mod hashes;
mod keras;
#[cfg(feature = "std")]
mod loaders;
mod losses;
mod lstm;
mod optimizers;
mod pad;
mod pooling;
mod run_time;
mod schedules;
#[cfg(all(feature = "md5", feature = "unicode"))]
mod text;
mod torch;
mod training;
#[cfg(feature = "unicode")]
mod vocabulary;

use fixture::Fixture;

type Check = fn(&Fixture);

/// The fixtures that are held, by file name, and the check of each.
const COVERED: &[(&str, Check)] = &[
    ("conv1d_forward_grad_keras", convolution::forward_and_gradients),
    ("dense_forward_grad_keras", dense::forward_and_gradients),
    ("embedding_bag_torch", torch::embedding_bag),
    ("embedding_forward_grad_keras", embedding::forward_and_gradient),
    ("embedding_torch", torch::embedding),
    ("fasttext_subwords", hashes::fasttext_subwords),
    ("feature_hashing_sklearn", hashes::feature_hashing),
    #[cfg(feature = "siphash")]
    ("hashing_layer_farmhash_siphash_keras", hashes::hashing_layer),
    #[cfg(all(feature = "md5", feature = "unicode"))]
    ("hashing_trick_md5_keras", text::hashing_trick_md5),
    ("losses_keras", losses::losses),
    ("lr_schedules_keras", schedules::rates),
    ("lstm_forward_grad_keras", lstm::forward_and_gradients),
    ("murmurhash3_32_sklearn", hashes::murmurhash3),
    ("optimizers_dense_keras", optimizers::dense_keras),
    ("optimizers_dense_torch", optimizers::dense_torch),
    ("optimizers_sparse_keras2", optimizers::sparse_keras2),
    ("optimizers_sparse_keras3", optimizers::sparse_keras3),
    ("optimizers_sparse_torch", optimizers::sparse_torch),
    ("pad_sequences_keras", pad::pad),
    ("pooling_flatten_forward_grad_keras", pooling::forward_and_gradients),
    ("quantised_rowwise_embedding_bag_torch", formats::packed_rows_and_bags),
    ("tbe_exact_optimizers_fbgemm", optimizers::tbe_fbgemm),
    #[cfg(all(feature = "md5", feature = "unicode"))]
    ("text_to_word_sequence_keras", text::text_to_word_sequence),
    #[cfg(feature = "unicode")]
    ("tokenizer_keras", vocabulary::tokenizer),
    ("train_flatten_linear_mse_sgd", curves::flatten_linear_mse_sgd),
    ("train_flatten_softmax_sparse_categorical_adam", curves::flatten_softmax_sparse_categorical_adam),
    ("train_lstm_small_adam_masked", lstm::training_masked),
    ("train_lstm_small_adam_unmasked", lstm::training_unmasked),
    ("train_avgpool_masked_adam", pooling::train_masked_average),
    ("train_conv1d_small_adam", convolution::train_small),
    ("train_conv1d_two_dense_adam", convolution::train_two_dense),
    ("train_keras3_average", keras::average),
    ("train_keras3_convolution", keras::convolution),
    ("train_keras3_flatten", keras::flatten),
    ("train_keras3_lstm", keras::lstm),
    ("train_keras3_maximum", keras::maximum),
    ("train_reviews_flatten_adagrad_batch4", training::reviews_adagrad_batch4),
    ("train_reviews_flatten_adam_amsgrad_batch4", training::reviews_amsgrad_batch4),
    ("train_reviews_flatten_adam_lr01_batch4", training::reviews_adam_batch4),
    ("train_reviews_flatten_adam_onebatch", training::reviews_adam_onebatch),
    ("train_reviews_flatten_adamw_clipnorm_batch4", training::reviews_adamw_clipnorm_batch4),
    ("train_reviews_flatten_rmsprop_batch4", training::reviews_rmsprop_batch4),
    ("train_reviews_flatten_sgd_momentum_batch4", training::reviews_momentum_batch4),
];

/// Fixtures whose checks are compiled with a feature.
const OF_FEATURES: [(&str, &str); 4] = [
    ("hashing_layer_farmhash_siphash_keras", "siphash"),
    ("hashing_trick_md5_keras", "md5"),
    ("text_to_word_sequence_keras", "unicode"),
    ("tokenizer_keras", "unicode"),
];

#[test]
fn fixtures_hold() {
    let mut failed = Vec::new();
    let mut seen = Vec::new();
    for path in fixture::all() {
        let name =
            path.file_stem().and_then(|stem| stem.to_str()).expect("a fixture has a UTF-8 name").to_owned();
        match COVERED.iter().find(|(covered, _)| *covered == name) {
            None => match OF_FEATURES.iter().find(|(needs, _)| *needs == name) {
                Some((_, feature))
                    if !cfg!(all(feature = "siphash", feature = "md5", feature = "unicode")) =>
                {
                    println!("NOT COVERED {name}: needs the feature {feature}");
                }
                _ => failed.push(format!("{name} (not known)")),
            },
            Some((_, check)) => {
                seen.push(name.clone());
                let fixture = Fixture::read(&path);
                match std::panic::catch_unwind(|| check(&fixture)) {
                    Ok(()) => println!("ok {name}"),
                    Err(_) => failed.push(name),
                }
            }
        }
    }
    for (name, _) in COVERED {
        assert!(seen.iter().any(|seen| seen == name), "the fixture {name} is missing");
    }
    assert!(failed.is_empty(), "fixtures that do not hold: {failed:?}");
}
