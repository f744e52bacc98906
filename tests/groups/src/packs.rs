//! 10,000 old entries: what it costs to pack them, and a newcomer to read them when the lanes of their days are empty; and, to
//! compare with, to read them from those lanes.

use crate::scene::{Cost, Fault, Scene};
use ume_api::{Command, CommunityRef, HistoryWindow, InviteKind, InviteTerms, Role};
use ume_wire::limits::FRAME_BYTES;

const ENTRIES: usize = 10_000;
const DAY_MS: u64 = 24 * 3600 * 1000;
/// Scenes begin on the 25th day of a span. The one after that begins on this day, counted from the first.
const FIRST: u64 = 6;
const DAYS: u64 = 30;
/// It is packed on this day; and on the other one no lane has anything of it.
const PACKED: u64 = 345;
const LATER: u64 = 450;
/// About as long as what people write to each other.
const TEXT: &str = "a hundred bytes are a sentence or two, as people write them to each other when they have time to do so";

/// Measures and prints.
pub(crate) fn run() -> Result<(), Fault> {
    let mut scene = Scene::new(9);
    let begin_ms = scene.now_ms();
    let owner = scene.device()?;
    let community = scene.found(owner)?;
    let until = |scene: &mut Scene, day: u64| {
        let ms = (begin_ms + day * DAY_MS).saturating_sub(scene.now_ms());
        scene.run(ms);
    };
    let a_day = ENTRIES.div_ceil(usize::try_from(DAYS).unwrap_or(1));
    let mut left = ENTRIES;
    for day in FIRST..FIRST + DAYS {
        scene.stop(owner);
        until(&mut scene, day);
        scene.start(owner)?;
        scene.run(1_000);
        for _ in 0..a_day.min(left) {
            post(&mut scene, owner, community)?;
        }
        left = left.saturating_sub(a_day);
        scene.run(60_000);
    }
    scene.stop(owner);
    until(&mut scene, PACKED);
    scene.start(owner)?;
    let before = scene.cost(owner);
    scene.run(15 * 60_000);
    println!(
        "packs: {ENTRIES} entries of {} bytes on {DAYS} days",
        TEXT.len()
    );
    print(
        "packed, with all else in a quarter of an hour",
        scene.cost(owner).since(before),
    );
    let terms = InviteTerms {
        kind: InviteKind::Open,
        expires_in: None,
        max_uses: None,
        history: HistoryWindow::All,
        role: Role::Member,
    };
    let link = scene.share(owner, community, terms)?;
    scene.run(60_000);
    scene.stop(owner);
    for (what, day) in [("read from lanes", PACKED), ("read from packs", LATER)] {
        until(&mut scene, day);
        let newcomer = scene.device()?;
        scene.join(newcomer, &link)?;
        scene.run(120_000);
        let read = scene.audit(newcomer).map_or(0, |audit| audit.posts.len());
        if read != ENTRIES {
            return Err(Fault::Other(format!("{what}: {read} of {ENTRIES}")));
        }
        print(what, scene.cost(newcomer));
        scene.forget(newcomer);
    }
    Ok(())
}

fn post(scene: &mut Scene, device: usize, community: CommunityRef) -> Result<(), Fault> {
    let command = Command::Post {
        community,
        text: TEXT.into(),
        lifetime: None,
    };
    scene.command(device, command).map(|_| ())
}

fn print(what: &str, cost: Cost) {
    let kilobytes = |frames: u64| frames * FRAME_BYTES as u64 / 1_000;
    println!(
        "  {what}: {} frames ({} KB) sent, {} ({} KB) got, {:.0} ms of the processor",
        cost.sent,
        kilobytes(cost.sent),
        cost.got,
        kilobytes(cost.got),
        cost.cpu.as_secs_f64() * 1e3,
    );
}
