//! numpy's files: the shapes that numpy reads, and objects, which are refused.

use super::message;
use nanoembed::weights::Array;

/// An npy file of version 1, 2 or 3.
fn npy(version: u8, header: &str, numbers: usize) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    let length = if version == 1 { &length[..2] } else { &length };
    [b"\x93NUMPY", [version, 0].as_slice(), length, header.as_bytes(), &vec![0; numbers * 4]].concat()
}

#[test]
fn shapes_of_npy_files_are_those_that_numpy_reads() {
    let read = |version, shape: &str| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        Array::read_npy(npy(version, &header, 4).as_slice()).map(|array| array.shape)
    };
    // As numpy 2.4 reads them; Python 2 wrote `(2L, 2L)` on Windows.
    for version in 1..=3 {
        assert_eq!(read(version, "(4,)"), Ok(vec![4]));
        assert_eq!(read(version, "(2, 2)"), Ok(vec![2, 2]));
        assert_eq!(read(version, "( 2,2 , )"), Ok(vec![2, 2]));
        for (shape, found) in [("(2L, 2L)", vec![2, 2]), ("(4L,)", vec![4]), ("(1, 4L)", vec![1, 4])] {
            assert_eq!(read(version, shape).ok(), (version < 3).then_some(found), "{version}: {shape}");
        }
        for shape in [
            "(4)", "(4L)", "(,)", "(2,,2)", "(04,)", "(4l,)", "(2 2)", "(4LL,)", "(L,)", "(2, 2L", "4", "[4]",
        ] {
            let error = "byte 0: expected the header of an npy file of floats";
            assert_eq!(message(read(version, shape)), error, "{version}: {shape}");
        }
    }
    // Commas of the dictionary.
    for header in [
        "{'descr': '<f4' 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4',, 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4', 'fortran_order': False 'shape': (4,)}",
    ] {
        assert!(Array::read_npy(npy(1, header, 4).as_slice()).is_err(), "{header}");
    }
}

#[test]
fn npy_files_of_objects_say_so() {
    // numpy.save of a dictionary of words and vectors.
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }";
    let error = Array::read_npy(npy(1, header, 4).as_slice()).map(drop);
    assert_eq!(message(error), "Python objects, a pickle within the npy file: not supported");
}
