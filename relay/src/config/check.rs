//! What does not fit together, in plain words.

use super::Config;
use crate::{brand::Brand, memory, push::Rules};
use std::{fs, time::Duration};

/// Something to tell the operator.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The relay does not start like this.
    Error(String),
    /// It starts, and most likely does not do what was meant.
    Warning(String),
}

/// Longest time of a stop, so that with what follows it stays within 10 seconds.
const STOP_MAX: Duration = Duration::from_secs(9);

/// What keeps the relay from starting.
pub(crate) fn errors(config: &Config) -> Vec<String> {
    let errors = findings(config)
        .into_iter()
        .filter_map(|finding| match finding {
            Finding::Error(words) => Some(words),
            Finding::Warning(_) => None,
        });
    errors.collect()
}

/// Looks at everything that can be known without starting.
pub(crate) fn findings(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut error = |is_wrong: bool, words: &str| {
        if is_wrong {
            found.push(Finding::Error(words.to_owned()));
        }
    };
    let (files, acme) = (
        (config.tls_certificate.is_some(), config.tls_key.is_some()),
        !config.acme.domains.is_empty(),
    );
    error(config.listen.is_empty(), "listen is empty");
    error(
        files.0 != files.1,
        "tls_certificate and tls_key belong together",
    );
    let ways = [config.behind_tls, files.0 || files.1, acme];
    error(
        ways.iter().filter(|way| **way).count() > 1,
        "only one of behind_tls, tls_certificate and acme_domains can be set: TLS ends at one place",
    );
    error(
        config.acme.domains.iter().any(|name| !is_domain(name)),
        "acme_domains has to be made of full names like \"relay.example.org\"; there is none for addresses or \"*\"",
    );
    error(
        !acme && (config.acme != super::Acme::default()),
        "acme_contact, acme_staging, acme_directory and acme_roots need acme_domains",
    );
    error(
        config.acme.staging && config.acme.directory.is_some(),
        "acme_staging is Let's Encrypt's; with acme_directory it has no meaning",
    );
    let directory = config.acme.directory.as_deref();
    error(
        directory.is_some_and(|url| !url.starts_with("https://")),
        "acme_directory has to begin with https://",
    );
    error(
        !config.redirect_listen.is_empty() && !config.ends_tls(),
        "redirect_listen needs a relay that ends TLS itself",
    );
    let metrics = config.metrics_listen.map(|address| address.ip());
    error(
        metrics.is_some_and(|address| !address.is_loopback()) && !config.metrics_public,
        "metrics_listen is not a loopback address: anybody could read it; set metrics_public if that is meant",
    );
    error(
        config.metrics_listen.is_none() && !config.metrics_names.is_empty(),
        "metrics_names needs metrics_listen",
    );
    for words in limits(config).into_iter().chain(push(config)) {
        error(true, &words);
    }
    error(
        config.brand.is_some() && config.app.is_none(),
        "brand needs app: without the app there is nothing to give a name",
    );
    if let Some(Err(fault)) = config.brand.as_deref().map(Brand::open) {
        error(true, &format!("brand: {fault}"));
    }
    found.extend(warnings(config).into_iter().map(Finding::Warning));
    found
}

fn limits(config: &Config) -> Vec<String> {
    let limits = &config.limits;
    let mut wrong = Vec::new();
    let mut within = |name: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            wrong.push(format!("{name} has to be between {least} and {most}"));
        }
    };
    let wide = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    within("connections", wide(limits.connections), 1, 1 << 20);
    within("frames_burst", limits.frames_burst.into(), 1, 1 << 24);
    within(
        "frames_per_second",
        limits.frames_per_second.into(),
        1,
        1 << 24,
    );
    within("queue_cells", limits.queue_cells, 1, 1 << 32);
    within("staged_cells", wide(limits.staged_cells), 1024, 1 << 24);
    // hyper does not work with less than 8 KiB.
    within("header_bytes", wide(limits.header_bytes), 8 << 10, 1 << 20);
    within("body_rate", limits.body_rate, 1, 1 << 30);
    within("write_rate", limits.write_rate, 0, 1 << 30);
    let admission = &limits.admission;
    within("v4_bits", admission.v4_bits.into(), 8, 32);
    within("v6_bits", admission.v6_bits.into(), 16, 128);
    let positive = [
        (
            "prefix_connections",
            u64::from(admission.prefix_connections),
        ),
        ("prefix_frames_burst", admission.prefix_frames_burst.into()),
        (
            "prefix_frames_per_second",
            admission.prefix_frames_per_second.into(),
        ),
    ];
    for (name, value) in positive {
        within(name, value, 1, 1 << 24);
    }
    let times = [
        ("tls_timeout", limits.tls_timeout),
        ("header_timeout", limits.header_timeout),
        ("body_timeout", limits.body_timeout),
        ("write_timeout", limits.write_timeout),
        ("hello_timeout", limits.hello_timeout),
        ("ping_after", limits.ping_after),
        ("dead_after", limits.dead_after),
    ];
    for (name, time) in times {
        if time < Duration::from_millis(100) || time > Duration::from_hours(24) {
            wrong.push(format!("{name} has to be between 100 ms and 24 h"));
        }
    }
    if limits.ping_after >= limits.dead_after {
        wrong.push("ping_after has to be shorter than dead_after".into());
    }
    if limits.stop_timeout > STOP_MAX {
        wrong.push("stop_timeout has to be at most 9 s".into());
    }
    wrong
}

fn push(config: &Config) -> Vec<String> {
    let push = &config.push;
    let mut wrong = Rules::faults(push);
    if push.roots.is_some() && push.private.is_empty() {
        wrong.push("push_roots needs push_private: all others are known by Mozilla's".into());
    }
    let is_contact = |text: &str| {
        let is_plain = |letter: char| letter.is_ascii_graphic() && !"\"\\<>".contains(letter);
        let is_mail = !text.contains(':')
            && text.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && is_domain(&host.to_ascii_lowercase())
            });
        text.len() <= 256
            && text.chars().all(is_plain)
            && (is_mail
                || text
                    .strip_prefix("https://")
                    .is_some_and(|rest| !rest.is_empty()))
    };
    if push
        .contact
        .as_deref()
        .is_some_and(|text| !is_contact(text))
    {
        wrong.push("push_contact has to be a mail address, or begin with https://".into());
    }
    let day = Duration::from_hours(24);
    let times = [
        ("push_pause", push.pause, Duration::from_secs(1), day),
        (
            "push_delay",
            push.delay,
            Duration::ZERO,
            Duration::from_mins(5),
        ),
        (
            "push_timeout",
            push.timeout,
            Duration::from_millis(100),
            Duration::from_mins(1),
        ),
        ("push_unused", config.limits.push_unused, day, 3650 * day),
    ];
    for (name, time, least, most) in times {
        if !(least..=most).contains(&time) {
            wrong.push(format!("{name} has to be between {least:?} and {most:?}"));
        }
    }
    if config.limits.push_devices > 1 << 20 {
        wrong.push("push_devices has to be at most 1048576".into());
    }
    wrong
}

fn warnings(config: &Config) -> Vec<String> {
    let mut words = Vec::new();
    let is_public = config
        .listen
        .iter()
        .any(|address| !address.ip().is_loopback());
    if is_public && !config.is_reached_by_tls() {
        words.push("listen can be reached from other machines, without TLS: browsers open ume only through https, or on the same machine".to_owned());
    }
    if config.behind_tls && config.trusted_proxies.is_empty() {
        words.push(
            "behind_tls without trusted_proxies: limits by address count all clients as one".into(),
        );
    }
    if config
        .trusted_proxies
        .iter()
        .any(|network| network.prefix_len() == 0)
    {
        words.push("trusted_proxies holds every address: anybody can say to be anybody".into());
    }
    let memory = config.limits.memory_bytes.or_else(memory::limit_here);
    let needed = memory::needed(&config.limits);
    if let Some(memory) = memory.filter(|memory| needed > memory::usable(*memory)) {
        words.push(format!(
            "with a full store the relay takes about {} MiB, and new connections are turned away at {} MiB: lower store_bytes, store_lanes or cache_bytes, or give it more memory",
            needed >> 20,
            memory::usable(memory) >> 20
        ));
    }
    let can_be_asked = config.push.contact.is_some()
        || config.acme.contact.is_some()
        || !config.acme.domains.is_empty();
    if is_public && config.push.is_on() && !can_be_asked {
        words.push("push_contact is not set: Apple's push service takes nothing without it".into());
    }
    let is_dir = |path: &std::path::Path| fs::metadata(path).is_ok_and(|data| data.is_dir());
    if config.data.exists() && !is_dir(&config.data) {
        words.push("data is not a directory".into());
    }
    words
}

/// A name with at least one dot, of letters, digits and dashes (RFC 1123 section 2.1), and no address.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(fits)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(label)
        && !name.rsplit('.').next().is_none_or(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_addresses_and_patterns() {
        for name in [
            "relay.example.org",
            "a.b",
            "xn--bcher-kva.example",
            "1.example",
        ] {
            assert!(is_domain(name), "{name}");
        }
        for name in [
            "",
            "localhost",
            "192.0.2.1",
            "*.example.org",
            "a..b",
            "-a.org",
            "a_b.org",
            "a.org.",
        ] {
            assert!(!is_domain(name), "{name}");
        }
    }

    #[test]
    fn the_defaults_are_fine() {
        assert_eq!(findings(&Config::default()), []);
    }
}
