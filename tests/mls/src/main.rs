//! The group work of ume's communities as mls-rs does it: the messages of MLS alone, without relay, ledger, history, padding
//! and everything else that ume adds. `cargo xtask bench groups` runs it after its own figures, with the same words.
#![deny(missing_docs)]

mod cost;
mod crowd;
mod peer;

use cost::{head, row};
use crowd::Crowd;
use mls_rs::{CipherSuite, CryptoProvider};
use mls_rs_crypto_awslc::AwsLcCryptoProvider;
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use peer::{Fault, device};

/// Sizes of groups, if none are asked for.
const SIZES: [usize; 3] = [10, 100, 1_000];
/// How often each thing is done, if that is not said.
const ROUNDS: usize = 9;
/// What can be measured, in this order: removals make a group smaller.
const SECTIONS: [&str; 4] = ["join", "post", "load", "remove"];

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
    let wrong = |word: &str| Fault::Other(format!("{word}: what is this?"));
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| wrong(&word));
        match word.as_str() {
            "--sizes" => {
                let sizes = value()?;
                let sizes = sizes.split(',').map(|size| size.parse().ok());
                plan.sizes = sizes.collect::<Option<_>>().ok_or_else(|| wrong(&word))?;
            }
            "--rounds" => plan.rounds = value()?.parse().map_err(|_| wrong(&word))?,
            section if SECTIONS.contains(&section) => plan.sections.push(word),
            _ => return Err(wrong(&word)),
        }
    }
    if plan.sections.is_empty() {
        plan.sections = SECTIONS.map(str::to_owned).to_vec();
    }
    plan.sizes.sort_unstable();
    Ok(plan)
}

/// Measures all of a plan with one suite.
fn measure<P: CryptoProvider + Clone>(
    name: &str,
    provider: &P,
    suite: CipherSuite,
    plan: &Plan,
) -> Result<(), Fault> {
    let mut crowd = Crowd::new(|number| device(provider, suite, number))?;
    for &size in &plan.sizes {
        crowd.grow(size, plan.rounds)?;
        let asked = |section: &&str| plan.sections.iter().any(|one| one == section);
        for section in SECTIONS.into_iter().filter(asked) {
            let (who, (own, others)) = match section {
                "join" => ("who comes", crowd.join()),
                "post" => ("who posts", crowd.post(plan.rounds)?),
                "load" => {
                    let (costs, stored) = crowd.load(plan.rounds)?;
                    row(name, section, size, "each", &costs);
                    println!("stored by a member of {size}: {stored} bytes");
                    continue;
                }
                _ => ("who removes", crowd.remove(plan.rounds)?),
            };
            row(name, section, size, who, &own);
            row(name, section, size, "each of the others", &others);
        }
    }
    Ok(())
}

fn main() -> Result<(), Fault> {
    let plan = plan()?;
    head();
    let (classic, hybrid) = (
        CipherSuite::CURVE25519_AES128,
        CipherSuite::ML_KEM_768_X25519,
    );
    let rustcrypto = RustCryptoProvider::default();
    measure("RustCrypto, X25519", &rustcrypto, classic, &plan)?;
    let awslc = AwsLcCryptoProvider::new();
    measure("AWS-LC, X25519", &awslc, classic, &plan)?;
    measure("AWS-LC, X-Wing", &awslc, hybrid, &plan)
}
