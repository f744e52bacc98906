//! The app's files over HTTP: headers, compression, caching, and paths that lead nowhere. And the program's own life.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;

use client::*;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const HASHED: &str = "app-0123456789abcdef.js";

fn write_app(directory: &Path) {
    fs::create_dir_all(directory.join("css")).unwrap();
    fs::write(directory.join("index.html"), "<!doctype html>".repeat(100)).unwrap();
    fs::write(directory.join(HASHED), "let a = 1;\n".repeat(200)).unwrap();
    fs::write(directory.join(format!("{HASHED}.br")), b"made beforehand").unwrap();
    fs::write(directory.join("sw.js"), "// service worker\n").unwrap();
    fs::write(directory.join("app.wasm"), vec![0; 4000]).unwrap();
    fs::write(directory.join("manifest.webmanifest"), "{}").unwrap();
    fs::write(directory.join("css/main.css"), "body {}").unwrap();
    fs::write(directory.join(".secret"), "hidden").unwrap();
    fs::write(directory.parent().unwrap().join("outside.txt"), "outside").unwrap();
}

async fn served(behind_tls: bool) -> (Place, SocketAddr) {
    let place = place_with(|config| {
        let app = config.data.with_file_name("app");
        write_app(&app);
        (config.app, config.behind_tls) = (Some(app), behind_tls);
    })
    .await;
    let address = place.relay.address();
    (place, address)
}

#[tokio::test]
async fn pages_carry_every_security_header() {
    let (_place, address) = served(false).await;
    for path in [
        "/",
        "/j",
        "/some/page",
        "/index.html",
        "/missing.js",
        &format!("/{HASHED}"),
    ] {
        let answer = http(address, "GET", path, "", b"").await;
        let policy = answer.header("content-security-policy").unwrap();
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
             img-src 'self' blob: data:; media-src blob:; manifest-src 'self'; font-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types ume; \
             connect-src 'self' https: wss: ws://127.0.0.1:* ws://localhost:* http://127.0.0.1:* http://localhost:*"
        );
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("origin-agent-cluster", "?1"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {name}");
        }
        let is_page = answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
        let integrity = is_page.then_some("blocked-destinations=(script)");
        assert_eq!(answer.header("integrity-policy"), integrity, "{path}");
        assert!(
            answer
                .header("permissions-policy")
                .unwrap()
                .starts_with("camera=(self), ")
        );
        assert_eq!(answer.header("strict-transport-security"), None);
    }
    let (_place, address) = served(true).await;
    let answer = http(address, "GET", "/", "", b"").await;
    assert!(
        answer
            .header("content-security-policy")
            .unwrap()
            .ends_with("connect-src 'self' https: wss:")
    );
    assert!(answer.header("strict-transport-security").is_some());
}

#[tokio::test]
async fn files_have_their_types_and_pages_are_the_index() {
    let (_place, address) = served(false).await;
    for (path, status, kind, caching) in [
        ("/", 200, "text/html; charset=utf-8", "no-cache"),
        ("/j", 200, "text/html; charset=utf-8", "no-cache"),
        ("/any/page", 200, "text/html; charset=utf-8", "no-cache"),
        ("/sw.js", 200, "text/javascript; charset=utf-8", "no-cache"),
        (
            "/app-0123456789abcdef.js",
            200,
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        ("/app.wasm", 200, "application/wasm", "no-cache"),
        (
            "/manifest.webmanifest?v=1",
            200,
            "application/manifest+json",
            "no-cache",
        ),
        ("/css/main.css", 200, "text/css; charset=utf-8", "no-cache"),
    ] {
        let answer = http(address, "GET", path, "", b"").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some(kind)),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), Some(caching), "{path}");
        let head = http(address, "HEAD", path, "", b"").await;
        assert_eq!((head.status, head.body.len()), (status, 0), "{path}");
        assert_eq!(
            head.header("content-length"),
            answer.header("content-length"),
            "{path}"
        );
        assert_eq!(
            head.header("content-security-policy"),
            answer.header("content-security-policy")
        );
    }
    assert_eq!(http(address, "POST", "/", "", b"").await.status, 405);
    assert_eq!(http(address, "GET", "/v1/ws", "", b"").await.status, 426);
    assert_eq!(http(address, "GET", "/v1/none", "", b"").await.status, 404);
}

#[tokio::test]
async fn nothing_outside_is_reachable() {
    let (_place, address) = served(false).await;
    for path in [
        "/../outside.txt",
        "/css/../../outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "//outside.txt",
        "/.secret",
        "/app-0123456789abcdef.js.br",
        "/css/",
        "/css/..",
        "/./index.html",
    ] {
        let answer = http(address, "GET", path, "", b"").await;
        let is_index = answer.status == 200 && answer.body.starts_with(b"<!doctype");
        assert!(
            answer.status == 404 || answer.status == 400 || is_index,
            "{path}: {}",
            answer.status
        );
        assert!(
            !answer
                .body
                .windows(7)
                .any(|window| window == b"outside" || window == b"hidden\0"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn files_come_compressed_and_only_when_they_changed() {
    let (_place, address) = served(false).await;
    let path = format!("/{HASHED}");
    let brotli = http(
        address,
        "GET",
        &path,
        "Accept-Encoding: gzip, deflate, br, zstd\r\n",
        b"",
    )
    .await;
    assert_eq!(
        (brotli.header("content-encoding"), &brotli.body[..]),
        (Some("br"), &b"made beforehand"[..])
    );
    assert_eq!(brotli.header("vary"), Some("accept-encoding"));
    let gzip = http(
        address,
        "GET",
        &path,
        "Accept-Encoding: br;q=0, gzip\r\n",
        b"",
    )
    .await;
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut content = String::new();
    flate2::read::GzDecoder::new(&gzip.body[..])
        .read_to_string(&mut content)
        .unwrap();
    let plain = http(address, "GET", &path, "", b"").await;
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(
        (plain.body, content.as_str()),
        ("let a = 1;\n".repeat(200).into_bytes(), content.as_str())
    );
    assert_eq!(content, "let a = 1;\n".repeat(200));

    // Compressed at start.
    let page = http(address, "GET", "/", "Accept-Encoding: br\r\n", b"").await;
    let mut content = Vec::new();
    brotli::Decompressor::new(&page.body[..], 4096)
        .read_to_end(&mut content)
        .unwrap();
    assert_eq!(content, "<!doctype html>".repeat(100).into_bytes());
    let tag = page.header("etag").unwrap();
    for known in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let lines = format!("Accept-Encoding: br\r\nIf-None-Match: {known}\r\n");
        let again = http(address, "GET", "/", &lines, b"").await;
        assert_eq!(
            (again.status, again.body.len(), again.header("etag")),
            (304, 0, Some(tag)),
            "{known}"
        );
        assert!(again.header("content-security-policy").is_some());
    }
    let lines = format!("If-None-Match: {tag}\r\n");
    assert_eq!(
        http(address, "GET", "/", &lines, b"").await.status,
        200,
        "another form has another tag"
    );
    // Too small to shrink.
    let small = http(address, "GET", "/sw.js", "Accept-Encoding: br\r\n", b"").await;
    assert_eq!(small.header("content-encoding"), None);
}

#[tokio::test]
async fn a_directory_without_an_index_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = ume_relay::Config::new(
        "127.0.0.1:0".parse().unwrap(),
        directory.path().join("data"),
    );
    config.app = Some(directory.path().to_path_buf());
    assert!(matches!(
        ume_relay::Relay::start(config).await,
        Err(ume_relay::StartError::App(_))
    ));
}

#[tokio::test]
async fn the_program_says_one_line_and_stops_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let run = |data: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ume-relay"));
        command
            .args(["run", "--listen", "127.0.0.1:0"])
            .env("UME_DATA", directory.path().join(data));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let mut child = run("data").spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let address = line
        .trim_end()
        .strip_prefix("listening on http://")
        .unwrap()
        .parse()
        .unwrap();
    let mut client = Client::connect(address).await.unwrap();

    let second = run("data").output().unwrap();
    assert!(!second.status.success(), "two relays with one store");
    assert!(!second.stderr.is_empty());

    let start = Instant::now();
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    assert_eq!(client.close_code().await, Some(1012));
    assert_eq!(
        tokio::task::spawn_blocking(move || child.wait())
            .await
            .unwrap()
            .unwrap()
            .code(),
        Some(0)
    );
    assert!(start.elapsed() < Duration::from_secs(10));
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");

    let version = Command::new(env!("CARGO_BIN_EXE_ume-relay"))
        .arg("version")
        .output()
        .unwrap();
    assert!(version.stdout.starts_with(b"ume-relay 0."));
    let help = Command::new(env!("CARGO_BIN_EXE_ume-relay"))
        .args(["run", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for word in [
        "--listen",
        "--data",
        "--app",
        "--behind-tls",
        "UME_LISTEN",
        "/healthz",
    ] {
        assert!(help.contains(word), "{word}");
    }
}
