//! What a user of a voice assistant wants: seven intents, in a model of the shape that learns the data set SNIPS. Its sentences
//! are made up.
//!
//! The host trains it and writes two images of it. The device opens either, whatever its type, or reads one by its type.
//!
//! Nothing here can panic.

use nanoembed::layers::{Activation, Dense, EmbeddingBag, Folded, I8Row, Packed, Softmax, U8Row};
use nanoembed::sequential;
use nanoembed::text::{Ascii, HashingTokenizer, NativeHash};

/// Ids of a text, at most: its words and its pairs of words.
pub const IDS: usize = 64;
pub const ROWS: usize = 2048;

type Table = EmbeddingBag<IDS, ROWS, 8>;
pub type Intents = sequential![Table, Dense<8, 7, Softmax>];
/// With rows of 8 bits.
pub type PackedIntents = sequential![Packed<Table, U8Row<8>, ROWS>, Dense<8, 7, Softmax>];

/// As one table of integers, without a Dense layer.
pub type FoldedIntents = sequential![Folded<[I8Row<7>; ROWS], 7>, Activation<[f32; 7], Softmax>];

/// Words and pairs of words.
pub const TOKENIZER: HashingTokenizer<NativeHash, Ascii, 2> =
    HashingTokenizer::for_table::<Intents>().word_ngrams();

pub const NAMES: [&str; 7] = [
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
];

/// The probability below which a text is none of them.
pub const THRESHOLD: f32 = 0.5;

/// A text of 16 words, by which others measure too.
pub const LONG_TEXT: &str = "This current essay should have a best rating of 6 and a rating value of three";

/// Texts that the model has not learnt, one for each intent, and one that is none of them.
pub const TEXTS: [&str; 8] = [
    "Add this album to my morning list!",
    "Reserve a table for two at an Italian place",
    "Will it be sunny in Lisbon on Sunday?",
    "Play a song by my favourite band",
    "I give this novel five stars",
    "Show me the trailer of that series",
    "When does the film start at the cinema?",
    "Ouch",
];
