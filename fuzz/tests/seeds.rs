//! Every target on every seed, without a fuzzer: what one found once is found here again.
//!
//! `UME_WRITE_SEEDS=1` makes the first seeds of each target and a new community in `world/`. What a fuzzer finds is put
//! beside them by hand, with a name that says what it was.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

mod made;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use ume_fuzz::TARGETS;

static PANICKED: AtomicBool = AtomicBool::new(false);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn every_target_stands_its_seeds() {
    if std::env::var_os("UME_WRITE_SEEDS").is_some() {
        made::write(&folder("seeds"), &folder("world"));
        return;
    }
    // What panics in a thread of the relay is not seen from outside.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        usual(info);
    }));
    for target in TARGETS {
        let seeds = folder("seeds").join(target.name);
        let names = names(&seeds);
        assert!(!names.is_empty(), "{} has no seeds", target.name);
        target.check(b"");
        for name in names {
            println!("{} {name}", target.name);
            target.check(&fs::read(seeds.join(&name)).unwrap());
            assert!(!PANICKED.load(Ordering::SeqCst), "{} {name}", target.name);
        }
    }
    ume_fuzz::stop();
}

#[test]
fn every_target_has_a_program_and_a_folder_and_nothing_else_has() {
    let targets: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    assert_eq!(names(&folder("seeds")), targets);
    let programs = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("targets")), programs);
}
