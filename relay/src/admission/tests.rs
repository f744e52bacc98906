use super::*;
use crate::{
    Limits,
    access::Accounts,
    commit::now,
    store::{EmbeddedStore, Outcome, Write},
};
use bytes::Bytes;
use ume_wire::{access, auth::Work, limits::CHALLENGE_BYTES};

const RELAY: Hash = [3; 32];
const CHALLENGE: [u8; CHALLENGE_BYTES] = [4; CHALLENGE_BYTES];

struct Place {
    store: Arc<dyn Store>,
    admission: Admission,
    _directory: tempfile::TempDir,
}

fn place(access: Access, limits: AdmissionLimits) -> Place {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path(), Limits::default()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    Place {
        admission: Admission::new(store.clone(), access, limits, Instant::now()),
        store,
        _directory: directory,
    }
}

impl Place {
    fn write(&self, write: Write) -> Outcome {
        self.store.apply(now(), &[write]).unwrap().remove(0)
    }

    fn issue(&self, name: &str, terms: crate::access::Terms) -> Bytes {
        let accounts = Accounts::of(&*self.store).unwrap();
        let (text, write) = accounts.issue(name, terms, now()).unwrap();
        assert_eq!(self.write(write), Outcome::Done);
        Bytes::copy_from_slice(&access::parse(&text).unwrap())
    }

    fn visitor(&self) -> Visitor {
        let from = "192.0.2.1".parse().unwrap();
        self.admission.arrive(from, Instant::now()).unwrap()
    }

    fn lane(&self, visitor: &Visitor, new: &LaneNew) -> Result<Option<AccountId>, Refusal> {
        let gate = Gate {
            visitor,
            relay_id: &RELAY,
            challenge: Some(&CHALLENGE),
        };
        self.admission.lane_new(&gate, new, now(), Instant::now())
    }
}

fn lane(n: u32) -> LaneNew {
    let mut id = [0; 32];
    id[1..5].copy_from_slice(&n.to_le_bytes());
    let key = Bytes::from_static(&[1; 32]);
    LaneNew {
        lane: Bytes::copy_from_slice(&id),
        kind: 1,
        writers: vec![key.clone()],
        reader: key,
        ttl_seconds: 60,
        ..LaneNew::default()
    }
}

fn with(access: &Bytes, new: LaneNew) -> LaneNew {
    LaneNew {
        access: access.clone(),
        ..new
    }
}

fn worked(bits: u32, mut new: LaneNew) -> LaneNew {
    let work = Work::new(&RELAY, &CHALLENGE, &new.lane);
    new.work = (0..u64::MAX)
        .find(|&number| work.bits(number) >= bits)
        .unwrap();
    new
}

#[test]
fn where_keys_are_needed_only_good_keys_open() {
    let place = place(Access::Keys, AdmissionLimits::default());
    let visitor = place.visitor();
    let key = place.issue("choir", crate::access::Terms::default());
    assert_eq!(place.lane(&visitor, &lane(1)), Err(Refusal::ACCESS));
    let wrong = Bytes::from_static(&[7; 32]);
    assert_eq!(
        place.lane(&visitor, &with(&wrong, lane(1))),
        Err(Refusal::ACCESS)
    );
    assert_eq!(
        place.lane(&visitor, &with(&key.slice(1..), lane(1))),
        Err(Refusal::MALFORMED)
    );
    let account = place.lane(&visitor, &with(&key, lane(1))).unwrap();
    assert!(account.is_some());
    let blob = BlobPut {
        access: key.clone(),
        ..BlobPut::default()
    };
    let put = |blob: &BlobPut| place.admission.blob_put(blob, now());
    assert_eq!(put(&blob), Ok(account));
    assert_eq!(put(&BlobPut::default()), Err(Refusal::ACCESS));

    // Who says again what is there needs no key, and the same account pays.
    let made = Write::LaneNew {
        new: lane(1),
        account,
    };
    assert_eq!(place.write(made), Outcome::Done);
    assert_eq!(place.lane(&visitor, &lane(1)), Ok(account));

    for write in Accounts::of(&*place.store)
        .unwrap()
        .revoke("choir", false)
        .unwrap()
    {
        assert_eq!(place.write(write), Outcome::Done);
    }
    assert_eq!(
        place.lane(&visitor, &with(&key, lane(2))),
        Err(Refusal::ACCESS)
    );
    assert_eq!(put(&blob), Err(Refusal::ACCESS));
}

#[test]
fn a_key_ends_when_it_was_said_to() {
    let place = place(Access::Keys, AdmissionLimits::default());
    let visitor = place.visitor();
    let until = |until| crate::access::Terms {
        until: Some(until),
        ..crate::access::Terms::default()
    };
    let over = place.issue("over", until(now() - 1));
    let good = place.issue("good", until(now() + 3_600_000));
    assert_eq!(
        place.lane(&visitor, &with(&over, lane(1))),
        Err(Refusal::ACCESS)
    );
    assert!(place.lane(&visitor, &with(&good, lane(1))).is_ok());
}

#[test]
fn where_anybody_may_come_in_a_bad_key_is_none() {
    let place = place(Access::Open, AdmissionLimits::default());
    let visitor = place.visitor();
    let wrong = Bytes::from_static(&[7; 32]);
    assert_eq!(place.lane(&visitor, &with(&wrong, lane(1))), Ok(None));
    let key = place.issue("choir", crate::access::Terms::default());
    assert!(
        place
            .lane(&visitor, &with(&key, lane(2)))
            .unwrap()
            .is_some()
    );
}

#[test]
fn many_lanes_take_work_and_a_key_takes_none() {
    let limits = AdmissionLimits {
        prefix_free_lanes_per_minute: 4,
        ..AdmissionLimits::default()
    };
    let place = place(Access::Open, limits);
    let visitor = place.visitor();
    for n in 0..4 {
        assert_eq!(place.admission.work_bits(&visitor, Instant::now()), 0);
        assert_eq!(place.lane(&visitor, &lane(n)), Ok(None));
    }
    let refused = place.lane(&visitor, &lane(4));
    let Err(refusal) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refusal, Refusal::work(10));
    // Whoever is refused does not make it dearer.
    for _ in 0..50 {
        assert_eq!(place.lane(&visitor, &lane(4)), Err(refusal));
    }
    let other_lane = LaneNew {
        lane: lane(6).lane,
        ..worked(10, lane(5))
    };
    assert_eq!(place.lane(&visitor, &other_lane), Err(refusal));
    assert_eq!(place.lane(&visitor, &worked(10, lane(4))), Ok(None));
    let key = place.issue("choir", crate::access::Terms::default());
    assert!(place.lane(&visitor, &with(&key, lane(9))).is_ok());
    // A POST has no challenge, so it cannot show work.
    let gate = Gate {
        visitor: &visitor,
        relay_id: &RELAY,
        challenge: None,
    };
    let new = worked(14, lane(7));
    let answer = place.admission.lane_new(&gate, &new, now(), Instant::now());
    assert_eq!(answer, Err(refusal));
    // Another prefix pays for itself only.
    let other = place
        .admission
        .arrive("192.0.2.2".parse().unwrap(), Instant::now())
        .unwrap();
    assert_eq!(place.lane(&other, &lane(8)), Ok(None));
}

#[test]
fn cells_that_nobody_pays_for_are_counted_per_prefix() {
    let limits = AdmissionLimits {
        prefix_bytes_per_hour: 3 * CELL_BYTES as u64,
        ..AdmissionLimits::default()
    };
    let place = place(Access::Open, limits);
    let visitor = place.visitor();
    let cells = |account, count| {
        let admission = &place.admission;
        admission.cells(&visitor, account, count, Instant::now())
    };
    let cell = |account| cells(account, 1);
    for _ in 0..100 {
        assert_eq!(cell(Some(1)), Ok(()));
    }
    assert!(
        cells(None, 4).is_err(),
        "a blob that is held counts as a whole"
    );
    for _ in 0..3 {
        assert_eq!(cell(None), Ok(()));
    }
    assert!(cell(None).is_err());
    assert_eq!(cell(Some(1)), Ok(()));
    place.admission.set_limits(AdmissionLimits::default());
    assert_eq!(cell(None), Ok(()));
}
