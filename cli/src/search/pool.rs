//! Candidates that are tried by several threads.

use super::candidate::Task;
use super::{Candidate, Tried};
use crate::failure::Failure;
use crate::progress;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

/// Who tries candidates, and until when.
pub(super) struct Pool<'a> {
    pub(super) task: &'a Task<'a>,
    pub(super) threads: usize,
    /// No candidate is begun after it.
    pub(super) deadline: Instant,
    pub(super) show: &'a (dyn Fn(&Tried) + Sync),
}

impl Pool<'_> {
    /// Trains all candidates; those that the time was too short for are left out. The order is theirs, whatever the
    /// number of threads. If one must be tried, the first has all the time that it needs.
    pub(super) fn try_all(
        &self,
        candidates: &[Candidate],
        seed: u64,
        must: bool,
    ) -> Result<Vec<Tried>, Failure> {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(candidate) = candidates.get(number) else { return };
                let is_late = Instant::now() >= self.deadline && !(must && number == 0);
                if is_late || progress::was_ended() {
                    return;
                }
                let result = self.task.try_one(*candidate, seed).transpose();
                let Some(result) = result else { return };
                if let Ok(tried) = &result {
                    (self.show)(tried);
                }
                if let Ok(mut results) = results.lock() {
                    results.push((number, result));
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.threads.min(candidates.len()) {
                scope.spawn(work);
            }
        });
        let mut results = results.into_inner().unwrap_or_default();
        results.sort_by_key(|(number, _)| *number);
        results.into_iter().map(|(_, result)| result).collect()
    }
}
