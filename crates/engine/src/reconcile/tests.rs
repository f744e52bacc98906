use super::*;
use proptest::prelude::*;

fn id(number: u64) -> Hash {
    hash(&number.to_le_bytes())
}

/// Runs both sides to the end: what was found, and the sizes of all messages.
fn run(one: &Set, other: &Set, limit: usize) -> (Found, Vec<usize>) {
    let mut found = Found::default();
    let mut sizes = vec![];
    let mut message = one.begin();
    for _ in 0..10_000 {
        sizes.push(message.len());
        let answer = other.answer(&message, limit).unwrap();
        sizes.push(answer.len());
        match one.compare(&answer, limit, &mut found).unwrap() {
            Some(next) => message = next,
            None => return (found, sizes),
        }
    }
    panic!("no end");
}

fn only(one: &Set, other: &Set) -> BTreeSet<Hash> {
    let theirs: BTreeSet<_> = other.0.iter().collect();
    let alone = one.0.iter().filter(|entry| !theirs.contains(entry));
    alone.map(|(_, id)| *id).collect()
}

fn judge(one: &Set, other: &Set) {
    let (found, sizes) = run(one, other, STEP_BYTES_MIN);
    assert_eq!(found.have, only(one, other));
    assert_eq!(found.need, only(other, one));
    // The first message has no limit of its own, and needs none.
    assert!(
        sizes.iter().all(|size| *size <= STEP_BYTES_MIN),
        "{sizes:?}"
    );
}

#[test]
fn numbers_are_told_as_published() {
    let told = |number| {
        let mut to = vec![];
        put_number(&mut to, number);
        to
    };
    assert_eq!(told(0), [0]);
    assert_eq!(told(127), [0x7f]);
    assert_eq!(told(128), [0x81, 0]);
    assert_eq!(told(0x3fff), [0xff, 0x7f]);
    for number in [0, 1, 300, u64::from(u32::MAX), u64::MAX] {
        let bytes = told(number);
        let mut reader = Reader {
            rest: &bytes,
            time: 0,
        };
        assert_eq!(reader.number(), Ok(number));
        assert!(reader.is_done());
    }
    let mut long = Reader {
        rest: &[0xff; 11],
        time: 0,
    };
    assert_eq!(long.number(), Err(Malformed));
}

#[test]
fn nothing_and_the_same_need_one_exchange() {
    let none = Set::default();
    let all = Set::new((0..1000).map(|n| (n, id(n))));
    for (one, other) in [(&none, &none), (&all, &all)] {
        let (found, sizes) = run(one, other, STEP_BYTES_MIN);
        assert_eq!((found, sizes.len()), (Found::default(), 2));
    }
    judge(&none, &all);
    judge(&all, &none);
    // Empty, as published: a bound at infinity, ids, none of them.
    assert_eq!(none.begin(), [VERSION, 0, 0, 2, 0]);
}

#[test]
fn many_of_one_time_are_told_apart() {
    let one = Set::new((0..3000).map(|n| (7, id(n))));
    let other = Set::new((50..3050).map(|n| (7, id(n))));
    judge(&one, &other);
    let late = Set::new([(u64::MAX, id(1)), (u64::MAX - 1, id(2))]);
    judge(&late, &one);
}

#[test]
fn an_answer_without_room_for_one_more_id_still_makes_sense() {
    let of = |first: u8, n: u64| {
        let mut id = id(n);
        (id[0], id[1]) = (first, first);
        (7, id)
    };
    // Where the second range begins, the other side needs two bytes of an id; between these entries one is enough.
    let ranges = [VERSION, 8, 2, 1, 0, 2, 0, 0, 0, 2, 0];
    let mut ended = 0;
    for fill in 25..40 {
        let many = Set::new((0..fill).map(|n| of(0, n)).chain([of(1, fill)]));
        let answer = many.answer(&ranges, STEP_BYTES_MIN).unwrap();
        let mut found = Found::default();
        let next = Set::default().compare(&answer, STEP_BYTES_MIN, &mut found);
        // All that were named, and a question for those that were not.
        ended += usize::from(next.unwrap().is_none());
        assert!(found.have.is_empty() && found.need.len() >= 25);
    }
    assert!(0 < ended && ended < 15, "{ended}");
}

#[test]
fn a_hundred_of_ten_thousand_are_found_in_few_cells() {
    let all = |skip: u64| {
        (0..10_000)
            .filter(move |n| n % 200 != skip)
            .map(|n| (n * 60_000, id(n)))
    };
    let (one, other) = (Set::new(all(3)), Set::new(all(77)));
    let (found, sizes) = run(&one, &other, 20_000);
    assert_eq!((found.have.len(), found.need.len()), (50, 50));
    let bytes: usize = sizes.iter().sum();
    assert!(sizes.len() <= 12 && bytes <= 70_000, "{sizes:?}");
    // What is missing in a row, as after a time away, is found at once.
    let away = Set::new((0..9_900).map(|n| (n * 60_000, id(n))));
    let all = Set::new((0..10_000).map(|n| (n * 60_000, id(n))));
    let (found, sizes) = run(&away, &all, 20_000);
    assert_eq!((found.have.len(), found.need.len()), (0, 100));
    let bytes: usize = sizes.iter().sum();
    assert!(sizes.len() <= 6 && bytes <= 10_000, "{sizes:?}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let set = Set::new((0..100).map(|n| (n, id(n))));
    let refused = |message: &[u8]| {
        assert_eq!(set.answer(message, STEP_BYTES_MIN), Err(Malformed));
        let mut found = Found::default();
        assert_eq!(
            set.compare(message, STEP_BYTES_MIN, &mut found),
            Err(Malformed)
        );
    };
    refused(&[]);
    refused(&[0x60]);
    refused(&[VERSION, 0]);
    refused(&[VERSION, 0, 33]);
    refused(&[VERSION, 0, 0, 3]);
    refused(&[VERSION, 0, 0, 1, 9]);
    refused(&[VERSION, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    // A range that ends before the one before it.
    refused(&[VERSION, 2, 1, 9, 0, 1, 1, 8, 0]);
}

proptest! {
    #[test]
    fn both_sides_find_what_each_alone_has(
        entries in prop::collection::vec((0u64..40, 0u64..400, 0u8..3), 0..400),
        spread in 1u64..100_000,
    ) {
        let side = |not: u8| {
            let theirs = entries.iter().filter(move |(_, _, who)| *who != not);
            Set::new(theirs.map(|(time, number, _)| (time * spread, id(time * 1000 + number))))
        };
        judge(&side(0), &side(1));
    }

    #[test]
    fn no_message_breaks_a_side(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let set = Set::new((0..200).map(|n| (n, id(n))));
        let message = [&[VERSION], &bytes[..]].concat();
        if let Ok(answer) = set.answer(&message, STEP_BYTES_MIN) {
            prop_assert!(answer.len() <= STEP_BYTES_MIN);
            let mut found = Found::default();
            let _ = set.compare(&answer, STEP_BYTES_MIN, &mut found);
        }
    }
}

/// The same set for the published implementation.
fn published(set: &Set) -> negentropy::NegentropyStorageVector {
    let mut storage = negentropy::NegentropyStorageVector::new();
    for (time, id) in &set.0 {
        let id = negentropy::Id::from_byte_array(*id);
        storage.insert(*time, id).unwrap();
    }
    storage.seal().unwrap();
    storage
}

#[test]
fn the_published_implementation_understands_both_sides() {
    let limit = STEP_BYTES as u64;
    let every = |n: u64, rest: u64| {
        (0..3000)
            .filter(move |m| m % n != rest)
            .map(|m| (m / 3, id(m)))
    };
    let (one, other) = (Set::new(every(50, 3)), Set::new(every(40, 7)));
    let (have, need) = (only(&one, &other), only(&other, &one));

    // It answers.
    let storage = published(&other);
    let mut theirs = negentropy::Negentropy::borrowed(&storage, limit).unwrap();
    let mut found = Found::default();
    let mut message = one.begin();
    loop {
        let answer = theirs.reconcile(&message).unwrap();
        match one.compare(&answer, STEP_BYTES, &mut found).unwrap() {
            Some(next) => message = next,
            None => break,
        }
    }
    assert_eq!((&found.have, &found.need), (&have, &need));

    // It begins.
    let storage = published(&one);
    let mut theirs = negentropy::Negentropy::borrowed(&storage, limit).unwrap();
    let (mut their_have, mut their_need) = (vec![], vec![]);
    let mut message = theirs.initiate().unwrap();
    assert_eq!(message, one.begin());
    loop {
        let answer = other.answer(&message, STEP_BYTES).unwrap();
        let next = theirs.reconcile_with_ids(&answer, &mut their_have, &mut their_need);
        match next.unwrap() {
            Some(next) => message = next,
            None => break,
        }
    }
    let ids = |ids: Vec<negentropy::Id>| ids.into_iter().map(|id| *id.as_bytes()).collect();
    assert_eq!((ids(their_have), ids(their_need)), (have, need));
}
