//! Pipelines and names of classes from any bytes: what is read gives ids in its rows, fills what it is lent, and is written back as it
//! was; names are distinct and found.
//!
//! Bytes: what they are, the length of the text, the text, then the bytes of a pipeline, or of a section of classes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanoembed::image::Classes;
use nanoembed::text::Pipeline;
use nanoembed::zerocopy::IntoBytes;

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, length], rest)) = data.split_first_chunk() else { return };
    let (text, bytes) = rest.split_at(usize::from(length).min(rest.len()));
    let text = String::from_utf8_lossy(text);
    let mut memory = vec![0_u64; bytes.len().div_ceil(8) + 1];
    let shift = if kind & 2 == 0 { 0 } else { usize::from(kind >> 2) % 4 };
    let aligned = &mut memory.as_mut_bytes()[shift..][..bytes.len()];
    aligned.copy_from_slice(bytes);
    if kind & 1 == 0 { pipeline(aligned, &text) } else { classes(aligned, &text) }
});

fn pipeline(bytes: &[u8], text: &str) {
    let pipeline = match Pipeline::read(bytes) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut written = vec![7; pipeline.encoded_size()];
    pipeline.write(&mut written).expect("its own size");
    assert_eq!(written, bytes, "each pipeline has one form");
    assert!(pipeline.is_written_as(bytes));
    for cut in 0..bytes.len() {
        assert!(!pipeline.is_written_as(&bytes[..cut]));
    }

    let mut ids = Vec::new();
    pipeline.for_each_id(text, |id| ids.push(id));
    assert!(ids.iter().all(|id| *id > 0 && u64::from(*id) < pipeline.rows()));
    let length = pipeline.ids().map_or(5, |length| length.get() as usize);
    if length > 1 << 16 {
        return;
    }
    let mut out = vec![9; length + 1];
    if pipeline.ids().is_some() {
        assert!(pipeline.encode_into(text, &mut out).is_err());
        assert!(out.iter().all(|id| *id == 9), "nothing is written");
    }
    let (sentinel, out) = out.split_last_mut().expect("one more");
    assert_eq!(pipeline.encode_into(text, out), Ok(ids.len()));
    assert_eq!(*sentinel, 9);
    // A run of the ids, and the rest padding.
    let kept = ids.len().min(length);
    assert!(kept == 0 || ids.windows(kept).any(|run| out.starts_with(run) || out.ends_with(run)));
    if pipeline.ids().is_some() {
        assert_eq!(out.iter().filter(|id| **id == 0).count(), length - kept);
    }
}

fn classes(bytes: &[u8], text: &str) {
    let classes = match Classes::read(bytes) {
        Ok(classes) => classes,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert!((0.0..=1.0).contains(&classes.threshold()));
    assert!(classes.len() > 0);
    assert_eq!(classes.iter().count(), classes.len());
    for (class, name) in classes.iter().enumerate() {
        assert!(!name.is_empty());
        assert_eq!((classes.name(class), classes.position(name)), (Some(name), Some(class)));
    }
    assert_eq!((classes.name(classes.len()), classes.name(usize::MAX)), (None, None));
    assert_eq!(classes.position(text), classes.iter().position(|name| name == text));
}
