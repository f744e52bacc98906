//! Web Push: who is woken, when, by what, and what the relay does with every answer; over real sockets, with a push service
//! that speaks TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;
#[path = "support/judge.rs"]
mod judge;
#[path = "support/process.rs"]
mod process;
#[path = "support/service.rs"]
mod service;

use bytes::Bytes;
use client::*;
use futures_util::SinkExt;
use process::{Process, program};
use service::*;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use ume_relay::{Config, Relay};
use ume_wire::{
    limits::PUSH_WATCHES_MAX,
    relay::{LaneKind, PushSet, RefusedCode, frame::Body},
};

/// Longer than it takes to wake somebody.
const A_WHILE: Duration = Duration::from_millis(700);
const PAUSE: Duration = Duration::from_secs(5);

fn configure(config: &mut Config, service: &Service) {
    let push = &mut config.push;
    push.allow = vec!["push.example.org".to_owned()];
    push.private = vec![service.name()];
    push.roots = Some(service.roots.clone());
    push.contact = Some("admin@example.org".to_owned());
    push.pause = PAUSE;
    push.delay = Duration::ZERO;
    push.retry = Duration::from_millis(100);
    push.timeout = Duration::from_secs(1);
}

async fn place_of(service: &Service) -> Place {
    place_with(|config| configure(config, service)).await
}

async fn push_key(relay: SocketAddr) -> Bytes {
    match post(relay, vec![hello()]).await.remove(0).body {
        Some(Body::Welcome(welcome)) => welcome.push_key,
        other => panic!("{other:?}"),
    }
}

async fn close(mut client: Client) {
    client.socket.close().await.unwrap();
    // Until the relay has taken note of it.
    client.close_code().await;
}

/// A client with a lane, and the lane.
async fn writer(place: &Place, n: u8) -> (Client, Lane) {
    let (mut client, lane) = (place.connect().await, Lane::log(n));
    assert_eq!(client.ask(lane.create()).await, done());
    (client, lane)
}

async fn append(client: &mut Client, lane: &Lane, n: u64) {
    let answer = client.ask(lane.append(cell(n))).await;
    assert!(matches!(answer, Body::Appended(_)), "{answer:?}");
}

#[tokio::test]
async fn a_device_is_woken_once_while_it_is_away_and_again_when_it_was_there() {
    let mut service = Service::start().await;
    let place = place_of(&service).await;
    let key = push_key(place.relay.address()).await;
    assert_eq!(key.len(), 65);
    let (mut writer, lane) = writer(&place, 1).await;
    let device = Device::new(7, &service);

    // While it is there it hears of everything by its connection.
    let mut there = place.connect().await;
    assert_eq!(there.ask(device.set()).await, made(true));
    assert_eq!(there.ask(device.set()).await, made(false));
    assert_eq!(there.ask(device.watch(&lane)).await, done());
    append(&mut writer, &lane, 1).await;
    service.is_quiet(A_WHILE).await;
    close(there).await;
    service.is_quiet(A_WHILE).await;

    append(&mut writer, &lane, 2).await;
    let letter = service.letter().await;
    assert_eq!(letter.line, "POST /device/7?a=%2f HTTP/1.1");
    let says = device.browser.open(&letter, &key, &service);
    assert_eq!(says["web_push"], 8030);
    assert_eq!(says["mutable"], true);
    assert_eq!(says["notification"]["title"], "ume");
    assert_eq!(says["notification"]["navigate"], "https://ume.example/");
    let told = Instant::now();

    append(&mut writer, &lane, 3).await;
    append(&mut writer, &lane, 3).await;
    service.is_quiet(A_WHILE).await;
    // It was there, without a word of what it read.
    let mut there = place.connect().await;
    assert_eq!(there.ask(device.set()).await, made(false));
    close(there).await;
    append(&mut writer, &lane, 4).await;
    let again = service.letter().await;
    assert!(
        told.elapsed() < PAUSE,
        "the machine is too slow for this test"
    );
    assert_ne!(again.body, letter.body, "no two look alike");

    tokio::time::sleep(PAUSE).await;
    // A cell that was there already is no news.
    append(&mut writer, &lane, 4).await;
    service.is_quiet(A_WHILE).await;
    append(&mut writer, &lane, 5).await;
    let last = service.letter().await;
    device.browser.open(&last, &key, &service);

    let push = judge::Push {
        secret: device.browser.secret.to_bytes().to_vec(),
        auth: device.browser.auth.to_vec(),
        body: last.body,
        authorization: last.headers["authorization"].clone(),
    };
    if let Some(said) = judge::judge(&[push]) {
        let says: serde_json::Value =
            serde_json::from_str(said[0]["says"].as_str().unwrap()).unwrap();
        assert_eq!(says["web_push"], 8030);
        assert_eq!(said[0]["claims"]["sub"], "mailto:admin@example.org");
    }
}

#[tokio::test]
async fn what_came_after_a_device_was_heard_of_last_wakes_it() {
    let mut service = Service::start().await;
    let place = place_of(&service).await;
    let (mut writer, lane) = writer(&place, 1).await;
    let device = Device::new(7, &service);
    let mut gone = place.connect().await;
    assert_eq!(gone.ask(device.set()).await, made(true));
    assert_eq!(gone.ask(device.watch(&lane)).await, done());
    append(&mut writer, &lane, 1).await;
    service.is_quiet(A_WHILE).await;
    // Its network is gone; the relay notices by and by.
    drop(gone);
    service.letter().await;
}

#[tokio::test]
async fn values_wake_as_cells_do() {
    let mut service = Service::start().await;
    let place = place_of(&service).await;
    let (mut client, lane) = (place.connect().await, Lane::slots(1));
    assert_eq!(client.ask(lane.create()).await, done());
    let device = Device::new(7, &service);
    device.leave_word(place.relay.address(), &[&lane]).await;
    for body in lane.accepts(1, &ballot(1, 1), &[cell(1), cell(2)]) {
        client.ask(body).await;
    }
    service.letter().await;
}

/// Lets a device be told, and its service answer; as many letters come as there are answers.
async fn wake(service: &mut Service, place: &Place, n: u8, answers: &[&'static str]) -> Device {
    let (mut writer, lane) = writer(place, n).await;
    let device = Device::new(n, service);
    service.answer(answers.iter().copied());
    device.leave_word(place.relay.address(), &[&lane]).await;
    append(&mut writer, &lane, n.into()).await;
    for _ in answers {
        service.letter().await;
    }
    service.is_quiet(A_WHILE).await;
    device
}

#[tokio::test]
async fn every_answer_of_a_service_has_its_meaning() {
    let mut service = Service::start().await;
    let place = place_of(&service).await;
    let relay = place.relay.address();
    for (n, gone) in [
        (1, "HTTP/1.1 410 Gone\r\n\r\n"),
        (2, "HTTP/1.1 404 Not Found\r\n\r\n"),
    ] {
        let device = wake(&mut service, &place, n, &[gone]).await;
        assert!(!device.is_known(relay).await);
    }
    // Tried again, also when what was said is none of the protocol, or nothing.
    let start = Instant::now();
    let answers = [
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\n\r\n",
        TAKEN,
    ];
    let device = wake(&mut service, &place, 3, &answers).await;
    let took = start.elapsed();
    assert!(
        took > Duration::from_secs(1) + A_WHILE,
        "it was asked to wait"
    );
    assert!(device.is_known(relay).await);
    wake(&mut service, &place, 4, &[HANG, TAKEN]).await;
    wake(
        &mut service,
        &place,
        5,
        &["\0\r\n\r\ngarbage\r\n\r\n", TAKEN],
    )
    .await;
    // Neither followed elsewhere nor asked again, and an answer without an end is not waited for.
    for (n, answer) in [
        (
            6,
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\n\r\n",
        ),
        (7, "HTTP/1.1 403 Forbidden\r\n\r\n"),
        (
            8,
            "HTTP/1.1 201 Created\r\nContent-Length: 9999999999\r\n\r\nabc",
        ),
    ] {
        let device = wake(&mut service, &place, n, &[answer]).await;
        assert!(device.is_known(relay).await);
    }
}

#[tokio::test]
async fn a_service_that_is_not_known_by_its_certificate_hears_nothing() {
    let mut service = Service::start().await;
    let place = place_with(|config| {
        configure(config, &service);
        config.push.roots = None;
    })
    .await;
    let (mut writer, lane) = writer(&place, 1).await;
    let device = Device::new(7, &service);
    device.leave_word(place.relay.address(), &[&lane]).await;
    append(&mut writer, &lane, 1).await;
    service.is_quiet(A_WHILE).await;
}

#[tokio::test]
async fn nobody_who_writes_waits_for_a_service_that_hangs() {
    let service = Service::start().await;
    let place = place_with(|config| {
        configure(config, &service);
        config.push.timeout = Duration::from_mins(1);
    })
    .await;
    service.answer([HANG; 64]);
    let (mut writer, lane) = writer(&place, 1).await;
    let devices: Vec<_> = (1..=64).map(|n| Device::new(n, &service)).collect();
    for device in &devices {
        device.leave_word(place.relay.address(), &[&lane]).await;
    }
    let start = Instant::now();
    for n in 0..100 {
        append(&mut writer, &lane, n).await;
        if n == 0 {
            tokio::time::sleep(A_WHILE).await;
        }
    }
    // A request to the service would have taken a minute.
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
    let start = Instant::now();
    place.relay.stop().await;
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn who_does_not_want_to_be_woken_is_not() {
    let mut service = Service::start().await;
    let place = place_of(&service).await;
    let relay = place.relay.address();
    let (mut writer, lane) = writer(&place, 1).await;
    let (ended, stopped, watching) = (
        Device::new(7, &service),
        Device::new(8, &service),
        Device::new(9, &service),
    );
    for device in [&ended, &stopped, &watching] {
        device.leave_word(relay, &[&lane]).await;
    }
    assert_eq!(post(relay, vec![ended.end()]).await[0].body, Some(done()));
    let stop = vec![stopped.stop(&lane), stopped.stop(&lane)];
    for answer in post(relay, stop).await {
        assert_eq!(answer.body, Some(done()));
    }
    append(&mut writer, &lane, 1).await;
    let letter = service.letter().await;
    assert!(letter.line.contains("/device/9"), "{}", letter.line);
    service.is_quiet(A_WHILE).await;
    // A lane that is gone and made again is another one.
    assert_eq!(writer.ask(lane.delete()).await, done());
    assert_eq!(writer.ask(lane.create()).await, done());
    tokio::time::sleep(PAUSE).await;
    append(&mut writer, &lane, 2).await;
    service.is_quiet(A_WHILE).await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let service = Service::start().await;
    let place = place_of(&service).await;
    let relay = place.relay.address();
    let (mut client, lane) = writer(&place, 1).await;
    let device = Device::new(7, &service);
    let changed = |change: &dyn Fn(&mut PushSet)| {
        let mut set = device.set.clone();
        change(&mut set);
        Body::PushSet(set)
    };
    let malformed = RefusedCode::RefusedMalformed;
    let denied = RefusedCode::RefusedDenied;
    let short = Bytes::from_static(&[7; 31]);
    for (body, code) in [
        (changed(&|set| set.id.clone_from(&short)), malformed),
        (changed(&|set| set.id = Bytes::new()), malformed),
        (changed(&|set| set.auth.clone_from(&short)), malformed),
        (changed(&|set| set.p256dh = Bytes::new()), malformed),
        (changed(&|set| set.p256dh = vec![4; 65].into()), malformed),
        (changed(&|set| set.origin = "https://a/b".into()), malformed),
        (changed(&|set| set.endpoint = String::new()), malformed),
        (
            changed(&|set| set.endpoint = "http://push.example.org/".into()),
            malformed,
        ),
        (
            changed(&|set| set.endpoint = "https://127.0.0.1/a".into()),
            malformed,
        ),
        (
            changed(&|set| set.endpoint = "https://localhost/a".into()),
            denied,
        ),
        (
            changed(&|set| set.endpoint = "https://evil.example/a".into()),
            denied,
        ),
        // Before there is such a device.
        (device.watch(&lane), denied),
        (device.stop(&lane), denied),
    ] {
        assert_eq!(client.ask(body.clone()).await, refused(code), "{body:?}");
    }
    assert_eq!(client.ask(device.set()).await, made(true));
    assert_eq!(
        client.ask(device.watch(&Lane::log(2))).await,
        refused(denied)
    );
    let Body::PushWatch(mut forged) = device.watch(&lane) else {
        panic!("a watch")
    };
    forged.signature = vec![1; 64].into();
    assert_eq!(client.ask(Body::PushWatch(forged)).await, refused(denied));
    let mut fleeting = Lane::new(LaneKind::Log, 3);
    fleeting.0.ttl_seconds = 0;
    assert_eq!(client.ask(fleeting.create()).await, done());
    assert_eq!(
        client.ask(device.watch(&fleeting)).await,
        refused(malformed)
    );

    // Where nobody is woken there is no such request.
    let mut config = place.config();
    configure(&mut config, &service);
    (config.push.allow, config.push.private) = (Vec::new(), Vec::new());
    place.relay.reload(&config);
    assert!(push_key(relay).await.is_empty());
    let unknown = refused(RefusedCode::RefusedUnknown);
    assert_eq!(client.ask(device.set()).await, unknown);
}

#[tokio::test]
async fn there_is_only_so_much_of_it() {
    let mut service = Service::start().await;
    let place = place_with(|config| {
        configure(config, &service);
        config.limits.push_devices = 2;
    })
    .await;
    let relay = place.relay.address();
    let mut client = place.connect().await;
    let most = u8::try_from(PUSH_WATCHES_MAX).unwrap();
    let lanes: Vec<_> = (1..=most + 1).map(Lane::log).collect();
    for lane in &lanes {
        assert_eq!(client.ask(lane.create()).await, done());
    }
    let all: Vec<_> = lanes.iter().collect();
    let device = Device::new(7, &service);
    device.leave_word(relay, &all[..1]).await;
    for lanes in lanes.chunks(32) {
        let bodies = lanes.iter().map(|lane| device.watch(lane)).collect();
        for answer in post(relay, bodies).await {
            assert_eq!(answer.body, Some(done()));
        }
    }
    append(&mut client, &lanes[0], 1).await;
    service.is_quiet(A_WHILE).await;
    append(&mut client, &lanes[1], 2).await;
    service.letter().await;

    Device::new(8, &service).leave_word(relay, &[]).await;
    let third = Device::new(9, &service).set();
    let limit = refused(RefusedCode::RefusedLimit);
    assert_eq!(post(relay, vec![third.clone()]).await[0].body, Some(limit));
    assert_eq!(
        post(relay, vec![device.end(), third]).await[1].body,
        Some(made(true))
    );

    // New ones of one network, an hour.
    let place = place_with(|config| {
        configure(config, &service);
        config.limits.admission.limit_loopback = true;
        config.limits.admission.prefix_devices_per_hour = 1;
    })
    .await;
    let relay = place.relay.address();
    device.leave_word(relay, &[]).await;
    assert!(device.is_known(relay).await);
    let Some(Body::Refused(second)) = post(relay, vec![Device::new(8, &service).set()])
        .await
        .remove(0)
        .body
    else {
        panic!("taken")
    };
    assert_eq!(second.code(), RefusedCode::RefusedLimit);
}

#[tokio::test]
async fn devices_outlive_a_restart_and_so_does_the_key() {
    let mut service = Service::start().await;
    let place = place_of(&service).await;
    let key = push_key(place.relay.address()).await;
    let (client, lane) = writer(&place, 1).await;
    let device = Device::new(7, &service);
    device.leave_word(place.relay.address(), &[&lane]).await;
    drop(client);
    let mut config = place.config();
    configure(&mut config, &service);
    let Place { directory, relay } = place;
    relay.stop().await;
    let relay = Relay::start(config).await.unwrap();
    assert_eq!(push_key(relay.address()).await, key);
    assert!(device.is_known(relay.address()).await);
    let mut client = Client::connect(relay.address()).await.unwrap();
    append(&mut client, &lane, 1).await;
    device.browser.open(&service.letter().await, &key, &service);
    drop(directory);
}

#[tokio::test]
async fn no_device_that_was_acknowledged_is_lost_by_a_kill() {
    let mut service = Service::start().await;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let start = || {
        let (roots, name) = (service.roots.to_str().unwrap(), service.name());
        let arguments = [
            &["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()][..],
            &["--push-private", &name, "--push-roots", roots],
            &[
                "--push-delay",
                "0 ms",
                "--push-contact",
                "admin@example.org",
            ],
        ]
        .concat();
        Process::run(program(), &arguments, 1)
    };
    let (lane, mut devices) = (Lane::log(1), Vec::new());
    for n in 1..=10 {
        let relay = start();
        let created = post(relay.address(), vec![lane.create()]).await;
        assert_eq!(created[0].body, Some(done()));
        let device = Device::new(n, &service);
        device.leave_word(relay.address(), &[&lane]).await;
        devices.push(device);
        // Killed at once.
        drop(relay);
    }
    let relay = start();
    for device in &devices {
        assert!(device.is_known(relay.address()).await);
    }
    let appended = post(relay.address(), vec![lane.append(cell(1))]).await;
    assert!(matches!(appended[0].body, Some(Body::Appended(_))));
    let mut woken = Vec::new();
    for _ in &devices {
        woken.push(service.letter().await.line);
    }
    woken.sort_unstable();
    woken.dedup();
    assert_eq!(woken.len(), devices.len());
    let said = relay.said();
    assert!(
        !said.contains("localhost") && !said.contains("device"),
        "{said}"
    );
}
