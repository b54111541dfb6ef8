//! What a person sees of a training: a bar on the terminal, a line for each epoch.

use crate::failure::{Failure, Kind};
use crate::history::Epoch;
use crate::training::{Judged, Watch};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nanoembed::train::Report;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether the training is to end: Ctrl-C was pressed.
static ENDED: AtomicBool = AtomicBool::new(false);

/// Ends trainings at Ctrl-C, and the program at the second one.
pub(crate) fn end_at_interrupt() -> Result<(), Failure> {
    let handler = || {
        if ENDED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|error| Failure::new(Kind::Training, format!("Ctrl-C: {error}")))
}

/// Whether Ctrl-C was pressed.
pub(crate) fn was_ended() -> bool {
    ENDED.load(Ordering::Relaxed)
}

/// Goes on after Ctrl-C, with what is still to be done.
pub(crate) fn go_on() {
    ENDED.store(false, Ordering::Relaxed);
}

/// A bar, with loss, accuracy, words a second and time left.
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    shown: Instant,
    words_per_example: f64,
    /// Examples of the epochs before this one.
    examples: usize,
    epochs: Vec<Epoch>,
    quiet: bool,
}

impl Progress {
    /// For so many epochs of examples, which have so many words together.
    pub(crate) fn new(epochs: u32, examples: usize, words: u64, quiet: bool) -> Result<Self, Failure> {
        let bar = ProgressBar::new(u64::from(epochs) * examples as u64);
        if quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {eta} left  {msg}");
        bar.set_style(style.map_err(|error| Failure::new(Kind::Training, error))?);
        let (start, shown) = (Instant::now(), Instant::now());
        let words_per_example = words as f64 / examples.max(1) as f64;
        Ok(Self { bar, start, shown, words_per_example, examples: 0, epochs: Vec::new(), quiet })
    }

    /// Words of so many examples.
    pub(crate) fn words(&self, examples: usize) -> f64 {
        self.words_per_example * examples as f64
    }

    /// Words learnt from in a second.
    fn words_per_second(&self, examples: usize) -> f64 {
        self.words(examples) / self.start.elapsed().as_secs_f64().max(1e-9)
    }

    /// Examples learnt from.
    pub(crate) fn examples(&self) -> usize {
        self.examples
    }

    /// The epochs that have ended.
    pub(crate) fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    fn after_step(&mut self, epoch: u32, so_far: Report) -> bool {
        if self.shown.elapsed() >= Duration::from_millis(100) {
            self.shown = Instant::now();
            let examples = self.examples + so_far.examples;
            self.bar.set_position(examples as u64);
            let speed = self.words_per_second(examples) / 1e6;
            let Report { loss, accuracy, .. } = so_far;
            self.bar.set_message(format!(
                "epoch {epoch}  loss {loss:.4}  accuracy {accuracy:.4}  {speed:.2} M words/s"
            ));
        }
        was_ended()
    }

    fn after_epoch(&mut self, epoch: u32, learnt: Report, held_out: Option<Judged>) {
        self.examples += learnt.examples;
        self.epochs.push(Epoch::new(epoch, learnt, held_out));
        if self.quiet {
            return;
        }
        let mut line = format!("epoch {epoch:2}  loss {:.4}  accuracy {:.4}", learnt.loss, learnt.accuracy);
        if let Some(Judged { report: Report { loss, accuracy, .. }, macro_f1 }) = held_out {
            line.push_str(&format!(
                "  held out: loss {loss:.4}  accuracy {accuracy:.4}  macro-F1 {macro_f1:.4}"
            ));
        }
        self.bar.suspend(|| eprintln!("{line}"));
    }
}
