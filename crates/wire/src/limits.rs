//! Every size and limit of the relay protocol, in bytes unless the name says otherwise.

/// Version of the relay protocol spoken here.
pub const VERSION: u32 = 1;
/// Oldest version still understood.
pub const VERSION_OLDEST: u32 = 1;

/// A frame, in either direction, whatever it carries.
pub const FRAME_BYTES: usize = 2048;
/// Version (1) and length (2) before a frame's message.
pub const FRAME_HEADER_BYTES: usize = 3;
/// A sealed cell: nonce, ciphertext, tag.
pub const CELL_BYTES: usize = 1792;
/// Nonce of XChaCha20-Poly1305 at the start of a cell.
pub const CELL_NONCE_BYTES: usize = 24;
/// Tag of XChaCha20-Poly1305 at the end of a cell.
pub const CELL_TAG_BYTES: usize = 16;
/// What a cell holds once opened: one fragment.
pub const CELL_PLAIN_BYTES: usize = CELL_BYTES - CELL_NONCE_BYTES - CELL_TAG_BYTES;
/// Header of a fragment.
pub const FRAGMENT_HEADER_BYTES: usize = 32;
/// Message bytes in one fragment.
pub const FRAGMENT_BYTES: usize = CELL_PLAIN_BYTES - FRAGMENT_HEADER_BYTES;
/// Cells in one message, value or blob.
pub const FRAGMENTS_MAX: usize = 640;
/// Longest message: about 1.05 MiB.
pub const MESSAGE_BYTES_MAX: usize = FRAGMENTS_MAX * FRAGMENT_BYTES;
/// Messages that a [`crate::fragment::Reassembler`] keeps open at once.
pub const OPEN_MESSAGES_MAX: usize = 64;
/// Fragments that a [`crate::fragment::Reassembler`] keeps in all.
pub const OPEN_FRAGMENTS_MAX: usize = 2 * FRAGMENTS_MAX;

/// Id of a lane or a blob, and every SHA-256 in the protocol.
pub const ID_BYTES: usize = 32;
/// An Ed25519 public key.
pub const KEY_BYTES: usize = 32;
/// An Ed25519 signature.
pub const SIGNATURE_BYTES: usize = 64;
/// Nonce in a `Hello`.
pub const HELLO_NONCE_BYTES: usize = 32;
/// Challenge in a `Welcome`.
pub const CHALLENGE_BYTES: usize = 32;
/// An access key.
pub const ACCESS_BYTES: usize = 32;
/// What tells one life of a lane from another, in a `Head`.
pub const LIFE_BYTES: usize = 8;
/// Earlier keys that a relay may have had.
pub const SUCCESSIONS_MAX: usize = 8;
/// Most bits of work that a relay may ask for. About a second of a phone's time.
pub const WORK_BITS_MAX: u32 = 20;
/// The part of a ballot that breaks ties.
pub const BALLOT_TIE_BYTES: usize = 12;

/// Numbers of fields that never mean anything.
pub const GREASE: std::ops::Range<u32> = 1000..2000;

/// Keys that may write to one lane.
pub const WRITERS_MAX: usize = 2;
/// Cells or values' cells in one answer to a `Read`, before its `Head`.
pub const READ_FRAMES_MAX: usize = 512;
/// Longest time that a relay keeps a cell: 400 days, in seconds.
pub const TTL_SECONDS_MAX: u32 = 400 * 24 * 3600;
/// How far above the highest round seen a ballot may reach.
pub const BALLOT_ROUND_AHEAD_MAX: u32 = 16;
/// Lanes that one connection may be subscribed to.
pub const SUBSCRIPTIONS_MAX: usize = 1024;
/// Messages that share one frame, at most.
pub const SEVERAL_MAX: usize = 64;
/// Frames in one `POST` body.
pub const POST_FRAMES_MAX: usize = 64;
/// Frames that a client leaves with its browser for each relay, to be sent in one `POST` when no page is open.
pub const DEPOSIT_FRAMES: usize = 4;

/// A P-256 public key, uncompressed: of a relay and of a browser, for Web Push.
pub const PUSH_KEY_BYTES: usize = 65;
/// The secret that a browser gives with that key (RFC 8291, section 3.2).
pub const PUSH_AUTH_BYTES: usize = 16;
/// Address of a device at its push service.
pub const PUSH_ENDPOINT_BYTES_MAX: usize = 1024;
/// Where the app is that a push opens.
pub const PUSH_ORIGIN_BYTES_MAX: usize = 128;
/// Lanes that one device may watch.
pub const PUSH_WATCHES_MAX: usize = 64;
/// What every push says, before it is sealed (RFC 8291).
pub const PUSH_PLAIN_BYTES: usize = 512;
/// A push as it leaves: salt, record size, key, what it says with its end, tag.
pub const PUSH_BODY_BYTES: usize = 16 + 4 + 1 + PUSH_KEY_BYTES + PUSH_PLAIN_BYTES + 1 + 16;
