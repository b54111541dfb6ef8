//! Files of another kind: a reader says what it found and what reads it.

use super::{binary, binary_file, message, rows, with_header, without_header};
use nanoembed::internals::FileKind;
use nanoembed::vectors::{BinaryVectors, TextVectors};
use nanoembed::weights::{Array, Npz, SafeTensors};
use std::io::Cursor;

/// The bytes that files of other kinds start with, and the kind.
fn others() -> Vec<(&'static [u8], FileKind, &'static str)> {
    vec![
        (b"", FileKind::Empty, "an empty file"),
        // GoogleNews-vectors-negative300.bin.gz, with its `.gz` taken from the name.
        (
            b"\x1f\x8b\x08\x08\x12\x34\x56\x78\x00\x03GoogleNews\0\xec\x9a",
            FileKind::Gzip,
            "a gzip file: decompress it",
        ),
        // wikipedia2vec's are compressed so.
        (b"BZh91AY&SY\x8f\x9c\x03\x00\n\x10", FileKind::Bzip2, "a bzip2 file: decompress it"),
        (b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46", FileKind::Xz, "an xz file: decompress it"),
        (b"\x28\xb5\x2f\xfd\x04\x88\x01\x02\n\x03", FileKind::Zstd, "a zstd file: decompress it"),
        (
            b"PK\x03\x04\x14\0\0\0\x08\0glove.6B.50d.txt",
            FileKind::Zip,
            "a zip archive: Npz reads it if it is numpy's, else unpack it",
        ),
        // cc.en.300.bin
        (
            b"\xba\x16\x4f\x2f\x0c\0\0\0\x2c\x01\0\0\x05\0\0\0",
            FileKind::FastText,
            "fastText's .bin: FastText reads it, and its vectors are in the .vec file",
        ),
        (
            b"\x80\x04\x95\x1a\0\0\0\0\0\0\0}\x94(\x8c\x01a",
            FileKind::Pickle,
            "a Python pickle: save the arrays as npz or safetensors",
        ),
        (
            b"\x80\x02}q\0(X\x01\0\0\0aq\x01G",
            FileKind::Pickle,
            "a Python pickle: save the arrays as npz or safetensors",
        ),
        (
            b"\x89HDF\r\n\x1a\n\0\0\0\0",
            FileKind::Hdf5,
            "an HDF5 file (.h5): save the arrays as npz or safetensors",
        ),
        (b"\x93NUMPY\x01\0\x76\0{'descr': '<i4', 'fortran", FileKind::Npy, "an npy file: read_npy reads it"),
        (
            b"\x0a\0\0\0\0\0\0\0{\"a\":nope}",
            FileKind::SafeTensors,
            "a safetensors file: SafeTensors reads it",
        ),
        // What PowerShell's `>` makes of a text.
        (b"\xff\xfea\0 \x001\0 \x002\0\r\0\n\0", FileKind::Utf16, "text in UTF-16: save it as UTF-8"),
        // Google Drive's notice in place of a large file.
        (
            b"<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title>",
            FileKind::Html,
            "a web page: download the file again",
        ),
        // A clone without `git lfs`.
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 990000\n",
            FileKind::GitLfs,
            "a pointer of Git LFS: get the file itself by `git lfs pull`",
        ),
        (
            b"3000000 300\n</s> \x00\x3c\x93\x3a\x00",
            FileKind::Word2Vec,
            "word2vec's binary file: BinaryVectors reads it",
        ),
    ]
}

#[test]
fn readers_of_the_wrong_kind_of_file_say_what_they_found() {
    for (bytes, kind, text) in others() {
        assert_eq!(FileKind::of(bytes), Some(kind));
        assert!(TextVectors::new(bytes).is_err(), "{kind:?}: known from the start");
        let errors = [
            ("with_header", TextVectors::with_header(bytes).and_then(rows).map(drop)),
            ("new", TextVectors::new(bytes).map(drop)),
            ("with_dim", rows(TextVectors::with_dim(bytes, 50)).map(drop)),
            ("binary", BinaryVectors::new(bytes).and_then(rows).map(drop)),
            ("npy", Array::read_npy(bytes).map(drop)),
            ("npz", Npz::new(Cursor::new(bytes)).map(drop)),
            ("safetensors", SafeTensors::new(bytes).map(drop)),
        ];
        for (reader, error) in errors {
            let right = matches!(
                (reader, kind),
                ("binary", FileKind::Word2Vec)
                    | ("npy", FileKind::Npy)
                    | ("npz", FileKind::Zip)
                    | ("safetensors", FileKind::SafeTensors)
            );
            let message = message(error);
            assert_ne!(message, "no error", "{reader}: {kind:?}");
            assert_eq!(message.ends_with(&format!("; the file is {text}")), !right, "{reader}: {message}");
        }
    }
    assert_eq!(FileKind::of(b"The film was flam.\n"), Some(FileKind::Text));
    assert_eq!(
        FileKind::of(format!("the{}\n", " 0.418".repeat(50)).as_bytes()),
        Some(FileKind::TextWithoutHeader)
    );
    assert_eq!(FileKind::of(b"\x7fELF\x02\x01\x01\0"), None);
    // Cut in the middle of a character.
    assert_eq!(FileKind::of(&"é".repeat(40).as_bytes()[..63]), Some(FileKind::Text));
}

#[test]
fn text_and_binary_of_word2vec_are_told_apart() {
    let text = format!("2 25\nthe{}\nof{}\n", " 0.418".repeat(25), " -0.5".repeat(25));
    let error = "byte 9: expected numbers of 4 bytes, not text; the file is text vectors under a header: \
                 TextVectors::with_header reads them";
    assert_eq!(message(binary(text.as_bytes())), error);
    let glove = text.split_once('\n').map_or("", |(_, rows)| rows);
    let error = "byte 0: expected the number of rows and the dim, two whole numbers; \
                 the file is text vectors without a header: TextVectors::new reads them";
    assert_eq!(message(binary(glove.as_bytes())), error);
    let file = binary_file(&["the", "of", "and"], 25, 1, "\n");
    for error in [with_header(&file), without_header(&file)] {
        let error = message(error);
        assert!(error.ends_with("; the file is word2vec's binary file: BinaryVectors reads it"), "{error}");
    }
}
