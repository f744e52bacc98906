//! What joining, removing and posting cost in communities of any size: for whoever does it and for everybody else.
//!
//! A community grows by real joins. The founder stays, and one member beside; the others come and go away again, as most
//! members are not there at any moment. What the two who are there pay at each event, everybody else would pay as well.
#![deny(missing_docs)]

mod crowd;
mod fan_out;
mod packs;
mod reconcile;
mod scene;
mod socket;
mod table;
mod visitors;

use crowd::Crowd;
use scene::Fault;

/// Sizes of communities, if none are asked for.
const SIZES: [usize; 3] = [10, 100, 1_000];
/// How often each thing is done, if that is not said.
const ROUNDS: usize = 9;
/// What can be measured of a community, in this order: removals make it smaller.
const SECTIONS: [&str; 4] = ["join", "post", "load", "remove"];
/// What needs no community: two members compare their entries.
const RECONCILE: &str = "reconcile";
/// Not a measurement: fills a community on a real relay, in which a browser is measured then. `come LINK COUNT`.
const COME: &str = "come";
/// Not a measurement either: two people come and take turns in writing. `write LINK POSTS`.
const WRITE: &str = "write";
/// What has a community of its own: old entries in packs.
const PACKS: &str = "packs";

const USAGE: &str = "ume-groups-bench [join|post|load|remove|reconcile|packs]... [--sizes 10,100,1000] [--rounds 9]\n\
    ume-groups-bench come LINK COUNT\n\
    ume-groups-bench write LINK POSTS";

struct Plan {
    sections: Vec<String>,
    sizes: Vec<usize>,
    rounds: usize,
}

fn plan() -> Result<Plan, Fault> {
    let mut plan = Plan {
        sections: vec![],
        sizes: SIZES.to_vec(),
        rounds: ROUNDS,
    };
    let mut words = std::env::args().skip(1);
    let wrong = |word: &str| Fault::Other(format!("{word}: what is this? {USAGE}"));
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| wrong(&word));
        match word.as_str() {
            "--sizes" => {
                let sizes = value()?;
                let sizes = sizes.split(',').map(|size| size.parse().ok());
                plan.sizes = sizes.collect::<Option<_>>().ok_or_else(|| wrong(&word))?;
            }
            "--rounds" => plan.rounds = value()?.parse().map_err(|_| wrong(&word))?,
            section if [RECONCILE, PACKS].contains(&section) || SECTIONS.contains(&section) => {
                plan.sections.push(word);
            }
            _ => return Err(wrong(&word)),
        }
    }
    if plan.sections.is_empty() {
        plan.sections = SECTIONS.map(str::to_owned).to_vec();
        plan.sections.extend([RECONCILE, PACKS].map(str::to_owned));
    }
    plan.sizes.sort_unstable();
    Ok(plan)
}

fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, link, count] = &words[..]
        && [COME, WRITE].contains(&&word[..])
    {
        let count = count.parse().map_err(|_| Fault::Other(USAGE.into()))?;
        return if word == COME {
            visitors::come(link, count)
        } else {
            visitors::write(link, count)
        };
    }
    let plan = plan()?;
    if plan.sections.iter().any(|one| one == RECONCILE) {
        reconcile::run();
    }
    if plan.sections.iter().any(|one| one == PACKS) {
        packs::run()?;
    }
    if plan
        .sections
        .iter()
        .all(|one| one == RECONCILE || one == PACKS)
    {
        return Ok(());
    }
    table::head();
    let mut crowd = Crowd::new()?;
    for size in &plan.sizes {
        crowd.grow(*size, plan.rounds)?;
        let asked = |section: &&str| plan.sections.iter().any(|one| one == section);
        for section in SECTIONS.into_iter().filter(asked) {
            match section {
                "join" => crowd.join(),
                "post" => crowd.post(plan.rounds)?,
                "load" => crowd.load(plan.rounds)?,
                _ => crowd.remove(plan.rounds)?,
            }
            fan_out::show(section, *size);
        }
    }
    Ok(())
}
