//! What somebody is doing, judged by all frames of their link in five minutes.

use crate::boost::Model;
use crate::dice::Dice;
use crate::schedule::{self, Scheme};
use crate::stats::{auc, autocorrelation, deviation, mean, quantile};
use crate::trace::Direction;
use crate::workload::{Activity, Need, SECOND, seconds};
use std::num::NonZero;
use std::thread;

/// Length of a window.
pub(crate) const WINDOW: u64 = 300 * SECOND;
/// Windows of one session: it stays in one part when windows are parted into those to learn from and those to judge.
const SESSION: u64 = 4;
const FOLDS: usize = 5;

/// How well each activity is told from the others: a mean over the parts, for each seed.
pub(crate) struct Areas(pub(crate) Vec<(Activity, Vec<f64>)>);

impl Areas {
    /// The mean of an activity.
    pub(crate) fn each(&self) -> Vec<(Activity, f64)> {
        self.0
            .iter()
            .map(|(activity, areas)| (*activity, mean(areas)))
            .collect()
    }

    /// The mean of all.
    pub(crate) fn mean(&self) -> f64 {
        mean(
            &self
                .0
                .iter()
                .flat_map(|(_, areas)| areas.clone())
                .collect::<Vec<f64>>(),
        )
    }

    /// The largest mean of an activity.
    pub(crate) fn worst(&self) -> f64 {
        self.each()
            .iter()
            .map(|(_, area)| *area)
            .fold(0.0, f64::max)
    }
}

struct Window {
    activity: Activity,
    session: u64,
    features: Vec<f64>,
}

/// Tells activities apart, with `windows` windows of each, once for each seed.
pub(crate) fn run(scheme: Scheme, windows: u64, seeds: u64) -> Areas {
    let windows: Vec<Window> = Activity::CLASSES
        .into_iter()
        .enumerate()
        .flat_map(|(class, activity)| {
            (0..windows).map(move |index| window(scheme, activity, index, class as u64 * windows))
        })
        .collect();
    let jobs: Vec<(Activity, u64)> = Activity::CLASSES
        .into_iter()
        .flat_map(|class| (0..seeds).map(move |seed| (class, seed)))
        .collect();
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let share = jobs.len().div_ceil(workers).max(1);
    let areas: Vec<f64> = thread::scope(|scope| {
        let parts: Vec<_> = jobs
            .chunks(share)
            .map(|jobs| {
                let windows = &windows;
                let area = move |job: &(Activity, u64)| tell(windows, job.0, job.1);
                scope.spawn(move || jobs.iter().map(area).collect::<Vec<f64>>())
            })
            .collect();
        parts
            .into_iter()
            .filter_map(|part| part.join().ok())
            .flatten()
            .collect()
    });
    let each = areas.chunks(seeds as usize).map(<[f64]>::to_vec);
    Areas(Activity::CLASSES.into_iter().zip(each).collect())
}

fn window(scheme: Scheme, activity: Activity, index: u64, first: u64) -> Window {
    let mut dice = Dice::new(1, "window", first + index);
    let need = Need::of(activity, &mut dice, WINDOW);
    let times = |direction, ready: &[u64]| {
        let client = (first + index) as u32;
        let frames = schedule::frames(scheme, direction, ready, WINDOW, (2, client));
        schedule::times(&frames)
    };
    let (up, down) = (
        times(Direction::Up, &need.up),
        times(Direction::Down, &need.down),
    );
    let mut features = features(&up);
    features.extend(self::features(&down));
    features.push(together(&up, &down));
    Window {
        activity,
        session: (first + index) / SESSION,
        features,
    }
}

/// The area for one activity against all others: the mean over five parts, each judged by a model of the other four.
fn tell(windows: &[Window], activity: Activity, seed: u64) -> f64 {
    let mut dice = Dice::new(seed, activity.name(), 0);
    let mut sessions: Vec<u64> = windows.iter().map(|window| window.session).collect();
    sessions.dedup();
    dice.shuffle(&mut sessions);
    let mut part = vec![0; sessions.len()];
    for (place, session) in sessions.iter().enumerate() {
        part[*session as usize] = place % FOLDS;
    }
    let of = |window: &Window| part[window.session as usize];
    let areas: Vec<f64> = (0..FOLDS)
        .filter_map(|fold| {
            let learn: Vec<&Window> = windows.iter().filter(|window| of(window) != fold).collect();
            let rows: Vec<&[f64]> = learn
                .iter()
                .map(|window| window.features.as_slice())
                .collect();
            let yes: Vec<bool> = learn
                .iter()
                .map(|window| window.activity == activity)
                .collect();
            let model = Model::train(&rows, &yes, &mut dice);
            let scores = |wanted: bool| -> Vec<f64> {
                windows
                    .iter()
                    .filter(|window| of(window) == fold && (window.activity == activity) == wanted)
                    .map(|window| model.score(&window.features))
                    .collect()
            };
            auc(&scores(true), &scores(false)).map(|auc| auc.value)
        })
        .collect();
    mean(&areas)
}

/// What one way of a link looks like: gaps, and how many frames there are when.
fn features(times: &[u64]) -> Vec<f64> {
    let gaps: Vec<f64> = times
        .windows(2)
        .map(|pair| seconds(pair[1] - pair[0]))
        .collect();
    let mut features = vec![times.len() as f64, mean(&gaps), deviation(&gaps)];
    features.extend([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0].map(|part| quantile(&gaps, part)));
    features.extend([1, 2].map(|lag| autocorrelation(&gaps, lag)));
    features.push(gaps.iter().filter(|gap| **gap < 0.1).count() as f64);
    let bins = binned(times, 10 * SECOND);
    features.push(deviation(&bins));
    features.extend([0.0, 1.0].map(|part| quantile(&bins, part)));
    features.push(autocorrelation(&bins, 1));
    let half: f64 = bins[..bins.len() / 2].iter().sum();
    features.push(half);
    features
}

/// How much both ways rise and fall together, second by second.
fn together(up: &[u64], down: &[u64]) -> f64 {
    let (up, down) = (binned(up, SECOND), binned(down, SECOND));
    let (a, b) = (mean(&up), mean(&down));
    let sum: f64 = up.iter().zip(&down).map(|(x, y)| (x - a) * (y - b)).sum();
    sum / up.len() as f64 / (deviation(&up) * deviation(&down)).max(1e-9)
}

fn binned(times: &[u64], width: u64) -> Vec<f64> {
    let mut bins = vec![0.0; (WINDOW / width) as usize];
    for at in times {
        if let Some(bin) = bins.get_mut((at / width) as usize) {
            *bin += 1.0;
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Mode;

    #[test]
    fn by_the_law_activities_look_alike() {
        let areas = run(Scheme::Ume(Mode::Balanced), 100, 1);
        // So few windows leave chance more room than the proof does.
        assert!(areas.mean() < 0.55, "{:?}", areas.0);
    }

    #[test]
    fn without_it_they_do_not() {
        for scheme in [Scheme::Off, Scheme::Adaptive] {
            let areas = run(scheme, 100, 1);
            assert!(areas.mean() > 0.9, "{scheme:?} {:?}", areas.0);
        }
    }
}
