//! Fixtures computed by Keras, PyTorch and others, held against this crate.
//!
//! They are read from the folder named by `NANOEMBED_ORACLE`, by default `tests/oracle`. A fixture whose part of the crate does
//! not exist yet is printed as `NOT COVERED`.

#[path = "oracle/embedding.rs"]
mod embedding;
#[path = "oracle/fixture.rs"]
mod fixture;

use fixture::Fixture;

type Check = fn(&Fixture);

/// The fixtures that are held, by file name, and the check of each.
const COVERED: &[(&str, Check)] = &[("embedding_forward_grad_keras", embedding::forward_and_gradient)];

#[test]
fn fixtures_hold() {
    let mut failed = Vec::new();
    for path in fixture::all() {
        let name =
            path.file_stem().and_then(|stem| stem.to_str()).expect("a fixture has a UTF-8 name").to_owned();
        match COVERED.iter().find(|(covered, _)| *covered == name) {
            None => println!("NOT COVERED {name}"),
            Some((_, check)) => {
                let fixture = Fixture::read(&path);
                match std::panic::catch_unwind(|| check(&fixture)) {
                    Ok(()) => println!("ok {name}"),
                    Err(_) => failed.push(name),
                }
            }
        }
    }
    assert!(failed.is_empty(), "fixtures that do not hold: {failed:?}");
}
