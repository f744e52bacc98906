//! Measures what communities cost. `ume-groups-bench [SECTION...]`; without a name, all sections.

mod reconcile;

/// Sections by name.
const SECTIONS: [(&str, fn()); 1] = [("reconcile", reconcile::run)];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for (name, run) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            run();
        }
    }
}
