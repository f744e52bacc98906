//! The first seeds: one of each thing that an honest peer says.

mod bodies;
mod endpoints;
mod proto;

use bodies::bodies;
use endpoints::ENDPOINTS;
use prost::Message as _;
use proto::{bytes, number, part};
use std::fs;
use std::path::Path;
use ume_api::{HistoryWindow, InviteKind, InviteTerms, Role};
use ume_engine::fuzzing::World;
use ume_sim::Stage;
use ume_vault::{Argon2Params, Slot, WrappedKey, encode_slots};
use ume_wire::{access, fragment, relay::Frame};

type Seeds = Vec<(&'static str, String, Vec<u8>)>;

pub(crate) fn write(seeds: &Path, world: &Path) {
    let (link, bundle, record) = community();
    fs::write(world.join("link.txt"), &link).unwrap();
    fs::write(world.join("bundle.bin"), &bundle).unwrap();
    fs::write(world.join("record.bin"), &record).unwrap();
    let all = [
        pasted(&link),
        operators(),
        frames(),
        stored(),
        lanes(),
        people(),
        asking(),
        entries(),
        talks(),
        packs(),
        calls(),
        outside("bundle", &bundle, [11, 12, 2]),
        outside("record", &record, [4, 5, 3]),
        devices(),
        relays(),
    ];
    for (target, name, content) in all.into_iter().flatten() {
        let folder = seeds.join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), content).unwrap();
    }
}

/// Two people: link, bundle and record, as the second one gets them.
fn community() -> (String, Vec<u8>, Vec<u8>) {
    let mut stage = Stage::new(7);
    let (anna, bert) = (stage.device(0), stage.device(0));
    let place = stage.found(anna);
    let terms = InviteTerms {
        kind: InviteKind::Open,
        expires_in: None,
        max_uses: None,
        history: HistoryWindow::All,
        role: Role::Member,
    };
    let link = stage.share(anna, place, terms);
    stage.run(10_000);
    stage.listen(bert);
    stage.join(bert, &link).unwrap();
    stage.run(10_000);
    let (bundle, record) = World::overheard(&link, &stage.heard(bert)).expect("bundle and record");
    assert!(World::new(&link, &bundle, &record).is_some());
    (link, bundle, record)
}

fn seed(
    target: &'static str,
    name: &str,
    content: impl Into<Vec<u8>>,
) -> (&'static str, String, Vec<u8>) {
    (target, name.to_owned(), content.into())
}

/// With its length before it, as inputs have it.
fn piece(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&length.to_le_bytes(), content].concat()
}

const RICH: &str = "# Soup\n\n> *at* **seven**\n\n1. ~~bring~~ `spoon`\n2. [where](https://a.example/x)\n\n```\ncode\n```\n---\n";
const LINKS: &str = "![p](https://a.example/p.png) <https://b.example> [x](javascript:1) https://u@c.example [y][1] http://d.example/(z).\n\n[1]: https://e.example\n";
const UNSEEN: &str =
    "in\u{202e}voice a\u{200b}b \u{2066}x\u{2069} \u{e0041} \u{feff} e\u{301}\u{200d}\n";

const ACCENTS: &str =
    "uber strasse محمد ISPARTA\nÜber die Straße: مُحَمَّدٌ, e\u{301}te\u{301}, ﬁne ①\n";
const SPACELESS: &str = "京都 👩 ไม่ 한국\n東京都と京都 👩\u{200d}💻 ไม่เป็นไร 한국어 क्या\n";

fn pasted(link: &str) -> Seeds {
    let key = access::to_text(&[7; 32]);
    let mut seeds = vec![
        seed("access", "key", key.as_bytes()),
        seed(
            "access",
            "pasted",
            format!(" {}\n{} ", &key[..30], key[30..].to_uppercase()),
        ),
        seed("link", "link", link),
        seed("link", "amid-text", format!("#soup <{link}> #tonight 7pm")),
        seed("link", "newer", link.replace("#1.", "#2.")),
        seed("markdown", "rich", RICH),
        seed("markdown", "links", LINKS),
        seed("markdown", "unseen", UNSEEN),
        seed("search", "accents", ACCENTS),
        seed("search", "spaceless", SPACELESS),
        seed("search", "unseen", format!("in voice x\n{UNSEEN}")),
    ];
    seeds.extend(ENDPOINTS.map(|(name, text)| seed("endpoint", name, text)));
    seeds
}

fn asking() -> Seeds {
    let said = ume_engine::fuzzing::asking_seeds().into_iter();
    said.map(|(target, name, content)| seed(target, name, content))
        .collect()
}

const QUESTIONS: [(&str, &str); 7] = [
    ("list", r#""list""#),
    ("stats", r#""stats""#),
    ("gc", r#""gc""#),
    (
        "issue",
        r#"{"issue":{"name":"choir","terms":{"bytes":1,"lanes":2,"until_ms":0}}}"#,
    ),
    (
        "set",
        r#"{"set":{"name":"choir","terms":{"bytes":null,"lanes":9,"until_ms":null}}}"#,
    ),
    ("revoke", r#"{"revoke":{"name":"choir","delete":true}}"#),
    ("backup", r#"{"backup":{"to":"/a/b"}}"#),
];

fn operators() -> Seeds {
    let mut seeds: Seeds = QUESTIONS
        .iter()
        .map(|(name, text)| seed("admin", name, *text))
        .collect();
    let packaged = include_str!("../../../packaging/ume-relay.toml");
    seeds.push(seed("config", "packaged", packaged));
    let forms = "listen = [\"[::]:1\", '127.0.0.1:2']\ndata = \"a\\u00e4\\\\b\"\nbehind_tls = true\n\
                 trusted_proxies = \"10.0.0.0/8, ::1\"\nacme_domains = [\"a.b\"]\nstore_bytes = \"1 GiB\"\n\
                 frames_burst = 1_000\nping_after = \"1 s\"\nlog_level = \"warn\"\naccess = \"keys\"\n";
    seeds.push(seed("config", "forms", forms));
    seeds
}

fn frames() -> Seeds {
    let mut seeds: Seeds = bodies()
        .into_iter()
        .map(|(name, body)| {
            let frame = Frame {
                request: 7,
                body: Some(body),
            };
            seed("frame", name, frame.encode_to_vec())
        })
        .collect();
    seeds.push(seed(
        "frame",
        "unknown",
        [number(1, 7), part(1500, &[9; 40])].concat(),
    ));
    let split = fragment::split(1, [9; 16], &[5; 4000]).unwrap();
    let strange: Vec<u8> = split.iter().flat_map(|part| part[..40].to_vec()).collect();
    seeds.push(seed(
        "fragments",
        "three",
        [&[247, 1, 1][..], &strange].concat(),
    ));
    let text = |bits: u8, body: &[u8]| {
        let length = u8::try_from(body.len()).unwrap();
        [&[bits, 0x80 | length, 0, 0, 0, 0][..], body].concat()
    };
    let talk = [
        text(0x01, b"ume "),
        text(0x89, b"ping"),
        text(0x80, "ä".as_bytes()),
        text(0x82, &[0, 1, 2]),
        text(0x8a, b""),
        text(0x88, &[0x03, 0xe8, b'o', b'k']),
    ];
    seeds.push(seed(
        "websocket",
        "talk",
        [&[3][..], &talk.concat()].concat(),
    ));
    let long = [&[200, 0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4][..], &[7; 256]].concat();
    seeds.push(seed("websocket", "long", long));
    seeds
}

fn stored() -> Seeds {
    let wrapped = WrappedKey {
        nonce: [1; 12],
        sealed: [2; 48],
    };
    let slots = [
        Slot::Device {
            wrapped: wrapped.clone(),
        },
        Slot::Passphrase {
            params: Argon2Params::DEFAULT,
            salt: [3; 16],
            wrapped: wrapped.clone(),
        },
        Slot::Passkey {
            credential: vec![4; 20],
            salt: [5; 32],
            wrapped: wrapped.clone(),
        },
        Slot::KeyFile {
            id: [6; 16],
            salt: [7; 32],
            wrapped,
        },
        Slot::Unknown {
            kind: 9,
            body: vec![8; 5],
        },
    ];
    vec![
        seed("unlock", "all", encode_slots(&slots).unwrap()),
        seed(
            "vault",
            "row",
            [&[20, 1][..], &piece(b"id"), b"value"].concat(),
        ),
        seed("cell", "whole", [&[200, 1][..], &[3; 300]].concat()),
    ]
}

fn lanes() -> Seeds {
    let parts = fragment::split(1, [9; 16], &[5; 4000]).unwrap();
    // In a wrong order, one of them twice, one that does not open, and a new life of the lane.
    let mut log = vec![2, 1, 4, 1, 1];
    for (n, part) in [(3, 2), (1, 0), (1, 0), (2, 1)] {
        log.extend([vec![1, n], piece(&parts[part][..60])].concat());
    }
    log.extend([vec![0, 4], piece(&[7; 100]), vec![3, 2, 1, 9, 1, 2]].concat());
    let values: Vec<u8> = bodies()
        .into_iter()
        .filter_map(|(_, body)| match body {
            ume_wire::relay::frame::Body::Value(value) => Some(value.encode_to_vec()),
            _ => None,
        })
        .flat_map(|value| [vec![0], piece(&value), vec![1], piece(&value)].concat())
        .collect();
    vec![seed("log", "talk", log), seed("slots", "values", values)]
}

fn people() -> Seeds {
    let frontier = [part(1, &[1]), number(2, 3), part(3, &[4])].concat();
    let sayings = [
        (
            0,
            part(
                3,
                &[part(1, &[0]), number(3, 2), number(4, 2), number(6, 2)].concat(),
            ),
        ),
        (
            1,
            part(
                2,
                &[part(2, b"Pear"), part(3, &part(1, &[0])), part(4, &[1])].concat(),
            ),
        ),
        (0, part(5, &[part(1, &[1]), number(2, 3)].concat())),
        (1, part(7, &[part(1, &[5]), number(2, 1)].concat())),
        (
            0,
            part(
                6,
                &[number(1, 3), number(2, 3), number(3, 3), number(4, 4)].concat(),
            ),
        ),
        (
            0,
            part(
                5,
                &[part(1, &[1]), number(2, 1), part(3, &frontier)].concat(),
            ),
        ),
        (1, part(7, &[part(1, &[5])].concat())),
    ];
    let ends = [
        sayings[0].clone(),
        sayings[1].clone(),
        (
            0,
            part(11, &[part(1, &[1]), number(2, 1), number(3, 1)].concat()),
        ),
        (1, part(12, &part(1, &[0]))),
        (0, part(10, &part(1, &[0]))),
        (0, part(3, &[part(1, &[1]), number(6, 2)].concat())),
        (
            2,
            part(
                2,
                &[part(2, b"Fig"), part(3, &part(1, &[1])), part(4, &[1])].concat(),
            ),
        ),
        (
            1,
            part(
                8,
                &[
                    part(1, &[2]),
                    number(2, 1),
                    part(3, &[part(1, &[2]), number(2, 3), part(3, &[4])].concat()),
                ]
                .concat(),
            ),
        ),
        (0, part(9, &[])),
    ];
    let of = |from: u8, to: u8| [part(1, &[from]), part(2, &[to])].concat();
    let gifts = [
        sayings[0].clone(),
        sayings[1].clone(),
        (0, part(13, &[of(0, 1), part(3, &[5; 32])].concat())),
        (1, part(14, &of(b'P', b'p'))),
        (0, part(15, &part(1, &[6; 32]))),
        (
            2,
            part(
                2,
                &[part(2, b"Fig"), part(3, &part(1, &[0])), part(4, &[1])].concat(),
            ),
        ),
        (0, part(16, &[of(1, 2), part(3, &frontier)].concat())),
    ];
    let said = |sayings: &[(u8, Vec<u8>)]| -> Vec<u8> {
        let one = |(by, statement): &(u8, Vec<u8>)| [vec![*by, 9], piece(statement)].concat();
        sayings.iter().flat_map(one).collect()
    };
    vec![
        seed("ledger", "reign", said(&sayings)),
        seed("ledger", "ends", said(&ends)),
        seed("ledger", "gifts", said(&gifts)),
    ]
}

/// What people write.
fn entries() -> Seeds {
    let entry = [
        number(2, 1),
        number(5, 2),
        part(6, &[1; 32]),
        part(7, &[2; 32]),
        number(8, 1_750_000_000_000),
        part(9, &[0]),
        number(10, 1),
    ];
    let about = |kind: u64, body: &[u8]| {
        let mut fields = entry.to_vec();
        fields.extend([number(2, kind), part(11, &[3; 32]), part(9, body)]);
        fields.concat()
    };
    let written = |content: &[u8], body: &[u8]| {
        let signed = [part(1, content), part(2, &[7; 64])].concat();
        [part(1, &signed), part(2, body)].concat()
    };
    let body = [&[5; 16][..], b"hello"].concat();
    vec![
        seed("entry", "post", written(&entry.concat(), &body)),
        seed(
            "entry",
            "ends",
            written(
                &[entry.concat(), number(12, 1_750_000_060_000)].concat(),
                &body,
            ),
        ),
        seed("entry", "bare", written(&entry.concat(), &[])),
        seed("entry", "edit", written(&about(2, &[0]), &body)),
        seed("entry", "unpublish", written(&about(3, &[]), &[])),
        seed("entry", "reaction", written(&about(6, &[0]), &body)),
        seed("entry", "comment", written(&about(7, &[0]), &body)),
        seed("entry", "later", written(&about(99, &[0]), &body)),
        seed(
            "entry",
            "portrait",
            written(&[entry.concat(), number(2, 4)].concat(), &body),
        ),
        seed(
            "entry",
            "pack",
            written(
                &[entry.concat(), number(2, 5), number(12, 1_750_000_060_000)].concat(),
                &body,
            ),
        ),
    ]
}

fn talks() -> Seeds {
    let ids: Vec<u8> = (1..=2).flat_map(|n| part(1, &[n; 32])).collect();
    let written = part(
        1,
        &[part(1, &[part(1, b"entry"), part(2, &[7; 64])].concat())].concat(),
    );
    let talk = [
        part(2, &[5; 16]),
        part(3, &[6; 32]),
        number(4, 1),
        number(5, 20_000),
        part(6, &[7; 60]),
    ];
    // Times apart, what one side has, what the other has, and a message: two fingerprints, and ids.
    let sides = [piece(&[0xff; 40]), piece(&[0xf7; 40])].concat();
    let ranges = [&[0x61, 9, 0, 1][..], &[8; 16], &[0, 0, 1], &[9; 16]].concat();
    let listed = [&[0x61, 0, 0, 2, 1][..], &[8; 32]].concat();
    vec![
        seed("talk", "envelope", talk.concat()),
        seed("talk", "ask", part(1, &ids)),
        seed("talk", "given", part(2, &written)),
        seed("talk", "step", part(3, &part(1, &ranges))),
        seed(
            "reconcile",
            "ranges",
            [&[3, 7][..], &sides, &ranges].concat(),
        ),
        seed("reconcile", "ids", [&[0, 0][..], &sides, &listed].concat()),
    ]
}

/// Announcements, and packs of posts on two days.
fn packs() -> Seeds {
    let pack = [
        number(1, 666),
        number(2, 3),
        part(3, &[4; 32]),
        part(4, &[5; 32]),
        part(4, &[6; 32]),
    ];
    let post = |time_ms: u64, ends: u64| {
        let body = [&[5; 16][..], b"hello"].concat();
        let content = [
            number(2, 1),
            number(5, 1),
            number(8, time_ms),
            part(9, &[0]),
            number(10, 1),
            number(12, ends),
        ];
        let signed = part(1, &content.concat());
        part(1, &[part(1, &signed), part(2, &body)].concat())
    };
    let first = [post(1_000, 0), post(2_000, 0)].concat();
    let second = post(86_400_005, 0);
    let of = |count: u8, parts: &[(u8, &[u8])]| {
        let parts = parts.iter();
        let parts = parts.flat_map(|(day, message)| [vec![*day, 1], piece(message)].concat());
        [vec![count, 1], parts.collect()].concat()
    };
    let cell = [&[2, 0, 0, 0, 0][..], &piece(&[7; 60])].concat();
    vec![
        seed("pack", "announcement", pack.concat()),
        seed("pack", "two-days", of(3, &[(0, &first), (1, &second)])),
        seed("pack", "out-of-order", of(3, &[(1, &second), (0, &first)])),
        seed("pack", "too-many", of(2, &[(0, &first), (1, &second)])),
        seed("pack", "ends", of(1, &[(0, &post(1_000, 60_000))])),
        seed("pack", "cell", cell),
    ]
}

/// A bundle or record as a whole, and its parts by their field numbers.
fn outside(target: &'static str, whole: &[u8], fields: [u32; 3]) -> Seeds {
    let mut seeds = vec![seed(target, "whole", [&[0][..], whole].concat())];
    for (kind, (name, field)) in (1..).zip(["tree", "info", "statement"].into_iter().zip(fields)) {
        let part = bytes(whole, field).expect("the field is there");
        seeds.push(seed(target, name, [&[kind][..], &part].concat()));
    }
    seeds.push(seed(target, "within", [4u8, 100, 1, 2, 3]));
    seeds.push(seed(target, "within-info", [5u8, 100, 1, 2, 3]));
    seeds
}

fn calls() -> Seeds {
    let (call, beginning) = ume_engine::fuzzing::call_seeds();
    let bundle = bytes(&beginning, 1).expect("the field is there");
    let field = |field| bytes(&bundle, field).expect("the field is there");
    let removal = part(9, &part(1, &[1]));
    let parts = [
        ("whole", 0, beginning.clone()),
        ("tree", 1, field(11)),
        ("info", 2, field(12)),
        ("removal", 3, removal),
        ("within", 4, vec![100, 1, 2, 3]),
        ("within-info", 5, vec![100, 1, 2, 3]),
    ];
    let parts = parts.map(|(name, kind, part)| seed("call", name, [vec![kind], part].concat()));
    let mut seeds = vec![seed("call", "call", call)];
    seeds.extend(parts);
    seeds
}

fn devices() -> Seeds {
    let say = |body: ume_wire::relay::frame::Body| {
        let frame = Frame {
            request: 0,
            body: Some(body),
        };
        [vec![5], piece(&frame.encode_to_vec())].concat()
    };
    let mut seeds: Seeds = bodies()
        .into_iter()
        .map(|(name, body)| {
            seed(
                "engine",
                name,
                [vec![1, 1], say(body), vec![0, 7, 20]].concat(),
            )
        })
        .collect();
    let post = [
        vec![0, 8, 0],
        piece(b"hello"),
        vec![1, 4, 90, 1, 0, 7, 60, 0],
    ]
    .concat();
    seeds.push(seed("engine", "post", post));
    seeds.push(seed("engine", "look", [0u8, 8, 4, 0, 7, 20, 4, 80, 1, 0]));
    seeds.push(seed(
        "engine",
        "share",
        [0u8, 8, 1, 2, 0, 7, 60, 0, 6, 0, 7, 60, 0],
    ));
    seeds.push(seed(
        "engine",
        "other-relay",
        [0u8, 6, 1, 50, 9, 1, 8, 7, 100, 0, 9, 0, 6, 0, 7, 100, 0],
    ));
    seeds
}

fn relays() -> Seeds {
    let mut seeds = Seeds::new();
    for (name, body) in bodies() {
        let frame = Frame {
            request: 7,
            body: Some(body),
        };
        let pieces = [vec![0], piece(&frame.encode_to_vec())].concat();
        for (kind, way) in [(1, "post"), (2, "socket"), (7, "paced")] {
            let input = [&[kind][..], &pieces, &pieces].concat();
            seeds.push(seed("relay", &format!("{way}-{name}"), input));
        }
    }
    let requests = [
        ("get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "ready",
            "GET /readyz HTTP/1.1\r\nX-Forwarded-For: 10.0.0.1, [2001:db8::1]:4\r\n\r\n",
        ),
        ("options", "OPTIONS /v1/f HTTP/1.1\r\nOrigin: null\r\n\r\n"),
        (
            "chunked",
            "POST /v1/f HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        (
            "cut",
            "POST /v1/f HTTP/1.1\r\nContent-Length: 2048\r\n\r\nabc",
        ),
        (
            "upgrade",
            "GET /v1/ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ),
    ];
    for (name, text) in requests {
        seeds.push(seed(
            "relay",
            &format!("http-{name}"),
            [&[0][..], text.as_bytes()].concat(),
        ));
    }
    seeds.push(seed(
        "relay",
        "raw-ping",
        [3u8, 0x89, 0x80, 0, 0, 0, 0, 0x88, 0x80, 0, 0, 0, 0],
    ));
    for (name, text) in QUESTIONS {
        seeds.push(seed(
            "relay",
            &format!("admin-{name}"),
            [&[4, 0][..], text.as_bytes()].concat(),
        ));
    }
    seeds
}
