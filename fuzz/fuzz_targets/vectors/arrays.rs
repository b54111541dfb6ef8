//! npy, npz and safetensors: no bytes make a reader panic or take more memory than they are worth; each array has as many numbers as its
//! shape says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nanoembed::weights::{Array, Arrays, Npz, SafeTensors};
use std::io::Cursor;

fn check(array: &Array) {
    assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
}

fn check_all(arrays: &mut impl Arrays) {
    for key in ["a", "b", "arr_0", "rows", "table", "embeddings"] {
        let shape = arrays.shape(key);
        if let Ok(Some(array)) = arrays.array(key) {
            assert_eq!(shape.ok().flatten().as_ref(), Some(&array.shape));
            check(&array);
        }
    }
    assert!(!matches!(arrays.array("no array has this name"), Ok(Some(_))));
}

fuzz_target!(|data: &[u8]| {
    if let Ok(array) = Array::read_npy(data) {
        check(&array);
    }
    if let Ok(mut file) = Npz::new(Cursor::new(data)) {
        check_all(&mut file);
    }
    if let Ok(mut file) = SafeTensors::new(data) {
        check_all(&mut file);
    }
});
