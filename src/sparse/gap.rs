//! The sum of the steps that a row without a gradient has missed, in place of the steps.
//!
//! The formula, how it is computed, and how large its error is, are told at [`Summed`].

use super::catch_up::RECENT;
use super::{Moves, Replay, State, UpdateRule};
use crate::math;

/// An optimizer whose steps without a gradient can be added up for all columns of a row at once.
///
/// # How it is computed
/// A row has the moments m and v after step t, and no gradient in the k steps from then on. In the j-th of
/// them the moments are m · `beta_1`ʲ and v · `beta_2`ʲ, so a column moves by
///
/// ```text
/// Σ_j  rate(t+j) · beta_1ʲ · m / (A(j) · s + ε)        s = √v,  A(j) = scale(t+j) · beta_2^(j/2)
/// ```
///
/// All but m and s are the same for all columns. Let S = Σ w(j) with w(j) = rate(t+j) · `beta_1`ʲ, let a be
/// the mean of A by the weights w, and u = a s / (a s + ε), which lies in [0, 1]. Then the sum is
///
/// ```text
/// m · S / (a s + ε) · P(u)          P(u) = Σ_j w(j) / S / (1 + x(j) u),  x(j) = A(j) / a − 1
///                                        = 1 + c₂ u² + c₃ u³ + …         c_n = (−1)ⁿ · mean of xⁿ
/// ```
///
/// The mean of x is 0, and so the term of u is. It holds for every ratio of ε and s. P(1) is known as well:
/// it is the mean of 1 / (1 + x). The series ends with u⁶, and c₆ is chosen so that P(1) is right. What is
/// left of the error is a twelfth of what lies beyond u⁶. A gap whose A(j) differ too much for that is
/// replayed, step by step ([`Replay`]).
///
/// The weighted sums of A⁻¹, 1, A, … A⁶ come from one another: with one step more at the front of the gap,
///
/// ```text
/// Σ w Aⁿ  ←  (Σ w Aⁿ + rate(t) · scale(t)ⁿ) · beta_1 · beta_2^(n/2)
/// ```
///
/// So the sums of all gaps that end with the same step are made in one walk backwards, in `f64`. They are a
/// pure function of the two steps, and nothing is kept from call to call.
///
/// Where weights decay as well, a rate counts for what the later steps leave of it.
///
/// # Cost
/// A root, a division and some twenty multiplications and additions a column, however long the gap. Sixteen
/// multiplications a step for the sums of the gaps up to 256 steps (32 on small processors), once for all
/// rows of a call. A longer gap costs a walk of its own: over as many steps as it takes `beta_1`ʲ /
/// `beta_2^(j/2)` to vanish, some 360 for Adam's defaults. Where weights decay, over all steps.
///
/// ```
/// use nanoembed::{optim::{Adam, Epsilon}, sparse::Summed};
/// let adam = Adam { learning_rate: 0.01, epsilon: Epsilon::OutsideCorrectedRoot(1e-8), ..Adam::default() };
/// assert_eq!(adam.factors().epsilon, Some(1e-8));
/// // The step after the powers of the betas have vanished.
/// assert_eq!(adam.scalars(1_000_000, [0.0, 0.0]), [f64::from(0.01_f32), 1.0]);
/// // A root with epsilon inside has no such sum: rows are replayed.
/// assert_eq!(Adam { epsilon: Epsilon::InsideRoot(1e-7), ..adam }.factors().epsilon, None);
/// ```
pub trait Summed: Replay {
    /// What a step without a gradient multiplies, and what stays.
    fn factors(&self) -> Factors;

    /// `[rate, scale]` of step `number`, whose powers `[beta_1ᵗ, beta_2ᵗ]` these are.
    fn scalars(&self, number: u32, powers: [f64; 2]) -> [f64; 2];

    /// What part of its weights a row loses in step `number`, before it moves.
    #[inline]
    fn lost(&self, number: u32) -> f64 {
        let _ = number;
        0.0
    }

    /// How far the steps of a gap move a weight downwards, whose state is that before the gap.
    fn distance(gap: &Gap<StateOf<Self>>, state: &StateOf<Self>) -> f32;
}

/// The state that an optimizer keeps for a number.
pub(super) type StateOf<O> = <<O as Replay>::Step as UpdateRule>::State;

/// What a step without a gradient does to the two factors of a distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// What it multiplies the numerator by: `beta_1`.
    pub beta_1: f32,
    /// The base of the second power that [`Summed::scalars`] is told.
    pub beta_2: f32,
    /// What it multiplies the root by: √`beta_2`; 1 for a root that stays.
    pub root: f64,
    /// What is added to the root, at least 1e-30; or the optimizer's steps have no such sum.
    pub epsilon: Option<f32>,
}

/// What the steps of a gap come to, the same for all columns.
#[derive(Clone, Copy, Debug)]
pub struct Gap<S> {
    sum: f32,
    mean: f32,
    epsilon: f32,
    /// c₂ to c₆.
    series: [f32; 5],
    /// What part of the weight is lost.
    pub(super) lost: f32,
    /// What the state is multiplied by.
    pub(super) decay: S,
}

impl<S> Gap<S> {
    /// The distance for the moments m and v.
    #[inline(always)]
    pub(crate) fn of_moments(&self, m: f32, v: f32) -> f32 {
        let [c2, c3, c4, c5, c6] = self.series;
        let root = self.mean * math::sqrt(v);
        let inverse = 1.0 / (root + self.epsilon);
        let u = root * inverse;
        let series = 1.0 + u * u * (c2 + u * (c3 + u * (c4 + u * (c5 + u * c6))));
        // In this order a small m keeps its bits.
        m * (self.sum * inverse * series)
    }
}

/// How many sums are kept: of A⁻¹, 1, A, … A⁶.
const SUMS: usize = 8;
/// Every how many steps the powers of the betas are computed anew.
const ANEW: u32 = 16;
/// How far P(1) may be from the series up to u⁶.
const REST: f64 = 4e-6;
/// How large the mean of x⁶ may be, whose terms have one sign.
const SPREAD: f64 = 5e-6;

/// xⁿ, for n > 0 by squaring.
pub(crate) fn power(mut x: f64, mut n: u32) -> f64 {
    let mut power = 1.0;
    while n > 0 {
        if n % 2 == 1 {
            power *= x;
        }
        x *= x;
        n /= 2;
    }
    power
}

/// The powers of the numbers of a state, each rounded once.
pub(super) fn powers<S: State>(state: S, n: u32) -> S {
    state.zip_with(state, |x, _| power(f64::from(x), n) as f32)
}

/// 1 / x, and 0 for 0.
fn inverse(x: f64) -> f64 {
    if x > 0.0 { 1.0 / x } else { 0.0 }
}

/// The sums over the steps from one on to the end of a gap, and a walk backwards.
#[derive(Clone, Copy)]
struct Walk {
    /// The step that comes next.
    step: u32,
    sums: [f64; SUMS],
    /// What a step more at the front multiplies the sums by.
    by: [f64; SUMS],
    /// What the steps after `step` leave of a weight.
    left: f64,
    betas: [f64; 2],
    inverses: [f64; 2],
    powers: [f64; 2],
}

impl Walk {
    /// Nothing yet, of gaps that end with step `until`.
    fn new(factors: Factors, until: u32) -> Self {
        let betas = [factors.beta_1, factors.beta_2].map(f64::from);
        let [beta_1, _] = betas;
        let mut by = [beta_1 / factors.root; SUMS];
        let mut of_power = beta_1;
        for by in by.iter_mut().skip(1) {
            *by = of_power;
            of_power *= factors.root;
        }
        let powers = betas.map(|beta| power(beta, until));
        Self { step: until, sums: [0.0; SUMS], by, left: 1.0, betas, inverses: betas.map(inverse), powers }
    }

    /// Takes the step before into the gap.
    #[inline]
    fn back<O: Summed>(&mut self, optimizer: &O) {
        if self.step.is_multiple_of(ANEW) {
            self.powers = self.betas.map(|beta| power(beta, self.step));
        }
        let [rate, scale] = optimizer.scalars(self.step, self.powers);
        // Of A⁻¹, where the scale is not 1.
        let mut of_power = self.left * rate * inverse(scale);
        for (sum, by) in self.sums.iter_mut().zip(&self.by) {
            *sum = (*sum + of_power) * by;
            of_power *= scale;
        }
        if matches!(O::MOVES, Moves::Every) {
            self.left *= 1.0 - optimizer.lost(self.step);
        }
        self.step = self.step.saturating_sub(1);
        for (power, inverse) in self.powers.iter_mut().zip(&self.inverses) {
            *power *= inverse;
        }
    }

    /// The sums of the gap of `steps` steps; nothing where the series is not good enough.
    fn gap<O: Summed>(&self, optimizer: &O, epsilon: f32, steps: u32) -> Option<Gap<StateOf<O>>> {
        let decay = powers(optimizer.decay(), steps);
        let lost = (1.0 - self.left) as f32;
        let [of_inverse, sum, of_first, ..] = self.sums;
        let [_, _, of_powers @ ..] = self.sums;
        if sum == 0.0 {
            return Some(Gap { sum: 0.0, mean: 1.0, epsilon, series: [0.0; 5], lost, decay });
        }
        // The means of A / a, its square, …, which are 1 and more.
        let mean = of_first / sum;
        let mut scale = 1.0 / sum;
        let means = of_powers.map(|sum| {
            scale /= mean;
            sum * scale
        });
        // Those of x = A / a − 1 are differences of differences.
        let [m1, m2, m3, m4, m5, m6] = means;
        let c2 = m2 - 2.0 * m1 + 1.0;
        let c3 = -(m3 - 3.0 * m2 + 3.0 * m1 - 1.0);
        let c4 = m4 - 4.0 * m3 + 6.0 * m2 - 4.0 * m1 + 1.0;
        let c5 = -(m5 - 5.0 * m4 + 10.0 * m3 - 10.0 * m2 + 5.0 * m1 - 1.0);
        let c6 = m6 - 6.0 * m5 + 15.0 * m4 - 20.0 * m3 + 15.0 * m2 - 6.0 * m1 + 1.0;
        let rest = of_inverse * mean / sum - (1.0 + c2 + c3 + c4 + c5 + c6);
        let good = (-REST..=REST).contains(&rest) && c6 <= SPREAD;
        let series = [c2, c3, c4, c5, c6 + rest].map(|c| c as f32);
        good.then_some(Gap { sum: sum as f32, mean: mean as f32, epsilon, series, lost, decay })
    }
}

/// The gaps that end with step `until`.
pub(super) struct Gaps<'a, O: Summed> {
    optimizer: &'a O,
    factors: Factors,
    until: u32,
    walk: Walk,
    /// Gaps of 1, 2, … steps, as far as the walk went.
    kept: [Option<Gap<StateOf<O>>>; RECENT],
    walked: usize,
    /// The last gap too long to be kept.
    long: Option<Gap<StateOf<O>>>,
}

impl<'a, O: Summed> Gaps<'a, O> {
    pub(super) fn new(optimizer: &'a O, until: u32) -> Self {
        let factors = optimizer.factors();
        let walk = Walk::new(factors, until);
        Self { optimizer, factors, until, walk, kept: [const { None }; RECENT], walked: 0, long: None }
    }

    /// The gap after step `last`, which is before `until`; nothing if it has to be replayed.
    #[inline(always)]
    pub(super) fn after(&mut self, last: u32) -> Option<&Gap<StateOf<O>>> {
        let place = (self.until.wrapping_sub(last) as usize).wrapping_sub(1);
        if place >= self.walked {
            self.farther(place, last);
        }
        if place < RECENT { self.kept.get(place)?.as_ref() } else { self.long.as_ref() }
    }

    /// Computes the gap of `place` + 1 steps, and those that are shorter.
    #[inline(never)]
    fn farther(&mut self, place: usize, last: u32) {
        let Some(epsilon) = self.factors.epsilon else { return };
        if place >= RECENT {
            self.long = self.long(last, epsilon);
            return;
        }
        for (kept, steps) in self.kept.iter_mut().zip(1..).take(place + 1).skip(self.walked) {
            self.walk.back(self.optimizer);
            *kept = self.walk.gap(self.optimizer, epsilon, steps);
        }
        self.walked = place + 1;
    }

    /// A gap too long to be kept. Of the steps after which the moments have vanished, only the decay counts.
    fn long(&self, last: u32, epsilon: f32) -> Option<Gap<StateOf<O>>> {
        let end = last.saturating_add(self.factors.steps_to_vanish()).min(self.until);
        let mut walk = Walk::new(self.factors, end);
        if matches!(O::MOVES, Moves::Every) {
            for step in (end..self.until).rev() {
                walk.left *= 1.0 - self.optimizer.lost(step.saturating_add(1));
            }
        }
        while walk.step > last {
            walk.back(self.optimizer);
        }
        walk.gap(self.optimizer, epsilon, self.until.wrapping_sub(last))
    }
}

impl Factors {
    /// Those of an optimizer with the moments m and v.
    pub(crate) fn of_moments(beta_1: f32, beta_2: f32, epsilon: Option<f32>) -> Self {
        Self { beta_1, beta_2, root: libm::sqrt(f64::from(beta_2)), epsilon }
    }

    /// After how many steps no distance is more than 2⁻⁵⁴ of the first, at one rate.
    fn steps_to_vanish(self) -> u32 {
        const LN_OF_VANISHED: f32 = 37.43;
        let shrinks_by = (f64::from(self.beta_1) / self.root) as f32;
        let steps = LN_OF_VANISHED / -math::ln(shrinks_by);
        // A saturating conversion; a distance that does not shrink never vanishes.
        if steps > 0.0 {
            1 + steps as u32
        } else if shrinks_by > 0.0 {
            u32::MAX
        } else {
            1
        }
    }
}
