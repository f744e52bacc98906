use super::*;
use crate::dialect::{Tag, mqtt::Mqtt, nats::Nats};

fn nats() -> Dialect {
    Dialect::Nats(Nats { stream: false })
}

/// A server's frame: as a client's, without the mask.
fn server_frame(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![ws::BINARY];
    if payload.len() < 126 {
        out.push(payload.len() as u8);
    } else {
        out.push(126);
        out.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    }
    out.extend_from_slice(payload);
    out
}

fn seen(dialect: &Dialect, bytes: &[u8], chunk: usize) -> Vec<Seen> {
    let mut inflow = Inflow::default();
    let mut all = Vec::new();
    for chunk in bytes.chunks(chunk) {
        inflow.feed(dialect, chunk, &mut |seen| all.push(seen));
    }
    all.retain(|seen| *seen != Seen::Nothing);
    all
}

#[test]
fn messages_are_found_however_the_bytes_are_cut() {
    let mut text = b"INFO {}\r\nPONG\r\n".to_vec();
    for number in 0..3 {
        text.extend_from_slice(b"MSG t.0 1 500\r\n");
        text.extend_from_slice(&Tag::whole(number).bytes());
        text.extend_from_slice(&[b'\r'; 488]);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"PING\r\n");
    let mut expected = vec![Seen::Ready, Seen::Ready];
    expected.extend((0..3).map(|number| Seen::Delivered(Tag::whole(number))));
    expected.push(Seen::Ping(b"PING\r\n".to_vec()));
    expected.push(Seen::Ping(b"ab".to_vec()));
    for frame in [7, 130, 600, 4000] {
        let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n".to_vec();
        for part in text.chunks(frame) {
            bytes.extend_from_slice(&server_frame(part));
        }
        bytes.extend_from_slice(&[0x89, 2, b'a', b'b']);
        for chunk in [1, 3, 64, 509, 100_000] {
            assert_eq!(seen(&nats(), &bytes, chunk), expected, "{frame} {chunk}");
        }
    }
}

#[test]
fn packets_of_a_broker_are_found_however_the_bytes_are_cut() {
    let dialect = Dialect::Mqtt(Mqtt {
        qos: 1,
        clients: std::sync::Arc::default(),
    });
    let mut packets = vec![0x20, 2, 0, 0, 0x90, 3, 0, 1, 0, 0x40, 2, 0, 9];
    packets.extend_from_slice(&[0x30, 5 + 200, 1, 0, 3]);
    packets.extend_from_slice(b"t/0");
    packets.extend_from_slice(&Tag::whole(8).bytes());
    packets.extend_from_slice(&[1; 188]);
    let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
    bytes.extend_from_slice(&server_frame(&packets));
    let expected = [
        Seen::Ready,
        Seen::Ready,
        Seen::Ready,
        Seen::Acked,
        Seen::Delivered(Tag::whole(8)),
    ];
    for chunk in [1, 2, 50, 1000] {
        assert_eq!(seen(&dialect, &bytes, chunk), expected);
    }
}

#[test]
fn a_server_that_does_not_switch_is_gone() {
    let answer = b"HTTP/1.1 403 Forbidden\r\n\r\n";
    assert_eq!(seen(&nats(), answer, 100), [Seen::Closed]);
}
