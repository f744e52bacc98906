use super::talk::Envelope;
use super::*;
use crate::community::Newcomer;
use crate::io::Batch;
use crate::keys::Secret;
use crate::link::RelayRef;
use crate::proto;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const NOW: u64 = 1_700_000_000_000;

fn with<R>(rng: &mut ChaCha20Rng, now: u64, act: impl FnOnce(&mut Ctx<'_>) -> R) -> R {
    let mut batch = Batch::default();
    let mut ctx = Ctx {
        now: Millis(now),
        time: Millis(now),
        rng,
        batch: &mut batch,
        asks: vec![],
        news: crate::community::News::default(),
        up: false,
        relay_key: None,
    };
    act(&mut ctx)
}

/// A community with one post.
fn begin() -> (Community, ChaCha20Rng, EntryId) {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let who = Newcomer {
        number: 1,
        relay: RelayRef {
            address: "https://r".into(),
            id: [0; 32],
        },
        name: "Plum".into(),
        access: None,
    };
    let root = Secret::new([2; 32]);
    let (community, post) = with(&mut rng, NOW, |ctx| {
        let mut community = Community::found(ctx, &root, &who, "Orchard".into()).unwrap();
        let post = community.post(ctx, None, "words".into(), None).unwrap();
        (community, post)
    });
    (community, rng, post)
}

fn envelope(community: &Community, n: u8, day_later: u64) -> Envelope {
    let era = &community.saved.history[0];
    Envelope {
        from: [7; 32],
        request: [n; 16],
        to: None,
        place: place_of(era.generation, era.day + day_later),
    }
}

fn ask(ids: &[EntryId]) -> proto::Ask {
    proto::Ask {
        entries: ids.iter().map(|id| id.0.to_vec()).collect(),
    }
}

#[test]
fn a_flood_of_asks_is_not_heard_to_its_end() {
    let (mut community, mut rng, post) = begin();
    let mut said = |community: &mut Community, n: u8, now: u64, ids: &[EntryId]| {
        let envelope = envelope(community, n, 0);
        with(&mut rng, now, |ctx| {
            community.asked(ctx, &envelope, &ask(ids));
        });
        community.gaps.answering.request_of(&[7; 32])
    };
    // One answer is under way to each, the one to the newest ask, and of so many asks only.
    for n in 0..=99 {
        let heard = said(&mut community, n, NOW, &[post]);
        assert_eq!(heard, Some([n.min(29); 16]));
    }
    let later = said(&mut community, 100, NOW + HOUR_MS, &[post]);
    assert_eq!(later, Some([100; 16]));
    // Too many ids, and ids of nothing, are not answered.
    let many = [post; ASK_IDS_MAX + 1];
    assert_eq!(
        said(&mut community, 101, NOW + HOUR_MS, &many),
        Some([100; 16])
    );
    let unknown = EntryId([9; 32]);
    assert_eq!(said(&mut community, 102, NOW + HOUR_MS, &[unknown]), None);
}

#[test]
fn nobody_is_given_what_lies_before_their_window() {
    let (mut community, mut rng, post) = begin();
    for (later, given) in [(0, true), (1, false)] {
        let envelope = envelope(&community, 1, later);
        with(&mut rng, NOW, |ctx| {
            community.asked(ctx, &envelope, &ask(&[post]));
        });
        let answered = community.gaps.answering.request_of(&[7; 32]).is_some();
        assert_eq!(answered, given, "{later} days later");
    }
}

#[test]
fn a_flood_of_steps_is_not_heard_to_its_end() {
    let (mut community, mut rng, _) = begin();
    let mut heard = 0;
    for n in 0..200 {
        let envelope = Envelope {
            to: Some(community.leaf_public()),
            ..envelope(&community, n, 0)
        };
        with(&mut rng, NOW, |ctx| {
            let step = proto::Step {
                ranges: vec![0x61],
                unsure: false,
            };
            community.take_step(ctx, &envelope, step, true);
        });
        let pending = community.gaps.answering.request_of(&[7; 32]);
        heard += usize::from(pending == Some([n; 16]));
    }
    assert_eq!(heard, STEPS_PER_HOUR as usize);
}

#[test]
fn an_hour_allows_so_much_and_the_next_as_much_again() {
    let mut allowance = Allowance::default();
    let now = Millis(5 * HOUR_MS + 7);
    let taken = (0..5).filter(|_| allowance.take(now, 3)).count();
    assert_eq!(taken, 3);
    assert!(!allowance.has(now.plus(HOUR_MS - 8), 3));
    assert!(allowance.take(now.plus(HOUR_MS), 3));
}
