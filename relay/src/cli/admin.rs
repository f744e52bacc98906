//! Commands about a relay's keys, numbers and store.

use crate::{
    admin::{self, Answer, Question, Terms},
    commit::now,
    config::size,
};
use clap::{Args, Subcommand};
use std::{io::Write, path::PathBuf, process::ExitCode};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Issue, list, change and revoke access keys.
    #[command(subcommand)]
    AccessKey(AccessKey),
    /// Print totals of a running relay: lanes, cells, bytes, connections. Nothing about single lanes or people.
    Stats {
        #[command(flatten)]
        place: Place,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Copy store and key of a running relay, as they are at one moment.
    Backup {
        #[command(flatten)]
        place: Place,
        /// Directory to write to, which must not exist.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Make a data directory from a backup; the relay that starts there has a new key, which the old one vouches for.
    Restore {
        /// The backup.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The data directory, which must not exist or be empty.
        #[arg(long, env = "UME_DATA", value_name = "DIR")]
        data: PathBuf,
        /// Restore a relay for the ninth time or more, and lose all communities and links that know it by its oldest key.
        #[arg(long)]
        forget_oldest: bool,
    },
    /// Remove now what has expired, and give its room back.
    Gc {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Subcommand, Debug)]
pub(super) enum AccessKey {
    /// Make a key and print it. It is shown this once: the relay keeps only its hash.
    Issue {
        #[command(flatten)]
        place: Place,
        /// What you call it. Never the name of a person: it ends up in backups.
        name: String,
        #[command(flatten)]
        quota: Quota,
    },
    /// Print all keys with their quotas and what is used of them.
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change a key's quota or its end.
    Set {
        #[command(flatten)]
        place: Place,
        /// Its name.
        name: String,
        #[command(flatten)]
        quota: Quota,
    },
    /// Take a key back: nothing new can be made with it, and what it paid for lives out its time.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Its name.
        name: String,
        /// Delete at once what it paid for.
        #[arg(long)]
        delete: bool,
    },
}

/// What a key is good for.
#[derive(Args, Debug)]
pub(super) struct Quota {
    /// What may be stored with it, like "1 GiB".
    #[arg(long, value_name = "SIZE")]
    bytes: Option<String>,
    /// Lanes that may be made with it.
    #[arg(long, value_name = "N")]
    lanes: Option<u64>,
    /// Days from now after which nothing new is made with it; 0: it does not end.
    #[arg(long, value_name = "N")]
    days: Option<u32>,
}

/// Where a running relay is found.
#[derive(Args, Debug)]
pub(super) struct Place {
    /// The relay's data directory, where its socket is.
    #[arg(long, env = "UME_DATA", default_value = "./data", value_name = "DIR")]
    data: PathBuf,
}

/// Runs a command.
pub(super) fn run(command: Command) -> ExitCode {
    super::done(answer(command))
}

fn answer(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    let (place, question, json) = match command {
        Command::Restore {
            from,
            data,
            forget_oldest,
        } => return Ok(admin::restore(&from, &data, forget_oldest)?),
        Command::Stats { place, json } => (place, Question::Stats, json),
        Command::Backup { place, to } => {
            let to = std::path::absolute(to)?;
            (place, Question::Backup { to }, false)
        }
        Command::Gc { place } => (place, Question::Gc, false),
        Command::AccessKey(command) => access_key(command)?,
    };
    let answer = admin::ask(&place.data, question)?;
    let mut out = std::io::stdout();
    match &answer {
        Answer::Keys(keys) if json => writeln!(out, "{}", serde_json::to_string_pretty(keys)?)?,
        Answer::Totals(totals) if json => {
            writeln!(out, "{}", serde_json::to_string_pretty(totals)?)?;
        }
        answer => write!(out, "{answer}")?,
    }
    Ok(())
}

fn access_key(command: AccessKey) -> Result<(Place, Question, bool), String> {
    Ok(match command {
        AccessKey::Issue { place, name, quota } => {
            let terms = quota.terms()?;
            (place, Question::Issue { name, terms }, false)
        }
        AccessKey::List { place, json } => (place, Question::List, json),
        AccessKey::Set { place, name, quota } => {
            let terms = quota.terms()?;
            (place, Question::Set { name, terms }, false)
        }
        AccessKey::Revoke {
            place,
            name,
            delete,
        } => (place, Question::Revoke { name, delete }, false),
    })
}

impl Quota {
    fn terms(self) -> Result<Terms, String> {
        const DAY_MS: u64 = 24 * 3600 * 1000;
        let bytes = self.bytes.map(|text| size(&text)).transpose();
        Ok(Terms {
            bytes: bytes.map_err(|wrong| format!("--bytes {wrong}"))?,
            lanes: self.lanes,
            until_ms: self.days.map(|days| match days {
                0 => 0,
                days => now().saturating_add(u64::from(days) * DAY_MS),
            }),
        })
    }
}
