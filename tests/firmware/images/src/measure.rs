//! What an image took: stack and instructions; and the answers of the images that open a model whatever its type.

use super::platform::{PAINT, exit, instructions, stack};
use super::{print, print_hash, print_number};
use core::hint::black_box;
use nanoembed::models::{Classifier, Kinds, Workspace, open};
use nanoembed::text::TextKinds;
use shared::intents::{IDS, LONG_TEXT, TEXTS};

/// Ends the emulator after the stack that was used and the instructions that a prediction took; without these nothing went well.
pub fn report(count: Option<u32>) -> ! {
    print_number("stack bytes", stack_used());
    print_number("instructions for a prediction", count.unwrap_or_default());
    exit(count.is_some())
}

/// Bytes of stack that were ever in use: the start-up code painted it all.
pub fn stack_used() -> u32 {
    let [mut word, end] = stack();
    // SAFETY: these words are RAM between the last static and the start of the stack; reads beyond the stack pointer are of paint.
    while word < end && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    (end.addr() - word.addr()) as u32
}

/// Opens an image of intents, prints the answer to each text as the host does; gives the instructions that a text of 16 words takes.
#[inline(never)]
pub fn answer<K: Kinds, T: TextKinds>(rows: &str, image: &[u8]) -> Option<u32> {
    let classifier = Classifier::<K, T>::with_text(open(image).ok()?).ok()?;
    let (mut ids, mut numbers) = ([0; IDS], [0.0; 32]);
    let mut workspace = Workspace { numbers: &mut numbers, masks: &mut [] };
    for text in TEXTS {
        let answer = classifier.classify(text, &mut ids, &mut workspace).ok()?;
        let (name, probability) = answer.map_or(("none", 0.0), |answer| (answer.name, answer.probability));
        print(rows);
        print(" ");
        print_hash(name, probability.to_bits().into());
    }
    let mut found = None;
    let count = instructions(|| {
        found = classifier.classify(black_box(LONG_TEXT), &mut ids, &mut workspace).ok().flatten();
    });
    found.map(|_| count)
}
