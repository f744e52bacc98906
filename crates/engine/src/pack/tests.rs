use super::*;
use crate::community::invites::DAY_MS;
use crate::entry::{Draft, Kind, LIFETIME_MS_MAX, write};
use crate::keys::history_forward;
use ume_wire::limits::CELL_BYTES;

const COMMUNITY: Hash = [5; 32];
const RELAY: Hash = [6; 32];
/// A day in the middle of a span.
const SPAN: u64 = 666;

fn first_key() -> Secret {
    Secret::new([3; 32])
}

fn key_of(day: u64) -> Option<Secret> {
    let first = *days(SPAN).start();
    day.checked_sub(first)
        .map(|steps| history_forward(&first_key(), steps))
}

fn entry_of(leaf: u8, seq: u64, time_ms: u64, text: &str, expires_ms: Option<u64>) -> Entry {
    let draft = Draft {
        kind: Kind::Post,
        seq,
        previous: (seq > 1).then_some(EntryId([9; 32])),
        parents: vec![],
        time_ms,
        expires_ms,
        content: text.as_bytes().to_vec(),
        salt: [7; 16],
        ledger: 1,
    };
    let leaf = Secret::new([leaf; 32]).signing_key();
    let written = write(&COMMUNITY, &[8; 32], &leaf, draft);
    entry::verify(&written, &COMMUNITY).unwrap()
}

/// `count` entries, spread evenly over the days of the span, in their order.
fn entries(count: u64, text: &str) -> Vec<Entry> {
    let first_ms = days(SPAN).start() * DAY_MS;
    let apart = SPAN_DAYS * DAY_MS / count;
    let all = (0..count).map(|n| entry_of(1, n + 1, first_ms + n * apart, text, None));
    all.collect()
}

fn contents(entries: &[Entry]) -> Contents {
    Contents::of(entries.iter().map(|one| (one.id, one.expires_ms.is_none())))
}

fn pack_of(entries: &[Entry]) -> (Announced, Vec<Blob>) {
    let (mut blobs, mut from) = (Vec::new(), 0);
    while let Some((blob, last)) = blob(entries[from..].iter(), key_of, &RELAY) {
        from = entries
            .iter()
            .position(|one| (one.time_ms, one.id) == last)
            .unwrap()
            + 1;
        blobs.push(blob);
    }
    let announced = Announced {
        span: SPAN,
        contents: contents(entries),
        blobs: blobs.iter().map(|blob| blob.id).collect(),
    };
    (announced, blobs)
}

fn parts(blob: &Blob) -> Vec<BlobPart> {
    let cells = u32::try_from(blob.cells.len()).unwrap();
    let part = |(index, cell): (u32, &Bytes)| BlobPart {
        id: Bytes::copy_from_slice(&blob.id),
        cells,
        index,
        cell: cell.clone(),
    };
    (0..).zip(&blob.cells).map(part).collect()
}

fn hand(reading: &mut Reading, parts: &[BlobPart]) {
    for part in parts {
        reading.take(part);
    }
}

fn reading(announced: &Announced, from: u64) -> Reading {
    let window = |day| key_of(day).filter(|_| day >= from);
    Reading::new(announced.clone(), COMMUNITY, &RELAY, window).unwrap()
}

fn read_from(announced: &Announced, blobs: &[Blob], from: u64) -> Result<Vec<EntryId>, BadPack> {
    let mut reading = reading(announced, from);
    let mut all = vec![];
    for blob in blobs {
        let Some(Body::BlobGet(get)) = reading.ask() else {
            panic!("nothing asked for");
        };
        assert_eq!(get.id[..], blob.id);
        hand(&mut reading, &parts(blob));
        match reading.result(|_| false)? {
            Read::Entries(entries, last) => {
                all.extend(entries.iter().map(|one| one.id));
                assert_eq!(last, *blob == blobs[blobs.len() - 1]);
            }
            other => panic!("{other:?}"),
        }
    }
    Ok(all)
}

fn read(announced: &Announced, blobs: &[Blob]) -> Result<Vec<EntryId>, BadPack> {
    read_from(announced, blobs, 0)
}

fn ids(entries: &[Entry]) -> Vec<EntryId> {
    entries.iter().map(|one| one.id).collect()
}

#[test]
fn all_who_have_the_same_make_the_same_and_read_it() {
    let all = entries(900, &"word ".repeat(600));
    let (announced, blobs) = pack_of(&all);
    assert!(blobs.len() > 2);
    assert!(blobs.iter().all(|blob| blob.cells.len() <= FRAGMENTS_MAX));
    assert_eq!(pack_of(&all), (announced.clone(), blobs.clone()));
    assert_eq!(Announced::read(&announced.write()), Some(announced.clone()));
    assert_eq!(read(&announced, &blobs), Ok(ids(&all)));
    // No two cells have a nonce in common.
    let cells = blobs.iter().flat_map(|blob| &blob.cells);
    let nonces: std::collections::BTreeSet<_> = cells.clone().map(|cell| &cell[..24]).collect();
    assert_eq!(nonces.len(), cells.count());
}

#[test]
fn who_may_read_from_a_day_on_opens_exactly_that() {
    let all = entries(600, "short");
    let (announced, blobs) = pack_of(&all);
    for later in [0, 1, 17, 29] {
        let from = days(SPAN).start() + later;
        let read = read_from(&announced, &blobs, from).unwrap();
        let within = all.iter().filter(|one| day_of(one.time_ms) >= from);
        assert_eq!(read, within.map(|one| one.id).collect::<Vec<_>>());
    }
    let none = Reading::new(announced, COMMUNITY, &RELAY, |_| None);
    assert!(none.is_none());
}

#[test]
fn what_ends_is_there_without_its_text() {
    let mut all = entries(3, "stays");
    let time_ms = all[1].time_ms + 5;
    let ends = Some(time_ms + LIFETIME_MS_MAX);
    all.insert(2, entry_of(2, 1, time_ms, "ends", ends));
    let (announced, blobs) = pack_of(&all);
    let mut reading = reading(&announced, 0);
    assert!(reading.ask().is_some());
    hand(&mut reading, &parts(&blobs[0]));
    let Ok(Read::Entries(read, true)) = reading.result(|_| false) else {
        panic!("not read");
    };
    assert_eq!(ids(&read), ids(&all));
    let texts = read.iter().map(|one| one.text.as_deref());
    let expected = [Some("stays"), Some("stays"), None, Some("stays")];
    assert_eq!(texts.collect::<Vec<_>>(), expected);
}

#[test]
fn what_gets_lost_or_changed_on_the_way_is_asked_for_again() {
    let all = entries(200, &"word ".repeat(100));
    let (announced, blobs) = pack_of(&all);
    let mut reading = reading(&announced, 0);
    let whole = parts(&blobs[0]);
    assert!(reading.ask().is_some());
    assert_eq!(reading.ask(), None);
    for (number, part) in whole.iter().enumerate() {
        let mut part = part.clone();
        if number % 3 == 0 {
            part.cell = vec![7; CELL_BYTES].into();
        }
        if number % 2 == 0 || number + 1 == whole.len() {
            reading.take(&part);
        }
    }
    assert_eq!(reading.result(|_| false), Ok(Read::NotYet));
    assert!(reading.ask().is_some());
    reading.restart();
    assert!(reading.ask().is_some());
    hand(&mut reading, &whole);
    let read = reading.result(|_| false);
    assert!(matches!(read, Ok(Read::Entries(read, true)) if ids(&read) == ids(&all)));
}

#[test]
fn a_relay_that_has_it_not_or_not_whole_is_given_up() {
    let all = entries(200, &"word ".repeat(100));
    let (announced, blobs) = pack_of(&all);
    // Cut short, and another blob's cells.
    let mut short = parts(&blobs[0]);
    short.pop();
    let cells = u32::try_from(short.len()).unwrap();
    for part in &mut short {
        part.cells = cells;
    }
    let mut swapped = parts(&blobs[0]);
    let cell = swapped[1].cell.clone();
    swapped[2].cell = cell;
    for answer in [short, swapped] {
        let mut reading = reading(&announced, 0);
        let mut asked = 0;
        while reading.ask().is_some() {
            asked += 1;
            hand(&mut reading, &answer);
        }
        assert_eq!(reading.result(|_| false), Ok(Read::Lost));
        assert!(asked <= 2 * u32::from(ANSWERS_MAX), "{asked}");
    }
    let mut reading = reading(&announced, 0);
    assert!(reading.ask().is_some());
    let code = RefusedCode::RefusedDenied.into();
    reading.refused(&Refused { code, detail: 0 });
    assert_eq!(reading.result(|_| false), Ok(Read::Lost));
    assert_eq!(reading.ask(), None);
}

/// A pack of these messages, whatever they are, each sealed for its day.
fn forged(entries: u32, messages: &[(u64, Vec<u8>)]) -> (Announced, Vec<Blob>) {
    let sealed = messages.iter().map(|(later, message)| {
        let day = days(SPAN).start() + later;
        seal(&key_of(day).unwrap(), day, &RELAY, message).unwrap()
    });
    let cells: Vec<Bytes> = sealed.flatten().collect();
    let id = hash_cells(&cells);
    let announced = Announced {
        span: SPAN,
        contents: Contents {
            entries,
            digest: [1; 32],
        },
        blobs: vec![id],
    };
    (announced, vec![Blob { id, cells }])
}

fn given(entries: &[&Entry]) -> Vec<u8> {
    let entries = entries.iter().map(|one| packed(one)).collect();
    proto::Given { entries }.encode_to_vec()
}

#[test]
fn what_was_not_announced_is_refused_and_named() {
    let all = entries(60, "short");
    let (one, two, three) = (&all[0], &all[1], &all[2]);
    assert_eq!(day_of(one.time_ms), day_of(two.time_ms));
    let mut unsigned = one.clone();
    if let Some(signed) = &mut unsigned.written.entry {
        signed.signature[3] ^= 1;
    }
    let mut reworded = one.clone();
    reworded.written.body.push(b'!');
    let signature = BadPack::Entry(LedgerError::Signature);
    let malformed = BadPack::Entry(LedgerError::Malformed);
    let cases = [
        (2, vec![(0, given(&[one, two]))], None),
        (2, vec![(0, given(&[two, one]))], Some(BadPack::Order)),
        (2, vec![(0, given(&[one, one]))], Some(BadPack::Order)),
        (
            2,
            vec![(0, given(&[one])), (0, given(&[one]))],
            Some(BadPack::Order),
        ),
        (3, vec![(0, given(&[one, two]))], Some(BadPack::Order)),
        (1, vec![(0, given(&[one, two]))], Some(BadPack::Order)),
        (1, vec![(0, given(&[three]))], Some(BadPack::Order)),
        (1, vec![(1, given(&[one]))], Some(BadPack::Order)),
        (1, vec![(0, vec![0xff; 40])], Some(BadPack::Part)),
        (1, vec![(0, given(&[&unsigned]))], Some(signature)),
        (1, vec![(0, given(&[&reworded]))], Some(malformed)),
    ];
    for (count, messages, expected) in cases {
        let (announced, blobs) = forged(count, &messages);
        assert_eq!(read(&announced, &blobs).err(), expected);
    }
    // A cell that no day's key opens, among those that do; and a message without its end.
    let long = entries(40, &"word ".repeat(2_000));
    let (mut announced, mut blobs) = pack_of(&long);
    let cells = &mut blobs[0].cells;
    cells[5] = vec![0; CELL_BYTES].into();
    announced.blobs = vec![hash_cells(cells)];
    blobs[0].id = announced.blobs[0];
    assert_eq!(read(&announced, &blobs), Err(BadPack::Part));
    blobs[0].cells.truncate(5);
    announced.blobs = vec![hash_cells(&blobs[0].cells)];
    blobs[0].id = announced.blobs[0];
    assert_eq!(read(&announced, &blobs), Err(BadPack::Part));
}

#[test]
fn announcements_have_bounds() {
    let (announced, _) = pack_of(&entries(3, "short"));
    let with = |change: &dyn Fn(&mut proto::Pack)| {
        let mut pack = proto::Pack::decode(&announced.write()[..]).unwrap();
        change(&mut pack);
        Announced::read(&pack.encode_to_vec())
    };
    assert_eq!(with(&|_| {}), Some(announced.clone()));
    assert!(with(&|pack| pack.blobs.clear()).is_none());
    assert!(with(&|pack| pack.blobs = vec![vec![1; 32]; BLOBS_MAX]).is_some());
    assert!(with(&|pack| pack.blobs = vec![vec![1; 32]; BLOBS_MAX + 1]).is_none());
    assert!(with(&|pack| pack.blobs.push(vec![1; 31])).is_none());
    assert!(with(&|pack| pack.contents.clear()).is_none());
    assert!(with(&|pack| pack.entries = 0).is_none());
    assert!(with(&|pack| pack.span = u32::MAX).is_none());
    let blobs = vec![[1; 32]; BLOBS_MAX];
    let longest = Announced { blobs, ..announced };
    assert!(longest.write().len() <= entry::PACK_BYTES_MAX);
}
