//! The configuration, as an operator meets it: flags, environment, file, their order, and what is said about mistakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/process.rs"]
mod process;

use process::{Process, output, program, text};
use std::fs;

#[test]
fn flags_go_before_the_environment_the_file_and_the_defaults() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relay.toml");
    fs::write(
        &file,
        "connections = 11\nframes_burst = 12\nframes_per_second = 13\nlisten = [\"127.0.0.1:1\", \"[::1]:2\"]\n",
    )
    .unwrap();
    let shown = program()
        .args(["check-config", "--config", file.to_str().unwrap()])
        .args(["--connections", "31"])
        .env("UME_CONNECTIONS", "21")
        .env("UME_FRAMES_BURST", "22")
        .output()
        .unwrap();
    let (out, err) = (text(&shown.stdout), text(&shown.stderr));
    assert!(shown.status.success(), "{err}");
    let file = file.display();
    for line in [
        "connections = 31 # flag --connections".to_owned(),
        "frames_burst = 22 # environment UME_FRAMES_BURST".to_owned(),
        format!("frames_per_second = 13 # {file}, line 3"),
        format!("listen = [\"127.0.0.1:1\", \"[::1]:2\"] # {file}, line 4"),
        "store_bytes = \"4 GiB\" # default".to_owned(),
        "# tls_key is not set".to_owned(),
    ] {
        assert!(
            out.lines().any(|shown| shown == line),
            "{line} not in {out}"
        );
    }

    // What is shown is a file that says the same.
    let again = directory.path().join("again.toml");
    fs::write(&again, &out).unwrap();
    let again = output(&["check-config", "--config", again.to_str().unwrap()]);
    let values = |text: &str| -> Vec<String> {
        let values = text.lines().map(|line| line.split(" # ").next().unwrap());
        values.map(str::to_owned).collect()
    };
    assert_eq!(values(&text(&again.stdout)), values(&out));
}

#[test]
fn mistakes_are_named_with_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relay.toml");
    let path = file.to_str().unwrap();
    for (content, words) in [
        (
            "\n\nconections = 5\n",
            "line 3: there is no key \"conections\"",
        ),
        (
            "[limits]\nconnections = 5\n",
            "line 1: there is no key \"limits\"",
        ),
        (
            "connections = \"many\"",
            "line 1: connections has to be a whole number",
        ),
        (
            "connections = -5",
            "line 1: connections has to be a whole number",
        ),
        (
            "connections = 5.5",
            "line 1: connections has to be a text, a number",
        ),
        ("connections = 0", "connections has to be between"),
        ("store_bytes = 5", "line 1: store_bytes has to look like"),
        ("listen = \"localhost\"", "line 1: listen has to look like"),
        ("data = 'x'\nlisten = \n", "line 2: "),
        (
            "tls_key = 'x'",
            "tls_certificate and tls_key belong together",
        ),
        (
            "behind_tls = true\nacme_domains = ['a.example']",
            "only one of",
        ),
        ("acme_domains = ['*.example']", "full names"),
        ("tls_key = 'x'\ntls_certificate = 'y'", "cannot read y"),
        ("app = '/nowhere'", "holds no index.html"),
        ("metrics_listen = '0.0.0.0:9000'", "metrics_public"),
        (
            "push_allow = ['https://push.example.org']",
            "push_allow: \"https://push.example.org\" is no name",
        ),
        ("push_private = ['10.0.0.1']", "push_private: \"10.0.0.1\""),
        ("push_roots = 'x'", "push_roots needs push_private"),
        (
            "push_roots = '/nowhere.pem'\npush_private = ['push.lan']",
            "cannot read /nowhere.pem",
        ),
        ("push_contact = 'somebody'", "push_contact has to be"),
        ("push_delay = '1 h'", "push_delay has to be between"),
        ("ping_after = '80 s'", "shorter than dead_after"),
        ("stop_timeout = '1 min'", "at most 9 s"),
    ] {
        fs::write(&file, content).unwrap();
        let shown = output(&["check-config", "--config", path]);
        let err = text(&shown.stderr);
        assert_eq!(shown.status.code(), Some(1), "{content}: {err}");
        assert!(err.contains(words), "{content}: {err}");
        // And the relay does not start with it.
        if !content.contains("/nowhere") {
            let data = directory.path().join("data");
            let run = output(&["run", "--config", path, "--data", data.to_str().unwrap()]);
            assert_eq!(run.status.code(), Some(1), "{content}");
        }
    }
    let missing = output(&["check-config", "--config", "/nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(1));
    let wrong = output(&["check-config", "--no-such-key", "1"]);
    assert_eq!(wrong.status.code(), Some(2));
    // Several at once.
    fs::write(&file, "a = 1\nb = 2\n").unwrap();
    let err = text(&output(&["check-config", "--config", path]).stderr);
    assert!(err.contains("\"a\"") && err.contains("\"b\""), "{err}");
}

#[test]
fn what_was_most_likely_not_meant_is_a_warning() {
    let shown = program()
        .args(["check-config", "--listen", "0.0.0.0:7700"])
        .env("UME_CONECTIONS", "5")
        .output()
        .unwrap();
    let err = text(&shown.stderr);
    assert!(shown.status.success(), "{err}");
    assert!(
        err.contains("without TLS") && err.contains("UME_CONECTIONS"),
        "{err}"
    );
    let err = text(&output(&["check-config", "--behind-tls"]).stderr);
    assert!(err.contains("trusted_proxies"), "{err}");
    let memory = ["check-config", "--memory-bytes", "448 MiB"];
    let err = text(&output(&memory).stderr);
    assert!(!err.contains("full store"), "the defaults fit: {err}");
    let larger = [&memory[..], &["--store-bytes", "16 GiB"]].concat();
    let err = text(&output(&larger).stderr);
    assert!(err.contains("with a full store the relay takes"), "{err}");
}

#[test]
fn a_reload_takes_what_it_can_and_says_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relay.toml");
    let data = directory.path().join("data");
    fs::write(&file, "log_level = 'info'\n").unwrap();
    let arguments = [
        "--listen",
        "127.0.0.1:0,[::1]:0",
        "--data",
        data.to_str().unwrap(),
        "--config",
        file.to_str().unwrap(),
    ];
    let relay = Process::run(program(), &arguments, 2);
    relay.wait_for("[started]");

    fs::write(
        &file,
        "frames_burst = 5\nconnections = 7\nlog_format = 'json'\n",
    )
    .unwrap();
    relay.signal("-HUP");
    relay.wait_for("\"event\":\"reloaded\"");
    assert!(relay.said().contains("connections"), "{}", relay.said());
    assert!(!relay.said().contains("frames_burst"), "{}", relay.said());

    fs::write(&file, "frames_burts = 5\n").unwrap();
    relay.signal("-HUP");
    relay.wait_for("reload-failed");
    fs::write(&file, "ping_after = '2 min'\n").unwrap();
    relay.signal("-HUP");
    relay.wait_for("shorter than dead_after");
    assert_eq!(relay.stop().code(), Some(0));
}

#[test]
fn a_trial_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("TMPDIR", place.path());
    let relay = Process::run(command, &["--dev", "--listen", "127.0.0.1:0"], 1);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    assert_eq!(relay.stop().code(), Some(0));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    let public = output(&["run", "--dev", "--listen", "0.0.0.0:0"]);
    assert_eq!(public.status.code(), Some(1));
}

#[test]
fn help_says_enough() {
    let help = text(&output(&["--help"]).stdout);
    for command in [
        "run",
        "check-config",
        "access-key",
        "stats",
        "backup",
        "restore",
        "gc",
        "version",
    ] {
        assert!(help.contains(command), "{command} not in {help}");
        let its_help = output(&[command, "--help"]);
        assert!(its_help.status.success(), "{command}");
        assert!(its_help.stdout.len() > 80, "{command}");
    }
}
