//! A flag for each key of the configuration, made from their table.

use crate::config::{DEFAULT_FILE, KEYS, Layers};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use std::{collections::BTreeMap, path::PathBuf};

const FILE: &str = "config";

/// Flags of the configuration.
#[derive(Debug)]
pub(super) struct Settings(pub(super) Layers);

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .env("UME_CONFIG")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help(format!(
                "File with the configuration (TOML); without it {DEFAULT_FILE}, if that exists"
            ));
        let flags = KEYS.iter().map(|key| {
            let default = key.value(&crate::Config::default());
            let default = default.map_or(String::new(), |value| {
                format!(" [default: {}]", value.replace('"', ""))
            });
            let flag = Arg::new(key.name)
                .long(key.flag())
                .action(ArgAction::Set)
                .value_name(key.form)
                .allow_hyphen_values(false)
                .hide_possible_values(true)
                .help(format!("{}{default} [env: {}=]", key.help, key.variable()));
            if key.is_switch() {
                flag.num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true")
            } else {
                flag
            }
        });
        command.arg(file).args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |name: &str| matches.get_one::<String>(name).cloned();
        let flags: BTreeMap<_, _> = KEYS
            .iter()
            .filter_map(|key| Some((key.name, vec![given(key.name)?])))
            .collect();
        Ok(Self(Layers {
            flags,
            file: matches.get_one::<PathBuf>(FILE).cloned(),
            dev: None,
        }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
