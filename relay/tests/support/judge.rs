//! An outside judge of pushes: `judge.py` beside this, with libraries that are not ours. `cargo xtask` installs them; without
//! them there is no judgement.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::{
    env,
    fmt::Write as _,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/judge.py");

/// A push, and what opens it.
pub(crate) struct Push {
    pub(crate) secret: Vec<u8>,
    pub(crate) auth: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) authorization: String,
}

/// Where xtask puts them (`xtask/src/repo.rs`).
fn library() -> Option<PathBuf> {
    let named = env::var_os("UME_HTTP_ECE").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let tools = || Some(caches.or_else(home)?.join("ume/tools/http-ece"));
    named
        .or_else(tools)
        .filter(|place| place.join("http_ece").is_dir())
}

/// What each push says, and the claims of its token; nothing if there is no judge.
pub(crate) fn judge(pushes: &[Push]) -> Option<Vec<Value>> {
    let Some(library) = library() else {
        println!("SKIPPED: http-ece is not there (cargo xtask test installs it)");
        return None;
    };
    let mut judge = Command::new("python3")
        .arg(SCRIPT)
        .env("PYTHONPATH", library)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asked = String::new();
    for push in pushes {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let line = json!({
            "secret": text(&push.secret),
            "auth": text(&push.auth),
            "body": text(&push.body),
            "authorization": push.authorization,
        });
        writeln!(asked, "{line}").unwrap();
    }
    let mut input = judge.stdin.take().unwrap();
    let asking = thread::spawn(move || input.write_all(asked.as_bytes()));
    let output = judge.wait_with_output().unwrap();
    asking.join().unwrap().unwrap();
    assert!(output.status.success(), "the judge refuses one");
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<_> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(said.len(), pushes.len());
    Some(said)
}
