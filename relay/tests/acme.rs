//! A certificate by ACME from a real certificate authority for tests (pebble, in Debian: `apt install pebble`), which looks
//! over TLS-ALPN-01 whether the name is ours. `cargo xtask test` installs it where there is apt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/process.rs"]
mod process;
#[path = "support/tls.rs"]
mod tls;

use process::{Process, program, write_pair};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

const NAME: &str = "relay.test";

/// A process that ends with the test.
struct Helper(Child);

impl Helper {
    fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_installed(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(name).is_file())
}

/// Addresses that were free a moment ago.
fn free<const N: usize>() -> [SocketAddr; N] {
    let sockets = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap())
}

/// Asks again and again until there is an answer.
async fn patiently(address: SocketAddr, name: &str, root: &[u8], path: &str) -> String {
    for _ in 0..300 {
        if let Ok(answer) = tls::get(address, name, root, path).await
            && answer.starts_with("HTTP/1.1 200")
        {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("no answer from {path}");
}

fn authority(directory: &Path, [api, management, dns, _]: [SocketAddr; 4], port: u16) -> Helper {
    let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let config = serde_json::json!({ "pebble": {
        "listenAddress": api.to_string(),
        "managementListenAddress": management.to_string(),
        "certificate": file("chain.pem"),
        "privateKey": file("key.pem"),
        "httpPort": 1,
        "tlsPort": port,
    }});
    fs::write(directory.join("pebble.json"), config.to_string()).unwrap();
    let mut command = Command::new("pebble");
    command.args([
        "-config",
        &file("pebble.json"),
        "-dnsserver",
        &dns.to_string(),
    ]);
    Helper::start(command.env("PEBBLE_VA_NOSLEEP", "1"))
}

#[tokio::test]
async fn a_certificate_is_had_kept_and_used_again() {
    for program in ["pebble", "pebble-challtestsrv"] {
        assert!(
            is_installed(program),
            "{program} is missing (Debian: apt-get install pebble)"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let own = write_pair(directory.path(), "localhost", -1..2);
    let places = free::<5>();
    let [api, management, dns, control, listen] = places;
    let mut names = Command::new("pebble-challtestsrv");
    names.args([
        "-dns01",
        &dns.to_string(),
        "-management",
        &control.to_string(),
    ]);
    names.args([
        "-http01",
        "",
        "-https01",
        "",
        "-tlsalpn01",
        "",
        "-defaultIPv6",
        "",
    ]);
    let _names = Helper::start(&mut names);
    let pebble = authority(
        directory.path(),
        [api, management, dns, control],
        listen.port(),
    );
    let answer = patiently(management, "localhost", &own, "/roots/0").await;
    let root = CertificateDer::from_pem_slice(answer.as_bytes())
        .unwrap()
        .to_vec();

    let data = directory.path().join("data");
    let run = || {
        let chain = directory.path().join("chain.pem");
        let url = format!("https://localhost:{}/dir", api.port());
        let arguments = [
            "--listen",
            &listen.to_string(),
            "--data",
            data.to_str().unwrap(),
            "--acme-domains",
            NAME,
            "--acme-contact",
            "admin@relay.test",
            "--acme-directory",
            &url,
            "--acme-roots",
            chain.to_str().unwrap(),
        ];
        Process::run(program(), &arguments, 1)
    };
    let relay = run();
    let ready = patiently(listen, NAME, &root, "/readyz").await;
    assert!(ready.ends_with("ready\n"), "{ready}");
    assert!(
        relay.said().contains("[certificate-new]"),
        "{}",
        relay.said()
    );
    assert!(tls::get(listen, "other.test", &root, "/").await.is_err());

    // Nobody else can read what it keeps.
    let mut kept = 0;
    for entry in fs::read_dir(data.join("acme")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
        kept += 1;
    }
    assert_eq!(kept, 2, "the account's key and the certificate");

    // The next start needs no authority.
    assert_eq!(relay.stop().code(), Some(0));
    drop(pebble);
    let relay = run();
    patiently(listen, NAME, &root, "/readyz").await;
    assert!(!relay.said().contains("acme-failed"), "{}", relay.said());
    assert_eq!(relay.stop().code(), Some(0));
}
