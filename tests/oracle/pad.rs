//! Keras' `pad_sequences`.

use crate::fixture::{Array, Fixture, integers, list, number};
use nanoembed::internals::longest;
use nanoembed::text::{Padding, Truncating, pad_sequences};

pub(crate) fn pad(fixture: &Fixture) {
    let sequences: Vec<Vec<f32>> = list(&fixture.0["sequences"])
        .iter()
        .map(|sequence| integers(sequence).into_iter().map(|item| item as f32).collect())
        .collect();
    for case in list(&fixture.0["cases"]) {
        let maxlen = case["maxlen"].as_u64().map_or(longest(&sequences), |maxlen| maxlen as usize);
        let padding = match case["padding"].as_str() {
            Some("pre") => Padding::Pre,
            Some("post") => Padding::Post,
            other => panic!("padding {other:?}"),
        };
        let truncating = match case["truncating"].as_str() {
            Some("pre") => Truncating::Pre,
            Some("post") => Truncating::Post,
            other => panic!("truncating {other:?}"),
        };
        let expected = Array::read(&case["result"]);
        assert_eq!(expected.shape, [sequences.len(), maxlen]);
        let mut found = vec![f32::NAN; sequences.len() * maxlen];
        pad_sequences(&sequences, maxlen, padding, truncating, number(&case["value"]), &mut found)
            .expect("the shapes agree");
        assert_eq!(found, expected.data, "{maxlen} {padding:?} {truncating:?}");
    }
}
