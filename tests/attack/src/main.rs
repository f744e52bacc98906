//! `ume-attack`: what strangers can do to a relay, done to the real program over real sockets. Each attack prints what it
//! measured beside its bound; the exit code is not zero when one is over it. `cargo xtask attack` builds and starts it.

mod attacks;
mod honest;
mod peer;
mod relay;
mod report;

use attacks::{ATTACKS, Attack, Size};
use honest::Honest;
use relay::Relay;
use report::Report;
use std::{io, path::PathBuf, process::ExitCode};

/// What goes wrong in the attacker's own house: everything the relay does is a measurement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Text(String),
}

pub(crate) type Result<T = ()> = std::result::Result<T, Fault>;

impl Fault {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

const HELP: &str = "\
ume-attack --relay PROGRAM [--quick] [NAME...]

Attacks a relay that it starts itself, by default in every way it knows. --quick: fewer attackers, and no bound on the
time that honest clients wait.
";

struct Arguments {
    relay: PathBuf,
    size: Size,
    names: Vec<String>,
}

fn arguments() -> Result<Option<Arguments>> {
    let mut words = std::env::args().skip(1);
    let (mut relay, mut size, mut names) = (None, Size::Full, Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "--relay" => relay = words.next().map(PathBuf::from),
            "--quick" => size = Size::Quick,
            "--help" | "-h" => return Ok(None),
            _ if ATTACKS.iter().any(|attack| attack.name == word) => names.push(word),
            _ => {
                let known: Vec<&str> = ATTACKS.iter().map(|attack| attack.name).collect();
                let known = known.join(", ");
                return Err(Fault::new(format!(
                    "`{word}` is none of the attacks: {known}"
                )));
            }
        }
    }
    let relay = relay.ok_or_else(|| Fault::new("--relay PROGRAM is missing"))?;
    Ok(Some(Arguments { relay, size, names }))
}

fn main() -> ExitCode {
    let outcome = arguments().and_then(|arguments| match arguments {
        None => {
            print!("{HELP}");
            Ok(true)
        }
        Some(arguments) => {
            relay::raise_descriptors()?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            runtime.block_on(run(arguments))
        }
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("ume-attack: {fault}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<bool> {
    let mut report = Report::default();
    for attack in ATTACKS {
        if arguments.names.is_empty() || arguments.names.iter().any(|name| name == attack.name) {
            report::heading(attack.name, attack.about);
            one(attack, &arguments, &mut report).await?;
        }
    }
    Ok(report.end())
}

/// Attacks a relay of its own, while an honest client uses it.
async fn one(attack: &Attack, arguments: &Arguments, report: &mut Report) -> Result {
    let relay = Relay::start(&arguments.relay, attack.options).await?;
    let honest = Honest::start(relay.address()).await?;
    honest::warm_up().await;
    let memory = relay.watch_memory()?;
    (attack.run)(&relay, arguments.size, report).await?;
    let served = honest.stop().await;
    report.memory(memory.stop().await, attack.memory);
    report.honest(&served, arguments.size);
    relay.stop(report).await
}
