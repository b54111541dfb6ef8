//! The best model that fits into so many bytes: candidates of several forms are trained, and tried on texts
//! that are held out.
//!
//! For each budget there are four rounds: every form with words and pairs; the three best with other n-grams;
//! the two best learnt longer, or pruned more or less; the three best from other initial values and with other
//! texts held out, whose means decide. A round that is cut short by the time leaves those that were tried
//! before.

mod candidate;
mod curve;
mod pool;

pub(crate) use candidate::{Candidate, Frame, Split, Task};
pub(crate) use curve::{Point, curve};

use crate::failure::Failure;
use candidate::{FORMS, TEXTS};
use pool::Pool;
use std::time::{Duration, Instant};

/// The smallest budget of a curve, and how often the next one is the double.
const SMALLEST: usize = 8 << 10;
const DOUBLINGS: u32 = 5;

/// The part of the time that the first three rounds have.
const FIRST_ROUNDS: f64 = 0.7;

/// A candidate, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) candidate: Candidate,
    /// The measure of each training: from other initial values, or with other texts held out.
    scores: Vec<f64>,
    /// Where the random numbers of its first training started.
    pub(crate) seed: u64,
    pub(crate) bytes: usize,
}

impl Tried {
    /// Whether it is a mean of several trainings.
    fn is_sure(&self) -> bool {
        self.scores.len() > 1
    }

    /// The mean of the measure on the texts that are held out.
    pub(crate) fn score(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len().max(1) as f64
    }
}

/// The budgets of a curve that ends with this one: powers of two from 8 KiB on, or the last doublings below it.
pub(crate) fn budgets(flash: usize) -> Vec<usize> {
    let mut budgets = vec![flash];
    let mut next = flash.checked_next_power_of_two().unwrap_or(flash) / 2;
    while budgets.len() <= DOUBLINGS as usize && next >= SMALLEST {
        budgets.push(next);
        next /= 2;
    }
    budgets
}

/// The best candidate of each budget, the greatest budget first. The time is that of all; half of it is for the
/// greatest budget.
pub(crate) fn search(
    task: &Task<'_>,
    budgets: &[usize],
    time: Duration,
    threads: usize,
    show: &(dyn Fn(&Tried) + Sync),
) -> Result<Vec<Option<Tried>>, Failure> {
    let start = Instant::now();
    let mut best: Vec<Option<Tried>> = Vec::new();
    for (number, budget) in budgets.iter().enumerate() {
        let share = (number + 2) as f64 / (budgets.len() + 1) as f64;
        let deadline = start + time.mul_f64(if budgets.len() == 1 { 1.0 } else { share });
        let pool = Pool { task, threads, deadline, show };
        best.push(of_budget(&pool, Instant::now(), *budget)?);
    }
    // What fits into a small budget fits into a greater one. One lucky training says little.
    for number in (1..best.len()).rev() {
        let smaller = best.get(number).cloned().flatten();
        if let (Some(small), Some(great)) = (smaller, best.get_mut(number - 1))
            && great
                .as_ref()
                .is_none_or(|great| small.is_sure() >= great.is_sure() && small.score() > great.score())
        {
            *great = Some(small);
        }
    }
    Ok(best)
}

fn of_budget(pool: &Pool<'_>, start: Instant, budget: usize) -> Result<Option<Tried>, Failure> {
    // The last round gets its share.
    let time = pool.deadline.saturating_duration_since(start);
    let pool = &Pool { deadline: start + time.mul_f64(FIRST_ROUNDS), ..*pool };
    let last = Pool { deadline: start + time, ..*pool };
    let fitting = |candidate: Candidate| candidate.fitting(budget, &pool.task.frame);
    let first = FORMS.iter().filter_map(|form| fitting(Candidate::new(*form, TEXTS[0])));
    let mut tried = pool.try_all(&first.collect::<Vec<_>>(), 1, true)?;
    rank(&mut tried);

    let of_texts = |of: &Tried| {
        let form = of.candidate.form;
        TEXTS[1..].iter().filter_map(move |text| fitting(Candidate::new(form, *text))).collect::<Vec<_>>()
    };
    let second: Vec<_> = tried.iter().take(3).flat_map(of_texts).collect();
    tried.extend(pool.try_all(&second, 1, false)?);
    rank(&mut tried);

    let variants = |of: &Tried| of.candidate.variants().into_iter().filter_map(fitting).collect::<Vec<_>>();
    let third: Vec<_> = tried.iter().take(2).flat_map(variants).collect();
    tried.extend(pool.try_all(&third, 1, false)?);
    rank(&mut tried);

    let finalists: Vec<Candidate> = tried.iter().take(3).map(|tried| tried.candidate).collect();
    for seed in [2, 3] {
        let again = last.try_all(&finalists, seed, false)?;
        // Means of as many trainings each, or none.
        if again.len() < finalists.len() {
            break;
        }
        for (tried, again) in tried.iter_mut().zip(again) {
            tried.scores.extend(again.scores);
        }
    }
    tried.truncate(3);
    rank(&mut tried);
    Ok(tried.into_iter().next())
}

/// The best first; of equal ones the smaller, then the earlier.
fn rank(tried: &mut [Tried]) {
    tried.sort_by(|a, b| b.score().total_cmp(&a.score()).then(a.bytes.cmp(&b.bytes)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_ends_with_the_budget() {
        assert_eq!(budgets(64 << 10), [64 << 10, 32 << 10, 16 << 10, 8 << 10]);
        assert_eq!(budgets(20 << 10), [20 << 10, 16 << 10, 8 << 10]);
        assert_eq!(budgets(1000), [1000]);
        assert_eq!(budgets(1 << 20).len(), 6);
        assert_eq!(budgets(usize::MAX).first(), Some(&usize::MAX));
    }
}
