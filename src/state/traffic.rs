//! What passes between this device and its relays, how far the person wants to hide it, and how things stand around that.
use super::State;
use crate::components::live::effect;
use crate::platform::{intl, memory, saving, tabs};
use leptos::prelude::*;
use ume_api::{Command, Cover, Failure, LineView, Surroundings, TrafficView};
use wasm_bindgen_futures::spawn_local;

/// How far back the picture goes, milliseconds.
pub(crate) const SHOWN_MS: u64 = 180_000;

/// The views of the lines and the choice.
#[derive(Clone, Copy)]
pub(crate) struct Traffic {
    /// What the engine is told: the choice, whether anybody looks, whether data is to be saved.
    pub(crate) surroundings: RwSignal<Surroundings>,
    /// As the engine told last, each line with all its ticks of the time that is shown; `None` until it has.
    pub(crate) view: RwSignal<Option<TrafficView>>,
    /// Why it does not.
    pub(crate) failure: RwSignal<Option<Failure>>,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self {
            surroundings: RwSignal::new(Surroundings {
                cover: memory::recall(memory::COVER).map_or(Cover::Balanced, |word| named(&word)),
                hidden: tabs::hidden(),
                saving: saving::asked(),
            }),
            view: RwSignal::new(None),
            failure: RwSignal::new(None),
        }
    }

    pub(super) fn learn(self, mut view: TrafficView) {
        let oldest = intl::now().saturating_sub(SHOWN_MS);
        let known = self.view.get_untracked();
        for before in known.into_iter().flat_map(|known| known.lines) {
            let same = view
                .lines
                .iter_mut()
                .find(|line| line.relay == before.relay);
            if let Some(line) = same {
                continue_line(before, line, oldest);
            }
        }
        self.view.set(Some(view));
    }
}

/// The engine tells each tick once.
fn continue_line(before: LineView, line: &mut LineView, oldest: u64) {
    let fresh = std::mem::replace(&mut line.ticks, before.ticks);
    line.ticks.retain(|tick| tick.at >= oldest);
    line.ticks.extend(fresh);
}

impl State {
    /// Chooses how far to hide, from now on.
    pub(crate) fn choose_cover(self, cover: Cover) {
        memory::keep(memory::COVER, Some(word(cover)));
        self.traffic
            .surroundings
            .update(|around| around.cover = cover);
    }

    /// Keeps the engine told.
    pub(super) fn follow_surroundings(self) {
        let around = self.traffic.surroundings;
        let look = move || {
            around.update(|around| {
                around.hidden = tabs::hidden();
                around.saving = saving::asked();
            });
        };
        tabs::on_turn(look);
        saving::on_change(look);
        let mut told = around.get_untracked();
        effect(move || {
            let now = around.get();
            if std::mem::replace(&mut told, now) != now {
                self.engine.surround(now);
            }
        });
    }

    /// Begins to be told what passes, until the part of the page that wants it is gone.
    pub(crate) fn watch_traffic(self) {
        self.watch_traffic_again();
        on_cleanup(move || self.tell_traffic(Command::WatchTraffic { watch: false }));
    }

    /// Begins once more, after it failed.
    pub(crate) fn watch_traffic_again(self) {
        self.traffic.view.set(None);
        self.traffic.failure.set(None);
        self.tell_traffic(Command::WatchTraffic { watch: true });
    }

    /// Fetches and sends all that waits, at once.
    pub(crate) fn hurry(self) {
        self.tell_traffic(Command::Hurry);
    }

    fn tell_traffic(self, command: Command) {
        spawn_local(async move {
            if let Err(failure) = self.engine.ask(command).await {
                self.traffic.failure.set(Some(failure));
            }
        });
    }
}

/// As the choice is remembered.
pub(crate) const fn word(cover: Cover) -> &'static str {
    match cover {
        Cover::Off => "off",
        Cover::Balanced => "balanced",
        Cover::Strong => "strong",
    }
}

fn named(word: &str) -> Cover {
    match word {
        "off" => Cover::Off,
        "strong" => Cover::Strong,
        _ => Cover::Balanced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ume_api::{Passed, Tick};

    fn line(ticks: &[u64]) -> LineView {
        let tick = |at| Tick {
            at,
            up: true,
            frames: 1,
            real: 0,
        };
        LineView {
            relay: String::new(),
            up: true,
            health: None,
            paced: true,
            gaps_ms: (2_000, 1_000),
            burst: false,
            waiting: 0,
            ticks: ticks.iter().copied().map(tick).collect(),
            hour: Passed::default(),
            day: Passed::default(),
        }
    }

    #[test]
    fn a_line_goes_on_and_forgets_what_is_no_longer_shown() {
        let (before, mut now) = (line(&[10, 20, 30]), line(&[40]));
        continue_line(before, &mut now, 20);
        assert_eq!(now.ticks, line(&[20, 30, 40]).ticks);
    }

    #[test]
    fn every_choice_is_remembered_as_what_it_is() {
        for cover in [Cover::Off, Cover::Balanced, Cover::Strong] {
            assert_eq!(named(word(cover)), cover);
        }
        assert_eq!(named(""), Cover::Balanced);
    }
}
