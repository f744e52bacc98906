//! Dependencies point downwards only: what a program cannot compile in, it cannot learn.
use crate::fault::{During, Fault, Result};
use crate::process::{capture, cargo};
use crate::repo::Repo;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Who must not reach whom, however indirectly.
const NEVER_REACHES: [(&str, &[&str]); 6] = [
    (
        "ume-relay",
        &["ume-engine", "ume-vault", "ume-api", "ume-sim", "openmls"],
    ),
    ("ume", &["ume-engine", "ume-vault", "ume-wire", "openmls"]),
    ("ume-wire", &["ume-engine", "ume-vault", "ume-api"]),
    ("ume-vault", &["ume-engine", "ume-api"]),
    ("ume-api", &["ume-engine", "ume-vault", "ume-wire"]),
    ("ume-engine", &["ume-worker", "ume-relay", "ume-sim"]),
];

/// What the crates of the core never name themselves: the world comes to them as arguments.
const CORE: [&str; 4] = ["ume-wire", "ume-engine", "ume-vault", "ume-api"];
const OUTSIDE: [&str; 7] = [
    "gloo-timers",
    "js-sys",
    "leptos",
    "tokio",
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "web-sys",
];

/// Asks cargo for the graph of what is really compiled in (tests may use more).
pub(crate) fn check(repo: &Repo) -> Result {
    let text = capture(&mut cargo(
        repo,
        &["metadata", "--format-version", "1", "--locked"],
    ))?;
    let metadata: Value = serde_json::from_str(&text).during("cargo metadata")?;
    let faults = Graph::read(&metadata).faults();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Fault::new(faults.join("\n       ")))
    }
}

/// Direct dependencies by package name, without those of tests.
#[derive(Default)]
struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> Self {
        let names: BTreeMap<&str, &str> = list(&metadata["packages"])
            .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
            .collect();
        let mut graph = Self::default();
        for node in list(&metadata["resolve"]["nodes"]) {
            let Some(from) = node["id"].as_str().and_then(|id| names.get(id)) else {
                continue;
            };
            let edges = graph.edges.entry((*from).to_owned()).or_default();
            for dependency in list(&node["deps"]) {
                let compiled_in = list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
                let name = dependency["pkg"].as_str().and_then(|id| names.get(id));
                if let (true, Some(name)) = (compiled_in, name) {
                    edges.insert((*name).to_owned());
                }
            }
        }
        graph
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (from, forbidden) in NEVER_REACHES {
            if !self.edges.contains_key(from) {
                faults.push(format!(
                    "there is no package {from}: does the check still fit the workspace?"
                ));
            }
            for target in forbidden {
                if let Some(path) = self.path(from, target) {
                    faults.push(format!(
                        "{from} must not reach {target}, but does: {}",
                        path.join(" -> ")
                    ));
                }
            }
        }
        for from in CORE {
            for target in OUTSIDE {
                if self
                    .edges
                    .get(from)
                    .is_some_and(|edges| edges.contains(target))
                {
                    faults.push(format!("{from} must not depend on {target}"));
                }
            }
        }
        faults
    }

    /// A shortest way from one package to another.
    fn path(&self, from: &str, target: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([from.to_owned()]);
        let mut paths = vec![vec![from.to_owned()]];
        while !paths.is_empty() {
            let mut longer = Vec::new();
            for path in paths {
                for next in path
                    .last()
                    .and_then(|last| self.edges.get(last))
                    .into_iter()
                    .flatten()
                {
                    let mut way = path.clone();
                    way.push(next.clone());
                    if next == target {
                        return Some(way);
                    }
                    if seen.insert(next.clone()) {
                        longer.push(way);
                    }
                }
            }
            paths = longer;
        }
        None
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in NEVER_REACHES
            .iter()
            .map(|(from, _)| (*from, &[][..]))
            .chain(edges.iter().copied())
        {
            let known = graph.edges.entry(from.to_owned()).or_default();
            known.extend(to.iter().map(|name| (*name).to_owned()));
        }
        graph
    }

    #[test]
    fn a_forbidden_crate_is_found_behind_another() {
        assert!(graph(&[("ume-relay", &["ume-wire"])]).faults().is_empty());
        let faults = graph(&[("ume-relay", &["x"]), ("x", &["ume-vault"])]).faults();
        assert_eq!(
            faults,
            ["ume-relay must not reach ume-vault, but does: ume-relay -> x -> ume-vault"]
        );
    }

    #[test]
    fn the_core_names_no_browser() {
        assert_eq!(
            graph(&[("ume-vault", &["web-sys"])]).faults(),
            ["ume-vault must not depend on web-sys"]
        );
    }
}
