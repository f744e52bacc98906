use super::*;
use crate::ledger::{self, Ledger, make_cert, make_statement};
use proto::statement::Body;

struct Author {
    persona: SigningKey,
    leaf: SigningKey,
}

impl Author {
    fn new(n: u8) -> Self {
        Self {
            persona: SigningKey::from_bytes(&[n; 32]),
            leaf: SigningKey::from_bytes(&[n + 100; 32]),
        }
    }

    fn persona(&self) -> Hash {
        self.persona.verifying_key().to_bytes()
    }

    fn writes(&self, community: &Hash, draft: Draft) -> proto::Written {
        write(community, &self.persona(), &self.leaf, draft)
    }
}

fn draft(text: &str) -> Draft {
    Draft {
        seq: 1,
        previous: None,
        parents: vec![],
        kind: Kind::Post,
        salt: [5; 16],
        time_ms: 7,
        expires_ms: None,
        content: text.into(),
        ledger: 1,
    }
}

fn ledger(owner: &Author) -> Ledger {
    let genesis = proto::Genesis {
        salt: vec![9; 32],
        name: "Orchard".into(),
        owner: owner.persona().to_vec(),
        suite: 1,
        relays: vec![proto::Relay {
            address: "https://r".into(),
            id: vec![0; 32],
        }],
        quorum: 1,
        created_ms: 5,
    };
    let mut ledger = Ledger::begin(&genesis.encode_to_vec()).unwrap();
    let leaf = owner.leaf.verifying_key().to_bytes();
    let cert = make_cert(&owner.persona, &ledger.community, &leaf, 1);
    let admit = proto::Admit {
        cert,
        name: "Plum".into(),
        claim: None,
        rescue: vec![1],
    };
    ledger
        .apply(
            &make_statement(&owner.leaf, &ledger.head(), Body::Admit(admit)),
            0,
        )
        .unwrap();
    ledger
}

#[test]
fn an_entry_of_a_member_holds() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let signed = owner.writes(&ledger.community, draft("hello"));
    let entry = verify(&signed, &ledger.community).unwrap();
    assert_eq!(
        (entry.text.as_deref(), entry.author),
        (Some("hello"), owner.persona())
    );
    assert_eq!(Some(entry.id), id(&signed));
}

#[test]
fn nobody_writes_in_anothers_name_or_from_outside() {
    let (owner, stranger) = (Author::new(1), Author::new(2));
    let ledger = ledger(&owner);
    let unknown = |_, _| None;
    let outside = stranger.writes(&ledger.community, draft("let me in"));
    let entry = verify(&outside, &ledger.community).unwrap();
    assert_eq!(judge(&entry, &ledger, unknown), Standing::Undecided);
    // Signed by a member's device in somebody else's name.
    let forged = write(
        &ledger.community,
        &stranger.persona(),
        &owner.leaf,
        draft("forged"),
    );
    let entry = verify(&forged, &ledger.community).unwrap();
    assert_eq!(
        judge(&entry, &ledger, unknown),
        Standing::Refused(standing::Refusal::Author)
    );
    // The owner's words with a stranger's signature.
    let mut swapped = owner.writes(&ledger.community, draft("mine"));
    let others = stranger.writes(&ledger.community, draft("mine"));
    swapped.entry.as_mut().unwrap().signature = others.entry.unwrap().signature;
    assert_eq!(
        verify(&swapped, &ledger.community),
        Err(LedgerError::Signature)
    );
}

#[test]
fn an_entry_of_another_community_is_refused() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let signed = owner.writes(&[8; 32], draft("elsewhere"));
    assert_eq!(
        verify(&signed, &ledger.community),
        Err(LedgerError::Community)
    );
}

#[test]
fn every_changed_bit_is_noticed() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let signed = owner.writes(&ledger.community, draft("as it was written"));
    let content = signed.entry.clone().unwrap().content;
    for bit in 0..8 * content.len() {
        let mut changed = signed.clone();
        changed.entry.as_mut().unwrap().content[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&changed, &ledger.community).is_err(), "bit {bit}");
    }
    for bit in 0..8 * signed.body.len() {
        let mut changed = signed.clone();
        changed.body[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify(&changed, &ledger.community).is_err(),
            "body, bit {bit}"
        );
    }
}

#[test]
fn entries_out_of_shape_are_refused_even_if_signed() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let refused = |draft: Draft| {
        let signed = owner.writes(&ledger.community, draft);
        assert_eq!(
            verify(&signed, &ledger.community),
            Err(LedgerError::Malformed)
        );
    };
    refused(draft(""));
    refused(draft(&"x".repeat(TEXT_BYTES_MAX + 1)));
    refused(Draft {
        seq: 0,
        ..draft("zero")
    });
    refused(Draft {
        seq: 2,
        ..draft("second without a first")
    });
    refused(Draft {
        previous: Some(EntryId([1; 32])),
        ..draft("first after another")
    });
    refused(Draft {
        parents: vec![EntryId([1; 32]); PARENTS_MAX + 1],
        ..draft("too many")
    });
}

#[test]
fn a_text_can_be_erased_and_the_entry_still_be_verified() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let signed = owner.writes(&ledger.community, draft("said too soon"));
    let mut entry = verify(&signed, &ledger.community).unwrap();
    assert!(!entry.is_bare());
    entry.erase();
    assert!(entry.is_bare());
    let bare = verify(&entry.written, &ledger.community).unwrap();
    assert_eq!((bare.id, bare.text), (entry.id, None));
    let found = |bytes: &[u8]| bytes.windows(4).any(|four| four == b"soon");
    assert!(!found(&entry.written.encode_to_vec()));
    assert!(found(&signed.encode_to_vec()));
}

#[test]
fn changes_name_a_post_and_posts_name_none() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let post = EntryId([3; 32]);
    for (kind, text) in [(Kind::Edit(post), "better"), (Kind::Unpublish(post), "")] {
        let draft = Draft {
            kind,
            ..draft(text)
        };
        let entry = verify(&owner.writes(&ledger.community, draft), &ledger.community).unwrap();
        assert_eq!((entry.kind, entry.is_bare()), (kind, false));
    }
    let resigned = |change: fn(&mut proto::Entry), text: &str| {
        let signed = owner.writes(&ledger.community, draft(text)).entry.unwrap();
        let mut entry = proto::Entry::decode(&signed.content[..]).unwrap();
        change(&mut entry);
        let content = entry.encode_to_vec();
        let written = proto::Written {
            entry: Some(ledger::sign(&owner.leaf, Purpose::Entry, content)),
            body: vec![],
        };
        verify(&written, &ledger.community)
    };
    let malformed = Err(LedgerError::Malformed);
    assert_eq!(resigned(|entry| entry.target = vec![3; 32], "x"), malformed);
    assert_eq!(resigned(|entry| entry.kind = 2, "x"), malformed);
    assert_eq!(resigned(|entry| entry.kind = 0, "x"), malformed);
    assert_eq!(resigned(|entry| entry.kind = -1, "x"), malformed);
    assert_eq!(resigned(|entry| entry.kind = 6, "x"), malformed);
    assert_eq!(resigned(|entry| entry.kind = 7, "x"), malformed);
    let taken_back = |entry: &mut proto::Entry| {
        entry.kind = 3;
        entry.target = vec![3; 32];
    };
    assert_eq!(resigned(taken_back, "x"), malformed, "with a text");
}

#[test]
fn what_a_later_version_writes_is_kept() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    for (has_body, target) in [(true, None), (true, Some(EntryId([3; 32]))), (false, None)] {
        let kind = Kind::Other {
            number: 1_000,
            has_body,
            target,
        };
        let draft = Draft {
            kind,
            content: vec![0xff; 3],
            ..draft("")
        };
        let signed = owner.writes(&ledger.community, draft);
        let entry = verify(&signed, &ledger.community).unwrap();
        assert_eq!((entry.kind, entry.is_bare()), (kind, false));
        assert_eq!((entry.kind.target(), &entry.text), (None, &None));
        assert_eq!(judge(&entry, &ledger, |_, _| None), Standing::Stands);
    }
}

#[test]
fn a_reaction_is_short_or_empty() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let read = |text: &str| {
        let kind = Kind::Reaction(EntryId([3; 32]));
        let draft = Draft {
            kind,
            ..draft(text)
        };
        verify(&owner.writes(&ledger.community, draft), &ledger.community)
    };
    for text in ["", "🌸", &"x".repeat(EMOJI_BYTES_MAX)] {
        let entry = read(text).unwrap();
        assert_eq!(
            (entry.text.as_deref(), entry.is_bare()),
            (Some(text), false)
        );
    }
    let long = "x".repeat(EMOJI_BYTES_MAX + 1);
    assert_eq!(read(&long), Err(LedgerError::Malformed));
}

#[test]
fn a_portrait_holds_a_picture_of_bounded_size() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let verdict = |bytes: usize| {
        let draft = Draft {
            kind: Kind::Portrait,
            content: vec![0xff; bytes],
            ..draft("")
        };
        verify(&owner.writes(&ledger.community, draft), &ledger.community)
    };
    for bytes in [0, 1, PICTURE_BYTES_MAX] {
        let entry = verdict(bytes).unwrap();
        assert_eq!((entry.text, entry.picture), (None, Some(vec![0xff; bytes])));
    }
    assert_eq!(verdict(PICTURE_BYTES_MAX + 1), Err(LedgerError::Malformed));
}

#[test]
fn a_post_may_end_and_does_so_in_time() {
    let owner = Author::new(1);
    let community = ledger(&owner).community;
    let read = |draft: Draft| verify(&owner.writes(&community, draft), &community);
    let until = |at: u64| Draft {
        expires_ms: Some(at),
        ..draft("for a while")
    };
    let mut entry = read(until(8)).unwrap();
    assert_eq!((entry.time_ms, entry.expires_ms), (7, Some(8)));
    assert!(!entry.is_over(7) && entry.is_over(8) && !entry.has_ended());
    entry.erase();
    assert!(entry.has_ended());
    let again = verify(&entry.written, &community).unwrap();
    assert_eq!((again.id, again.has_ended()), (entry.id, true));
    assert!(read(until(7 + LIFETIME_MS_MAX)).is_ok());
    for at in [1, 7, 8 + LIFETIME_MS_MAX, u64::MAX] {
        assert_eq!(read(until(at)), Err(LedgerError::Malformed), "{at}");
    }
    // An edit ends with its post; what takes a post back, or shows a person, stays.
    let about = EntryId([9; 32]);
    for (kind, may) in [
        (Kind::Edit(about), true),
        (Kind::Unpublish(about), false),
        (Kind::Portrait, false),
    ] {
        let read = read(Draft { kind, ..until(8) });
        assert_eq!(read.is_ok(), may, "{kind:?}");
    }
}

#[test]
fn files_stand_behind_the_text_and_go_with_it() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let list = proto::Attachments {
        files: vec![proto::Attachment::default()],
    };
    let list = list.encode_to_vec();
    let with = |draft: Draft, files: &[u8]| {
        let (community, persona) = (&ledger.community, owner.persona());
        write_with(community, &persona, &owner.leaf, draft, files)
    };
    let thread = Kind::Comment(EntryId([3; 32]));
    for kind in [Kind::Post, thread] {
        for text in ["look", ""] {
            let draft = Draft {
                kind,
                ..draft(text)
            };
            let written = with(draft, &list);
            let mut entry = verify(&written, &ledger.community).unwrap();
            // One that makes no sense is one all the same.
            assert_eq!(
                (entry.text.as_deref(), &entry.files[..]),
                (Some(text), &[None][..])
            );
            entry.erase();
            assert!(entry.files.is_empty());
            let bare = verify(&entry.written, &ledger.community).unwrap();
            assert_eq!((bare.text, bare.files.len()), (None, 0));
        }
    }

    // So many bytes of a body that has fewer, or in which they would cut a letter.
    let said = |written: &proto::Written, attached: u32| {
        let signed = written.entry.clone().unwrap();
        let mut entry = proto::Entry::decode(&signed.content[..]).unwrap();
        entry.attached = attached;
        let signed = ledger::sign(&owner.leaf, Purpose::Entry, entry.encode_to_vec());
        let written = proto::Written {
            entry: Some(signed),
            ..written.clone()
        };
        verify(&written, &ledger.community)
    };
    let written = with(draft("é"), &list);
    let all = u32::try_from(list.len()).unwrap();
    assert!(said(&written, all).is_ok());
    assert!(said(&written, all + 2).is_ok());
    for wrong in [all + 1, all + 3, u32::MAX] {
        assert_eq!(
            said(&written, wrong),
            Err(LedgerError::Malformed),
            "{wrong}"
        );
    }
    let long = vec![0; attachment::LIST_BYTES_MAX + 1];
    let wrong = [
        with(draft("x"), &long),
        with(
            Draft {
                kind: Kind::Edit(EntryId([3; 32])),
                ..draft("x")
            },
            &list,
        ),
        with(
            Draft {
                kind: Kind::Portrait,
                ..draft("x")
            },
            &list,
        ),
        with(draft(&"x".repeat(TEXT_BYTES_MAX + 1)), &list),
    ];
    for written in wrong {
        assert_eq!(
            verify(&written, &ledger.community),
            Err(LedgerError::Malformed)
        );
    }
}
