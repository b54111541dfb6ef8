//! Vectors of words from text alone: skip-gram and the continuous bag of words (CBOW) with negative sampling,
//! as in word2vec (Mikolov et al., 2013).
//!
//! | family | items |
//! |---|---|
//! | what is learnt, and how | [`Settings`], [`Method`] |
//! | sentences of ids, and how often each occurs | [`Corpus`] |
//! | memory | [`Lengths`], [`Memory`] |
//! | the training | [`SkipGram`], its [`Tasks`], each a [`Task`] |
//! | handle an error | [`SkipGramError`] |
//!
#![cfg_attr(feature = "alloc", doc = "```")]
#![cfg_attr(not(feature = "alloc"), doc = "```ignore")]
//! use nanoembed::models::skip_gram::{Corpus, Memory, Settings, SkipGram, Task};
//! use nanoembed::table::{Aligned, TableMut};
//!
//! // Word 0 stands beside word 1, and word 2 beside word 3.
//! let (ids, offsets, counts) = ([0, 1, 0, 1, 2, 3, 2, 3], [0, 4, 8], [2, 2, 2, 2]);
//! let corpus = Corpus::new(&ids, &offsets, &counts)?;
//! let settings = Settings { dim: 8, sample: 0.0, epochs: 400, words: 8, ..Settings::default() };
//!
//! let lengths = settings.lengths(counts.len())?;
//! let mut lines = vec![Aligned([0.0; 16]); lengths.lines];
//! let (mut words, mut pairs) = (vec![0; lengths.words], vec![0; lengths.pairs]);
//! let memory = Memory { lines: &mut lines, words: &mut words, pairs: &mut pairs };
//! let mut training = SkipGram::new(settings, corpus, memory)?;
//! while let Some(tasks) = training.next_round() {
//!     tasks.for_each(Task::run); // or each on a thread of your own: the bits are the same
//! }
//!
//! let mut vectors = [[0.0; 8]; 4];
//! training.vectors(&mut TableMut::from_rows(&mut vectors))?;
//! let dot = |a: [f32; 8], b: [f32; 8]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
//! assert!(dot(vectors[0], vectors[1]) > dot(vectors[0], vectors[2]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is learnt
//! Each word has an input vector v, which is the word vector, and an output vector u. A word t of the corpus
//! and a word c of its window are a pair, which has k negatives nᵢ. Its loss goes down by a step of rate α:
//!
//! ```text
//! loss = -ln σ(v_c · u_t) - Σᵢ ln σ(-v_c · u_nᵢ)
//! g₀ = α (1 - σ(v_c · u_t));  gᵢ = α (0 - σ(v_c · u_nᵢ)),  0 if nᵢ is t
//! v_c += g₀ u_t + Σᵢ gᵢ u_nᵢ;  u_t += g₀ v_c;  u_nᵢ += gᵢ v_c
//! ```
//!
//! In a bag the mean of the v_c of the window stands for v_c, and each of them takes its change as it is. So do
//! the row of a word and those of its n-grams, if there are [any](Corpus::with_subwords), as in fastText
//! (Bojanowski et al., 2017): their mean is v_c.
//!
//! | choice | formula |
//! |---|---|
//! | a word is kept with probability | √(s / f) + s / f, with f its share of all words and s = `sample` |
//! | words of a window, to either side | 1 to `window`, each as often, among the words of the sentence that are kept |
//! | a negative is word n with probability | count_n^0.75 / Σ count^0.75, over the words of the part of t |
//! | the rate | `learning_rate` (1 − words read / words to read), a ten-thousandth of it at least |
//! | first values | v even in ±½ / dim, rows of n-grams too, u zero |
//!
//! σ is [`math::sigmoid`](crate::math::sigmoid), not a table of it as in word2vec. There is no hierarchical
//! softmax.
//!
//! # The same bits on any number of threads
//! The vocabulary is cut into P [parts](Settings::parts): word i is in part i % P. A round finds the pairs of
//! the next P · [`words`](Settings::words) words, and sorts them by the parts of their two words. Then there
//! are P rounds. In round r task i learns from the pairs whose input is in part i and whose target in part (i
//! + r) % P, one after the other as they stand in the text. Its negatives are of the part of the target. So
//! no two tasks of a round touch a row of one table, nothing is added up that several have written, and no
//! row is read that is out of date: it is stochastic descent in another order. (Zhu et al., 2019, cut graphs
//! so.) What one task reads and writes is also a sixteenth of each table, which a cache holds. All draws
//! depend on the seed and the place of the word or pair alone.
//!
//! A vocabulary has a part for each 32 words at most. Bags have words of all parts, and n-grams are shared by
//! words of all parts, so these are one task a round. A sentence that reaches over the end of a shard of [`words`](Settings::words) words is cut there.
//!
//! # Cost
//! For V words of ⌈dim / 16⌉ lines of 64 bytes: 128 V ⌈dim / 16⌉ bytes of tables, 12 V bytes for the words,
//! and at most 8 P `words` (2 `window` + 1) for pairs, of which those that occur are touched. A pair takes 6
//! (k + 1) dim products and sums.

mod corpus;
mod error;
mod find;
mod learn;
mod memory;
mod settings;
mod training;
mod unigrams;

pub use corpus::Corpus;
pub use error::SkipGramError;
pub use memory::{Lengths, Memory};
pub use settings::{Method, Settings};
pub use training::{SkipGram, Task, Tasks};
