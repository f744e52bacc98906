//! The same by pairs, as it would be without a group: who says something to N people seals it N - 1 times.
//!
//! Computed from sizes and not measured; they follow the public specifications of X3DH, PQXDH and the Double Ratchet
//! (signal.org/docs), with ML-KEM-768, as ume has it, where Signal has ML-KEM-1024. A ratchet message to
//! one device (the Double Ratchet with headers as Signal has them, rounded down) is taken to cost 100 bytes beside its content: 33 for the ratchet's key, 8 for counters, 8 for the
//! tag, the rest for addresses and framing. Who joins fetches a bundle of keys from each of the others, and sends each of
//! them a first message with two X25519 keys and a certificate (350 bytes together; 2,700 with ML-KEM-768 as in PQXDH). Who
//! removes somebody tells the others so, in a message of 200 bytes, and nothing has to be re-keyed but the sender's own keys
//! where there are any. No padding is counted, and no acknowledgement.

const MESSAGE: usize = 100;
const CONTENT: usize = 200;
const FIRST: usize = 350;
const FIRST_HYBRID: usize = 2_700;

/// The computed bytes of one event, of which the sender sends all and everybody else gets a part.
pub(crate) fn show(section: &str, size: usize) {
    let others = size.saturating_sub(1);
    let bytes = match section {
        "join" => FIRST + MESSAGE,
        "load" => return,
        _ => MESSAGE + CONTENT,
    };
    let hybrid = if section == "join" {
        format!("; {} with ML-KEM", kilo(others * (FIRST_HYBRID + MESSAGE)))
    } else {
        String::new()
    };
    println!(
        "by pairs, computed: {section} among {size}: {others} messages, {} KB sent{hybrid}",
        kilo(others * bytes)
    );
}

fn kilo(bytes: usize) -> String {
    format!("{}.{}", bytes / 1_000, bytes % 1_000 / 100)
}
