//! What was recorded stays: the hash of every part of the digest, the bytes of a checkpoint and of a vocabulary.
//! `golden_images.rs` holds images of all kinds of layers, `tests/training/images.rs` that of a model.
//!
//! `NANOEMBED_WRITE_GOLDEN=1` writes the files anew; each line of the digest that changes needs one in the changelog that says why.

use crate::parts::shared::reviews::{self, REVIEWS, Reviews, ReviewsTrainer};
use nanoembed::internals::text_to_word_sequence;
use nanoembed::layers::{Bytes, Layer};
use nanoembed::text::{Ascii, Vocabulary, VocabularyOptions, WordCounts};
use std::path::PathBuf;

/// The recorded bytes, after they were written anew if that is asked for.
pub(crate) fn recorded(name: &str, today: &[u8]) -> Vec<u8> {
    let path = path_of(name);
    if std::env::var_os("NANOEMBED_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, today).expect("a writable folder");
    }
    recorded_bytes(name)
}

fn path_of(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn recorded_bytes(name: &str) -> Vec<u8> {
    std::fs::read(path_of(name)).expect("a recorded file")
}

#[test]
fn every_part_of_the_digest_has_its_recorded_hash() {
    let lines: Vec<String> =
        crate::parts::parts().map(|(name, part)| format!("{name} {:016x}", part())).collect();
    let today = lines.join("\n") + "\n";
    let recorded = String::from_utf8(recorded("digest.txt", today.as_bytes())).expect("text");
    assert!(recorded.lines().count() > 100);
    for (today, recorded) in today.lines().zip(recorded.lines()) {
        assert_eq!(today, recorded);
    }
    assert_eq!(today.lines().count(), recorded.lines().count());
}

/// What a model whose sizes are values comes to, is what the type comes to.
#[test]
fn parts_at_run_time_have_the_hashes_of_the_typed_ones() {
    let recorded = String::from_utf8(recorded_bytes("digest.txt")).expect("text");
    let lines: Vec<(&str, &str)> = recorded.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    let at_run_time = lines.iter().filter_map(|(name, hash)| Some((name.strip_prefix("run-time ")?, hash)));
    let typed = |wanted: &str| lines.iter().find(|(name, _)| *name == wanted).map(|(_, hash)| hash);
    assert!(at_run_time.clone().count() > 20);
    for (name, hash) in at_run_time.clone() {
        assert_eq!(Some(hash), typed(name), "{name}");
    }
    // And no training is left out.
    for (name, _) in lines.iter().filter(|(name, _)| name.starts_with("train ")) {
        assert!(at_run_time.clone().any(|(other, _)| other == *name), "{name} at run time");
    }
}

#[test]
fn a_checkpoint_has_its_recorded_bytes() {
    let (mut model, mut trainer) = (Reviews::zeroed(), reviews::trainer());
    reviews::train(&mut model, &mut trainer).expect("valid reviews");
    let mut bytes = vec![0; ReviewsTrainer::CHECKPOINT_SIZE];
    trainer.checkpoint(&model, &mut bytes).expect("the right length");
    let recorded = recorded("reviews.checkpoint", &bytes);
    assert!(bytes == recorded, "a checkpoint has other bytes");
    let (mut same, mut resumed) = (Reviews::zeroed(), reviews::trainer());
    resumed.resume(&mut same, &recorded).expect("the recorded checkpoint");
    assert_eq!((resumed.steps(), resumed.epochs()), (trainer.steps(), trainer.epochs()));
    assert_eq!(same.first.rows, model.first.rows);
}

#[test]
fn a_vocabulary_has_its_recorded_bytes() {
    let mut counts = WordCounts::<100, 1000>::new();
    for review in REVIEWS {
        counts.fit(text_to_word_sequence::<Ascii>(review)).expect("room for all words");
    }
    let mut vocabulary = Vocabulary::<100, 1000>::new();
    vocabulary.adapt(&mut counts, VocabularyOptions::default()).expect("room for all words");
    let mut bytes = Vec::new();
    Bytes::visit(&vocabulary, &mut |part| bytes.extend_from_slice(part));
    assert!(bytes == recorded("reviews.vocabulary", &bytes), "a vocabulary has other bytes");
}
