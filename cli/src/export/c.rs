//! An image as an array of C.

/// Bytes of a line.
const LINE: usize = 16;

/// A header file with the bytes of an image, aligned as `nanoembed::image::read` needs them.
pub(crate) fn array(name: &str, image: &[u8]) -> String {
    let name = identifier(name);
    let mut out = format!(
        "// An image of nanoembed, {0} bytes.\n#pragma once\n#include <stdalign.h>\n\n\
         #define {1}_LENGTH {0}u\n\nalignas(64) static const unsigned char {name}[{0}] = {{\n",
        image.len(),
        name.to_ascii_uppercase()
    );
    for line in image.chunks(LINE) {
        out.push_str("   ");
        for byte in line {
            out.push_str(&format!(" 0x{byte:02x},"));
        }
        out.push('\n');
    }
    out.push_str("};\n");
    out
}

/// A name in C: letters, digits and underscores, no digit first.
fn identifier(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_numbers() {
        let header = array("7 words.nemb", &[0, 255, 16]);
        assert!(header.contains("#define _7_WORDS_NEMB_LENGTH 3u"), "{header}");
        assert!(header.contains("_7_words_nemb[3] = {\n    0x00, 0xff, 0x10,\n};\n"), "{header}");
    }
}
