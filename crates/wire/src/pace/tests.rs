use super::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const STEADY: Law = Law {
    gap_ms: 2_000,
    frames: 1,
};

fn pacer(pace: Pace) -> Pacer<ChaCha20Rng> {
    Pacer::new(ChaCha20Rng::seed_from_u64(7), 1_000, pace)
}

#[test]
fn gaps_are_uniform_around_their_mean() {
    let mut pacer = pacer(Pace {
        burst: None,
        steady: STEADY,
        windows: false,
    });
    let (mut last, mut sum, mut tenths) = (pacer.next_ms(), 0, [0u32; 10]);
    for _ in 0..10_000 {
        assert_eq!(pacer.tick(last), 1);
        let gap = pacer.next_ms() - last;
        assert!((1_000..=3_000).contains(&gap));
        tenths[usize::try_from((gap - 1_000) * 10 / 2_001).unwrap()] += 1;
        sum += gap;
        last = pacer.next_ms();
    }
    assert!((1_980..2_020).contains(&(sum / 10_000)));
    assert!(tenths.iter().all(|tenth| (850..1_150).contains(tenth)));
}

#[test]
fn a_burst_runs_first_and_ends() {
    let mut pacer = pacer(Pace {
        burst: Some(BULK),
        steady: STEADY,
        windows: false,
    });
    let mut frames = 0;
    while pacer.in_burst() {
        frames += pacer.tick(pacer.next_ms());
    }
    assert_eq!(frames, 1_024);
    assert_eq!(pacer.law(), STEADY);
}

#[test]
fn missed_ticks_are_dropped() {
    let pace = Pace {
        burst: Some(PREAMBLE),
        steady: STEADY,
        windows: false,
    };
    let mut pacer = pacer(pace);
    let frozen = pacer.next_ms() + 3_600_000;
    assert_eq!(pacer.tick(frozen), 1, "one tick's frames, however late");
    assert!(!pacer.in_burst(), "the burst went by");
    assert!(pacer.next_ms() > frozen && pacer.next_ms() <= frozen + 3_000);
}

#[test]
fn a_pace_survives_the_wire_and_its_bounds_hold() {
    let pace = Pace {
        burst: Some(BULK),
        steady: STEADY,
        windows: false,
    };
    assert_eq!(Pace::from_wire(&pace.to_wire()), Ok(pace));
    let wire = |change: fn(&mut relay::Pace)| {
        let mut wire = pace.to_wire();
        change(&mut wire);
        Pace::from_wire(&wire)
    };
    let steady = |pace: &mut relay::Pace| pace.steady.as_mut().map(|law| law.gap_ms = 19);
    assert_eq!(wire(|pace| pace.steady = None), Err(PaceError));
    let mut low = pace.to_wire();
    steady(&mut low);
    assert_eq!(Pace::from_wire(&low), Err(PaceError));
    let burst = |change: fn(&mut relay::Law)| {
        let mut wire = pace.to_wire();
        change(wire.burst.as_mut().unwrap());
        Pace::from_wire(&wire)
    };
    assert_eq!(burst(|law| law.ticks = u32::MAX), Err(PaceError));
    assert_eq!(burst(|law| law.ticks = 257), Err(PaceError));
    assert_eq!(burst(|law| law.frames = 0), Err(PaceError));
    assert_eq!(burst(|law| law.gap_ms = 3), Err(PaceError));
    assert!(burst(|law| law.ticks = 0).is_ok(), "an empty burst is none");
}

#[test]
fn a_window_opens_about_once_an_hour() {
    let mut pacer = pacer(Pace {
        burst: None,
        steady: STEADY,
        windows: true,
    });
    let (mut windows, mut was_in_burst, mut frames) = (0, false, 0);
    while pacer.next_ms() < 200 * 3_600_000 {
        windows += u32::from(pacer.in_burst() && !was_in_burst);
        was_in_burst = pacer.in_burst();
        frames += u32::from(was_in_burst) * pacer.tick(pacer.next_ms());
    }
    assert!((180..215).contains(&windows), "{windows}");
    assert_eq!(frames / 512, windows);
}
