//! The table of all keys. A key has one name everywhere: `frames_burst` in the file, `--frames-burst` as a flag and
//! `UME_FRAMES_BURST` in the environment. The table in docs/operate.md is made from this one (a test compares them).

use super::{
    Config,
    forms::{self, Texts},
};

/// One thing that can be set.
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What a value looks like.
    pub(crate) form: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
    /// Whether SIGHUP takes over a change.
    pub(crate) reloads: bool,
    read: fn(&mut Config, &Texts) -> Result<(), String>,
    show: fn(&Config) -> Option<String>,
    copy: fn(&Config, &mut Config),
}

impl Key {
    /// The key's flag, without the two dashes.
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The key's variable of the environment.
    pub(crate) fn variable(&self) -> String {
        format!("UME_{}", self.name.to_ascii_uppercase())
    }

    /// Whether its flag can stand without a value.
    pub(crate) fn is_switch(&self) -> bool {
        self.form == forms::switch::FORM
    }

    /// Sets it.
    pub(crate) fn set(&self, config: &mut Config, texts: &Texts) -> Result<(), String> {
        (self.read)(config, texts)
    }

    /// Its value as it is written in the file; nothing if it is not set.
    pub(crate) fn value(&self, config: &Config) -> Option<String> {
        (self.show)(config)
    }

    /// Copies its value.
    pub(crate) fn copy(&self, from: &Config, to: &mut Config) {
        (self.copy)(from, to);
    }
}

const STARTS: bool = false;
const RELOADS: bool = true;

macro_rules! key {
    ($name:ident: $form:ident, $reloads:ident, $($field:ident).+, $help:literal) => {
        Key {
            name: stringify!($name),
            form: forms::$form::FORM,
            help: $help,
            reloads: $reloads,
            read: |config, texts| {
                config.$($field).+ = forms::$form::read(texts)?;
                Ok(())
            },
            show: |config| forms::$form::show(&config.$($field).+),
            copy: |from, to| to.$($field).+ = from.$($field).+.clone(),
        }
    };
}

/// All of them, in the order in which people are told about them.
#[rustfmt::skip] // one row each
pub(crate) const KEYS: &[Key] = &[
    key!(listen: addresses, STARTS, listen, "Where to listen; port 0 takes a free one"),
    key!(data: path, STARTS, data, "Directory of the store and of the relay's key; made if missing, one relay at a time"),
    key!(app: maybe_path, STARTS, app, "Directory of the app's files, read once at start; without it only the protocol is served"),
    key!(brand: maybe_path, STARTS, brand, "What the app is called here and how it looks (JSON), read once at start"),
    key!(behind_tls: switch, STARTS, behind_tls, "A proxy in front of the relay ends TLS: send HSTS, let the app connect to nothing without TLS"),
    key!(trusted_proxies: networks, RELOADS, trusted_proxies, "Proxies whose X-Forwarded-For header is believed; from all others it is ignored"),
    key!(tls_certificate: maybe_path, STARTS, tls_certificate, "Certificate chain (PEM); looked at every minute and on SIGHUP"),
    key!(tls_key: maybe_path, STARTS, tls_key, "Private key of that certificate (PEM)"),
    key!(acme_domains: names, STARTS, acme.domains, "Names for which the relay gets a certificate itself (ACME, TLS-ALPN-01 on port 443)"),
    key!(acme_contact: maybe_text, STARTS, acme.contact, "Mail address that the certificate authority may write to"),
    key!(acme_staging: switch, STARTS, acme.staging, "Use Let's Encrypt's test service: for trying out, browsers do not believe its certificates"),
    key!(acme_directory: maybe_text, STARTS, acme.directory, "Directory URL of another certificate authority than Let's Encrypt"),
    key!(acme_roots: maybe_path, STARTS, acme.roots, "Root certificates (PEM) by which that authority's own service is known, instead of Mozilla's"),
    key!(redirect_listen: addresses, STARTS, redirect_listen, "Where plain HTTP is answered with a redirect to HTTPS, usually port 80"),
    key!(access: access, STARTS, access, "Who may make lanes and store blobs: anybody, or who has an access key"),
    key!(metrics_listen: maybe_address, STARTS, metrics_listen, "Where numbers for Prometheus can be fetched; off unless set"),
    key!(metrics_public: switch, STARTS, metrics_public, "Let metrics_listen be an address that other machines reach"),
    key!(metrics_names: names, STARTS, metrics_names, "Host names by which monitoring asks there; addresses and localhost always work, other names never (DNS rebinding)"),
    key!(push_allow: names, RELOADS, push.allow, "Push services that may be asked to wake devices (Web Push): a name, or `*.` and a name for all below it, with a port if it is not 443"),
    key!(push_private: names, RELOADS, push.private, "Further push services, by their names, which may also lie at addresses of this network; with this and push_allow empty nobody is woken"),
    key!(push_roots: maybe_path, STARTS, push.roots, "Root certificates (PEM) by which those in push_private are known, besides Mozilla's"),
    key!(push_contact: maybe_text, RELOADS, push.contact, "Whom a push service may ask about this relay: a mail address, or a page (https://); else acme_contact, else the page of the first of acme_domains"),
    key!(push_pause: time, RELOADS, push.pause, "A device that was woken, and did not come, is not woken again for so long"),
    key!(push_delay: time, RELOADS, push.delay, "A device is woken after a time drawn at random up to this, so that a push does not show when exactly something was written"),
    key!(push_timeout: time, RELOADS, push.timeout, "Time for one request to a push service"),
    key!(push_devices: number, STARTS, limits.push_devices, "Devices that may ask to be woken; beyond it new ones are refused until some have ended or were not used for long"),
    key!(push_unused: time, STARTS, limits.push_unused, "A device that did not name itself for so long is forgotten"),
    key!(log_level: level, RELOADS, log_level, "What is written to the standard error output: this and what is graver"),
    key!(log_format: format, RELOADS, log_format, "A line of words, or a line of JSON, for each event"),
    key!(connections: number, STARTS, limits.connections, "Connections at once; further ones wait to be accepted"),
    key!(frames_burst: number, RELOADS, limits.frames_burst, "Frames of 2,048 bytes that one connection may send in one go"),
    key!(frames_per_second: number, RELOADS, limits.frames_per_second, "Frames a second that one connection may send in the long run; beyond it the relay reads more slowly"),
    key!(store_bytes: size, STARTS, limits.store_bytes, "What the store may hold; beyond it writing is refused until something has expired"),
    key!(store_lanes: number, STARTS, limits.store_lanes, "Lanes that the store may hold; beyond it new ones are refused until some are deleted or were not used for long"),
    key!(disk_reserve_bytes: size, STARTS, limits.disk_reserve_bytes, "Room that is left free on the disk; with less of it nothing new is stored, reading and deleting go on"),
    key!(queue_cells: number, STARTS, limits.queue_cells, "Cells in one queue that nobody has acknowledged; beyond it appending is refused"),
    key!(staged_cells: number, STARTS, limits.staged_cells, "Cells of unfinished values and blobs in memory, of all connections together"),
    key!(cache_bytes: size, STARTS, limits.cache_bytes, "Memory of the store's page cache"),
    key!(memory_bytes: maybe_size, RELOADS, limits.memory_bytes, "At 80 % of it new connections are turned away; not set: what the cgroup (MemoryMax) allows, if anything"),
    key!(v4_bits: number, RELOADS, limits.admission.v4_bits, "Bits of an IPv4 address that stand for one visitor"),
    key!(v6_bits: number, RELOADS, limits.admission.v6_bits, "Bits of an IPv6 address that stand for one visitor; 48 where floods come from whole sites"),
    key!(limit_loopback: switch, RELOADS, limits.admission.limit_loopback, "Bounds per visitor hold for loopback addresses too; else not, as behind a Tor service or a proxy one address stands for everybody"),
    key!(prefix_connections: number, RELOADS, limits.admission.prefix_connections, "Connections of one visitor at once; further ones are closed"),
    key!(prefix_frames_burst: number, STARTS, limits.admission.prefix_frames_burst, "Frames that one visitor may send in one go, over all connections"),
    key!(prefix_frames_per_second: number, STARTS, limits.admission.prefix_frames_per_second, "Frames a second of one visitor in the long run; beyond it the relay reads more slowly"),
    key!(prefix_lanes_per_hour: number, RELOADS, limits.admission.prefix_lanes_per_hour, "Lanes that one visitor may make in an hour without an access key"),
    key!(prefix_bytes_per_hour: size, RELOADS, limits.admission.prefix_bytes_per_hour, "What one visitor may store in an hour where no access key pays"),
    key!(prefix_devices_per_hour: number, RELOADS, limits.admission.prefix_devices_per_hour, "Devices of one visitor that may begin to be woken in an hour"),
    key!(free_lanes_per_minute: number, RELOADS, limits.admission.free_lanes_per_minute, "New lanes a minute, of all without access keys together, from which on making one takes work"),
    key!(prefix_free_lanes_per_minute: number, RELOADS, limits.admission.prefix_free_lanes_per_minute, "The same for each visitor"),
    key!(header_bytes: size, RELOADS, limits.header_bytes, "Longest header of an HTTP request"),
    key!(tls_timeout: time, RELOADS, limits.tls_timeout, "Time for the handshake of TLS"),
    key!(header_timeout: time, RELOADS, limits.header_timeout, "Time for the header of an HTTP request, and between two requests of one connection"),
    key!(body_timeout: time, RELOADS, limits.body_timeout, "Time for the body of a POST; what came of it earns it more"),
    key!(body_rate: size, RELOADS, limits.body_rate, "Bytes of a body that earn it a second more"),
    key!(write_timeout: time, RELOADS, limits.write_timeout, "Time in which a client has to take some of what waits for it"),
    key!(write_rate: size, RELOADS, limits.write_rate, "Bytes a second that a client has to take while something waits for it, on average over 30 s"),
    key!(hello_timeout: time, RELOADS, limits.hello_timeout, "Time for the first frame of a WebSocket"),
    key!(ping_after: time, RELOADS, limits.ping_after, "A WebSocket that was silent for so long is pinged"),
    key!(dead_after: time, RELOADS, limits.dead_after, "A WebSocket that was silent for so long is closed"),
    key!(stop_timeout: time, RELOADS, limits.stop_timeout, "Time that a stop leaves connections to close, at most 9 s"),
];
